package lock_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// One holds a lock at a time, over all processes, and each holder's fencing token is
// more than that of the one before.
func TestAcquire(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		first, err := jobs.On(db).Acquire(ctx, "a")
		one := fence(t, held(t, first, err))
		_, err = jobs.On(other).TryAcquire(ctx, "a")
		wantErr(t, "while it is held", err, lock.ErrHeld)
		_, err = jobs.On(other).TryAcquire(ctx, "b")
		done(t, "another name", err)
		done(t, "release", first.Release(ctx))
		done(t, "release again", first.Release(ctx))
		wantErr(t, "extend afterwards", first.Extend(ctx), lock.ErrReleased)

		second, err := jobs.On(other).TryAcquire(ctx, "a")
		if two := fence(t, held(t, second, err)); two <= one {
			t.Errorf("the second fencing token is %d, the first %d", two, one)
		}
		if left := second.TTL(); left <= 50*time.Second || left > time.Minute {
			t.Errorf("TTL of a minute: %v", left)
		}
	})
}

// Whoever releases a lock hands it to the one who has waited longest, whatever the
// process.
func TestHandOver(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		first, err := jobs.On(db).Acquire(ctx, "h")
		held(t, first, err)
		key := first.Keys()[0]
		one := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "h") })
		waiting(t, db, key, 1)
		two := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "h") })
		waiting(t, db, key, 2)
		_, err = jobs.On(db).TryAcquire(ctx, "h")
		wantErr(t, "a newcomer", err, lock.ErrHeld)
		last := fence(t, first)
		for _, next := range []<-chan result{one, two} {
			done(t, "release", first.Release(ctx))
			r := <-next
			first = held(t, r.lease, r.err)
			if f := fence(t, first); f <= last {
				t.Errorf("fencing token %d behind %d", f, last)
			} else {
				last = f
			}
		}
		waiting(t, db, key, 0)
	})
}

// A wait is bounded by the lock's Timeout, and by ctx, and leaves no place in the
// queue.
func TestTimeout(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx, patient := t.Context(), lock.New("hasty", lock.Options{})
		first, err := patient.On(db).Acquire(ctx, "t")
		held(t, first, err)
		_, err = hasty.On(other).Acquire(ctx, "t")
		wantErr(t, "Timeout", err, lock.ErrTimeout)

		ours := errors.New("ours")
		ended, end := context.WithCancelCause(ctx)
		next := later(func() (*lock.Lease, error) { return patient.On(other).Acquire(ended, "t") })
		waiting(t, db, first.Keys()[0], 1)
		end(ours)
		wantErr(t, "ctx", (<-next).err, ours)
		waiting(t, db, first.Keys()[0], 0)
	})
}

// Nor does a server that hangs keep anybody for longer, who asks first or in the queue.
// What it has done by then is undone.
func TestTimeoutOfServer(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer, o.ReadTimeout = p.Dial, time.Minute }))
	ctx, other := t.Context(), newDB(t, s.Client(t))
	hung, patient := lock.New("hung", lock.Options{Timeout: time.Second}), lock.New("hung", lock.Options{})
	hang := func(r redistest.Request) redistest.Fate {
		if strings.HasPrefix(r.Name(), "EVAL") {
			return redistest.Hold(nil)
		}
		return redistest.Pass()
	}
	p.On(hang)
	began := time.Now()
	_, err := hung.On(db).Acquire(ctx, "t")
	wantErr(t, "at first", err, lock.ErrTimeout)
	p.On(nil)
	redistest.Until(t, 10*time.Second, "it is free", func() error {
		lease, err := patient.On(other).TryAcquire(ctx, "t")
		if err == nil {
			err = lease.Release(ctx)
		}
		return err
	})

	lease, err := patient.On(other).Acquire(ctx, "q")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return hung.On(db).Acquire(ctx, "q") })
	waiting(t, other, lease.Keys()[0], 1)
	p.On(hang)
	if err := other.Client().ClientKillByFilter(ctx, "TYPE", "pubsub").Err(); err != nil { // so that it asks
		t.Fatal(err)
	}
	wantErr(t, "in the queue", (<-next).err, lock.ErrTimeout)
	waiting(t, other, lease.Keys()[0], 0)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("two timeouts of a second took %v", took)
	}
}

// Fencing tokens grow though the server's clock was set back, for who takes the lock and
// for who is handed it.
func TestClockSetBack(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		first, err := jobs.On(db).Acquire(ctx, "clock")
		held(t, first, err)
		done(t, "release", first.Release(ctx))
		ahead := time.Now().Add(time.Hour).UnixMicro()
		if err := db.Client().HSet(ctx, first.Keys()[0], "fence", ahead).Err(); err != nil {
			t.Fatal(err)
		}
		taken, err := jobs.On(db).Acquire(ctx, "clock")
		one := fence(t, held(t, taken, err))
		next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "clock") })
		waiting(t, db, taken.Keys()[0], 1)
		done(t, "release", taken.Release(ctx))
		r := <-next
		two := fence(t, held(t, r.lease, r.err))
		if one <= ahead || two <= one {
			t.Errorf("behind %d came the fencing tokens %d, taken, and %d, handed over", ahead, one, two)
		}
	})
}

// Where somebody has deleted a lock's state those who wait for it still come first.
func TestStateDeleted(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		lease, err := jobs.On(db).Acquire(ctx, "deleted")
		held(t, lease, err)
		next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "deleted") })
		waiting(t, db, lease.Keys()[0], 1)
		if err := db.Client().Del(ctx, lease.Keys()[0]).Err(); err != nil {
			t.Fatal(err)
		}
		_, err = jobs.On(db).TryAcquire(ctx, "deleted")
		wantErr(t, "a newcomer", err, lock.ErrHeld)
		r := <-next
		held(t, r.lease, r.err)
		waiting(t, db, lease.Keys()[0], 0)
	})
}

