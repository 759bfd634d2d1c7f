package field_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/uuid"

	"github.com/redmoon-go/redmoon/field"
)

// What a type says of itself is the reason.
func TestMarshalErrors(t *testing.T) {
	reads[netip.Addr]{
		{reason: "its own words", text: "10.0.0.256", refuse: `"10.0.0.256" is not a netip.Addr: ParseAddr`},
		{reason: "what it takes for zero", text: "", want: netip.Addr{}},
	}.test(t)
	reads[point]{{reason: "half read, none kept", text: "3/x", refuse: "is not a field_test.point: expected integer"}}.test(t)
	reads[url.URL]{{reason: "binary", text: "%zz", refuse: `"%zz" is not a url.URL: parse`}}.test(t)
}

// half can be written and not read: it does not marshal itself.
type half int

func (half) MarshalText() ([]byte, error) { return []byte("half"), nil }

func TestHalfMarshaler(t *testing.T) {
	text, err := field.MustFor[half]().Append(nil, 2)
	if err != nil || string(text) != "2" {
		t.Errorf("%q, %v", text, err)
	}
}

// broken refuses to be written, and writes over what it reads.
type broken struct{ S string }

func (b broken) MarshalText() ([]byte, error) { return []byte("junk"), errBroken }
func (b *broken) UnmarshalText(text []byte) error {
	b.S = string(text)
	clear(text)
	return nil
}

var errBroken = errors.New("broken")

func TestBrokenMarshaler(t *testing.T) {
	text, err := field.MustFor[broken]().Append([]byte("kept"), broken{})
	if !errors.Is(err, errBroken) || string(text) != "kept" {
		t.Errorf("%q, %v", text, err)
	}

	// A shared text may be a constant: a method that writes to it must not.
	b := new(broken)
	e := field.Erase(field.MustFor[broken]())
	if err := e.ParseShared("constant", unsafe.Pointer(b)); err != nil || b.S != "constant" {
		t.Errorf("%+v, %v", b, err)
	}
}

// A registered codec keeps its name, its view and its reasons.
func TestRegistered(t *testing.T) {
	c := field.MustFor[money]()
	if _, err := c.Append(nil, money{-1}); err == nil || err.Error() != "field: value is not storable as money: debts are not money" {
		t.Error(err)
	}
	reads[money]{
		{reason: "its words", text: "1", refuse: `"1" is not a money: want $`},
		{reason: "an error inside an error", text: "$x", refuse: `"$x" is not a money: field: "x" is not an int64: want decimal digits`},
	}.test(t)
	if c.Lua().Kind != field.LuaString || field.MustFor[*money]().Lua().String() != "string?" {
		t.Error("the view is lost")
	}
}

// One type has one codec in a program.
func TestRegisterRefuses(t *testing.T) {
	type used struct{ A int }
	field.MustFor[used]()
	for _, c := range []struct {
		reason   string
		register func()
		want     string
	}{
		{"a second one", func() { field.Register(moneyCodec{}) }, "cannot register money for field_test.money: its codec money is in use already"},
		{"too late", func() { field.Register(stub[used]{}) }, "its codec json field_test.used is in use already; register in an init function"},
		{"ours", func() { field.Register(stub[int]{}) }, "its text form is fixed; register a named type"},
		{"ours", func() { field.Register(stub[uuid.UUID]{}) }, "its text form is fixed"},
		{"ours", func() { field.Register(stub[[]money]{}) }, "its text form is fixed"},
		{"ours", func() { field.Register(stub[*money]{}) }, "its text form is fixed"},
		{"ours", func() { field.Register(stub[field.Optional[money]]{}) }, "its text form is fixed"},
	} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v; want %q", c.reason, err, c.want)
				}
			}()
			c.register()
		}()
	}
}

type stub[T any] struct{ field.Codec[T] }

func (stub[T]) Name() string { return "stub" }
