package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

const handOver = "lock-hand-over"

// A crowd is what became of many at one lock.
type crowd struct {
	who      string
	hold     time.Duration
	mu       sync.Mutex
	released time.Time
	took     []time.Duration // from before a release until somebody has the lock
	spent    time.Duration
	requests float64
	commands float64
	fair     []float64
}

const token = "a BLPOP token"

// crowds has 64 goroutines at one lock, for some time each. A token in a list, by
// BLPOP, is no lock, for it is gone with its holder: it is what the server can do.
func (s *stand) crowds(ctx context.Context, span time.Duration) ([]*crowd, error) {
	const goroutines = 64
	o := *s.goredis.Options()
	o.PoolSize = 2 * goroutines
	client := redis.NewClient(&o)
	defer client.Close()
	db, err := pipectx.New(client)
	if err != nil {
		return nil, err
	}
	if err := client.RPush(ctx, "token", "x").Err(); err != nil {
		return nil, err
	}
	all := append([]locker{{token, func(ctx context.Context) (func() error, error) {
		return func() error { return client.RPush(ctx, "token", "x").Err() }, client.BLPop(ctx, 0, "token").Err()
	}}}, lockers(db, client)...)
	var crowds []*crowd
	for _, hold := range []time.Duration{0, 2 * time.Millisecond} {
		turns, span := 4, span/4 // that noise of the machine falls on each
		if hold > 0 {
			turns, span = 1, 8*span // that each has its turn often enough to compare
		}
		here := make([]*crowd, len(all))
		for i, l := range all {
			here[i] = &crowd{who: l.name, hold: hold}
		}
		for range turns {
			for i, l := range all {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				if err := here[i].run(ctx, client, l, goroutines, span); err != nil {
					return nil, fmt.Errorf("%s: %w", l.name, err)
				}
			}
		}
		crowds = append(crowds, here...)
	}
	return crowds, nil
}

func (c *crowd) run(ctx context.Context, client *redis.Client, l locker, goroutines int, span time.Duration) error {
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
				if c.hold > 0 {
					time.Sleep(c.hold)
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

// figures are what a row has.
func (c *crowd) figures() (p50, p99 time.Duration, locks, requests, commands, fair float64) {
	slices.Sort(c.took)
	n := float64(len(c.took))
	return c.took[len(c.took)/2], c.took[len(c.took)*99/100], n / c.spent.Seconds(), c.requests / n, c.commands / n, median(c.fair)
}

// rows write the crowds as a table, for the terminal or for a page.
func rows(w io.Writer, head, format string, crowds []*crowd) {
	fmt.Fprint(w, head)
	for _, c := range crowds {
		p50, p99, locks, requests, commands, fair := c.figures()
		fmt.Fprintf(w, format, c.who, c.hold, p50.Round(time.Microsecond), p99.Round(time.Microsecond), locks, requests, commands, fair)
	}
}

// A bound is a figure of ours beside what it may be.
type bound struct {
	what          string
	value, budget float64
	atLeast       bool
}

func (b bound) held() bool { return b.atLeast == (b.value >= b.budget) || b.value == b.budget }

func (b bound) line() string {
	word := "budget"
	if b.atLeast {
		word = "at least"
	}
	return fmt.Sprintf("ratio %s/%s %.3f %s %.3f", handOver, b.what, b.value, word, b.budget)
}

// bounds are those of our crowds: how long a lock takes from one to the next beside
// the others, how many requests that costs, and how evenly they are served.
func bounds(crowds []*crowd) (all []bound) {
	for _, ours := range crowds {
		if ours.who != "ours" {
			continue
		}
		p50, p99, _, requests, _, fair := ours.figures()
		for _, its := range crowds {
			if its.hold != ours.hold || its == ours {
				continue
			}
			most := 1.0
			if its.who == token {
				most = 1.4
			}
			at := fmt.Sprintf("%s/hold-%v/", strings.ReplaceAll(its.who, " ", "-"), its.hold)
			itsP50, itsP99, _, _, _, _ := its.figures()
			all = append(all, bound{at + "p50", float64(p50) / float64(itsP50), most, false})
			if its.who != token {
				all = append(all, bound{at + "p99", float64(p99) / float64(itsP99), most, false})
			}
		}
		all = append(all, bound{fmt.Sprintf("hold-%v/requests", ours.hold), requests, 3, false})
		if ours.hold > 0 {
			all = append(all, bound{fmt.Sprintf("hold-%v/fairness", ours.hold), fair, 0.8, true})
		}
	}
	return all
}
