package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// nearby waits until calls cost no command: the process has begun to listen, and has the
// value.
func nearby(t *testing.T, db *pipectx.DB, f cache.Bound[string, string], arg string, sent *redistest.Recorder) {
	t.Helper()
	redistest.Until(t, 10*time.Second, arg+" is near", func() error {
		before := sent.Commands()
		if err := f.Get(t.Context(), arg).Err(); err != nil {
			return err
		}
		if sent.Commands() != before {
			return errors.New("it was asked for")
		}
		return nil
	})
}

// A value that is near is answered without a command, until any process stores another
// or outdates it.
func TestNear(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		sent := redistest.Record(client)
		r := region(t, cache.Options{Near: cache.Near{Entries: 10}})
		l := &loader{}
		def := cache.Func(r, "f", l.load)
		here, there := def.On(db), def.On(newDB(t, client)) // another process has another DB
		for name, change := range map[string]func() error{
			"refresh":    func() error { return there.Refresh(ctx, "a").Err() },
			"remove":     func() error { return there.Remove(ctx, "a").Err() },
			"invalidate": func() error { return there.Invalidate(ctx, "a").Err() },
			"remove all": func() error { return there.RemoveAll(ctx).Err() },
			"a region":   func() error { return r.On(db).Invalidate(ctx).Err() },
		} {
			nearby(t, db, here, "a", sent)
			was, err := here.Get(ctx, "a").Result()
			if err != nil {
				t.Fatal(err)
			}
			if err := change(); err != nil {
				t.Fatal(err)
			}
			redistest.Until(t, 5*time.Second, name+" is heard of", func() error {
				if got, err := here.Get(ctx, "a").Result(); err != nil || got == was {
					return fmt.Errorf("%q, %v", got, err)
				}
				return nil
			})
		}
	})
}

// When the connection by which a process hears of changes is lost, nothing near is
// answered until there is another.
func TestNearDeaf(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	sent := redistest.Record(client)
	l := &loader{}
	f := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 10}}), "f", l.load).On(db)
	ctx := t.Context()
	nearby(t, db, f, "a", sent)
	// One step: the change is published to nobody.
	_, err := client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub")
		p.FlushDB(ctx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, 10*time.Second, "the loss is noticed", func() error {
		if got, err := f.Get(ctx, "a").Result(); err != nil || got != "a 2" {
			return fmt.Errorf("%q, %v", got, err)
		}
		return nil
	})
	nearby(t, db, f, "a", sent)
}

// Near caches keep as many values as they may, and those for as long as they may.
func TestNearBounds(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	sent := redistest.Record(client)
	ctx := t.Context()
	f := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 3}}), "f", (&loader{}).load).On(db)
	for i := range 10 {
		nearby(t, db, f, fmt.Sprint(i), sent)
	}
	before := sent.Commands()
	for i := range 10 {
		if err := f.Get(ctx, fmt.Sprint(i)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if asked := sent.Commands() - before; asked < 7 {
		t.Errorf("of 10 values %d were asked for; 3 are kept", asked)
	}
	short := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 3, TTL: time.Millisecond}}), "f", (&loader{}).load).On(db)
	want(t, "short", short.Get(ctx, "a"), "a 1")
	redistest.Until(t, 5*time.Second, "it is asked for again", func() error {
		before := sent.Commands()
		if err := short.Get(ctx, "a").Err(); err != nil || sent.Commands() == before {
			return fmt.Errorf("not yet, %v", err)
		}
		return nil
	})
}

// Shared values are one and the same; with Copy each caller has its own.
func TestNearCopy(t *testing.T) {
	for _, copied := range []bool{false, true} {
		client := redistest.Server(t).Client(t)
		db := newDB(t, client)
		sent := redistest.Record(client)
		r := region(t, cache.Options{Near: cache.Near{Entries: 3, Copy: copied}})
		f := cache.Func(r, "f", func(_ context.Context, arg string) ([]string, error) { return strings.Split(arg, ","), nil }).On(db)
		get := func() []string {
			got, err := f.Get(t.Context(), "a,b").Result()
			if err != nil || len(got) != 2 {
				t.Fatal(got, err)
			}
			return got
		}
		redistest.Until(t, 10*time.Second, "it is near", func() error {
			before := sent.Commands()
			if get(); sent.Commands() != before {
				return errors.New("it was asked for")
			}
			return nil
		})
		first, second := get(), get()
		if same := &first[0] == &second[0]; same == copied {
			t.Errorf("Copy is %v, and two callers have one value: %v", copied, same)
		}
	}
}
