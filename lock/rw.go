package lock

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// RW is a family of read-write locks: of one name, many may read at a time, or one
// may write. Who came first gets it first, readers in a row together: a stream of
// readers keeps no writer out. Make it with [NewRW].
//
//	var Plan = lock.NewRW("plan", lock.Options{})
//
//	err := Plan.On(db).DoRead(ctx, "7", func(ctx context.Context, lease *lock.Lease) error { … })
type RW struct{ def definition }

// NewRW declares a family of read-write locks whose keys are prefix{name}. It panics,
// at start-up, if the options are wrong; [TryNewRW] returns the error.
func NewRW(prefix string, o Options) *RW {
	l, err := TryNewRW(prefix, o)
	if err != nil {
		panic(atCaller(err))
	}
	return l
}

// TryNewRW is [NewRW] with the error returned.
func TryNewRW(prefix string, o Options) (*RW, error) {
	d, err := define(prefix, o, unbounded, 3)
	if err != nil {
		return nil, err
	}
	return &RW{d}, nil
}

// On binds the locks to a DB.
func (l *RW) On(db *pipectx.DB) BoundRW {
	return BoundRW{read: locker{&l.def, db, shared}, write: locker{&l.def, db, exclusive}}
}

// BoundRW is an [RW] on a DB. Safe for concurrent use.
type BoundRW struct{ read, write locker }

// DoRead runs fn while it may read, as [Bound.Do] does.
//
// Cost: 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands; 2 round trips.
func (b BoundRW) DoRead(ctx context.Context, name string, fn func(ctx context.Context, lease *Lease) error) error {
	return b.read.do(ctx, []string{name}, fn)
}

// DoWrite runs fn while it alone may write, as [Bound.Do] does.
//
// Cost: 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands; 2 round trips.
func (b BoundRW) DoWrite(ctx context.Context, name string, fn func(ctx context.Context, lease *Lease) error) error {
	return b.write.do(ctx, []string{name}, fn)
}

// AcquireRead waits until nobody writes, nor waits to write before it. Errors are
// those of [Bound.Acquire].
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundRW) AcquireRead(ctx context.Context, name string) (*Lease, error) {
	return b.read.acquire(ctx, true, name)
}

// AcquireWrite waits until nobody else reads or writes. A reader cannot become the
// writer: [ErrReentered]. Errors are those of [Bound.Acquire].
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundRW) AcquireWrite(ctx context.Context, name string) (*Lease, error) {
	return b.write.acquire(ctx, true, name)
}

// TryAcquireRead is AcquireRead that does not wait: [ErrHeld] if somebody writes, or
// waits.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundRW) TryAcquireRead(ctx context.Context, name string) (*Lease, error) {
	return b.read.acquire(ctx, false, name)
}

// TryAcquireWrite is AcquireWrite that does not wait: [ErrHeld] if somebody reads,
// writes, or waits.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b BoundRW) TryAcquireWrite(ctx context.Context, name string) (*Lease, error) {
	return b.write.acquire(ctx, false, name)
}
