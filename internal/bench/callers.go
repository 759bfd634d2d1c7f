package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/redmoon-go/redmoon/pipectx"
)

// alone is single calls, one after another: no budget, only told. A context that
// can be cancelled costs us and rueidis a second goroutine, since go-redis does
// not look at it while it reads.
func (s *stand) alone() []job {
	get := func(db *pipectx.DB) func(context.Context) error {
		bound := texts.On(db)
		return func(ctx context.Context) error { return bound.Get(ctx, 1).Err() }
	}
	rivals := []rival{
		{name: "go-redis", run: func(ctx context.Context) error { return s.goredis.Get(ctx, key("text", 1)).Err() }},
		{name: "rueidis", run: func(ctx context.Context) error {
			return s.rueidis.Do(ctx, s.rueidis.B().Get().Key(key("text", 1)).Build()).Error()
		}},
	}
	run := s.get(100)
	run.name, run.cancellable = "run-100-get-cancellable", true
	for i := range run.rivals {
		run.rivals[i].time = 0
	}
	return []job{
		{name: "one-get", units: 1, ours: get(s.plain), rivals: rivals},
		{name: "one-get-cancellable", units: 1, ours: get(s.plain), rivals: rivals, cancellable: true},
		{name: "one-get-coalesce", units: 1, ours: get(s.shared), rivals: rivals},
		run,
	}
}

// parallel is many callers at once that get, set and count, each several times.
func (s *stand) parallel(callers, times int) job {
	crowd := func(call func(ctx context.Context, i int) error) func(context.Context) error {
		return func(ctx context.Context) error {
			failed := make(chan error, callers)
			var all sync.WaitGroup
			for c := range callers {
				all.Go(func() {
					for n := range times {
						if err := call(ctx, c*times+n); err != nil {
							failed <- err
							return
						}
					}
				})
			}
			all.Wait()
			select {
			case err := <-failed:
				return err
			default:
				return nil
			}
		}
	}
	ours := func(db *pipectx.DB) func(context.Context) error {
		texts, counts := texts.On(db), counts.On(db)
		return crowd(func(ctx context.Context, i int) error {
			switch id := int64(i % 100); i % 3 {
			case 0:
				return texts.Get(ctx, id).Err()
			case 1:
				return texts.Set(ctx, id, value).Err()
			default:
				return counts.Incr(ctx, id).Err()
			}
		})
	}
	return job{
		name: fmt.Sprintf("%d-callers", callers), units: callers * times, wide: true,
		ours: ours(s.shared),
		rivals: []rival{
			{name: "rueidis", time: 1, run: crowd(func(ctx context.Context, i int) error {
				switch b, id := s.rueidis.B(), i%100; i % 3 {
				case 0:
					return s.rueidis.Do(ctx, b.Get().Key(key("text", id)).Build()).Error()
				case 1:
					return s.rueidis.Do(ctx, b.Set().Key(key("text", id)).Value(value).Build()).Error()
				default:
					return s.rueidis.Do(ctx, b.Incr().Key(key("count", id)).Build()).Error()
				}
			})},
			{name: "go-redis", run: crowd(func(ctx context.Context, i int) error {
				switch id := i % 100; i % 3 {
				case 0:
					return s.goredis.Get(ctx, key("text", id)).Err()
				case 1:
					return s.goredis.Set(ctx, key("text", id), value, 0).Err()
				default:
					return s.goredis.Incr(ctx, key("count", id)).Err()
				}
			})},
			{name: "ours, not coalesced", run: ours(s.plain)},
		},
	}
}

// gather is callers with three dependent steps each.
func (s *stand) gather(callers int) job {
	bound := texts.On(s.plain)
	steps := func(ctx context.Context, i int) error {
		for step := range 3 {
			if _, err := pipectx.Await(ctx, bound.Get(ctx, int64((i+step)%100))); err != nil {
				return err
			}
		}
		return nil
	}
	return job{
		name: fmt.Sprintf("gather-%d-x-3", callers), units: callers, wide: true,
		ours: func(ctx context.Context) error {
			return pipectx.Gather(ctx, s.plain, func(g *pipectx.Group) error {
				for i := range callers {
					g.Go(func(ctx context.Context) error { return steps(ctx, i) })
				}
				return nil
			})
		},
		rivals: []rival{
			{name: "one after another", time: 1. / 8, run: func(ctx context.Context) error {
				for i := range callers {
					if err := steps(ctx, i); err != nil {
						return err
					}
				}
				return nil
			}},
		},
	}
}

// all tells whether n values were seen.
func all(seen, n int, err error) error {
	if err == nil && seen != n*len(value) {
		err = fmt.Errorf("saw %d bytes of %d", seen, n*len(value))
	}
	return err
}
