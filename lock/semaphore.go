package lock

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Semaphore is a family of semaphores: of one name, so many hold a permit at a time.
// A permit is a lease: that of a holder who died is free when its time has passed.
// Who came first gets one first. Make it with [NewSemaphore].
//
//	var Workers = lock.NewSemaphore("workers", 4, lock.Options{TTL: 10 * time.Second})
//
//	err := Workers.On(db).Do(ctx, "import", func(ctx context.Context, permit *lock.Lease) error { … })
type Semaphore struct{ def definition }

// NewSemaphore declares a family of semaphores of so many permits, whose keys are
// prefix{name}. Where processes differ in the number, each holds to its own. It
// panics, at start-up, if the options are wrong; [TryNewSemaphore] returns the error.
func NewSemaphore(prefix string, permits int, o Options) *Semaphore {
	s, err := TryNewSemaphore(prefix, permits, o)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewSemaphore is [NewSemaphore] with the error returned.
func TryNewSemaphore(prefix string, permits int, o Options) (*Semaphore, error) {
	if permits < 1 || permits >= unbounded {
		return nil, fmt.Errorf("lock: %q: a semaphore of %d permits; give it one at least", prefix, permits)
	}
	d, err := define(prefix, o, permits, 3)
	if err != nil {
		return nil, err
	}
	return &Semaphore{d}, nil
}

// On binds the semaphores to a DB.
func (s *Semaphore) On(db *pipectx.DB) BoundSemaphore {
	return BoundSemaphore{locker{&s.def, db, shared}}
}

// BoundSemaphore is a [Semaphore] on a DB. Safe for concurrent use.
type BoundSemaphore struct{ l locker }

// Do runs fn while it holds a permit, as [Bound.Do] does.
//
// Cost: 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands; 2 round trips.
func (b BoundSemaphore) Do(ctx context.Context, name string, fn func(ctx context.Context, permit *Lease) error) error {
	return b.l.do(ctx, []string{name}, fn)
}

// Acquire waits for a permit. Errors are those of [Bound.Acquire].
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundSemaphore) Acquire(ctx context.Context, name string) (*Lease, error) {
	return b.l.acquire(ctx, true, name)
}

// TryAcquire is Acquire that does not wait: [ErrHeld] if all permits are taken, or
// somebody waits for one.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundSemaphore) TryAcquire(ctx context.Context, name string) (*Lease, error) {
	return b.l.acquire(ctx, false, name)
}
