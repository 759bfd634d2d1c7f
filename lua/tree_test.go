package lua_test

import (
	"runtime"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What the parser knows of a module may be collected at any time: what is bound,
// asked and told of it afterwards is the same.
func TestModulesOutliveTheirTrees(t *testing.T) {
	helper := lua.Module("Helper", lua.Func("half", "n", "if n % 2 == 1 then\n  fail('ODD', n)\nend\nreturn n / 2"))
	mod := lua.Module("Outlives", lua.Import(helper), lua.Source("outlives.lua", `local M = {}
local Helper = require "Helper"

--- @arg n int
--- @return int
function M.quarter(n)
  return (Helper.half(Helper.half(n)))
end

return M`))
	before := bind[int, int](t, mod, "quarter")
	runtime.GC()
	runtime.GC()
	after := bind[int, int](t, mod, "quarter")
	if got, want := after.Script().Body, before.Script().Body; got != want {
		t.Errorf("the script became\n%s\nof\n%s", got, want)
	}
	runtime.GC()
	runtime.GC()
	each(t, func(t *testing.T, db *pipectx.DB) {
		e := failed(t, "quarter of six", before.On(db).Call(t.Context(), 6).Err())
		want := "Lua traceback of Outlives.quarter (most recent call last):\n" +
			"  outlives.lua:7 in Outlives.quarter\n      return (Helper.half(Helper.half(n)))\n" +
			"  Helper.half:2 in Helper.half\n      fail('ODD', n)"
		if got := e.Traceback(); got != want {
			t.Errorf("the traceback is\n%s\nwant\n%s", got, want)
		}
	})
	sign, err := mod.Signature("quarter")
	if err != nil || len(sign.Params) != 1 || sign.Returns != "int" {
		t.Errorf("the signature is %+v, %v", sign, err)
	}
}
