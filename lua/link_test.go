package lua_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

type transfer struct {
	Src    string `lua:"src,key"`
	Dst    string `lua:"dst,key"`
	Amount int64  `lua:"amount"`
	Ref    int64  `lua:"ref"`
}

type summary struct {
	Src   int64   `lua:"src"`
	Dst   int64   `lua:"dst"`
	Ratio float64 `lua:"ratio"`
	OK    bool    `lua:"ok"`
	Note  *string `lua:"note"`
}

func transferEntry(t testing.TB) *lua.Entry[transfer, summary] {
	t.Helper()
	mod, err := lua.LoadFS(os.DirFS("testdata"), "accounts")
	if err != nil {
		t.Fatal(err)
	}
	return bind[transfer, summary](t, mod, "transfer")
}

// A script holds the call and what is reachable from it, as it was written:
// the golden file is that of two modules that require each other.
func TestScriptGolden(t *testing.T) {
	golden.Equal(t, "testdata/transfer.golden.lua", transferEntry(t).Script().Body+"\n")
}

// The script does what its functions say, on every server, and numbers lose
// nothing on the way.
func TestScriptRuns(t *testing.T) {
	entry := transferEntry(t)
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		pipectx.Do[int64](ctx, db, "HSET", "{a}1", "balance", "100")
		got, err := entry.On(db).Call(ctx, transfer{"{a}1", "{a}2", 30, 1<<63 - 1}).Result()
		if want := (summary{70, 30, 0.3, true, nil}); err != nil || got != want {
			t.Errorf("transfer: %v, %v, want %v", got, err, want)
		}
		want(t, "ref", pipectx.Do[int64](ctx, db, "HGET", "{a}2", "ref"), 1<<63-1)
	})
}

