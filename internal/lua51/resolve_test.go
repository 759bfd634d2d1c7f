package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Each use of x names the x that Lua would read: by the column of the line 1
// in which it is declared, or 0 for a global.
func TestScopes(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"x = 1", "0", "a global"},
		{"local x; x = 1", "7", "a local"},
		{"local x = x; x()", "0 7", "a local begins after its statement"},
		{"local x; local x; x()", "16", "the later shadows the earlier"},
		{"local x, x; x()", "10", "also within one statement"},
		{"local x; do local x; x() end x()", "19 7", "a block gives back what it shadowed"},
		{"do local x end x()", "0", "a block ends its locals"},
		{"local function x() x() end x()", "16 16", "a local function sees itself"},
		{"local x = function() x() end x()", "0 7", "a local with a function does not"},
		{"local x; x = function() x() end", "7 7", "unless it is declared before"},
		{"function x() x() end", "0 0", "a global function"},
		{"local x; function x() end", "7", "assigned, not declared"},
		{"local x; function x.y() end", "7", "nor here"},
		{"local x; function y.x() end", "", "a field is no variable"},
		{"y(function(x) x() end, x)", "12 0", "a parameter"},
		{"y(function(x, x) x() end)", "15", "the later of two"},
		{"function y:z() x() end", "0", "something else than self"},
		{"repeat local x until x", "14", "the condition of repeat sees its locals"},
		{"repeat local x until x; x()", "14 0", "and nothing after it does"},
		{"while x do local x end", "0", "the condition of while does not"},
		{"if x then local x elseif x then x() end", "0 0 0", "nor those of if"},
		{"for x = x, x, x do x() end x()", "0 0 0 5 0", "a loop variable begins after its limits"},
		{"for x, y in x do x() end x()", "0 5 0", "also of for in"},
		{"for x = 1, 2 do local x = x end", "5", "and can be shadowed"},
		{"local x; y = {x = 1, [x] = x, x; x}", "7 7 7 7", "the name of a field is no variable"},
		{"local x; y.x = z:x(x)", "7", "nor that of a method"},
		{"local x; x.x, x = x", "7 7 7", "targets are uses"},
		{"return function() return function() local x; x() end end, x", "43 0", "the innermost"},
	} {
		c := parse(t, test.src)
		var got []string
		for _, n := range find[*lua51.Name](c.Main) {
			if n.Name != "x" {
				continue
			}
			column := 0
			if n.Local != nil {
				column = n.Local.Pos.Column
			}
			got = append(got, fmt.Sprint(column))
		}
		equal(t, fmt.Sprintf("%s (%s)", test.src, test.reason), strings.Join(got, " "), test.want)
	}
}

// Each use of x tells its path and what is done there.
func TestUses(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"y = x", "x escapes", "used as it is"},
		{"y = x.a.b", "x.a.b", "read"},
		{"y = x['a']", "x.a", "a constant string is a field"},
		{"y = x[1]", "x index escapes", "a number is not"},
		{"y = x.a[i].b", "x.a index", "a computed key ends the path"},
		{"x.a.b(1).c()", "x.a.b call", "so does a call"},
		{"x(1)", "x call escapes", "the call of it"},
		{"x:m(1)", "x method escapes", "a method gets it as self"},
		{"x.a:m(1)", "x.a method", "or a field of it"},
		{"y = (x).a", "x escapes", "so does a parenthesis"},
		{"y = x == 1", "x escapes", "operators take it"},
		{"x = 1", "x write", "assigned"},
		{"x, y = 1", "x write", "with another"},
		{"function x() end", "x write", "by a function"},
		{"x.a = 1", "x.a store", "a field is assigned"},
		{"x.a.b = 1", "x.a.b store", "a deeper one"},
		{"x[k] = 1", "x index store escapes", "an element"},
		{"x.a[k] = 1", "x.a index store", "of a field"},
		{"x.a[k].c = 1", "x.a index", "something further away"},
		{"x.a().b = 1", "x.a call", "what a call returns"},
		{"function x.a.b() end", "x.a.b store", "by a function"},
		{"function x.a:b() end", "x.a.b store", "by a method"},
		{"x.n = x.n + 1", "x.n store, x.n", "both"},
		{"f{x = x}", "x escapes", "into a table"},
	} {
		c := parse(t, test.src)
		var got []string
		for _, n := range c.Globals {
			if n.Name != "x" {
				continue
			}
			use := strings.Join(append([]string{"x"}, n.Path()...), ".")
			equal(t, test.src, len(n.Fields()), len(n.Path()))
			switch n.Suffix.(type) {
			case *lua51.Call:
				use += " call"
			case *lua51.MethodCall:
				use += " method"
			case *lua51.Index:
				use += " index"
			}
			if n.Write {
				use += " write"
			}
			if n.Store {
				use += " store"
			}
			if n.Escapes() {
				use += " escapes"
			}
			got = append(got, use)
		}
		equal(t, fmt.Sprintf("%s (%s)", test.src, test.reason), strings.Join(got, ", "), test.want)
	}
}

