package pipectx_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Await sends what is queued so far in its Run and those around it, in program
// order, and the Run goes on.
func TestAwait(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		db := newDB(t, client)
		wire := redistest.Record(client)
		var last *pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			pipectx.Do[int64](ctx, db, "INCR", "n")
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
				if n != 2 || err != nil {
					t.Errorf("Await answers %d, %v; want 2: what the outer Run queued goes before", n, err)
				}
				last = pipectx.Do[int64](ctx, db, "INCRBY", "n", 10*n)
				if !errors.Is(last.Err(), pipectx.ErrPending) {
					t.Errorf("the next command answers %v, want ErrPending", last.Err())
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the last command", last, 22)
		if lines := wire.Lines(); len(lines) != 2 || lines[0] != "INCR n | INCR n" || lines[1] != "INCRBY n 20" {
			t.Errorf("sent %q", lines)
		}
	})
}

// What Await has sent stays; what came after it is dropped when the Run fails.
func TestAwaitThenDiscard(t *testing.T) {
	db := embedded(t)
	var after *pipectx.Ref[any]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for range 5 {
			do(ctx, db, "INCR", "n")
		}
		return pipectx.Run(ctx, db, func(ctx context.Context) error {
			if _, err := pipectx.Await(ctx, do(ctx, db, "INCR", "n")); err != nil {
				t.Error(err)
			}
			after = do(ctx, db, "INCR", "n")
			return errOurs
		})
	})
	if err != errOurs {
		t.Errorf("Run answers %v", err)
	}
	wantErr(t, "what came after", after.Err(), pipectx.ErrDiscarded)
	if n, err := pipectx.Do[int64](t.Context(), db, "GET", "n").Result(); n != 6 || err != nil {
		t.Errorf("n is %d, %v; want 6", n, err)
	}
}

// A poisoned Run sends nothing, by Await neither, whichever level is poisoned.
func TestAwaitPoisoned(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref := do(ctx, db, "INCR", "n")
		do(ctx, db, "SET", "k", make(chan int))
		return pipectx.Run(ctx, db, func(ctx context.Context) error {
			_, err := pipectx.Await(ctx, ref)
			if err == nil || ref.Ready() {
				t.Errorf("Await answers %v, and the Ref %v", err, ref)
			}
			return nil
		})
	})
	if err == nil {
		t.Error("Run answers nil, though it is poisoned")
	}
	if n, _ := pipectx.Do[bool](t.Context(), db, "EXISTS", "n").Result(); n {
		t.Error("something was sent")
	}
}

// The failure that Await returns is its caller's; those of other commands are
// in Run's error.
func TestAwaitFailures(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "text", "abc")
		do(ctx, db, "LPUSH", "text", 1)
		if _, err := pipectx.Await(ctx, do(ctx, db, "INCR", "text")); err == nil {
			t.Error("Await answers nil")
		}
		return nil
	})
	var joined *pipectx.RunError
	if !errors.As(err, &joined) || joined.Failed != 1 {
		t.Errorf("Run answers %v, want the failure of LPUSH alone", err)
	}
}

// A Ref of another pipeline is not waited for for ever, and one that is
// resolved costs nothing.
func TestAwaitOther(t *testing.T) {
	db, other := embedded(t), embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref := do(ctx, db, "INCR", "n")
		return pipectx.Run(t.Context(), other, func(ctx context.Context) error {
			_, err := pipectx.Await(ctx, ref)
			wantErr(t, "a Ref of another pipeline", err, pipectx.ErrPending)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := pipectx.Await(t.Context(), do(t.Context(), db, "GET", "n")); v != "1" || err != nil {
		t.Errorf("a resolved Ref answers %v, %v", v, err)
	}
}

// Goroutines that share a context may all wait: each gets its own answer.
func TestAwaitConcurrently(t *testing.T) {
	db := embedded(t)
	var mu sync.Mutex
	seen := map[int64]bool{}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				for range 4 {
					n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					seen[n] = true
					mu.Unlock()
				}
			})
		}
		all.Wait()
		return nil
	})
	if err != nil || len(seen) != 200 {
		t.Errorf("%d different answers, %v; want 200", len(seen), err)
	}
}

// What Await leaves queued may fail later: that is part of Run's error, unless the
// caller deals with it.
func TestAwaitGivenUpFailsLater(t *testing.T) {
	type ref = pipectx.Ref[any]
	derived := func(r *ref) *ref { return pipectx.Map(r, func(v any) (any, error) { return v, nil }) }
	tests := []struct {
		name    string
		await   func(r *ref) *ref
		handled bool
	}{
		{"its Ref", func(r *ref) *ref { return r }, false},
		{"a derived one", derived, false},
		{"a handled one", func(r *ref) *ref { return pipectx.Handled(r) }, true},
		{"one derived from a handled one", func(r *ref) *ref { return derived(pipectx.Handled(r)) }, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := embedded(t)
			do(t.Context(), db, "SET", "text", "x")
			err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
				g.Go(func(ctx context.Context) error {
					ended, end := context.WithCancel(ctx)
					end()
					_, err := pipectx.Await(ended, test.await(do(ctx, db, "INCR", "text")))
					wantErr(t, "Await", err, context.Canceled)
					return nil
				})
				return nil
			})
			if told := err != nil && strings.Contains(err.Error(), "INCR text"); told == test.handled {
				t.Errorf("Gather answers %v", err)
			}
		})
	}
}
