package field_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// Messages say where, what and why, in a line that fits a log.
func TestErrorTexts(t *testing.T) {
	why := errors.New("want decimal digits")
	for _, c := range []struct {
		reason string
		err    error
		want   string
	}{
		{"all of it", &field.DecodeError{Key: "A{7}", Field: "balance", Text: "abc", Name: "int64", Err: why}, `field: A{7} balance: "abc" is not an int64: want decimal digits`},
		{"a string key has no field", &field.DecodeError{Key: "A{7}", Text: "", Name: "bool"}, `field: A{7}: "" is not a bool`},
		{"no key yet", &field.DecodeError{Field: "n", Text: "\xff\n", Name: "uint8"}, `field: n: "\xff\n" is not a uint8`},
		{"quoted at 64 bytes", &field.DecodeError{Text: strings.Repeat("x", 64), Name: "int"}, `field: "` + strings.Repeat("x", 64) + `" is not an int`},
		{"cut after them", &field.DecodeError{Text: strings.Repeat("x", 1000), Name: "int"}, `field: "` + strings.Repeat("x", 64) + `"… (1000 bytes) is not an int`},
		{"encoding", &field.EncodeError{Key: "A{7}", Field: "rate", Value: "NaN", Name: "float64", Err: why}, `field: A{7} rate: NaN is not storable as float64: want decimal digits`},
	} {
		if c.err.Error() != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.reason, c.err, c.want)
		}
	}
	if !errors.Is(&field.DecodeError{Err: why}, why) || !errors.Is(&field.EncodeError{Err: why}, why) {
		t.Error("the reason is out of sight")
	}
}

// Every error is one of its own: who catches it may say where it happened.
func TestErrorsAreFresh(t *testing.T) {
	_, a := field.MustFor[int]().Parse([]byte("x"))
	_, b := field.MustFor[int]().Parse([]byte("x"))
	a.(*field.DecodeError).Key = "A{7}"
	if b.(*field.DecodeError).Key != "" {
		t.Error("two errors share a key")
	}
}
