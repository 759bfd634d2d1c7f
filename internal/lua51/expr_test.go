package lua51_test

import (
	"fmt"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Operators bind as in Lua.
func TestExpressions(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"a+b*c-d", "((a + (b * c)) - d)", "left to right, products first"},
		{"a..b..c", "(a .. (b .. c))", "right to left"},
		{"a^b^c", "(a ^ (b ^ c))", "right to left"},
		{"-a^b", "(- (a ^ b))", "a power is above a sign"},
		{"a^-b*c", "((a ^ (- b)) * c)", "a sign in an exponent takes its operand only"},
		{"-a*b", "((- a) * b)", "a sign is above a product"},
		{"not a == b", "((not a) == b)", "not is above a comparison"},
		{"not not a", "(not (not a))", "twice"},
		{"#a+1", "((# a) + 1)", "length is above a sum"},
		{"a+b..c+d", "((a + b) .. (c + d))", "a sum is above .."},
		{"a..b==c", "((a .. b) == c)", ".. is above a comparison"},
		{"a<b==c>=d", "(((a < b) == c) >= d)", "comparisons are of one rank"},
		{"a or b and c or d", "((a or (b and c)) or d)", "and is above or"},
		{"a==b and c~=d", "((a == b) and (c ~= d))", "comparisons are above and"},
		{"a%b/c", "((a % b) / c)", "of one rank"},
		{"(a+b)*c", "(paren((a + b)) * c)", "parentheses are kept"},
		{"((...))", "paren(paren(...))", "all of them"},
		{"a.b['c'][d].e", `a.b["c"][d].e`, "fields"},
		{"a.b:c(1).d{}'x'", `a.b:c(1).d({})("x")`, "calls of three forms"},
		{"f{a=1, [b]=2; 3, f}", "f({a = 1, [b] = 2, 3, f})", "fields of three forms"},
		{"{a, b=1,}", "{a, b = 1}", "a separator at the end"},
		{"{f\n(1)}", "{f(1)}", "Lua looks ahead here and misses the new line"},
		{"f'a'\n'b'", `f("a")("b")`, "a string may be on a new line"},
		{"f\n{}", "f({})", "a table too"},
		{"('%d'):rep(2)", `paren("%d"):rep(2)`, "a method of a literal"},
		{"goto", "goto", "a name"},
	} {
		c := parse(t, "return "+test.src)
		got := sketch(c.Main.Body.Stats[0].(*lua51.ReturnStat).Values[0])
		equal(t, fmt.Sprintf("%s (%s)", test.src, test.reason), got, test.want)
	}
}

// Calls know how many arguments they pass, and when that is open.
func TestCalls(t *testing.T) {
	for _, test := range []struct {
		src   string
		args  int
		multi bool
	}{
		{"f()", 0, false},
		{"f(a, b)", 2, false},
		{"f(a, ...)", 2, true},
		{"f(..., a)", 2, false},
		{"f((...))", 1, false},
		{"f(a:g())", 1, true},
		{"f(g() + 1)", 1, false},
		{"f'a'", 1, false},
		{"f{...}", 1, false},
	} {
		c := parse(t, test.src)
		call := find[*lua51.CallStat](c.Main)[0].Call.(*lua51.Call)
		equal(t, test.src, len(call.Args), test.args)
		equal(t, test.src, call.Multi(), test.multi)

		c = parse(t, "x:"+test.src)
		method := c.Main.Body.Stats[0].(*lua51.CallStat).Call.(*lua51.MethodCall)
		equal(t, test.src, len(method.Args), test.args)
		equal(t, test.src, method.Multi(), test.multi)
	}
}
