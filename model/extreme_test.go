package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Holder is a record of one value, so that a table can have one of each type.
type Holder[V any] struct {
	ID int64 `redis:"id,key"`
	V  V     `redis:"v"`
	N  int   `redis:"n"` // what is never absent
}

// survives saves values, and loads what was saved: they are the same, or what a
// row says that they become.
func survives[V any](values ...V) func(*testing.T, place) {
	return becomes(func(v V) V { return v }, values...)
}

func becomes[V any](after func(V) V, values ...V) func(*testing.T, place) {
	m, err := model.TryDefine[Holder[V], int64]("holder")
	return func(t *testing.T, p place) {
		t.Helper()
		ok(t, "Define", err)
		holders[Holder[V]](t, p, m, values, func(v V) Holder[V] { return Holder[V]{ID: 1, V: v} }, func(h Holder[V]) V { return h.V }, after)
	}
}

// holders is survives for any record with a value.
func holders[T, V any](t *testing.T, p place, m *model.Model[T, int64], values []V, in func(V) T, out func(T) V, after func(V) V) {
	t.Helper()
	for _, v := range values {
		value(t, "Save", m.On(p.db).Save(t.Context(), in(v)))
		got, want := out(value(t, "Get", m.On(p.db).Get(t.Context(), 1))), after(v)
		if exact(got) != exact(want) {
			t.Errorf("%s came back as %s", exact(want), exact(got))
		}
	}
}

// exact tells apart all that reflect.DeepEqual and == do not: zeros by their
// sign, times by their offset, nil and empty.
func exact(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%x", math.Float64bits(v))
	case float32:
		return fmt.Sprintf("%x", math.Float32bits(v))
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case *time.Time:
		return fmt.Sprint("&", exact(*v))
	case big.Int:
		return v.String()
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && !r.IsNil() {
		return "&" + exact(r.Elem().Interface())
	}
	return fmt.Sprintf("%#v", v)
}

