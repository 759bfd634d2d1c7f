package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// raise reads a number and writes the next one, in an Atomic of its own.
func raise(ctx context.Context, db *pipectx.DB, key string) error {
	n, err := pipectx.Do[int64](ctx, db, "GET", key).Result()
	if err != nil && !errors.Is(err, pipectx.ErrNotFound) {
		return err
	}
	return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
		do(ctx, db, "SET", key, n+1)
		do(ctx, db, "RPUSH", "{"+key+"}log", n+1)
		return nil
	})
}

// Of many who read and write one key, none overwrites another.
func TestWatch(t *testing.T) {
	test := func(t *testing.T, client redis.UniversalClient) {
		db := newDB(t, client)
		const callers, times = 6, 10
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for range times {
					err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error { return raise(ctx, db, "n") }, "n")
					for errors.Is(err, pipectx.ErrConflict) { // 32 lost in a row: on a busy machine it may be
						err = pipectx.Watch(t.Context(), db, func(ctx context.Context) error { return raise(ctx, db, "n") }, "n")
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), callers*times)
		want(t, "the log", pipectx.Do[int64](t.Context(), db, "LLEN", "{n}log"), callers*times)
		for range 20 { // each connection of the pool: none is still watching
			if err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil }); err != nil {
				t.Error(err)
			}
		}
	}
	t.Run("server", func(t *testing.T) { test(t, redistest.Shared(t).Client(t)) })
	t.Run("cluster", func(t *testing.T) { test(t, redistest.Cluster(t).Client(t)) })
	t.Run("embedded", func(t *testing.T) { test(t, redistest.Embedded(t).Client(t)) })
}

// A conflict has fn called again; what the Atomic that lost had queued says so.
func TestWatchConflict(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	calls := 0
	var refs []*pipectx.Ref[any]
	err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error {
		calls++
		if calls < 3 {
			client.Incr(ctx, "n")
		}
		_ = pipectx.Atomic(ctx, db, func(ctx context.Context) error { // fn need not hand its error on
			refs = append(refs, do(ctx, db, "INCRBY", "n", 100))
			return nil
		})
		return nil
	}, "other", "n")
	if err != nil || calls != 3 || stored(t, client, "n") != "102" {
		t.Errorf("%v after %d calls, n is %s; want 3 calls and 102", err, calls, stored(t, client, "n"))
	}
	for i, ref := range refs[:2] {
		wantErr(t, "try "+strconv.Itoa(i), ref.Err(), pipectx.ErrConflict)
	}

	calls = 0
	err = pipectx.Watch(t.Context(), db, func(ctx context.Context) error {
		calls++
		client.Incr(ctx, "n")
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error { do(ctx, db, "DEL", "n"); return nil })
	}, "n")
	wantErr(t, "a Watch that always loses", err, pipectx.ErrConflict)
	if calls != 32 || stored(t, client, "n") != "134" {
		t.Errorf("%d calls, n is %s; want 32 and 134", calls, stored(t, client, "n"))
	}
}

// Whatever way fn ends, the connection is given back and watches nothing.
func TestWatchEnds(t *testing.T) {
	s := redistest.Shared(t)
	client := s.Client(t, func(o *redis.Options) { o.PoolSize, o.PipelinePoolSize = 2, -1 })
	db := newDB(t, client)
	guarded := func(ctx context.Context) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
	}
	tests := map[string]func(ctx context.Context) error{
		"nil without an Atomic":     func(context.Context) error { return nil },
		"an error":                  func(context.Context) error { return errOurs },
		"an error after the Atomic": func(ctx context.Context) error { return errors.Join(guarded(ctx), errOurs) },
		"a panic":                   func(context.Context) error { panic(errOurs) },
		"an empty Atomic": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(context.Context) error { return nil })
		},
		"an Atomic that fails": func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return errOurs })
		},
	}
	other := s.Client(t)
	for what, fn := range tests {
		t.Run(what, func(t *testing.T) {
			for _, ctx := range []context.Context{t.Context(), context.Background()} {
				func() {
					defer func() { _ = recover() }()
					err := pipectx.Watch(ctx, db, fn, "n")
					if err != nil && err != errOurs && !errors.Is(err, errOurs) {
						t.Error(err)
					}
				}()
				other.Incr(t.Context(), "n") // what a forgotten watch would see
				for range 2 {                // whichever connection
					if err := guarded(t.Context()); err != nil {
						t.Errorf("an Atomic afterwards: %v", err)
					}
				}
			}
		})
	}
}

