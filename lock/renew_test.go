package lock_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
)

// scripts gives calls of scripts a fate, by their number from now on; all else passes.
func scripts(p *redistest.Proxy, fate func(n int) redistest.Fate) {
	n := 0
	p.On(func(r redistest.Request) redistest.Fate {
		if !strings.HasPrefix(r.Name(), "EVAL") {
			return redistest.Pass()
		}
		n++
		return fate(n)
	})
}

// A lease is counted from before it was asked for, however late the answer comes: by the
// holder's clock it ends before it does by the server's.
func TestCountedFromBefore(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	locks := fixed60.On(newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })))
	ctx := t.Context()
	warm, err := locks.Acquire(ctx, "warm")
	held(t, warm, err)
	for what, ask := range map[string]func() (*lock.Lease, error){
		"acquired": func() (*lock.Lease, error) { return locks.Acquire(ctx, "late") },
		"extended": func() (*lock.Lease, error) { return warm, warm.Extend(ctx) },
	} {
		answer := make(chan struct{})
		var seen time.Time
		scripts(p, func(int) redistest.Fate {
			seen = time.Now()
			time.AfterFunc(50*time.Millisecond, func() { close(answer) })
			return redistest.Hold(answer)
		})
		lease, err := ask()
		p.On(nil)
		held(t, lease, err)
		if most, ends := seen.Add(time.Minute), time.Now().Add(lease.TTL()); ends.After(most) {
			t.Errorf("%s: it ends %v behind a minute from the question", what, ends.Sub(most))
		}
	}
}

// A renewal that fails is tried again, in time.
func TestRenewedAgain(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	lasting := lock.New("lasting", lock.Options{TTL: 3 * time.Second})
	lease, err := lasting.On(db).Acquire(t.Context(), "r")
	held(t, lease, err)
	var failed atomic.Int32
	scripts(p, func(n int) redistest.Fate {
		if n > 2 {
			return redistest.Pass()
		}
		failed.Add(1)
		return redistest.Answer("-ERR not now\r\n")
	})
	since := func() string { return s.Client(t).HGet(t.Context(), lease.Keys()[0], "since").Val() }
	first := since()
	redistest.Until(t, 10*time.Second, "it is renewed", func() error {
		if since() == first {
			return errors.New("not yet")
		}
		return nil
	})
	if err := lease.Err(); err != nil || failed.Load() != 2 {
		t.Errorf("behind %d failures: %v", failed.Load(), err)
	}
}

// Who extends a lease while it is released finds it released, and not lost.
func TestExtendedWhileReleased(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	locks := fixed60.On(newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })))
	ctx := t.Context()
	lease, err := locks.Acquire(ctx, "e")
	held(t, lease, err)
	inner := lease.Context()
	answer := make(chan struct{})
	scripts(p, func(n int) redistest.Fate {
		if n == 1 {
			return redistest.Hold(answer)
		}
		return redistest.Pass()
	})
	released := make(chan error, 1)
	go func() { released <- lease.Release(ctx) }()
	redistest.Until(t, 10*time.Second, "the server has released it", func() error {
		if owner := s.Client(t).HGet(ctx, lease.Keys()[0], "owner").Val(); owner != "" {
			return errors.New("not yet")
		}
		return nil
	})
	wantErr(t, "extend", lease.Extend(ctx), lock.ErrReleased)
	close(answer)
	done(t, "release", <-released)
	wantErr(t, "its context", context.Cause(inner), lock.ErrReleased)
}

// A Release whose answer was lost, and that is answered again when the lease's time is over,
// says that it is lost: somebody else may have held the lock by then.
func TestReleasedTooLate(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db, ctx := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })), t.Context()
	short := lock.New("short", lock.Options{TTL: 500 * time.Millisecond, Fixed: true})
	lease, err := short.On(db).Acquire(ctx, "l")
	held(t, lease, err)
	inner := lease.Context()
	answer := make(chan struct{})
	scripts(p, func(n int) redistest.Fate {
		if n == 1 {
			return redistest.Lose()
		}
		return redistest.Hold(answer)
	})
	released := make(chan error, 1)
	go func() { released <- lease.Release(ctx) }()
	<-inner.Done()
	close(answer)
	wantErr(t, "release", <-released, lock.ErrLost)
}
