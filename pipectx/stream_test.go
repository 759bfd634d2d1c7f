package pipectx_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A Stream sends while it runs: memory does not grow with the number of
// commands, order per key is kept, and every result arrives once.
func TestStream(t *testing.T) {
	t.Run("one server", func(t *testing.T) { checkStream(t, newDB(t, redistest.Shared(t).Client(t))) })
	t.Run("cluster", func(t *testing.T) { checkStream(t, newDB(t, redistest.Cluster(t).Client(t))) })
}

func checkStream(t *testing.T, db *pipectx.DB) {
	t.Helper()
	const keys = 20
	commands := 1_000_000
	if raceDetector { // ten times as slow
		commands = 100_000
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = "stream{" + string(rune('a'+i)) + "}"
	}
	var last [keys]int64
	var results int
	// What tests before this one left in memory is not the Stream's, but decides when
	// the collector comes; so it comes often.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		for i := range commands {
			key := i % keys
			err := pipectx.Then(ctx, pipectx.Do[int64](ctx, db, "INCR", names[key]), func(n int64, err error) error {
				if err == nil && n != last[key]+1 {
					t.Errorf("key %d goes from %d to %d", key, last[key], n)
				}
				last[key] = n
				results++
				return err
			})
			if err != nil {
				return err
			}
			if i%10_000 == 0 { // with whatever is garbage by then
				runtime.ReadMemStats(&now)
				if now.HeapAlloc > before.HeapAlloc {
					most = max(most, now.HeapAlloc-before.HeapAlloc)
				}
			}
		}
		return nil
	})
	if err != nil || results != commands {
		t.Errorf("%d results, %v; want %d", results, err, commands)
	}
	t.Logf("%d commands, the heap grew by %.1f MiB at most", commands, float64(most)/(1<<20))
	if watched := os.Getenv("REDMOON_KEYS") != ""; most > 64<<20 && !watched { // who watches keys is told of each write
		t.Errorf("the heap grew by %d MiB", most>>20)
	}
}

// A Stream goes out in chunks, each when the one before it is back, the last one
// at the end; an inner Run goes with the chunk in which it commits, or not at all.
func TestStreamChunks(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	rec := redistest.Record(client)
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		for range 999 {
			do(ctx, db, "INCR", "n")
		}
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
			for range 100 {
				do(ctx, db, "INCR", "inner")
			}
			if rec.RoundTrips() != 0 {
				t.Error("an inner Run is sent before it commits")
			}
			return nil
		})
		_ = pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "dropped"); return errOurs })
		do(ctx, db, "SET", "large", strings.Repeat("x", 1<<20))
		wantSent(t, "the first chunk", rec, 1, 1_099)
		do(ctx, db, "INCR", "n")
		wantSent(t, "the second: a mebibyte is a chunk", rec, 2, 1_100)
		return nil
	})
	if err != nil || rec.RoundTrips() != 3 {
		t.Errorf("%d round trips, %v; want 3", rec.RoundTrips(), err)
	}
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 1_000)
	want(t, "dropped", pipectx.Do[bool](t.Context(), db, "EXISTS", "dropped"), false)
}

func wantSent(t *testing.T, what string, rec *redistest.Recorder, trips, commands int) {
	t.Helper()
	if rec.RoundTrips() != trips || rec.Commands() != commands {
		t.Errorf("%s: %d commands in %d round trips, want %d in %d", what, rec.Commands(), rec.RoundTrips(), commands, trips)
	}
}

// What ends a Stream drops what was not sent, keeps what was, and is told: an
// error of fn or of a callback, and a value that cannot be encoded.
func TestStreamFails(t *testing.T) {
	fill := func(ctx context.Context, db *pipectx.DB, n int) (last *pipectx.Ref[any]) {
		for range n {
			last = do(ctx, db, "INCR", "n")
		}
		return last
	}
	tests := []struct {
		reason string
		fn     func(ctx context.Context, db *pipectx.DB) error
		stored int64
		is     error
	}{
		{"fn fails", func(ctx context.Context, db *pipectx.DB) error { fill(ctx, db, 3_000); return errOurs }, 2_000, errOurs},
		{"a callback fails", func(ctx context.Context, db *pipectx.DB) error {
			_ = pipectx.After(ctx, func(context.Context) error { return errOurs })
			last := fill(ctx, db, 7_000)
			if !errors.Is(last.Err(), pipectx.ErrDiscarded) {
				t.Errorf("a verb after that answers %v", last.Err())
			}
			return nil
		}, 1_000, errOurs},
		{"a value cannot be encoded", func(ctx context.Context, db *pipectx.DB) error {
			fill(ctx, db, 3_000)
			do(ctx, db, "SET", "k", make(chan int))
			fill(ctx, db, 3_000)
			return nil
		}, 2_000, nil},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db := embedded(t)
			err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error { return test.fn(ctx, db) })
			if err == nil || test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("Stream answers %v, want %v", err, test.is)
			}
			want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), test.stored)
		})
	}
}

