package lock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// The token of several locks is that of each, and of one that is waited for too: who takes
// one of them next has a greater one.
func TestFenceOfSeveral(t *testing.T) {
	everywhere(t, func(t *testing.T, db, _ *pipectx.DB) {
		ctx := t.Context()
		other, err := placed.On(db).Acquire(ctx, "w") // who listens asks for a place in the queue at once
		held(t, other, err)
		next := later(func() (*lock.Lease, error) { return placed.On(db).Acquire(ctx, "w") })
		waiting(t, db, other.Keys()[0], 1)
		done(t, "release", other.Release(ctx))
		r := <-next
		done(t, "release", held(t, r.lease, r.err).Release(ctx))
		for verb, acquire := range map[string]func(context.Context, ...string) (*lock.Lease, error){
			"AcquireAll": placed.On(db).AcquireAll, "TryAcquireAll": placed.On(db).TryAcquireAll,
		} {
			for i, used := range []string{"a", "b"} {
				lease, err := placed.On(db).Acquire(ctx, used)
				held(t, lease, err)
				done(t, "release", lease.Release(ctx))
				ahead := time.Now().Add(time.Duration(1+i) * time.Hour).UnixMicro()
				if err := db.Client().HSet(ctx, lease.Keys()[0], "fence", ahead).Err(); err != nil {
					t.Fatal(err)
				}
				both, err := acquire(ctx, "a", "b")
				all := fence(t, held(t, both, err))
				done(t, "release", both.Release(ctx))
				for _, name := range []string{"a", "b"} {
					one, err := placed.On(db).Acquire(ctx, name)
					if got := fence(t, held(t, one, err)); all <= ahead || got <= all {
						t.Errorf("%s, %s: fencing token %d behind %d of both and %d of %s", verb, name, got, all, ahead, used)
					}
					done(t, "release", one.Release(ctx))
					if err := db.Client().Del(ctx, one.Keys()[0]).Err(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}

// Who holds one of several names keeps it while it waits for the next.
func TestKeptMeanwhile(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	ctx := t.Context()
	kept := lock.New("kept", lock.Options{TTL: 600 * time.Millisecond, Timeout: -1, Slot: "here"})
	last, err := kept.On(db).Acquire(ctx, "b")
	held(t, last, err)
	next := later(func() (*lock.Lease, error) { return kept.On(db).AcquireAll(ctx, "a", "b") })
	waiting(t, db, last.Keys()[0], 1)
	first := db.Client().HMGet(ctx, "kept{here}:a", "since", "fence").Val()
	redistest.Until(t, 10*time.Second, "what is held is prolonged", func() error {
		if now := db.Client().HMGet(ctx, "kept{here}:a", "since", "fence").Val(); now[1] != first[1] {
			t.Fatalf("it was acquired anew: %v behind %v", now, first)
		} else if now[0] == first[0] {
			return errors.New("not yet")
		}
		return nil
	})
	done(t, "release", last.Release(ctx))
	r := <-next
	held(t, r.lease, r.err)
}

// Who waits asks for nothing while the holder's time lasts.
func TestWaitingIsFree(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		for kind, acquire := range map[string]func(context.Context, *pipectx.DB) (*lock.Lease, error){
			"mutex": func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
				return jobs.On(db).Acquire(ctx, "free")
			},
			"writer": func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
				return plans.On(db).AcquireWrite(ctx, "free")
			},
		} {
			lease, err := acquire(ctx, db)
			held(t, lease, err)
			next := later(func() (*lock.Lease, error) { return acquire(ctx, other) })
			waiting(t, db, lease.Keys()[0], 1)
			sent := redistest.Record(other.Client())
			<-time.After(100 * time.Millisecond) // no luck is waited for: nothing must come
			if n := strings.Count(sent.String(), "EVAL"); n > 1 {
				t.Errorf("%s: who waits has asked %d times within 100 ms", kind, n)
			}
			done(t, kind, lease.Release(ctx))
			r := <-next
			done(t, kind, held(t, r.lease, r.err).Release(ctx))
		}
	})
}

// Who asks again, as when its connection broke, keeps its one place in the queue.
func TestOnePlace(t *testing.T) {
	s := redistest.Server(t)
	db, client := newDB(t, s.Client(t)), s.Client(t)
	sent, ctx := redistest.Record(client), t.Context()
	lease, err := jobs.On(db).Acquire(ctx, "place")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return jobs.On(newDB(t, client)).Acquire(ctx, "place") })
	waiting(t, db, lease.Keys()[0], 1)
	asked, began := strings.Count(sent.String(), "EVAL"), time.Now()
	if err := db.Client().Do(ctx, "CLIENT", "KILL", "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, 10*time.Second, "it asks again", func() error {
		if strings.Count(sent.String(), "EVAL") == asked {
			return errors.New("not yet")
		}
		return nil
	})
	if took := time.Since(began); took > 1500*time.Millisecond { // of 2 s, after which all ask
		t.Errorf("it took %v", took)
	}
	waiting(t, db, lease.Keys()[0], 1)
	done(t, "release", lease.Release(ctx))
	r := <-next
	held(t, r.lease, r.err)
	waiting(t, db, lease.Keys()[0], 0)
}

