package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	ranks = keyspace.NewSortedSet[int64, string]("rank")
	marks = keyspace.NewSet[int64, string]("mark")
)

// collections are verbs of sets and sorted sets, beside go-redis typed by hand.
func (s *stand) collections() []job { return []job{s.zadd(100), s.zrange(100), s.sadd(1000)} }

func (s *stand) zadd(n int) job {
	ours, refs, cmds := ranks.On(s.plain), make([]*pipectx.Ref[bool], n), make([]*redis.IntCmd, n)
	return job{
		name: fmt.Sprintf("run-%d-zadd", n), units: n,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = ours.Add(ctx, int64(i), "member", float64(i)) },
			func(i int) error { return refs[i].Err() }),
		rivals: []rival{
			{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.ZAdd(ctx, key("rank", i), redis.Z{Score: float64(i), Member: "member"})
			}, func(i int) error { return cmds[i].Err() })},
		},
	}
}

// zrange is members with their scores.
func (s *stand) zrange(n int) job {
	const id = 1_000_000
	var all []keyspace.Z[string]
	for i := range n {
		all = append(all, keyspace.Z[string]{Member: "member" + strconv.Itoa(i), Score: float64(i) + 0.5})
	}
	is := func(n int, last any, score float64) error {
		if want := all[len(all)-1]; n != len(all) || last != any(want.Member) || score != want.Score {
			return fmt.Errorf("%d members, the last %v with %v", n, last, score)
		}
		return nil
	}
	ours, at := ranks.On(s.plain), key("rank", id)
	return job{
		name: fmt.Sprintf("zrange-%d-withscores", n), units: 1,
		before: func(ctx context.Context) error { return ours.AddMany(ctx, id, all...).Err() },
		ours: func(ctx context.Context) error {
			got, err := ours.RangeWithScores(ctx, id, 0, -1).Result()
			if err != nil {
				return err
			}
			return is(len(got), got[len(got)-1].Member, got[len(got)-1].Score)
		},
		rivals: []rival{{name: "go-redis", time: 1.1, allocs: 1, run: func(ctx context.Context) error {
			got, err := s.goredis.ZRangeWithScores(ctx, at, 0, -1).Result()
			if err != nil {
				return err
			}
			return is(len(got), got[len(got)-1].Member, got[len(got)-1].Score)
		}}},
	}
}

// sadd is one command of many members.
func (s *stand) sadd(n int) job {
	ours, at := marks.On(s.plain), key("mark", 1)
	var members []string
	for i := range n {
		members = append(members, "member"+strconv.Itoa(i))
	}
	return job{
		name: fmt.Sprintf("sadd-%d-members", n), units: 1, wide: true,
		ours: func(ctx context.Context) error { return ours.Add(ctx, 1, members...).Err() },
		rivals: []rival{{name: "go-redis", time: 1.1, allocs: 1, run: func(ctx context.Context) error {
			words := make([]any, len(members)) // its Add takes any
			for i, m := range members {
				words[i] = m
			}
			return s.goredis.SAdd(ctx, at, words...).Err()
		}}},
	}
}
