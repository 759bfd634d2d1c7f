package field_test

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// What is stored reads back as the same value, through Codec and Erased alike.
func TestRoundTrip(t *testing.T) {
	for _, r := range values {
		t.Run(r.erased.Name()+" "+r.reason, func(t *testing.T) {
			text, err := r.append([]byte("kept "))
			if err != nil {
				t.Fatal(err)
			}
			p, _ := r.at()
			erased, err := r.erased.Append([]byte("kept "), p)
			if err != nil || string(erased) != string(text) {
				t.Fatalf("Erased.Append gives %q, %v; Codec.Append %q", erased, err, text)
			}
			if string(text[:5]) != "kept " {
				t.Fatalf("dst is lost: %q", text)
			}
			src := text[5:]

			got, err := r.parse(src)
			if err != nil || !r.same(r.value, got) {
				t.Errorf("Codec.Parse(%q) = %#v, %v; want %#v", src, got, err, r.value)
			}
			for name, parse := range map[string]func(unsafe.Pointer) error{
				"Parse":       func(p unsafe.Pointer) error { return r.erased.Parse(src, p) },
				"ParseShared": func(p unsafe.Pointer) error { return r.erased.ParseShared(string(src), p) },
			} {
				p, get := r.at()
				r.erased.Clear(p)
				if r.erased.Absent(p) != r.erased.Optional() {
					t.Errorf("cleared, Absent is %v", r.erased.Absent(p))
				}
				if err := parse(p); err != nil || !r.same(r.value, get()) {
					t.Errorf("Erased.%s(%q) sets %#v, %v; want %#v", name, src, get(), err, r.value)
				}
				if r.erased.Absent(p) {
					t.Errorf("absent after %s", name)
				}
			}
		})
	}
}

// Parse keeps nothing of its source.
func TestParseCopies(t *testing.T) {
	for _, r := range values {
		text, err := r.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		viaCodec, _ := r.parse(text)
		p, get := r.at()
		if err := r.erased.Parse(text, p); err != nil {
			t.Fatal(err)
		}
		clear(text)
		if !r.same(r.value, viaCodec) || !r.same(r.value, get()) {
			t.Errorf("%s (%s) changed with its source", r.erased.Name(), r.reason)
		}
	}
}

// ParseShared shares strings with the text, and nothing that can be written to.
func TestParseShared(t *testing.T) {
	text := strings.Repeat("shared ", 2)
	var s struct {
		String  string
		Named   status
		Pointer *string
		Option  field.Optional[string]
		Bytes   []byte
	}
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		e := must(field.Of(v.Field(i).Type()))
		if err := e.ParseShared(text, v.Field(i).Addr().UnsafePointer()); err != nil {
			t.Fatal(err)
		}
	}
	for _, got := range []string{s.String, string(s.Named), *s.Pointer, s.Option.Or("")} {
		if unsafe.StringData(got) != unsafe.StringData(text) || got != text {
			t.Errorf("%q is a copy", got)
		}
	}
	if s.Bytes[0] = 'S'; text[0] != 's' {
		t.Error("bytes share the text")
	}
}

var update = flag.Bool("update", false, "write testdata/encodings.txt")

// Text forms are API: they are what the golden file says.
func TestEncodings(t *testing.T) {
	var b strings.Builder
	b.WriteString("# type option | Go value | stored text\n")
	for _, r := range values {
		text, err := r.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		name := tidy(r.typ.String())
		if r.option != "" {
			name += " " + r.option
		}
		fmt.Fprintf(&b, "%s | %s | %s\n", name, cut(show(r.value)), cut(quote(stored(r, string(text)))))
	}
	const golden = "testdata/encodings.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	old, now := strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")
	for i := range max(len(old), len(now)) {
		if i >= len(old) || i >= len(now) || old[i] != now[i] {
			t.Fatalf("%s:%d differs; a changed text form breaks what users have stored\nwant %q\ngot  %q",
				golden, i+1, at(old, i), at(now, i))
		}
	}
}

// stored leaves out what follows the magic bytes of a compressed text: a library
// may find a shorter form any day.
func stored(r row, text string) string {
	for _, magic := range []string{gzipMagic, zstdMagic} {
		if strings.HasPrefix(text, magic) && (strings.Contains(r.option, "gzip") || strings.Contains(r.option, "zstd")) {
			return magic + "…"
		}
	}
	return text
}

// cut keeps lines readable.
func cut(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:40], ""), len(s))
	}
	return s
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "no line"
}

