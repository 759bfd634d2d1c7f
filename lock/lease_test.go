package lock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A lease is renewed for as long as nobody releases it, and not after.
func TestRenewal(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	lease, err := steady.On(db).Acquire(t.Context(), "a")
	held(t, lease, err)
	key := lease.Keys()[0]
	stored := func() (since string) {
		since, err := db.Client().HGet(t.Context(), key, "since").Result()
		if err != nil {
			t.Fatal(err)
		}
		return since
	}
	first := stored()
	redistest.Until(t, 10*time.Second, "four renewals", func() error {
		if now := stored(); now == first {
			return fmt.Errorf("it began at %s", now)
		} else if lease.TTL() == 0 {
			t.Fatal("the lease is lost")
		}
		return nil
	})
	select {
	case <-lease.Context().Done():
		t.Error(context.Cause(lease.Context()))
	case <-time.After(3 * time.Second): // no luck is waited for: it must last
	}
	done(t, "the lease", lease.Err())
	done(t, "release", lease.Release(t.Context()))
	last := stored()
	<-time.After(500 * time.Millisecond)
	if now := stored(); now != last {
		t.Error("it was renewed behind its release")
	}
}

// A lease that is not renewed ends with its time: its context ends with the cause,
// and every verb says so. Extend prolongs it before.
func TestFixed(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		lease, err := fixed.On(db).Acquire(t.Context(), "f")
		one := fence(t, held(t, lease, err))
		done(t, "extend", lease.Extend(t.Context()))
		ctx := lease.Context()
		<-ctx.Done()
		wantErr(t, "its context", context.Cause(ctx), lock.ErrLost)
		wantErr(t, "extend", lease.Extend(t.Context()), lock.ErrLost)
		wantErr(t, "release", lease.Release(t.Context()), lock.ErrLost)
		_, err = lease.Fence()
		wantErr(t, "fence", err, lock.ErrLost)
		if lease.TTL() != 0 {
			t.Error("it has time left")
		}
		next, err := fixed.On(other).Acquire(t.Context(), "f")
		if two := fence(t, held(t, next, err)); two <= one {
			t.Errorf("fencing token %d behind %d: it did not survive", two, one)
		}
	})
}

// One that was waited for lasts for its TTL as well, though nobody renews it.
func TestFixedHandedOver(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		lasting := lock.New("lasting", lock.Options{Fixed: true})
		first, err := lasting.On(db).Acquire(t.Context(), "f")
		held(t, first, err)
		next := later(func() (*lock.Lease, error) { return lasting.On(other).Acquire(t.Context(), "f") })
		waiting(t, db, first.Keys()[0], 1)
		done(t, "release", first.Release(t.Context()))
		r := <-next
		if left := held(t, r.lease, r.err).TTL(); left < 50*time.Second {
			t.Errorf("it lasts for %v more, of a minute", left)
		}
	})
}

// A holder that the server knows no more learns it with the next renewal, and its
// context ends.
func TestLost(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	err := quick.On(db).Do(t.Context(), "l", func(ctx context.Context, lease *lock.Lease) error {
		one := fence(t, lease)
		if err := db.Client().Del(ctx, lease.Keys()[0]).Err(); err != nil {
			return err
		}
		<-ctx.Done()
		wantErr(t, "the context", context.Cause(ctx), lock.ErrLost)
		next, err := quick.On(db).TryAcquire(t.Context(), "l")
		if two := fence(t, held(t, next, err)); two <= one {
			t.Errorf("fencing token %d behind %d, which the server has forgotten", two, one)
		}
		return nil
	})
	wantErr(t, "Do", err, lock.ErrLost)
}

// Renewals that fail are tried again until the lease is over, and no longer: then
// its context ends, though the server says nothing.
func TestServerHangs(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	lease, err := quick.On(db).Acquire(t.Context(), "s")
	held(t, lease, err)
	s.Pause(t)
	defer s.Resume(t)
	<-lease.Context().Done()
	wantErr(t, "its context", context.Cause(lease.Context()), lock.ErrLost)
	wantErr(t, "release", lease.Release(t.Context()), lock.ErrLost)
}

