package pipectx_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A hundred members with three dependent steps each cost three round trips,
// and each gets its own answers.
func TestGatherRoundTrips(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	rec := redistest.Record(client)
	got := make([]int64, 100)
	err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
		// Nobody waits before all are there, whatever the scheduler does.
		var start sync.WaitGroup
		start.Add(len(got))
		for i := range got {
			g.Go(func(ctx context.Context) error {
				start.Done()
				start.Wait()
				n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", i, i))
				for range 2 {
					if err == nil {
						n, err = pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", i, n))
					}
				}
				got[i] = n
				return err
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range got {
		if n != int64(4*i) {
			t.Errorf("member %d has %d, want %d", i, n, 4*i)
		}
	}
	// A scheduler that leaves somebody standing for a millisecond costs a trip
	// more; that all go alone would be three hundred. TestGatherExactRoundTrips
	// has a clock that no scheduler moves.
	if trips := rec.RoundTrips(); trips < 3 || trips > 12 {
		t.Errorf("%d round trips, want 3", trips)
	}
}

// Whatever a member does, the others are served: none waits for ever.
func TestGatherNeverDeadlocks(t *testing.T) {
	incr := func(ctx context.Context, db *pipectx.DB) error {
		_, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
		return err
	}
	var mu sync.Mutex
	tests := []struct {
		reason  string
		members []func(ctx context.Context, db *pipectx.DB, g *pipectx.Group) error
		says    string // of Gather's error
		raises  bool
	}{
		{reason: "one holds a lock that another wants", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error {
				mu.Lock()
				defer mu.Unlock()
				return incr(ctx, db)
			},
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error {
				mu.Lock()
				defer mu.Unlock()
				return incr(ctx, db)
			},
		}},
		{reason: "one ends at once", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(context.Context, *pipectx.DB, *pipectx.Group) error { return nil },
		}},
		{reason: "one fails", says: "changed our mind", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(context.Context, *pipectx.DB, *pipectx.Group) error { return errOurs },
		}},
		{reason: "one panics", raises: true, members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(context.Context, *pipectx.DB, *pipectx.Group) error { panic("ours") },
		}},
		{reason: "one calls Goexit", raises: true, members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(context.Context, *pipectx.DB, *pipectx.Group) error { runtime.Goexit(); return nil },
		}},
		{reason: "one is cancelled while it waits", says: "canceled", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return incr(ctx, db)
			},
		}},
		{reason: "one works outside", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, _ *pipectx.Group) error { return incr(ctx, db) },
			func(ctx context.Context, db *pipectx.DB, g *pipectx.Group) error {
				g.Outside(func() { runtime.Gosched() })
				return incr(ctx, db)
			},
		}},
		{reason: "a member starts another and waits for it outside", members: []func(context.Context, *pipectx.DB, *pipectx.Group) error{
			func(ctx context.Context, db *pipectx.DB, g *pipectx.Group) error {
				done := make(chan error, 1)
				g.Go(func(ctx context.Context) error { err := incr(ctx, db); done <- err; return err })
				var err error
				g.Outside(func() { err = <-done })
				return errors.Join(err, incr(ctx, db))
			},
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db := embedded(t)
			within(t, 20*time.Second, "Gather", func() {
				var raised any
				var err error
				func() {
					defer func() { raised = recover() }()
					err = pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
						for _, m := range test.members {
							g.Go(func(ctx context.Context) error { return m(ctx, db, g) })
						}
						return nil
					})
				}()
				if (raised != nil) != test.raises {
					t.Errorf("it raises %v", raised)
				}
				if !test.raises && (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
					t.Errorf("it answers %v, want %q", err, test.says)
				}
			})
		})
	}
}

// Members that wait for each other over a channel, without Outside, are served
// when nobody has moved for a while.
func TestGatherBlockedMember(t *testing.T) {
	db := embedded(t)
	within(t, 20*time.Second, "Gather", func() {
		ready := make(chan int64)
		err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
			g.Go(func(ctx context.Context) error {
				n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
				ready <- n
				return err
			})
			g.Go(func(ctx context.Context) error {
				n := <-ready
				_, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", "n", n))
				return err
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 2)
}

// What a member has queued without waiting is sent at the end if it returns
// nil, and dropped if it fails; commands that failed are in Gather's error.
func TestGatherRest(t *testing.T) {
	db := embedded(t)
	var kept, dropped *pipectx.Ref[any]
	err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
		g.Go(func(ctx context.Context) error { kept = do(ctx, db, "SET", "kept", "a"); return nil })
		g.Go(func(ctx context.Context) error { dropped = do(ctx, db, "SET", "dropped", "a"); return errOurs })
		g.Go(func(ctx context.Context) error { do(ctx, db, "GET", "too", "many"); return nil })
		return nil
	})
	var joined *pipectx.RunError
	if !errors.Is(err, errOurs) || !errors.As(err, &joined) || joined.Failed != 1 {
		t.Errorf("Gather answers %v, want our error and one failed command", err)
	}
	if kept.Err() != nil {
		t.Error(kept.Err())
	}
	wantErr(t, "what the failed member queued", dropped.Err(), pipectx.ErrDiscarded)
}

// Inside a Run the members' commands go behind what it has queued.
func TestGatherInsideRun(t *testing.T) {
	db := embedded(t)
	var n int64
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "n")
		err := pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
			g.Go(func(ctx context.Context) (err error) {
				n, err = pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", "n"))
				return err
			})
			return nil
		})
		do(ctx, db, "INCR", "n")
		return err
	})
	if err != nil || n != 2 {
		t.Errorf("the member saw %d, %v; want 2", n, err)
	}
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 3)
}

// Members may nest Runs and use further connections; a thousand of them see
// each other's writes once each.
func TestGatherMany(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Connection("b", redistest.Embedded(t).Client(t)))
	other, err := db.Conn("b")
	if err != nil {
		t.Fatal(err)
	}
	var sum atomic.Int64
	var mu sync.Mutex
	var seen []int64
	err = pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
		for range 1000 {
			g.Go(func(ctx context.Context) error {
				var a, b *pipectx.Ref[int64]
				if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					a = pipectx.Do[int64](ctx, db, "INCR", "a")
					b = pipectx.Do[int64](ctx, other, "INCR", "b")
					return nil
				}); err != nil {
					return err
				}
				x, err := pipectx.Await(ctx, a)
				y, err2 := pipectx.Await(ctx, b)
				sum.Add(y)
				mu.Lock()
				seen = append(seen, x)
				mu.Unlock()
				return errors.Join(err, err2)
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 1000 || sum.Load() != 1000*1001/2 {
		t.Errorf("%d different answers, sum %d", len(slices.Compact(seen)), sum.Load())
	}
}

// A member that comes when its Gather has returned is reported: nobody else would
// see its error.
func TestGatherIsOver(t *testing.T) {
	w := newWitness()
	captureLog(t)
	db := embedded(t, pipectx.Observe(w))
	var kept *pipectx.Group
	if err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error { kept = g; return nil }); err != nil {
		t.Fatal(err)
	}
	kept.Go(func(context.Context) error { t.Error("it is called"); return nil })
	wantErr(t, "the report", <-w.unread, pipectx.ErrEnded)
}
