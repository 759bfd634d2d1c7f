package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Immediate verbs of many goroutines share round trips, and each has the answer to
// its own command.
func TestCoalesce(t *testing.T) {
	test := func(t *testing.T, client redis.UniversalClient) {
		a := &witness{}
		db := newDB(t, client, pipectx.Coalesce(), pipectx.Observe(a))
		const callers, times = 64, 20
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				key := fmt.Sprint("key", c)
				for n := range times {
					want(t, "INCR", pipectx.Do[int64](t.Context(), db, "INCR", key), int64(n+1))
					want(t, "ECHO", pipectx.Do[string](t.Context(), db, "GET", key), fmt.Sprint(n+1))
					if err := pipectx.Do[string](t.Context(), db, "GET", "absent").Err(); !errors.Is(err, pipectx.ErrNotFound) {
						t.Errorf("what is absent answers %v", err)
					}
					var fault *pipectx.ServerError
					if err := do(t.Context(), db, "LPUSH", key, "x").Err(); !errors.As(err, &fault) || fault.Code != "WRONGTYPE" {
						t.Errorf("what is refused answers %v", err)
					}
				}
			})
		}
		all.Wait()
		redistest.Until(t, 10*time.Second, "what the observer sees", func() error { // the last of it comes behind the answers
			trips, commands, failed := 0, 0, 0
			for _, f := range a.seen() {
				trips, commands, failed = trips+f.RoundTrips, commands+f.Commands, failed+f.Failed
			}
			if commands != callers*times*4 || failed != callers*times || trips >= commands/2 {
				return fmt.Errorf("%d commands of which %d failed in %d round trips, want %d, %d, and far fewer", commands, failed, trips, callers*times*4, callers*times)
			}
			return nil
		})
	}
	t.Run("server", func(t *testing.T) { test(t, redistest.Shared(t).Client(t)) })
	t.Run("cluster", func(t *testing.T) { test(t, redistest.Cluster(t).Client(t)) })
}

// A caller whose context ends returns alone: what it had queued does not go, and
// the others have their answers.
func TestCoalesceCancel(t *testing.T) {
	server := redistest.Server(t)
	db := newDB(t, server.Client(t), pipectx.Coalesce())
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Pause(t)
	const callers = 10 // more than there are flights
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, callers)
	for range callers {
		go func() { errs <- do(ctx, db, "INCR", "n").Err() }()
	}
	patient := make(chan *pipectx.Ref[string], 1)
	go func() { patient <- pipectx.Do[string](t.Context(), db, "ECHO", "here") }()
	time.AfterFunc(20*time.Millisecond, cancel) // some are under way by then, or none: both are right
	unknown, unsent := 0, 0
	for range callers {
		switch err := <-errs; {
		case !errors.Is(err, context.Canceled):
			t.Errorf("it answers %v", err)
		case errors.Is(err, pipectx.ErrOutcomeUnknown):
			unknown++
		case errors.Is(err, pipectx.ErrNotSent):
			unsent++
		default:
			t.Errorf("it does not say what became of it: %v", err)
		}
	}
	server.Resume(t)
	want(t, "who waited", <-patient, "here")
	n, err := pipectx.Do[int](t.Context(), db, "GET", "n").Result()
	if err != nil && !errors.Is(err, pipectx.ErrNotFound) || n > unknown {
		t.Errorf("%d ran, %v; %d are unknown and %d not sent", n, err, unknown, unsent)
	}
}

// A node that hangs does not hold up the verbs for another.
func TestCoalesceNodeHangs(t *testing.T) {
	cluster := redistest.NewCluster(t)
	db := newDB(t, cluster.Client(t), pipectx.Coalesce())
	hung := cluster.Master(t, "a")
	other := "b"
	for i := 0; cluster.Master(t, other) == hung; i++ {
		other = fmt.Sprint("b", i)
	}
	for _, key := range []string{"a", other} {
		if err := do(t.Context(), db, "SET", key, "v").Err(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	hung.Pause(t)
	var waiting sync.WaitGroup
	for range 10 {
		waiting.Go(func() { _ = do(ctx, db, "GET", "a").Err() })
	}
	within(t, 10*time.Second, "the other node", func() {
		for range 100 {
			want(t, "GET", pipectx.Do[string](t.Context(), db, "GET", other), "v")
		}
	})
	cancel()
	waiting.Wait()
	hung.Resume(t)
}

// Run and its kind are as ever, and a closed DB says so.
func TestCoalesceRun(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Coalesce())
	var ref *pipectx.Ref[int64]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = pipectx.Do[int64](ctx, db, "INCR", "n")
		wantErr(t, "before the end", ref.Err(), pipectx.ErrPending)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "n", ref, 1)
	_ = db.Close()
	wantErr(t, "a closed DB", do(t.Context(), db, "INCR", "n").Err(), pipectx.ErrClosed)
}
