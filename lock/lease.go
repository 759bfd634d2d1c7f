package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Lease is a lock that is held. It is renewed until it is released, unless
// Options.Fixed says otherwise. Each verb looks at the clock first: a process that
// was stopped for longer than its lease learns so before it does anything. Safe for
// concurrent use.
type Lease struct {
	locker
	keys  []string
	token string
	base  context.Context // what Context derives from

	releasing sync.Mutex // one Release at a time: the second finds what the first did

	mu       sync.Mutex
	fence    int64
	ends     time.Time // by this process's clock, and before it ends by the server's
	over     error     // ErrLost or ErrReleased, once it is
	uses     int       // by reentrancy
	leaving  bool      // Release was called: it is renewed no more
	unsure   bool      // a Release was sent whose answer was lost
	timer    *time.Timer
	contexts []ending        // that are to end with it
	own      context.Context // what Context returned
}

// An ending is a context that ends with a lease.
type ending struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Token is the text by which the server knows the holder.
func (l *Lease) Token() string { return l.token }

// Keys are the keys of the locks that are held.
func (l *Lease) Keys() []string { return append([]string(nil), l.keys...) }

// TTL is for how long the lease surely lasts if it is not renewed; 0 when it is over.
func (l *Lease) TTL() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.check() != nil {
		return 0
	}
	return time.Until(l.ends)
}

// Err is nil while the lease lasts, then [ErrLost] or [ErrReleased].
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.check()
}

// Fence returns the fencing token: more than that of every lease before, of this
// name, for ever. Whoever is written to under the lock keeps the greatest that it
// has seen and refuses all less: so a holder that does not know that it is one no
// more can do no harm. package model does that: Repo.Fenced(lease). It answers
// [ErrLost] when the lease is over already.
func (l *Lease) Fence() (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fence, l.check()
}

// Context returns a context that ends with the lease, its cause being [ErrLost] or
// [ErrReleased]. It has the values of Acquire's context, and no end of its own.
func (l *Lease) Context() context.Context {
	l.mu.Lock()
	own := l.own
	l.mu.Unlock()
	if own != nil {
		return own
	}
	own, _ = l.context(l.base)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own == nil {
		l.own = own
	}
	return l.own
}

// context derives a context that ends with the lease, and that verbs know to
// belong to it.
func (l *Lease) context(ctx context.Context) (inner context.Context, end func()) {
	inner, cancel := context.WithCancelCause(&leaseContext{pipectx.Detach(ctx), l})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.check(); err != nil {
		cancel(err)
	}
	l.contexts = append(l.contexts, ending{inner, cancel})
	return inner, func() {
		cancel(ErrReleased)
		l.mu.Lock()
		defer l.mu.Unlock() // one that is shared may outlive many
		l.contexts = slices.DeleteFunc(l.contexts, func(e ending) bool { return e.ctx == inner })
	}
}

// Extend begins the lease's time anew, by a TTL from now. Only one that is not
// renewed needs it. It answers [ErrLost] when it is too late.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip; refused inside Run.
func (l *Lease) Extend(ctx context.Context) error {
	if err := pipectx.Outside(ctx, l.db, "lock: extend "+l.keys[0]); err != nil {
		return err
	}
	if err := l.Err(); err != nil {
		return err
	}
	return l.extend(ctx, 0)
}

// extend calls extend.lua; the fence is raised to at least this.
func (l *Lease) extend(ctx context.Context, fence int64) error {
	asked := time.Now()
	c := l.command(extendScript.Script, l.keys)
	c.Word(l.token)
	c.Int(l.def.options.TTL.Milliseconds())
	c.Word(string(l.shape))
	c.Int(int64(l.def.stride))
	c.Int(fence)
	held, err := pipectx.Send(ctx, l.db, c, pipectx.Reply.Bool).Result()
	if err != nil {
		return fmt.Errorf("lock: extend %s: %w", l.keys[0], err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.check(); err != nil { // it was lost, or released, meanwhile
		return err
	}
	if !held && l.leaving { // which Release knows more of
		return fmt.Errorf("%w: %s", ErrReleased, l.keys[0])
	}
	if !held {
		l.end(l.lost("the server knows the holder no more"))
		return l.over
	}
	l.ends = asked.Add(l.def.options.TTL)
	l.schedule()
	return nil
}

// Release ends the lease and hands the lock to who is next. To call it again does
// nothing; but a lease that is shared, see Options.Reentrant, is to be released once
// by each who acquired it. It answers [ErrLost] when the lease was over before: what
// was done under it may have been done while somebody else held the lock.
//
// An answer that is lost is asked for again. If that fails too, so does Release; it
// may be called again, and the lease, renewed no more, ends by itself.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip; refused inside Run.
func (l *Lease) Release(ctx context.Context) error {
	if err := pipectx.Outside(ctx, l.db, "lock: release "+l.keys[0]); err != nil {
		return err
	}
	l.releasing.Lock()
	defer l.releasing.Unlock()
	l.mu.Lock()
	if l.uses > 1 { // those who came in later leave first
		l.uses--
		l.mu.Unlock()
		return nil
	}
	switch err := l.check(); {
	case errors.Is(err, ErrReleased):
		l.mu.Unlock()
		return nil
	case err != nil:
		l.mu.Unlock()
		return err
	}
	l.leaving = true // first no renewal, then no lease
	l.schedule()
	l.mu.Unlock()

	held, again, err := l.freeOnce(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	again = again || l.unsure
	if err != nil {
		l.unsure = again || errors.Is(err, pipectx.ErrOutcomeUnknown)
		return fmt.Errorf("lock: release %s: %w", l.keys[0], err)
	}
	// Asked for again it is not held, which is the work of the first time, unless
	// the lease has ended meanwhile.
	if held < int64(len(l.keys)) && !(again && l.check() == nil) {
		l.end(l.lost("the server knew the holder no more"))
		return l.over
	}
	l.end(ErrReleased)
	return nil
}

// freeOnce calls release.lua, and again when the answer was lost.
func (l *Lease) freeOnce(ctx context.Context) (held int64, again bool, err error) {
	for try := range tries {
		held, err = l.free(ctx, l.keys, l.token, "")
		if !errors.Is(err, pipectx.ErrOutcomeUnknown) || ctx.Err() != nil {
			return held, try > 0, err
		}
	}
	return held, true, err
}

// check returns why the lease is over, nil if it is not. The caller holds mu.
//
// Both clocks are asked: the monotonic one stands still while a machine sleeps,
// the other may be set.
func (l *Lease) check() error {
	if l.over == nil {
		if now := time.Now(); !now.Before(l.ends) || !now.Round(0).Before(l.ends.Round(0)) {
			l.end(l.lost("its time has passed without a renewal"))
		}
	}
	return l.over
}

func (l *Lease) lost(why string) error {
	return fmt.Errorf("%w: %s: %s", ErrLost, strings.Join(l.keys, ", "), why)
}

// end ends the lease for this process. The caller holds mu.
func (l *Lease) end(why error) {
	l.over = why
	l.stop()
	for _, e := range l.contexts {
		e.cancel(why)
	}
	l.contexts = nil
}
