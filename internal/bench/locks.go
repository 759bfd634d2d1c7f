package main

import (
	"context"
	"time"

	"github.com/bsm/redislock"
	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A locker acquires the one lock of a benchmark and returns what releases it.
type locker struct {
	name    string
	acquire func(ctx context.Context) (release func() error, err error)
}

var benched = lock.New("bench", lock.Options{Timeout: -1})

// lockers are ours and the rivals', each with retries as quick as they have sense:
// theirs by default are of 50 ms and more.
func lockers(db *pipectx.DB, client *redis.Client) []locker {
	ours := benched.On(db)
	sync, island := redsync.New(goredis.NewPool(client)), redislock.New(client)
	return []locker{
		{"ours", func(ctx context.Context) (func() error, error) {
			lease, err := ours.Acquire(ctx, "x")
			return func() error { return lease.Release(ctx) }, err
		}},
		{"redsync", func(ctx context.Context) (func() error, error) {
			m := sync.NewMutex("redsync", redsync.WithExpiry(time.Minute), redsync.WithTries(1_000_000), redsync.WithRetryDelay(time.Millisecond))
			return func() error { _, err := m.UnlockContext(ctx); return err }, m.LockContext(ctx)
		}},
		{"redislock", func(ctx context.Context) (func() error, error) {
			l, err := island.Obtain(ctx, "redislock", time.Minute, &redislock.Options{RetryStrategy: redislock.LinearBackoff(time.Millisecond)})
			return func() error { return l.Release(ctx) }, err
		}},
	}
}

// lock is to acquire and release one that nobody else wants.
func (s *stand) lock() job {
	j := job{name: "lock-alone", units: 1}
	for i, l := range lockers(s.plain, s.goredis) {
		run := func(ctx context.Context) error {
			release, err := l.acquire(ctx)
			if err != nil {
				return err
			}
			return release()
		}
		if i == 0 {
			j.ours = run
		} else {
			r := rival{name: l.name, run: run}
			if l.name == "redsync" { // redislock keeps no queue and no fence, and is only told
				r.time = 1
			}
			j.rivals = append(j.rivals, r)
		}
	}
	return j
}
