package pipectx_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// An Await whose command another goroutine's has sent says so when its context
// ends: the write is under way, and its Ref has the answer later.
func TestContextEndsBehindAnother(t *testing.T) {
	s, h := redistest.Shared(t), newHanging(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = h.proxy.Dial }))
	k := h.hold("a")
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		a, b := do(ctx, db, "INCR", "a"), do(ctx, db, "INCR", "b")
		answered := make(chan error)
		go func() {
			_, err := pipectx.Await(ctx, a)
			answered <- err
		}()
		<-k.heard
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := pipectx.Await(short, b)
		wantErr(t, "Await", err, context.DeadlineExceeded)
		wantErr(t, "Await", err, pipectx.ErrOutcomeUnknown)
		if !strings.Contains(err.Error(), "INCR b") {
			t.Errorf("Await does not name the command: %v", err)
		}
		close(k.release)
		if err := <-answered; err != nil {
			t.Error(err)
		}
		want(t, "the Ref, later", b, any(int64(1)))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// An Await in a Stream returns when its own context ends, though a chunk is under
// way.
func TestContextEndsBehindAChunk(t *testing.T) {
	s, h := redistest.Shared(t), newHanging(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = h.proxy.Dial }))
	k := h.hold("0")
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		var other sync.WaitGroup
		other.Go(func() {
			for i := range 1_001 { // the last one sends the others
				do(ctx, db, "INCR", i)
			}
		})
		<-k.heard
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		within(t, time.Second, "Await", func() {
			_, err := pipectx.Await(short, do(ctx, db, "INCR", "n"))
			wantErr(t, "Await", err, context.DeadlineExceeded)
		})
		close(k.release)
		other.Wait()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