// An answer that is lost, to any of the scripts, changes nothing for the caller.
func TestLostAnswers(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	other := newDB(t, s.Client(t))
	ctx := t.Context()
	warm, err := jobs.On(db).Acquire(ctx, "w")
	done(t, "acquire", err)
	done(t, "extend", warm.Extend(ctx))
	done(t, "release", warm.Release(ctx))

	lose := func() { // the next one
		var once atomic.Bool
		p.On(func(r redistest.Request) redistest.Fate {
			if strings.HasPrefix(r.Name(), "EVAL") && once.CompareAndSwap(false, true) {
				return redistest.Lose()
			}
			return redistest.Pass()
		})
	}
	lose()
	lease, err := jobs.On(db).TryAcquire(ctx, "a")
	done(t, "acquire", err)
	one := fence(t, lease)
	lose()
	done(t, "extend", lease.Extend(ctx))
	next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "a") })
	waiting(t, other, lease.Keys()[0], 1)
	lose()
	done(t, "release", lease.Release(ctx))
	r := <-next
	if two := fence(t, held(t, r.lease, r.err)); two <= one {
		t.Errorf("fencing token %d behind %d", two, one)
	}

	lose()
	third := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "a") })
	waiting(t, other, lease.Keys()[0], 1)
	done(t, "release", r.lease.Release(ctx))
	r = <-third
	held(t, r.lease, r.err)
	waiting(t, other, lease.Keys()[0], 0)

	p.On(func(r redistest.Request) redistest.Fate {
		if strings.HasPrefix(r.Name(), "EVAL") {
			return redistest.Refuse()
		}
		return redistest.Pass()
	})
	if err := r.lease.Release(ctx); err == nil {
		t.Error("released without a server")
	}
	p.On(nil)
	done(t, "release once more", r.lease.Release(ctx))
}

// Messages that are lost, and a subscription that breaks, only delay: who waits asks
// for itself.
func TestMessagesLost(t *testing.T) {
	s := redistest.Server(t)
	db, other := newDB(t, s.Client(t)), newDB(t, s.Client(t))
	lease, err := jobs.On(db).Acquire(t.Context(), "m")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(t.Context(), "m") })
	waiting(t, db, lease.Keys()[0], 1)
	if n, err := db.Client().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result(); n != 1 || err != nil {
		t.Fatalf("killed %d subscriptions, %v; one listens", n, err)
	}
	done(t, "release", lease.Release(t.Context()))
	r := <-next
	held(t, r.lease, r.err)
}

// Who may not listen waits all the same.
func TestNoChannels(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	ctx := t.Context()
	if err := db.Client().Do(ctx, "ACL", "SETUSER", "mute", "on", ">word", "~*", "resetchannels", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	mute := newDB(t, s.Client(t, func(o *redis.Options) { o.Username, o.Password = "mute", "word" }))
	lease, err := jobs.On(mute).Acquire(ctx, "n")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return jobs.On(mute).Acquire(ctx, "n") })
	done(t, "release", lease.Release(ctx))
	r := <-next
	held(t, r.lease, r.err)

	// The server has said no: nobody sits and waits for a yes.
	hasty := lock.New("mute", lock.Options{Timeout: 50 * time.Millisecond})
	lease, err = lock.New("mute", lock.Options{}).On(mute).Acquire(ctx, "n")
	held(t, lease, err)
	for range 3 {
		began := time.Now()
		_, err = hasty.On(mute).Acquire(ctx, "n")
		wantErr(t, "one who waits", err, lock.ErrTimeout)
		if took := time.Since(began); took > 800*time.Millisecond {
			t.Errorf("a timeout of 50 ms took %v", took)
		}
	}
	lease = r.lease

	loud := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "n") })
	waiting(t, db, lease.Keys()[0], 1)
	done(t, "release by one who may not tell", r.lease.Release(ctx))
	r = <-loud
	held(t, r.lease, r.err)
}

// However many wait, for whatever names, a process listens to a node by one
// connection; on a Cluster by channels of the name's own slot.
func TestListensOnce(t *testing.T) {
	listen := func(t *testing.T, db *pipectx.DB) {
		for n := range 5 {
			name := fmt.Sprint("{o}", n)
			lease, err := jobs.On(db).Acquire(t.Context(), name)
			held(t, lease, err)
			for range 3 {
				next := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(t.Context(), name) })
				t.Cleanup(func() { <-next }) // the test's context has ended
			}
			waiting(t, db, lease.Keys()[0], 3)
		}
	}
	t.Run("server", func(t *testing.T) {
		s := redistest.Server(t)
		db := newDB(t, s.Client(t))
		listen(t, db)
		if n, err := db.Client().Do(t.Context(), "CLIENT", "LIST", "TYPE", "pubsub").Text(); err != nil || strings.Count(n, "\n") != 1 {
			t.Errorf("%v, those who listen:\n%s", err, n)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		client := redistest.Cluster(t).Client(t)
		db := newDB(t, client)
		listen(t, db)
		var channels atomic.Int32 // the masters are asked at the same time
		err := client.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error {
			list, err := node.Do(ctx, "CLIENT", "LIST", "TYPE", "pubsub").Text()
			if n := strings.Count(list, "\n"); n > 1 {
				t.Errorf("%d connections listen to one node", n)
			}
			sharded, err2 := node.PubSubShardChannels(ctx, "redmoon:lock{*}:*").Result()
			channels.Add(int32(len(sharded)))
			return errors.Join(err, err2)
		})
		if err != nil || channels.Load() != 5 {
			t.Errorf("%d channels of five names, %v", channels.Load(), err)
		}
	})
}