// A local knows what declares it, what it begins with and who uses it.
func TestLocals(t *testing.T) {
	c := parse(t, `
local a, b, c = 1, f()
local g = h()
local function lf(p, ...) return a + p + arg.n end
for i = 1, 2 do a = i end
for k, v in pairs(b) do end
function t:m(q) return function() return self, q, lf end end
`)
	all := c.Main.Locals
	for _, f := range c.Functions {
		all = append(all, f.Locals...)
	}
	var got []string
	for _, l := range all {
		s := fmt.Sprintf("%v %s %s in %q by %T", l.Pos, l.Kind, l.Name, l.Func.Name, l.Decl)
		if l.Init != nil {
			s += fmt.Sprintf(" init %T", l.Init)
		}
		for _, u := range l.Uses {
			s += fmt.Sprintf(" @%v", u.Pos())
		}
		if l.Captured {
			s += " captured"
		}
		if l.Assigned() {
			s += " assigned"
		}
		got = append(got, s)
	}
	want := []string{
		`2:7 local a in "" by *lua51.LocalStat init *lua51.Number @4:34 @5:17 captured assigned`,
		`2:10 local b in "" by *lua51.LocalStat @6:19`,
		`2:13 local c in "" by *lua51.LocalStat`,
		`3:7 local g in "" by *lua51.LocalStat init *lua51.Call`,
		`4:16 local function lf in "" by *lua51.LocalFunctionStat init *lua51.Function @7:51 captured`,
		`5:5 loop variable i in "" by *lua51.NumForStat @5:21`,
		`6:5 loop variable k in "" by *lua51.GenForStat`,
		`6:8 loop variable v in "" by *lua51.GenForStat`,
		`4:19 parameter p in "lf" by *lua51.Function @4:38`,
		`4:7 arg arg in "lf" by *lua51.Function @4:42`,
		`7:1 self self in "t:m" by *lua51.Function @7:42 captured`,
		`7:14 parameter q in "t:m" by *lua51.Function @7:48 captured`,
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("local %d:\ngot  %v\nwant %v", i, got[i:], want[i:])
			break
		}
	}
}

// The script itself has `...` but no table arg; nor has a plain function.
func TestArg(t *testing.T) {
	c := parse(t, "local a = arg; f = function(...) return arg, function() return arg end end; g = function() return arg end")
	var got []bool
	for _, n := range find[*lua51.Name](c.Main) {
		if n.Name == "arg" {
			got = append(got, n.Local != nil)
		}
	}
	equal(t, "arg is local", fmt.Sprint(got), "[false true true false]")
}

// A variable used two functions further in is an upvalue of both.
func TestUpvalues(t *testing.T) {
	c := parse(t, `local a, b, c
local function outer(x)
  local y = a
  return function() return function() a = b; return x, y, x end end
end
local function plain(z) return z end`)
	for i, want := range []string{"a b", "a b x y", "a b x y", ""} {
		var got []string
		for _, l := range c.Functions[i].Upvalues {
			got = append(got, l.Name)
		}
		equal(t, fmt.Sprint("upvalues of function ", i), strings.Join(got, " "), want)
	}
	equal(t, "upvalues of the script", len(c.Main.Upvalues), 0)
	equal(t, "captured", fmt.Sprint(c.Main.Locals[0].Captured, c.Main.Locals[1].Captured, c.Main.Locals[2].Captured), "true true false")
}

// Functions are listed as they begin, with their names, kin and sizes.
func TestFunctions(t *testing.T) {
	c := parse(t, `local function a(x, y) local z do local u, v end do local w end end
function M.b.c() for i = 1, 2 do local x end end
function M:d(...) return function(e) end end
local f, g = function() end, f(function() end)
M.h, M["i"], M[1], j = function() end, function() end, function() end, function() end
return { k = function() end }`)
	var got []string
	for _, f := range append([]*lua51.Function{c.Main}, c.Functions...) {
		s := fmt.Sprintf("%v %q(", f.Pos(), f.Name)
		for _, p := range f.Params {
			s += p.Name + " "
		}
		s += fmt.Sprintf("%t) locals %d, %d at once, by %T", f.Vararg, len(f.Locals), f.MaxLocals, f.Stat)
		if f.Parent != nil {
			s += fmt.Sprintf(" in %v", f.Parent.Pos())
		}
		got = append(got, s)
	}
	equal(t, "functions", strings.Join(got, "\n"), strings.TrimSpace(`
1:1 ""(true) locals 3, 3 at once, by <nil>
1:7 "a"(x y false) locals 6, 5 at once, by *lua51.LocalFunctionStat in 1:1
2:1 "M.b.c"(false) locals 2, 5 at once, by *lua51.FunctionStat in 1:1
3:1 "M:d"(self true) locals 2, 2 at once, by *lua51.FunctionStat in 1:1
3:26 ""(e false) locals 1, 1 at once, by <nil> in 3:1
4:14 "f"(false) locals 0, 0 at once, by *lua51.LocalStat in 1:1
4:32 ""(false) locals 0, 0 at once, by <nil> in 1:1
5:24 "M.h"(false) locals 0, 0 at once, by *lua51.AssignStat in 1:1
5:40 "M.i"(false) locals 0, 0 at once, by *lua51.AssignStat in 1:1
5:56 ""(false) locals 0, 0 at once, by *lua51.AssignStat in 1:1
5:72 "j"(false) locals 0, 0 at once, by *lua51.AssignStat in 1:1
6:14 ""(false) locals 0, 0 at once, by <nil> in 1:1`))

	equal(t, "a parameter", c.Functions[0].Param("y"), c.Functions[0].Params[1])
	equal(t, "no parameter", c.Functions[0].Param("z"), nil)
}