// What is reachable is in the script, what is not is cut, and the result is
// that of the whole text.
func TestReachability(t *testing.T) {
	tests := []struct {
		reason string
		files  []string // name, text, …; function main of the first is called
		result string
		cut    []string // parts that must not be in the script
	}{
		{"a local function of a function that is called",
			[]string{"m", `local M = {}
local function a() return "a" end
local function b() return a() .. "b" end
local function never() return "never" end
function M.main() return b() end
return M`}, "ab", []string{"never"}},
		{"a local that gets its function from `local f = function`",
			[]string{"m", `local M = {}
local a, b = function() return "a" end, function() return "b" end
local never = function() end
M.main = function() return a() .. b() end
return M`}, "ab", []string{"never"}},
		{"a local declared first and given its function later",
			[]string{"m", `local M = {}
local odd
local function even(n) if n == 0 then return "even" end return odd(n - 1) end
function odd(n) if n == 0 then return "odd" end return even(n - 1) end
function M.main() return even(7) end
return M`}, "odd", nil},
		{"functions in a local table come together",
			[]string{"m", `local M = {}
local T = {}
function T.a() return "a" end
function T.b() return T.a() .. "b" end
T.c = {d = function() return "d" end}
function M.main() return T.b() .. T.c.d() end
function M.never() end
return M`}, "abd", []string{"never"}},
		{"a function below a field of the module",
			[]string{"m", `local M = {}
M.sub = {}
function M.sub.a() return "a" end
function M.main() return M.sub.a() end
return M`}, "a", nil},
		{"a method of the module gets the module",
			[]string{"m", `local M = {}
M.word = "w"
function M:a(x) return self.word .. x end
function M.main() return M:a("a") .. M.a({word = "o"}, "a") end
return M`}, "waoa", nil},
		{"a function by a quoted name, and several in one statement",
			[]string{"m", `local M = {}
M["a"], M.b = function() return "a" end, function() return M["a"]() .. "b" end
function M.main() return M.b() end
return M`}, "ab", nil},
		{"a function wrapped after its definition",
			[]string{"m", `local M = {}
local function around(f) return function() return "<" .. f() .. ">" end end
function M.a() return "a" end
M.a = around(M.a)
function M.main() return M.a() end
return M`}, "<a>", nil},
		{"a name for another function of the module",
			[]string{"m", `local M = {}
function M.a() return "a" end
M.b = M.a
function M.main() return M.b() end
return M`}, "a", nil},
		{"a function stored under a computed name",
			[]string{"m", `local M = {}
for _, name in ipairs({"x", "y"}) do M["get_" .. name] = function() return name end end
function M.main() return M.get_x() .. M.get_y() end
return M`}, "xy", nil},
		{"functions defined in a block",
			[]string{"m", `local M = {}
do
  local count = {"1", "2"}
  function M.next(n) return count[n] end
end
function M.main() return M.next(1) .. M.next(2) end
return M`}, "12", nil},
		{"a module as a value keeps all its functions",
			[]string{"m", `local M = {}
local other = require "other"
function M.main() return other["a" .. ""]() end
return M`, "other", `local M = {}
function M.a() return "a" end
function M.b() return "b" end
return M`}, "a", nil},
		{"a module handed on keeps all its functions",
			[]string{"m", `local M = {}
local other = require "other"
local function each(t) local s = "" for _, k in ipairs({"a", "b"}) do s = s .. t[k]() end return s end
function M.main() return each(other) end
return M`, "other", `local M = {}
function M.a() return "a" end
function M.b() return "b" end
return M`}, "ab", nil},
		{"a method of another module may call all of that module",
			[]string{"m", `local M = {}
local other = require "other"
function M.main() return other:a() end
return M`, "other", `local M = {}
function M:a() return self.b() end
function M.b() return "b" end
return M`}, "b", nil},
		{"only what is called of another module",
			[]string{"m", `local M = {}
local other, third = require "other", require "third"
function M.main() return other.a() end
function M.never() return third.c() end
return M`, "other", `local M = {}
local unused = require "third"
local function help() return "a" end
function M.a() return help() end
function M.b() return unused.c() end
return M`, "third", `local M = {}
function M.c() return "c" end
return M`}, "a", []string{"never", "unused", "third={", "M.b"}},
		{"modules that call each other",
			[]string{"m", `local M = {}
local other = require "other"
function M.down(n) if n == 0 then return "m" end return other.down(n - 1) end
function M.main() return M.down(5) end
return M`, "other", `local M = {}
local m = require "m"
function M.down(n) if n == 0 then return "other" end return m.down(n - 1) end
return M`}, "other", nil},
		{"statements at the top run when their module is used at all, with what they need",
			[]string{"m", `local M = {}
local other = require "other"
local seen = {}
local function note(t, s) t[#t + 1] = s end
note(seen, "top") note(seen, other.word())
function M.main() return table.concat(seen, ",") end
return M`, "other", `local M = {}
local third = require "third"
local prefix = third.make()
function M.word() return prefix .. "word" end
return M`, "third", `local M = {}
function M.make() return "made " end
return M`}, "top,made word", nil},
		{"a function at the top that calls another module, by way of a local",
			[]string{"m", `local M = {}
local limits = require "limits"
local function limit() return limits.get() end
local LIMIT = limit()
function M.main() return LIMIT end
return M`, "limits", `local M = {}
M.value = "10"
function M.get() return M.value end
return M`}, "10", nil},
		{"in a circle the one that is asked for last is built first",
			[]string{"m", `local M = {}
local other = require "other"
local word = other.word()
function M.main() return word .. other.late() end
function M.late() return "late" end
return M`, "other", `local M = {}
local m = require "m"
function M.word() return "word " end
function M.late() return m.late() end
return M`}, "word late", nil},
		{"names that shadow mean what they mean",
			[]string{"m", `local M = {}
local function f() return "outer" end
local function g() return "never" end
function M.main()
  local g = function() return "inner" end
  local M = {main = f}
  return M.main() .. " " .. g()
end
return M`}, "outer inner", []string{"never"}},
		{"a local declared twice: each use means the one before it",
			[]string{"m", `local M = {}
local function f() return "first" end
function M.a() return f() end
local function f() return "second" end
function M.main() return f() end
return M`}, "second", []string{"first"}},
		{"texts without blanks, which must not grow together",
			[]string{"m", `local M={}local other=require"other"local function f()return other.a()end function M.main()return(f())end return M`,
				"other", `local M={}local unused=require"m"local function b()local c={redis.call("PING")}return"a"end function M.a()return b()end return M`}, "a", nil},
		{"recursion, by every kind of name",
			[]string{"m", `local M = {}
local function a(n) return n == 0 and "." or "a" .. a(n - 1) end
function M.b(n) return n == 0 and "." or "b" .. M.b(n - 1) end
function M.main() return a(2) .. M.b(2) end
return M`}, "aa.bb.", nil},
		{"the hidden table arg of a vararg function",
			[]string{"m", `local M = {}
local function sum(...) local s = 0 for i = 1, select("#", ...) do s = s + select(i, ...) end return s end
function M.main() return "" .. sum(1, 2, 3) end
return M`}, "6", nil},
	}
	var entries []*lua.Entry[struct{}, string]
	for _, test := range tests {
		entry := bind[struct{}, string](t, load(t, test.files...), "main")
		body := entry.Script().Body
		for _, part := range test.cut {
			if strings.Contains(body, part) {
				t.Errorf("%s: %q is still there:\n%s", test.reason, part, body)
			}
		}
		entries = append(entries, entry)
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for i, test := range tests {
			want(t, test.reason, entries[i].On(db).Call(t.Context(), struct{}{}), test.result)
		}
	})
}

