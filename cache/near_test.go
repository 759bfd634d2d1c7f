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
	short := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 3, TTL: 100 * time.Millisecond}}), "f", (&loader{}).load).On(db)
	nearby(t, db, short, "a", sent)
	redistest.Until(t, 5*time.Second, "it is asked for again", func() error {
		before := sent.Commands()
		if err := short.Get(ctx, "a").Err(); err != nil || sent.Commands() == before {
			return fmt.Errorf("not yet, %v", err)
		}
		return nil
	})
}

// What was not used for longest makes room.
func TestNearEvicts(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db, ctx := newDB(t, client), t.Context()
	sent := redistest.Record(client)
	f := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 3}}), "f", (&loader{}).load).On(db)
	for _, arg := range []string{"a", "b", "c", "a", "b", "d"} { // of these c
		<-time.After(2 * time.Millisecond) // uses are told apart by a millisecond
		nearby(t, db, f, arg, sent)
	}
	for arg, near := range map[string]bool{"a": true, "b": true, "d": true} {
		before := sent.Commands()
		if err := f.Get(ctx, arg).Err(); err != nil || (sent.Commands() == before) != near {
			t.Errorf("%s is near: %v, %v; want %v", arg, sent.Commands() == before, err, near)
		}
	}
}

// Shared values are one and the same; with Copy each caller has its own.
func TestNearCopy(t *testing.T) {
	for _, copied := range []bool{false, true} {
		client := redistest.Server(t).Client(t)
		db := newDB(t, client)
		sent := redistest.Record(client)
		r := region(t, cache.Options{Near: cache.Near{Entries: 50, Copy: copied}})
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
		for i := range 100 { // replies that use the memory of others again
			if err := f.Refresh(t.Context(), fmt.Sprintf("%c,z", 'c'+i%20)).Err(); err != nil {
				t.Fatal(err)
			}
			if err := f.Peek(t.Context(), fmt.Sprintf("%c,z", 'c'+i%20)).Err(); err != nil {
				t.Fatal(err)
			}
		}
		first, second := get(), get()
		if strings.Join(first, ",") != "a,b" {
			t.Errorf("Copy is %v, and the value has become %q", copied, first)
		}
		if same := &first[0] == &second[0]; same == copied {
			t.Errorf("Copy is %v, and two callers have one value: %v", copied, same)
		}
	}
}

// A value that was asked for before it was removed, and comes back afterwards, is answered
// to who asked, and not kept.
func TestNearOvertaken(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	client := s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })
	db, other := newDB(t, client), newDB(t, s.Client(t))
	sent, ctx := redistest.Record(client), t.Context()
	for name, remove := range map[string]func(r *cache.Region, f cache.Bound[string, string]) error{
		"one": func(_ *cache.Region, f cache.Bound[string, string]) error {
			return errors.Join(f.Remove(ctx, "a").Err(), f.Remove(ctx, "b").Err())
		},
		"all":      func(_ *cache.Region, f cache.Bound[string, string]) error { return f.RemoveAll(ctx).Err() },
		"a region": func(r *cache.Region, _ cache.Bound[string, string]) error { return r.On(other).Remove(ctx).Err() },
	} {
		r := region(t, cache.Options{Near: cache.Near{Entries: 10}})
		def := cache.Func(r, "f", (&loader{}).load)
		here, there := def.On(db), def.On(other)
		nearby(t, db, here, "b", sent)
		old, err := there.Get(ctx, "a").Result()
		if err != nil {
			t.Fatal(err)
		}
		asked, answer := make(chan struct{}), make(chan struct{})
		p.On(func(q redistest.Request) redistest.Fate {
			if q.Name() != "MGET" || !strings.HasSuffix(q.Args[1], ":a") {
				return redistest.Pass()
			}
			close(asked)
			return redistest.Hold(answer)
		})
		before := reads(t, other.Client())
		first := make(chan string, 1)
		go func() {
			v, _ := here.Get(ctx, "a").Result()
			first <- v
		}()
		<-asked
		p.On(nil)
		redistest.Until(t, 5*time.Second, "the server has read it", func() error {
			if reads(t, other.Client()) == before {
				return errors.New("not yet")
			}
			return nil
		})
		if err := remove(r, there); err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, 5*time.Second, name+": the removal is heard of", func() error {
			before := sent.Commands()
			if err := here.Get(ctx, "b").Err(); err != nil || sent.Commands() == before {
				return fmt.Errorf("b is near, %v", err)
			}
			return nil
		})
		close(answer)
		if got := <-first; got != old {
			t.Errorf("%s: who asked before has got %q, not %q", name, got, old)
		}
		if got, err := here.Get(ctx, "a").Result(); err != nil || got == old {
			t.Errorf("%s: who asks behind the removal: %q, %v", name, got, err)
		}
	}
}

