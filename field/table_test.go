package field_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/redmoon-go/redmoon/field"
)

// Types that users might have.
type (
	status  string
	level   int8
	blob    []byte
	digest  [4]byte
	stamp   time.Time
	ticket  [16]byte
	ratio   float32
	toggle  bool
	names   []string
	total   uint64
	price   float64
	wait    time.Duration
	chunk   json.RawMessage
	tally   map[string]int
	address struct {
		Street string `json:"street"`
		Zip    *int   `json:"zip,omitempty"`
		hidden int
	}
	person struct {
		Name string                 `json:"name"`
		Home address                `json:"home"`
		Nick field.Optional[string] `json:"nick,omitzero"`
		Raw  json.RawMessage        `json:"raw,omitempty"`
	}
)

// point marshals itself, by a pointer; money by registration.
type (
	point struct{ x, y int }
	money struct{ cents int64 }
)

func (p *point) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d/%d", p.x, p.y), nil }
func (p *point) UnmarshalText(text []byte) error {
	n, err := fmt.Sscanf(string(text), "%d/%d", &p.x, &p.y)
	if err == nil && n != 2 {
		err = errors.New("want x/y")
	}
	return err
}

// mood marshals itself by value, under the kind of a string; pixel and stroke in
// binary, by value and by a pointer.
type (
	mood   string
	pixel  struct{ R, G, B uint8 }
	stroke struct{ width, length uint8 }
)

func (m mood) MarshalText() ([]byte, error) { return []byte("mood " + m), nil }
func (m *mood) UnmarshalText(text []byte) error {
	word, ok := strings.CutPrefix(string(text), "mood ")
	if !ok {
		return errors.New("want a mood")
	}
	*m = mood(word)
	return nil
}

var errBytes = errors.New("wrong number of bytes")

func (x pixel) MarshalBinary() ([]byte, error) { return []byte{x.R, x.G, x.B}, nil }
func (x *pixel) UnmarshalBinary(data []byte) error {
	if len(data) != 3 {
		return errBytes
	}
	*x = pixel{data[0], data[1], data[2]}
	return nil
}

func (s *stroke) MarshalBinary() ([]byte, error) { return []byte{s.width, s.length}, nil }
func (s *stroke) UnmarshalBinary(data []byte) error {
	if len(data) != 2 {
		return errBytes
	}
	*s = stroke{data[0], data[1]}
	return nil
}

type moneyCodec struct{ units field.Codec[int64] }

func (c moneyCodec) Append(dst []byte, m money) ([]byte, error) {
	if m.cents < 0 {
		return nil, errors.New("debts are not money")
	}
	return c.units.Append(append(dst, '$'), m.cents)
}

func (c moneyCodec) Parse(src []byte) (money, error) {
	if len(src) == 0 || src[0] != '$' {
		return money{7}, errors.New("want $")
	}
	cents, err := c.units.Parse(src[1:])
	if cents < 0 {
		err = errors.New("debts are not money")
	}
	return money{cents}, err
}

func (moneyCodec) Lua() field.Lua { return field.Lua{Kind: field.LuaString} }
func (moneyCodec) Name() string   { return "money" }

// Registered by a variable above the table, since init functions run after it.
var _ = func() bool {
	field.Register(moneyCodec{field.MustFor[int64]()})
	return true
}()

// A row is a value and why it is in the table. All that a test does with its
// type it does through the row.
type row struct {
	reason string
	option string
	value  any
	typ    reflect.Type
	erased *field.Erased
	append func(dst []byte) ([]byte, error)          // through Codec[T]
	parse  func(src []byte) (any, error)             // through Codec[T]
	same   func(a, b any) bool                       // beyond ==
	at     func() (p unsafe.Pointer, get func() any) // a new *T that holds the value
}

func val[T any](reason string, v T, options ...string) row {
	codec := field.MustFor[T](options...)
	erased, err := field.Of(reflect.TypeFor[T](), options...)
	if err != nil {
		panic(err)
	}
	return row{
		reason: reason, option: strings.Join(options, ","), value: v, typ: reflect.TypeFor[T](), erased: erased,
		append: func(dst []byte) ([]byte, error) { return codec.Append(dst, v) },
		parse:  func(src []byte) (any, error) { return codec.Parse(src) },
		same:   same,
		at: func() (unsafe.Pointer, func() any) {
			p := new(T)
			*p = v
			return unsafe.Pointer(p), func() any { return *p }
		},
	}
}

