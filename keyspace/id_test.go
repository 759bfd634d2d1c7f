package keyspace_test

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Types that ids may be of.
type (
	shade  string
	number uint16
	flag   bool

	// A path says itself, with characters that have a meaning in keys.
	path struct{ from, to string }

	// A berth is a composite id of named types, in a slot of a number.
	berth struct {
		Shade shade  `redis:"shade"`
		Slot  number `redis:"number,slot"`
		Flag  flag   `redis:"flag"`
	}
)

func (p path) MarshalText() ([]byte, error) {
	return binary.AppendUvarint([]byte(p.from+"{:}"+p.to), uint64(len(p.from))), nil
}

func (p *path) UnmarshalText(text []byte) error {
	for from := range text { // the length stands behind, and so is found by trying
		to, ok := strings.CutPrefix(string(text[from:]), "{:}")
		tail := string(binary.AppendUvarint(nil, uint64(from)))
		if to, is := strings.CutSuffix(to, tail); ok && is {
			*p = path{string(text[:from]), to}
			return nil
		}
	}
	return errors.New("no path")
}

// placements are one of each kind.
var placements = []keyspace.Placement{perID, keyspace.OneSlot("A"), keyspace.Buckets("A", 7), keyspace.Template("x{%s}y")}

// twoIDs fails the test if two ids that differ share a key, if a key does not
// give its id back, or if an id has led its key out of the slot that its
// placement promises.
func twoIDs[K comparable](t *testing.T, a, b K) {
	t.Helper()
	for _, place := range placements {
		keys, err := keyspace.NewKeys[K]("P", place)
		if err != nil {
			if place == perID {
				t.Fatal(err)
			}
			continue // a composite id has a placement of its own
		}
		first, err := keys.Key(a)
		if err != nil {
			continue // an empty text, or none: refused at the call
		}
		second, err := keys.Key(b)
		if err == nil && (first == second) != (a == b) {
			t.Fatalf("%v: the ids %#v and %#v have keys %q and %q", place, a, b, first, second)
		}
		if back, err := keys.Parse(first); err != nil || back != a {
			t.Fatalf("%v: Parse(%q) = %#v, %v, want %#v", place, first, back, err, a)
		}
		switch tag, rest, _ := strings.Cut(strings.TrimPrefix(first, "P{"), "}"); {
		case place == placements[1] && tag != "A", place == placements[2] && (len(tag) != 3 || tag[:2] != "A."):
			t.Fatalf("%v: the key %q has the hash tag %q", place, first, tag)
		case place != placements[3] && (pipectx.Slot(first) != pipectx.Slot(tag) || strings.ContainsAny(tag+rest, "{}")):
			t.Fatalf("%v: the key %q is not in the slot of %q", place, first, tag)
		}
		if !keys.Matches(first) {
			t.Fatalf("%v: the key %q does not match its own pattern", place, first)
		}
	}
}

// twoOfEach makes two ids of every type from texts and numbers.
func twoOfEach(t *testing.T, a, b string, m, n uint64) {
	t.Helper()
	twoIDs(t, a, b)
	twoIDs(t, shade(a), shade(b))
	twoIDs(t, int8(m), int8(n))
	twoIDs(t, int16(m), int16(n))
	twoIDs(t, int32(m), int32(n))
	twoIDs(t, int64(m), int64(n))
	twoIDs(t, int(m), int(n))
	twoIDs(t, uint8(m), uint8(n))
	twoIDs(t, number(m), number(n))
	twoIDs(t, uint32(m), uint32(n))
	twoIDs(t, m, n)
	twoIDs(t, flag(m%2 == 0), flag(n%2 == 0))
	twoIDs(t, time.Duration(m), time.Duration(n))
	if x, y := math.Float64frombits(m), math.Float64frombits(n); x != 0 && y != 0 { // see TestZeroIDs
		twoIDs(t, x, y)
		if float32(x) != 0 && float32(y) != 0 {
			twoIDs(t, float32(x), float32(y))
		}
	}
	var raw [2][16]byte
	for i, number := range []uint64{m, n} {
		copy(raw[i][:], a)
		binary.LittleEndian.PutUint64(raw[i][8:], number)
	}
	twoIDs(t, raw[0], raw[1])
	twoIDs(t, uuid.UUID(raw[0]), uuid.UUID(raw[1]))
	twoIDs(t, netip.AddrFrom16(raw[0]), netip.AddrFrom16(raw[1]))
	twoIDs(t, time.Unix(int64(uint32(m)), 0).UTC(), time.Unix(int64(uint32(n)), 0).UTC())
	twoIDs(t, path{a, b}, path{b, a})
	twoIDs(t, path{a + "{:}", b}, path{a, "{:}" + b})
	twoIDs(t, Member{a, int64(m)}, Member{b, int64(n)})
	twoIDs(t, Seat{int(m), a, b}, Seat{int(n), b, a})
	twoIDs(t, Seat{1, a + ":", b}, Seat{1, a, ":" + b})
	twoIDs(t, berth{shade(a), number(m), m%2 == 0}, berth{shade(b), number(n), n%2 == 0})
}

