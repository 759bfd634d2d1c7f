package lock

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Quorum is a family of locks over several independent masters: whoever holds a lock
// on more than half of them holds it. It outlives the loss of the others with all
// they stored, where a [Lock] lives on what one master, or its replica, still knows.
// Source of the idea: Redlock, redis.io; what it lacks, a fencing token, this has.
// Make it with [NewQuorum].
//
//	var Leader = lock.NewQuorum("leader", lock.Options{TTL: 10 * time.Second})
//
//	lease, err := Leader.On(one, two, three).Acquire(ctx, "billing")
type Quorum struct{ def definition }

// NewQuorum declares a family of locks whose keys are prefix{name} on each master.
// Options.Reentrant and Fixed are not for it. It panics, at start-up, if the options
// are wrong; [TryNewQuorum] returns the error.
func NewQuorum(prefix string, o Options) *Quorum {
	q, err := TryNewQuorum(prefix, o)
	if err != nil {
		panic(atCaller(err))
	}
	return q
}

// TryNewQuorum is [NewQuorum] with the error returned.
func TryNewQuorum(prefix string, o Options) (*Quorum, error) {
	if o.Reentrant || o.Fixed {
		return nil, fmt.Errorf("lock: %q: a quorum's lease is neither reentrant nor fixed", prefix)
	}
	d, err := define(prefix, o, 1, 2)
	if err != nil {
		return nil, err
	}
	return &Quorum{d}, nil
}

// On binds the locks to masters that are independent of each other: no replicas, no
// nodes of one Cluster. Three or five are usual.
func (q *Quorum) On(dbs ...*pipectx.DB) BoundQuorum { return BoundQuorum{&q.def, dbs} }

// BoundQuorum is a [Quorum] on its masters. Safe for concurrent use.
type BoundQuorum struct {
	def *definition
	dbs []*pipectx.DB
}

// need is how many masters are more than half.
func (b BoundQuorum) need() int { return len(b.dbs)/2 + 1 }

// Do runs fn while it holds the lock of name, as [Bound.Do] does.
//
// Cost: of each master 2 EVALSHA, at first EVAL, to acquire and to release; 2 commands;
// 2 round trips, all masters at once; 1 of each more where its fence is to be raised.
func (b BoundQuorum) Do(ctx context.Context, name string, fn func(ctx context.Context, lease *QuorumLease) error) (err error) {
	lease, err := b.Acquire(ctx, name)
	if err != nil {
		return err
	}
	inner, end := lease.context(ctx)
	defer func() {
		released := lease.Release(context.WithoutCancel(pipectx.Detach(ctx)))
		end()
		err = errors.Join(err, released)
	}()
	return fn(inner, lease)
}

// Acquire waits until more than half of the masters give it the lock. There is no
// queue, since the masters know nothing of each other: it tries again after a random
// pause. Errors are those of [Bound.Acquire]; [ErrTimeout] as well when too few
// masters answer.
//
// Cost: of each master EVALSHA, at first EVAL; 1 command; 1 round trip, all masters at
// once; 1 of each more where its fence is to be raised, and 2 for each try that fails.
func (b BoundQuorum) Acquire(ctx context.Context, name string) (*QuorumLease, error) {
	if timeout := b.def.options.Timeout; timeout > 0 {
		bounded, cancel := context.WithTimeoutCause(ctx, timeout, ErrTimeout)
		defer cancel()
		ctx = bounded
	}
	for try := 0; ; try++ {
		lease, err := b.TryAcquire(ctx, name)
		if !errors.Is(err, ErrHeld) {
			return lease, err
		}
		timer := time.NewTimer(rand.N(min(firstPoll<<min(try, 16), lastPoll)) + time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("lock: acquire %s{%s}: %w; at last: %w", b.def.prefix, name, context.Cause(ctx), err)
		}
	}
}

// TryAcquire is Acquire that does not wait: [ErrHeld] if somebody has the lock of so
// many masters, or so many do not answer, that the rest is not more than half.
//
// Cost: of each master EVALSHA, at first EVAL; 1 command; 1 round trip, all masters at
// once; 1 of each more where its fence is to be raised, or where it fails.
func (b BoundQuorum) TryAcquire(ctx context.Context, name string) (*QuorumLease, error) {
	if len(b.dbs) == 0 {
		return nil, fmt.Errorf("lock: %s: a quorum of no masters; give On three or five", b.def.prefix)
	}
	keys, err := b.def.keys([]string{name})
	if err != nil {
		return nil, fmt.Errorf("lock: %s: %w", b.def.prefix, err)
	}
	for i, db := range b.dbs {
		if err := pipectx.Outside(ctx, db, "lock: acquire "+name); err != nil {
			return nil, err
		}
		if _, err := (locker{b.def, db, exclusive}).reenter(ctx, keys); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(b.dbs[:i], func(other *pipectx.DB) bool { return other.Client() == db.Client() }) {
			return nil, fmt.Errorf("lock: %s: one master is there twice; its voice counts once", b.def.prefix)
		}
	}
	q := &QuorumLease{need: b.need()}
	errs := b.ask(ctx, name, q)
	if q.Err() == nil {
		q.raise(ctx, b.patience())
	}
	if err := q.Err(); err != nil {
		_ = q.Release(context.WithoutCancel(ctx))
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("lock: acquire %s{%s}: %w", b.def.prefix, name, err)
		}
		return nil, fmt.Errorf("%w: %s{%s} on %d of %d masters: %w", ErrHeld, b.def.prefix, name, len(b.dbs)-len(q.leases), len(b.dbs), errors.Join(errs...))
	}
	return q, nil
}