// same is equality of what is stored: bits of floats, instants and offsets of
// times.
func same(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		return sameTime(a, b.(time.Time))
	case stamp:
		return sameTime(time.Time(a), time.Time(b.(stamp)))
	case float64:
		return math.Float64bits(a) == math.Float64bits(b.(float64))
	case float32:
		return math.Float32bits(a) == math.Float32bits(b.(float32))
	case big.Int:
		c := b.(big.Int)
		return a.Cmp(&c) == 0
	case *big.Int:
		return a.Cmp(b.(*big.Int)) == 0
	}
	return reflect.DeepEqual(a, b)
}

func sameTime(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return a.Equal(b) && x == y
}

const (
	gzipMagic = "\x1f\x8b\x08"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// text compresses well, noise not at all.
func text(n int) string { return strings.Repeat("redmoon ", n/8+1)[:n] }

func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b)
	return string(b)
}

func ptr[T any](v T) *T { return &v }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	berlin  = time.FixedZone("", 2*60*60)
	kolkata = time.FixedZone("", 5*60*60+30*60)
	id      = uuid.MustParse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	moment  = time.Date(2006, 1, 2, 15, 4, 5, 123456789, time.UTC)
)

// values all read back the same. Their texts are in testdata/encodings.txt.
var values = []row{
	val("the empty text is a value", ""),
	val("plain", "Ada"),
	val("UTF-8", "šč 世界"),
	val("8-bit clean", "\xff\x00\r\n\xfe"),
	val("named", status("open")),
	val("under json", "a\"<b>\\ufffd\uFFFD", "json"),

	val("some code", "EUR", "ascii"),
	val("its bounds", " ~", "ascii"),
	val("the empty text is a value", "", "ascii"),
	val("named", status("open"), "ascii"),

	val("a word", "open", "oneof=open closed"),
	val("named", status("closed"), "oneof=open closed"),
	val("the only one", status("šč"), "oneof=šč"),
	val("an integer", 7, "oneof=-1 0 7"),
	val("least", int64(math.MinInt64), "oneof=-9223372036854775808 9223372036854775807"),
	val("most", uint64(math.MaxUint64), "oneof=0 18446744073709551615"),
	val("named", level(-3), "oneof=-3 3"),

	val("empty", []byte{}),
	val("any byte", []byte{0, 1, 254, 255}),
	val("named", blob("x,y")),
	val("of one length", [3]byte{1, 0, 255}),
	val("of one length, named", digest{'a', 'b', 'c', 'd'}),

	val("true", true),
	val("false", false),
	val("named", toggle(true)),
	val("option changes reading only", false, "emptyfalse"),

	val("zero", 0),
	val("least of 32 bits", math.MinInt32),
	val("most of 32 bits", math.MaxInt32),
	val("least", int8(math.MinInt8)),
	val("most", int8(math.MaxInt8)),
	val("least", int16(math.MinInt16)),
	val("least", int32(math.MinInt32)),
	val("beyond the integers of a float", int64(1<<53+1)),
	val("least", int64(math.MinInt64)),
	val("most", int64(math.MaxInt64)),
	val("most of 32 bits", uint(math.MaxUint32)),
	val("most", uint8(math.MaxUint8)),
	val("most", uint16(math.MaxUint16)),
	val("most", uint32(math.MaxUint32)),
	val("most", uint64(math.MaxUint64)),
	val("named", level(-3)),
	val("most, named", total(math.MaxUint64)),

	val("zero", 0.0),
	val("the sign of zero stays", math.Copysign(0, -1)),
	val("whole", 3.0),
	val("no short binary form", 0.1),
	val("seventeen digits", 0.30000000000000004),
	val("money", -1234.56),
	val("last plain small one", 1e-6),
	val("first small one with an exponent", 9.5e-7),
	val("last plain large one", 999999999999999872.0),
	val("first large one with an exponent", 1e18),
	val("a point even if whole", 1e21),
	val("tiny", 1e-308),
	val("least above zero", math.SmallestNonzeroFloat64),
	val("most", math.MaxFloat64),
	val("negative, with an exponent", -math.MaxFloat64),
	val("short, though a float64 of it is long", float32(0.1)),
	val("most", float32(math.MaxFloat32)),
	val("least above zero", float32(math.SmallestNonzeroFloat32)),
	val("the sign of zero stays", float32(math.Copysign(0, -1))),
	val("most that is no normal number", math.Float64frombits(1<<52-1)),
	val("named", ratio(0.5)),
	val("least above zero, named", price(-math.SmallestNonzeroFloat64)),
	val("under json", math.MaxFloat64, "json"),
	val("asked for", math.Inf(1), "nan"),
	val("asked for", math.Inf(-1), "nan"),
	val("asked for", float32(math.Inf(-1)), "nan"),

	val("zero", time.Time{}),
	val("nanoseconds", moment),
	val("whole seconds", moment.Truncate(time.Second)),
	val("trailing zeros go", moment.Truncate(100*time.Millisecond)),
	val("offset stays", moment.In(berlin)),
	val("half-hour offset", moment.In(kolkata)),
	val("negative offset", moment.In(time.FixedZone("", -(9*60+30)*60))),
	val("first year", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)),
	val("last year", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)),
	val("first year, east", time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 23*60*60+59*60))),
	val("last year, west", time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.FixedZone("", -(23*60*60+59*60)))),
	val("named", stamp(moment)),
	val("before 1970", time.Unix(-1, 0).UTC(), "unix"),
	val("farther than RFC 3339", time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC), "unix"),
	val("zero", time.Time{}, "unix"),
	val("now-like", moment.Truncate(time.Millisecond), "unixms"),
	val("before 1970, with a fraction", time.UnixMilli(-1).UTC(), "unixms"),
	val("zero", time.Time{}, "unixms"),
	val("now-like", moment.Truncate(time.Microsecond), "unixus"),
	val("far", time.Date(200000, 1, 1, 0, 0, 0, 1000, time.UTC), "unixus"),
	val("named", stamp(moment.Truncate(time.Second)), "unix"),
	val("nanoseconds", 1500*time.Millisecond),
	val("least", time.Duration(math.MinInt64)),
	val("most, named", wait(math.MaxInt64)),

	val("canonical", id),
	val("zero", uuid.Nil),
	val("named, by option", ticket(id), "uuid"),

	val("text", netip.MustParseAddr("2001:db8::1")),
	val("zero has an empty text", netip.Addr{}),
	val("text wins over bytes", net.IPv4(10, 0, 0, 1)),
	val("nil has an empty text", net.IP(nil)),
	val("zero", big.Int{}),
	val("beyond 64 bits", *bigInt("-123456789012345678901234567890")),
	val("by pointer", bigInt("18446744073709551616")),
	val("pointer receivers", point{3, -4}),
	val("binary", *must(url.Parse("https://example.org/a?b=c#d"))),
	val("binary, by pointer", must(url.Parse("https://user:pass@[::1]:8080/%2F?q#%20"))),
	val("empty", url.URL{}),
	val("text by value, in spite of its kind", mood("gloomy")),
	val("binary by value", pixel{0, 128, 255}),
	val("binary, pointer receivers", stroke{0, 255}),
	val("registered", money{1999}),

	val("struct", address{Street: "Main <1> & \u2028"}),
	val("nested", person{Name: "Ada", Home: address{Zip: ptr(0)}, Nick: field.Some(""), Raw: json.RawMessage(`"\ufffd"`)}),
	val("keys are sorted", map[string]int{"b": 2, "a": 1}),
	val("nil is null", map[string]int(nil)),
	val("empty is not nil", map[string]int{}),
	val("of numbers", []int64{1, math.MaxInt64}),
	val("nil is null", []string(nil)),
	val("empty is not nil", []string{}),
	val("commas", []string{"a,b", ""}),
	val("array", [2]bool{true, false}),
	val("extremes", []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)}),
	val("extremes", []uint64{0, math.MaxUint64}),
	val("named", tally{"": math.MinInt64}),
	val("named it is bytes", chunk("{")),
	val("as it is", json.RawMessage(`{"a":[1,2,"\ufffd"]}`)),
	val[any]("anything", map[string]any{"a": 1.5, "b": nil}, "json"),
	val("json wins over the natural form", moment, "json"),
	val("json wins over the natural form", 5, "json"),

	val("plain", []string{"a", "b"}, "list"),
	val("commas and backslashes", []string{"a,b", `\`, `\,`}, "list"),
	val("empty elements", []string{"", "", "x", ""}, "list"),
	val("one empty element", []string{""}, "list"),
	val("empty", []string{}, "list"),
	val("nil", []string(nil), "list"),
	val("what looks like an escape", []string{`\n`}, "list"),
	val("named", names{"a"}, "list"),

	val("plain", []string{"a", "b"}, "commas"),
	val("one", []string{"a"}, "commas"),
	val("nil", []string(nil), "commas"),
	val("spaces and backslashes stay", []string{" a ", `\`}, "commas"),
	val("8-bit clean", []string{"\xff", "\x00"}, "commas"),
	val("named", names{"a", "b"}, "commas"),

	val("short stays", "short", "gzip"),
	val("short stays", "short", "zstd"),
	val("empty stays", "", "gzip"),
	val("one less than it takes", text(255), "gzip"),
	val("long enough", text(256), "gzip"),
	val("long enough", text(256), "zstd"),
	val("long, and no shorter compressed", noise(256), "gzip"),
	val("long, and no shorter compressed", noise(256), "zstd"),
	val("begins like gzip", gzipMagic, "gzip"),
	val("begins like gzip", gzipMagic, "zstd"),
	val("begins like zstd", zstdMagic+"!", "gzip"),
	val("begins like zstd", zstdMagic+"!", "zstd"),
	val("nearly begins like it", gzipMagic[:2]+"\x07", "gzip"),
	val("nearly begins like it", zstdMagic[:3], "zstd"),
	val("begins like gzip, and no shorter compressed", gzipMagic+noise(256), "gzip"),
	val("begins like zstd, and no shorter compressed", zstdMagic+noise(256), "zstd"),
	val("without the option nothing is special", gzipMagic),
	val("bytes", []byte(text(1000)), "zstd"),
	val("bytes of one length", digest{'a', 'b', 'c', 'd'}, "gzip"),
	val("named", status(text(300)), "gzip"),
	val("JSON", address{Street: text(300)}, "gzip"),
	val("JSON", address{Street: text(300)}, "zstd"),
	val("JSON, by option", []string{text(300)}, "json", "zstd"),
	val("in either order", []string{text(300), ",", ""}, "gzip", "list"),
	val("commas", []string{text(200), text(200)}, "commas", "zstd"),
	val("ASCII", text(300), "ascii", "gzip"),
	val("text of its own", mood(text(300)), "zstd"),
	val("binary of its own", pixel{31, 139, 8}, "gzip"),
	val("registered", money{1999}, "gzip"),
	val("present", ptr(text(300)), "gzip"),
	val("present", field.Some(address{Street: text(300)}), "zstd"),

	val("present", ptr(0)),
	val("present", ptr("")),
	val("of a struct", &address{Street: "x"}),
	val("of a named type", ptr(level(1))),
	val("with an option", ptr(moment.Truncate(time.Millisecond)), "unixms"),
	val("of bytes", ptr([]byte{})),
	val("one of some", ptr(status("open")), "oneof=open closed"),
	val("one of some", field.Some(level(3)), "oneof=-3 3"),
	val("of ASCII", field.Some("x"), "ascii"),
	val("of commas", ptr([]string{"a"}), "commas"),
	val("of binary", &stroke{1, 2}),
	val("of binary", field.Some(pixel{1, 2, 3})),
	val("registered", &money{1}),
	val("present", field.Some(0)),
	val("present", field.Some("")),
	val("of a struct", field.Some(address{Street: "x"})),
	val("with an option", field.Some(moment.Truncate(time.Second)), "unix"),
	val("of text", field.Some(netip.MustParseAddr("::1"))),
	val("small value before the flag", field.Some(uint8(255))),
	val("of UUID", field.Some(id)),
}

// Every row says why it is there.
func TestRowsHaveReasons(t *testing.T) {
	for _, r := range values {
		if r.reason == "" {
			t.Errorf("%s %v: no reason", r.erased.Name(), r.value)
		}
	}
}

func bigInt(digits string) *big.Int {
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic(digits)
	}
	return n
}