// A permit is not given to a process that is gone: who waits behind it has it at once.
func TestGoneInFront(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		single := lock.NewSemaphore("single", 1, lock.Options{})
		lease, err := single.On(db).Acquire(ctx, "gone")
		held(t, lease, err)
		queue := lease.Keys()[0] + ":queue"
		if err := db.Client().RPush(ctx, queue, "gone s 1 60000 predmoon:lock:nobody").Err(); err != nil {
			t.Fatal(err)
		}
		next := later(func() (*lock.Lease, error) { return single.On(other).Acquire(ctx, "gone") })
		waiting(t, db, lease.Keys()[0], 2)
		began := time.Now()
		done(t, "release", lease.Release(ctx))
		r := <-next
		held(t, r.lease, r.err)
		if took := time.Since(began); took > 1500*time.Millisecond { // of 2 s that it would have
			t.Errorf("it took %v", took)
		}
	})
}

// A process that was handed the lock and never says a word, with its connections open,
// holds it for 2 s, once: all of its waiters lose their places.
func TestNeverConfirmed(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		ctx, db := t.Context(), newDB(t, s.Client(t))
		silent := s.Client(t).Subscribe(ctx, "silent")
		defer silent.Close()
		if _, err := silent.Receive(ctx); err != nil {
			t.Fatal(err)
		}
		lease, err := jobs.On(db).Acquire(ctx, "silent")
		held(t, lease, err)
		queue := lease.Keys()[0] + ":queue"
		for _, token := range []string{"one", "two", "three"} {
			if err := db.Client().RPush(ctx, queue, token+" x 1 60000 psilent").Err(); err != nil {
				t.Fatal(err)
			}
		}
		next := later(func() (*lock.Lease, error) { return jobs.On(newDB(t, s.Client(t))).Acquire(ctx, "silent") })
		waiting(t, db, lease.Keys()[0], 4)
		began := time.Now()
		done(t, "release", lease.Release(ctx))
		if m, err := silent.ReceiveMessage(ctx); err != nil || !strings.HasPrefix(m.Payload, "one ") {
			t.Errorf("the first was told %v, %v", m, err)
		}
		r := <-next
		held(t, r.lease, r.err)
		if took := time.Since(began); took < 1900*time.Millisecond || took > 3900*time.Millisecond {
			t.Errorf("it took %v, want 2 s and not 2 s for each of them", took)
		}
		waiting(t, db, lease.Keys()[0], 0)
	})
}

// A message that comes too late hands nothing over: who waits asks, and waits on.
func TestLateMessage(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		first, err := jobs.On(db).Acquire(ctx, "late")
		held(t, first, err)
		next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "late") })
		waiting(t, db, first.Keys()[0], 1)
		entry, err := db.Client().LIndex(ctx, first.Keys()[0]+":queue", 0).Result()
		words := strings.Fields(entry) // token shape limit ttl channel
		if err != nil || len(words) != 5 {
			t.Fatal(entry, err)
		}
		late := fmt.Sprintf("%s %d 2000 7", words[0], time.Now().Add(-time.Hour).UnixMicro())
		publish := "PUBLISH"
		if words[4][0] == 's' {
			publish = "SPUBLISH"
		}
		if heard, err := pipectx.Do[int](ctx, db, publish, words[4][1:], late).Result(); heard != 1 || err != nil {
			t.Fatalf("%d heard it, %v", heard, err)
		}
		done(t, "release", first.Release(ctx))
		r := <-next
		done(t, "the lease", held(t, r.lease, r.err).Err())
	})
}

// Who waits asks every two seconds, whatever becomes of the holder and the queue, and
// leaves no place behind.
func TestHeartbeat(t *testing.T) {
	for lost, keys := range map[string][]string{"the holder": {"job{beat}"}, "all": {"job{beat}", "job{beat}:queue"}} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			s := redistest.Server(t)
			db, ctx := newDB(t, s.Client(t)), t.Context()
			first, err := jobs.On(db).Acquire(ctx, "beat")
			held(t, first, err)
			next := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "beat") })
			waiting(t, db, first.Keys()[0], 1)
			if err := db.Client().Del(ctx, keys...).Err(); err != nil {
				t.Fatal(err)
			}
			r := <-next // within its Timeout of 10 s
			held(t, r.lease, r.err)
			waiting(t, db, first.Keys()[0], 0)
		})
	}
}
