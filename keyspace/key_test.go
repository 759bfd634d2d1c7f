package keyspace_test

import (
	"errors"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Member is a composite id: all members of one tenant share a slot.
type Member struct {
	Tenant string `redis:"tenant,slot"`
	Number int64  `redis:"number"`
}

// Seat has its slot in the middle.
type Seat struct {
	Row    int    `redis:"row"`
	Hall   string `redis:"hall,slot"`
	Letter string `redis:"letter"`
}

func keysOf[K any](t testing.TB, place keyspace.Placement) *keyspace.Keys[K] {
	t.Helper()
	keys, err := keyspace.NewKeys[K]("P", place)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

var perID keyspace.Placement

// The key of an id is what docs/keys.md says it is, and Parse reads the id back.
func TestKey(t *testing.T) {
	checkKey := func(reason, want string, key string, err error, back bool) {
		t.Helper()
		switch {
		case err != nil:
			t.Errorf("%s: %v", reason, err)
		case key != want:
			t.Errorf("%s: key %q, want %q", reason, key, want)
		case !back:
			t.Errorf("%s: Parse(%q) is another id", reason, key)
		}
	}
	strs := []struct {
		reason string
		place  keyspace.Placement
		id     string
		want   string
	}{
		{"the id is the hash tag", perID, "ann", "P{ann}"},
		{"a colon separates nothing here", perID, "a:b", "P{a:b}"},
		{"a closing brace would end the tag", perID, "a}b", "P{a%7Db}"},
		{"an opening one is escaped with it", perID, "{a}", "P{%7Ba%7D}"},
		{"a percent sign must stay unique", perID, "a%7Db", "P{a%257Db}"},
		{"spaces and line ends are bytes like others", perID, "a b\r\n", "P{a b\r\n}"},
		{"what is no UTF-8 stays", perID, "\xff\x00", "P{\xff\x00}"},
		{"a plus is a plus", perID, "a+b", "P{a+b}"},
		{"one slot: the tag, and the id behind it", keyspace.OneSlot("A"), "ann", "P{A}:ann"},
		{"one slot: a colon separates", keyspace.OneSlot("A"), "a:b", "P{A}:a%3Ab"},
		{"one slot: braces in the id", keyspace.OneSlot("A"), "}{B}", "P{A}:%7D%7BB%7D"},
		{"buckets: chosen by the id", keyspace.Buckets("A", 8), "ann", "P{A.6}:ann"},
		{"buckets: another id, another bucket", keyspace.Buckets("A", 8), "bob", "P{A.3}:bob"},
		{"a template takes the id as it is", keyspace.Template("u:%s:x"), "a}b:x", "u:a}b:x:x"},
		{"a template of the id alone", keyspace.Template("%s"), "a{b", "a{b"},
	}
	for _, row := range strs {
		keys := keysOf[string](t, row.place)
		key, err := keys.Key(row.id)
		id, perr := keys.Parse(key)
		checkKey(row.reason, row.want, key, errors.Join(err, perr), id == row.id)
	}

	checkID(t, checkKey, "an int64 at its end", perID, int64(math.MinInt64), "P{-9223372036854775808}")
	checkID(t, checkKey, "a uint64 at its end", perID, uint64(math.MaxUint64), "P{18446744073709551615}")
	checkID(t, checkKey, "a bool", perID, false, "P{0}")
	checkID(t, checkKey, "a UUID", perID, uuid.MustParse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), "P{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}")
	checkID(t, checkKey, "a time", keyspace.OneSlot("A"), time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), "P{A}:2026-01-02T03%3A04%3A05.000000006Z")
	checkID(t, checkKey, "what has MarshalText", perID, netip.MustParseAddr("::1"), "P{::1}")
	checkID(t, checkKey, "a composite id", perID, Member{"acme", 42}, "P{acme}:42")
	checkID(t, checkKey, "a composite id of strange texts", perID, Member{"a:}", -1}, "P{a%3A%7D}:-1")
	checkID(t, checkKey, "the slot comes first, the rest in order", perID, Seat{7, "opera", "a:b"}, "P{opera}:7:a%3Ab")
}

