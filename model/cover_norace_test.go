//go:build !race

package model_test

import (
	"os"
	"testing"

	"github.com/redmoon-go/redmoon/internal/luacover"
)

// The tests of this package run 95 % of its Lua and more. Times to live of fields
// need a server of REDMOON_SERVERS: the embedded one has none, nor has Redis 7.0.
func TestLuaIsCovered(t *testing.T) {
	t.Parallel()
	where, spared := "embedded", map[string]float64{"write.lua": 15}
	if os.Getenv("REDMOON_SERVERS") != "" {
		where, spared = "(embedded|redis-[89].*|valkey-9.*)", nil
	}
	luacover.Test(t, "./^"+where+"$|./^(locals|values)$/^"+where+"$", 95, spared)
}
