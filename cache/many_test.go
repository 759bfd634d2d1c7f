package cache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Many values are read in a round trip, in their order, and only those that are missing
// are loaded.
func TestGetMany(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		for _, o := range []cache.Options{{}, {Buckets: 7}, {Soft: time.Minute, Buckets: 2}} {
			ctx := t.Context()
			l := &loader{next: func(_ int64, arg string) (string, error) {
				switch arg {
				case "17":
					return "", pipectx.NotFound(arg)
				case "bad":
					return "", errOurs
				}
				return "value " + arg, nil
			}}
			f := cache.Func(region(t, o), "f", l.load).On(db)
			args := make([]string, 1500)
			for i := range args {
				args[i] = fmt.Sprint(i)
			}
			for range 2 {
				values, err := f.GetMany(ctx, args...).Result()
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range values {
					if got, ok := v.Get(); ok != (i != 17) || ok && got != "value "+args[i] {
						t.Fatalf("value %d: %v, %v", i, got, ok)
					}
				}
			}
			wantLoads(t, l, 1501) // what is not there is asked for again
			if _, err := f.GetMany(ctx, "1", "bad", "2").Result(); !errors.Is(err, errOurs) {
				t.Errorf("with one that fails: %v", err)
			}
			if values, err := f.GetMany(ctx).Result(); err != nil || len(values) != 0 {
				t.Errorf("of none: %v, %v", values, err)
			}
		}
	})
}

// Hits of a hundred are one command, in a Run with others too.
func TestGetManyCost(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	l := &loader{}
	f := cache.Func(region(t, cache.Options{}), "f", l.load).On(db)
	args := strings.Split(strings.Repeat("x", 99), "")
	for i := range args {
		args[i] = fmt.Sprint(i)
	}
	ctx := t.Context()
	if err := f.GetMany(ctx, args...).Err(); err != nil {
		t.Fatal(err)
	}
	sent := redistest.Record(client)
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		f.GetMany(ctx, args...)
		f.Get(ctx, "1")
		return nil
	})
	if err != nil || sent.Commands() != 2 || sent.RoundTrips() != 1 {
		t.Errorf("%d commands in %d round trips, %v", sent.Commands(), sent.RoundTrips(), err)
	}
}

// A region lists its functions, and its keys where it was asked to.
func TestLists(t *testing.T) {
	everywhere(t, func(t *testing.T, _ redis.UniversalClient, db *pipectx.DB) {
		type arg struct {
			Name string
			Page int
			Tag  *string
		}
		ctx := t.Context()
		for _, buckets := range []int{1, 3} {
			r := region(t, cache.Options{Keys: true, Buckets: buckets})
			f := cache.Func(r, "f", func(_ context.Context, a arg) (string, error) { return a.Name, nil }).On(db)
			tag := "t:%"
			stored := map[string]bool{}
			for _, a := range []arg{{"", 0, nil}, {"a:b", 1, nil}, {"a", 1, &tag}, {strings.Repeat("long", 500), 7, nil}} {
				if err := f.Get(ctx, a).Err(); err != nil {
					t.Fatal(err)
				}
				stored[shown(a.Name, a.Page, a.Tag)] = true
			}
			listed := map[string]bool{}
			for a, err := range f.Keys(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				listed[shown(a.Name, a.Page, a.Tag)] = true
			}
			if !maps.Equal(listed, stored) {
				t.Errorf("listed %v, stored %v", listed, stored)
			}
			if err := r.On(db).Flush(ctx); err != nil {
				t.Fatal(err)
			}
			if names, err := r.On(db).Functions(ctx).Result(); err != nil || !slices.Equal(names, []string{"f"}) {
				t.Errorf("functions %v, %v", names, err)
			}
		}
		for _, err := range cache.Func(region(t, cache.Options{}), "f", (&loader{}).load).On(db).Keys(ctx) {
			if err == nil || !strings.Contains(err.Error(), "Keys: true") {
				t.Errorf("a region without keys: %v", err)
			}
		}
	})
}

// Keys lists no argument whose value has ended, when another was stored since.
func TestKeysEnd(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db, ctx := newDB(t, s.Client(t)), t.Context()
		f := cache.Func(region(t, cache.Options{Keys: true, TTL: 20 * time.Millisecond}), "f", (&loader{}).load).On(db)
		want(t, "a", f.Get(ctx, "a"), "a 1")
		redistest.Until(t, 5*time.Second, "a has ended", func() error {
			if err := f.Refresh(ctx, "b").Err(); err != nil {
				return err
			}
			for arg, err := range f.Keys(ctx) {
				if err != nil || arg == "a" {
					return fmt.Errorf("listed is %q, %v", arg, err)
				}
			}
			return nil
		})
	})
}

func shown(name string, page int, tag *string) string {
	if tag == nil {
		return fmt.Sprintf("%q %d", name, page)
	}
	return fmt.Sprintf("%q %d %q", name, page, *tag)
}
