package main

import (
	"context"
	"regexp"
	"strconv"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// growingRecords are a thousand to a million records of ten fields on one server,
// beside hashes that are written by hand.
func (s *stand) growingRecords() subject {
	ours, byHand := &line{name: "model.Save"}, &line{name: "hashes by hand"}
	save, hset := &line{name: "model.Save"}, &line{name: "HSET by hand"}
	get, hgetall := &line{name: "model.Get"}, &line{name: "HGETALL and Scan by hand"}
	all := []*line{ours, byHand, save, hset, get, hgetall}
	return subject{
		title: "Records",
		sizes: []int{1_000, 10_000, 100_000, 1_000_000},
		figures: []*figure{
			{name: "record-memory", x: "records", y: "bytes of the server for a record", lines: []*line{ours, byHand},
				meaning: "A record is one hash and nothing beside it, so it takes what a hash by hand takes, however many there are. The steps are those of the server's own table of keys, which doubles."},
			{name: "record-time", x: "records", y: "µs for a record", lines: []*line{save, hset, get, hgetall},
				meaning: "No verb looks at other records than its own: saving or reading one, a thousand in a pipeline, takes as long among a million as among a thousand, but for what the server's processor no longer finds in its caches, by hand as well."},
		},
		measure: rehearsed(all, func(ctx context.Context, n int) error {
			sides := []struct {
				memory, write, read *line
				save, load          func(part []record) work
			}{
				{byHand, hset, hgetall, func(part []record) work { return settingHashes(s.goredis, part) },
					func(part []record) work { return scanningHashes(s.goredis, part) }},
				{ours, save, get, func(part []record) work { return saving(s.plain, records, part) },
					func(part []record) work { return gettingRecords(s.plain, part) }},
			}
			part := samples(chunk)
			for _, side := range sides {
				for range 10 { // what it costs once is there then
					if err := side.save(part)(ctx); err != nil {
						return err
					}
				}
				before, err := s.emptied(ctx)
				if err != nil {
					return err
				}
				whole := func(do func([]record) work) work {
					return func(ctx context.Context) error {
						for from := 0; from < n; from += chunk {
							for i := range part {
								part[i].ID = int64(from + i)
							}
							if err := do(part)(ctx); err != nil {
								return err
							}
						}
						return nil
					}
				}
				took, _, err := perUnit(ctx, n, whole(side.save))
				if err != nil {
					return err
				}
				side.write.add(n, microseconds(took))
				after, err := s.memory(ctx)
				if err != nil {
					return err
				}
				side.memory.add(n, float64(after-before)/float64(n))
				if took, _, err = perUnit(ctx, n, whole(side.load)); err != nil {
					return err
				}
				side.read.add(n, microseconds(took))
			}
			_, err := s.emptied(ctx)
			return err
		}),
	}
}

// rehearsed measures the first size twice and forgets the first time: buffers that
// grow once are of no size.
func rehearsed(lines []*line, measure func(context.Context, int) error) func(context.Context, int) error {
	first := true
	return func(ctx context.Context, n int) error {
		if first {
			first = false
			if err := measure(ctx, n); err != nil {
				return err
			}
			for _, l := range lines {
				l.points = nil
			}
		}
		return measure(ctx, n)
	}
}

func settingHashes(client *redis.Client, part []record) work {
	return bare(client, len(part), func(ctx context.Context, p redis.Pipeliner, i int) {
		p.HSet(ctx, key("record", int(part[i].ID)), &part[i].plain)
	}, func(int) error { return nil })
}

func scanningHashes(client *redis.Client, part []record) work {
	cmds := make([]*redis.MapStringStringCmd, len(part))
	return bare(client, len(part), func(ctx context.Context, p redis.Pipeliner, i int) {
		cmds[i] = p.HGetAll(ctx, key("record", int(part[i].ID)))
	}, func(i int) error {
		var got plain
		err := cmds[i].Scan(&got)
		return is(err, got.Name, part[i].Name)
	})
}

func gettingRecords(db *pipectx.DB, part []record) work {
	repo, refs := records.On(db), make([]*pipectx.Ref[record], len(part))
	return run(db, len(part), func(ctx context.Context, i int) { refs[i] = repo.Get(ctx, part[i].ID) }, func(i int) error {
		got, err := refs[i].Result()
		return is(err, got.ID, part[i].ID)
	})
}

var usedMemory = regexp.MustCompile(`used_memory:(\d+)`)

// memory is what the server takes. What its clients take of that is the same behind
// every pipeline of the same length.
func (s *stand) memory(ctx context.Context) (int64, error) {
	text, err := s.goredis.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(usedMemory.FindStringSubmatch(text)[1], 10, 64)
}

// emptied is what the server takes without any data.
func (s *stand) emptied(ctx context.Context) (int64, error) {
	if err := s.goredis.FlushAll(ctx).Err(); err != nil {
		return 0, err
	}
	return s.memory(ctx)
}
