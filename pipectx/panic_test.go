package pipectx_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// senders are the ways in which a caller's functions come to be called: by its own
// goroutine, or by one that works for it and in which nobody could recover a panic.
var senders = []struct {
	name    string
	options []pipectx.Option
	play    func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error
}{
	{"at once", nil, atOnce},
	{"Coalesce", []pipectx.Option{pipectx.Coalesce()}, atOnce},
	{"Run", nil, func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
		return pipectx.Run(ctx, db, func(ctx context.Context) error { queue(ctx); return nil })
	}},
	{"Await", nil, func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
		return pipectx.Run(ctx, db, func(ctx context.Context) error {
			_, err := pipectx.Await(ctx, queue(ctx))
			return err
		})
	}},
	{"Atomic", nil, func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error { queue(ctx); return nil })
	}},
	{"Gather", nil, func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
		return pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
			g.Go(func(ctx context.Context) error {
				_, err := pipectx.Await(ctx, queue(ctx))
				return err
			})
			return nil
		})
	}},
	{"Stream", nil, func(ctx context.Context, db *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
		return pipectx.Stream(ctx, db, func(ctx context.Context) error {
			queue(ctx)
			for range 1_000 { // a chunk
				do(ctx, db, "PING")
			}
			return nil
		})
	}},
}

func atOnce(ctx context.Context, _ *pipectx.DB, queue func(ctx context.Context) *pipectx.Ref[any]) error {
	return queue(ctx).Err()
}

// culprits send a command whose caller's function is left in an odd way. The key
// "text" holds one, so that LPUSH is refused.
var culprits = map[string]func(ctx context.Context, db *pipectx.DB, leave func()) *pipectx.Ref[any]{
	"decoder": func(ctx context.Context, db *pipectx.DB, leave func()) *pipectx.Ref[any] {
		return pipectx.Send(ctx, db, pipectx.NewCommand("PING"), func(pipectx.Reply) (any, error) { leave(); return nil, nil })
	},
	"OnError": func(ctx context.Context, db *pipectx.DB, leave func()) *pipectx.Ref[any] {
		c := pipectx.NewCommand("LPUSH")
		c.Key("text")
		c.Word("x")
		c.OnError(func(err *pipectx.ServerError) error { leave(); return err })
		return pipectx.Send(ctx, db, c, func(r pipectx.Reply) (any, error) { return r.Int() })
	},
}

// eachLeave calls test for each sender and those culprits. What play sends is the
// culprit and, in a pipeline, an INCR behind it, whose Ref is left in next.
func eachLeave(t *testing.T, who []string, leave func(), test func(t *testing.T, db *pipectx.DB, play func() error, next **pipectx.Ref[any])) {
	for _, s := range senders {
		for _, what := range who {
			t.Run(s.name+" "+what, func(t *testing.T) {
				db := newDB(t, redistest.Shared(t).Client(t), s.options...)
				do(t.Context(), db, "SET", "text", "x")
				var next *pipectx.Ref[any]
				test(t, db, func() error {
					return s.play(t.Context(), db, func(ctx context.Context) *pipectx.Ref[any] {
						ref := culprits[what](ctx, db, leave)
						next = do(ctx, db, "INCR", "n")
						return ref
					})
				}, &next)
				within(t, 5*time.Second, "what comes later", func() {
					for range 5 { // more than Coalesce has under way
						want(t, "what comes later", do(t.Context(), db, "PING"), any("PONG"))
					}
				})
			})
		}
	}
}

// A panic of a decoder or of OnError's function is raised where the caller can
// recover it, and leaves no other command without its answer.
func TestPanicIsTheCallers(t *testing.T) {
	eachLeave(t, []string{"decoder", "OnError"}, func() { panic(errOurs) }, func(t *testing.T, _ *pipectx.DB, play func() error, next **pipectx.Ref[any]) {
		func() {
			defer func() {
				if raised := recover(); raised != errOurs {
					t.Errorf("raised is %v, want what the function raised", raised)
				}
			}()
			t.Errorf("it returns %v", play())
		}()
		if *next != nil {
			want(t, "the command behind", *next, any(int64(1)))
		}
	})
}

