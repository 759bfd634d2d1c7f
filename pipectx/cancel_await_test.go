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

// So does an Await of what is derived from that command.
func TestContextEndsBehindADerivedRef(t *testing.T) {
	type ref = pipectx.Ref[any]
	same := func(v any) (any, error) { return v, nil }
	tests := []struct {
		name   string
		derive func(other, b *ref) *ref
	}{
		{"Map", func(_, b *ref) *ref { return pipectx.Map(b, same) }},
		{"All", func(other, b *ref) *ref {
			return pipectx.Map(pipectx.All([]*ref{other, b}), func(all []any) (any, error) { return all[1], nil })
		}},
		{"Join", func(other, b *ref) *ref {
			return pipectx.Join(other, b, func(_, v any) (any, error) { return v, nil })
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, h := redistest.Shared(t), newHanging(t)
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = h.proxy.Dial }))
			k := h.hold("n")
			err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
				g.Go(func(ctx context.Context) error {
					b := do(ctx, db, "INCR", "n")
					other := pipectx.Map(do(ctx, db, "GET", "absent"), same)
					derived := pipectx.Map(test.derive(other, b), same)
					short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
					defer cancel()
					_, err := pipectx.Await(short, derived)
					wantErr(t, "Await", err, context.DeadlineExceeded)
					wantErr(t, "Await", err, pipectx.ErrOutcomeUnknown)
					if !strings.Contains(err.Error(), "INCR n") {
						t.Errorf("Await does not name the command: %v", err)
					}
					close(k.release)
					return nil
				})
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			want(t, "the command", do(t.Context(), db, "GET", "n"), any("1"))
		})
	}
}
