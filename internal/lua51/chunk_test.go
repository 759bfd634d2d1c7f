package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A statement at the top tells what it declares, and whether it may go.
func TestTop(t *testing.T) {
	for _, test := range []struct {
		src, names string
		pure       bool
		reason     string
	}{
		{"local function f() end", "f", true, "a local function"},
		{"function f() end", "f", true, "a global one"},
		{"function M.a.b() end", "M.a.b", true, "in a table"},
		{"function M.a:b() end", "M.a.b", true, "a method"},
		{"local f = function() end", "f", true, "the same in other words"},
		{"local f, g = function() end, function() end", "f g", true, "two"},
		{"local f, g = function() end", "f g", false, "one of two"},
		{"local f = function() end, g()", "f", false, "one more runs something"},
		{"local f", "f", false, "no function yet"},
		{"local f = g", "f", false, "another's"},
		{"M.f = function() end", "M.f", true, "a field"},
		{"M['f'], g = function() end, function() end", "M.f g", true, "by its string"},
		{"M[1] = function() end", "", false, "not under a name"},
		{"M[k()] = function() end", "", false, "the key runs something"},
		{"m().f = function() end", "", false, "so does this"},
		{"M.f = g", "M.f", false, "another's"},
		{"M.f = memo(function() end)", "M.f", false, "the function is passed on"},
		{"x = 1", "x", false, "a value"},
		{"f(function() end)", "", false, "a call"},
		{"do local function f() end end", "", false, "a block is looked at as a whole"},
		{"for i = 1, 2 do end", "", false, "its variable is its own"},
		{"return function() end", "", false, "declares nothing"},
	} {
		top := parse(t, test.src).Top()
		what := fmt.Sprintf("%s (%s)", test.src, test.reason)
		equal(t, what, len(top), 1)
		equal(t, what, strings.Join(top[0].Names(), " "), test.names)
		equal(t, what, top[0].Pure, test.pure)
	}
}

// Elements of KEYS are told from other uses of it.
func TestElements(t *testing.T) {
	c := parse(t, `local a, b = KEYS[1], KEYS[0x2]
redis.call("DEL", unpack(KEYS), KEYS[i], #KEYS, KEYS[1.5], KEYS["3"], KEYS.x[4], KEYS[-1])
KEYS[5] = nil
do local KEYS = {} f(KEYS[6]) end
f(ARGV[7])`)
	literal, others := c.Elements("KEYS")
	var got []string
	for _, e := range literal {
		got = append(got, fmt.Sprintf("%v:%s=%d", e.Pos(), c.Text(e), e.N))
	}
	equal(t, "literal", strings.Join(got, " "), "1:14:KEYS[1]=1 1:23:KEYS[0x2]=2 3:1:KEYS[5]=5")
	equal(t, "others", len(others), 7)
	literal, others = c.Elements("ARGV")
	equal(t, "ARGV", fmt.Sprint(len(literal), len(others)), "1 0")
}

// Globals are listed in the order of the text, locals never.
func TestGlobals(t *testing.T) {
	c := parse(t, "local r = redis x = r.call(y, function() z.w = _G end) function M.f() end")
	var got []string
	for _, n := range c.Globals {
		got = append(got, n.Name)
	}
	equal(t, "globals", strings.Join(got, " "), "redis x y z _G M")
	equal(t, "method calls", len(parse(t, "a:b() a:c():d() a.e()").MethodCalls), 3)
}

// Any offset has a place, and any line a text.
func TestPositionAndLine(t *testing.T) {
	c := parse(t, "a = 1\r\n\n b = [[\r\r]] c()")
	for _, test := range []struct{ offset, line, column int }{
		{0, 1, 1}, {5, 1, 6}, {6, 1, 7}, {7, 2, 1}, {8, 3, 1}, {9, 3, 2}, {16, 4, 1}, {17, 5, 1}, {23, 5, 7},
	} {
		equal(t, fmt.Sprint(test.offset), c.Position(test.offset), lua51.Pos{Offset: test.offset, Line: test.line, Column: test.column})
	}
	for i, want := range []string{"", "a = 1", "", " b = [[", "", "]] c()", ""} {
		equal(t, fmt.Sprint("line ", i), c.Line(i), want)
	}
	equal(t, "text", c.Text(c.Main.Body.Stats[2]), "c()")
	equal(t, "all", c.Text(c.Main), c.Src)
}
