package pipectx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A Ref answers ErrPending until its pipeline is flushed, and its value from
// then on.
func TestRefPending(t *testing.T) {
	db := embedded(t)
	var ref *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = pipectx.Do[int64](ctx, db, "INCR", "n")
		if v, err := ref.Result(); v != 0 || err != pipectx.ErrPending || ref.Err() != pipectx.ErrPending || ref.Ready() {
			t.Errorf("before the flush: %v, %v, ready %v", v, err, ref.Ready())
		}
		if got := ref.String(); got != "pending" {
			t.Errorf("String is %q, want pending", got)
		}
		if _, err := json.Marshal(ref); !errors.Is(err, pipectx.ErrPending) {
			t.Errorf("as JSON: %v, want ErrPending", err)
		}
		return nil
	})
	if err != nil || !ref.Ready() {
		t.Fatalf("after the flush: %v, ready %v", err, ref.Ready())
	}
	for range 2 {
		want(t, "n", ref, 1)
	}
}

// An immediate verb's Ref comes back resolved.
func TestRefImmediate(t *testing.T) {
	db := embedded(t)
	ref := pipectx.Do[int64](t.Context(), db, "INCR", "n")
	if !ref.Ready() {
		t.Error("the Ref of an immediate verb is pending")
	}
	want(t, "n", ref, 1)
}

// A Ref shows and marshals as its value; one with an error shows the error and
// does not marshal.
func TestRefShows(t *testing.T) {
	db := embedded(t)
	ctx := t.Context()
	if err := do(ctx, db, "SET", "text", "a\"b").Err(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reason     string
		ref        interface{ String() string }
		text, json string
	}{
		{"an integer", pipectx.Do[int64](ctx, db, "INCR", "n"), "1", "1"},
		{"a string", pipectx.Do[string](ctx, db, "GET", "text"), `a"b`, `"a\"b"`},
		{"a list", pipectx.Do[[]string](ctx, db, "MGET", "n", "text"), `[1 a"b]`, `["1","a\"b"]`},
		{"a derived Ref", pipectx.Map(pipectx.Do[int64](ctx, db, "GET", "n"), func(n int64) (string, error) { return fmt.Sprint("n", n), nil }), "n1", `"n1"`},
		{"an absence", pipectx.Do[string](ctx, db, "GET", "none"), "not found", ""},
		{"a failure", pipectx.Failed[string](ctx, db, errOurs), "we changed our mind", ""},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if got := test.ref.String(); got != test.text {
				t.Errorf("String is %q, want %q", got, test.text)
			}
			if got := fmt.Sprint(test.ref); got != test.text {
				t.Errorf("printed it is %q, want %q", got, test.text)
			}
			got, err := json.Marshal(map[string]any{"v": test.ref})
			if test.json == "" {
				if err == nil {
					t.Errorf("as JSON %s, want an error", got)
				}
			} else if want := `{"v":` + test.json + `}`; err != nil || string(got) != want {
				t.Errorf("as JSON %s, %v, want %s", got, err, want)
			}
		})
	}
}

// Map, All and Join compute once, when they are first read, and are ready when
// all they stand on is.
func TestDerivedRefs(t *testing.T) {
	db := embedded(t)
	var calls atomic.Int32
	var one *pipectx.Ref[string]
	var sum *pipectx.Ref[int64]
	var all *pipectx.Ref[[]int64]
	var a, b *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		a = pipectx.Do[int64](ctx, db, "INCR", "n")
		b = pipectx.Do[int64](ctx, db, "INCRBY", "n", 10)
		one = pipectx.Map(a, func(n int64) (string, error) {
			calls.Add(1)
			return strconv.FormatInt(n, 10), nil
		})
		sum = pipectx.Join(a, b, func(a, b int64) (int64, error) {
			calls.Add(1)
			return a + b, nil
		})
		all = pipectx.All([]*pipectx.Ref[int64]{b, a, sum})
		for _, ref := range []interface {
			Ready() bool
			Err() error
		}{one, sum, all} {
			if ref.Ready() || ref.Err() != pipectx.ErrPending {
				t.Errorf("before the flush a derived Ref is ready, or answers %v", ref.Err())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !one.Ready() || !sum.Ready() || !all.Ready() || calls.Load() != 0 {
		t.Errorf("after the flush: not ready, or computed %d times before anybody reads", calls.Load())
	}
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			want(t, "one", one, "1")
			want(t, "sum", sum, 12)
			if got := all.String(); got != "[11 1 12]" {
				t.Errorf("all is %s, want [11 1 12]: the order given", got)
			}
		})
	}
	readers.Wait()
	if n := calls.Load(); n != 2 {
		t.Errorf("the functions ran %d times, want once each", n)
	}
}

// A derived Ref's error is that of the first Ref it stands on that has one; its
// function does not run then.
func TestDerivedRefErrors(t *testing.T) {
	db := embedded(t)
	ctx := t.Context()
	first, second := errors.New("first"), errors.New("second")
	good := pipectx.Do[int64](ctx, db, "INCR", "n")
	bad := func(err error) *pipectx.Ref[int64] { return pipectx.Failed[int64](ctx, db, err) }
	never := func(a, b int64) (int64, error) { t.Error("it ran"); return 0, nil }
	tests := []struct {
		reason string
		err    error
		want   error
	}{
		{"Map of an error", pipectx.Map(bad(first), func(int64) (int, error) { t.Error("it ran"); return 0, nil }).Err(), first},
		{"Map whose function fails", pipectx.Map(good, func(int64) (int, error) { return 0, second }).Err(), second},
		{"Join, left", pipectx.Join(bad(first), bad(second), never).Err(), first},
		{"Join, right", pipectx.Join(good, bad(second), never).Err(), second},
		{"All", pipectx.All([]*pipectx.Ref[int64]{good, bad(first), bad(second)}).Err(), first},
		{"All of nothing", pipectx.All[int64](nil).Err(), nil},
		{"Map of an absence", pipectx.Map(do(ctx, db, "GET", "none"), func(any) (int, error) { t.Error("it ran"); return 0, nil }).Err(), pipectx.ErrNotFound},
	}
	for _, test := range tests {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", test.reason, test.err, test.want)
		}
	}
}