// Ensure that a function keeps what it needs and nothing else: modules made at
// random, whose functions add up numbers and call others in all the ways there
// are, give the sum that the graph of calls has, and of the functions that are
// not reachable no script has a trace.
func TestReachabilityOfRandomGraphs(t *testing.T) {
	db := embedded(t)
	for seed := range uint64(60) {
		g := randomGraph(rand.New(rand.NewPCG(seed, 1)))
		mod := load(t, g.files...)
		for _, name := range []string{"f0", "f1", "f2"} {
			entry := bind[struct{}, int64](t, mod, name)
			sum, reached := g.sum("m0." + name)
			ref := entry.On(db).Call(t.Context(), struct{}{})
			if got, err := ref.Result(); err != nil || got != sum {
				t.Fatalf("seed %d: %s = %v, %v, want %d\n%s", seed, name, got, err, sum, entry.Script().Body)
			}
			for node := range g.value {
				if in := strings.Contains(entry.Script().Body, fmt.Sprintf("s = %d\n", g.value[node])); in != reached[node] {
					t.Fatalf("seed %d: %s in the script of %s: %v, want %v\n%s", seed, node, name, in, reached[node], entry.Script().Body)
				}
			}
		}
	}
}

// A graph is modules m0, m1, … with functions f0, f1, …
type graph struct {
	files []string
	value map[string]int
	calls map[string][]string
}

func randomGraph(r *rand.Rand) graph {
	const modules, functions = 4, 5
	g := graph{value: map[string]int{}, calls: map[string][]string{}}
	node := func(m, f int) string { return fmt.Sprintf("m%d.f%d", m, f) }
	local := map[string]bool{} // not exported
	for m := range modules {
		for f := 3; f < functions; f++ {
			local[node(m, f)] = r.IntN(2) == 0
		}
	}
	for m := range modules {
		var text strings.Builder
		text.WriteString("local M = {}\n")
		for other := range modules {
			if other != m {
				fmt.Fprintf(&text, "local m%d = require %q -- %[1]d\n", other, fmt.Sprintf("m%d", other))
			}
		}
		for f := functions - 1; f >= 0; f-- { // calls go to what stands before, so that they end
			name := node(m, f)
			g.value[name] = 1000 + 10*len(g.value) + r.IntN(10)
			var body strings.Builder
			fmt.Fprintf(&body, "  local s = %d -- its own\n", g.value[name])
			for range r.IntN(3) {
				om, of := r.IntN(modules), f+1+r.IntN(functions-f)
				callee := node(om, of)
				switch {
				case of >= functions || local[callee] && om != m:
					continue
				case local[callee]:
					fmt.Fprintf(&body, "  s = s + f%d()\n", of)
				case om == m:
					fmt.Fprintf(&body, "  s = s + M.f%d()\n", of)
				case r.IntN(2) == 0:
					fmt.Fprintf(&body, "  local g = m%d.f%d --[[ a comment\n over two lines ]] s = s + g()\n", om, of)
				default:
					fmt.Fprintf(&body, "  s = s + m%d[\"f%d\"]()\n", om, of)
				}
				g.calls[name] = append(g.calls[name], callee)
			}
			body.WriteString("  return s\nend\n")
			switch forms := []string{"function M.f%d()\n", "M.f%d = function()\n", "M[\"f%d\"] = function()\n"}; {
			case !local[name]:
				fmt.Fprintf(&text, forms[r.IntN(len(forms))], f)
			case r.IntN(2) == 0:
				fmt.Fprintf(&text, "local function f%d()\n", f)
			default:
				fmt.Fprintf(&text, "local f%d = function()\n", f)
			}
			text.WriteString(body.String())
		}
		text.WriteString("return M\n")
		g.files = append(g.files, fmt.Sprintf("m%d", m), text.String())
	}
	return g
}

