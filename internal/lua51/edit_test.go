package lua51_test

import (
	"fmt"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A statement can be cut without what is around it growing together.
func TestCut(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"a() f() b()", "a()  b()", "the blanks around stay"},
		{"a(); f(); b()", "a();  b()", "its semicolon goes with it"},
		{"a() f() -- c\n; b()", "a()  b()", "even over a comment"},
		{"a() f() -- c\nb()", "a()  -- c\nb()", "which stays otherwise"},
		{"a = b\nlocal function f() end\n(c or d)()", "a = b\ndo end\n(c or d)()", "b must not be called"},
		{"a = b\nlocal f = 1;\n(c or d)()", "a = b\ndo end\n(c or d)()", "nor here"},
		{"do f()end", "do end", "words around it"},
		{"do(f)()end", "do end", "words around it that touched it"},
		{"do(f)()x()end", "do x()end", "before another statement"},
		{"do a()end(f)();(g)()", "do a()end do end(g)()", "the filler is a word too"},
		{"a='x'f()b()", "a='x'b()", "nothing is needed after a string"},
	} {
		c := parse(t, test.src)
		var cut lua51.Stat
		for _, s := range find[lua51.Stat](c.Main) {
			for _, n := range find[*lua51.Name](s) {
				if n.Name == "f" {
					cut = s
				}
			}
			switch s := s.(type) {
			case *lua51.LocalFunctionStat:
				cut = s
			case *lua51.LocalStat:
				cut = s
			}
		}
		got := c.Apply(c.Cut(cut))
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), got, test.want)
		parse(t, got)
	}
}

// Any statement of any script can be cut, and the rest is still Lua.
func TestCutAnything(t *testing.T) {
	for name, src := range corpus(t) {
		c := parse(t, src)
		for _, s := range find[lua51.Stat](c.Main) {
			if _, err := lua51.Parse(name, c.Apply(c.Cut(s))); err != nil {
				t.Errorf("without %v: %v", s.Pos(), err)
			}
		}
	}
}

// Edits are applied in the order of the text, the outer before the inner; of a part
// of the text, those that begin in it.
func TestApply(t *testing.T) {
	c := parse(t, "f(a, b) g(c)")
	edit := func(from, to int, text string) lua51.Edit { return lua51.Edit{From: from, To: to, Text: text} }
	for _, test := range []struct {
		edits  []lua51.Edit
		want   string
		reason string
	}{
		{nil, "f(a, b) g(c)", "none"},
		{[]lua51.Edit{edit(10, 11, "C"), edit(2, 3, "A")}, "f(A, b) g(C)", "in any order"},
		{[]lua51.Edit{edit(5, 6, "B"), edit(0, 8, "")}, "g(c)", "one inside of a cut is not needed"},
		{[]lua51.Edit{edit(0, 1, "F"), edit(0, 8, "")}, "g(c)", "also at its start"},
		{[]lua51.Edit{edit(0, 7, "h()"), edit(0, 0, "x() "), edit(0, 0, "y() ")}, "x() y() h() g(c)", "insertions stand before, as given"},
		{[]lua51.Edit{edit(12, 12, " i()"), edit(7, 7, ";")}, "f(a, b); g(c) i()", "at the end"},
	} {
		equal(t, test.reason, c.Apply(test.edits...), test.want)
	}
	for _, test := range []struct {
		from, to int
		want     string
		reason   string
	}{
		{0, 12, "F(a, -) g(C)", "all of it"},
		{2, 7, "a, -)", "edits on both sides are another's"},
		{8, 12, "g(C)", "what was left out before stays out"},
		{6, 12, ") g(C)", "what is replaced before is another's"},
		{1, 4, "(a,", "and behind"},
		{0, 5, "F(a, -", "one that begins at the end is made as it is"},
		{0, 11, "F(a, -) g(C", "one that ends at the end too"},
	} {
		edits := []lua51.Edit{edit(10, 11, "C"), edit(5, 6, "-"), edit(0, 1, "F")}
		equal(t, test.reason, c.ApplyBetween(test.from, test.to, edits...), test.want)
	}
	equal(t, "a cut that begins before", c.ApplyBetween(5, 12, edit(0, 8, "no text")), "g(c)")
	equal(t, "a cut that ends behind", c.ApplyBetween(0, 5, edit(3, 8, " here")), "f(a here")
	equal(t, "replace", c.Apply(c.Replace(c.Calls[0].Args[1], "{}")), "f(a, {}) g(c)")
}
