package lock

import (
	"context"
	"fmt"
	"path"
	"runtime"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Lock is a family of locks, one for each name: of all processes that ask for a
// name, one holds it at a time. It holds no connection; [Lock.On] binds it. Make
// it with [New].
//
//	var Checkout = lock.New("checkout", lock.Options{TTL: 30 * time.Second})
//
//	err := Checkout.On(db).Do(ctx, orderID, func(ctx context.Context, lease *lock.Lease) error {
//		…
//	})
type Lock struct{ def definition }

// New declares a family of locks whose keys are prefix{name}. It panics, at
// start-up, if the options are wrong; [TryNew] returns the error.
func New(prefix string, o Options) *Lock {
	l, err := TryNew(prefix, o)
	if err != nil {
		panic(atCaller(err))
	}
	return l
}

// atCaller puts the place of a declaration in front of an error: a panic at
// start-up shows only the runtime's init otherwise.
func atCaller(err error) error {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Errorf("%s:%d: %w", path.Base(file), line, err)
	}
	return err
}

// TryNew is [New] with the error returned.
func TryNew(prefix string, o Options) (*Lock, error) {
	d, err := define(prefix, o, 1, 2)
	if err != nil {
		return nil, err
	}
	return &Lock{d}, nil
}

// On binds the locks to a DB.
func (l *Lock) On(db *pipectx.DB) Bound { return Bound{locker{&l.def, db, exclusive}} }

// Bound is a [Lock] on a DB. Safe for concurrent use.
type Bound struct{ l locker }

// Do runs fn while it holds the lock of name, and releases it afterwards, however
// fn ends. fn's context is detached from any pipeline, ends with ctx, and ends at
// once when the lease is lost, with a cause that is [ErrLost]. The lease is renewed
// while fn runs.
//
// Do answers what fn returns, joined with what became of the lease; what Acquire
// answers if fn did not run. It is refused inside a Run, whose commands would only
// be sent when the lock is released.
//
// Cost: 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands; 2 round
// trips. One that waits costs as much. Beyond a third of the TTL, or of 2 s where
// the lock was handed over, 1 command more for each renewal.
func (b Bound) Do(ctx context.Context, name string, fn func(ctx context.Context, lease *Lease) error) error {
	return b.l.do(ctx, []string{name}, fn)
}

// DoAll is Do that holds the locks of several names at once. On a Cluster they
// need one slot: Options.Slot.
//
// Cost: 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands; 2 round
// trips; 1 of each more for every name that it waits for.
func (b Bound) DoAll(ctx context.Context, names []string, fn func(ctx context.Context, lease *Lease) error) error {
	return b.l.do(ctx, names, fn)
}

// Acquire waits for the lock of name. Who came first gets it first. Whoever
// releases it hands it to the next one in the same step, and tells that one by a
// message. Release the lease.
//
// It answers [ErrTimeout] after Options.Timeout, and ctx's cause when that ends
// first; nothing is held then, and no place in the queue is left. When the
// connection breaks meanwhile and the server cannot be asked again, the lock may
// be held by nobody until the TTL has passed. Refused inside a Run.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip. Waiting is free, but for 1
// command when the holder's time is over, and every 2 s; the first wait of a process
// costs 1 command more, and SUBSCRIBE or SSUBSCRIBE; one for Options.Fixed 1 command.
func (b Bound) Acquire(ctx context.Context, name string) (*Lease, error) {
	return b.l.acquire(ctx, true, name)
}

// AcquireAll waits for the locks of several names, and holds all of them or none.
// All take them in the order of their keys, so that nobody waits in a circle; what
// is held already is held while it waits for the rest. The lease has one fencing
// token, more than all before for each of the names. On a Cluster they need one
// slot: Options.Slot. Errors are those of [Bound.Acquire].
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip; 1 of each more for every name
// that it waits for.
func (b Bound) AcquireAll(ctx context.Context, names ...string) (*Lease, error) {
	return b.l.acquire(ctx, true, names...)
}

// TryAcquire is Acquire that does not wait: [ErrHeld] if somebody holds the lock,
// or waits for it.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b Bound) TryAcquire(ctx context.Context, name string) (*Lease, error) {
	return b.l.acquire(ctx, false, name)
}

// TryAcquireAll is AcquireAll that does not wait: it holds all of them, or none and
// answers [ErrHeld].
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip.
func (b Bound) TryAcquireAll(ctx context.Context, names ...string) (*Lease, error) {
	return b.l.acquire(ctx, false, names...)
}
