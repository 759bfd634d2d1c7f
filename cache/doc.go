// Package cache keeps the results of functions in Redis, and lets one caller of all
// processes compute each.
//
//	var Products = cache.NewRegion("products", cache.Options{TTL: time.Hour, Soft: time.Minute})
//
//	var ProductByID = cache.Func(Products, "byID", func(ctx context.Context, id int64) (Product, error) {
//		return fetch(ctx, id) // from where it is slow to get
//	})
//
//	product, err := ProductByID.On(db).Get(ctx, 42).Result()
//
// A [Function] has one argument, a struct for several, and a region with which it
// shares its [Options]. Its verbs are those of every package here: inside of
// [pipectx.Run] they queue. [Bound.Get] and [Bound.GetMany] answer what is stored or
// load it, [Bound.Peek] never loads, [Bound.Refresh] always does.
//
// # Fresh, stale, gone
//
//	stored ── Soft ──▶ stale ── TTL ──▶ gone
//	   │                 ▲                ▲
//	   └── Invalidate ───┘    Remove ─────┘   of a value, a function, a region
//
// A fresh value is answered. A stale one is answered too, at once, and one caller loads
// another in the background. Where nothing is stored, one caller loads and all others
// wait for what it gets. Without Soft a value is fresh until it is gone, unless it is
// invalidated. To invalidate or remove all values of a function or a region costs one
// command for each bucket, however many there are: it changes a generation, which
// each value was stored under.
//
// # One loader
//
// Who is to load is decided by a lease in Redis. While it lasts nobody else loads, in
// any process. It lasts for Options.Lease, which is as long as the loader's context does.
//
//   - The loader returns a value: it is stored, and all who wait get it.
//   - It returns [pipectx.ErrNotFound]: all who wait get that; it is kept for
//     Options.Missing.
//   - It fails or panics: all who wait, and asked before it did, get that as a
//     [*LoadError]; who asks afterwards loads. It is kept for Options.Errors.
//   - It hangs: its callers get context.DeadlineExceeded when the lease ends, and
//     another caller loads. What it returns after that is dropped.
//   - Its process dies: another caller loads when the lease ends.
//   - Its caller goes away: the load goes on for the others.
//   - Its value is invalidated or removed meanwhile, in any process: it is not stored,
//     and loaded again, up to three times in a row. Who called Get after Invalidate
//     returned does not see a value whose load began before.
//
// In a process callers of one argument share one goroutine, which asks again every
// 2 to 50 ms while another process loads.
//
// # What is stored
//
// R is a region's name, followed by a dot and a number where it has buckets; F is a
// function's name and A an argument's text; longer ones than 400 bytes are written as
// their SHA-256. All keys end by themselves.
//
//	cache:F{R}:A                 string  a line about the value, and its text
//	cache.lease:F{R}:A           string  who loads, or why a load stored nothing
//	cache.generation{R}          string  the region's generation
//	cache.generation:F{R}        string  the function's
//	cache.keys:F{R}              sorted  the arguments, by when their values end; of Options.Keys
//	cache.functions{R}           sorted  the functions, by when they were called last
//	cache.statistics{R}:20060102 hash    F.hits, F.misses, … of a day
//
// A region lives in one slot of a Cluster, or in as many as it has buckets.
//
// # Near caches
//
// With Options.Near values are kept in the process too, decoded, and answered without
// a command. Each store, invalidation and removal is published, on one channel a region,
// and drops the value in all processes that listen. So what is near is behind by as
// long as a message takes. A connection that breaks is noticed at once, one that went
// dumb within 6 seconds; until there is another nothing near is answered. What changes
// a cache's keys besides this package, or is evicted, is noticed after Near.TTL.
// docs/decisions/0014 says why it is not client tracking.
//
// # Statistics
//
// Each process counts exactly, and sends its counts within 10 seconds and when its DB is
// closed: a hit costs no command for that. [BoundRegion.Statistics] answers those of a
// day.
//
// # Clocks
//
// Leases and ends are by the server's clock. Whether a value is fresh is told by what
// this process knows of that clock, a round trip behind at most, and before anything is
// loaded by the clock itself. On the embedded server keys do not expire by themselves;
// Soft works there.
//
// # Not guaranteed
//
//   - A failover that loses writes can bring back what was removed.
//   - When Redis cannot be reached, Get fails: callers that all load by themselves are
//     what a cache is to prevent. [Without] is for who wants that.
//   - Two calls may load one value one after the other where the first one's was
//     invalidated, or its lease ended.
//
// # Compatibility
//
// Redis 6.2 to 8, Valkey 8 and 9, and the embedded server. Two versions of this package
// may share a Redis; one that does not know a value's form loads it anew.
package cache
