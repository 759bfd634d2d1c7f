package lock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	Checkout = lock.New("checkout", lock.Options{TTL: 30 * time.Second})
	Transfer = lock.New("account", lock.Options{Slot: "bank"})
	Plan     = lock.NewRW("plan", lock.Options{})
	Workers  = lock.NewSemaphore("workers", 2, lock.Options{TTL: 10 * time.Second})
	Calls    = lock.NewLimiter("calls", lock.SlidingWindow(2, time.Minute))
	Leader   = lock.NewQuorum("leader", lock.Options{TTL: 10 * time.Second})
)

func exampleDB() (*pipectx.DB, func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}

func ExampleBound_Do() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	err := Checkout.On(db).Do(ctx, "42", func(ctx context.Context, lease *lock.Lease) error {
		fmt.Println("order 42 is ours, of all processes") // ctx ends when it is not any more
		_, err := Checkout.On(db).TryAcquire(context.Background(), "42")
		fmt.Println(err)
		return nil
	})
	fmt.Println(err)
	// Output:
	// order 42 is ours, of all processes
	// lock: held by somebody else: checkout{42}
	// <nil>
}

func ExampleBound_Acquire() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	lease, err := Checkout.On(db).Acquire(ctx, "42")
	if err != nil {
		panic(err)
	}
	one, _ := lease.Fence()
	fmt.Println(lease.Release(ctx))

	lease, _ = Checkout.On(db).Acquire(ctx, "42")
	two, err := lease.Fence()
	fmt.Println(two > one, err)
	fmt.Println(lease.Release(ctx), errors.Is(lease.Extend(ctx), lock.ErrReleased))
	// Output:
	// <nil>
	// true <nil>
	// <nil> true
}

func ExampleBound_DoAll() {
	db, end := exampleDB()
	defer end()

	err := Transfer.On(db).DoAll(context.Background(), []string{"8", "7"}, func(ctx context.Context, lease *lock.Lease) error {
		fmt.Println(lease.Keys())
		return nil
	})
	fmt.Println(err)
	// Output:
	// [account{bank}:7 account{bank}:8]
	// <nil>
}

func ExampleRW() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	one, _ := Plan.On(db).AcquireRead(ctx, "7")
	_, err := Plan.On(db).TryAcquireRead(ctx, "7")
	fmt.Println("read:", err)
	_, err = Plan.On(db).TryAcquireWrite(ctx, "7")
	fmt.Println("write:", err)
	_ = one.Release(ctx)
	// Output:
	// read: <nil>
	// write: lock: held by somebody else: plan{7}
}

func ExampleSemaphore() {
	db, end := exampleDB()
	defer end()
	ctx := context.Background()

	for range 3 {
		_, err := Workers.On(db).TryAcquire(ctx, "import")
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// <nil>
	// lock: held by somebody else: workers{import}
}

func ExampleLimiter() {
	db, end := exampleDB()
	defer end()

	for range 3 {
		v, err := Calls.On(db).Allow(context.Background(), "client-9").Result()
		fmt.Println(v.Allowed, v.Left, v.RetryAfter > 0, err)
	}
	// Output:
	// true 1 false <nil>
	// true 0 false <nil>
	// false 0 true <nil>
}

func ExampleQuorum() {
	one, endOne := exampleDB() // three servers that know nothing of each other
	two, endTwo := exampleDB()
	three, endThree := exampleDB()
	defer func() { endOne(); endTwo(); endThree() }()

	err := Leader.On(one, two, three).Do(context.Background(), "billing", func(ctx context.Context, lease *lock.QuorumLease) error {
		fmt.Println("leader for", lease.TTL().Round(time.Second))
		return nil
	})
	fmt.Println(err)
	// Output:
	// leader for 10s
	// <nil>
}