// show is a value as a reader would write it.
func show(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.Format("2006-01-02 15:04:05.999999999 -07:00")
	case stamp:
		return show(time.Time(v))
	case interface{ Any() any }:
		return "Some(" + show(v.Any()) + ")"
	case fmt.Stringer:
		return v.String()
	case big.Int:
		return v.String()
	case url.URL:
		return v.String()
	case person:
		return "person{Ada …}"
	}
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.Pointer:
		return "&" + show(r.Elem().Interface())
	case r.CanInt(), r.CanUint(), r.CanFloat():
		return fmt.Sprint(v)
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8:
		return fmt.Sprintf("%q", v)
	}
	return tidy(fmt.Sprintf("%#v", v))
}

func tidy(name string) string {
	return strings.NewReplacer("field_test.", "", "github.com/redmoon-go/redmoon/", "", "github.com/google/", "",
		"net/netip", "netip", "]uint8", "]byte", "interface {}", "any").Replace(name)
}

func quote(s string) string { return fmt.Sprintf("%#q", s) }

// Types and options that cannot work fail when derived, with the type and the
// cure.
func TestForRefuses(t *testing.T) {
	type secret struct{ a, b int } //nolint:unused // what JSON would leave out
	type loop struct {
		Next *loop
		C    chan int
	}
	type badKeys struct{ M map[address]int }
	type closer struct{ C interface{ Close() error } }
	derive := func(_ any, err error) error { return err }
	for _, c := range []struct {
		reason string
		err    error
		want   string
	}{
		{"no form", derive(field.For[chan int]()), "chan int has no text form; implement encoding.TextMarshaler"},
		{"no form", derive(field.For[func()]()), "func() has no text form"},
		{"no form", derive(field.For[complex128]()), "complex128 has no text form"},
		{"address, not value", derive(field.For[uintptr]()), "uintptr has no text form"},
		{"not even as JSON", derive(field.For[chan int]("json")), "chan int is a chan int, which JSON cannot say"},
		{"deep inside, once", derive(field.For[loop]()), "loop.C is a chan int"},
		{"keys", derive(field.For[badKeys]()), "keys of type field_test.address"},
		{"unreadable", derive(field.For[closer]()), "closer.C is a interface { Close() error }, which JSON cannot read back"},
		{"nothing to store", derive(field.For[secret]()), "secret has no exported field"},
		{"which type?", derive(field.For[any]()), "add the option json"},
		{"which type?", derive(field.For[error]("json")), "name a type instead"},
		{"two absences", derive(field.For[**int]()), "**int can be absent in two ways"},
		{"two absences", derive(field.For[field.Optional[*int]]()), "absent in two ways"},
		{"two absences", derive(field.For[*field.Optional[int]]()), "absent in two ways"},
		{"a copy without methods", derive(field.For[lostOptional]()), "no exported field"},
		{"misspelt", derive(field.For[time.Time]("unixns")), `unknown option "unixns" of time.Time; there are ascii, commas, emptyfalse, gzip, json, list`},
		{"misplaced", derive(field.For[string]("unix")), `option "unix" does not fit string; it is for time.Time`},
		{"misplaced", derive(field.For[int]("nan")), "it is for float32 and float64"},
		{"misplaced", derive(field.For[*string]("emptyfalse")), "it is for bool"},
		{"misplaced", derive(field.For[[]int]("list")), "it is for []string"},
		{"misplaced", derive(field.For[digest]("uuid")), "it is for [16]byte"},
		{"misplaced", derive(field.For[[]int]("commas")), `option "commas" does not fit []int; it is for []string`},
		{"misplaced", derive(field.For[[]byte]("ascii")), "it is for strings without marshaling methods"},
		{"it writes itself", derive(field.For[mood]("ascii")), "it is for strings without marshaling methods"},
		{"short anyway", derive(field.For[int]("gzip")), `option "gzip" does not fit int; it is for texts that may be long`},
		{"short anyway", derive(field.For[*time.Time]("zstd")), `option "zstd" does not fit time.Time`},
		{"short anyway", derive(field.For[time.Time]("unix", "zstd")), `option "zstd" does not fit time.Time`},
		{"short anyway", derive(field.For[string]("oneof=a b", "gzip")), `option "gzip" does not fit string`},
		{"of no form", derive(field.For[chan int]("gzip")), "chan int has no text form"},
		{"a value where none is", derive(field.For[string]("gzip=9")), `unknown option "gzip=9" of string`},
		{"two compressions", derive(field.For[string]("gzip", "zstd")), "options gzip,zstd of string exclude each other; keep one"},
		{"two forms", derive(field.For[[]string]("commas", "gzip", "list")), "options commas,gzip,list of []string exclude each other"},
		{"two at once", derive(field.For[time.Time]("unix", "json")), "options unix,json of time.Time exclude each other"},
	} {
		if c.err == nil || !strings.HasPrefix(c.err.Error(), "field: ") || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.reason, c.err, c.want)
		}
	}
}

type lostOptional field.Optional[int]

