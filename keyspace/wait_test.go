package keyspace_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What a verb has taken when its context ends is its answer, and the default TTL begins
// anew all the same.
func TestTTLBehindAnEndedContext(t *testing.T) {
	server, proxy := redistest.Shared(t), redistest.NewProxy(t)
	plain := newDB(t, server.Client(t))
	db := newDB(t, server.Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial }))
	queues, visits, sales := Queues.On(plain).Key(1), Visits.On(plain).Key(1), Sales.On(plain).Key(1)
	done(t, "RPush", queues.RPush(t.Context(), "a", "b", "c"))
	done(t, "AddMany", visits.AddMany(t.Context(), z("a", 1), z("b", 2)))
	done(t, "Add", sales.Add(t.Context(), nut.Value))
	done(t, "GroupCreate", sales.GroupCreate(t.Context(), "g", keyspace.Start{}))
	for name, row := range map[string]struct {
		verb func(ctx context.Context) error
		ttl  func(context.Context) *pipectx.Ref[field.Optional[time.Duration]]
	}{
		"BLPOP": {func(ctx context.Context) error { return DayQueues.On(db).BLPop(ctx, 0, 1).Err() }, queues.TTL},
		"BLMOVE": {func(ctx context.Context) error {
			return DayQueues.On(db).BMove(ctx, 0, 1, 1, keyspace.Left, keyspace.Right).Err()
		}, queues.TTL},
		"BZPOPMIN":   {func(ctx context.Context) error { return DayVisits.On(db).BPopMin(ctx, 0, 1).Err() }, visits.TTL},
		"XREADGROUP": {func(ctx context.Context) error { return DaySales.On(db).BReadGroup(ctx, 1, 0, ann).Err() }, sales.TTL},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		proxy.On(func(r redistest.Request) redistest.Fate {
			if r.Name() == name { // the server answers at once: something is there
				cancel()
			}
			return redistest.Pass()
		})
		if err := row.verb(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if left, err := row.ttl(t.Context()).Result(); err != nil || left.Or(0) < day-time.Minute {
			t.Errorf("%s: the key has %v left, %v", name, left, err)
		}
		for _, key := range []func(context.Context) *pipectx.Ref[bool]{queues.Persist, visits.Persist, sales.Persist} {
			done(t, "Persist", key(t.Context()))
		}
	}
}

// told is an observer of failures that nobody read.
type told chan error

func (told) Flushed(context.Context, pipectx.Flush) {}
func (u told) Unread(err error)                     { u <- err }

// A verb that waits, and fails, is one that failed: if nobody reads its Ref, the observers
// are told, with a default TTL and without.
func TestWaitingVerbsFailUnread(t *testing.T) {
	unread := make(told, 16)
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(unread))
	ctx := t.Context()
	for _, key := range []string{"queue{1}", "visits{1}", "sales{1}"} {
		done(t, "SET", pipectx.Do[struct{}](ctx, db, "SET", key, "of another type"))
	}
	for name, verb := range map[string]func(){
		"BLPop":                  func() { Queues.On(db).BLPop(ctx, ms, 1) },
		"BLPop with a TTL":       func() { DayQueues.On(db).BLPop(ctx, ms, 1) },
		"BMove with a TTL":       func() { DayQueues.On(db).BMove(ctx, ms, 1, 1, keyspace.Left, keyspace.Right) },
		"BPopMin":                func() { Visits.On(db).BPopMin(ctx, ms, 1) },
		"BReadGroup":             func() { Sales.On(db).BReadGroup(ctx, 1, ms, ann) },
		"BReadGroup with a TTL":  func() { DaySales.On(db).BReadGroup(ctx, 1, ms, ann) },
		"BMReadGroup":            func() { Sales.On(db).BMReadGroup(ctx, ms, ann, 1) },
		"BMReadGroup with a TTL": func() { DaySales.On(db).BMReadGroup(ctx, ms, ann, 1) },
	} {
		verb()
		redistest.Until(t, 10*time.Second, name+" to be told of", func() error {
			runtime.GC()
			select {
			case err := <-unread:
				var fault *pipectx.ServerError
				if !errors.As(err, &fault) || fault.Code != "WRONGTYPE" {
					t.Errorf("%s: %v", name, err)
				}
				return nil
			default:
				return errors.New("nobody has been")
			}
		})
	}
}

// An end that is farther than the longest Duration is that far, and not in the past.
func TestTTLOfCenturies(t *testing.T) {
	const longest = math.MaxInt64 / time.Millisecond * time.Millisecond
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		names, end := Names.On(db).Key(42), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		done(t, "Set", names.Set(t.Context(), "Ada", keyspace.Until(end)))
		want(t, "TTL", names.TTL(t.Context()), field.Some(longest))
	})
}

// None of a hash's fields are no command, with a default TTL too.
func TestGetDelOfNothing(t *testing.T) {
	db, sent := embedded(t)
	want(t, "GetDel", DayStock.On(db).GetDel(t.Context(), 42), []field.Optional[int64]{})
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}
