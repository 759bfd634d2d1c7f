package lock_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Several names are held together or not at all, with one fencing token.
func TestAcquireAll(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		b, err := placed.On(db).Acquire(ctx, "b")
		before := fence(t, held(t, b, err))
		_, err = placed.On(other).TryAcquireAll(ctx, "c", "b", "a")
		wantErr(t, "one of them is held", err, lock.ErrHeld)
		a, err := placed.On(db).TryAcquire(ctx, "a")
		held(t, a, err)
		done(t, "release what must be free", a.Release(ctx))

		next := later(func() (*lock.Lease, error) { return placed.On(other).AcquireAll(ctx, "c", "b", "a", "b") })
		waiting(t, db, b.Keys()[0], 1)
		_, err = placed.On(db).TryAcquire(ctx, "a")
		wantErr(t, "what is held while it waits for the rest", err, lock.ErrHeld)
		c, err := placed.On(db).TryAcquire(ctx, "c")
		held(t, c, err)
		done(t, "release", b.Release(ctx))
		waiting(t, db, c.Keys()[0], 1)
		done(t, "release", c.Release(ctx))
		r := <-next
		all := held(t, r.lease, r.err)
		if now := fence(t, all); now <= before || len(all.Keys()) != 3 {
			t.Errorf("fencing token %d behind %d, keys %v", now, before, all.Keys())
		}
		done(t, "extend", all.Extend(ctx))
		done(t, "release", all.Release(ctx))
		c, err = placed.On(db).TryAcquireAll(ctx, "a", "b", "c")
		held(t, c, err)
	})
}

