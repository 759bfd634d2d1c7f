package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wrong declaration names what is wrong and the cure.
func TestDeclarations(t *testing.T) {
	r := region(t, cache.Options{})
	ok := func(context.Context, string) (string, error) { return "", nil }
	if _, err := cache.TryFunc(r, "taken", ok); err != nil {
		t.Fatal(err)
	}
	type hidden struct{ ID, name string }
	type unkeyed struct{ Names []string }
	for what, c := range map[string]struct {
		err  error
		says string
	}{
		"no name":                                {tryRegion("", cache.Options{}), "part of keys"},
		"braces":                                 {tryRegion("a{b}", cache.Options{}), "part of keys"},
		"TTL":                                    {tryRegion("r", cache.Options{TTL: time.Microsecond}), "TTL is 1µs: Redis counts milliseconds"},
		"negative":                               {tryRegion("r", cache.Options{Lease: -time.Second}), "Lease is -1s"},
		"Soft":                                   {tryRegion("r", cache.Options{Soft: 2 * time.Hour}), "Soft is 2h0m0s and TTL 1h0m0s"},
		"Jitter":                                 {tryRegion("r", cache.Options{Jitter: 1}), "Jitter is 1"},
		"Buckets":                                {tryRegion("r", cache.Options{Buckets: 100_000}), "Buckets is 100000"},
		"Near":                                   {tryRegion("r", cache.Options{Near: cache.Near{Entries: -1}}), "Near.Entries is -1"},
		"no region":                              {tryFunc(nil, "f", ok), "NewRegion"},
		"no loader":                              {tryFunc[string, string](r, "f", nil), "is nil"},
		"a name twice":                           {tryFunc(r, "taken", ok), "give each its own"},
		"a name":                                 {tryFunc(r, "a:b", ok), "part of keys"},
		"map argument":                           {tryFunc(r, "f", func(context.Context, map[string]int) (string, error) { return "", nil }), "cannot be part of a key"},
		"pointer":                                {tryFunc(r, "f", func(context.Context, *string) (string, error) { return "", nil }), "may be absent"},
		"hidden field":                           {tryFunc(r, "f", func(context.Context, hidden) (string, error) { return "", nil }), "hidden.name is not exported"},
		"list in field":                          {tryFunc(r, "f", func(context.Context, unkeyed) (string, error) { return "", nil }), "unkeyed.Names"},
		"channel value":                          {tryFunc(r, "f", func(context.Context, string) (chan int, error) { return nil, nil }), "the value"},
		"form":                                   {tryFunc(r, "f", ok, "unixms"), "unixms"},
		"a region's name twice, other values":    {tryFunc(twin(t, r), "taken", func(context.Context, string) (int, error) { return 0, nil }), "from string to string; they would share"},
		"a region's name twice, other arguments": {tryFunc(twin(t, r), "taken", func(context.Context, int) (string, error) { return "", nil }), "this one is from int to string: rename"},
		"a region's name twice, other texts":     {tryFunc(twin(t, r), "taken", ok, "json"), "to string as json: rename"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", what, c.err, c.says)
		}
	}
	if err := tryFunc(twin(t, r), "taken", ok); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	elsewhere, err := cache.TryNewRegion(r.String(), cache.Options{Connection: "other"})
	if err == nil {
		err = tryFunc(elsewhere, "taken", func(context.Context, string) (int, error) { return 0, nil })
	}
	if err != nil {
		t.Errorf("on another connection: %v", err)
	}
	_ = hidden{name: "it is not used otherwise"}
	defer func() {
		if raised, _ := recover().(error); raised == nil || !strings.Contains(raised.Error(), "declare_test.go:") {
			t.Errorf("NewRegion panics with %v", raised)
		}
	}()
	cache.NewRegion("", cache.Options{})
}

