package field_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// A nil slice of bytes has the empty text, which reads back as empty.
func TestNilBytes(t *testing.T) {
	text, err := field.MustFor[[]byte]().Append(nil, nil)
	if err != nil || len(text) != 0 {
		t.Errorf("nil is %q, %v", text, err)
	}
	reads[[]byte]{{reason: "empty, not nil", text: "", want: []byte{}}}.test(t)
}

// Arrays of bytes have one length.
func TestParseArray(t *testing.T) {
	reads[[3]byte]{
		{reason: "short", text: "ab", refuse: `"ab" is not a [3]byte: want 3 bytes, not 2`},
		{reason: "long", text: "abcd", refuse: "want 3 bytes, not 4"},
	}.test(t)
	reads[[0]byte]{{reason: "nothing at all", text: ""}}.test(t)
}