// Those who want the same names in any order never wait in a circle.
func TestAcquireAllInCircles(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	names := []string{"a", "b", "c"}
	var inside [3]atomic.Int32
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 20 {
				two := []string{names[(g+i)%3], names[(g+i+1)%3]}
				err := placed.On(db).DoAll(t.Context(), two, func(context.Context, *lock.Lease) error {
					for _, n := range two {
						at := &inside[n[0]-'a']
						if at.Add(1) != 1 {
							t.Errorf("two hold %s", n)
						}
						defer at.Add(-1)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// On a Cluster names of several slots are refused before anything is sent, with the
// cure.
func TestAcquireAllCrossesSlots(t *testing.T) {
	db := newDB(t, redistest.Cluster(t).Client(t))
	_, err := jobs.On(db).AcquireAll(t.Context(), "a", "b")
	if err == nil || !strings.Contains(err.Error(), "Options.Slot") {
		t.Errorf("two slots: %v", err)
	}
}

// A context that belongs to a lease shares it by option; else waiting for it would be
// waiting for oneself, and is refused.
func TestReentrancy(t *testing.T) {
	everywhere(t, func(t *testing.T, db, _ *pipectx.DB) {
		err := jobs.On(db).Do(t.Context(), "r", func(ctx context.Context, _ *lock.Lease) error {
			_, err := jobs.On(db).Acquire(ctx, "r")
			wantErr(t, "without the option", err, lock.ErrReentered)
			done(t, "another name", jobs.On(db).Do(ctx, "r2", nothing))
			return nil
		})
		done(t, "Do", err)
		var outer *lock.Lease
		err = again.On(db).Do(t.Context(), "r", func(ctx context.Context, lease *lock.Lease) error {
			outer = lease
			err := again.On(db).Do(ctx, "r", func(ctx context.Context, inner *lock.Lease) error {
				if inner != lease {
					t.Error("it is another lease")
				}
				return ctx.Err()
			})
			done(t, "inside", err)
			done(t, "the lease behind", lease.Err())
			return ctx.Err()
		})
		done(t, "Do", err)
		wantErr(t, "the lease at the end", outer.Err(), lock.ErrReleased)
		err = plans.On(db).DoRead(t.Context(), "r", func(ctx context.Context, _ *lock.Lease) error {
			_, err := plans.On(db).AcquireWrite(ctx, "r")
			return err
		})
		wantErr(t, "a reader that would write", err, lock.ErrReentered)
	})
}

// Many read, or one writes. A writer that waits is before the readers that come later.
func TestRW(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		one, err := plans.On(db).AcquireRead(ctx, "p")
		held(t, one, err)
		two, err := plans.On(other).TryAcquireRead(ctx, "p")
		held(t, two, err)
		if fence(t, two) <= fence(t, one) {
			t.Error("the second reader's fencing token is not more")
		}
		_, err = plans.On(db).TryAcquireWrite(ctx, "p")
		wantErr(t, "a writer", err, lock.ErrHeld)
		writer := later(func() (*lock.Lease, error) { return plans.On(db).AcquireWrite(ctx, "p") })
		waiting(t, db, one.Keys()[0], 1)
		_, err = plans.On(other).TryAcquireRead(ctx, "p")
		wantErr(t, "a reader behind a writer that waits", err, lock.ErrHeld)
		three := later(func() (*lock.Lease, error) { return plans.On(other).AcquireRead(ctx, "p") })
		waiting(t, db, one.Keys()[0], 2)
		four := later(func() (*lock.Lease, error) { return plans.On(db).AcquireRead(ctx, "p") })
		waiting(t, db, one.Keys()[0], 3)

		done(t, "release", one.Release(ctx))
		waiting(t, db, one.Keys()[0], 3)
		done(t, "release", two.Release(ctx))
		w := <-writer
		held(t, w.lease, w.err)
		waiting(t, db, one.Keys()[0], 2)
		done(t, "extend", w.lease.Extend(ctx))
		done(t, "release", w.lease.Release(ctx))
		for _, next := range []<-chan result{three, four} {
			r := <-next
			held(t, r.lease, r.err)
			done(t, "extend", r.lease.Extend(ctx))
		}
	})
}

// What is shared in a declared slot is shared as elsewhere, and all its keys are there.
func TestSharedInSlot(t *testing.T) {
	filed := lock.NewRW("filed", lock.Options{Slot: "here"})
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		a, err := filed.On(db).AcquireRead(ctx, "a")
		held(t, a, err)
		b, err := filed.On(other).AcquireRead(ctx, "a")
		held(t, b, err)
		if n, err := db.Client().ZCard(ctx, "filed{here}:a:holders").Result(); n != 2 || err != nil {
			t.Errorf("%d hold it there, %v, want 2", n, err)
		}
		_, err = filed.On(db).TryAcquireWrite(ctx, "a")
		wantErr(t, "write while two read", err, lock.ErrHeld)
		done(t, "release", a.Release(ctx))
		done(t, "release", b.Release(ctx))
		w, err := filed.On(db).TryAcquireWrite(ctx, "a")
		held(t, w, err)
	})
}

// A semaphore has so many permits; that of a holder who died is free when its time has
// passed.
func TestSemaphore(t *testing.T) {
	short := lock.NewSemaphore("short", 2, lock.Options{TTL: 100 * time.Millisecond, Fixed: true})
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		var all []*lock.Lease
		for range 3 {
			l, err := permits.On(db).TryAcquire(ctx, "s")
			all = append(all, held(t, l, err))
		}
		_, err := permits.On(other).TryAcquire(ctx, "s")
		wantErr(t, "a fourth", err, lock.ErrHeld)
		next := later(func() (*lock.Lease, error) { return permits.On(other).Acquire(ctx, "s") })
		waiting(t, db, all[0].Keys()[0], 1)
		done(t, "release", all[1].Release(ctx))
		r := <-next
		held(t, r.lease, r.err)

		for range 2 {
			_, err := short.On(db).TryAcquire(ctx, "s") // and nobody releases it
			done(t, "acquire", err)
		}
		r = <-later(func() (*lock.Lease, error) { return short.On(other).Acquire(ctx, "s") })
		held(t, r.lease, r.err)
	})
}