// twin is another region of a region's name.
func twin(t *testing.T, r *cache.Region) *cache.Region {
	t.Helper()
	other, err := cache.TryNewRegion(r.String(), cache.Options{TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func tryRegion(name string, o cache.Options) error {
	_, err := cache.TryNewRegion(name, o)
	return err
}

func tryFunc[K, V any](r *cache.Region, name string, load func(context.Context, K) (V, error), form ...string) error {
	_, err := cache.TryFunc(r, name, load, form...)
	return err
}

// An unknown connection is every verb's answer, and an argument without a text too.
func TestRefusals(t *testing.T) {
	db := newDB(t, redistest.Embedded(t).Client(t))
	ctx := t.Context()
	r := region(t, cache.Options{Connection: "nowhere"})
	f := cache.Func(r, "f", (&loader{}).load).On(db)
	for what, err := range map[string]error{
		"Get": f.Get(ctx, "a").Err(), "GetMany": f.GetMany(ctx, "a").Err(), "Peek": f.Peek(ctx, "a").Err(), "Refresh": f.Refresh(ctx, "a").Err(),
		"Remove": f.Remove(ctx, "a").Err(), "InvalidateAll": f.InvalidateAll(ctx).Err(), "Statistics": r.On(db).Statistics(ctx, time.Now()).Err(), "Flush": r.On(db).Flush(ctx),
	} {
		if !errors.Is(err, pipectx.ErrUnknownConnection) {
			t.Errorf("%s: %v", what, err)
		}
	}
	nan := 0.0
	nan /= nan
	g := cache.Func(region(t, cache.Options{}), "f", func(context.Context, float64) (string, error) { return "", nil }).On(db)
	if err := g.Get(ctx, nan).Err(); err == nil || !strings.Contains(err.Error(), "the argument") {
		t.Errorf("NaN: %v", err)
	}
}

// Two arguments that differ never have one value, whatever is in them.
func FuzzArguments(f *testing.F) {
	f.Add("a b", "c", "a", "b c", true)
	f.Add("a:b", "", "a", "b:", false)
	f.Add("%-", "%25", "%", "%-", true)
	f.Add(strings.Repeat("x", 500), "", "%sha256-", "{}", false)
	db := newDB(f, redistest.Embedded(f).Client(f))
	type arg struct {
		A string
		B *string
	}
	values := cache.Func(region(f, cache.Options{}), "f", func(_ context.Context, a arg) ([]byte, error) {
		if a.B == nil {
			return []byte(a.A), nil
		}
		return []byte(a.A + "\x00" + *a.B), nil
	}).On(db)
	singles := cache.Func(region(f, cache.Options{}), "f", func(_ context.Context, a string) ([]byte, error) { return []byte(a), nil }).On(db)
	f.Fuzz(func(t *testing.T, a1, b1, a2, b2 string, second bool) {
		ctx := t.Context()
		x, y := arg{a1, &b1}, arg{a2, &b2}
		if second {
			y.B = nil
		}
		for _, a := range []arg{x, y, x} {
			wanted := []byte(a.A)
			if a.B != nil {
				wanted = []byte(a.A + "\x00" + *a.B)
			}
			if got, err := values.Get(ctx, a).Result(); err != nil || !bytes.Equal(got, wanted) {
				t.Fatalf("%q: %q, %v", wanted, got, err)
			}
		}
		for _, a := range []string{a1, b1, a2} {
			if got, err := singles.Get(ctx, a).Result(); err != nil || string(got) != a {
				t.Fatalf("%q: %q, %v", a, got, err)
			}
		}
	})
}

// What is stored under a cache's keys by others is no value, and is written over.
func FuzzEntry(f *testing.F) {
	for _, text := range []string{"", "1v  1 2 3.4 5.6\nbody", "1v  1 2 3.4 5.6", "1v", "\n", "1e  1 2 . .\n", "2v  1 2 3.4 5.6\nx"} {
		f.Add(text)
	}
	client := redistest.Embedded(f).Client(f)
	db := newDB(f, client)
	values := cache.Func(cache.NewRegion("fuzz", cache.Options{}), "f", func(context.Context, string) (string, error) { return "loaded", nil }).On(db)
	f.Fuzz(func(t *testing.T, text string) {
		if err := client.Set(t.Context(), "cache:f{fuzz}:a", text, 0).Err(); err != nil {
			t.Fatal(err)
		}
		want(t, text, values.Get(t.Context(), "a"), "loaded")
		want(t, "stored", values.Get(t.Context(), "a"), "loaded")
	})
}

// Values of every kind come back as they were: nil, empty, and those of another codec.
func TestValues(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	ctx := t.Context()
	type thing struct {
		Name string
		Tags []string
	}
	r := region(t, cache.Options{})
	loads := 0
	things := cache.Func(r, "things", func(_ context.Context, id int) (*thing, error) {
		loads++
		if id == 0 {
			return nil, nil
		}
		return &thing{strings.Repeat("long ", 1000), []string{"a"}}, nil
	}, "json", "zstd").On(db)
	for range 2 {
		if got, err := things.Get(ctx, 0).Result(); err != nil || got != nil {
			t.Errorf("nil: %v, %v", got, err)
		}
		if got, err := things.Get(ctx, 1).Result(); err != nil || len(got.Name) != 5000 || got.Tags[0] != "a" {
			t.Errorf("a thing: %v, %v", got, err)
		}
	}
	if loads != 2 {
		t.Errorf("%d loads", loads)
	}
	none := cache.Func(r, "none", func(context.Context, struct{}) (string, error) { return "", nil }).On(db)
	for range 2 {
		want(t, "the empty text of no argument", none.Get(ctx, struct{}{}), "")
	}
	nan := cache.Func(r, "nan", func(context.Context, struct{}) (float64, error) { zero := 0.0; return zero / zero, nil }).On(db)
	if err := nan.Get(ctx, struct{}{}).Err(); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("a value without a text: %v", err)
	}
}

// A stored text that is no value any more, as after a change of the type, is loaded
// anew. In one process two types have two regions: what one has stored is moved.
func TestChangedType(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db, ctx := newDB(t, client), t.Context()
	was, is := region(t, cache.Options{}), region(t, cache.Options{})
	texts := cache.Func(was, "f", func(context.Context, string) (string, error) { return "text", nil }).On(db)
	numbers := cache.Func(is, "f", func(context.Context, string) (int, error) { return 7, nil }).On(db)
	change := func() {
		want(t, "text", texts.Refresh(ctx, "a"), "text")
		for _, key := range []string{"cache:f{%s}:a", "cache.generation{%s}", "cache.generation:f{%s}"} {
			if n, err := client.Copy(ctx, fmt.Sprintf(key, was), fmt.Sprintf(key, is), 0, true).Result(); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
	}
	change()
	wantErr(t, "what is stored", numbers.Peek(ctx, "a"), pipectx.ErrNotFound)
	want(t, "number", numbers.Refresh(ctx, "a"), 7)
	change()
	want(t, "number", numbers.Get(ctx, "a"), 7)
	want(t, "stored", numbers.Peek(ctx, "a"), 7)
}
