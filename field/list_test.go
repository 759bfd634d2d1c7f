package field_test

import "testing"

// Lists of others are split at commas; a backslash must mean something.
func TestParseList(t *testing.T) {
	reads[[]string]{
		{reason: "plain", text: "a,b", want: []string{"a", "b"}},
		{reason: "empties count", text: "a,,b,", want: []string{"a", "", "b", ""}},
		{reason: "spaces count", text: " a, b", want: []string{" a", " b"}},
		{reason: "8-bit clean", text: "\xff,\x00", want: []string{"\xff", "\x00"}},
		{reason: "nothing behind", text: `a\`, refuse: `is not a []string (list): a backslash stands before`},
		{reason: "unknown", text: `a\b`, refuse: "a backslash stands before"},
		{reason: "alone, or not at all", text: `a,\n`, refuse: "a backslash stands before"},
	}.test(t, "list")
}
