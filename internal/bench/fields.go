package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var shelves = keyspace.NewHash[int64, string, int64]("shelf")

// fields are verbs that read several fields of a hash as integers, beside go-redis
// typed by hand: alone, and n in a pipeline.
func (s *stand) fields(n int) []job {
	const width = 10
	names := make([]string, width)
	for i := range names {
		names[i] = "article" + strconv.Itoa(i)
	}
	ours := shelves.On(s.plain)
	fill := func(ctx context.Context) error {
		return pipectx.Run(ctx, s.plain, func(ctx context.Context) error {
			for id := range int64(n) {
				for i, name := range names {
					ours.Set(ctx, id, name, id+1000*int64(i))
				}
			}
			return nil
		})
	}
	is := func(id int, pieces []field.Optional[int64], err error) error {
		if err == nil && (len(pieces) != width || pieces[width-1].Or(0) != int64(id)+1000*(width-1)) {
			err = fmt.Errorf("read back %v", pieces)
		}
		return err
	}
	refs, cmds := make([]*pipectx.Ref[[]field.Optional[int64]], n), make([]*redis.SliceCmd, n)
	return []job{
		{name: "hmget-10", units: 1, before: fill,
			ours: func(ctx context.Context) error {
				pieces, err := ours.MGet(ctx, 1, names...).Result()
				return is(1, pieces, err)
			},
			rivals: []rival{{name: "go-redis", time: 1.1, allocs: 1, run: func(ctx context.Context) error {
				pieces, err := integersOf(s.goredis.HMGet(ctx, key("shelf", 1), names...))
				return is(1, pieces, err)
			}}}},
		{name: fmt.Sprintf("run-%d-hmget-10", n), units: n, before: fill,
			ours: s.run(n, func(ctx context.Context, i int) { refs[i] = ours.MGet(ctx, int64(i), names...) }, func(i int) error {
				pieces, err := refs[i].Result()
				return is(i, pieces, err)
			}),
			rivals: []rival{{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.HMGet(ctx, key("shelf", i), names...)
			}, func(i int) error {
				pieces, err := integersOf(cmds[i])
				return is(i, pieces, err)
			})}}},
	}
}

// integersOf types what HMGET answers.
func integersOf(cmd *redis.SliceCmd) ([]field.Optional[int64], error) {
	values, err := cmd.Result()
	if err != nil {
		return nil, err
	}
	all := make([]field.Optional[int64], len(values))
	for i, v := range values {
		text, ok := v.(string)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		all[i] = field.Some(n)
	}
	return all, nil
}
