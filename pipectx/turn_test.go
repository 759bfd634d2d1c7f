package pipectx_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A gate keeps the answer to a request until it is opened, and finds it wrong that
// another one comes before.
type gate struct {
	heard, opened chan struct{}
	once          sync.Once
}

func newGate(t *testing.T, p *redistest.Proxy, first, then string) *gate {
	g := &gate{heard: make(chan struct{}), opened: make(chan struct{})}
	p.On(func(r redistest.Request) redistest.Fate {
		switch r.String() {
		case first:
			close(g.heard)
			return redistest.Hold(g.opened)
		case then:
			select {
			case <-g.opened:
			default:
				t.Errorf("%s is sent while %s has no answer", then, first)
			}
		}
		return redistest.Pass()
	})
	return g
}

// openLater leaves time for what must not happen.
func (g *gate) openLater() {
	time.AfterFunc(20*time.Millisecond, func() { g.once.Do(func() { close(g.opened) }) })
}

// runs are the pipelines that may have several who send: members of a Gather, and
// goroutines that await. A chunk of a Stream is a sender of its own.
var runs = []struct {
	name  string
	play  func(ctx context.Context, db *pipectx.DB, fn func(ctx context.Context) error) error
	chunk int
}{
	{"Run", pipectx.Run, 0},
	{"Stream", pipectx.Stream, 1_000},
}

// A Run that ends beside another goroutine's Await waits for it: what was queued
// later goes later, every Ref has its answer, and the error is whole and stays as it
// is.
func TestAwaitBesideTheEnd(t *testing.T) {
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			p, s := redistest.NewProxy(t), redistest.Shared(t)
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
			do(t.Context(), db, "SET", "text", "x")
			g := newGate(t, p, "RPUSH l 1", "RPUSH l 2")
			var first, then *pipectx.Ref[any]
			done := make(chan struct{})
			err := run.play(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, "INCR", "text")
				first = do(ctx, db, "RPUSH", "l", 1)
				go func() {
					defer close(done)
					_, _ = pipectx.Await(ctx, first)
				}()
				<-g.heard
				then = do(ctx, db, "RPUSH", "l", 2)
				g.openLater()
				return nil
			})
			want(t, "the one awaited", first, any(int64(1)))
			want(t, "the one behind", then, any(int64(2)))
			var failed *pipectx.RunError
			if !errors.As(err, &failed) || failed.Failed != 1 || !strings.Contains(err.Error(), "INCR text") {
				t.Fatalf("it answers %v, want that INCR was refused", err)
			}
			before := err.Error()
			<-done
			if err.Error() != before {
				t.Errorf("its error was %q and is %q", before, err)
			}
		})
	}
}

// Members of a Gather go behind what the Run around it has queued, and behind a
// Stream's chunk under way, also those that wait while others are being served.
func TestGatherHasOneTurn(t *testing.T) {
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			p, s := redistest.NewProxy(t), redistest.Shared(t)
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
			g := newGate(t, p, "RPUSH l 1", "RPUSH l 2")
			err := run.play(t.Context(), db, func(ctx context.Context) error {
				do(ctx, db, "RPUSH", "l", 1)
				var other sync.WaitGroup
				defer other.Wait()
				if run.chunk > 0 {
					other.Go(func() {
						for range run.chunk {
							do(ctx, db, "PING")
						}
					})
					<-g.heard
				}
				return pipectx.Gather(ctx, db, func(members *pipectx.Group) error {
					members.Go(func(ctx context.Context) error {
						_, err := pipectx.Await(ctx, do(ctx, db, "PING"))
						return err
					})
					members.Go(func(ctx context.Context) error {
						<-g.heard
						g.openLater()
						n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "RPUSH", "l", 2))
						if n != 2 {
							t.Errorf("the member's is element %d, want 2", n)
						}
						return err
					})
					return nil
				})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Members that lose their connection in a Stream, and a goroutine that awaits
// beside its end: each command says what became of it.
func TestSendersLoseTheirConnection(t *testing.T) {
	p := redistest.NewProxy(t)
	db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	p.On(func(r redistest.Request) redistest.Fate {
		if r.Name() == "INCR" {
			return redistest.Lose()
		}
		return redistest.Pass()
	})
	incr := func(ctx context.Context, key int) {
		_, err := pipectx.Await(ctx, do(ctx, db, "INCR", key))
		if !errors.Is(err, pipectx.ErrOutcomeUnknown) && !errors.Is(err, pipectx.ErrNotSent) && !errors.Is(err, pipectx.ErrEnded) {
			t.Errorf("INCR %d answers %v", key, err)
		}
	}
	for range 5 {
		var beside sync.WaitGroup
		err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "INCR", "first")
			for range 1_000 {
				do(ctx, db, "PING")
			}
			err := pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
				for i := range 3 {
					g.Go(func(ctx context.Context) error { incr(ctx, i); return nil })
				}
				return nil
			})
			beside.Go(func() { incr(ctx, 4) })
			return err
		})
		var failed *pipectx.RunError
		if !errors.As(err, &failed) || failed.Failed == 0 {
			t.Errorf("Stream answers %v, want that the first was lost", err)
		}
		beside.Wait()
	}
}

