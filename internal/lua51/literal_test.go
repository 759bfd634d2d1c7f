package lua51_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Numbers have the values strtod gives them.
func TestNumbers(t *testing.T) {
	for src, want := range map[string]float64{
		"0": 0, "08": 8, "3.": 3, ".5": .5, "5.e3": 5000, "1e5": 1e5, "1E+5": 1e5, "1e-5": 1e-5,
		"0x10": 16, "0XfF": 255, "0xe": 14, "0x1p4": 16, "0x1P4": 16, "0xffffffffffffffffff": 4722366482869645213695,
		"123456789012345": 123456789012345, "9007199254740993": 9007199254740992, "0.1": 0.1,
		"1e400": math.Inf(1), "1e-400": 0, "0x1p99999": math.Inf(1),
	} {
		tokens, _, err := lua51.Tokens("t", src)
		if err != nil || len(tokens) != 2 {
			t.Errorf("%s: %d tokens, %v", src, len(tokens), err)
			continue
		}
		equal(t, src, tokens[0].Number, want)
		equal(t, src, tokens[0].Text, src)
	}
}

// What begins like a number is one, or an error.
func TestMalformedNumbers(t *testing.T) {
	for src, text := range map[string]string{
		"1e": "1e", "1e+": "1e+", "0x": "0x", "0xg": "0xg", "3..2": "3..2", "1.2.3": "1.2.3", "1_000": "1_000",
		"3x": "3x", "0x1p": "0x1p", "0x1p-4": "0x1p", "1e5e5": "1e5e5", "1f": "1f", "00x1": "00x1", ".0x1": ".0x1",
		"0b1": "0b1", "1i": "1i", "0x_1": "0x_1", "0o7": "0o7", "...5..5": "",
	} {
		_, _, err := lua51.Tokens("t", src)
		if text == "" { // three dots and then .5
			text = "5..5"
		}
		if err == nil || !strings.HasSuffix(err.Error(), "malformed number near '"+text+"'") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// Strings have the bytes that Lua 5.1 gives them.
func TestStrings(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{`"a'b"`, "a'b", "the other quote is an ordinary byte"},
		{`'a"b'`, `a"b`, "also this one"},
		{`"\a\b\f\n\r\t\v\\\"\'"`, "\a\b\f\n\r\t\v\\\"'", "letters that mean something"},
		{`"\x41\z\q\u{1}"`, "x41zqu{1}", "others stand for themselves in 5.1"},
		{`"\65\0656\0\255"`, "AA6\x00\xff", "up to three decimals"},
		{"'a\\\nb'", "a\nb", "an escaped line end"},
		{"'a\\\r\nb\\\n\rc\\\rd'", "a\nb\nc\nd", "is a \\n, whatever it was"},
		{"[[a\\nb]]", `a\nb`, "no escapes in a long string"},
		{"[[\na\n]]", "a\n", "a line end at the start is dropped"},
		{"[[\r\na\r\nb\rc\n\rd]]", "a\nb\nc\nd", "and all of them are \\n"},
		{"[[\n\na]]", "\na", "only one is dropped"},
		{"[==[a]]b]=]c]===]d]==]", "a]]b]=]c]===]d", "only its own closing ends it"},
		{"[=[ [[ ]] [=[ ]=]", " [[ ]] [=[ ", "level 0 alone refuses to nest"},
		{"[[[a]]", "[a", "the third bracket is inside"},
		{"[[a]=]]", "a]=", "closing brackets may look alike"},
		{"'\x00é\xff'", "\x00é\xff", "any byte"},
		{"''", "", "none"},
	} {
		tokens, _, err := lua51.Tokens("t", test.src)
		if err != nil || len(tokens) != 2 {
			t.Errorf("%q (%s): %d tokens, %v", test.src, test.reason, len(tokens), err)
			continue
		}
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), tokens[0].Value, test.want)
	}
}

// A broken literal is reported where it can be mended.
func TestBrokenLiterals(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"x = 'a\nb'", `1:5: unfinished string near ''a'`, "a line end closes no string"},
		{"x = \n 'a", `2:2: unfinished string near '<eof>'`, "nor does the end, and it begins here"},
		{`x = 'a\`, `1:5: unfinished string near '<eof>'`, "nor after a backslash"},
		{`x = 'ab\256c'`, `1:8: escape sequence too large near '\256'`, "points at the escape"},
		{"x = [==a", `1:5: invalid long string delimiter near '[=='`, "a bracket and = need a second bracket"},
		{"x = [[\n\n", `1:5: unfinished long string near '<eof>'`, "luac names the last line"},
		{"x = 1 --[[\n]", `1:7: unfinished long comment near '<eof>'`, "also here"},
		{"x = [[a\n[[b]]", `2:1: nesting of [[...]] is deprecated near '['`, "points at the inner one"},
		{"--[[ [[ ]]", `1:6: nesting of [[...]] is deprecated near '['`, "comments are no exception"},
	} {
		_, err := lua51.Parse("t", test.src)
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), fmt.Sprint(err), "t:"+test.want)
	}
}
