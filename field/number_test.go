package field_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// reads holds for every type what Parse makes of texts that others wrote.
type reads[T any] []struct {
	reason string
	text   string
	want   T
	refuse string // in the error, if there must be one
}

func (rows reads[T]) test(t *testing.T, options ...string) {
	t.Helper()
	codec := field.MustFor[T](options...)
	for _, r := range rows {
		got, err := codec.Parse([]byte(r.text))
		if r.refuse == "" {
			if err != nil || !same(got, r.want) {
				t.Errorf("%s: %s.Parse(%q) = %v, %v; want %v", r.reason, codec.Name(), r.text, got, err, r.want)
			}
			continue
		}
		var decode *field.DecodeError
		if !errors.As(err, &decode) || !strings.Contains(err.Error(), r.refuse) {
			t.Errorf("%s: %s.Parse(%q) = %v, %v; want %q", r.reason, codec.Name(), r.text, got, err, r.refuse)
			continue
		}
		if decode.Text != r.text || decode.Name != codec.Name() || !reflect.ValueOf(&got).Elem().IsZero() {
			t.Errorf("%s: %s.Parse(%q) = %v, %+v", r.reason, codec.Name(), r.text, got, *decode)
		}
	}
}

// Integers are decimal, whole and in range.
func TestParseIntegers(t *testing.T) {
	reads[int8]{
		{reason: "a sign is fine", text: "+5", want: 5},
		{reason: "zeros in front too", text: "007", want: 7},
		{reason: "there is one zero", text: "-0", want: 0},
		{reason: "above", text: "128", refuse: `"128" is not an int8: out of range`},
		{reason: "below", text: "-129", refuse: "out of range"},
		{reason: "empty is not zero", text: "", refuse: `"" is not an int8: want decimal digits`},
		{reason: "no fraction", text: "1.0", refuse: "want decimal digits"},
		{reason: "no exponent", text: "1e2", refuse: "want decimal digits"},
		{reason: "no hexadecimal", text: "0x1", refuse: "want decimal digits"},
		{reason: "no separators", text: "1_0", refuse: "want decimal digits"},
		{reason: "no space", text: " 1", refuse: "want decimal digits"},
		{reason: "no newline", text: "1\n", refuse: "want decimal digits"},
	}.test(t)
	reads[int64]{
		{reason: "one too many", text: "9223372036854775808", refuse: "out of range"},
		{reason: "one too few", text: "-9223372036854775809", refuse: "out of range"},
	}.test(t)
	reads[uint64]{
		{reason: "one too many", text: "18446744073709551616", refuse: "is not a uint64: out of range"},
		{reason: "negative", text: "-1", refuse: "want decimal digits"},
	}.test(t)
	reads[uint8]{{reason: "above", text: "256", refuse: "out of range"}}.test(t)
	reads[level]{{reason: "both names", text: "x", refuse: "is not a field_test.level (int8)"}}.test(t)
}

// Floats are finite unless asked for.
func TestParseFloats(t *testing.T) {
	reads[float64]{
		{reason: "as HINCRBYFLOAT writes", text: "3.00000000000000000", want: 3},
		{reason: "as Lua writes", text: "3.1000000000000001", want: 3.1},
		{reason: "as go-redis writes", text: "1000000000000000000000", want: 1e21},
		{reason: "exponents", text: "1E+21", want: 1e21},
		{reason: "too small is the nearest, zero", text: "1e-999", want: 0},
		{reason: "too large", text: "1e999", refuse: "out of range"},
		{reason: "empty is not zero", text: "", refuse: "want a decimal number"},
		{reason: "a word", text: "many", refuse: `"many" is not a float64: want a decimal number`},
		{reason: "no separators", text: "1_000", refuse: "want a decimal number"},
		{reason: "no comma", text: "1,5", refuse: "want a decimal number"},
		{reason: "not a number", text: "nan", refuse: "need the option nan"},
		{reason: "infinite", text: "-inf", refuse: "need the option nan"},
	}.test(t)
	reads[float32]{
		{reason: "the nearest", text: "0.10000000149011612", want: 0.1},
		{reason: "too large", text: "1e39", refuse: "is not a float32: out of range"},
	}.test(t)
	reads[float64]{
		{reason: "as Redis writes", text: "inf", want: math.Inf(1)},
		{reason: "as C writes", text: "-Infinity", want: math.Inf(-1)},
		{reason: "too large is not infinite", text: "1e999", refuse: "out of range"},
	}.test(t, "nan")

	nan, err := field.MustFor[float64]("nan").Parse([]byte("nan"))
	if err != nil || !math.IsNaN(nan) {
		t.Errorf("nan reads as %v, %v", nan, err)
	}
}

// What is not finite is refused on the way in too, with the cure.
func TestAppendNaN(t *testing.T) {
	for v, want := range map[float64]string{
		math.NaN():   "field: NaN is not storable as float64: NaN and infinities need the option nan",
		math.Inf(-1): "field: -Inf is not storable as float64: NaN and infinities need the option nan",
	} {
		text, err := field.MustFor[float64]().Append(nil, v)
		if err == nil || err.Error() != want || text != nil {
			t.Errorf("Append(%v) = %q, %v", v, text, err)
		}
		if text, err = field.MustFor[float64]("nan").Append(nil, v); err != nil || len(text) < 3 {
			t.Errorf("with nan Append(%v) = %q, %v", v, text, err)
		}
	}
}

// Number and Bits say what an increment may do.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		typ  reflect.Type
		want field.NumberKind
		bits int
	}{
		{reflect.TypeFor[int](), field.IntNumber, reflect.TypeFor[int]().Bits()},
		{reflect.TypeFor[level](), field.IntNumber, 8},
		{reflect.TypeFor[*int16](), field.IntNumber, 16},
		{reflect.TypeFor[field.Optional[uint32]](), field.UintNumber, 32},
		{reflect.TypeFor[ratio](), field.FloatNumber, 32},
		{reflect.TypeFor[string](), field.NotNumber, 0},
		{reflect.TypeFor[money](), field.NotNumber, 0},
		{reflect.TypeFor[*address](), field.NotNumber, 0},
	} {
		e := must(field.Of(c.typ))
		if e.Number() != c.want || e.Bits() != c.bits || e.Type() != c.typ {
			t.Errorf("%s is a number of kind %v, %d bits", e.Name(), e.Number(), e.Bits())
		}
	}
	if e := must(field.Of(reflect.TypeFor[int](), "json")); e.Number() != field.NotNumber {
		t.Error("JSON is a number")
	}
	if e := must(field.Of(reflect.TypeFor[int](), "oneof=1 2")); e.Number() != field.NotNumber || e.Bits() != 0 {
		t.Error("a sum need not be one of the values")
	}
}