func checkID[K comparable](t *testing.T, check func(reason, want, key string, err error, back bool), reason string, place keyspace.Placement, id K, want string) {
	t.Helper()
	keys := keysOf[K](t, place)
	key, err := keys.Key(id)
	back, perr := keys.Parse(key)
	check(reason, want, key, errors.Join(err, perr), back == id)
}

// Ids that are not comparable in Go have keys too.
func TestKeyOfPointers(t *testing.T) {
	if key, err := keysOf[big.Int](t, perID).Key(*big.NewInt(42)); err != nil || key != "P{42}" {
		t.Errorf("key of a big.Int: %q, %v", key, err)
	}
	if key, err := keysOf[[]byte](t, perID).Key([]byte("a}")); err != nil || key != "P{a%7D}" {
		t.Errorf("key of bytes: %q, %v", key, err)
	}
}

// An id without a text has no key, and the error says whose it is.
func TestEmptyID(t *testing.T) {
	for _, place := range []keyspace.Placement{perID, keyspace.OneSlot("A"), keyspace.Buckets("A", 2), keyspace.Template("u:%s")} {
		key, err := keysOf[string](t, place).Key("")
		wantErr(t, place.String(), err, keyspace.ErrEmptyID)
		wantText(t, place.String(), err, "keyspace: P: the id is empty")
		if key != "" {
			t.Errorf("%v: key %q beside the error", place, key)
		}
	}
	_, err := keysOf[Member](t, perID).Key(Member{"", 1})
	wantText(t, "empty slot", err, "keyspace: P: Tenant: the id is empty")
	_, err = keysOf[Seat](t, perID).Key(Seat{1, "opera", ""})
	wantText(t, "empty part", err, "keyspace: P: Letter: the id is empty")
	_, err = keysOf[float64](t, perID).Key(math.NaN())
	wantText(t, "no text", err, "keyspace: P: field: NaN is not storable as float64: NaN and infinities need the option nan")

	dst := []byte("before ")
	dst, err = keysOf[string](t, perID).Append(dst, "")
	if err == nil || string(dst) != "before " {
		t.Errorf("Append of an empty id: %q, %v, want dst as it was", dst, err)
	}
}

// Parse takes only keys that Key makes.
func TestParseForeign(t *testing.T) {
	rows := []struct {
		reason string
		place  keyspace.Placement
		key    string
	}{
		{"another prefix", perID, "Q{7}"},
		{"a longer prefix", perID, "PP{7}"},
		{"no tag", perID, "P7"},
		{"an open tag", perID, "P{7"},
		{"something behind the tag", perID, "P{7}:x"},
		{"another text of the same number", perID, "P{07}"},
		{"an escape that need not be", perID, "P{%37}"},
		{"a broken escape", perID, "P{%3}"},
		{"another tag", keyspace.OneSlot("A"), "P{B}:7"},
		{"no id", keyspace.OneSlot("A"), "P{A}7"},
		{"the wrong bucket", keyspace.Buckets("A", 8), "P{A.9}:7"},
		{"another pattern", keyspace.Template("u:%s:x"), "u:7:y"},
		{"only half of the pattern", keyspace.Template("u:%s:x"), "u:7"},
	}
	for _, row := range rows {
		id, err := keysOf[int64](t, row.place).Parse(row.key)
		wantErr(t, row.reason, err, keyspace.ErrForeignKey)
		if id != 0 {
			t.Errorf("%s: id %d beside the error", row.reason, id)
		}
	}
	for _, key := range []string{"P{a}", "P{a}:", "P{a}:1:2", "P{a}1", "P{a%3a}:1"} {
		_, err := keysOf[Member](t, perID).Parse(key)
		if err == nil {
			t.Errorf("Parse(%q) as a Member: no error", key)
		}
	}
	_, err := keysOf[int64](t, perID).Parse("P{x}")
	wantText(t, "not a number", err, `keyspace: P: key "P{x}": field: "x" is not an int64: want decimal digits`)
	_, err = keysOf[int64](t, perID).Parse("Q{1}")
	wantText(t, "foreign", err, `keyspace: P: key "Q{1}": the key does not belong to this prefix and placement`)
}

