package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
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

const handOffs = "lock-hand-over"

// handOffs has 64 goroutines at one lock, for some time each, and prints how long it
// takes from before a release until somebody has it. A token in a list, by BLPOP, is
// no lock, for it is gone with its holder: it is what the server can do.
func (s *stand) handOffs(ctx context.Context, out io.Writer, span time.Duration) error {
	const goroutines = 64
	o := *s.goredis.Options()
	o.PoolSize = 2 * goroutines
	client := redis.NewClient(&o)
	defer client.Close()
	db, err := pipectx.New(client)
	if err != nil {
		return err
	}
	if err := client.RPush(ctx, "token", "x").Err(); err != nil {
		return err
	}
	token := locker{"a BLPOP token", func(ctx context.Context) (func() error, error) {
		return func() error { return client.RPush(ctx, "token", "x").Err() }, client.BLPop(ctx, 0, "token").Err()
	}}
	all := append([]locker{token}, lockers(db, client)...)
	fmt.Fprintf(out, "%-10s %-14s %10s %10s %10s %9s %9s %7s\n", "hold", "", "p50", "p99", "locks/s", "requests", "commands", "least÷most")
	for _, hold := range []time.Duration{0, 2 * time.Millisecond} {
		sums := make([]crowd, len(all))
		turns, span := 4, span/4 // that noise of the machine falls on each
		if hold > 0 {
			turns, span = 1, 8*span // that each has its turn often enough to compare
		}
		for range turns {
			for i, l := range all {
				if err := sums[i].run(ctx, client, l, goroutines, hold, span); err != nil {
					return fmt.Errorf("%s: %w", l.name, err)
				}
			}
		}
		for i, l := range all {
			sums[i].row(out, hold, l.name)
		}
	}
	return nil
}

// A crowd is what became of many at one lock.
type crowd struct {
	mu       sync.Mutex
	released time.Time
	took     []time.Duration
	spent    time.Duration
	requests float64
	commands float64
	fair     []float64
}

func (c *crowd) run(ctx context.Context, client *redis.Client, l locker, goroutines int, hold, span time.Duration) error {
	ctx, served, errs := context.WithoutCancel(ctx), make([]float64, goroutines), make([]error, goroutines)
	before, within := calls(ctx, client, l.name)
	c.released = time.Time{}
	began := time.Now()
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for time.Since(began) < span && errs[g] == nil {
				release, err := l.acquire(ctx)
				if errs[g] = err; err != nil {
					return
				}
				now := time.Now()
				c.mu.Lock()
				if !c.released.IsZero() {
					c.took = append(c.took, now.Sub(c.released))
				}
				c.mu.Unlock()
				served[g]++
				if hold > 0 {
					time.Sleep(hold)
				}
				c.mu.Lock()
				c.released = time.Now()
				c.mu.Unlock()
				errs[g] = release()
			}
		})
	}
	all.Wait()
	c.spent += time.Since(began)
	after, withinAfter := calls(ctx, client, l.name)
	c.requests += after - before - 1
	c.commands += withinAfter - within - 1
	c.fair = append(c.fair, slices.Min(served)/slices.Max(served))
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// calls are those that the server has had: of clients, and with those in scripts.
func calls(ctx context.Context, client *redis.Client, locker string) (requests, commands float64) {
	text := client.Info(ctx, "commandstats", "stats").Val()
	for line := range strings.Lines(text) {
		var n float64
		if _, rest, ok := strings.Cut(line, ":calls="); ok {
			fmt.Sscanf(rest, "%g", &n)
			commands += n
			if strings.HasPrefix(line, "cmdstat_eval") || !inScripts(line) && !(locker == "ours" && strings.HasPrefix(line, "cmdstat_rpush:")) {
				requests += n
			}
		}
	}
	return requests, commands
}

// inScripts tells whether a command of this benchmark comes out of scripts only.
func inScripts(line string) bool {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
	return slices.Contains([]string{"hmget", "hset", "hget", "hdel", "llen", "lpop", "lpos", "lset", "lrem", "lrange", "time", "pttl", "pexpire", "publish", "get", "del", "mget", "strlen"}, name)
}

func (c *crowd) row(out io.Writer, hold time.Duration, name string) {
	slices.Sort(c.took)
	n := float64(len(c.took))
	fmt.Fprintf(out, "%-10v %-14s %10v %10v %10.0f %9.2f %9.2f %7.2f\n", hold, name, c.took[len(c.took)/2].Round(time.Microsecond), c.took[len(c.took)*99/100].Round(time.Microsecond), n/c.spent.Seconds(), c.requests/n, c.commands/n, median(c.fair))
}
