package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Begin, Exec and Discard keep Run's rules: nothing is sent before the
// outermost ends, nesting works in both directions, a second Exec does nothing.
func TestBegin(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	wire := redistest.Record(client)
	ctx, outer, err := pipectx.Begin(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	a := pipectx.Do[int64](ctx, db, "INCR", "n")
	ctxInner, inner, err := pipectx.Begin(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	b := pipectx.Do[int64](ctxInner, db, "INCR", "n")
	if err := inner.Exec(); err != nil || len(wire.Lines()) != 0 {
		t.Errorf("the inner Exec answers %v and sends %q", err, wire.Lines())
	}
	if err := pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil }); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := outer.Exec(); err != nil {
			t.Error(err)
		}
	}
	outer.Discard()
	want(t, "a", a, 1)
	want(t, "b", b, 2)
	if lines := wire.Lines(); len(lines) != 1 || lines[0] != "INCR n | INCR n | INCR n" {
		t.Errorf("sent %q, want one round trip", lines)
	}
	wantErr(t, "a verb after Exec", do(ctx, db, "INCR", "n").Err(), pipectx.ErrEnded)
}

// A discarded pipeline sends nothing and says so, to its Refs and to Exec.
func TestBeginDiscard(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	wire := redistest.Record(client)
	ctx, p, err := pipectx.Begin(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	ref := do(ctx, db, "INCR", "n")
	p.Discard()
	p.Discard()
	wantErr(t, "the Ref", ref.Err(), pipectx.ErrDiscarded)
	wantErr(t, "Exec", p.Exec(), pipectx.ErrDiscarded)
	wantErr(t, "a later verb", do(ctx, db, "INCR", "n").Err(), pipectx.ErrDiscarded)
	if lines := wire.Lines(); len(lines) != 0 {
		t.Errorf("sent %q", lines)
	}
}

// A value that cannot be encoded poisons a pipeline of Begin too.
func TestBeginPoisoned(t *testing.T) {
	db := embedded(t)
	ctx, p, err := pipectx.Begin(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	ref := do(ctx, db, "INCR", "n")
	do(ctx, db, "SET", "k", make(chan int))
	if err := p.Exec(); err == nil || !strings.Contains(err.Error(), "chan int") {
		t.Errorf("Exec answers %v", err)
	}
	wantErr(t, "the Ref", ref.Err(), pipectx.ErrDiscarded)
}

// Finally runs once, whatever way the Run takes, after its callbacks, and in
// reverse order; without a Run it runs at once.
func TestFinally(t *testing.T) {
	db := embedded(t)
	ways := map[string]func(ctx context.Context) error{
		"returns nil":   func(context.Context) error { return nil },
		"returns error": func(context.Context) error { return errOurs },
		"is poisoned":   func(ctx context.Context) error { do(ctx, db, "SET", "k", make(chan int)); return nil },
		"panics":        func(context.Context) error { panic("ours") },
	}
	for name, way := range ways {
		for _, nested := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, nested %v", name, nested), func(t *testing.T) {
				var log []string
				run := func(ctx context.Context) {
					defer func() { _ = recover() }()
					_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
						pipectx.Finally(ctx, func() { log = append(log, "first") })
						pipectx.Finally(ctx, func() { log = append(log, "second") })
						if !nested {
							_ = pipectx.After(ctx, func(context.Context) error { log = append(log, "callback"); return nil })
						}
						return way(ctx)
					})
				}
				if nested {
					_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
						run(ctx)
						log = append(log, "outer goes on")
						return nil
					})
				} else {
					run(t.Context())
				}
				expect := "second first"
				if nested {
					expect += " outer goes on"
				} else if name == "returns nil" {
					expect = "callback " + expect
				}
				if got := strings.Join(log, " "); got != expect {
					t.Errorf("it went %q, want %q", got, expect)
				}
			})
		}
	}
	ran := false
	pipectx.Finally(t.Context(), func() { ran = true })
	if !ran {
		t.Error("without a Run it does not run")
	}
}

// A detached context has no pipeline, and all else of its parent.
func TestDetach(t *testing.T) {
	db := embedded(t)
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "kept")
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "queued")
		now := do(pipectx.Detach(ctx), db, "INCR", "now")
		if !now.Ready() || now.Err() != nil {
			t.Errorf("the verb answers %v", now)
		}
		if pipectx.Detach(ctx).Value(key{}) != "kept" {
			t.Error("a value of the context is lost")
		}
		ran := false
		if err := pipectx.After(pipectx.Detach(ctx), func(context.Context) error { ran = true; return errOurs }); !ran || !errors.Is(err, errOurs) {
			t.Errorf("After answers %v, ran %v", err, ran)
		}
		return errOurs
	})
	if err != errOurs {
		t.Error(err)
	}
	if n, _ := pipectx.Do[int64](t.Context(), db, "EXISTS", "queued", "now").Result(); n != 1 {
		t.Errorf("%d keys are stored, want the one that was written at once", n)
	}
}

// A Ref of NewRef has what was set first; never set, it is discarded with its
// Run, and not before.
func TestNewRef(t *testing.T) {
	db := embedded(t)
	var set, unset *pipectx.Ref[int]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		n := do(ctx, db, "INCR", "n")
		var give func(int, error)
		set, give = pipectx.NewRef[int](ctx)
		unset, _ = pipectx.NewRef[int](ctx)
		return pipectx.After(ctx, func(context.Context) error {
			wantErr(t, "before it is set", set.Err(), pipectx.ErrPending)
			give(7, n.Err())
			give(8, errOurs)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the Ref", set, 7)
	wantErr(t, "the Ref never set", unset.Err(), pipectx.ErrDiscarded)

	var inner *pipectx.Ref[int]
	_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error { inner, _ = pipectx.NewRef[int](ctx); return errOurs })
		wantErr(t, "the Ref of a failed inner Run", inner.Err(), pipectx.ErrDiscarded)
		return nil
	})
	loose, give := pipectx.NewRef[int](t.Context())
	wantErr(t, "a Ref without a Run", loose.Err(), pipectx.ErrPending)
	give(1, nil)
	want(t, "a Ref without a Run", loose, 1)
}
