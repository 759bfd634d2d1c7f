package lock

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

const (
	heartbeat = 2 * time.Second // after which who waits asks in any case

	firstPoll = 5 * time.Millisecond // of those whom the server cannot tell
	lastPoll  = 200 * time.Millisecond
	relisten  = 16 // polls after which they try to listen again
)

// wait asks for the lock, and if it is held queues for it. Rule by rule:
//
//  1. Where this process listens to the node already, the first question is for a
//     place in the queue as well; else it is for the lock alone, and when that is
//     held, the process begins to listen, and asks again.
//  2. Whoever releases the lock makes the next one its holder and tells it. A
//     holder that was told has 2 s at first; its renewal is what confirms it, and
//     where it is not renewed one more question.
//  3. It asks again when the holder's time is over, each 2 s, and whenever messages
//     may have been lost.
//  4. Where listening fails it asks again and again, and has no place in the queue.
func (a *acquisition) wait(ctx context.Context) (*Lease, error) {
	w := enter(ctx, a.db, a.token, a.keys[0])
	defer func() { w.leave() }()
	for deaf := 0; ; {
		got, err := a.ask(ctx, w.name())
		if err != nil {
			return nil, a.giveUp(ctx, err)
		}
		if got.held == len(a.keys) {
			return a.lease(got.fence, a.asked.Add(a.def.options.TTL)), nil
		}
		if w.hears(ctx, a) {
			deaf = 0
		} else {
			w.leave()
			if w = nil; deaf%relisten == 0 {
				within, cancel := a.bounded(ctx, false)
				w = listen(within, a.db, a.token, a.keys[0])
				cancel()
			}
			if deaf++; w != nil {
				continue
			}
		}
		lease, err := a.pause(ctx, w, got, deaf)
		if lease != nil || err != nil {
			return lease, err
		}
	}
}

// pause waits until it is worth asking again, or until the lock is handed over.
func (a *acquisition) pause(ctx context.Context, w *waiter, got answer, deaf int) (*Lease, error) {
	patience := a.patience(w, got, deaf)
	if !a.most.IsZero() {
		patience = min(patience, time.Until(a.most))
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case given := <-w.given():
		if len(a.keys) > 1 || a.def.options.Fixed {
			return nil, nil // one of them, on to the next; or nobody renews what is short at first
		}
		// It is tempting to count from now, but the message may be old: this
		// process may have been stopped.
		if ends := a.until(given.ends); time.Now().Before(ends) {
			return a.lease(given.fence, ends), nil
		}
		return nil, nil
	case <-w.stirred():
		return nil, nil
	case <-timer.C:
		if a.late() {
			return nil, a.giveUp(ctx, ErrTimeout)
		}
		return nil, nil
	case <-ctx.Done():
		return nil, a.giveUp(ctx, context.Cause(ctx))
	}
}

// patience is how long to wait before asking again.
func (a *acquisition) patience(w *waiter, got answer, deaf int) time.Duration {
	if w == nil {
		return rand.N(min(firstPoll<<min(deaf, 16), lastPoll)) + time.Millisecond
	}
	// Those further behind ask later: the first of them finds the lock for all.
	rest := time.Duration(got.rest)*time.Microsecond + time.Millisecond
	rest += time.Duration(min(got.before, 1000)) * time.Millisecond
	if got.held > 0 { // what is held already must not end meanwhile
		rest = min(rest, a.def.options.TTL/3)
	}
	return min(rest, heartbeat)
}

// lease is the end of an acquisition.
func (a *acquisition) lease(fence int64, ends time.Time) *Lease {
	l := &Lease{locker: a.locker, keys: a.keys, token: a.token, fence: fence, ends: ends, uses: 1}
	l.base = context.WithoutCancel(pipectx.Detach(a.caller))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.schedule()
	return l
}
