package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redmoon-go/redmoon/pipectx"
)

// chunk is how many commands one sends at once who does by hand what Stream does.
const chunk = 1000

// streams are a Stream beside pipelines by hand, on one server and on a Cluster.
func (s *stand) streams(n int) []job {
	one := func() (*pipectx.DB, redis.UniversalClient) { return s.plain, s.goredis }
	three := func() (*pipectx.DB, redis.UniversalClient) { return s.shards.db, s.shards.client }
	set, get := fill(fmt.Sprintf("stream-%d-set", n), n, one), stream(fmt.Sprintf("stream-%d-get", n), n, one)
	get.rivals = append(get.rivals, rival{name: "rueidis by hand", run: s.streamByRueidis(n)})
	setShards, getShards := fill(fmt.Sprintf("cluster-stream-%d-set", n), n, three), stream(fmt.Sprintf("cluster-stream-%d-get", n), n, three)
	setShards.before, getShards.before = s.form, s.form
	setShards.real, getShards.real = true, true
	return []job{set, get, setShards, getShards}
}

// fill is a Stream that only writes.
func fill(name string, n int, on func() (*pipectx.DB, redis.UniversalClient)) job {
	return job{
		name: name, units: n, wide: true,
		ours: func(ctx context.Context) error {
			db, _ := on()
			bound := texts.On(db)
			return pipectx.Stream(ctx, db, func(ctx context.Context) error {
				for i := range n {
					bound.Set(ctx, int64(i%100), value)
				}
				return nil
			})
		},
		rivals: []rival{
			{name: "go-redis by hand", time: 1.05, run: func(ctx context.Context) error {
				_, client := on()
				for from := 0; from < n; from += chunk {
					p := client.Pipeline()
					for i := range chunk {
						p.Set(ctx, key("text", (from+i)%100), value, 0)
					}
					if _, err := p.Exec(ctx); err != nil {
						return err
					}
				}
				return nil
			}},
		},
	}
}

// stream is a Stream whose results are consumed by callbacks.
func stream(name string, n int, on func() (*pipectx.DB, redis.UniversalClient)) job {
	return job{
		name: name, units: n, wide: true,
		ours: func(ctx context.Context) error {
			db, _ := on()
			bound, seen := texts.On(db), 0
			see := func(got string, err error) error { // once: in the loop it would be a closure for each command
				seen += len(got)
				return err
			}
			err := pipectx.Stream(ctx, db, func(ctx context.Context) error {
				for i := range n {
					if err := pipectx.Then(ctx, bound.Get(ctx, int64(i%100)), see); err != nil {
						return err
					}
				}
				return nil
			})
			return all(seen, n, err)
		},
		rivals: []rival{
			{name: "go-redis by hand", time: 1.05, run: func(ctx context.Context) error {
				_, client := on()
				seen := 0
				cmds := make([]*redis.StringCmd, chunk)
				for from := 0; from < n; from += chunk {
					p := client.Pipeline()
					for i := range cmds {
						cmds[i] = p.Get(ctx, key("text", (from+i)%100))
					}
					if _, err := p.Exec(ctx); err != nil {
						return err
					}
					for _, c := range cmds {
						seen += len(c.Val())
					}
				}
				return all(seen, n, nil)
			}},
		},
	}
}

func (s *stand) streamByRueidis(n int) work {
	return func(ctx context.Context) error {
		seen := 0
		for from := 0; from < n; from += chunk {
			cmds := make(rueidis.Commands, chunk)
			for i := range cmds {
				cmds[i] = s.rueidis.B().Get().Key(key("text", (from+i)%100)).Build()
			}
			for _, r := range s.rueidis.DoMulti(ctx, cmds...) {
				got, err := r.ToString()
				if err != nil {
					return err
				}
				seen += len(got)
			}
		}
		return all(seen, n, nil)
	}
}