// Every type of a field keeps its extreme values through a real record.
func TestExtremeValues(t *testing.T) {
	type text string
	type small int8
	far := time.FixedZone("", 14*3600)
	odd := time.FixedZone("", -(3*3600 + 30*60))
	rows := map[string]func(*testing.T, place){
		"string":           survives("", " ", "\x00", "a\r\nb", "\xff\xfe\xc0", "😀", strings.Repeat("x", 1<<20)),
		"a named string":   survives[text]("", "\xff"),
		"[]byte":           becomes(func(b []byte) []byte { return append([]byte{}, b...) }, nil, []byte{}, []byte{0, 255}), // nil has no text
		"[4]byte":          survives([4]byte{}, [4]byte{255, 0, 13, 10}),
		"bool":             survives(false, true),
		"int":              survives(math.MinInt, math.MaxInt, 0, -1),
		"int8":             survives[int8](math.MinInt8, math.MaxInt8),
		"a named int8":     survives[small](math.MinInt8, math.MaxInt8),
		"int16":            survives[int16](math.MinInt16, math.MaxInt16),
		"int32":            survives[int32](math.MinInt32, math.MaxInt32),
		"int64":            survives[int64](math.MinInt64, math.MaxInt64, 1<<53+1),
		"uint":             survives[uint](0, math.MaxUint),
		"uint8":            survives[uint8](math.MaxUint8),
		"uint16":           survives[uint16](math.MaxUint16),
		"uint32":           survives[uint32](math.MaxUint32),
		"uint64":           survives[uint64](math.MaxUint64, 1<<63),
		"float64":          survives(0, math.Copysign(0, -1), 1e-308, math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, 0.1, 1.0/3, 1e21, 1<<53+2),
		"float32":          survives(0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, math.MaxFloat32, 0.1),
		"time.Duration":    survives(math.MinInt64, math.MaxInt64, time.Nanosecond),
		"time.Time":        survives(time.Time{}, time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Date(1600, 2, 29, 0, 0, 0, 1, far), time.Date(2400, 1, 1, 0, 0, 0, 0, odd)),
		"uuid.UUID":        survives(uuid.Nil, uuid.Max, uuid.MustParse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")),
		"netip.Addr":       survives(netip.MustParseAddr("::"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("255.255.255.255")),
		"big.Int":          survives(*big.NewInt(0), *new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 200))),
		"url.URL":          survives(url.URL{}, url.URL{Scheme: "https", Host: "example.org:1", Path: "/a b", RawQuery: "q=%00"}),
		"json.RawMessage":  survives(json.RawMessage(`{"a":[1,2]}`), json.RawMessage(`"\u0000"`)),
		"[]string":         survives(nil, []string{}, []string{""}, []string{",", `\`, "\u2028", "😀"}),
		"map":              survives(nil, map[string]int{}, map[string]int{"": math.MinInt64, "a": math.MaxInt64}),
		"a struct":         survives(Address{}, Address{"\"", "\n"}),
		"*int64":           survives(nil, new(int64(0)), new(int64(math.MinInt64))),
		"*string":          survives(nil, new(""), new("\xff")),
		"*time.Time":       survives(new(time.Time{})),
		"Optional[float]":  survives(field.None[float64](), field.Some(0.0), field.Some(math.MaxFloat64)),
		"Optional[string]": survives(field.None[string](), field.Some("")),
	}
	each(t, func(t *testing.T, p place) {
		for name, row := range rows {
			t.Run(name, func(t *testing.T) { row(t, p) })
		}
	})
}

// Formed is a record of the forms that options choose.
type Formed struct {
	ID     int64     `redis:"id,key"`
	Float  float64   `redis:"float,nan"`
	Unix   time.Time `redis:"unix,unix"`
	Unixms time.Time `redis:"unixms,unixms"`
	Unixus time.Time `redis:"unixus,unixus"`
	List   []string  `redis:"list,list"`
	Commas []string  `redis:"commas,commas"`
	Raw    [16]byte  `redis:"raw,uuid"`
	ASCII  string    `redis:"ascii,ascii"`
	State  string    `redis:"state,oneof=a b"`
	Grade  uint64    `redis:"grade,oneof=0 18446744073709551615"`
	Zip    string    `redis:"zip,gzip"`
	Std    []byte    `redis:"std,zstd"`
}

// So do those whose form an option chooses; a time loses what is finer than its
// unit, and is UTC.
func TestExtremeForms(t *testing.T) {
	m := model.Define[Formed, int64]("formed")
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	set := func(change func(*Formed)) Formed {
		f := Formed{ID: 1, State: "a"}
		change(&f)
		return f
	}
	values := []Formed{
		set(func(f *Formed) { f.Float, f.Std = math.NaN(), []byte{} }),
		set(func(f *Formed) { f.Float, f.List, f.ASCII = math.Inf(-1), []string{}, " ~" }),
		set(func(f *Formed) {
			f.Float, f.List, f.Commas = math.Copysign(0, -1), []string{"", ","}, []string{"a", "b"}
		}),
		set(func(f *Formed) { f.Unix, f.Unixms, f.Unixus = year(-9999), year(-9999), year(-9999) }),
		set(func(f *Formed) { f.Unix, f.Unixms, f.Unixus = year(99999), year(99999), year(99999) }),
		set(func(f *Formed) { f.Grade, f.Raw, f.State = math.MaxUint64, uuid.Max, "b" }),
		set(func(f *Formed) { f.Zip, f.Std = strings.Repeat("\xff\x00", 5000), []byte(strings.Repeat("a", 5000)) }),
	}
	each(t, func(t *testing.T, p place) {
		holders(t, p, m, values, func(f Formed) Formed { return f }, func(f Formed) Formed { return f }, func(f Formed) Formed {
			if f.Std == nil {
				f.Std = []byte{}
			}
			return f
		})
	})
}

// What has no text is refused before anything is sent, and names the field.
func TestNoText(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.remove(t, "holder{1}")
		refused := func(what string, err error, parts ...string) {
			t.Helper()
			e := as[*field.EncodeError](t, what, err)
			if e == nil || e.Field != "v" || e.Key != "holder{1}" {
				t.Errorf("%s: the error is of %+v", what, e)
			}
			says(t, what, err, parts...)
		}
		refused("NaN", save(t, p, math.NaN()), "NaN is not storable", "option nan")
		refused("infinity", save(t, p, float32(math.Inf(1))), "+Inf is not storable", "option nan")
		refused("the year 10000", save(t, p, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), "years 0 to 9999", "unix")
		refused("JSON that is no UTF-8", save(t, p, []string{"\xff"}), "UTF-8")
		refused("raw JSON that is none", save(t, p, json.RawMessage("{")), "JSON")
		if n := p.client.Exists(t.Context(), "holder{1}").Val(); n != 0 {
			t.Error("something was stored")
		}
	})
}

func save[V any](t *testing.T, p place, v V) error {
	t.Helper()
	m, err := model.TryDefine[Holder[V], int64]("holder")
	ok(t, "Define", err)
	return m.On(p.db).Save(t.Context(), Holder[V]{ID: 1, V: v}).Err()
}

// A field whose type was changed reads what the new type can say, and what it
// cannot is an error that names key, field and text, never a zero.
func TestTypeChanged(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, c := range []struct {
			reason, stored, says string
			read                 func(t *testing.T, p place) error
		}{
			{"a text that is a number", "42", "", read[int64]},
			{"a number that fits", "-128", "", read[int8]},
			{"a bool of another program", "yes", "", read[bool]},
			{"a text that is no number", "many", `field: holder{1} v: "many" is not an int64: want decimal digits`, read[int64]},
			{"a number too large", "300", `field: holder{1} v: "300" is not a uint8`, read[uint8]},
			{"a float where there are integers", "1.5", `field: holder{1} v: "1.5" is not an int`, read[int]},
			{"an empty text", "", `field: holder{1} v: "" is not a float64`, read[float64]},
			{"a number that is no bool", "2", `field: holder{1} v: "2" is not a bool`, read[bool]},
			{"seconds where there is RFC 3339", "1700000000", `field: holder{1} v: "1700000000" is not a time.Time: want RFC 3339`, read[time.Time]},
			{"a text where there is JSON", "Main St", `field: holder{1} v: "Main St" is not`, read[Address]},
			{"null where there is no nil", "null", `field: holder{1} v: "null" is not`, read[Address]},
			{"a text behind a pointer", "x", `field: holder{1} v: "x" is not an int`, read[*int]},
		} {
			p.store(t, "holder{1}", "v", c.stored, "n", "1")
			err := c.read(t, p)
			if c.says == "" {
				ok(t, c.reason, err)
				continue
			}
			says(t, c.reason, err, c.says)
			if e := as[*field.DecodeError](t, c.reason, err); e != nil && (e.Key != "holder{1}" || e.Field != "v" || e.Text != c.stored) {
				t.Errorf("%s: the error is of %+v", c.reason, *e)
			}
			if errors.Is(err, pipectx.ErrNotFound) {
				t.Errorf("%s: %v is taken for absence", c.reason, err)
			}
		}
	})
}

func read[V any](t *testing.T, p place) error {
	t.Helper()
	m, err := model.TryDefine[Holder[V], int64]("holder")
	ok(t, "Define", err)
	err = m.On(p.db).Get(t.Context(), 1).Err()
	if many := m.On(p.db).GetMany(t.Context(), 1).Err(); fmt.Sprint(many) != fmt.Sprint(err) {
		t.Errorf("Get answers %v, GetMany %v", err, many)
	}
	return err
}
