package keyspace_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// forged is a DB whose server answers some requests with what answer says, "" for the
// server's own reply.
func forged(t *testing.T, answer func(r redistest.Request) string) *pipectx.DB {
	t.Helper()
	proxy := redistest.NewProxy(t)
	proxy.On(func(r redistest.Request) redistest.Fate {
		if frame := answer(r); frame != "" {
			return redistest.Answer(strings.ReplaceAll(frame, " ", "\r\n") + "\r\n")
		}
		return redistest.Pass()
	})
	return newDB(t, redistest.Shared(t).Client(t, func(o *redis.Options) { o.Dialer = proxy.Dial }))
}

// Replies that few servers give are read as these give them: those of Redis 8.2 and
// later, and of Redis 6.
func TestForgedReplies(t *testing.T) {
	const nutFields = "*4 $7 article $3 nut $6 pieces $1 1"
	type step = keyspace.Increment[int64]
	given := nut
	given.Idle, given.Deliveries = 5*ms, 3
	for _, row := range []struct {
		command, frame string
		call           func(ctx context.Context, db *pipectx.DB) outcome
		want           any
	}{
		{"INCREX", "*2 :9 :2",
			func(ctx context.Context, db *pipectx.DB) outcome {
				return of(Hits.On(db).IncrEX(ctx, 1, 2, keyspace.Bounds[int64]{}))
			}, step{Value: 9, Added: 2}},
		{"DIGEST", "$16 00000000000000ff",
			func(ctx context.Context, db *pipectx.DB) outcome { return of(Names.On(db).Digest(ctx, 1)) }, uint64(255)},
		{"XREADGROUP", "%1 $8 sales{1} *1 *4 $3 1-0 " + nutFields + " :5 :3",
			func(ctx context.Context, db *pipectx.DB) outcome {
				return of(Sales.On(db).ReadGroup(ctx, 1, keyspace.GroupRead{Group: "g", Consumer: "ann", Claim: ms}))
			}, entries{given}},
		{"XCLAIM", "*2 _ *2 $3 1-0 " + nutFields,
			func(ctx context.Context, db *pipectx.DB) outcome {
				return of(Sales.On(db).Claim(ctx, 1, "g", "ann", 0, at{5, 0}, nut.ID))
			}, entries{nut}},
		{"XDELEX", "*2 :-1 :2",
			func(ctx context.Context, db *pipectx.DB) outcome {
				return of(Sales.On(db).XDelEx(ctx, 1, keyspace.KeepRefs, nut.ID, bolt.ID))
			}, []keyspace.Removal{keyspace.NoEntry, keyspace.Retained}},
		{"XINFO", "%2 $13 idmp-duration :100 $12 idmp-maxsize :7",
			func(ctx context.Context, db *pipectx.DB) outcome { return of(Sales.On(db).Info(ctx, 1)) },
			keyspace.StreamInfo[sale]{Remember: 100 * time.Second, RememberEach: 7}},
	} {
		t.Run(row.command, func(t *testing.T) {
			db := forged(t, func(r redistest.Request) string {
				if r.Name() == row.command {
					return row.frame
				}
				return ""
			})
			if got := row.call(t.Context(), db); got.err != nil || !reflect.DeepEqual(got.value, row.want) {
				t.Errorf("%#v, %v, want %#v", got.value, got.err, row.want)
			}
		})
	}
}

// Where a server refuses a part of many, the error names that part.
func TestPositionsOfALaterPart(t *testing.T) {
	many := make([]int64, 12_000)
	for i := range many {
		many[i] = int64(i)
	}
	numbers := keyspace.NewSet[int64, int64]("numbers")
	for command, verb := range map[string]func(ctx context.Context, db *pipectx.DB) error{
		"SADD": func(ctx context.Context, db *pipectx.DB) error { return numbers.On(db).Add(ctx, 1, many...).Err() },
		"SMISMEMBER": func(ctx context.Context, db *pipectx.DB) error {
			return numbers.On(db).MIsMember(ctx, 1, many...).Err()
		},
		"DEL":  func(ctx context.Context, db *pipectx.DB) error { return Hits.On(db).DelMany(ctx, many...).Err() },
		"MGET": func(ctx context.Context, db *pipectx.DB) error { return Hits.On(db).MGet(ctx, many...).Err() },
	} {
		var seen atomic.Int64
		db := forged(t, func(r redistest.Request) string {
			if r.Name() == command && seen.Add(1) == 2 {
				return "-OOM"
			}
			return ""
		})
		var at *keyspace.PositionError
		if err := verb(t.Context(), db); !errors.As(err, &at) || at.From != 5000 || at.To != 9999 || at.Of != len(many) {
			t.Errorf("%s: %v, want an error of the items 5000 to 9999", command, err)
		}
	}
}

// A read of what is pending has no Claim and no NoAck, whatever the options say.
func TestReadPendingAsksForWhatIsPending(t *testing.T) {
	db, sent := embedded(t)
	s := Sales.On(db).Key(1)
	for _, g := range []keyspace.GroupRead{ann, {Group: ann.Group, Consumer: ann.Consumer, NoAck: true, Claim: time.Minute}} {
		sent.Reset()
		_ = s.ReadPending(t.Context(), g, at{}).Err() // there is no such group
		if got, want := sent.Lines()[0], "XREADGROUP GROUP g ann STREAMS sales{1} 0-0"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	}
}

// An iteration goes on behind a page that has nothing of what it looks for.
func TestEachBehindAnEmptyPage(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db, sent := newDB(t, client), redistest.Record(client)
	numbers := keyspace.NewSet[int64, int64]("numbers").On(db).Key(1)
	many := make([]int64, 5000)
	for i := range many {
		many[i] = int64(i)
	}
	done(t, "Add", numbers.Add(t.Context(), many...))
	sent.Reset()
	for number, err := range numbers.Each(t.Context(), "x*") {
		t.Errorf("found %v, %v", number, err)
	}
	if sent.Commands() < 5 {
		t.Errorf("it looked at %d pages of 1,000", sent.Commands())
	}
}
