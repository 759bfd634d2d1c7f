package pipectx_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Both services run alone or, as here, in one round trip.
func ExampleRun() {
	db, end := exampleDB()
	defer end()

	sell := func(ctx context.Context, item string) (left *pipectx.Ref[int64], err error) {
		err = pipectx.Run(ctx, db, func(ctx context.Context) error {
			left = pipectx.Do[int64](ctx, db, "DECR", "stock{"+item+"}")
			pipectx.Do[int64](ctx, db, "INCR", "sold{"+item+"}")
			return nil
		})
		return left, err
	}

	var apples, pears *pipectx.Ref[int64]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) (err error) {
		pipectx.Do[struct{}](ctx, db, "MSET", "stock{apple}", 5, "stock{pear}", 9)
		if apples, err = sell(ctx, "apple"); err != nil {
			return err
		}
		pears, err = sell(ctx, "pear")
		fmt.Println("before the flush:", apples, pears)
		return err
	})
	fmt.Println("after it:", apples, pears, err)
	// Output:
	// before the flush: pending pending
	// after it: 4 8 <nil>
}

// A Run that fails sends nothing of its own; its parent decides what follows.
func ExampleRun_discard() {
	db, end := exampleDB()
	defer end()

	var kept, dropped *pipectx.Ref[int64]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		kept = pipectx.Do[int64](ctx, db, "INCR", "kept")
		err := pipectx.Run(ctx, db, func(ctx context.Context) error {
			dropped = pipectx.Do[int64](ctx, db, "INCR", "dropped")
			return errors.New("not today")
		})
		fmt.Println("the inner Run:", err)
		return nil
	})
	fmt.Println("the outer Run:", err)
	fmt.Println(kept, errors.Is(dropped.Err(), pipectx.ErrDiscarded))
	// Output:
	// the inner Run: not today
	// the outer Run: <nil>
	// 1 true
}

// What a callback queues goes out as the next wave: two round trips in all.
func ExampleAfter() {
	db, end := exampleDB()
	defer end()

	var name *pipectx.Ref[string]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		id := pipectx.Do[int64](ctx, db, "INCR", "users")
		return pipectx.After(ctx, func(ctx context.Context) error {
			n, err := id.Result()
			if err != nil {
				return err
			}
			key := fmt.Sprintf("user{%d}", n)
			pipectx.Do[int64](ctx, db, "HSET", key, "name", "Ada")
			name = pipectx.Do[string](ctx, db, "HGET", key, "name")
			return nil
		})
	})
	fmt.Println(name, err)
	// Output: Ada <nil>
}

// A derived Ref is computed when it is first read.
func ExampleMap() {
	db, end := exampleDB()
	defer end()

	var share *pipectx.Ref[string]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		yes := pipectx.Do[int64](ctx, db, "INCRBY", "yes", 3)
		no := pipectx.Do[int64](ctx, db, "INCRBY", "no", 1)
		part := pipectx.Join(yes, no, func(y, n int64) (float64, error) {
			return float64(y) / float64(y+n), nil
		})
		share = pipectx.Map(part, func(f float64) (string, error) {
			return fmt.Sprintf("%.0f %%", 100*f), nil
		})
		return nil
	})
	fmt.Println(share, err)
	// Output: 75 % <nil>
}

// Any command on raw keys, its reply decoded into the type asked for.
func ExampleDo() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	n, err := pipectx.Do[int64](ctx, db, "RPUSH", "queue", "a", "b").Result()
	fmt.Println(n, err)
	list, err := pipectx.Do[[]string](ctx, db, "LRANGE", "queue", 0, -1).Result()
	fmt.Println(list, err)
	_, err = pipectx.Do[string](ctx, db, "GET", "nobody").Result()
	fmt.Println(errors.Is(err, pipectx.ErrNotFound))
	err = pipectx.Do[int64](ctx, db, "INCR", "queue").Err()
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// [a b] <nil>
	// true
	// pipectx: INCR queue: WRONGTYPE Operation against a key holding the wrong kind of value
}

// A failure that the caller deals with is kept out of Run's error.
func ExampleHandled() {
	db, end := exampleDB()
	defer end()

	var bad, good *pipectx.Ref[int64]
	err := pipectx.Run(context.Background(), db, func(ctx context.Context) error {
		pipectx.Do[struct{}](ctx, db, "SET", "name", "Ada")
		bad = pipectx.Handled(pipectx.Do[int64](ctx, db, "LPUSH", "name", "x"))
		good = pipectx.Do[int64](ctx, db, "INCR", "n")
		return nil
	})
	var refused *pipectx.ServerError
	fmt.Println(err, errors.As(bad.Err(), &refused), refused.Code, good)
	// Output: <nil> true WRONGTYPE 1
}