func TestWatchRefused(t *testing.T) {
	db := newDB(t, redistest.Cluster(t).Client(t))
	nothing := func(context.Context) error { t.Error("fn is called"); return nil }
	atomic := func(ctx context.Context, key string) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", key); return nil })
	}
	tests := []struct {
		reason, text string
		watch        func(ctx context.Context) error
	}{
		{"a Run sends nothing before it ends", "Watch inside a Run", func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error { return pipectx.Watch(ctx, db, nothing, "n") })
		}},
		{"nothing to watch", "needs the keys", func(ctx context.Context) error { return pipectx.Watch(ctx, db, nothing) }},
		{"one that waits for the other's connection would wait for ever", "Watch inside a Watch", func(ctx context.Context) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error { return pipectx.Watch(ctx, db, nothing, "a") }, "a")
		}},
		{"keys of two slots", "different slots", func(ctx context.Context) error { return pipectx.Watch(ctx, db, nothing, "a", "b") }},
		{"an Atomic of another slot", "different slots", func(ctx context.Context) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error { return atomic(ctx, "b") }, "a")
		}},
		{"EXEC ends the watch", "a second Atomic", func(ctx context.Context) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error { return errors.Join(atomic(ctx, "a"), atomic(ctx, "a")) }, "a")
		}},
		{"its answer would come when the Run ends", "Atomic in a Run or a callback of a Watch", func(ctx context.Context) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error { return atomic(ctx, "a") })
			}, "a")
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if err := test.watch(t.Context()); err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("it answers %v, want %q", err, test.text)
			}
		})
	}
	_ = db.Close()
	wantErr(t, "a closed DB", pipectx.Watch(t.Context(), db, nothing, "n"), pipectx.ErrClosed)
}

// A detached context is outside of the Watch, an Atomic in its Atomic inside.
func TestWatchContext(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	incr := func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil }
	err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			return errors.Join(incr(ctx), pipectx.Atomic(ctx, db, incr))
		})
	}, "n")
	if err != nil || stored(t, client, "n") != "2" {
		t.Errorf("%v, n is %s; want 2", err, stored(t, client, "n"))
	}
	calls := 0
	err = pipectx.Watch(t.Context(), db, func(ctx context.Context) error {
		if calls++; calls == 1 {
			if err := pipectx.Atomic(pipectx.Detach(ctx), db, incr); err != nil {
				return err
			}
		}
		return pipectx.Atomic(ctx, db, incr)
	}, "n")
	if err != nil || calls != 2 || stored(t, client, "n") != "4" {
		t.Errorf("%v after %d calls, n is %s; want 2 calls and 4", err, calls, stored(t, client, "n"))
	}
}

// While its slot is being moved a Watch goes where the slot's keys are.
func TestWatchMigration(t *testing.T) {
	cluster := redistest.NewCluster(t)
	db := newDB(t, cluster.Client(t))
	add := func() {
		t.Helper()
		err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error { return raise(ctx, db, "n") }, "n")
		if err != nil {
			t.Error(err)
		}
	}
	add()
	m := cluster.Migrate(t, "n")
	add() // still at home
	m.Move(t, "n", "{n}log")
	add() // ASK
	m.Finish(t)
	add() // MOVED
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 4)
	want(t, "the log", pipectx.Do[int64](t.Context(), db, "LLEN", "{n}log"), 4)
}

// When its answer is lost, or the caller goes away, a Watch is not done again.
func TestWatchLost(t *testing.T) {
	server := redistest.Server(t)
	db := newDB(t, server.Client(t, func(o *redis.Options) { o.ReadTimeout = 0 }))
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := pipectx.Watch(ctx, db, func(ctx context.Context) error {
		calls++
		server.Pause(t)
		cancelled := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			do(ctx, db, "INCR", "n")
			go cancel()
			return nil
		})
		return cancelled
	}, "n")
	server.Resume(t)
	if calls != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d calls, %v", calls, err)
	}
	if !errors.Is(err, pipectx.ErrOutcomeUnknown) && !errors.Is(err, pipectx.ErrNotSent) {
		t.Errorf("it does not say what became of the Atomic: %v", err)
	}
}

// A caller who went away while WATCH had no answer leaves no connection behind that
// watches: the next Atomic on it would fail for no reason.
func TestWatchAbandoned(t *testing.T) {
	proxy := redistest.NewProxy(t)
	server := redistest.Shared(t)
	client := server.Client(t, func(o *redis.Options) { o.Dialer, o.PoolSize, o.PipelinePoolSize = proxy.Dial, 2, -1 })
	db := newDB(t, client)
	open, heard := make(chan struct{}), make(chan struct{})
	proxy.On(func(r redistest.Request) redistest.Fate {
		if r.Name() == "WATCH" {
			close(heard)
			return redistest.Hold(open)
		}
		return redistest.Pass()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-heard
		cancel()
	}()
	err := pipectx.Watch(ctx, db, func(context.Context) error { t.Error("fn is called"); return nil }, "n")
	wantErr(t, "Watch", err, context.Canceled)
	close(open)
	redistest.Until(t, 10*time.Second, "the connection to come back", func() error {
		if s := client.PoolStats(); s.IdleConns != s.TotalConns {
			return fmt.Errorf("%d of %d are idle", s.IdleConns, s.TotalConns)
		}
		return nil
	})
	server.Client(t).Incr(t.Context(), "n") // what a forgotten watch would see
	for range 4 {
		err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
		if err != nil {
			t.Error(err)
		}
	}
}
