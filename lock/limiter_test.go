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
