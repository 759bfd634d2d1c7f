package field_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// What is none of the words is refused both ways, and the words are named.
func TestEnumRefuses(t *testing.T) {
	reads[status]{
		{reason: "a word", text: "closed", want: "closed"},
		{reason: "another word", text: "shut", refuse: `"shut" is not a field_test.status (string) (oneof): want open, closed or half-open`},
		{reason: "empty is not a word", text: "", refuse: "want open, closed or half-open"},
		{reason: "case matters", text: "Open", refuse: "want open"},
		{reason: "no space", text: "open ", refuse: "want open"},
		{reason: "a part", text: "half", refuse: "want open"},
	}.test(t, "oneof=open closed half-open")
	reads[int8]{
		{reason: "a word", text: "-1", want: -1},
		{reason: "another number", text: "2", refuse: `"2" is not an int8 (oneof): want -1, 0 or 1`},
		{reason: "beyond the type", text: "256", refuse: "want -1, 0 or 1"},
		{reason: "as nobody writes it", text: "+1", refuse: "want -1, 0 or 1"},
		{reason: "as nobody writes it", text: "01", refuse: "want -1, 0 or 1"},
		{reason: "not a number", text: "one", refuse: "want -1, 0 or 1"},
	}.test(t, "oneof=-1 0 1")
	reads[string]{{reason: "one word", text: "b", refuse: "(oneof): want a"}}.test(t, "oneof=a")

	for want, err := range map[string]error{
		`field: "shut" is not storable as field_test.status (string) (oneof): want open or closed`: second(field.MustFor[status]("oneof=open closed").Append([]byte("kept"), "shut")),
		`field: "" is not storable as string (oneof): want a or b`:                                 second(field.MustFor[string]("oneof=a b").Append(nil, "")),
		`field: 0 is not storable as uint16 (oneof): want 1 or 2`:                                  second(field.MustFor[uint16]("oneof=1 2").Append(nil, 0)),
		`field: 0 is not storable as int (oneof): want 1`:                                          second(field.MustFor[*int]("oneof=1").Append(nil, new(int))),
	} {
		var encode *field.EncodeError
		if !errors.As(err, &encode) || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
	if out, _ := field.MustFor[string]("oneof=a b").Append([]byte("kept"), "c"); string(out) != "kept" {
		t.Errorf("dst comes back as %q", out)
	}
	long := strings.Repeat("x", 1000)
	if _, err := field.MustFor[string]("oneof=a b").Append(nil, long); err == nil || len(err.Error()) > 200 {
		t.Errorf("a long value is not cut: %v", err)
	}
}

// Wrong declarations fail before the first value, with the cure.
func TestEnumDeclarations(t *testing.T) {
	derive := func(_ any, err error) error { return err }
	for _, c := range []struct {
		reason string
		err    error
		want   string
	}{
		{"no words", derive(field.For[string]("oneof")), `option "oneof" of string names no values; write oneof=a b c`},
		{"no words", derive(field.For[string]("oneof= ")), "names no values"},
		{"twice", derive(field.For[status]("oneof=a b a")), `option "oneof=a b a" of field_test.status names a twice; drop one`},
		{"commas end options", derive(field.For[string]("oneof=a,b")), "has a comma, which ends an option; write spaces"},
		{"too large", derive(field.For[int8]("oneof=1 128")), `option "oneof=1 128" of int8: 128 is not a value of the type, out of range`},
		{"negative", derive(field.For[uint]("oneof=-1")), "-1 is not a value of the type, want decimal digits"},
		{"not a number", derive(field.For[level]("oneof=low high")), "low is not a value of the type, want decimal digits"},
		{"a unit", derive(field.For[wait]("oneof=1s")), "1s is not a value of the type"},
		{"never so", derive(field.For[int]("oneof=007")), "007 is never written so; write 7"},
		{"never so", derive(field.For[int]("oneof=-0")), "-0 is never written so; write 0"},
		{"other types", derive(field.For[bool]("oneof=0 1")), `option "oneof=0 1" does not fit bool; it is for strings and integers without marshaling methods`},
		{"other types", derive(field.For[float64]("oneof=0.5 1")), "does not fit float64"},
		{"other types", derive(field.For[[]string]("oneof=a b")), "does not fit []string"},
		{"other types", derive(field.For[address]("oneof=a b")), "does not fit field_test.address"},
		{"other types", derive(field.For[chan int]("oneof=a b")), "does not fit chan int"},
		{"it writes itself", derive(field.For[mood]("oneof=gloomy")), "does not fit field_test.mood"},
		{"two forms", derive(field.For[string]("oneof=a b", "ascii")), "exclude each other; keep one"},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), "field: ") || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.reason, c.err, c.want)
		}
	}
}

// OneOf tells what is allowed, to a caller who may do with it what he likes.
func TestOneOf(t *testing.T) {
	e := must(field.Of(reflect.TypeFor[*status](), "oneof=open  closed"))
	e.OneOf()[0] = "broken"
	if got := e.OneOf(); !slices.Equal(got, []string{"open", "closed"}) {
		t.Errorf("%q", got)
	}
	if got := must(field.Of(reflect.TypeFor[status]())).OneOf(); got != nil {
		t.Errorf("without the option: %q", got)
	}
}
