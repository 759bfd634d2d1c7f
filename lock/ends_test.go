package lock_test

import (
	"context"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	minute  = lock.Options{TTL: time.Minute, Fixed: true, Timeout: -1}
	ending  = lock.New("ending", minute)
	ending2 = lock.New("ending2", lock.Options{TTL: time.Minute, Fixed: true, Timeout: -1, Slot: "here"})
	ending1 = lock.NewSemaphore("ending1", 1, minute)
	endings = lock.NewRW("endings", minute)
)

// An acquiring is a way to hold a lock of some kind, and one that it excludes, as that
// does itself.
type acquiring struct {
	kind      string
	this, try func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error)
}

var acquirings = []acquiring{
	{"mutex",
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) { return ending.On(db).Acquire(ctx, "e") },
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return ending.On(db).TryAcquire(ctx, "e")
		}},
	{"two at once",
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return ending2.On(db).AcquireAll(ctx, "e", "f")
		},
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return ending2.On(db).TryAcquireAll(ctx, "f", "e")
		}},
	{"permit",
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return ending1.On(db).Acquire(ctx, "e")
		},
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return ending1.On(db).TryAcquire(ctx, "e")
		}},
	{"reader, then writer",
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return endings.On(db).AcquireRead(ctx, "r")
		},
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return endings.On(db).TryAcquireWrite(ctx, "r")
		}},
	{"writer",
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return endings.On(db).AcquireWrite(ctx, "w")
		},
		func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
			return endings.On(db).TryAcquireWrite(ctx, "w")
		}},
}

// A lease ends by the server's clock, to the microsecond, whatever the holder's says. From
// then on the server knows that holder no more: it cannot prolong the lease, nor release
// what somebody else has.
func TestEndsExactly(t *testing.T) {
	s := redistest.Embedded(t)
	db, other := newDB(t, s.Client(t)), newDB(t, s.Client(t))
	now, ctx := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), t.Context()
	pass := func(d time.Duration) {
		now = now.Add(d)
		s.Embedded().SetTime(now)
	}
	for _, a := range acquirings {
		for what, late := range map[string]func(*lock.Lease) error{
			a.kind + ", extended": func(l *lock.Lease) error { return l.Extend(ctx) },
			a.kind + ", released": func(l *lock.Lease) error { return l.Release(ctx) },
		} {
			pass(0)
			first, err := a.this(ctx, db)
			one := fence(t, held(t, first, err))
			pass(time.Second)
			done(t, what+": extend", first.Extend(ctx))
			pass(time.Minute - time.Microsecond)
			_, err = a.try(ctx, other)
			wantErr(t, what+": a microsecond before", err, lock.ErrHeld)
			pass(time.Microsecond)
			second, err := a.try(ctx, other)
			if two := fence(t, held(t, second, err)); two <= one {
				t.Errorf("%s: fencing token %d behind %d", what, two, one)
			}
			wantErr(t, what+" when it is over", late(first), lock.ErrLost)
			_, err = a.try(ctx, db)
			wantErr(t, what+": behind the second", err, lock.ErrHeld)
			done(t, what+": release", second.Release(ctx))
		}
	}
}

// All keys of a lock end by themselves, an hour at least behind what they tell of: each
// verb sees to that.
func TestKeysEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx, client := t.Context(), db.Client()
		last := func(what string, least, most time.Duration, keys ...string) {
			t.Helper()
			for _, key := range keys {
				if left, err := client.PTTL(ctx, key).Result(); err != nil || left <= least || left > most {
					t.Errorf("%s: %s ends in %v, %v; want %v to %v", what, key, left, err, least, most)
				}
				if err := client.PExpire(ctx, key, 10*time.Second).Err(); err != nil { // the next verb prolongs it
					t.Error(err)
				}
			}
		}
		for _, a := range acquirings {
			lease, err := a.this(ctx, db)
			held(t, lease, err)
			keys := lease.Keys()
			if a.kind == "permit" || a.kind == "reader, then writer" {
				keys = append(keys, keys[0]+":holders")
			}
			last(a.kind+", acquired", time.Minute+time.Hour, time.Minute+2*time.Hour, keys...)
			done(t, a.kind, lease.Extend(ctx))
			last(a.kind+", extended", time.Minute+time.Hour, time.Minute+2*time.Hour, keys...)
			waits, leave := context.WithCancel(ctx)
			next := later(func() (*lock.Lease, error) { return a.this(waits, other) })
			if a.kind == "reader, then writer" { // another reader would not wait
				done(t, a.kind, (<-next).lease.Release(ctx))
				next = later(func() (*lock.Lease, error) { return endings.On(other).AcquireWrite(waits, "r") })
			}
			waiting(t, db, keys[0], 1)
			last(a.kind+", waited for", time.Minute+time.Hour, time.Minute+2*time.Hour, keys[0]+":queue", keys[0])
			leave()
			wantErr(t, a.kind, (<-next).err, context.Canceled)
			done(t, a.kind, lease.Release(ctx))
		}
		for _, n := range []int{3, 1} { // the second is refused
			_ = calls.On(db).AllowN(ctx, "end", n).Err()
			_ = drops.On(db).AllowN(ctx, "end", n).Err()
		}
		last("a window of a minute", 30*time.Second, time.Minute, "calls{end}")
		last("a bucket that is full in 3 s", 2*time.Second, 4*time.Second, "drops{end}")
	})
}

// Fencing tokens grow though all that was stored of a lock is gone.
func TestTokensOutliveTheirKeys(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		for _, a := range acquirings {
			first, err := a.this(ctx, db)
			one := fence(t, held(t, first, err))
			done(t, a.kind, first.Release(ctx))
			for _, key := range first.Keys() {
				if err := db.Client().Del(ctx, key).Err(); err != nil {
					t.Fatal(err)
				}
			}
			second, err := a.try(ctx, other)
			if two := fence(t, held(t, second, err)); two <= one {
				t.Errorf("%s: fencing token %d behind %d", a.kind, two, one)
			}
			done(t, a.kind, second.Release(ctx))
		}
	})
}
