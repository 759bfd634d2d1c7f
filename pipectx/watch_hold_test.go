package pipectx_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Many Watches at once do not starve each other of connections: half of the pool is
// left for what their functions read.
func TestWatchesLeaveHalfOfThePool(t *testing.T) {
	const pool = 4
	db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.PoolSize, o.PoolTimeout = pool, 10*time.Second }))
	var all sync.WaitGroup
	var now, most atomic.Int32
	start := time.Now()
	for i := range 8 * pool {
		all.Go(func() {
			key := fmt.Sprint("k", i)
			err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error {
				n := now.Add(1)
				defer now.Add(-1)
				for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
				}
				return raise(ctx, db, key)
			}, key)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() > pool/2 || time.Since(start) > 5*time.Second {
		t.Errorf("%d at once, in %v; want half of %d, and none that waits for the pool's patience", most.Load(), time.Since(start), pool)
	}
}

// One that waits for its turn does so as long as its context; a pool of one
// connection has no turn to wait for.
func TestWatchHasNoConnection(t *testing.T) {
	s := redistest.Shared(t)
	nothing := func(context.Context) error { t.Error("fn is called"); return nil }
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.PoolSize = 2 }))
	err := pipectx.Watch(t.Context(), db, func(context.Context) error {
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := pipectx.Watch(short, db, nothing, "b")
		wantErr(t, "the second", err, pipectx.ErrNotSent)
		wantErr(t, "the second", err, context.DeadlineExceeded)
		return nil
	}, "a")
	if err != nil {
		t.Error(err)
	}
	db = newDB(t, s.Client(t, func(o *redis.Options) { o.PoolSize = 1 }))
	if err := pipectx.Watch(t.Context(), db, nothing, "a"); err == nil || !strings.Contains(err.Error(), "raise PoolSize") {
		t.Errorf("with a pool of one it answers %v", err)
	}
}

// A Watch on a server that is gone gives up as soon as a read does.
func TestWatchOfNobody(t *testing.T) {
	var dials atomic.Int32
	client := redis.NewClient(&redis.Options{DialerRetries: 1, Dialer: func(context.Context, string, string) (net.Conn, error) {
		dials.Add(1)
		return nil, errOurs
	}})
	t.Cleanup(func() { _ = client.Close() })
	db := newDB(t, client)
	wantErr(t, "GET", do(t.Context(), db, "GET", "a").Err(), pipectx.ErrNotSent)
	reads := dials.Swap(0)
	err := pipectx.Watch(t.Context(), db, func(context.Context) error { t.Error("fn is called"); return nil }, "a")
	wantErr(t, "Watch", err, pipectx.ErrNotSent)
	if dials.Load() > reads {
		t.Errorf("it has dialled %d times, a GET %d", dials.Load(), reads)
	}
}

// Its Atomic has read what others may have changed since, so Resend does not send it
// again: when its answer is lost, nobody knows.
func TestWatchIsNotResent(t *testing.T) {
	p := redistest.NewProxy(t)
	db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	lost := false
	p.On(once(redistest.Lose(), &lost, func(r redistest.Request) bool { return r.Name() == "EXEC" }))
	calls := 0
	err := pipectx.Watch(pipectx.Resend(t.Context()), db, func(ctx context.Context) error {
		calls++
		return raise(ctx, db, "n")
	}, "n")
	wantErr(t, "Watch", err, pipectx.ErrOutcomeUnknown)
	want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 1)
	if calls != 1 {
		t.Errorf("fn is called %d times", calls)
	}
}

// An Atomic that comes when its Watch is over is refused.
func TestWatchOutlived(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	var kept context.Context
	if err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error { kept = ctx; return nil }, "n"); err != nil {
		t.Error(err)
	}
	late := pipectx.Atomic(kept, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
	wantErr(t, "afterwards", late, pipectx.ErrEnded)
	want(t, "n", pipectx.Do[bool](t.Context(), db, "EXISTS", "n"), false)
}