// MustFor panics with the error of For.
func TestMustFor(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "chan int") {
			t.Errorf("panics with %v", err)
		}
	}()
	field.MustFor[chan int]()
}

// Names tell named types from what they are made of, and options.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		want string
		got  string
	}{
		{"int64", field.MustFor[int64]().Name()},
		{"[]byte", field.MustFor[[]byte]().Name()},
		{"[3]byte", field.MustFor[[3]byte]().Name()},
		{"field_test.level (int8)", field.MustFor[level]().Name()},
		{"time.Duration", field.MustFor[time.Duration]().Name()},
		{"time.Time (unixms)", field.MustFor[time.Time]("unixms").Name()},
		{"*time.Time (unixms)", field.MustFor[*time.Time]("unixms").Name()},
		{"Optional[int64]", field.MustFor[field.Optional[int64]]().Name()},
		{"json field_test.address", field.MustFor[address]().Name()},
		{"json []int", field.MustFor[[]int]().Name()},
		{"field_test.status (string) (oneof)", field.MustFor[status]("oneof=open closed").Name()},
		{"[]string (commas) (zstd)", field.MustFor[[]string]("zstd", "commas").Name()},
		{"json field_test.address (gzip)", field.MustFor[address]("gzip").Name()},
		{"*money (gzip)", field.MustFor[*money]("gzip").Name()},
		{"[]string (list)", field.MustFor[[]string]("list").Name()},
		{"money", field.MustFor[money]().Name()},
		{"*money", field.MustFor[*money]().Name()},
	} {
		if c.got != c.want {
			t.Errorf("Name is %q; want %q", c.got, c.want)
		}
	}
}

// A type is derived once, whoever asks.
func TestOfIsCached(t *testing.T) {
	type mine struct{ A int }
	a, b := must(field.Of(reflect.TypeFor[mine]())), must(field.Of(reflect.TypeFor[mine]()))
	if a != b {
		t.Error("two codecs of one type")
	}
	if field.Erase(field.MustFor[mine]()) != a {
		t.Error("Erase of a derived codec makes another")
	}
	if c := must(field.Of(reflect.TypeFor[mine](), "json")); c == a {
		t.Error("an option does not matter")
	}
}

// An error leaves dst, and what was parsed before, alone.
func TestErrorsChangeNothing(t *testing.T) {
	zip := 1
	v := person{Name: "Ada", Home: address{Zip: &zip}}
	e := must(field.Of(reflect.TypeFor[person]()))
	if err := e.Parse([]byte(`{"name":"Bob","home":{"zip":2},"nick":7}`), unsafe.Pointer(&v)); err == nil {
		t.Fatal("parsed a number into a string")
	}
	if v.Name != "Ada" || zip != 1 {
		t.Errorf("half-parsed: %+v", v)
	}

	// A pointer is not written through: others may hold it.
	n := 7
	p := &n
	e = must(field.Of(reflect.TypeFor[*int]()))
	if err := e.Parse([]byte("8"), unsafe.Pointer(&p)); err != nil || n != 7 || *p != 8 {
		t.Errorf("n is %d, *p %d, %v", n, *p, err)
	}
	if err := e.Parse([]byte("x"), unsafe.Pointer(&p)); err == nil || *p != 8 {
		t.Errorf("*p is %d, %v", *p, err)
	}

	dst := []byte("kept")
	out, err := field.MustFor[person]().Append(dst, person{Name: "\xff"})
	if err == nil || string(out) != "kept" {
		t.Errorf("dst comes back as %q, %v", out, err)
	}
	out, err = field.MustFor[money]().Append(dst, money{-1})
	if err == nil || string(out) != "kept" {
		t.Errorf("dst comes back as %q, %v", out, err)
	}
}

// JSON replaces what was there; it does not merge.
func TestParseReplaces(t *testing.T) {
	m := map[string]int{"old": 1}
	alias := m
	e := must(field.Of(reflect.TypeFor[map[string]int]()))
	if err := e.Parse([]byte(`{"new":2}`), unsafe.Pointer(&m)); err != nil {
		t.Fatal(err)
	}
	if len(m) != 1 || m["new"] != 2 || len(alias) != 1 || alias["old"] != 1 {
		t.Errorf("m is %v, what it was %v", m, alias)
	}
}

// Absence has no text.
func TestAbsent(t *testing.T) {
	for _, err := range []error{
		second(field.MustFor[*int]().Append(nil, nil)),
		second(field.MustFor[field.Optional[int]]().Append(nil, field.None[int]())),
		second(field.MustFor[field.Optional[address]]().Append(nil, field.None[address]())),
	} {
		if !errors.Is(err, field.ErrAbsent) {
			t.Errorf("%v; want ErrAbsent", err)
		}
	}
}

func second(_ []byte, err error) error { return err }
