package main

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// growingCrowds are one to a thousand goroutines that want one lock again and again.
func (s *stand) growingCrowds() subject {
	took, requests := &line{name: "lock.Acquire to lock.Acquire"}, &line{name: "lock.Acquire and Release"}
	return subject{
		title: "Waiting for a lock",
		sizes: []int{1, 3, 10, 30, 100, 300, 1_000},
		figures: []*figure{
			{name: "lock-hand-over", x: "goroutines at one lock", y: "µs from a release to the next holder, median", lines: []*line{took},
				meaning: "The release hands the lock to the one that came first, and tells that one alone: the others sleep on, so that their number does not matter."},
			{name: "lock-requests", x: "goroutines at one lock", y: "requests to the server for an acquisition", lines: []*line{requests},
				meaning: "Two requests, one to acquire or to queue and one to release, whoever else waits: nobody polls. Who waits looks after his place now and then, which shows where the queue is long."},
		},
		measure: func(ctx context.Context, n int) error {
			o := *s.goredis.Options()
			o.PoolSize = 128
			client := redis.NewClient(&o)
			defer client.Close()
			db, err := pipectx.New(client)
			if err != nil {
				return err
			}
			var c crowd
			if err := c.run(ctx, client, lockers(db, client)[0], n, 2*time.Second); err != nil {
				return err
			}
			p50, _, _, each, _, _ := c.figures()
			took.add(n, microseconds(p50))
			requests.add(n, each)
			return nil
		},
	}
}