// strange are texts with all that has a meaning in keys, in patterns, or in
// programs that are written in C.
var strange = []string{
	"", "a", "ab", "a:b", "a:", ":a", "::", "{", "}", "{}", "}{", "{a}", "a}b{c", "%", "%7D", "%7d", "%25", "%3A", "a%", "\x00", "a\x00b",
	" ", "a b", "\r\n", "*", "a*[b]?", `\`, "😀", "😀}", "\xff", "\xff\xfe%", "é", "e\u0301", "A", "P{a}", "A}:a", "0", "00", "-0", "+1", "1e3",
}

// Ids of every type, with every strange text in them, work under each
// placement and keep their slot, or are refused; no two share a key.
func TestIDsOfAllTypes(t *testing.T) {
	numbers := []uint64{0, 1, 10, 1<<7 - 1, 1 << 7, 1<<15 - 1, 1<<32 + 1, 1<<53 + 1, 1<<63 - 1, 1 << 63, math.MaxUint64, math.Float64bits(0.1), math.Float64bits(math.Inf(1))}
	for i, a := range strange {
		for j, b := range strange {
			twoOfEach(t, a, b, numbers[i%len(numbers)], numbers[j%len(numbers)])
		}
	}
}

// Two different ids never share a key, whatever their type and placement.
func FuzzIDs(f *testing.F) {
	for i, text := range strange {
		f.Add(text, strange[(i+1)%len(strange)], uint64(i), math.MaxUint64-uint64(i))
		f.Add(text, text+":", uint64(1)<<i, uint64(1)<<i)
	}
	f.Fuzz(twoOfEach)
}

// Zero and minus zero are equal in Go, and two texts; a float as an id tells
// them apart.
func TestZeroIDs(t *testing.T) {
	keys := keysOf[float64](t, perID)
	zero, err1 := keys.Key(0)
	minus, err2 := keys.Key(math.Copysign(0, -1))
	if zero != "P{0}" || minus != "P{-0}" || err1 != nil || err2 != nil {
		t.Errorf("the keys of zeros are %q and %q (%v, %v)", zero, minus, err1, err2)
	}
}

// What is no id is refused where it is declared, with the cure.
func TestNoIDs(t *testing.T) {
	refused := func(reason string, err error, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, and does not say %q", reason, err, part)
			}
		}
	}
	refused("a pointer", no[*int](), "*int cannot be an id", "may be absent")
	refused("a map", no[map[string]int](), "its text is JSON", "slot")
	refused("an interface", no[any](), "no text form")
	refused("a list", no[[]string](), "its text is JSON")
	refused("a func", no[func()](), "no text form")
	refused("a struct without tags", no[struct{ A, B int }](), "its text is JSON", "slot")
	refused("no slot", no[struct {
		A int `redis:"a"`
		B int `redis:"b"`
	}](), "needs one field tagged slot")
	refused("two slots", no[struct {
		A int `redis:"a,slot"`
		B int `redis:"b,slot"`
	}](), "needs one field tagged slot", "2")
	refused("a slot alone", no[struct {
		A int `redis:"a,slot"`
	}](), "at least one other")
	refused("a part that is hidden", no[struct {
		A int `redis:"a,slot"`
		b int
	}](), "field b has no part in it")
	refused("a part that is left out", no[struct {
		A int `redis:"a,slot"`
		B int `redis:"-"`
	}](), "field B has no part in it")
	refused("a part that may be absent", no[struct {
		A int  `redis:"a,slot"`
		B *int `redis:"b"`
	}](), "field B", "may be absent")
	refused("an option misspelt", no[struct {
		A int `redis:"a,slt"`
		B int `redis:"b"`
	}](), "field A", `unknown option "slt"`, "slot")
	_, err := keyspace.NewKeys[berth]("P", keyspace.OneSlot("A"))
	refused("a slot of its own, and another", err, "overrule", "drop one")
}

func no[K any]() error {
	_, err := keyspace.NewKeys[K]("P", perID)
	if err == nil {
		return errors.New(reflect.TypeFor[K]().String() + " is an id")
	}
	return err
}