// However many ask, a semaphore never has more holders than permits.
func TestSemaphoreIsExact(t *testing.T) {
	s := redistest.Shared(t)
	var inside, most, served atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		db := newDB(t, s.Client(t))
		for range 8 {
			all.Go(func() {
				for range 20 {
					err := permits.On(db).Do(t.Context(), "x", func(context.Context, *lock.Lease) error {
						now := inside.Add(1)
						for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
						}
						served.Add(1)
						inside.Add(-1)
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if most.Load() > 3 || served.Load() != 4*8*20 {
		t.Errorf("%d at once, %d served", most.Load(), served.Load())
	}
}

// A limiter allows what its rate says, all or none of a number, and tells when to come
// again.
func TestLimiter(t *testing.T) {
	everywhere(t, func(t *testing.T, db, _ *pipectx.DB) {
		for name, l := range map[string]lock.BoundLimiter{"window": calls.On(db), "bucket": drops.On(db)} {
			allow := func(n int) lock.Verdict {
				v, err := l.AllowN(t.Context(), "c", n).Result()
				if err != nil {
					t.Fatal(name, err)
				}
				return v
			}
			if v := allow(2); !v.Allowed || v.Left != 1 || v.RetryAfter != 0 {
				t.Errorf("%s: two of three: %+v", name, v)
			}
			if v := allow(2); v.Allowed || v.Left != 1 || v.RetryAfter <= 0 || v.RetryAfter > time.Minute {
				t.Errorf("%s: two more: %+v", name, v)
			}
			if v := allow(1); !v.Allowed || v.Left != 0 {
				t.Errorf("%s: one more: %+v", name, v)
			}
			if v := allow(1); v.Allowed {
				t.Errorf("%s: a fourth: %+v", name, v)
			}
			if _, err := l.AllowN(t.Context(), "c", 4).Result(); err == nil {
				t.Errorf("%s: more than it ever allows", name)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			ours := errors.New("ours")
			cancel(ours)
			if err := l.Wait(ctx, "c"); err == nil {
				t.Errorf("%s: Wait with a context that has ended", name)
			}
		}
		// In a Run they queue, as every verb does.
		var refs []*pipectx.Ref[lock.Verdict]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for range 4 {
				refs = append(refs, calls.On(db).Allow(ctx, "run"))
			}
			return nil
		})
		done(t, "Run", err)
		for i, ref := range refs {
			if v, err := ref.Result(); err != nil || v.Allowed != (i < 3) {
				t.Errorf("call %d: %+v, %v", i, v, err)
			}
		}
	})
}

// The embedded server's clock is the test's to move: what a window and a bucket allow
// is exact to the microsecond.
func TestLimiterIsExact(t *testing.T) {
	s := redistest.Embedded(t)
	db := newDB(t, s.Client(t))
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) { s.Embedded().SetTime(now.Add(d)) }
	for name, row := range map[string]struct {
		l       lock.BoundLimiter
		allowed map[time.Duration]int // how many of ten at this time
	}{
		"window": {calls.On(db), map[time.Duration]int{0: 3, time.Minute - time.Microsecond: 0, time.Minute: 3}},
		"bucket": {drops.On(db), map[time.Duration]int{0: 3, time.Second - time.Microsecond: 0, time.Second: 1, 4 * time.Second: 3, time.Hour: 3}},
	} {
		for _, d := range []time.Duration{0, time.Second - time.Microsecond, time.Second, 4 * time.Second, time.Minute - time.Microsecond, time.Minute, time.Hour} {
			want, asked := row.allowed[d]
			if !asked {
				continue
			}
			at(d)
			got, wait := 0, time.Duration(0)
			for range 10 {
				v, err := row.l.Allow(t.Context(), "x").Result()
				done(t, name, err)
				if v.Allowed {
					got++
				}
				wait = v.RetryAfter
			}
			if got != want {
				t.Errorf("%s after %v: %d allowed, want %d", name, d, got, want)
			}
			if wait <= 0 {
				t.Errorf("%s after %v: retry after %v", name, d, wait)
			}
		}
	}
}

// Within no window more is allowed than the rate says, however many ask.
func TestLimiterUnderLoad(t *testing.T) {
	const limit, window = 20, 50 * time.Millisecond
	l := lock.NewLimiter("load", lock.SlidingWindow(limit, window))
	s := redistest.Shared(t)
	var mu sync.Mutex
	var times []float64
	var all sync.WaitGroup
	end := time.Now().Add(400 * time.Millisecond)
	for range 8 {
		db := newDB(t, s.Client(t))
		all.Go(func() {
			for time.Now().Before(end) {
				if _, err := l.On(db).Allow(t.Context(), "x").Result(); err != nil {
					t.Error(err)
				}
				// What is in the log was allowed, at the server's own time.
				log, err := db.Client().ZRangeWithScores(t.Context(), "load{x}", 0, -1).Result()
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				if len(log) > 0 && (len(times) == 0 || log[len(log)-1].Score > times[len(times)-1]) {
					times = append(times, log[len(log)-1].Score)
				}
				mu.Unlock()
				if len(log) > limit {
					t.Errorf("%d within a window", len(log))
				}
			}
		})
	}
	all.Wait()
	if len(times) < limit {
		t.Fatalf("only %d were seen", len(times))
	}
}
