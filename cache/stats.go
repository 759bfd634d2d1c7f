package cache

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Statistics count what calls of a function found.
type Statistics struct {
	Hits     int64         // fresh values that were stored
	Near     int64         // fresh values that were near
	Stale    int64         // old values, served while another was loaded
	Misses   int64         // calls that found nothing to serve
	Loads    int64         // loads that ended with a value, or without one
	Errors   int64         // loads that failed
	Waits    int64         // misses that waited for somebody else's load
	LoadTime time.Duration // of all loads together
}

// counters are Statistics under way.
type counters struct{ hits, near, stale, misses, loads, errors, waits, loadTime atomic.Int64 }

// each are the counters by the names of their fields in Redis.
func (c *counters) each(do func(name string, n *atomic.Int64)) {
	do("hits", &c.hits)
	do("near", &c.near)
	do("stale", &c.stale)
	do("misses", &c.misses)
	do("loads", &c.loads)
	do("errors", &c.errors)
	do("waits", &c.waits)
	do("loadtime", &c.loadTime) // nanoseconds
}

func (s *Statistics) add(name string, n int64) {
	switch name {
	case "hits":
		s.Hits += n
	case "near":
		s.Near += n
	case "stale":
		s.Stale += n
	case "misses":
		s.Misses += n
	case "loads":
		s.Loads += n
	case "errors":
		s.Errors += n
	case "waits":
		s.Waits += n
	case "loadtime":
		s.LoadTime += time.Duration(n)
	}
}

// A ledger is when what was counted goes to Redis: some time after the first
// count, and when the DB is closed. A hit costs no command for it.
type ledger struct {
	armed atomic.Bool
	ended atomic.Bool // the DB is closed
	turn  sync.Mutex
}

const (
	flushEvery = 10 * time.Second
	keepDays   = 35
)

// count is called with each count.
func (on *regionOn) count(n *atomic.Int64, by int64) {
	n.Add(by)
	if !on.stats.armed.Load() && on.stats.armed.CompareAndSwap(false, true) {
		time.AfterFunc(flushEvery, on.flushUnasked)
	}
}

// flushUnasked is flush for when nobody waits for its error.
func (on *regionOn) flushUnasked() {
	if on.stats.ended.Load() {
		return
	}
	if err := on.flush(context.Background()); err != nil {
		slog.Warn("cache: statistics could not be stored", "region", on.name, "err", err)
	}
}

// flush adds what was counted to the day's statistics. What was not sent is counted
// again; what may have arrived is not.
func (on *regionOn) flush(ctx context.Context) error {
	on.stats.turn.Lock()
	defer on.stats.turn.Unlock()
	on.stats.armed.Store(false)
	type entry struct {
		n  *atomic.Int64
		by int64
	}
	var counted []entry
	now := time.Now().UTC()
	key := on.statistics(now)
	err := pipectx.Run(pipectx.Detach(ctx), on.db, func(ctx context.Context) error {
		for _, m := range on.members() {
			active := false
			m.counted().each(func(name string, n *atomic.Int64) {
				if by := n.Swap(0); by != 0 {
					active = true
					counted = append(counted, entry{n, by})
					pipectx.Do[int64](ctx, on.db, "HINCRBY", key, m.named()+"."+name, by)
				}
			})
			if active {
				pipectx.Do[int64](ctx, on.db, "ZADD", on.registry(), now.UnixMilli(), m.named())
			}
		}
		if counted != nil {
			pipectx.Do[int64](ctx, on.db, "EXPIRE", key, int64(keepDays*24*time.Hour/time.Second))
			pipectx.Do[int64](ctx, on.db, "ZREMRANGEBYSCORE", on.registry(), "-inf", now.AddDate(0, 0, -keepDays).UnixMilli())
			pipectx.Do[int64](ctx, on.db, "EXPIRE", on.registry(), int64(keepDays*24*time.Hour/time.Second))
		}
		return nil
	})
	if errors.Is(err, pipectx.ErrNotSent) {
		for _, c := range counted {
			on.count(c.n, c.by)
		}
	}
	return err
}

// statistics is the key of a day's statistics.
func (r *Region) statistics(day time.Time) string {
	return "cache.statistics{" + r.name + "}:" + day.UTC().Format("20060102")
}

// registry is the key of the names of functions, with when they were called last.
func (r *Region) registry() string { return "cache.functions{" + r.name + "}" }

// Functions lists the functions of the region that any process has called in the
// last 35 days, as their statistics have arrived.
//
// Cost: ZRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundRegion) Functions(ctx context.Context) *pipectx.Ref[[]string] {
	if b.on.err != nil {
		return pipectx.Failed[[]string](ctx, b.on.db, b.on.err)
	}
	return pipectx.Do[[]string](ctx, b.on.db, "ZRANGE", b.on.registry(), 0, -1)
}

// Statistics answers what all processes have counted on a day of UTC, for each
// function. What a process counts arrives within 10 seconds, and when its DB is
// closed; one that is killed loses that much. Days are kept for 35 days, and are
// those of the processes' clocks.
//
// Cost: HGETALL; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundRegion) Statistics(ctx context.Context, day time.Time) *pipectx.Ref[map[string]Statistics] {
	if b.on.err != nil {
		return pipectx.Failed[map[string]Statistics](ctx, b.on.db, b.on.err)
	}
	return pipectx.Map(pipectx.Do[map[string]string](ctx, b.on.db, "HGETALL", b.on.statistics(day)), readStatistics)
}

func readStatistics(fields map[string]string) (map[string]Statistics, error) {
	all := map[string]Statistics{}
	for field, text := range fields {
		function, name, _ := strings.Cut(field, ".")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		s := all[function]
		s.add(name, n)
		all[function] = s
	}
	return all, nil
}

// Flush sends the statistics that this process has counted since the last time.
//
// Cost: HINCRBY for each count, ZADD for each function, and 3 commands more; 1 round trip; it
// runs now, also inside Run.
func (b BoundRegion) Flush(ctx context.Context) error {
	if b.on.err != nil {
		return b.on.err
	}
	return b.on.flush(ctx)
}
