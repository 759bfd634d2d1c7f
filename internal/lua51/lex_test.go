package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A text is cut where Lua cuts it.
func TestTokens(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"a=b", "a = b <eof>", "signs need no blanks"},
		{"a\tb\vc\fd", "a b c d <eof>", "all blanks of the C locale"},
		{"a..b...c.d", "a .. b ... c . d <eof>", "the longest run of dots is taken"},
		{"....", "... . <eof>", "but not more than three"},
		{"a===b", "a == = b <eof>", "nor more than two of another sign"},
		{"a~=b<=c>=d<e>f", "a ~= b <= c >= d < e > f <eof>", "comparisons"},
		{"_a1 aB and andy", "_a1 aB and andy <eof>", "a keyword is a whole word"},
		{"goto continue", "goto continue <eof>", "no keywords in 5.1"},
		{"a--b\nc", "a c <eof>", "a comment ends with its line"},
		{"a--[[b\nc]]d", "a d <eof>", "a long one does not"},
		{"a--[=b\nc", "a c <eof>", "half a bracket makes no long comment"},
		{"a- -b", "a - - b <eof>", "a blank keeps two minus signs apart"},
		{"f[[x]]g", "f [[x]] g <eof>", "a long string is one token"},
		{"a[b[c]]", "a [ b [ c ] ] <eof>", "brackets that index"},
		{"#!lua", "# <unknown> lua <eof>", "the first line is no exception"},
		{"~ ! @ é \x80", "<unknown> <unknown> <unknown> <unknown> <unknown> <eof>", "unknown signs are no error here"},
		{"a::b", "a : : b <eof>", "no labels in 5.1"},
		{"a//b", "a / / b <eof>", "no integer division in 5.1"},
		{"", "<eof>", "an empty text has an end"},
	} {
		if test.reason == "" {
			t.Fatalf("%q: say why", test.src)
		}
		tokens, _, err := lua51.Tokens("t", test.src)
		if err != nil {
			t.Errorf("%q: %v", test.src, err)
		}
		var got []string
		for _, tok := range tokens {
			switch tok.Kind {
			case lua51.NameToken, lua51.NumberToken, lua51.StringToken:
				got = append(got, tok.Text)
			default:
				got = append(got, tok.Kind.String())
			}
		}
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), strings.Join(got, " "), test.want)
	}
}

// Lines end as in Lua: \n, \r and the pairs of both; columns count bytes.
func TestTokenPositions(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"a\nb", "1:1 2:1", "unix"},
		{"a\r\nb", "1:1 2:1", "windows"},
		{"a\rb", "1:1 2:1", "old macs"},
		{"a\n\rb", "1:1 2:1", "the pair the other way round"},
		{"a\n\nb", "1:1 3:1", "two ends are two lines"},
		{"a\r\rb", "1:1 3:1", "also of these"},
		{"a\r\n\r\nb", "1:1 3:1", "pairs do not overlap"},
		{"a\n\r\nb", "1:1 3:1", "a pair, then one alone"},
		{"é = ü", "1:1 1:4 1:6", "a letter of two bytes"},
		{"\t a", "1:3", "a tab is one byte"},
		{"a --[[\n]] b", "1:1 2:4", "after a comment of two lines"},
		{"[[\r\n\r\n]] b", "1:1 3:4", "after a string of three"},
		{"'\\\n' b", "1:1 2:3", "after an escaped line end"},
	} {
		tokens, _, err := lua51.Tokens("t", test.src)
		if err != nil {
			t.Errorf("%q: %v", test.src, err)
		}
		var got []string
		for _, tok := range tokens[:len(tokens)-1] {
			got = append(got, tok.Pos.String())
			equal(t, "text", tok.Text, test.src[tok.Pos.Offset:tok.End])
		}
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), strings.Join(got, " "), test.want)
	}
}

// What stands before an error is returned with it.
func TestTokensUpToAnError(t *testing.T) {
	tokens, comments, err := lua51.Tokens("t", "a = --[[b]] 'c")
	equal(t, "error", fmt.Sprint(err), "t:1:13: unfinished string near '<eof>'")
	equal(t, "tokens", len(tokens), 2)
	equal(t, "comments", len(comments), 1)
}

// Keywords are known by their kind.
func TestKeywords(t *testing.T) {
	for _, word := range strings.Fields("and break do else elseif end false for function if in local nil not or repeat return then true until while") {
		tokens, _, _ := lua51.Tokens("t", word)
		equal(t, word, tokens[0].Kind.String(), word)
		equal(t, word, tokens[0].Kind.IsKeyword(), true)
	}
	for _, src := range []string{"x", "1", "''", "+", "", "~"} {
		tokens, _, _ := lua51.Tokens("t", src)
		equal(t, src, tokens[0].Kind.IsKeyword(), false)
	}
}