// reads is how many MGET a server has executed.
func reads(t *testing.T, client redis.UniversalClient) string {
	t.Helper()
	info, err := client.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, calls, _ := strings.Cut(info, "cmdstat_mget:calls=")
	calls, _, _ = strings.Cut(calls, ",")
	return calls
}

// A Run that removes a value does so for its own process when it ends, also for what was
// read in between: nobody waits for a message.
func TestNearRemovedInRun(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db := newDB(t, client)
	sent, ctx := redistest.Record(client), t.Context()
	r := region(t, cache.Options{Near: cache.Near{Entries: 10}})
	f := cache.Func(r, "f", (&loader{}).load).On(db)
	for name, remove := range map[string]func(ctx context.Context){
		"one":      func(ctx context.Context) { f.Remove(ctx, "a") },
		"all":      func(ctx context.Context) { f.RemoveAll(ctx) },
		"a region": func(ctx context.Context) { r.On(db).Remove(ctx) },
	} {
		for range 30 { // a message is fast, now and then
			nearby(t, db, f, "a", sent)
			var old string
			err := pipectx.Run(ctx, db, func(run context.Context) (err error) {
				remove(run)
				for range 2 { // once more from Redis, and then near
					if old, err = f.Get(ctx, "a").Result(); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.Get(ctx, "a").Result(); err != nil || got == old {
				t.Fatalf("%s: behind the Run: %q, %v", name, got, err)
			}
		}
	}
}

// Who has loaded a value anew, or removed it, is not answered the old one from then on: it
// waits for no message.
func TestNearChangedHere(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db, ctx := newDB(t, client), t.Context()
	sent := redistest.Record(client)
	f := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 10}}), "f", (&loader{}).load).On(db)
	for what, change := range map[string]func() error{
		"refreshed":   func() error { return f.Refresh(ctx, "a").Err() },
		"removed":     func() error { return f.Remove(ctx, "a").Err() },
		"all removed": func() error { return f.RemoveAll(ctx).Err() },
	} {
		for range 30 { // a message is fast, now and then
			nearby(t, db, f, "a", sent)
			old, err := f.Get(ctx, "a").Result()
			if err := errors.Join(err, change()); err != nil {
				t.Fatal(err)
			}
			if got, err := f.Get(ctx, "a").Result(); err != nil || got == old {
				t.Fatalf("%s: %q, %v", what, got, err)
			}
		}
	}
}

// A connection on which nothing happens is kept, and one that went dumb is noticed: then
// nothing near is answered.
func TestNearQuiet(t *testing.T) {
	t.Parallel()
	s := redistest.Server(t)
	client := s.Client(t)
	db := newDB(t, client)
	sent, ctx := redistest.Record(client), t.Context()
	f := cache.Func(region(t, cache.Options{Near: cache.Near{Entries: 10}}), "f", (&loader{}).load).On(db)
	nearby(t, db, f, "a", sent)
	listeners := func() string {
		list, err := s.Client(t).Do(ctx, "CLIENT", "LIST", "TYPE", "pubsub").Text()
		if err != nil {
			t.Fatal(err)
		}
		id, _, _ := strings.Cut(list, " ")
		return id
	}
	first := listeners()
	<-time.After(7 * time.Second) // it is asked after 3 s of silence, and again: no luck is waited for
	before := sent.Commands()
	want(t, "still near", f.Get(ctx, "a"), "a 1")
	if now := listeners(); now != first || sent.Commands() != before {
		t.Errorf("it listens by %s, before by %s; %d commands more", now, first, sent.Commands()-before)
	}
	s.Pause(t)
	defer s.Resume(t)
	redistest.Until(t, 15*time.Second, "it is noticed", func() error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		if f.Get(ctx, "a").Err() == nil {
			return errors.New("it is answered from near")
		}
		return nil
	})
}