// Failures of commands are told in the end, counted, also when fn fails.
func TestStreamFailures(t *testing.T) {
	db := embedded(t)
	for _, fails := range []error{nil, errOurs} {
		err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "SET", "text", "abc")
			for range 10_000 {
				do(ctx, db, "INCR", "text")
			}
			return fails
		})
		var joined *pipectx.RunError
		if !errors.As(err, &joined) || joined.Failed < 9_999 || len(joined.Errors) != 16 || fails != nil && !errors.Is(err, fails) {
			t.Errorf("Stream answers %.200v, want the failures and %v", err, fails)
		}
	}
}

// Behind a lost connection nothing more goes to that node: it would overtake
// what may not have run.
func TestStreamStopsAtALoss(t *testing.T) {
	var heard atomic.Int32
	s := newStage(t, func([]string) string {
		if heard.Add(1) == 2_500 {
			return cut
		}
		return ok
	})
	db := newDB(t, s.client(t))
	var sure, unknown, notSent int
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		for i := range 20_000 {
			_ = pipectx.Then(ctx, do(ctx, db, "SET", i, "v"), func(_ any, err error) error {
				switch {
				case err == nil:
					sure++
				case errors.Is(err, pipectx.ErrOutcomeUnknown):
					unknown++
				case errors.Is(err, pipectx.ErrNotSent):
					notSent++
				default:
					t.Errorf("command %d answers %v", i, err)
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if sure != 2_499 || unknown != 501 || notSent != 17_000 {
		t.Errorf("%d ran, %d unknown, %d not sent; want 2499, 501, 17000", sure, unknown, notSent)
	}
	if n := heard.Load(); n > 3_000 {
		t.Errorf("the server heard %d commands", n)
	}
}

// Inside a Run or Atomic a Stream is refused, with the cure.
func TestStreamInsideRun(t *testing.T) {
	db := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		refused := pipectx.Stream(ctx, db, func(context.Context) error { t.Error("it runs"); return nil })
		if refused == nil || !strings.Contains(refused.Error(), "Detach") {
			t.Errorf("it answers %v", refused)
		}
		return pipectx.Stream(pipectx.Detach(ctx), db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 1)
}

// Goroutines may share a Stream, and callbacks may queue on it.
func TestStreamConcurrently(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	var results atomic.Int64
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5_000 {
					_ = pipectx.Then(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"), func(int64, error) error {
						results.Add(1)
						do(ctx, db, "INCR", "m")
						return nil
					})
				}
			})
		}
		all.Wait()
		return nil
	})
	if err != nil || results.Load() != 40_000 {
		t.Errorf("%d results, %v", results.Load(), err)
	}
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 40_000)
	want(t, "m", pipectx.Do[int64](t.Context(), db, "GET", "m"), 40_000)
}

// A decoder that panics while a chunk is under way, or a callback, does so in
// Stream, not in a goroutine where nobody could recover it.
func TestStreamPanics(t *testing.T) {
	for what, begin := range map[string]func(ctx context.Context, db *pipectx.DB){
		"decoder": func(ctx context.Context, db *pipectx.DB) {
			pipectx.Send(ctx, db, pipectx.NewCommand("PING"), func(pipectx.Reply) (int, error) { panic(errOurs) })
		},
		"callback": func(ctx context.Context, _ *pipectx.DB) {
			_ = pipectx.After(ctx, func(context.Context) error { panic(errOurs) })
		},
	} {
		t.Run(what, func(t *testing.T) {
			db := embedded(t)
			defer func() {
				if raised := recover(); raised != errOurs {
					t.Errorf("Stream raised %v", raised)
				}
			}()
			_ = pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
				begin(ctx, db)
				for range 20_000 {
					do(ctx, db, "PING")
				}
				return nil
			})
			t.Error("Stream returned")
		})
	}
}
