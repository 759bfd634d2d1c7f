package model_test

import (
	"flag"
	"testing"

	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	coverTo  = flag.String("luacover", "", "write the coverage of Lua to this file")
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
	t.Cleanup(func() { _ = coverage.WriteFile(*coverTo) }) // the last one stays
	return w.DB()
}
