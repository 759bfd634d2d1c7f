package main

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// growingPipelines are ten to a million commands at once: in a Run, which sends
// them together, in a Stream, which sends them in chunks, and in a pipeline by hand.
func (s *stand) growingPipelines() subject {
	var times, allocs [3]*line
	for i, name := range []string{"pipectx.Run", "pipectx.Stream", "go-redis pipeline"} {
		times[i], allocs[i] = &line{name: name}, &line{name: name}
	}
	return subject{
		title: "Pipelines",
		sizes: []int{10, 100, 1_000, 10_000, 100_000, 1_000_000},
		figures: []*figure{
			{name: "pipeline-time", x: "commands in a pipeline", y: "µs for a command", lines: times[:],
				meaning: "Commands share the cost of their round trip. A Stream stays from then on as it is with a thousand; a Run holds all its commands, Refs and replies until the last has come, and of a million pays for that heap."},
			{name: "pipeline-allocations", x: "commands in a pipeline", y: "allocations for a command", lines: allocs[:],
				meaning: "What is allocated for a command does not depend on how many go with it."},
		},
		measure: func(ctx context.Context, n int) error {
			for i := range min(n, 100) {
				if err := s.goredis.Set(ctx, key("text", i), value, 0).Err(); err != nil {
					return err
				}
			}
			bound, seen := texts.On(s.plain), 0
			see := func(got string, err error) error {
				seen += len(got)
				return err
			}
			refs, cmds := make([]*pipectx.Ref[string], n), make([]*redis.StringCmd, n)
			sides := []work{
				s.run(n, func(ctx context.Context, i int) { refs[i] = bound.Get(ctx, int64(i%100%n)) },
					func(i int) error { return see(refs[i].Result()) }),
				func(ctx context.Context) error {
					return pipectx.Stream(ctx, s.plain, func(ctx context.Context) error {
						for i := range n {
							if err := pipectx.Then(ctx, bound.Get(ctx, int64(i%100%n)), see); err != nil {
								return err
							}
						}
						return nil
					})
				},
				s.bare(n, func(ctx context.Context, p redis.Pipeliner, i int) { cmds[i] = p.Get(ctx, key("text", i%100%n)) },
					func(i int) error { return see(cmds[i].Result()) }),
			}
			for i, side := range sides {
				took, allocated, err := perUnit(ctx, n, side)
				if err != nil {
					return err
				}
				times[i].add(n, microseconds(took))
				allocs[i].add(n, allocated)
				clear(refs)
				clear(cmds)
			}
			return nil
		},
	}
}
