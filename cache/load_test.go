package cache_test

import (
	"errors"
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

// Refresh loads at once, whatever others are doing: beside a load of another process, and
// behind one that has failed since it asked.
func TestRefreshWaitsForNobody(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		r := region(t, cache.Options{})
		l := &loader{}
		f := cache.Func(r, "f", l.load).On(db)
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

// A Get and a Refresh whose value was overtaken by another Refresh get that one's, and load
// no more.
func TestOvertakenLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		for verb, load := range map[string]func(f cache.Bound[string, string]) *pipectx.Ref[string]{
			"Get":     func(f cache.Bound[string, string]) *pipectx.Ref[string] { return f.Get(ctx, "a") },
			"Refresh": func(f cache.Bound[string, string]) *pipectx.Ref[string] { return f.Refresh(ctx, "a") },
		} {
			loading, go_ := make(chan struct{}), make(chan struct{})
			l := &loader{next: func(n int64, arg string) (string, error) {
				if n == 1 {
					close(loading)
					<-go_
				}
				return fmt.Sprintf("%s %d", arg, n), nil
			}}
			f := cache.Func(region(t, cache.Options{}), "f", l.load).On(db)
			first := make(chan string, 1)
			go func() {
				v, _ := load(f).Result()
				first <- v
			}()
			<-loading
			want(t, verb+": who overtakes it", f.Refresh(ctx, "a"), "a 2")
			close(go_)
			if got := <-first; got != "a 2" {
				t.Errorf("%s, overtaken, has got %q", verb, got)
			}
			want(t, verb+": stored", f.Peek(ctx, "a"), "a 2")
			wantLoads(t, l, 2)
		}
	})
}

// A value that is invalidated each time it is loaded is loaded three times, and stored by
// none of them.
func TestOutdatedEachTime(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		var there cache.Bound[string, string]
		l := &loader{next: func(n int64, arg string) (string, error) {
			return fmt.Sprintf("%s %d", arg, n), there.Invalidate(ctx, arg).Err()
		}}
		def := cache.Func(region(t, cache.Options{}), "f", l.load)
		there = def.On(newDB(t, client))
		want(t, "its caller", def.On(db).Get(ctx, "a"), "a 3")
		wantErr(t, "stored", there.Peek(ctx, "a"), pipectx.ErrNotFound)
		wantLoads(t, l, 3)
	})
}

// Nobody waits for longer than two leases, whatever others do with theirs.
func TestPatience(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db, ctx := newDB(t, client), t.Context()
	r := region(t, cache.Options{Lease: 100 * time.Millisecond})
	if err := client.Set(ctx, "cache.lease:f{"+r.String()+"}:a", "of another", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	l := &loader{}
	var failed *cache.LoadError
	if err := cache.Func(r, "f", l.load).On(db).Get(ctx, "a").Err(); !errors.As(err, &failed) || !failed.Elsewhere {
		t.Errorf("beside a load without end: %v", err)
	}
	wantLoads(t, l, 0)
}

// A value that lasts for long beside the time that its load takes is not loaded early.
func TestNotTooEarly(t *testing.T) {
	db, ctx := newDB(t, redistest.Shared(t).Client(t)), t.Context()
	l := &loader{}
	f := cache.Func(region(t, cache.Options{TTL: 24 * time.Hour, Early: true}), "f", l.load).On(db)
	for range 100 {
		want(t, "a", f.Get(ctx, "a"), "a 1")
	}
	wantLoads(t, l, 1)
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
