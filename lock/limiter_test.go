package lock_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A call of a sliding window whose answer was lost is asked again, and counts once.
func TestLimiterLostAnswer(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	limits := calls.On(newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })))
	done(t, "another name", limits.Allow(t.Context(), "warm").Err())
	var once atomic.Bool
	p.On(func(r redistest.Request) redistest.Fate {
		if strings.HasPrefix(r.Name(), "EVAL") && once.CompareAndSwap(false, true) {
			return redistest.Lose()
		}
		return redistest.Pass()
	})
	v, err := limits.Allow(t.Context(), "lost").Result()
	if want := (lock.Verdict{Allowed: true, Left: 2}); err != nil || v != want {
		t.Errorf("%+v, %v; want %+v", v, err, want)
	}
}

// A bucket keeps its tokens when the server's clock is set back.
func TestBucketClockSetBack(t *testing.T) {
	everywhere(t, func(t *testing.T, db, _ *pipectx.DB) {
		ctx := t.Context()
		ahead := time.Now().Add(time.Hour).UnixMicro()
		if err := db.Client().HSet(ctx, "drops{back}", "tokens", 1, "at", ahead).Err(); err != nil {
			t.Fatal(err)
		}
		for _, allowed := range []bool{true, false} {
			if v, err := drops.On(db).Allow(ctx, "back").Result(); err != nil || v.Allowed != allowed {
				t.Errorf("%+v, %v; want %v", v, err, allowed)
			}
		}
	})
}

// RetryAfter is when as many would be allowed, to the microsecond: for a window when so
// many have left it, for a bucket when so many have flowed in, also when the server's
// clock was set back.
func TestRetryAfter(t *testing.T) {
	s := redistest.Embedded(t)
	db := newDB(t, s.Client(t))
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		what   string
		limits lock.BoundLimiter
		at     time.Duration
		n      int
		want   lock.Verdict
	}{
		{"window", calls.On(db), 0, 1, lock.Verdict{Allowed: true, Left: 2}},
		{"window", calls.On(db), 10 * time.Second, 1, lock.Verdict{Allowed: true, Left: 1}},
		{"window", calls.On(db), 20 * time.Second, 1, lock.Verdict{Allowed: true}},
		{"window, one has to leave", calls.On(db), 30 * time.Second, 1, lock.Verdict{RetryAfter: 30 * time.Second}},
		{"window, two have", calls.On(db), 30 * time.Second, 2, lock.Verdict{RetryAfter: 40 * time.Second}},
		{"window, all have", calls.On(db), 30 * time.Second, 3, lock.Verdict{RetryAfter: 50 * time.Second}},
		{"bucket", drops.On(db), 30 * time.Second, 3, lock.Verdict{Allowed: true}},
		{"bucket, one flows in", drops.On(db), 30 * time.Second, 1, lock.Verdict{RetryAfter: time.Second}},
		{"bucket, two do", drops.On(db), 30500 * time.Millisecond, 2, lock.Verdict{RetryAfter: 1500 * time.Millisecond}},
		{"bucket, the clock was set back", drops.On(db), 20 * time.Second, 1, lock.Verdict{RetryAfter: 11 * time.Second}},
	} {
		s.Embedded().SetTime(began.Add(row.at))
		if v, err := row.limits.AllowN(t.Context(), "r", row.n).Result(); err != nil || v != row.want {
			t.Errorf("%s: %+v, %v; want %+v", row.what, v, err, row.want)
		}
	}
}