// Callbacks of a Stream's last chunk may fill chunks of their own: all is sent, in
// order, and called back.
func TestLastCallbacksFillChunks(t *testing.T) {
	for reason, fan := range map[string][]int{
		"the last chunk's queue more than a chunk":       {1_500, 2},
		"those that they queue do, wave for wave":        {700, 3, 3},
		"several chunks at once, behind a chunk of fn's": {2_500, 3},
	} {
		t.Run(reason, func(t *testing.T) {
			client := redistest.Shared(t).Client(t)
			db := newDB(t, client)
			last, called, leaves := strconv.Itoa(len(fan)-1), 0, 1
			for _, n := range fan {
				leaves *= n
			}
			var grow func(ctx context.Context, level, from int) error
			grow = func(ctx context.Context, level, from int) error {
				if level == len(fan) {
					called++
					return nil
				}
				for i := range fan[level] {
					n := from*fan[level] + i
					ref := pipectx.Handled(do(ctx, db, "RPUSH", level, n))
					if err := pipectx.After(ctx, func(ctx context.Context) error {
						return errors.Join(ref.Err(), grow(ctx, level+1, n))
					}); err != nil {
						return err
					}
				}
				return nil
			}
			err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error { return grow(ctx, 0, 0) })
			if err != nil || called != leaves {
				t.Errorf("%d of %d callbacks, %v", called, leaves, err)
			}
			got, err := client.LRange(t.Context(), last, 0, -1).Result()
			if err != nil || len(got) != leaves {
				t.Errorf("%d of %d have run, %v", len(got), leaves, err)
			}
			for i, s := range got {
				if s != strconv.Itoa(i) {
					t.Fatalf("element %d is %s", i, s)
				}
			}
		})
	}
}

// What fails of it is in the Stream's error.
func TestLastCallbacksFailures(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	do(t.Context(), db, "SET", "text", "x")
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		for range 1_001 {
			_ = pipectx.After(ctx, func(ctx context.Context) error {
				do(ctx, db, "INCR", "text")
				do(ctx, db, "INCR", "text")
				return nil
			})
			do(ctx, db, "PING")
		}
		return nil
	})
	var failed *pipectx.RunError
	if !errors.As(err, &failed) || failed.Failed != 2_002 {
		t.Errorf("Stream answers %v, want 2,002 failures", err)
	}
}

// An inner Run that is open keeps its own commands back, and leaves chunks whole.
func TestStreamAroundAnOpenRun(t *testing.T) {
	w := newWitness()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(w))
	err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
		inner, p, err := pipectx.Begin(ctx, db)
		if err != nil {
			return err
		}
		for range 1_000 {
			do(inner, db, "PING")
		}
		for range 100 {
			do(ctx, db, "PING")
		}
		return p.Exec()
	})
	if flushes := len(w.seen()); err != nil || flushes > 3 {
		t.Errorf("%d flushes for 2,100 commands, %v", flushes, err)
	}
}
