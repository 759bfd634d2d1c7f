package field_test

import (
	"math"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/google/uuid"

	"github.com/redmoon-go/redmoon/field"
)

// Parse never panics, and what it reads can be written: the text of that is the
// text of what it reads as.
func FuzzParse(f *testing.F) {
	rows := map[string]row{} // one of each type and option
	for _, r := range values {
		rows[r.erased.Name()] = r
		text, err := r.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, name := range []string{"url.URL", "*url.URL"} { // its two ways are not each other's inverse
		delete(rows, name)
	}
	for _, text := range []string{
		"0B0", "nan", "-inf", "1e999", "1_0", "0x1p4", "-0", "+1", "TRUE", "null", " null", "[]", "{}{}", `{"a":`, `"\ud800"`,
		"2006-01-02T15:04:05+24:60", "2006-01-02T15:04:05,5Z", "0000-01-01T00:00:00+23:59", "-9223372036854775808",
		"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "fe80::1%eth0", `a\`, `,\e`, "\xff",
		",,a,", "closed", "-3", "~\x7f", gzipMagic, zstdMagic, gzipped, zstandard, gzipped[:20], zstandard[:9],
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for name, r := range rows {
			p, get := r.at()
			if err := r.erased.Parse(src, p); err != nil {
				if !r.same(r.value, get()) {
					t.Errorf("%s: %q is refused, and changes the value to %#v", name, src, get())
				}
				continue
			}
			read := get()
			text, err := r.erased.Append(nil, p)
			if err != nil {
				t.Errorf("%s: %q reads as %#v, which cannot be written: %v", name, src, read, err)
				continue
			}
			again, err := r.parse(text)
			if err != nil {
				t.Errorf("%s: %q reads as %#v, written %q: %v", name, src, read, text, err)
				continue
			}
			// A RawMessage is compacted; nothing else may change.
			if !strings.HasPrefix(name, "json ") && !r.same(read, again) && !isNaN(read) {
				t.Errorf("%s: %q reads as %#v, written %q, read %#v", name, src, read, text, again)
			}
			q, _ := r.at()
			if err := r.erased.ParseShared(string(text), q); err != nil {
				t.Errorf("%s: %q, shared: %v", name, text, err)
			}
			if text2, err := r.erased.Append(nil, q); err != nil || string(text2) != string(text) {
				t.Errorf("%s: %q is written %q, then %q, %v", name, src, text, text2, err)
			}
		}
	})
}

func isNaN(v any) bool {
	switch v := v.(type) {
	case float64:
		return math.IsNaN(v)
	case float32:
		return math.IsNaN(float64(v))
	}
	return false
}

// A value that can be written reads back the same. Only what the documentation
// names cannot be written.
func FuzzRoundTrip(f *testing.F) {
	f.Add("", int64(0), uint64(0), int16(0))
	f.Add("a,b\\\xff", int64(math.MinInt64), math.Float64bits(math.Copysign(0, -1)), int16(-1439))
	f.Add("\uFFFD\\ufffd", int64(math.MaxInt64), math.Float64bits(math.SmallestNonzeroFloat64), int16(1440))
	f.Add("šč", int64(-62135596800), math.Float64bits(math.NaN()), int16(330))
	f.Add("open", int64(0), uint64(0), int16(0))
	f.Add("half-open", int64(127), uint64(0), int16(0))
	f.Add(gzipMagic, int64(-1), uint64(0), int16(0))
	f.Add(zstandard, int64(-1), uint64(0), int16(0))
	f.Fuzz(func(t *testing.T, s string, n int64, bits uint64, minutes int16) {
		x := math.Float64frombits(bits)
		when := time.Unix(n%(1<<40), n&(1<<30-1)).In(time.FixedZone("", int(minutes)*60))
		year := when.Year()
		var id [16]byte
		copy(id[:], s)
		text := utf8.ValidString(s)
		finite := !math.IsNaN(x) && !math.IsInf(x, 0)
		small := float32(x)
		smallFinite := !math.IsNaN(float64(small)) && !math.IsInf(float64(small), 0)

		check(t, s, true)
		check(t, []byte(s), true)
		check(t, id, true)
		check(t, uuid.UUID(id), true)
		check(t, ticket(id), true, "uuid")
		check(t, n, true)
		check(t, int32(n), true)
		check(t, level(n), true)
		check(t, bits, true)
		check(t, uint16(bits), true)
		check(t, n < 0, true)
		check(t, x, finite)
		check(t, small, smallFinite)
		check(t, x, true, "nan")
		check(t, when, year >= 0 && year <= 9999 && -1440 < minutes && minutes < 1440)
		check(t, when.UTC().Truncate(time.Second), true, "unix")
		check(t, time.UnixMilli(n>>4).UTC(), true, "unixms")
		check(t, time.UnixMicro(n>>1).UTC(), true, "unixus")
		check(t, time.Duration(n), true)
		check(t, netip.AddrFrom16(id), true)
		check(t, big.NewInt(n), true)
		check(t, []string{s, ""}, true, "list")
		check(t, []string{s}, true, "list")
		check(t, []string{s, "x"}, s != "" && !strings.Contains(s, ","), "commas")
		check(t, s, s == "open" || s == "closed" || s == "half-open", "oneof=open closed half-open")
		check(t, int8(n), int8(n) == -1 || int8(n) == 0 || int8(n) == 127, "oneof=-1 0 127")
		check(t, s, !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }), "ascii")
		long := strings.Repeat(s, 300/(len(s)+1))
		for _, option := range []string{"gzip", "zstd"} {
			check(t, s, true, option)
			check(t, long, true, option)
			check(t, gzipMagic+s, true, option)
			check(t, zstdMagic+s, true, option)
			check(t, []byte(long), true, option)
			check(t, status(long), true, option)
			check(t, []string{s, long, ""}, true, "list", option)
			check(t, address{Street: long}, utf8.ValidString(long), option)
			check(t, &long, true, option)
			check(t, mood(long), true, option)
		}
		check(t, mood(s), true)
		check(t, pixel{id[0], id[1], id[2]}, true)
		check(t, stroke{id[0], id[1]}, true)
		check(t, ptr(pixel{id[0], id[1], id[2]}), true)
		check(t, total(bits), true)
		check(t, price(x), finite)
		check(t, wait(n), true)
		check(t, chunk(s), true)
		check(t, net.IP(id[:]), true)
		check(t, []string{s, s}, text)
		check(t, map[string]int64{s: n}, text)
		check(t, address{Street: s, Zip: ptr(int(n))}, text)
		check(t, s, text, "json")
		check(t, &s, true)
		check(t, field.Some(n), true)
		check(t, field.Some(address{Street: s}), text)
	})
}

func check[T any](t *testing.T, v T, writable bool, options ...string) {
	t.Helper()
	codec := field.MustFor[T](options...)
	text, err := codec.Append(nil, v)
	if (err == nil) != writable {
		t.Errorf("%s: %#v is written %q, %v; writable: %v", codec.Name(), v, text, err, writable)
	}
	if err != nil {
		return
	}
	got, err := codec.Parse(text)
	if err != nil || !same(v, got) && !isNaN(v) {
		t.Errorf("%s: %#v is written %q and reads as %#v, %v", codec.Name(), v, text, got, err)
	}
	// The same behind a pointer, in memory of its own.
	p := new(T)
	if err := field.Erase(codec).Parse(text, unsafe.Pointer(p)); err != nil || !same(v, *p) && !isNaN(v) {
		t.Errorf("%s: behind a pointer %q reads as %#v, %v", codec.Name(), text, *p, err)
	}
}