// Do releases the lock however its function ends, and hands it a context without a
// pipeline that ends with the lease.
func TestDo(t *testing.T) {
	db, _ := embedded(t)
	ours := errors.New("ours")
	free := func(what string) {
		t.Helper()
		lease, err := jobs.On(db).TryAcquire(t.Context(), "d")
		done(t, what, err)
		if err == nil {
			done(t, what, lease.Release(t.Context()))
		}
	}
	var inner context.Context
	err := jobs.On(db).Do(t.Context(), "d", func(ctx context.Context, lease *lock.Lease) error {
		inner = ctx
		_, err := jobs.On(db).TryAcquire(t.Context(), "d")
		wantErr(t, "inside", err, lock.ErrHeld)
		return ours
	})
	wantErr(t, "its error", err, ours)
	wantErr(t, "its context afterwards", context.Cause(inner), lock.ErrReleased)
	free("behind an error")

	func() {
		defer func() { _ = recover() }()
		_ = jobs.On(db).Do(t.Context(), "d", func(context.Context, *lock.Lease) error { panic("ours") })
	}()
	free("behind a panic")

	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = jobs.On(db).Do(t.Context(), "d", func(context.Context, *lock.Lease) error { runtime.Goexit(); return nil })
	}()
	<-gone
	free("behind a Goexit")

	err = pipectx.Run(t.Context(), newDB(t, redistest.Embedded(t).Client(t)), func(run context.Context) error {
		return jobs.On(db).Do(run, "d", func(ctx context.Context, _ *lock.Lease) error {
			return pipectx.Do[string](ctx, db, "PING").Err()
		})
	})
	done(t, "in a Run of another DB", err)
}

// Inside a Run locks are refused, with the cure.
func TestRefusedInRun(t *testing.T) {
	db, sent := embedded(t)
	lease, err := jobs.On(db).Acquire(t.Context(), "r")
	held(t, lease, err)
	sent.Reset()
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		_, one := jobs.On(db).Acquire(ctx, "x")
		two := jobs.On(db).Do(ctx, "x", func(context.Context, *lock.Lease) error { return nil })
		_, three := plans.On(db).AcquireRead(ctx, "x")
		for _, err := range []error{one, two, three, lease.Extend(ctx), lease.Release(ctx), calls.On(db).Wait(ctx, "x")} {
			if err == nil || !strings.Contains(err.Error(), "pipectx.Detach") {
				t.Errorf("inside a Run: %v", err)
			}
		}
		return nil
	})
	done(t, "the Run", err)
	if sent.String() != "" {
		t.Errorf("sent:\n%s", sent)
	}
}

// What cannot work is refused at start-up.
func TestWrongOptions(t *testing.T) {
	for _, row := range []struct {
		reason, prefix string
		options        lock.Options
		says           string
	}{
		{"the server counts milliseconds", "a", lock.Options{TTL: time.Microsecond}, "less than a millisecond"},
		{"a lease must end", "a", lock.Options{TTL: -1}, "less than a millisecond"},
		{"nobody means it", "a", lock.Options{TTL: 400 * 24 * time.Hour}, "more than a year"},
		{"names go between the braces", "a{b}", lock.Options{}, "braces"},
		{"it would be anybody's key", "", lock.Options{}, "empty"},
		{"it becomes the hash tag", "a", lock.Options{Slot: "{x}"}, "braces"},
	} {
		if _, err := lock.TryNew(row.prefix, row.options); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.reason, err)
		}
	}
	db, _ := embedded(t)
	if _, err := jobs.On(db).Acquire(t.Context(), ""); err == nil {
		t.Error("an empty name was taken")
	}
	if _, err := lock.TryNewSemaphore("s", 0, lock.Options{}); err == nil {
		t.Error("a semaphore without permits was taken")
	}
	if _, err := lock.TryNewLimiter("s", lock.SlidingWindow(0, time.Second)); err == nil {
		t.Error("a limit of nothing was taken")
	}
}

// What is refused at start-up names the line that declares it.
func TestWrongOptionsSayWhere(t *testing.T) {
	wrong := lock.Options{TTL: -1}
	for kind, declare := range map[string]func(){
		"a mutex":     func() { lock.New("a", wrong) },
		"an RW":       func() { lock.NewRW("a", wrong) },
		"a semaphore": func() { lock.NewSemaphore("a", 1, wrong) },
		"a quorum":    func() { lock.NewQuorum("a", wrong) },
		"a limiter":   func() { lock.NewLimiter("a", lock.Rate{}) },
	} {
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.HasPrefix(said, "lock_test.go:") {
					t.Errorf("%s: %s", kind, said)
				}
			}()
			declare()
		}()
	}
}

// Different names never share a key, and names with a hash tag of another slot do
// not leave theirs.
func TestNames(t *testing.T) {
	db, _ := embedded(t)
	seen := map[string]string{}
	for _, l := range []*lock.Lock{jobs, placed} {
		for _, name := range []string{"a", "a:queue", "a:holders", "{a}", "a}", "%7Ba%7D", "a%3Aqueue"} {
			lease, err := l.On(db).TryAcquire(t.Context(), name)
			held(t, lease, err)
			for _, key := range []string{lease.Keys()[0], lease.Keys()[0] + ":queue"} {
				if other, is := seen[key]; is {
					t.Errorf("%s is a key of %q and of %q", key, other, name)
				}
				seen[key] = name
			}
			if got := fmt.Sprint(pipectx.Slot(lease.Keys()[0])); l == placed && got != fmt.Sprint(pipectx.Slot("{here}")) {
				t.Errorf("%q is in slot %s", name, got)
			}
		}
	}
}
