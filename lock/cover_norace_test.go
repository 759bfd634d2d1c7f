//go:build !race

package lock_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/internal/luacover"
)

// The tests of this package run 95 % of its Lua and more.
func TestLuaIsCovered(t *testing.T) {
	t.Parallel()
	luacover.Test(t, "./^embedded$", 95, nil)
}