// A function of Map that panics leaves no Ref that is pending for ever.
func TestDerivedRefPanics(t *testing.T) {
	db := embedded(t)
	ref := pipectx.Map(do(t.Context(), db, "INCR", "n"), func(any) (int, error) { panic("ours") })
	read := func() (raised any, err error) {
		defer func() { raised = recover() }()
		return nil, ref.Err()
	}
	if raised, _ := read(); raised != "ours" {
		t.Errorf("the first reader recovers %v, want what was raised", raised)
	}
	if raised, err := read(); errors.Is(err, pipectx.ErrPending) || err == nil && raised == nil {
		t.Errorf("the second reader is told %v: the Ref has its answer, and it is none", err)
	}
}

// A Ref may be read while its pipeline is flushed: it is pending until it has
// its answer, and that answer is final.
func TestRefReadDuringFlush(t *testing.T) {
	db := embedded(t)
	refuse := func(pipectx.Reply) (int64, error) { return 0, errOurs }
	for range 50 {
		queued, first := make(chan *pipectx.Ref[int64], 1), make(chan error, 1)
		go func() {
			ref := <-queued
			for !ref.Ready() {
				runtime.Gosched()
			}
			first <- ref.Err()
		}()
		var ref *pipectx.Ref[int64]
		_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			c := pipectx.NewCommand("INCR")
			c.Key("n")
			ref = pipectx.Send(ctx, db, c, refuse)
			queued <- ref
			return nil
		})
		if was := <-first; was != ref.Err() {
			t.Fatalf("a Ref that was ready changed its answer from %v to %v", was, ref.Err())
		}
	}
}

// A decoder's error is its Ref's as it is, and a failure of the Run, named with
// command and key, unless it says that the thing is absent.
func TestRefDecodeErrors(t *testing.T) {
	tests := []struct {
		reason string
		err    error
		fails  bool
	}{
		{"a failure", errOurs, true},
		{"an absence", pipectx.ErrNotFound, false},
		{"a named absence", pipectx.NotFound("A{7}"), false},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db := embedded(t)
			get := func(ctx context.Context) *pipectx.Ref[int] {
				c := pipectx.NewCommand("GET").Read()
				c.Key("k")
				return pipectx.Send(ctx, db, c, func(pipectx.Reply) (int, error) { return 0, test.err })
			}
			var queued *pipectx.Ref[int]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error { queued = get(ctx); return nil })
			var c *pipectx.CommandError
			if named := errors.As(err, &c); named != test.fails || named && (c.Command != "GET" || c.Key != "k" || !errors.Is(err, test.err)) {
				t.Errorf("Run answers %v", err)
			}
			for _, ref := range []*pipectx.Ref[int]{queued, get(t.Context())} {
				wantErr(t, "the Ref", ref.Err(), test.err)
			}
		})
	}
	if err := pipectx.NotFound("A{7}"); err.Error() != "A{7}: not found" || !errors.Is(err, pipectx.ErrNotFound) {
		t.Errorf("NotFound is %v", err)
	}
}

// OnError maps what the server refused to the verb's own error, in the Ref and
// in Run's error.
func TestRefOnError(t *testing.T) {
	db := embedded(t)
	if err := do(t.Context(), db, "SET", "text", "abc").Err(); err != nil {
		t.Fatal(err)
	}
	incr := func(ctx context.Context) *pipectx.Ref[int64] {
		c := pipectx.NewCommand("INCR")
		c.Key("text")
		c.OnError(func(e *pipectx.ServerError) error { return fmt.Errorf("%w (%s)", errOurs, e.Code) })
		return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
	}
	var ref *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error { ref = incr(ctx); return nil })
	var c *pipectx.CommandError
	if !errors.Is(err, errOurs) || !errors.As(err, &c) || c.Command != "INCR" || c.Key != "text" {
		t.Errorf("Run answers %v, want our error, named", err)
	}
	for _, ref := range []*pipectx.Ref[int64]{ref, incr(t.Context())} {
		if got := ref.Err(); got == nil || got.Error() != "we changed our mind (ERR)" {
			t.Errorf("the Ref answers %v", got)
		}
	}
}

// A decoder that panics takes its Run with it, but leaves no other Ref of the
// flush without an answer.
func TestRefDecodePanics(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		var before, after *pipectx.Ref[int64]
		func() {
			defer func() {
				if got := recover(); got != "ours" {
					t.Errorf("recovered %v, want what was raised", got)
				}
			}()
			_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				before = pipectx.Do[int64](ctx, db, "INCR", "n")
				c := pipectx.NewCommand("INCR")
				c.Key("n")
				pipectx.Send(ctx, db, c, func(pipectx.Reply) (int, error) { panic("ours") })
				after = pipectx.Do[int64](ctx, db, "INCR", "n")
				return nil
			})
		}()
		want(t, "the command before", before, 1)
		if errors.Is(after.Err(), pipectx.ErrPending) {
			t.Error("the command after has run and is pending for ever")
		}
	})
}
