package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Each statement is read for what it is, from its first byte to its last.
func TestStatements(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"local a, b = 1", "*lua51.LocalStat", "more names than values"},
		{"local a", "*lua51.LocalStat", "no values"},
		{"a, b.c, d[1] = 1, 2", "*lua51.AssignStat", "targets of three forms"},
		{"(a).b = 1", "*lua51.AssignStat", "a parenthesis at the root"},
		{"f().x = 1", "*lua51.AssignStat", "a call at the root"},
		{"f(1)", "*lua51.CallStat", "a call"},
		{"a.b:c{}", "*lua51.CallStat", "a method call"},
		{"(f or g)()", "*lua51.CallStat", "a parenthesis called"},
		{"do local a end", "*lua51.DoStat", "a block"},
		{"while a do break end", "*lua51.WhileStat", "a loop"},
		{"repeat local a until a", "*lua51.RepeatStat", "one that ends with its condition"},
		{"if a then elseif b then c() else d() end", "*lua51.IfStat", "all its parts"},
		{"for i = 1, 2 do end", "*lua51.NumForStat", "a numeric for"},
		{"for i = 1, 2, 3 do end", "*lua51.NumForStat", "with a step"},
		{"for k, v in pairs(t) do end", "*lua51.GenForStat", "a generic for"},
		{"function a.b.c:d(e, ...) end", "*lua51.FunctionStat", "a function with a path"},
		{"local function f() end", "*lua51.LocalFunctionStat", "a local one"},
		{"return", "*lua51.ReturnStat", "of nothing"},
		{"return a, b", "*lua51.ReturnStat", "of two"},
		{"while a do if b then break end end", "*lua51.WhileStat", "a break inside of an if"},
		{"goto = 1", "*lua51.AssignStat", "goto is a name"},
	} {
		for _, around := range []string{"%s", "%s;", "  %s ;  ", "do %s end", "f();\n%s --x", "f();%s;"} {
			src := strings.Replace(around, "%s", test.src, 1)
			c := parse(t, src)
			at := strings.Index(src, test.src)
			for _, s := range find[lua51.Stat](c.Main) {
				if s.Pos().Offset == at && s.End() == at+len(test.src) {
					equal(t, fmt.Sprintf("%q (%s)", src, test.reason), fmt.Sprintf("%T", s), test.want)
					at = -1
					break
				}
			}
			if at >= 0 {
				t.Errorf("%q: no statement of these bytes", src)
			}
		}
	}
}

