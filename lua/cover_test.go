package lua_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	coverTo  = flag.String("luacover", "", "write the share of the prelude that is run to this file")
	coverage luatest.Coverage
)

// watched returns a DB whose Lua counts for the coverage, if it is asked for.
func watched(t testing.TB, db *pipectx.DB) *pipectx.DB {
	t.Helper()
	if *coverTo == "" {
		return db
	}
	w := luatest.On(t, db)
	w.Cover(&coverage)
	t.Cleanup(func() { // the last one stays
		_ = os.WriteFile(*coverTo, fmt.Appendln(nil, coverage.Share(lua.Prelude), coverage.Missed(lua.Prelude)), 0o600)
	})
	return w.DB()
}