// Pattern matches the keys of a prefix, whatever characters it has, and no
// others.
func TestPattern(t *testing.T) {
	rows := []struct {
		place keyspace.Placement
		want  string
	}{
		{perID, `a\*\[b{*`},
		{keyspace.OneSlot("x?"), `a\*\[b{x\?}:*`},
		{keyspace.Buckets(`x\`, 4), `a\*\[b{x\\.*`},
		{keyspace.Template("u]:%s:*"), `u\]:*:\*`},
	}
	for _, row := range rows {
		keys, err := keyspace.NewKeys[int64]("a*[b", row.place)
		if err != nil {
			t.Fatal(err)
		}
		if got := keys.Pattern(); got != row.want {
			t.Errorf("%v: pattern %s, want %s", row.place, got, row.want)
		}
	}
}

// Two different ids never share a key, a key gives its id back, and no id
// leaves its slot.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"", "a", "a:b", "{", "}", "{}", "%", "%7D", "a}b{c", "\xff%", "a\x00"} {
		f.Add(seed, "a", int64(1), int64(2))
		f.Add(seed, seed, int64(1), int64(1))
	}
	f.Add("a:1", "a", int64(1), int64(11))
	places := []keyspace.Placement{perID, keyspace.OneSlot("A"), keyspace.Buckets("A", 7), keyspace.Template("x{%s}y")}
	f.Fuzz(func(t *testing.T, a, b string, m, n int64) {
		for _, place := range places {
			keys := keysOf[string](t, place)
			first, err := keys.Key(a)
			if (err != nil) != (a == "") {
				t.Fatalf("%v: Key(%q): %v", place, a, err)
			}
			second, _ := keys.Key(b)
			if (first == second) != (a == b) {
				t.Fatalf("%v: ids %q and %q have keys %q and %q", place, a, b, first, second)
			}
			if a == "" {
				continue
			}
			if back, err := keys.Parse(first); err != nil || back != a {
				t.Fatalf("%v: Parse(Key(%q)) = %q, %v", place, a, back, err)
			}
			if tag, _, _ := strings.Cut(strings.TrimPrefix(first, "P{"), "}"); place != places[3] && pipectx.Slot(first) != pipectx.Slot("{"+tag+"}") {
				t.Fatalf("%v: key %q is not in the slot of %q", place, first, tag)
			}
		}
		if a == "" || b == "" {
			return
		}
		members := keysOf[Member](t, perID)
		first, err1 := members.Key(Member{a, m})
		second, err2 := members.Key(Member{b, n})
		if err1 != nil || err2 != nil || (first == second) != (a == b && m == n) {
			t.Fatalf("members %q %d and %q %d have keys %q and %q (%v, %v)", a, m, b, n, first, second, err1, err2)
		}
		if back, err := members.Parse(first); err != nil || back != (Member{a, m}) {
			t.Fatalf("Parse(%q) = %v, %v", first, back, err)
		}
	})
}

// Parse of any bytes gives an id or an error, and an id it gives has that key.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "P", "P{", "P{}", "P{a}", "P{a}:1", "P{%}", "P{%7d}:", "P{A}:b", "xby"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		for _, place := range []keyspace.Placement{perID, keyspace.OneSlot("A"), keyspace.Buckets("A", 7), keyspace.Template("x%sy")} {
			keys := keysOf[string](t, place)
			if id, err := keys.Parse(key); err == nil {
				if back, err := keys.Key(id); back != key || err != nil {
					t.Fatalf("%v: Key(Parse(%q)) = %q, %v", place, key, back, err)
				}
			}
		}
		members := keysOf[Member](t, perID)
		if id, err := members.Parse(key); err == nil {
			if back, err := members.Key(id); back != key || err != nil {
				t.Fatalf("Key(Parse(%q)) = %q, %v", key, back, err)
			}
		}
	})
}
