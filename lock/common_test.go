package lock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/luacover"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What the tests of this package declare. Tests choose names of their own.
var (
	jobs    = lock.New("job", lock.Options{})
	quick   = lock.New("quick", lock.Options{TTL: 200 * time.Millisecond, Timeout: -1})
	steady  = lock.New("steady", lock.Options{TTL: time.Second, Timeout: -1})
	hasty   = lock.New("hasty", lock.Options{Timeout: 50 * time.Millisecond})
	fixed   = lock.New("fixed", lock.Options{TTL: 100 * time.Millisecond, Fixed: true})
	fixed60 = lock.New("fixed60", lock.Options{TTL: time.Minute, Fixed: true})
	again   = lock.New("again", lock.Options{Reentrant: true})
	placed  = lock.New("placed", lock.Options{Slot: "here"})
	plans   = lock.NewRW("plan", lock.Options{})
	permits = lock.NewSemaphore("permit", 3, lock.Options{})
	calls   = lock.NewLimiter("calls", lock.SlidingWindow(3, time.Minute))
	drops   = lock.NewLimiter("drops", lock.TokenBucket(60, time.Minute, 3))
	leaders = lock.NewQuorum("leader", lock.Options{TTL: 2 * time.Second, Timeout: time.Second})
)

// newDB returns a DB on client that is closed with the test.
func newDB(t testing.TB, client redis.UniversalClient, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return luacover.Watched(t, db)
}

// embedded returns a DB on an embedded server of the test's own, and what is sent
// to it.
func embedded(t testing.TB) (*pipectx.DB, *redistest.Recorder) {
	t.Helper()
	client := redistest.Embedded(t).Client(t)
	return newDB(t, client), redistest.Record(client)
}

// everywhere runs a subtest on every kind of server, with a DB for each of two
// processes.
func everywhere(t *testing.T, test func(t *testing.T, db, other *pipectx.DB)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		for name, protocol := range map[string]int{"RESP2": 2, "RESP3": 3} {
			t.Run(name, func(t *testing.T) {
				client := func() *redis.Client { return s.Client(t, func(o *redis.Options) { o.Protocol = protocol }) }
				if err := client().FlushDB(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				test(t, newDB(t, client()), newDB(t, client()))
			})
		}
	})
	t.Run("cluster", func(t *testing.T) {
		c := redistest.Cluster(t)
		test(t, newDB(t, c.Client(t)), newDB(t, c.Client(t)))
	})
}

// held is Acquire that must succeed, released with the test.
func held(t testing.TB, lease *lock.Lease, err error) *lock.Lease {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lease.Release(context.Background()) }) // it may be lost
	return lease
}

// wantErr fails the test unless err is target.
func wantErr(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

// done fails the test if there is an error.
func done(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// fence is the lease's token.
func fence(t testing.TB, l interface{ Fence() (int64, error) }) int64 {
	t.Helper()
	f, err := l.Fence()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// result is what an Acquire in a goroutine answers.
type result struct {
	lease *lock.Lease
	err   error
}

// later calls acquire in a goroutine.
func later(acquire func() (*lock.Lease, error)) <-chan result {
	c := make(chan result, 1)
	go func() {
		lease, err := acquire()
		c <- result{lease, err}
	}()
	return c
}

// waiting waits until so many wait in a queue.
func waiting(t testing.TB, db *pipectx.DB, key string, n int64) {
	t.Helper()
	redistest.Until(t, 10*time.Second, "waiters in the queue", func() error {
		got, err := db.Client().LLen(t.Context(), key+":queue").Result()
		if err == nil && got != n {
			err = errors.New("there are others")
		}
		return err
	})
}
