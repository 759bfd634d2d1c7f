package pipectx_test

import (
	"context"
	"errors"
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

// An Await whose context ends never says "not sent", which would mean that the
// command may be repeated: what is queued goes later, what is under way may have
// run. Both have run once.
func TestAwaitGivenUpIsNotUnsent(t *testing.T) {
	t.Run("in a Gather, where another still runs", func(t *testing.T) {
		db := newDB(t, redistest.Shared(t).Client(t))
		left := make(chan struct{})
		err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
			g.Go(func(ctx context.Context) error {
				defer close(left)
				ended, cancel := context.WithCancel(ctx)
				cancel()
				wantGivenUp(t, ended, do(ctx, db, "INCR", "n"))
				return nil
			})
			g.Go(func(context.Context) error { <-left; return nil })
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 1)
	})
	for reason, behind := range map[string]bool{"behind a Stream's chunk": true, "in the chunk itself": false} {
		t.Run(reason, func(t *testing.T) {
			s, h := redistest.Shared(t), newHanging(t)
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = h.proxy.Dial }))
			k := h.hold("held")
			err := pipectx.Stream(t.Context(), db, func(ctx context.Context) error {
				var n *pipectx.Ref[any]
				if !behind {
					n = do(ctx, db, "INCR", "n")
				}
				do(ctx, db, "INCR", "held")
				var other sync.WaitGroup
				other.Go(func() { // sends the chunk
					for range 1_000 {
						do(ctx, db, "PING")
					}
				})
				<-k.heard
				if behind {
					n = do(ctx, db, "INCR", "n")
				}
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				wantGivenUp(t, short, n)
				close(k.release)
				other.Wait()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			want(t, "n", pipectx.Do[int64](t.Context(), db, "GET", "n"), 1)
		})
	}
}

func wantGivenUp[T any](t *testing.T, ctx context.Context, ref *pipectx.Ref[T]) {
	t.Helper()
	_, err := pipectx.Await(ctx, ref)
	if err != nil { // on a busy machine a member may be served before it looks at its context
		wantErr(t, "Await", err, context.Cause(ctx))
	}
	if errors.Is(err, pipectx.ErrNotSent) {
		t.Errorf("Await says %v, and it goes", err)
	}
}

// A write that may be sent again and was lost once has an unknown outcome, whatever
// keeps it from going once more.
func TestResendGivenUpIsNotUnsent(t *testing.T) {
	tests := []struct {
		reason  string
		fate    redistest.Fate
		cancels bool // when it is heard
		redial  error
		ends    bool // the context, when it is dialled again
	}{
		{reason: "its answer is lost each time", fate: redistest.Lose()},
		{reason: "nobody is there the second time", fate: redistest.Lose(), redial: errOurs},
		{reason: "the context ends before the second time", fate: redistest.Lose(), redial: errOurs, ends: true},
		{reason: "the context ends while it is under way", fate: redistest.Hold(nil), cancels: true},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			p, s := redistest.NewProxy(t), redistest.Shared(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var heard atomic.Bool
			db := newDB(t, s.Client(t, func(o *redis.Options) {
				o.DialerRetries = 1
				o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if heard.Load() && test.redial != nil {
						if test.ends {
							cancel()
						}
						return nil, test.redial
					}
					return p.Dial(ctx, network, addr)
				}
			}))
			p.On(func(r redistest.Request) redistest.Fate {
				if r.Name() != "SADD" {
					return redistest.Pass()
				}
				heard.Store(true)
				if test.cancels {
					cancel()
				}
				return test.fate
			})
			err := do(pipectx.Resend(ctx), db, "SADD", "set", "m").Err()
			wantErr(t, "SADD", err, pipectx.ErrOutcomeUnknown)
			if errors.Is(err, pipectx.ErrNotSent) {
				t.Errorf("it says %v, too", pipectx.ErrNotSent)
			}
			if test.cancels || test.ends {
				wantErr(t, "SADD", err, context.Canceled)
			}
			p.Settle(t)
			want(t, "its members", pipectx.Do[int64](t.Context(), newDB(t, s.Client(t)), "SCARD", "set"), 1)
		})
	}
}

// One lost connection keeps nothing from being sent when all of it may be done
// again: neither a Stream's next chunks nor what stands behind the chunk.
func TestOneLossStopsNothing(t *testing.T) {
	tests := []struct {
		reason   string
		open     func(ctx context.Context, db *pipectx.DB, fn func(ctx context.Context) error) error
		commands int
		name     string
	}{
		{"a Stream under Resend", func(ctx context.Context, db *pipectx.DB, fn func(ctx context.Context) error) error {
			return pipectx.Stream(pipectx.Resend(ctx), db, fn)
		}, 5_000, "SADD"},
		{"a Run of reads, longer than a chunk", pipectx.Run, 10_001, "SISMEMBER"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			p := redistest.NewProxy(t)
			db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
			var lost atomic.Bool
			p.On(func(r redistest.Request) redistest.Fate {
				if r.Name() == test.name && !lost.Swap(true) {
					return redistest.Lose()
				}
				return redistest.Pass()
			})
			err := test.open(t.Context(), db, func(ctx context.Context) error {
				for i := range test.commands {
					do(ctx, db, test.name, "set", i)
				}
				return nil
			})
			if err != nil || !lost.Load() {
				t.Error(err)
			}
		})
	}
}

