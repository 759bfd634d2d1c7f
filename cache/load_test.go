package cache_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Refresh loads at once, whatever others are doing: a load of this process, one of another,
// or one that has failed since it asked. What those get is not stored.
func TestRefreshWaitsForNobody(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		r := region(t, cache.Options{})
		loading, go_ := make(chan struct{}), make(chan struct{})
		l := &loader{next: func(n int64, arg string) (string, error) {
			if n == 1 {
				close(loading)
				<-go_
			}
			return fmt.Sprintf("%s %d", arg, n), nil
		}}
		f := cache.Func(r, "f", l.load).On(db)
		first := make(chan string, 1)
		go func() {
			v, _ := f.Get(ctx, "a").Result()
			first <- v
		}()
		<-loading
		want(t, "beside a load of this process", f.Refresh(ctx, "a"), "a 2")
		want(t, "stored", f.Peek(ctx, "a"), "a 2")
		close(go_)
		if got := <-first; got != "a 2" {
			t.Errorf("the load that began before has got %q", got)
		}
		for what, held := range map[string]string{"another process's": "of another", "a failed one's": "!9999999999999999 eours"} {
			if err := client.Set(ctx, "cache.lease:f{"+r.String()+"}:b", held, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
			n := l.loads.Load()
			want(t, "beside "+what, f.Refresh(ctx, "b"), fmt.Sprintf("b %d", n+1))
			want(t, "stored beside "+what, f.Peek(ctx, "b"), fmt.Sprintf("b %d", n+1))
		}
	})
}

// An answer that is lost, to the question who loads or to what was loaded, costs no load
// and no wait for a lease.
func TestLostAnswers(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	ctx := t.Context()
	for nth, what := range []string{"who loads", "what was loaded"} {
		l := &loader{}
		f := cache.Func(region(t, cache.Options{Lease: time.Minute}), "f", l.load).On(db)
		want(t, "the scripts are known", f.Get(ctx, "a"), "a 1")
		var scripts atomic.Int32
		p.On(func(r redistest.Request) redistest.Fate {
			if strings.HasPrefix(r.Name(), "EVAL") && scripts.Add(1) == int32(1+nth) {
				return redistest.Lose()
			}
			return redistest.Pass()
		})
		began := time.Now()
		want(t, what, f.Get(ctx, "b"), "b 2")
		p.On(nil)
		want(t, what+", stored", f.Get(ctx, "b"), "b 2")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: it took %v", what, took)
		}
		wantLoads(t, l, 2)
	}
}

// What a loader says last is so: where there is no value any more, none is stored.
func TestValueGone(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		l := &loader{next: func(n int64, arg string) (string, error) {
			if n == 2 {
				return "", pipectx.NotFound(arg)
			}
			return fmt.Sprintf("%s %d", arg, n), nil
		}}
		f := cache.Func(region(t, cache.Options{}), "f", l.load).On(db)
		want(t, "at first", f.Get(ctx, "a"), "a 1")
		wantErr(t, "then", f.Refresh(ctx, "a"), pipectx.ErrNotFound)
		wantErr(t, "stored", f.Peek(ctx, "a"), pipectx.ErrNotFound)
		want(t, "later", f.Get(ctx, "a"), "a 3")
	})
}

// A load that fails when its lease is another's by now leaves that one alone.
func TestFailsLate(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		r := region(t, cache.Options{})
		key := "cache.lease:f{" + r.String() + "}:a"
		l := &loader{next: func(int64, string) (string, error) {
			if err := client.Set(ctx, key, "of another", time.Minute).Err(); err != nil {
				t.Error(err)
			}
			return "", errOurs
		}}
		wantErr(t, "its caller", cache.Func(r, "f", l.load).On(db).Get(ctx, "a"), errOurs)
		if holder, err := client.Get(ctx, key).Result(); holder != "of another" || err != nil {
			t.Errorf("the lease is %q, %v", holder, err)
		}
	})
}