// A decoder that calls runtime.Goexit ends its goroutine and nothing else: no Ref stays
// pending, nobody waits for ever, and who returns says that something is missing.
func TestGoexitIsTheCallers(t *testing.T) {
	eachLeave(t, []string{"decoder"}, runtime.Goexit, func(t *testing.T, db *pipectx.DB, play func() error, next **pipectx.Ref[any]) {
		within(t, 5*time.Second, "it", func() {
			if err := play(); err == nil {
				t.Error("it returns nil")
			}
		})
		if *next != nil && errors.Is((*next).Err(), pipectx.ErrPending) {
			t.Error("the command behind is pending for ever")
		}
	})
}

// A noisy observer panics whenever it is told something.
type noisy struct{}

func (noisy) Flushed(context.Context, pipectx.Flush) { panic("heard of a flush") }
func (noisy) Unread(error)                           { panic("heard of an error") }

// An observer that panics is told of by slog, and is nobody else's trouble.
func TestObserverPanics(t *testing.T) {
	says := func(log *logged, text string) func() error {
		return func() error {
			runtime.GC() // what was not read is known then
			if !strings.Contains(log.String(), text) {
				return errors.New("the log is silent")
			}
			return nil
		}
	}
	for _, s := range senders {
		t.Run(s.name, func(t *testing.T) {
			log := captureLog(t)
			db := newDB(t, redistest.Shared(t).Client(t), append(s.options, pipectx.Observe(noisy{}))...)
			var ref *pipectx.Ref[any]
			err := s.play(t.Context(), db, func(ctx context.Context) *pipectx.Ref[any] {
				ref = do(ctx, db, "INCR", "n")
				return ref
			})
			if err != nil {
				t.Error(err)
			}
			want(t, "the command", ref, any(int64(1)))
			redistest.Until(t, 10*time.Second, "the log", says(log, "heard of a flush"))
		})
	}
	t.Run("Unread", func(t *testing.T) {
		log := captureLog(t)
		db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(noisy{}))
		do(t.Context(), db, "GET", "too", "many")
		redistest.Until(t, 10*time.Second, "the log", says(log, "heard of an error"))
	})
}

// A decoder's panic that fn recovers hides no failure of those that were sent with
// it.
func TestRecoveredPanicHidesNothing(t *testing.T) {
	recovered := func(fn func()) {
		defer func() { _ = recover() }()
		fn()
	}
	for _, name := range []string{"Await", "Stream"} {
		t.Run(name, func(t *testing.T) {
			db := newDB(t, redistest.Shared(t).Client(t))
			do(t.Context(), db, "SET", "text", "x")
			play := pipectx.Run
			if name == "Stream" {
				play = pipectx.Stream
			}
			err := play(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, "INCR", "text")
				ref := culprits["decoder"](ctx, db, func() { panic(errOurs) })
				if name == "Await" {
					recovered(func() { _, _ = pipectx.Await(ctx, ref) })
				}
				for range 5_000 { // of a Stream: chunks, of which one finds the panic
					recovered(func() { do(ctx, db, "PING") })
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), "INCR text") {
				t.Errorf("it answers %v, want that INCR was refused", err)
			}
		})
	}
}

// A callback's panic that a Stream's fn recovers costs no other callback.
func TestRecoveredCallback(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	const chunk = 1_000
	called, raised := 0, 0
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		for range chunk {
			_ = pipectx.After(ctx, func(context.Context) error {
				if called++; called == 10 {
					panic(errOurs)
				}
				return nil
			})
			do(ctx, db, "PING")
		}
		for range 2 * chunk {
			func() {
				defer func() {
					if recover() != nil {
						raised++
					}
				}()
				do(ctx, db, "PING")
			}()
		}
		return nil
	})
	if err != nil || called != chunk || raised != 1 {
		t.Errorf("%d callbacks, %d panics, %v; want %d and 1", called, raised, err, chunk)
	}
}

// A command without a word is refused like any that cannot be encoded.
func TestCommandWithoutAWord(t *testing.T) {
	for what, options := range map[string][]pipectx.Option{
		"alone":              nil,
		"before an Observer": {pipectx.Observe(newWitness())},
		"shared":             {pipectx.Coalesce(), pipectx.Observe(newWitness())},
	} {
		t.Run(what, func(t *testing.T) {
			db := newDB(t, redistest.Shared(t).Client(t), options...)
			err := pipectx.Send(t.Context(), db, pipectx.NewCommand(), pipectx.Reply.OK).Err()
			if err == nil || !strings.Contains(err.Error(), "without a word") {
				t.Errorf("it answers %v", err)
			}
		})
	}
}
