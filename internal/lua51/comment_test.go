package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// All comments are kept, with their place, their text and their company.
func TestComments(t *testing.T) {
	for _, test := range []struct{ src, text, body, want, reason string }{
		{"  -- a ", "-- a ", "a", "1:3-1 alone", "the blanks at the end belong to it"},
		{"--- @arg x int", "--- @arg x int", "@arg x int", "1:1-1 alone", "a third dash is a mark too"},
		{"x = 1 -- a", "-- a", "a", "1:7-1", "behind a statement"},
		{"--[[ a ]]", "--[[ a ]]", "a", "1:1-1 alone", "long"},
		{"--[==[\na]]\n]==]  \nx=1", "--[==[\na]]\n]==]", "a]]", "1:1-3 alone", "of several lines"},
		{"--[[ a ]] x = 1", "--[[ a ]]", "a", "1:1-1", "before a statement"},
		{"--[[\n]] x = 1", "--[[\n]]", "", "1:1-2", "before one on its last line"},
		{"x = [[\n]] -- a", "-- a", "a", "2:4-2", "behind the end of a string"},
		{"--[= a\nx=1", "--[= a", "[= a", "1:1-1 alone", "half a bracket is text"},
		{"--[ a ]", "--[ a ]", "[ a ]", "1:1-1 alone", "so is one"},
		{"-- a\r\nx=1", "-- a", "a", "1:1-1 alone", "no part of the line end"},
		{"--", "--", "", "1:1-1 alone", "empty"},
		{"----------", "----------", "", "1:1-1 alone", "a rule"},
		{"\n\n#!x", "", "", "", "not a comment"},
	} {
		_, comments, err := lua51.Tokens("t", test.src)
		if err != nil {
			t.Errorf("%q: %v", test.src, err)
		}
		var text, body, got string
		for _, c := range comments {
			text, body = c.Text, c.Body()
			got = fmt.Sprintf("%v-%d", c.Pos, c.EndLine)
			if c.Alone {
				got += " alone"
			}
			equal(t, "bytes", test.src[c.Pos.Offset:c.End], c.Text)
		}
		what := fmt.Sprintf("%q (%s)", test.src, test.reason)
		equal(t, what, text, test.text)
		equal(t, what, body, test.body)
		equal(t, what, got, test.want)
	}
}

// The comments above a statement are those without a gap.
func TestCommentsAbove(t *testing.T) {
	for _, test := range []struct{ src, want, reason string }{
		{"--a\n--b\nf()", "--a --b", "a run"},
		{"--a\n\n--b\nf()", "--b", "a blank line ends it"},
		{"--a\n\nf()", "", "also right above"},
		{"--a\nx=1 --b\n--c\nf()", "--c", "a line with code ends it"},
		{"x=1 --b\nf()", "", "and is no part of it"},
		{"--[[a\nb]]\n--c\n  f()", "--[[a\nb]] --c", "a long one counts its lines"},
		{"--a\nx=1 f()", "", "what stands behind something has none"},
		{"f() --a", "", "nor does what stands behind it belong"},
		{"--a\n--[[b]] f()", "", "a comment before it on its line is not above"},
		{"--a\r\n--b\r\n\tf()", "--a --b", "windows"},
		{"f()", "", "none"},
	} {
		c := parse(t, test.src)
		last := c.Main.Body.Stats[len(c.Main.Body.Stats)-1]
		var got []string
		for _, comment := range c.CommentsAbove(last) {
			got = append(got, comment.Text)
		}
		equal(t, fmt.Sprintf("%q (%s)", test.src, test.reason), strings.Join(got, " "), test.want)
	}
}

// A function has the comments of the statement that names it.
func TestCommentsAboveFunction(t *testing.T) {
	c := parse(t, "--a\nlocal function f() end\n--b\nM.g = function() end\nh(\n--c\nfunction() end)")
	for i, want := range []string{"--a", "--b", "--c"} {
		above := c.CommentsAbove(c.Functions[i])
		if len(above) != 1 || above[0].Text != want {
			t.Errorf("function %d: got %v, want %s", i, above, want)
		}
	}
}
