package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// value is a text of a usual length.
var value = strings.Repeat("some text ", 5)

var (
	texts  = keyspace.NewString[int64, string]("text")
	counts = keyspace.NewString[int64, int64]("count")
	hashes = keyspace.NewHash[int64, string, string]("hash")
)

// key is the key of an id in those keyspaces, for rivals.
func key(prefix string, id int) string { return prefix + "{" + strconv.Itoa(id) + "}" }

func jobs(s *stand) []job {
	var all []job
	for _, n := range []int{10, 100, 1000} {
		all = append(all, s.set(n), s.get(n), s.hset(n))
	}
	all = append(all, s.mixed(100), encode(100), decode(100))
	all = append(all, s.collections()...)
	all = append(all, s.fields(100)...)
	all = append(all, s.records(100)...)
	all = append(all, s.alone()...)
	all = append(all, s.lua()...)
	all = append(all, s.caches()...)
	all = append(all, s.lock(), s.parallel(128, 100), s.gather(100))
	return append(all, s.streams(100_000)...)
}

// run is a Run of n commands that queue queues, bare go-redis's pipeline of as
// many. Afterwards read reads each result.
func (s *stand) run(n int, queue func(ctx context.Context, i int), read func(i int) error) work {
	return run(s.plain, n, queue, read)
}

func run(db *pipectx.DB, n int, queue func(ctx context.Context, i int), read func(i int) error) work {
	return func(ctx context.Context) error {
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			for i := range n {
				queue(ctx, i)
			}
			return nil
		})
		return each(n, err, read)
	}
}

func (s *stand) bare(n int, queue func(ctx context.Context, p redis.Pipeliner, i int), read func(i int) error) work {
	return bare(s.goredis, n, queue, read)
}

func bare(client *redis.Client, n int, queue func(ctx context.Context, p redis.Pipeliner, i int), read func(i int) error) work {
	return func(ctx context.Context) error {
		p := client.Pipeline()
		for i := range n {
			queue(ctx, p, i)
		}
		_, err := p.Exec(ctx)
		return each(n, err, read)
	}
}

// multi is DoMulti of rueidis.
func (s *stand) multi(n int, build func(b rueidis.Builder, i int) rueidis.Completed, read func(i int, r rueidis.RedisResult) error) func(context.Context) error {
	return func(ctx context.Context) error {
		cmds := make(rueidis.Commands, n)
		for i := range cmds {
			cmds[i] = build(s.rueidis.B(), i)
		}
		results := s.rueidis.DoMulti(ctx, cmds...)
		return each(n, nil, func(i int) error { return read(i, results[i]) })
	}
}

func each(n int, err error, read func(i int) error) error {
	for i := 0; i < n && err == nil; i++ {
		err = read(i)
	}
	return err
}

func (s *stand) set(n int) job {
	ours, refs, cmds := texts.On(s.plain), make([]*pipectx.Ref[struct{}], n), make([]*redis.StatusCmd, n)
	return job{
		name: fmt.Sprintf("run-%d-set", n), units: n, wide: n > 100,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = ours.Set(ctx, int64(i), value) },
			func(i int) error { return refs[i].Err() }),
		rivals: []rival{
			{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.Set(ctx, key("text", i), value, 0)
			}, func(i int) error { return cmds[i].Err() })},
			{name: "rueidis", run: s.multi(n, func(b rueidis.Builder, i int) rueidis.Completed {
				return b.Set().Key(key("text", i)).Value(value).Build()
			}, func(_ int, r rueidis.RedisResult) error { return r.Error() })},
		},
	}
}

func (s *stand) get(n int) job {
	ours, refs, cmds := texts.On(s.plain), make([]*pipectx.Ref[string], n), make([]*redis.StringCmd, n)
	is := func(got string, err error) error {
		if err == nil && got != value {
			err = fmt.Errorf("it is %q", got)
		}
		return err
	}
	return job{
		name: fmt.Sprintf("run-%d-get", n), units: n, wide: n > 100,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = ours.Get(ctx, int64(i)) },
			func(i int) error { return is(refs[i].Result()) }),
		rivals: []rival{
			{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.Get(ctx, key("text", i))
			}, func(i int) error { return is(cmds[i].Result()) })},
			{name: "rueidis", run: s.multi(n, func(b rueidis.Builder, i int) rueidis.Completed {
				return b.Get().Key(key("text", i)).Build()
			}, func(_ int, r rueidis.RedisResult) error { return is(r.ToString()) })},
		},
	}
}

func (s *stand) hset(n int) job {
	ours, refs, cmds := hashes.On(s.plain), make([]*pipectx.Ref[bool], n), make([]*redis.IntCmd, n)
	return job{
		name: fmt.Sprintf("run-%d-hset", n), units: n, wide: n > 100,
		ours: s.run(n, func(ctx context.Context, i int) { refs[i] = ours.Set(ctx, int64(i), "field", value) },
			func(i int) error { return refs[i].Err() }),
		rivals: []rival{
			{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.HSet(ctx, key("hash", i), "field", value)
			}, func(i int) error { return cmds[i].Err() })},
			{name: "rueidis", run: s.multi(n, func(b rueidis.Builder, i int) rueidis.Completed {
				return b.Hset().Key(key("hash", i)).FieldValue().FieldValue("field", value).Build()
			}, func(_ int, r rueidis.RedisResult) error { return r.Error() })},
		},
	}
}

// mixed is raw commands of three kinds, by Do.
func (s *stand) mixed(n int) job {
	nothing := func(int) error { return nil }
	return job{
		name: fmt.Sprintf("run-%d-do", n), units: n, wide: n > 100,
		ours: s.run(n, func(ctx context.Context, i int) {
			switch i % 3 {
			case 0:
				pipectx.Do[struct{}](ctx, s.plain, "SET", key("text", i), value)
			case 1:
				pipectx.Do[int64](ctx, s.plain, "INCRBY", key("count", i), 2)
			default:
				pipectx.Do[int64](ctx, s.plain, "HSET", key("hash", i), "field", value, "other", i)
			}
		}, nothing),
		rivals: []rival{{name: "go-redis", time: 1.1, allocs: 1, run: s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) {
			switch i % 3 {
			case 0:
				p.Do(ctx, "SET", key("text", i), value)
			case 1:
				p.Do(ctx, "INCRBY", key("count", i), 2)
			default:
				p.Do(ctx, "HSET", key("hash", i), "field", value, "other", i)
			}
		}, nothing)}},
	}
}
