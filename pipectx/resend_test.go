package pipectx_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A write whose answer was lost is sent again if the caller said so, for itself or
// for its Run; what must not be sent again keeps what stands before it from it.
func TestResend(t *testing.T) {
	type step struct {
		resend bool
		args   []any
		err    error // nil: it was answered
	}
	sadd := func(resend bool, err error) step { return step{resend, []any{"SADD", "set", "m"}, err} }
	get := func(err error) step { return step{false, []any{"SCARD", "set"}, err} }
	incr := func(err error) step { return step{false, []any{"INCR", "n"}, err} }
	lost, readLost := pipectx.ErrOutcomeUnknown, errAnswerLost
	tests := []struct {
		reason string
		steps  []step // the answers of all are lost, once
		times  int    // how often a lone command is executed
	}{
		{"a write is not", []step{sadd(false, lost)}, 1},
		{"one that may be is", []step{sadd(true, nil)}, 2},
		{"several that may be are, in order", []step{sadd(true, nil), sadd(true, nil)}, 2},
		{"not behind its back: the INCR may have run on it", []step{sadd(true, lost), incr(lost)}, 1},
		{"a read before a write would see it", []step{get(readLost), sadd(true, nil)}, 1},
		{"a read behind it is sent again as ever", []step{sadd(true, nil), get(nil)}, 2},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			proxy := redistest.NewProxy(t)
			db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial }))
			var first atomic.Int32
			var over atomic.Bool
			proxy.On(func(r redistest.Request) redistest.Fate {
				if r.Args[0] == test.steps[0].args[0] && len(r.Args) == len(test.steps[0].args) {
					first.Add(1)
				}
				if over.Load() {
					return redistest.Pass()
				}
				if r.Args[0] == test.steps[len(test.steps)-1].args[0] {
					over.Store(true)
				}
				return redistest.Lose()
			})
			var refs []*pipectx.Ref[any]
			_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error { // each Ref is looked at
				for _, s := range test.steps {
					inner := ctx
					if s.resend {
						inner = pipectx.Resend(ctx)
					}
					_ = pipectx.Run(inner, db, func(ctx context.Context) error {
						refs = append(refs, do(ctx, db, s.args...))
						return nil
					})
				}
				return nil
			})
			for i, s := range test.steps {
				err := refs[i].Err()
				switch {
				case s.err == errAnswerLost:
					if err == nil || errors.Is(err, pipectx.ErrOutcomeUnknown) {
						t.Errorf("%v: %v, want that the answer was lost", s.args, err)
					}
				case !errors.Is(err, s.err):
					t.Errorf("%v: %v, want %v", s.args, err, s.err)
				}
			}
			if len(test.steps) == 1 && int(first.Load()) != test.times {
				t.Errorf("executed %d times, want %d", first.Load(), test.times)
			}
		})
	}
}

var errAnswerLost = errors.New("the answer of a read was lost")

// It holds for verbs that run at once, and for a whole Atomic.
func TestResendAtOnce(t *testing.T) {
	for _, options := range [][]pipectx.Option{nil, {pipectx.Coalesce()}} {
		proxy := redistest.NewProxy(t)
		client := redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial })
		db := newDB(t, client, options...)
		lose := func() {
			var lost atomic.Bool
			proxy.On(func(r redistest.Request) redistest.Fate {
				if (r.Args[0] == "INCR" || r.Args[0] == "EXEC") && !lost.Swap(true) {
					return redistest.Lose()
				}
				return redistest.Pass()
			})
		}
		ctx := pipectx.Resend(t.Context())
		lose()
		want(t, "at once", pipectx.Do[int64](ctx, db, "INCR", "n"), 2)
		lose()
		err := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
			do(ctx, db, "APPEND", "a", "x")
			do(ctx, db, "APPEND", "b", "x")
			return nil
		})
		if err != nil || stored(t, client, "a") != "xx" || stored(t, client, "b") != "xx" {
			t.Errorf("Atomic: %v, a %q, b %q; want both twice", err, stored(t, client, "a"), stored(t, client, "b"))
		}
		lose()
		wantErr(t, "without it", do(t.Context(), db, "INCR", "n").Err(), pipectx.ErrOutcomeUnknown)
	}
}
