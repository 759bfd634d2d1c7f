package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var quick = keyspace.Consumer{Group: "g", Name: "bob", Batch: 2, Idle: 40 * ms}

type saleKey = keyspace.StreamKey[sale]

// consume runs Consume until enough tells so; it returns what fn saw, and Consume's error.
func consume(t *testing.T, s saleKey, as keyspace.Consumer, fn func(saw []entry) error, enough func(saw []entry) bool) ([]entry, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var saw []entry
	err := s.Consume(ctx, as, func(_ context.Context, e entry) error {
		saw = append(saw, e)
		if enough(saw) {
			cancel()
		}
		if fn == nil {
			return nil
		}
		return fn(saw)
	})
	return saw, err
}

func after(n int) func([]entry) bool { return func(saw []entry) bool { return len(saw) >= n } }

func numbered(t *testing.T, db *pipectx.DB, id int64, n int) saleKey {
	t.Helper()
	s := Sales.On(db).Key(id)
	for i := range n {
		done(t, "Add", s.AddWith(t.Context(), sale{"nut", int64(i + 1)}, keyspace.AddOptions{ID: at{uint64(i + 1), 0}}))
	}
	return s
}

func soldIn(saw []entry) (all []int64) {
	for _, e := range saw {
		all = append(all, e.Value.Pieces)
	}
	return all
}

// Each entry is seen once, those that a dead consumer left too; what fn had done when its
// context ended is acknowledged.
func TestConsume(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		ctx, s := t.Context(), numbered(t, db, 1, 7)
		done(t, "GroupCreate", s.GroupCreate(ctx, "g", keyspace.Start{}))
		dead := ann
		dead.Count = 2
		done(t, "ReadGroup", s.ReadGroup(ctx, dead))
		saw, err := consume(t, s, quick, nil, after(7))
		wantErr(t, "Consume", err, context.Canceled)
		got := soldIn(saw)
		if slices.Sort(got); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("saw %v", got)
		}
		for _, e := range saw {
			if want := map[bool]int64{true: 2, false: 1}[e.Value.Pieces <= 2]; e.Deliveries != want {
				t.Errorf("entry %v was delivered %d times, want %d", e.ID, e.Deliveries, want)
			}
		}
		want(t, "Pending", s.Pending(ctx, "g"), keyspace.PendingSummary{ByConsumer: map[string]int64{}})
	})
}

// All that a dead consumer left comes before what is new, in however many steps.
func TestConsumeTakesOverFirst(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Node) {
		db := newDB(t, server.Client(t))
		ctx, s := t.Context(), numbered(t, db, 1, 7)
		done(t, "GroupCreate", s.GroupCreate(ctx, "g", keyspace.Start{}))
		dead, as := ann, quick
		dead.Count, as.Idle = 5, time.Second
		done(t, "ReadGroup", s.ReadGroup(ctx, dead))
		redistest.Until(t, 10*time.Second, "the entries to be idle", func() error {
			idle, err := s.PendingEntries(ctx, "g", keyspace.PendingOptions{MinIdle: as.Idle}).Result()
			if err == nil && len(idle) < 5 {
				err = errors.New("they are not")
			}
			return err
		})
		saw, err := consume(t, s, as, nil, after(7))
		wantErr(t, "Consume", err, context.Canceled)
		if got := soldIn(saw); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("saw %v", got)
		}
	})
}

// An error of fn ends it, and the entry is the first that the consumer sees next time;
// ErrLater leaves it for later.
func TestConsumeFails(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		s, broken := numbered(t, db, 1, 4), errors.New("broken")
		saw, err := consume(t, s, quick, func(saw []entry) error {
			if len(saw) == 2 {
				return broken
			}
			return nil
		}, after(99))
		if !errors.Is(err, broken) || err.Error() != "keyspace: sales{1}: entry 2-0: broken" || !slices.Equal(soldIn(saw), []int64{1, 2}) {
			t.Errorf("saw %v: %v", soldIn(saw), err)
		}
		patient := quick
		patient.Idle = 300 * ms // the new entries come first, also where a machine stands still for a while
		saw, err = consume(t, s, patient, func(saw []entry) error {
			if len(saw) == 1 {
				return fmt.Errorf("busy: %w", keyspace.ErrLater)
			}
			return nil
		}, after(4))
		wantErr(t, "Consume", err, context.Canceled)
		if !slices.Equal(soldIn(saw), []int64{2, 3, 4, 2}) || saw[0].Deliveries != 2 || saw[3].Deliveries != 3 {
			t.Errorf("saw %v", saw)
		}
	})
}