// What is wrong is said in Lua's words, at the token it stumbles over.
func TestSyntaxErrors(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"x = = 1", "1:5: unexpected symbol near '='", "no expression"},
		{"local 1", "1:7: '<name>' expected near '1'", "no name"},
		{"a.b", "1:4: '=' expected near '<eof>'", "a field is no statement"},
		{"a b", "1:3: '=' expected near 'b'", "nor is a name"},
		{"1 = 2", "1:1: unexpected symbol near '1'", "nor a number"},
		{"(a) = 1", "1:5: syntax error near '='", "a parenthesis is no target"},
		{"a, f() = 1", "1:8: syntax error near '='", "nor is a call"},
		{"f() = 1", "1:5: unexpected symbol near '='", "a call ends its statement"},
		{"(f())", "1:6: syntax error near '<eof>'", "a call in parentheses is none"},
		{"if x then\n\nf(", "3:3: unexpected symbol near '<eof>'", "an expression first"},
		{"if x then\n\nf()", "3:4: 'end' expected (to close 'if' at line 1) near '<eof>'", "tells what is open"},
		{"if x then f()", "1:14: 'end' expected near '<eof>'", "unless it is on the same line"},
		{"f(\n1 2)", "2:3: ')' expected (to close '(' at line 1) near '2'", "parentheses too"},
		{"x = {\n1 2}", "2:3: '}' expected (to close '{' at line 1) near '2'", "and braces"},
		{"x = a[1", "1:8: ']' expected near '<eof>'", "brackets do not"},
		{"repeat\nend", "2:1: 'until' expected (to close 'repeat' at line 1) near 'end'", "repeat"},
		{"function f()\nuntil", "2:1: 'end' expected (to close 'function' at line 1) near 'until'", "function"},
		{"while x end", "1:9: 'do' expected near 'end'", "while"},
		{"for i do", "1:7: '=' or 'in' expected near 'do'", "for"},
		{"for i = 1 do", "1:11: ',' expected near 'do'", "for needs a limit"},
		{"end", "1:1: '<eof>' expected near 'end'", "too many ends"},
		{"return 1 x()", "1:10: '<eof>' expected near 'x'", "return is last"},
		{"do return end x()return;;", "1:25: '<eof>' expected near ';'", "one semicolon after it"},
		{"while a do break x() end", "1:18: 'end' expected near 'x'", "break is last"},
		{"if a then break end", "1:11: no loop to break near 'break'", "not in a loop"},
		{"while a do f(function() break end) end", "1:25: no loop to break near 'break'", "not in a loop of its function"},
		{"for i = 1, 2 do end break", "1:21: no loop to break near 'break'", "no longer in a loop"},
		{";", "1:1: unexpected symbol near ';'", "no empty statement"},
		{"f();;", "1:5: unexpected symbol near ';'", "nor after another"},
		{"function f() return ... end", "1:21: cannot use '...' outside a vararg function near '...'", "no arguments"},
		{"function f(...) return function() return ... end end", "1:42: cannot use '...' outside a vararg function near '...'", "of its own"},
		{"function f(a, 1) end", "1:15: <name> or '...' expected near '1'", "parameters"},
		{"function f(..., a) end", "1:15: ')' expected near ','", "... is last"},
		{"function f(a,) end", "1:14: <name> or '...' expected near ')'", "no comma at the end"},
		{"function a:b.c() end", "1:13: '(' expected near '.'", "a method's name is last"},
		{"local function a.b() end", "1:17: '(' expected near '.'", "a local has no path"},
		{"local a.b = 1", "1:8: unexpected symbol near '.'", "nor here"},
		{"f\n(1)", "2:1: ambiguous syntax (function call x new statement) near '('", "one statement or two"},
		{"a:b\n(1)", "2:1: ambiguous syntax (function call x new statement) near '('", "methods too"},
		{"a:b", "1:4: function arguments expected near '<eof>'", "a method is there to be called"},
		{"goto x", "1:6: '=' expected near 'x'", "no goto in 5.1"},
		{"::x::", "1:1: unexpected symbol near ':'", "no labels in 5.1"},
		{"x = 7 // 2", "1:8: unexpected symbol near '/'", "no integer division in 5.1"},
		{"x = 7 & 2", "1:7: unexpected symbol near '&'", "no bits in 5.1"},
		{"#!lua flags=no-writes", "1:1: unexpected symbol near '#'", "a server does not skip it"},
		{"x = é", "1:5: unexpected symbol near 'é'", "a letter is shown"},
		{"x = \x01", "1:5: unexpected symbol near 'char(1)'", "what cannot be shown is numbered"},
		{"x = \xff", "1:5: unexpected symbol near 'char(255)'", "also half a letter"},
		{"x = 3 'a long string, which would fill more than the line'", "1:7: unexpected symbol near ''a long string, which would fill more th...'", "a token is cut"},
		{"x 'a'\r\n\r\n= [[a\nb]]", "3:1: unexpected symbol near '='", "lines of windows"},
		{"a [[b\nc]] [[d\ne]] d", "3:6: '=' expected near '<eof>'", "lines within strings"},
	} {
		if test.reason == "" {
			t.Fatalf("%q: say why", test.src)
		}
		_, err := lua51.Parse("t", test.src)
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), fmt.Sprint(err), "t:"+test.want)
	}
}

// A failed Parse returns no chunk.
func TestNoChunkWithAnError(t *testing.T) {
	c, err := lua51.Parse("t", "local x = 1 +")
	if c != nil || err == nil {
		t.Errorf("got %v, %v", c, err)
	}
}

// Depth is bounded and time is linear, whatever the text.
func TestHostileTexts(t *testing.T) {
	const n = 1 << 17
	for _, test := range []struct {
		reason, src string
		accepted    bool
	}{
		{"a left deep sum", "return 1" + strings.Repeat("+1", n), true},
		{"a chain of fields", "return a" + strings.Repeat(".b", n), true},
		{"a chain of calls", "f" + strings.Repeat("()", n), true},
		{"a chain of methods", "f" + strings.Repeat(":f()", n), true},
		{"many branches", "if a then " + strings.Repeat("elseif b then ", n) + "end", true},
		{"open parentheses", "return " + strings.Repeat("(", n), false},
		{"open tables", "return " + strings.Repeat("{", n), false},
		{"open functions", strings.Repeat("f(function() ", n), false},
		{"open blocks", strings.Repeat("do ", n), false},
		{"open brackets", "return a" + strings.Repeat("[a", n), false},
		{"minus signs", "return " + strings.Repeat("- ", n), false},
		{"many targets", strings.Repeat("a,", n), false},
		{"brackets with many =", "--[" + strings.Repeat("=", n) + "[" + strings.Repeat("]"+strings.Repeat("=", 99), n/100), false},
		{"comments on one line", strings.Repeat("--[[]]", n), true},
		{"a long number", "return 1" + strings.Repeat("0", n), true},
		{"many locals of one name", strings.Repeat("do local a = a ", 150) + strings.Repeat("a = a ", n) + strings.Repeat("end ", 150), true},
		{"nothing", "", true},
	} {
		c, err := lua51.Parse("t", test.src)
		equal(t, test.reason, err == nil, test.accepted)
		if err == nil {
			lua51.Walk(c.Main, func(lua51.Node) bool { return true })
			for _, use := range c.Globals {
				use.Path()
			}
			for _, call := range c.Calls {
				call.Callee()
			}
		}
	}
}
