package pipectx_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// An Atomic that the server refuses is nobody else's loss, also where it ends a
// chunk: what stands behind it is sent and answered.
func TestRefusedAtomicStopsNothing(t *testing.T) {
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			db := newDB(t, redistest.Shared(t).Client(t))
			var innocent, behind *pipectx.Ref[any]
			_ = run.play(t.Context(), db, func(ctx context.Context) error { // each Ref is looked at
				err := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "NOSUCHCOMMAND")
					innocent = do(ctx, db, "SET", "big", strings.Repeat("x", 1<<20))
					return nil
				})
				behind = do(ctx, db, "INCR", "n")
				return err
			})
			wantErr(t, "who was with it", innocent.Err(), pipectx.ErrAborted)
			want(t, "who stands behind it", behind, any(int64(1)))
		})
	}
}

// OnError's function is told of its own command's fault, not of one that aborted the
// Atomic they share.
func TestAbortedIsNotItsFault(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	var innocent *pipectx.Ref[int64]
	_ = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		c := pipectx.NewCommand("INCR")
		c.Key("n")
		c.OnError(func(err *pipectx.ServerError) error {
			t.Errorf("it is told of %v", err)
			return err
		})
		innocent = pipectx.Send(ctx, db, c, pipectx.Reply.Int)
		do(ctx, db, "NOSUCHCOMMAND")
		return nil
	})
	wantErr(t, "the innocent one", innocent.Err(), pipectx.ErrAborted)
}

// On a Cluster a command without a key goes where the keys of its Atomic are: the
// block stays whole, and is refused whole.
func TestAtomicWithoutAKey(t *testing.T) {
	w := newWitness()
	db := newDB(t, redistest.Cluster(t).Client(t), pipectx.Observe(w))
	for i := range 30 { // any of three masters
		key := fmt.Sprint("k", i)
		var refused *pipectx.Ref[any]
		err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "TIME")
			do(ctx, db, "SET", key, 1)
			return nil
		})
		if f := w.last(t); err != nil || f.Connections != 1 {
			t.Fatalf("%s: it goes to %d nodes, %v", key, f.Connections, err)
		}
		_ = pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "ECHO", "too", "many")
			refused = do(ctx, db, "INCR", key)
			return nil
		})
		wantErr(t, "beside a refused one", refused.Err(), pipectx.ErrAborted)
		want(t, key, pipectx.Do[int64](t.Context(), db, "GET", key), 1)
	}
}

// Callbacks of an Atomic are outside of it, so that they may Await; whether it is the
// outermost does not matter.
func TestAwaitInAnAtomicsCallback(t *testing.T) {
	for what, around := range map[string]func(ctx context.Context, db *pipectx.DB, fn func(ctx context.Context) error) error{
		"the outermost": func(ctx context.Context, _ *pipectx.DB, fn func(ctx context.Context) error) error { return fn(ctx) },
		"in a Run":      pipectx.Run,
		"in a Stream":   pipectx.Stream,
	} {
		t.Run(what, func(t *testing.T) {
			db := newDB(t, redistest.Shared(t).Client(t))
			err := around(t.Context(), db, func(ctx context.Context) error {
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "INCR", "n")
					return pipectx.After(ctx, func(ctx context.Context) error {
						n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
						if err == nil && n != 2 {
							t.Errorf("the callback sees %d, want 2", n)
						}
						return err
					})
				})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
