package cache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A stale value is served at once, while one caller loads: also when that load fails.
func TestSoft(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		go_ := make(chan struct{})
		l := &loader{next: func(n int64, arg string) (string, error) {
			switch n {
			case 1:
				return "old", nil
			case 2:
				return "", errOurs
			}
			<-go_
			return "new", nil
		}}
		def := cache.Func(region(t, cache.Options{Soft: 20 * time.Millisecond}), "f", l.load)
		here, there := def.On(db), def.On(newDB(t, client))
		want(t, "the first", here.Get(ctx, "a"), "old")
		redistest.Until(t, 10*time.Second, "a load of the stale value, after one that failed", func() error {
			if l.loads.Load() == 3 {
				return nil
			}
			want(t, "the old one", here.Get(ctx, "a"), "old")
			return fmt.Errorf("%d loads", l.loads.Load())
		})
		for range 20 { // nobody waits, in this process or another, and nobody else loads
			want(t, "here", here.Get(ctx, "a"), "old")
			want(t, "there", there.Get(ctx, "a"), "old")
		}
		wantLoads(t, l, 3)
		close(go_)
		redistest.Until(t, 10*time.Second, "the new value", func() error {
			if got, err := there.Get(ctx, "a").Result(); got != "new" {
				return fmt.Errorf("%q, %v", got, err)
			}
			return nil
		})
	})
}

// A value in demand is loaded anew before it is stale, so that nobody is served an
// old one.
func TestEarly(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	ctx := t.Context()
	r := region(t, cache.Options{TTL: time.Minute, Soft: 2 * time.Second, Early: true})
	f := cache.Func(r, "f", func(context.Context, string) (time.Time, error) {
		time.Sleep(200 * time.Millisecond) // what a load takes decides how early
		return time.Now(), nil
	}).On(db)
	first, err := f.Get(ctx, "a").Result()
	if err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, 10*time.Second, "a second load", func() error {
		for range 9 { // of so many one is early enough, surely
			if err := f.Get(ctx, "a").Err(); err != nil {
				return err
			}
		}
		if second, err := f.Get(ctx, "a").Result(); err != nil || second.Equal(first) {
			return fmt.Errorf("%v, %v", second, err)
		}
		return nil
	})
	if err := r.On(db).Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err := r.On(db).Statistics(ctx, time.Now()).Result(); err != nil || all["f"].Stale != 0 || all["f"].Misses != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

// What ends, ends by the server's clock, and times that values have in common are
// spread.
func TestTTL(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		db := newDB(t, client)
		ctx := t.Context()
		f := cache.Func(region(t, cache.Options{TTL: 100 * time.Second, Jitter: 0.5}), "ttl", (&loader{}).load).On(db)
		least, most := time.Hour, time.Duration(0)
		for i := range 50 {
			if err := f.Get(ctx, fmt.Sprint(i)).Err(); err != nil {
				t.Fatal(err)
			}
		}
		keys, err := client.Keys(ctx, "cache:ttl{*").Result()
		if err != nil || len(keys) != 50 {
			t.Fatal(keys, err)
		}
		for _, key := range keys {
			ttl, err := client.PTTL(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
			least, most = min(least, ttl), max(most, ttl)
		}
		if least < 49*time.Second || most > 100*time.Second || most-least < 20*time.Second {
			t.Errorf("from %v to %v", least, most)
		}
		short := cache.Func(region(t, cache.Options{TTL: 10 * time.Millisecond}), "f", (&loader{}).load).On(db)
		want(t, "the first", short.Get(ctx, "a"), "a 1")
		redistest.Until(t, 5*time.Second, "its end", func() error {
			if got, err := short.Get(ctx, "a").Result(); err != nil || got == "a 1" {
				return fmt.Errorf("%q, %v", got, err)
			}
			return nil
		})
	})
}

// Nothing of a cache stays for ever: every key has an end.
func TestEverythingEnds(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	ctx := t.Context()
	r := region(t, cache.Options{Keys: true, Buckets: 2, Missing: time.Minute, Errors: time.Minute, Near: cache.Near{Entries: 10}})
	l := &loader{next: func(n int64, arg string) (string, error) {
		switch arg {
		case "missing":
			return "", pipectx.NotFound(arg)
		case "bad":
			return "", errOurs
		}
		return arg, nil
	}}
	f := cache.Func(r, "f", l.load).On(db)
	for _, arg := range []string{"a", "b", "c", "missing", "bad"} {
		_ = f.Get(ctx, arg).Err() // the errors are meant
	}
	for _, err := range []error{f.Invalidate(ctx, "a").Err(), f.Remove(ctx, "b").Err(), f.InvalidateAll(ctx).Err(), r.On(db).Remove(ctx).Err(), r.On(db).Flush(ctx)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_ = f.Get(ctx, "bad").Err()
	_ = cache.Func(region(t, cache.Options{}), "f", l.load).On(db).Get(ctx, "bad").Err() // nothing was ever stored there
	keys, err := client.Keys(ctx, "*").Result()
	if err != nil || len(keys) < 8 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if ttl, err := client.PTTL(ctx, key).Result(); err != nil || ttl <= 0 {
			t.Errorf("%s ends after %v, %v", key, ttl, err)
		}
	}
}

// Generations outlive the values that are stored under them: each store prolongs them.
func TestGenerationsLast(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		r := region(t, cache.Options{TTL: time.Hour})
		f := cache.Func(r, "f", (&loader{}).load).On(db)
		want(t, "a", f.Get(ctx, "a"), "a 1")
		keys := []string{"cache.generation{" + r.String() + "}", "cache.generation:f{" + r.String() + "}"}
		for _, key := range keys {
			if ok, err := client.Expire(ctx, key, time.Minute).Result(); err != nil || !ok {
				t.Fatal(key, ok, err)
			}
		}
		want(t, "b", f.Get(ctx, "b"), "b 2")
		for _, key := range keys {
			if left, err := client.TTL(ctx, key).Result(); err != nil || left <= time.Hour {
				t.Errorf("%s ends in %v, %v; a value that lasts an hour has just been stored", key, left, err)
			}
		}
	})
}
