package field_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// ASCII ends where control characters and other alphabets begin.
func TestASCII(t *testing.T) {
	reads[string]{
		{reason: "all of it", text: " !09AZaz~", want: " !09AZaz~"},
		{reason: "empty", text: ""},
		{reason: "a newline at the end", text: "abc\n", refuse: `"abc\n" is not a string (ascii): want characters from space to ~ only; without the option ascii any text will do`},
		{reason: "before the space", text: "\x1f", refuse: "from space to ~"},
		{reason: "after the tilde", text: "\x7f", refuse: "from space to ~"},
		{reason: "eight bits", text: "\x80", refuse: "from space to ~"},
		{reason: "UTF-8", text: "café", refuse: "from space to ~"},
		{reason: "in the middle", text: "a\x00b", refuse: "from space to ~"},
	}.test(t, "ascii")

	text, err := field.MustFor[status]("ascii").Append([]byte("kept"), "tab\there")
	if err == nil || string(text) != "kept" || err.Error() != `field: "tab\there" is not storable as field_test.status (string) (ascii): want characters from space to ~ only; without the option ascii any text will do` {
		t.Errorf("%q, %v", text, err)
	}
}
