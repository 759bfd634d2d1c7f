package lock_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
)

// Who releases a lease while somebody else does finds it released, and not lost.
func TestReleaseAtOnce(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	for range 100 {
		lease, err := jobs.On(db).Acquire(t.Context(), "once")
		if err != nil {
			t.Fatal(err)
		}
		ctx := lease.Context()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { done(t, "release", lease.Release(t.Context())) })
		}
		all.Wait()
		wantErr(t, "its context", context.Cause(ctx), lock.ErrReleased)
	}
}

// A lease whose Release failed is renewed no more, though a renewal was under way: it
// ends with its time, and its context with it.
func TestReleaseFails(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	ctx := t.Context()
	lease, err := steady.On(db).Acquire(ctx, "f")
	done(t, "acquire", err)
	inner := lease.Context()
	renewing, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.On(func(r redistest.Request) redistest.Fate {
		fate := redistest.Answer("-ERR not now\r\n")
		once.Do(func() {
			close(renewing)
			fate = redistest.Hold(answer)
		})
		return fate
	})
	select {
	case <-renewing:
	case <-inner.Done():
		t.Fatalf("no renewal: %v", context.Cause(inner))
	}
	if err := lease.Release(ctx); err == nil {
		t.Error("released without a server")
	}
	p.On(nil)
	close(answer)
	select {
	case <-inner.Done():
		wantErr(t, "its context", context.Cause(inner), lock.ErrLost)
	case <-time.After(5 * time.Second):
		t.Error("it is renewed behind its Release")
	}
}

// A Release all of whose answers are lost fails; called again it knows that it has
// released the lease.
func TestReleaseAgain(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	ctx := t.Context()
	lease, err := jobs.On(db).Acquire(ctx, "l")
	done(t, "acquire", err)
	p.On(func(r redistest.Request) redistest.Fate {
		if strings.HasPrefix(r.Name(), "EVAL") {
			return redistest.Lose()
		}
		return redistest.Pass()
	})
	if err := lease.Release(ctx); err == nil || errors.Is(err, lock.ErrLost) {
		t.Errorf("without an answer: %v", err)
	}
	p.On(nil)
	done(t, "release again", lease.Release(ctx))
	wantErr(t, "the lease", lease.Err(), lock.ErrReleased)
}
