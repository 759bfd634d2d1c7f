package lock_test

import (
	"context"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wireRow is what a golden file holds of a verb: what play sends behind ready.
type wireRow struct {
	on    any
	verb  string
	about string
	ready func(ctx context.Context, db *pipectx.DB) (leases, error)
	play  func(ctx context.Context, db *pipectx.DB, l leases) (leases, error)
}

// leases are what a row holds, released behind it.
type leases []interface{ Release(context.Context) error }

func one[L interface{ Release(context.Context) error }](l L, err error) (leases, error) {
	if err != nil {
		return nil, err
	}
	return leases{l}, nil
}

func nothing(context.Context, *lock.Lease) error { return nil }

// wires are the rows of each golden file.
func wires() map[string][]wireRow {
	acquired := func(ctx context.Context, db *pipectx.DB) (leases, error) { return one(jobs.On(db).Acquire(ctx, "42")) }
	lease := func(l leases) *lock.Lease { return l[0].(*lock.Lease) }
	return map[string][]wireRow{
		"lock": {
			{lock.Bound{}, "Do", "a free lock", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, jobs.On(db).Do(ctx, "42", nothing)
			}},
			{lock.Bound{}, "DoAll", "three locks", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, placed.On(db).DoAll(ctx, []string{"c", "a", "b"}, nothing)
			}},
			{lock.Bound{}, "Acquire", "a free lock", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(jobs.On(db).Acquire(ctx, "42"))
			}},
			{lock.Bound{}, "Acquire", "one that is held, which costs a command more, to listen", acquired, handed},
			{lock.Bound{}, "Acquire", "one that is held, and its release", acquired, handed},
			{lock.Bound{}, "AcquireAll", "two locks", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(placed.On(db).AcquireAll(ctx, "a", "b"))
			}},
			{lock.Bound{}, "TryAcquire", "a free lock", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(jobs.On(db).TryAcquire(ctx, "42"))
			}},
			{lock.Bound{}, "TryAcquireAll", "two locks", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(placed.On(db).TryAcquireAll(ctx, "a", "b"))
			}},
		},
		"lease": {
			{&lock.Lease{}, "Extend", "by a minute", acquired, func(ctx context.Context, _ *pipectx.DB, l leases) (leases, error) {
				return l, lease(l).Extend(ctx)
			}},
			{&lock.Lease{}, "Release", "and again", acquired, func(ctx context.Context, _ *pipectx.DB, l leases) (leases, error) {
				if err := lease(l).Release(ctx); err != nil {
					return nil, err
				}
				return l, lease(l).Release(ctx)
			}},
		},
		"rw": {
			{lock.BoundRW{}, "DoRead", "nobody writes", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, plans.On(db).DoRead(ctx, "7", nothing)
			}},
			{lock.BoundRW{}, "DoWrite", "nobody is there", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, plans.On(db).DoWrite(ctx, "7", nothing)
			}},
			{lock.BoundRW{}, "AcquireRead", "nobody writes", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(plans.On(db).AcquireRead(ctx, "7"))
			}},
			{lock.BoundRW{}, "AcquireWrite", "nobody is there", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(plans.On(db).AcquireWrite(ctx, "7"))
			}},
			{lock.BoundRW{}, "TryAcquireRead", "nobody writes", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(plans.On(db).TryAcquireRead(ctx, "7"))
			}},
			{lock.BoundRW{}, "TryAcquireWrite", "nobody is there", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(plans.On(db).TryAcquireWrite(ctx, "7"))
			}},
		},
		"semaphore": {
			{lock.BoundSemaphore{}, "Do", "a free permit", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, permits.On(db).Do(ctx, "7", nothing)
			}},
			{lock.BoundSemaphore{}, "Acquire", "a free permit", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(permits.On(db).Acquire(ctx, "7"))
			}},
			{lock.BoundSemaphore{}, "TryAcquire", "a free permit", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(permits.On(db).TryAcquire(ctx, "7"))
			}},
		},
		"limiter": {
			{lock.BoundLimiter{}, "Allow", "a sliding window", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, calls.On(db).Allow(ctx, "7").Err()
			}},
			{lock.BoundLimiter{}, "AllowN", "a token bucket", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, drops.On(db).AllowN(ctx, "7", 2).Err()
			}},
			{lock.BoundLimiter{}, "Wait", "a token bucket with tokens", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, drops.On(db).Wait(ctx, "8")
			}},
		},
		"quorum": {
			{lock.BoundQuorum{}, "Do", "of one master", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return nil, leaders.On(db).Do(ctx, "7", func(context.Context, *lock.QuorumLease) error { return nil })
			}},
			{lock.BoundQuorum{}, "Acquire", "of one master", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(leaders.On(db).Acquire(ctx, "7"))
			}},
			{lock.BoundQuorum{}, "TryAcquire", "of one master", nil, func(ctx context.Context, db *pipectx.DB, _ leases) (leases, error) {
				return one(leaders.On(db).TryAcquire(ctx, "7"))
			}},
			{&lock.QuorumLease{}, "Release", "of one master", func(ctx context.Context, db *pipectx.DB) (leases, error) {
				return one(leaders.On(db).TryAcquire(ctx, "7"))
			}, func(ctx context.Context, _ *pipectx.DB, l leases) (leases, error) { return l, l[0].Release(ctx) }},
		},
	}
}

// handed acquires a lock that is held, and then releases it once for both.
func handed(ctx context.Context, db *pipectx.DB, l leases) (leases, error) {
	first := l[0].(*lock.Lease)
	next := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "42") })
	client := redis.NewClient(db.Client().(*redis.Client).Options())
	defer client.Close()
	for { // it must be in the queue, and who looks must not be in the file
		if n, err := client.LLen(ctx, first.Keys()[0]+":queue").Result(); n > 0 || err != nil {
			break
		}
	}
	if err := first.Release(ctx); err != nil {
		return nil, err
	}
	r := <-next
	return leases{r.lease}, r.err
}

var tokens = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

// Each verb sends the commands that testdata/wire says, one round trip a line.
func TestWire(t *testing.T) {
	for file, rows := range wires() {
		t.Run(file, func(t *testing.T) {
			db, sent := embedded(t)
			var text strings.Builder
			for _, row := range rows {
				for _, warm := range []bool{true, false} { // scripts are known
					if warm && row.verb == "Acquire" && row.ready != nil {
						continue // it is the first to listen
					}
					var held leases
					var err error
					if row.ready != nil {
						held, err = row.ready(t.Context(), db)
						done(t, row.verb, err)
					}
					sent.Reset()
					held, err = row.play(t.Context(), db, held)
					done(t, row.verb, err)
					if !warm {
						text.WriteString("# " + row.verb + ": " + row.about + "\n" + tokens.ReplaceAllString(sent.String(), "<token>"))
					}
					for _, l := range held {
						done(t, "release", l.Release(t.Context()))
					}
				}
			}
			golden.Equal(t, "testdata/wire/"+file+".txt", text.String())
		})
	}
}

// Every verb has a row in the wire table.
func TestEveryVerbHasItsWire(t *testing.T) {
	have := map[string]bool{}
	types := map[reflect.Type]bool{}
	for _, rows := range wires() {
		for _, row := range rows {
			types[reflect.TypeOf(row.on)] = true
			have[reflect.TypeOf(row.on).String()+"."+row.verb] = true
		}
	}
	for on := range types {
		for m := range on.Methods() {
			if verb := m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context](); verb && !have[on.String()+"."+m.Name] {
				t.Errorf("%v: %s has no row in the wire table", on, m.Name)
			}
		}
	}
}