// An Atomic of which only a part may be done again is not sent again in part.
func TestResendWithinAnAtomic(t *testing.T) {
	p, s := redistest.NewProxy(t), redistest.Shared(t)
	db, lost := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })), false
	p.On(once(redistest.Lose(), &lost, func(r redistest.Request) bool { return r.Name() == "EXEC" }))
	err := pipectx.Atomic(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "a")
		return pipectx.Run(pipectx.Resend(ctx), db, func(ctx context.Context) error { do(ctx, db, "INCR", "b"); return nil })
	})
	wantErr(t, "Atomic", err, pipectx.ErrOutcomeUnknown)
	if a, b := stored(t, s.Client(t), "a"), stored(t, s.Client(t), "b"); a != "1" || b != "1" {
		t.Errorf("a is %s and b is %s, want 1 and 1", a, b)
	}
}

// Verbs that share a pipeline have no order among them: those behind another's lost
// chunk are answered as they would be alone.
func TestCoalescedBehindALoss(t *testing.T) {
	p := redistest.NewProxy(t)
	db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = p.Dial }), pipectx.Coalesce())
	opened := make(chan struct{})
	heard := make(chan struct{}, 2)
	p.On(func(r redistest.Request) redistest.Fate {
		switch r.Name() {
		case "ECHO":
			heard <- struct{}{}
			return redistest.Hold(opened)
		case "APPEND":
			return redistest.Lose()
		}
		return redistest.Pass()
	})
	before := inside()
	var all sync.WaitGroup
	for i := range 2 { // as many as are under way at once
		all.Go(func() { want(t, "ECHO", do(t.Context(), db, "ECHO", i), any(fmt.Sprint(i))) })
		<-heard
	}
	queued := func(args ...any) func() *pipectx.Ref[any] {
		busy := inside()
		var ref *pipectx.Ref[any]
		all.Go(func() { ref = do(t.Context(), db, args...) })
		redistest.Until(t, 10*time.Second, fmt.Sprint(args[0], " to be queued"), func() error {
			if inside() <= busy {
				return errors.New("it is not")
			}
			return nil
		})
		return func() *pipectx.Ref[any] { return ref }
	}
	lost := queued("APPEND", "big", strings.Repeat("x", 1<<20)) // a chunk of its own
	read, write := queued("EXISTS", "q"), queued("SET", "q", "1")
	close(opened)
	all.Wait()
	wantErr(t, "the lost one", lost().Err(), pipectx.ErrOutcomeUnknown)
	if read().Err() != nil || write().Err() != nil {
		t.Errorf("behind it: %v, %v", read().Err(), write().Err())
	}
	nobodyInside(t, before)
}

// A deadline that ends the tries to reach a server that is gone does not hide why
// they were made; and what was never connected was no round trip.
func TestDeadlineSaysWhatFailedBefore(t *testing.T) {
	w := newWitness()
	dialled := make(chan struct{}, 100)
	client := redis.NewClient(&redis.Options{DialerRetries: 1, Dialer: func(context.Context, string, string) (net.Conn, error) {
		dialled <- struct{}{}
		return nil, errOurs
	}})
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-dialled
		<-dialled // the first has failed by now
		cancel(context.DeadlineExceeded)
	}()
	err := do(ctx, newDB(t, client, pipectx.Observe(w)), "INCR", "n").Err()
	wantErr(t, "INCR", err, pipectx.ErrNotSent)
	if !strings.Contains(err.Error(), errOurs.Error()) {
		t.Errorf("it does not say why: %v", err)
	}
	if f := w.last(t); f.RoundTrips != 0 {
		t.Errorf("%d round trips without a connection", f.RoundTrips)
	}
}

// A mute is a connection on which nothing is read before it is greeted, not even
// the answer to HELLO.
type mute struct {
	net.Conn
	greeted <-chan struct{}
}

func (m *mute) Read(p []byte) (int, error) { <-m.greeted; return m.Conn.Read(p) }

// What has not begun to be written when its context ends is not sent any more: it
// says so, and does not run when the connection is there after all.
func TestContextEndsBeforeAnythingIsWritten(t *testing.T) {
	s := redistest.Shared(t)
	var dialer net.Dialer
	greeted := make(chan struct{})
	db := newDB(t, s.Client(t, func(o *redis.Options) {
		o.Dialer = func(_ context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.Dial(network, addr)
			return &mute{conn, greeted}, err
		}
	}))
	before := inside()
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	alone := do(short(), db, "INCR", "n")
	var queued *pipectx.Ref[any]
	err := pipectx.Run(short(), db, func(ctx context.Context) error {
		do(ctx, db, "INCR", "n")
		queued = do(ctx, db, "INCR", "n")
		return nil
	})
	for name, err := range map[string]error{"alone": alone.Err(), "queued": queued.Err(), "Run": err} {
		wantErr(t, name, err, pipectx.ErrNotSent)
		wantErr(t, name, err, context.DeadlineExceeded)
	}
	close(greeted)
	nobodyInside(t, before)
	if got := stored(t, s.Client(t), "n"); got != "" {
		t.Errorf("INCR ran: n is %s", got)
	}
}