// ask takes the lock of each master, all at once. When more than half have given
// it the others get as much time again: one that is gone delays nobody for long.
func (b BoundQuorum) ask(ctx context.Context, name string, q *QuorumLease) (errs []error) {
	type result struct {
		lease *Lease
		err   error
	}
	results, began := make(chan result, len(b.dbs)), time.Now()
	short, cancel := context.WithTimeout(ctx, b.patience())
	for _, db := range b.dbs {
		go func() {
			lease, err := locker{b.def, db, exclusive}.acquire(short, false, name)
			results <- result{lease, err}
		}()
	}
	var late <-chan time.Time
	asked := len(b.dbs)
	for ; asked > 0; asked-- {
		select {
		case r := <-results:
			if r.err != nil {
				errs = append(errs, r.err)
				continue
			}
			q.leases, q.fence = append(q.leases, r.lease), max(q.fence, r.lease.fence)
			if len(q.leases) == q.need {
				late = time.After(max(time.Since(began), 5*time.Millisecond))
			}
			continue
		case <-late:
		}
		break
	}
	go func() { // what comes later is given back
		defer cancel()
		for ; asked > 0; asked-- {
			if r := <-results; r.lease != nil {
				_ = r.lease.Release(context.WithoutCancel(pipectx.Detach(ctx)))
			}
		}
	}()
	return errs
}

// patience is how long a master may take to answer: little beside the TTL.
func (b BoundQuorum) patience() time.Duration {
	return min(max(b.def.options.TTL/10, 10*time.Millisecond), time.Second)
}

// atOnce calls fn for each of n, all at once.
func atOnce(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}

// QuorumLease is a lock that is held on more than half of the masters. It lasts while
// so many leases do. Safe for concurrent use.
type QuorumLease struct {
	leases []*Lease
	need   int
	fence  int64

	once sync.Once
	own  context.Context // what Context returns
}

// raise lifts the fence of each master to the greatest of them, and gives up the
// leases where that fails. So the next holder, who shares one master with this one
// at least, has a greater token.
func (q *QuorumLease) raise(ctx context.Context, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	raised := make([]bool, len(q.leases))
	atOnce(len(q.leases), func(i int) {
		l := q.leases[i]
		raised[i] = l.fence == q.fence || l.extend(ctx, q.fence) == nil
	})
	var kept []*Lease
	for i, l := range q.leases {
		if raised[i] {
			kept = append(kept, l)
		} else {
			go func() { _ = l.Release(context.WithoutCancel(pipectx.Detach(ctx))) }()
		}
	}
	q.leases = kept
}

// TTL is for how long the lease surely lasts if it is not renewed; 0 when it is over.
func (q *QuorumLease) TTL() time.Duration {
	if len(q.leases) < q.need {
		return 0
	}
	left := make([]time.Duration, len(q.leases))
	for i, l := range q.leases {
		left[i] = l.TTL()
	}
	slices.Sort(left)
	return left[len(left)-q.need]
}

// Err is nil while the lease lasts, then [ErrLost] or [ErrReleased].
func (q *QuorumLease) Err() error {
	errs, living := []error{}, 0
	for _, l := range q.leases {
		if err := l.Err(); err != nil {
			errs = append(errs, err)
		} else {
			living++
		}
	}
	switch {
	case living >= q.need:
		return nil
	case len(errs) == 0:
		return ErrLost
	}
	return errors.Join(errs...)
}

// Fence returns the fencing token, as [Lease.Fence] does.
func (q *QuorumLease) Fence() (int64, error) { return q.fence, q.Err() }

// Context returns a context that ends when fewer than half of the leases last.
func (q *QuorumLease) Context() context.Context {
	q.once.Do(func() { q.own, _ = q.context(q.leases[0].base) })
	return q.own
}

func (q *QuorumLease) context(ctx context.Context) (inner context.Context, end func()) {
	inner = pipectx.Detach(ctx)
	for _, l := range q.leases {
		inner = &leaseContext{inner, l}
	}
	inner, cancel := context.WithCancelCause(inner)
	for _, l := range q.leases {
		context.AfterFunc(l.Context(), func() {
			if err := q.Err(); err != nil {
				cancel(err)
			}
		})
	}
	return inner, func() { cancel(ErrReleased) }
}

// Release ends the lease on all masters. To call it again does nothing. It answers
// [ErrLost] when the lease was over before; a master that does not answer then is
// free when the TTL has passed.
//
// Cost: of each master EVALSHA, at first EVAL; 1 command; 1 round trip, all masters at
// once; refused inside Run.
func (q *QuorumLease) Release(ctx context.Context) error {
	errs := make([]error, len(q.leases))
	atOnce(len(q.leases), func(i int) { errs[i] = q.leases[i].Release(ctx) })
	released := 0
	for _, err := range errs {
		if err == nil {
			released++
		}
	}
	if released >= q.need {
		return nil
	}
	return errors.Join(errs...)
}
