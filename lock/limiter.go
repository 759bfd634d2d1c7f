package lock

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Limiter is a family of rate limits, one for each name. Make it with [NewLimiter].
//
//	var Calls = lock.NewLimiter("calls", lock.SlidingWindow(100, time.Minute))
//
//	v, err := Calls.On(db).Allow(ctx, clientID).Result()
//	if err == nil && !v.Allowed {
//		w.Header().Set("Retry-After", …v.RetryAfter…)
//	}
type Limiter struct {
	prefix string
	rate   Rate
}

// Rate is what a [Limiter] allows: a [SlidingWindow] or a [TokenBucket].
type Rate struct {
	limit  int
	per    time.Duration
	burst  int
	window bool
}

// SlidingWindow allows n within any span of this length, wherever it begins. The
// server keeps the time of each that it allowed: memory of n entries for a name.
func SlidingWindow(n int, per time.Duration) Rate {
	return Rate{limit: n, per: per, burst: n, window: true}
}

// TokenBucket allows n within per at a steady rate, and up to burst at once after a
// pause: within any span of length t, burst + n·t/per at most. The server keeps two
// numbers for a name.
func TokenBucket(n int, per time.Duration, burst int) Rate {
	return Rate{limit: n, per: per, burst: burst}
}

// NewLimiter declares a family of rate limits whose keys are prefix{name}. It panics,
// at start-up, if the rate is none; [TryNewLimiter] returns the error.
func NewLimiter(prefix string, r Rate) *Limiter {
	l, err := TryNewLimiter(prefix, r)
	if err != nil {
		panic(atCaller(err))
	}
	return l
}

// TryNewLimiter is [NewLimiter] with the error returned.
func TryNewLimiter(prefix string, r Rate) (*Limiter, error) {
	const most = 1 << 30
	err := checkPrefix(prefix)
	switch {
	case err != nil:
	case r.limit < 1 || r.limit > most || r.burst < 1 || r.burst > most:
		err = fmt.Errorf("a rate of %d, %d at once; both must be from 1 to %d", r.limit, r.burst, most)
	case r.per < time.Millisecond || r.per > mostTTL:
		err = fmt.Errorf("a rate per %v; it must be from a millisecond to a year", r.per)
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %q: %w", prefix, err)
	}
	return &Limiter{prefix, r}, nil
}

// On binds the limits to a DB.
func (l *Limiter) On(db *pipectx.DB) BoundLimiter { return BoundLimiter{l, db} }

// BoundLimiter is a [Limiter] on a DB. Safe for concurrent use.
type BoundLimiter struct {
	def *Limiter
	db  *pipectx.DB
}

// Verdict is what a limiter says.
type Verdict struct {
	Allowed    bool
	Left       int           // how many more would be allowed now
	RetryAfter time.Duration // when not allowed: the same would be then, if nobody else asks
}

// Allow counts one if the rate allows it, in one atomic step. To be refused is no
// error. A call whose answer was lost is sent again where the rate is a sliding
// window, which knows the call; a token bucket answers pipectx.ErrOutcomeUnknown.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundLimiter) Allow(ctx context.Context, name string) *pipectx.Ref[Verdict] {
	return b.AllowN(ctx, name, 1)
}

// AllowN is Allow for n at once: all of them or none. More than the rate ever
// allows at once is an error.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundLimiter) AllowN(ctx context.Context, name string, n int) *pipectx.Ref[Verdict] {
	r := b.def.rate
	script := bucketScript
	if r.window {
		script = windowScript
	}
	c := script.Command(1)
	at, err := key(b.def.prefix, "", name)
	if err == nil && (n < 1 || n > r.burst) {
		err = fmt.Errorf("%d at once; the rate allows from 1 to %d", n, r.burst)
	}
	if err != nil {
		c.Fail(fmt.Errorf("lock: allow %s: %w", b.def.prefix, err))
	}
	c.Key(at)
	c.Int(int64(r.limit))
	c.Int(r.per.Microseconds())
	if r.window {
		c.Int(int64(n))
		c.Word(rand.Text())
	} else {
		c.Int(int64(r.burst))
		c.Int(int64(n))
	}
	return pipectx.Send(ctx, b.db, c, func(r pipectx.Reply) (v Verdict, err error) {
		got, err := integers(r)
		if err != nil {
			return v, err
		}
		return Verdict{got[0] == 1, int(got[1]), time.Duration(got[2]) * time.Microsecond}, nil
	})
}

// Wait waits until the rate allows one, and counts it. It ends with ctx. Who waits
// has no place in a queue. Refused inside a Run.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip; 1 of each more for each time
// that others were faster.
func (b BoundLimiter) Wait(ctx context.Context, name string) error {
	if err := pipectx.Outside(ctx, b.db, "lock: wait for "+b.def.prefix); err != nil {
		return err
	}
	for {
		v, err := b.Allow(ctx, name).Result()
		if err != nil || v.Allowed {
			return err
		}
		timer := time.NewTimer(v.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("lock: wait for %s{%s}: %w", b.def.prefix, name, context.Cause(ctx))
		}
	}
}