func (g graph) sum(node string) (sum int64, reached map[string]bool) {
	reached = map[string]bool{}
	var visit func(string) int64
	visit = func(node string) int64 {
		reached[node] = true
		sum := int64(g.value[node])
		for _, callee := range g.calls[node] {
			sum += visit(callee)
		}
		return sum
	}
	return visit(node), reached
}

// The same texts make the same script, byte by byte, whatever has been linked
// before: servers know a script by its hash.
func TestScriptIsDeterministic(t *testing.T) {
	first := transferEntry(t).Script()
	for range 20 {
		if again := transferEntry(t).Script(); again.Body != first.Body || again.SHA != first.SHA {
			t.Fatalf("another script:\n%s\nafter\n%s", again.Body, first.Body)
		}
	}
	many := func() string {
		parts := []lua.Part{}
		for i := range 30 {
			parts = append(parts, lua.Func(fmt.Sprintf("f%d", i), "", fmt.Sprintf("return %d", i)))
		}
		all := lua.Module("All", append(parts, lua.Func("main", "", "local t = All return t.f1()"))...)
		caller := lua.Module("Caller", lua.Import(all), lua.Func("main", "", "return All.f3() + All.main()"))
		return bind[struct{}, int64](t, caller, "main").Script().Body
	}
	first2 := many()
	for range 20 {
		if again := many(); again != first2 {
			t.Fatalf("another script:\n%s\nafter\n%s", again, first2)
		}
	}
}

// Ensure that a script names nothing but what every server gives it: all else
// is a local of its own.
func TestScriptHasNoStrangeGlobals(t *testing.T) {
	c, err := lua51.Parse("script", transferEntry(t).Script().Body)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields("redis KEYS ARGV cjson string math pcall xpcall error type tonumber tostring rawget pairs")
	for _, use := range c.Globals {
		if !slices.Contains(known, use.Name) || use.Write {
			t.Errorf("%v: %s", use.Pos(), use.Name)
		}
	}
}

// Two modules may be called alike where nobody imports both: each keeps its own
// table.
func TestModulesOfOneName(t *testing.T) {
	util1 := lua.Module("util", lua.Func("f", "", `return "one"`))
	util2 := lua.Module("util", lua.Func("f", "", `return "two"`))
	a := lua.Module("A", lua.Import(util1), lua.Func("f", "", `return util.f()`))
	b := lua.Module("B", lua.Import(util2), lua.Import(a), lua.Func("f", "", `return util.f() .. A.f()`))
	want(t, "B.f", bind[struct{}, string](t, b, "f").On(embedded(t)).Call(t.Context(), struct{}{}), "twoone")
}

// What a function does not need costs nothing: of a module of many Funcs only
// those that are called are in the script.
func TestUnusedPartsLeaveNoTrace(t *testing.T) {
	mod := lua.Module("M", lua.Func("a", "", "return 1"), lua.Func("b", "", "return 2"), lua.Func("c", "", "return M.a()"))
	body := bind[struct{}, int64](t, mod, "c").Script().Body
	if n := strings.Count(body, "\ndo\n"); n != 2 || strings.Contains(body, "return 2") {
		t.Errorf("%d texts are in the script, want those of a and c:\n%s", n, body)
	}
}
