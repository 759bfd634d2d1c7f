package main

import (
	"context"
	"fmt"
	"time"

	rival9 "github.com/go-redis/cache/v9"
	"github.com/redmoon-go/redmoon/cache"
)

// A product is what caches keep: a record of a usual size.
type product struct {
	ID    int64
	Name  string
	Cents int64
	Tags  []string
	Text  string
}

func productOf(id int64) product {
	return product{id, fmt.Sprint("product ", id), 100 * id, []string{"new", "sale"}, value}
}

var (
	remote  = cache.NewRegion("bench", cache.Options{})
	besides = cache.NewRegion("benchnear", cache.Options{Near: cache.Near{Entries: 10_000}})

	remoteProducts = cache.Func(remote, "product", func(_ context.Context, id int64) (product, error) { return productOf(id), nil })
	remoteTexts    = cache.Func(remote, "text", func(_ context.Context, id int64) (string, error) { return value, nil })
	nearProducts   = cache.Func(besides, "product", func(_ context.Context, id int64) (product, error) { return productOf(id), nil })
)

// caches are hits, of which caches live: of a record as its codec writes it, MessagePack
// there and JSON here, and of texts.
func (s *stand) caches() []job {
	return []job{s.cacheHit(), s.cacheRecord(), s.cacheNear(), s.cacheMany(100)}
}

// fillCaches stores what is to be hit, for both sides.
func (s *stand) fillCaches(theirs *rival9.Cache, n int) work {
	return func(ctx context.Context) error {
		for id := range int64(n) {
			for _, f := range []cache.Bound[int64, product]{remoteProducts.On(s.plain), nearProducts.On(s.plain)} {
				if err := f.Get(ctx, id).Err(); err != nil {
					return err
				}
			}
			if err := theirs.Set(&rival9.Item{Ctx: ctx, Key: key("theirs", int(id)), Value: productOf(id), TTL: time.Hour}); err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *stand) cacheHit() job {
	theirs := rival9.New(&rival9.Options{Redis: s.goredis})
	bound := remoteTexts.On(s.plain)
	return job{
		name: "cache-hit", units: 1,
		before: func(ctx context.Context) error {
			if err := bound.Get(ctx, 0).Err(); err != nil {
				return err
			}
			return theirs.Set(&rival9.Item{Ctx: ctx, Key: key("theirtext", 0), Value: value, TTL: time.Hour})
		},
		ours: func(ctx context.Context) error {
			_, err := bound.Get(ctx, 0).Result()
			return err
		},
		rivals: []rival{{name: "go-redis/cache", time: 1.05, run: func(ctx context.Context) error {
			var got string
			return theirs.Get(ctx, key("theirtext", 0), &got)
		}}},
	}
}

// cacheRecord is a hit of a record, most of which is its codec.
func (s *stand) cacheRecord() job {
	theirs := rival9.New(&rival9.Options{Redis: s.goredis})
	bound := remoteProducts.On(s.plain)
	return job{
		name: "cache-hit-record", units: 1, before: s.fillCaches(theirs, 1),
		ours: func(ctx context.Context) error {
			_, err := bound.Get(ctx, 0).Result()
			return err
		},
		rivals: []rival{{name: "go-redis/cache", run: func(ctx context.Context) error {
			var p product
			return theirs.Get(ctx, key("theirs", 0), &p)
		}}},
	}
}

func (s *stand) cacheNear() job {
	theirs := rival9.New(&rival9.Options{Redis: s.goredis, LocalCache: rival9.NewTinyLFU(10_000, time.Hour)})
	bound := nearProducts.On(s.plain)
	return job{
		name: "cache-near-hit", units: 1000, before: s.fillCaches(theirs, 1), most: 1, cancellable: true, // nothing waits
		ours: func(ctx context.Context) error {
			for range 1000 {
				if _, err := bound.Get(ctx, 0).Result(); err != nil {
					return err
				}
			}
			return nil
		},
		rivals: []rival{{name: "go-redis/cache", time: 1, run: func(ctx context.Context) error {
			for range 1000 {
				var p product
				if err := theirs.Get(ctx, key("theirs", 0), &p); err != nil {
					return err
				}
			}
			return nil
		}}},
	}
}

func (s *stand) cacheMany(n int) job {
	theirs := rival9.New(&rival9.Options{Redis: s.goredis})
	bound := remoteTexts.On(s.plain)
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i)
	}
	text := func(i int) string { return key("theirtext", i) }
	return job{
		name: fmt.Sprintf("cache-many-%d", n), units: n, wide: true, // it is round trips that it saves
		before: func(ctx context.Context) error {
			for i := range ids {
				if err := theirs.Set(&rival9.Item{Ctx: ctx, Key: text(i), Value: value, TTL: time.Hour}); err != nil {
					return err
				}
			}
			return bound.GetMany(ctx, ids...).Err()
		},
		ours: func(ctx context.Context) error {
			_, err := bound.GetMany(ctx, ids...).Result()
			return err
		},
		rivals: []rival{{name: "go-redis/cache in a loop", time: 0.1, run: func(ctx context.Context) error {
			for i := range ids {
				var got string
				if err := theirs.Get(ctx, text(i), &got); err != nil {
					return err
				}
			}
			return nil
		}}},
	}
}