// What cannot be read comes with its error; what was removed is not seen.
func TestConsumeUnreadable(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Node) {
		db := newDB(t, server.Client(t))
		ctx, s := t.Context(), numbered(t, db, 1, 1)
		texts := keyspace.NewStream[int64, map[string]string]("sales").On(db).Key(1)
		done(t, "Add", texts.AddWith(ctx, map[string]string{"pieces": "two"}, keyspace.AddOptions{ID: at{2, 0}}))
		done(t, "GroupCreate", s.GroupCreate(ctx, "g", keyspace.Start{}))
		done(t, "ReadGroup", s.ReadGroup(ctx, bob))
		done(t, "XDel", s.XDel(ctx, at{1, 0}))
		saw, err := consume(t, s, quick, nil, after(1))
		wantErr(t, "Consume", err, context.Canceled)
		if len(saw) != 1 || saw[0].ID != (at{2, 0}) || saw[0].Err == nil {
			t.Errorf("saw %v", saw)
		}
		want(t, "Pending", s.Pending(ctx, "g"), keyspace.PendingSummary{ByConsumer: map[string]int64{}})
	})
}

// Connections that break, and a stream that is removed with its group, do not end it.
func TestConsumeGoesOn(t *testing.T) {
	redistest.Each(t, func(t *testing.T, server *redistest.Node) {
		client := server.Client(t)
		db, other := newDB(t, client), newDB(t, server.Client(t))
		s, as := numbered(t, db, 1, 1), quick
		as.Idle = 2 * time.Second
		saw, err := consume(t, s, as, func(saw []entry) error {
			next := sale{"nut", int64(len(saw) + 1)}
			switch len(saw) {
			case 1:
				_ = pipectx.Do[int64](t.Context(), other, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err()
			case 2:
				done(t, "Del", Sales.On(other).Del(t.Context(), 1))
			case 3:
				go func() { // while it waits
					for t.Context().Err() == nil {
						info, err := pipectx.Do[string](t.Context(), other, "INFO", "clients").Result()
						if err == nil && strings.Contains(info, "blocked_clients:1") {
							break
						}
					}
					_ = Sales.On(other).Del(t.Context(), 1).Err()
					_ = Sales.On(other).Add(t.Context(), 1, next).Err()
				}()
				return nil
			}
			done(t, "Add", Sales.On(other).Add(t.Context(), 1, next))
			return nil
		}, after(4))
		wantErr(t, "Consume", err, context.Canceled)
		if got := slices.Compact(soldIn(saw)); len(got) < 3 || got[0] != 1 {
			t.Errorf("saw %v", got)
		}
	})
}

// A server that takes no writes for a while, as one whose disk is full, does not end it.
func TestConsumeOutlastsRefusals(t *testing.T) {
	proxy := redistest.NewProxy(t)
	db := newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial }))
	s := numbered(t, db, 1, 1)
	var refused atomic.Int64
	proxy.On(func(r redistest.Request) redistest.Fate {
		if r.Name() == "XREADGROUP" && refused.CompareAndSwap(0, 1) {
			return redistest.Answer("-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.\r\n")
		}
		return redistest.Pass()
	})
	saw, err := consume(t, s, quick, nil, after(1))
	wantErr(t, "Consume", err, context.Canceled)
	if len(saw) != 1 || refused.Load() != 1 {
		t.Errorf("saw %v, refused %d times", saw, refused.Load())
	}
}

// What it cannot do it says at once.
func TestConsumeRefuses(t *testing.T) {
	db, sent := embedded(t)
	s := Sales.On(db).Key(1)
	never := func(context.Context, entry) error { return errors.New("called") }
	for text, as := range map[string]keyspace.Consumer{
		"keyspace: sales{1}: a Consumer has a Group and a Name; give both": {Group: "g"},
		"keyspace: sales{1}: a Batch of -1 entries; give one at least":     {Group: "g", Name: "a", Batch: -1},
		"keyspace: sales{1}: Idle of 1ms; give 2ms at least":               {Group: "g", Name: "a", Idle: ms},
	} {
		wantText(t, "Consume", s.Consume(t.Context(), as, never), text)
	}
	wantText(t, "Consume by nothing", s.Consume(t.Context(), quick, nil), "keyspace: sales{1}: Consume has no function to call")
	_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		if err := s.Consume(ctx, quick, never); err == nil || !strings.Contains(err.Error(), "keyspace: Consume inside a Run") {
			t.Errorf("inside a Run: %v", err)
		}
		return nil
	})
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
	done(t, "Set", Names.On(db).Set(t.Context(), 1, "no stream"))
	wrong := keyspace.NewStream[int64, sale]("name").On(db)
	var fault *pipectx.ServerError
	if err := wrong.Consume(t.Context(), 1, quick, never); !errors.As(err, &fault) || fault.Code != "WRONGTYPE" {
		t.Errorf("of a string: %v", err)
	}
	closed := newDB(t, redistest.Embedded(t).Client(t))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "of a DB that is closed", Sales.On(closed).Consume(t.Context(), 1, quick, never), pipectx.ErrClosed)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errEnough)
	wantErr(t, "a context that has ended", s.Consume(ctx, quick, never), errEnough)
}

var errEnough = errors.New("enough")
