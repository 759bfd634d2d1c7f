package lua51_test

import (
	"strconv"
	"strings"
	"testing"
)

// Limits are reached where luac5.1 reaches them, and not one step earlier.
func TestLuacAgreesOnLimits(t *testing.T) {
	t.Parallel()
	needLuac(t)
	list := func(n int, format, sep string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = strings.ReplaceAll(format, "%", strconv.Itoa(i))
		}
		return strings.Join(items, sep)
	}
	nest := func(n int, open, in, end string) string {
		return strings.Repeat(open, n) + in + strings.Repeat(end, n)
	}
	for _, limit := range []struct {
		what  string
		last  int // that is accepted; negative: there is no limit to it
		build func(n int) string
	}{
		{"locals of the script", 200, func(n int) string { return list(n, "local a%", "\n") }},
		{"locals of one statement", 200, func(n int) string { return "local " + list(n, "a%", ",") }},
		{"parameters", 200, func(n int) string { return "function f(" + list(n, "a%", ",") + ") end" }},
		{"parameters beside the hidden arg", 199, func(n int) string { return "f = function(" + list(n, "a%", ",") + ",...) end" }},
		{"parameters beside self", 199, func(n int) string { return "function a:b(" + list(n, "a%", ",") + ") end" }},
		{"locals beside a for", 196, func(n int) string { return "local " + list(n, "a%", ",") + " for i = 1, 2 do end" }},
		{"locals beside a for in", 195, func(n int) string { return "local " + list(n, "a%", ",") + " for k, v in f do end" }},
		{"locals in blocks side by side", -100, func(n int) string {
			return "do local " + list(n, "a%", ",") + " end local " + list(n, "b%", ",")
		}},
		{"locals inside of blocks", 100, func(n int) string {
			return "local " + list(n, "a%", ",") + " repeat local " + list(n, "b%", ",") + " until b1"
		}},
		{"upvalues", 60, func(n int) string {
			return "local " + list(n, "a%", ",") + " function f() return " + list(n, "a%", "+") + " end"
		}},
		{"upvalues handed on", 60, func(n int) string {
			return "local " + list(n, "a%", ",") + "\nlocal function g() return function()\nreturn {" + list(n, "a%", ",") + "} end end"
		}},
		{"parentheses", 197, func(n int) string { return "return " + nest(n, "(", "1", ")") }},
		{"blocks", 198, func(n int) string { return nest(n, "do ", "", " end") }},
		{"functions", 99, func(n int) string { return nest(n, "f(function() ", "", " end)") }},
		{"tables", 198, func(n int) string { return "x = " + nest(n, "{", "", "}") }},
		{"keys", 197, func(n int) string { return "x = " + nest(n, "a[", "1", "]") }},
		{"signs", 197, func(n int) string { return "return " + nest(n, "- ", "1", "") }},
		{"concatenations", 197, func(n int) string { return "return 1" + nest(n, " .. 1", "", "") }},
		{"powers", 197, func(n int) string { return "return 1" + nest(n, "^2", "", "") }},
		{"sums do not nest", -3000, func(n int) string { return "return 1" + nest(n, "+1", "", "") }},
		{"calls of calls do not nest", -3000, func(n int) string { return "f" + nest(n, "()", "", "") }},
		{"elseif does not nest", -3000, func(n int) string { return "if a then" + nest(n, " elseif b then ", "", "") + " end" }},
		{"targets", 199, func(n int) string { return list(n, "a%", ",") + " = 1" }},
	} {
		var scripts []string
		last := max(limit.last, -limit.last)
		for n := last - 2; n <= last+2; n++ {
			scripts = append(scripts, limit.build(n))
		}
		judge(t, scripts, func(src string, ours, theirs verdict) {
			if ours.msg != theirs.msg {
				t.Errorf("%s: ours %+v, theirs %+v", limit.what, ours, theirs)
			}
		})
		if v := ours(limit.build(last)); !v.accepted {
			t.Errorf("%s: %d are refused: %s", limit.what, last, v.msg)
		}
		if v := ours(limit.build(last + 1)); v.accepted != (limit.last < 0) {
			t.Errorf("%s: accepted at %d: %t", limit.what, last+1, v.accepted)
		}
	}
}
