package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// An Atomic that comes when its Watch is over is refused; one beside the end has run
// or is refused, and the connection goes back either way.
func TestWatchBesideItsEnd(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	incr := func(ctx context.Context) error {
		return pipectx.Atomic(ctx, db, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
	}
	var kept context.Context
	if err := pipectx.Watch(t.Context(), db, func(ctx context.Context) error { kept = ctx; return nil }, "n"); err != nil {
		t.Error(err)
	}
	wantErr(t, "afterwards", incr(kept), pipectx.ErrEnded)
	ran := int64(0)
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context()) // with a Done, which has the connection given back in the background
		beside := make(chan error, 1)
		err := pipectx.Watch(ctx, db, func(ctx context.Context) error {
			begun := make(chan struct{})
			go func() {
				close(begun)
				beside <- incr(ctx)
			}()
			<-begun
			return nil
		}, "n")
		switch late := <-beside; {
		case late == nil:
			ran++
		case !errors.Is(late, pipectx.ErrEnded):
			t.Errorf("the Atomic answers %v, its Watch %v", late, err)
		}
		cancel()
	}
	if n, err := pipectx.Do[int64](t.Context(), db, "GET", "n").Result(); n != ran || err != nil && !errors.Is(err, pipectx.ErrNotFound) {
		t.Errorf("%d have run, %v; %d say so", n, err, ran)
	}
	redistest.Until(t, 10*time.Second, "the connections", func() error {
		if s := client.PoolStats(); s.IdleConns != s.TotalConns {
			return fmt.Errorf("%d of %d are idle", s.IdleConns, s.TotalConns)
		}
		return nil
	})
}
