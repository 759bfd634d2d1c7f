package lock_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A release hands on what it frees and no more: of those who wait for one permit one has
// it.
func TestOnePermitForOne(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		var all []*lock.Lease
		for range 3 {
			l, err := permits.On(db).TryAcquire(ctx, "one")
			all = append(all, held(t, l, err))
		}
		key := all[0].Keys()[0]
		ended, end := context.WithCancel(ctx)
		var next []<-chan result
		for i := range 3 {
			next = append(next, later(func() (*lock.Lease, error) { return permits.On(other).Acquire(ended, "one") }))
			waiting(t, db, key, int64(i+1))
		}
		done(t, "release", all[1].Release(ctx))
		r := <-next[0]
		held(t, r.lease, r.err)
		if n, err := db.Client().LLen(ctx, key+":queue").Result(); n != 2 || err != nil {
			t.Errorf("%d wait, %v; there was one permit for three", n, err)
		}
		if n, err := db.Client().ZCard(ctx, key+":holders").Result(); n != 3 || err != nil {
			t.Errorf("%d hold three permits, %v", n, err)
		}
		end()
		<-next[1]
		<-next[2]
	})
}

// Nothing of a holder stays when it has released: no token, and no channel of one who was
// told and had yet to say a word.
func TestNothingStays(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		ctx := t.Context()
		single := lock.NewSemaphore("stays", 1, lock.Options{})
		for kind, acquire := range map[string]func(context.Context, *pipectx.DB) (*lock.Lease, error){
			"mutex": func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
				return jobs.On(db).Acquire(ctx, "stays")
			},
			"writer": func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
				return plans.On(db).AcquireWrite(ctx, "stays")
			},
			"permit": func(ctx context.Context, db *pipectx.DB) (*lock.Lease, error) {
				return single.On(db).Acquire(ctx, "stays")
			},
		} {
			for _, says := range []bool{true, false} { // its first word
				first, err := acquire(ctx, db)
				held(t, first, err)
				next := later(func() (*lock.Lease, error) { return acquire(ctx, other) })
				waiting(t, db, first.Keys()[0], 1)
				done(t, kind, first.Release(ctx))
				r := <-next
				second := held(t, r.lease, r.err)
				if says && kind != "permit" {
					done(t, kind, second.Extend(ctx))
					if claim := db.Client().HGet(ctx, second.Keys()[0], "claim").Val(); claim != "" {
						t.Errorf("%s: its owner was heard, and is claimed by %q", kind, claim)
					}
				}
				done(t, kind, second.Release(ctx))
				stored, err := db.Client().HGetAll(ctx, second.Keys()[0]).Result()
				if err != nil {
					t.Fatal(err)
				}
				for field, value := range stored {
					if strings.HasPrefix(field, "h:") || (field == "owner" || field == "claim") && value != "" {
						t.Errorf("%s, heard %v: nobody holds it, and stored is %s %q", kind, says, field, value)
					}
				}
			}
		}
	})
}

// Who is handed a lock or a permit has it for two seconds at first, and is known by its
// channel until it says a word. The message says so.
func TestHandedForTwoSeconds(t *testing.T) {
	s := redistest.Embedded(t)
	db, ctx := newDB(t, s.Client(t)), t.Context()
	client, now := s.Client(t), time.Date(2030, 1, 1, 0, 0, 0, 7000, time.UTC)
	s.Embedded().SetTime(now)
	messages := client.Subscribe(ctx, "ours")
	defer messages.Close()
	if _, err := messages.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	single := lock.NewSemaphore("two", 1, lock.Options{})
	for _, row := range []struct {
		kind, shape string
		ttl, has    int64 // ms
		acquire     func() (*lock.Lease, error)
	}{
		{"mutex", "x", 60000, 2000, func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "two") }},
		{"mutex of a second", "x", 1000, 1000, func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "one") }},
		{"writer", "x", 60000, 2000, func() (*lock.Lease, error) { return plans.On(db).AcquireWrite(ctx, "two") }},
		{"permit", "s", 60000, 2000, func() (*lock.Lease, error) { return single.On(db).Acquire(ctx, "two") }},
		{"permit of a second", "s", 1000, 1000, func() (*lock.Lease, error) { return single.On(db).Acquire(ctx, "one") }},
	} {
		first, err := row.acquire()
		one := fence(t, held(t, first, err))
		key := first.Keys()[0]
		entry := fmt.Sprintf("ours %s 1 %d pours", row.shape, row.ttl)
		if err := client.RPush(ctx, key+":queue", entry).Err(); err != nil {
			t.Fatal(err)
		}
		done(t, row.kind, first.Release(ctx))
		message, err := messages.ReceiveMessage(ctx)
		if want := fmt.Sprintf("ours %d %d %d", now.UnixMicro(), row.has, one+1); err != nil || message.Payload != want {
			t.Errorf("%s: the message is %v, %v; want %q", row.kind, message, err, want)
		}
		var ends, claim string
		if row.shape == "s" {
			ends = fmt.Sprintf("%.0f", client.ZScore(ctx, key+":holders", "ours").Val())
		} else {
			is := client.HMGet(ctx, key, "owner", "ttl", "claim").Val()
			if is[0] != "ours" {
				t.Errorf("%s: the owner is %v", row.kind, is[0])
			}
			ends, claim = fmt.Sprint(is[1]), fmt.Sprint(is[2])
		}
		want := fmt.Sprint(row.has)
		if row.shape == "s" {
			want = fmt.Sprint(now.UnixMicro() + 1000*row.has)
		} else if claim != "pours" {
			t.Errorf("%s: claimed by %q", row.kind, claim)
		}
		if ends != want {
			t.Errorf("%s: it lasts to %s, want %s", row.kind, ends, want)
		}
	}
}

// Who waits for a permit asks when the first of them ends, whichever was given last.
func TestFirstPermitToEnd(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	ctx := t.Context()
	short := lock.NewSemaphore("first", 2, lock.Options{TTL: 100 * time.Millisecond, Fixed: true})
	long := lock.NewSemaphore("first", 2, lock.Options{Fixed: true})
	if _, err := short.On(db).TryAcquire(ctx, "s"); err != nil { // and nobody releases it
		t.Fatal(err)
	}
	lease, err := long.On(db).TryAcquire(ctx, "s")
	held(t, lease, err)
	began := time.Now()
	lease, err = long.On(db).Acquire(ctx, "s")
	held(t, lease, err)
	if took := time.Since(began); took > 1500*time.Millisecond { // of 2 s, after which all ask
		t.Errorf("it took %v", took)
	}
}
