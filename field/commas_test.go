package field_test

import (
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// Comma lists of others are split; what is empty is dropped.
func TestParseCommas(t *testing.T) {
	reads[[]string]{
		{reason: "plain", text: "a,b", want: []string{"a", "b"}},
		{reason: "empties go", text: ",a,,b,", want: []string{"a", "b"}},
		{reason: "nothing", text: "", want: nil},
		{reason: "nothing but commas", text: ",,", want: nil},
		{reason: "backslashes are themselves", text: `a\,b`, want: []string{`a\`, "b"}},
		{reason: "spaces stay", text: " a, b", want: []string{" a", " b"}},
	}.test(t, "commas")
}

// What would not read back the same is refused; but nil and empty are one.
func TestAppendCommas(t *testing.T) {
	codec := field.MustFor[[]string]("commas")
	for _, c := range []struct {
		reason string
		v      []string
		want   string
	}{
		{"a comma inside", []string{"x", "a,b"}, `field: the element "a,b" is not storable as []string (commas): the option commas would not read it back: an element is empty or has a comma; use the option list, or json`},
		{"an empty element", []string{"a", ""}, `field: the element "" is not storable as []string (commas): the option commas would not read it back: an element is empty or has a comma; use the option list, or json`},
	} {
		text, err := codec.Append([]byte("kept"), c.v)
		var encode *field.EncodeError
		if !errors.As(err, &encode) || err.Error() != c.want || string(text) != "kept" {
			t.Errorf("%s: %q, %v", c.reason, text, err)
		}
	}
	if _, err := codec.Append(nil, []string{""}); err == nil {
		t.Error("one empty element is written like none")
	}
	if text, err := codec.Append([]byte("kept"), []string{}); err != nil || string(text) != "kept" {
		t.Errorf("an empty list is %q, %v", text, err)
	}
}
