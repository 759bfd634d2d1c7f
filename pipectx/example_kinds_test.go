package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Straight-line code that needs an answer before it can ask on. What was queued
// before goes along; what comes after goes at the end.
func ExampleAwait() {
	db, end := exampleDB()
	defer end()

	var last *pipectx.Ref[string]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		pipectx.Do[struct{}](ctx, db, "SET", "boss{7}", "Ada")
		boss, err := pipectx.Await(ctx, pipectx.Do[string](ctx, db, "GET", "boss{7}")) // the first round trip
		if err != nil {
			return err
		}
		pipectx.Do[int64](ctx, db, "RPUSH", "mail", "dear "+boss)
		last = pipectx.Do[string](ctx, db, "LINDEX", "mail", -1)
		return nil // the second
	})
	fmt.Println(last, err)
	// Output: dear Ada <nil>
}

// A callback for each reply, in a loop whose Refs nobody keeps.
func ExampleThen() {
	db, end := exampleDB()
	defer end()

	total := 0
	add := func(n int, err error) error {
		if errors.Is(err, pipectx.ErrNotFound) {
			return nil // a missing counter counts nothing
		}
		total += n
		return err
	}
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		pipectx.Do[struct{}](ctx, db, "MSET", "hits{a}", 3, "hits{c}", 4)
		for _, page := range []string{"a", "b", "c"} {
			if err := pipectx.Then(ctx, pipectx.Do[int](ctx, db, "GET", "hits{"+page+"}"), add); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(total, err)
	// Output: 7 <nil>
}

// A hundred members with two dependent steps each: they wait together, and what
// they ask for goes out together.
func ExampleGather() {
	client, end := redistest.Example()
	defer end()
	var cost meter
	db, err := pipectx.New(client, pipectx.Observe(&cost))
	if err != nil {
		fmt.Println(err)
		return
	}

	err = pipectx.Gather(context.Background(), db, func(g *pipectx.Group) error {
		for i := range 100 {
			g.Go(func(ctx context.Context) error {
				n, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCR", fmt.Sprintf("n{%d}", i)))
				if err != nil {
					return err
				}
				_, err = pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", fmt.Sprintf("sum{%d}", i), n))
				return err
			})
		}
		return nil
	})
	// 2, but on a machine so busy that a goroutine keeps the others waiting.
	fmt.Println(cost.commands, "commands, in fewer round trips than that:", cost.trips < cost.commands, err)
	// Output: 200 commands, in fewer round trips than that: true <nil>
}

// More commands than fit in memory: they are sent while the function runs.
func ExampleStream() {
	db, end := exampleDB()
	defer end()

	err := pipectx.Stream(context.Background(), db, func(ctx context.Context) error {
		for i := range 25_000 {
			pipectx.Do[struct{}](ctx, db, "SET", fmt.Sprintf("line{%d}", i), i)
		}
		return nil
	})
	n, _ := pipectx.Do[int64](context.Background(), db, "DBSIZE").Result()
	fmt.Println(n, err)
	// Output: 25000 <nil>
}

// Two commands that nobody else's come between: MULTI … EXEC.
func ExampleAtomic() {
	db, end := exampleDB()
	defer end()

	var from, to *pipectx.Ref[int64]
	err := pipectx.Atomic(context.Background(), db, func(ctx context.Context) error {
		from = pipectx.Do[int64](ctx, db, "DECRBY", "balance{bank}:1", 5)
		to = pipectx.Do[int64](ctx, db, "INCRBY", "balance{bank}:2", 5)
		return nil
	})
	fmt.Println(from, to, err)
	// Output: -5 5 <nil>
}

// Read, decide, write, all of it again when the key has changed meanwhile.
func ExampleWatch() {
	db, end := exampleDB()
	defer end()

	double := func(ctx context.Context, key string) error {
		return pipectx.Watch(ctx, db, func(ctx context.Context) error {
			n, err := pipectx.Do[int64](ctx, db, "GET", key).Result() // now
			if err != nil {
				return err
			}
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
				pipectx.Do[struct{}](ctx, db, "SET", key, 2*n)
				return nil
			})
		}, key)
	}
	pipectx.Do[struct{}](context.Background(), db, "SET", "n", 21)
	err := double(context.Background(), "n")
	fmt.Println(pipectx.Do[int64](context.Background(), db, "GET", "n"), err)
	// Output: 42 <nil>
}

// Run for code that is no closure, such as a request that begins in one function
// and ends in another.
func ExampleBegin() {
	db, end := exampleDB()
	defer end()

	ctx, pipeline, err := pipectx.Begin(context.Background(), db)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pipeline.Discard() // does nothing after Exec

	hits := pipectx.Do[int64](ctx, db, "INCR", "hits")
	fmt.Println(hits)
	err = pipeline.Exec()
	fmt.Println(hits, err)
	// Output:
	// pending
	// 1 <nil>
}

// A write whose repetition changes nothing may be sent again when its answer is
// lost, if the caller says so.
func ExampleResend() {
	db, end := exampleDB()
	defer end()

	ctx := pipectx.Resend(context.Background())
	fmt.Println(pipectx.Do[int64](ctx, db, "HSET", "seen{42}", "2026-01-02", 1))
	// Output: 1
}

// meter counts what a DB sends, and tells of what is slow. It is for one
// goroutine: an Observer of a busy program counts with atomics.
type meter struct{ commands, trips int }

func (m *meter) Flushed(_ context.Context, f pipectx.Flush) {
	m.commands += f.Commands
	m.trips += f.RoundTrips
	if f.Duration > time.Minute {
		fmt.Println("slow:", f.Command, f.Duration, "attempts:", f.Attempts)
	}
}

func (m *meter) Unread(err error) { fmt.Println("nobody read:", err) }

// An observer is told of every flush, for metrics or logs.
func ExampleObserve() {
	client, end := redistest.Example()
	defer end()
	var cost meter
	db, err := pipectx.New(client, pipectx.Observe(&cost))
	if err != nil {
		fmt.Println(err)
		return
	}

	err = pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		pipectx.Do[int64](ctx, db, "INCR", "a")
		pipectx.Do[int64](ctx, db, "INCR", "b")
		return nil
	})
	fmt.Println(cost.commands, "commands in", cost.trips, "round trip", err)
	// Output: 2 commands in 1 round trip <nil>
}
