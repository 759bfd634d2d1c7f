package pipectx_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/redmoon-go/redmoon/pipectx"
)

// With Debug a verb that forgot the Run's context is logged with its place;
// one that means it, or stands elsewhere, is not.
func TestDebug(t *testing.T) {
	tests := []struct {
		reason string
		logged bool
		call   func(run, outer context.Context, db *pipectx.DB)
	}{
		{"the Run's context", false, func(run, _ context.Context, db *pipectx.DB) { do(run, db, "INCR", "n") }},
		{"the context from outside", true, func(_, outer context.Context, db *pipectx.DB) { do(outer, db, "INCR", "n") }},
		{"a new one", true, func(_, _ context.Context, db *pipectx.DB) { do(context.Background(), db, "INCR", "n") }},
		{"a detached one", false, func(run, _ context.Context, db *pipectx.DB) { do(pipectx.Detach(run), db, "INCR", "n") }},
		{"on another goroutine", false, func(_, outer context.Context, db *pipectx.DB) {
			var other sync.WaitGroup
			other.Go(func() { do(outer, db, "INCR", "n") })
			other.Wait()
		}},
		{"in an inner Run of the wrong context", true, func(_, outer context.Context, db *pipectx.DB) {
			_ = pipectx.Run(outer, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			log := captureLog(t)
			db := embedded(t, pipectx.Debug())
			if err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				test.call(ctx, t.Context(), db)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			do(t.Context(), db, "INCR", "n") // after the Run nothing is wrong with it
			text := log.String()
			if n := strings.Count(text, "goes at once"); n > 1 || (n == 1) != test.logged {
				t.Errorf("logged %d times: %s", n, text)
			}
			if test.logged && (!strings.Contains(text, "INCR") && !strings.Contains(text, "what=Run") || !strings.Contains(text, "debug_test.go:") && !strings.Contains(text, "common_test.go:")) {
				t.Errorf("the log names neither command nor place: %s", text)
			}
		})
	}
}

// A callback belongs to its Run, Begin opens one until Exec, and a Watch goes at
// once too.
func TestDebugElsewhere(t *testing.T) {
	nothing := func(context.Context) error { return nil }
	tests := []struct {
		reason string
		call   func(ctx context.Context, db *pipectx.DB) error
	}{
		{"in a callback", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(run context.Context) error {
				return pipectx.After(run, func(context.Context) error { return do(ctx, db, "INCR", "n").Err() })
			})
		}},
		{"between Begin and Exec", func(ctx context.Context, db *pipectx.DB) error {
			_, p, err := pipectx.Begin(ctx, db)
			if err != nil {
				return err
			}
			do(ctx, db, "INCR", "n")
			return p.Exec()
		}},
		{"in a member of Gather", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
				g.Go(func(context.Context) error { return do(ctx, db, "INCR", "n").Err() })
				return nil
			})
		}},
		{"in an inner Run on another goroutine", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(run context.Context) error {
				failed := make(chan error)
				go func() {
					failed <- pipectx.Run(run, db, func(context.Context) error { return do(ctx, db, "INCR", "n").Err() })
				}()
				return <-failed
			})
		}},
		{"Watch", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(context.Context) error { return pipectx.Watch(ctx, db, nothing, "n") })
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			log := captureLog(t)
			db := embedded(t, pipectx.Debug())
			if err := test.call(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			do(t.Context(), db, "INCR", "n")
			if text := log.String(); strings.Count(text, "goes at once") != 1 {
				t.Errorf("logged: %s", text)
			}
		})
	}
}
