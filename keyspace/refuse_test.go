package keyspace_test

import (
	"context"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What Redis would refuse, or would understand otherwise, is refused before it is sent,
// with the cure; a Run that it is called in sends nothing either.
func TestSequencesRefuse(t *testing.T) {
	db, sent := embedded(t)
	type ref = interface{ Err() error }
	queues, tags, visits := Queues.On(db), Tags.On(db), Visits.On(db)
	l, r := keyspace.Left, keyspace.Right
	for _, row := range []struct {
		text string
		verb func(ctx context.Context) ref
	}{
		{"keyspace: queue{1}: LPopN of -1; give a number that is not negative",
			func(ctx context.Context) ref { return queues.LPopN(ctx, 1, -1) }},
		{"keyspace: queue{1}: PosRank of rank 0; 1 is the leftmost, -1 the rightmost",
			func(ctx context.Context) ref { return queues.PosRank(ctx, 1, "a", 0, 0) }},
		{"keyspace: queue{1}: PosRank compares with -1 values; give a number that is not negative, 0 for all",
			func(ctx context.Context) ref { return queues.PosRank(ctx, 1, "a", 1, -1) }},
		{"keyspace: queue{1}: PosN of -1; give a number that is not negative, 0 for all",
			func(ctx context.Context) ref { return queues.PosN(ctx, 1, "a", -1, 1, 0) }},
		{"keyspace: queue: Side(0) is no end of a list; give Left or Right",
			func(ctx context.Context) ref { return queues.Move(ctx, 1, 2, l, 0) }},
		{"keyspace: queue: MoveN of 0 values; give AtMost or Exactly of one at least",
			func(ctx context.Context) ref { return queues.MoveN(ctx, 1, 2, l, r, keyspace.Amount{}) }},
		{"keyspace: queue: MPop of 0 values; give one at least",
			func(ctx context.Context) ref { return queues.MPop(ctx, l, 0, 1) }},
		{"keyspace: queue: the verb needs an id at least",
			func(ctx context.Context) ref { return queues.MPop(ctx, l, 1) }},
		{"keyspace: tags: the verb needs an id at least", func(ctx context.Context) ref { return tags.Union(ctx) }},
		{"keyspace: tags: SINTERCARD counts to -1 at most; give a number that is not negative, 0 for no end",
			func(ctx context.Context) ref { return tags.InterCard(ctx, -1, 1) }},
		{"keyspace: visits{1}: Count has no Limit; give the whole Span, or the values where the page ends",
			func(ctx context.Context) ref { return visits.Count(ctx, 1, keyspace.From(1.0).Limit(0, 1)) }},
		{"keyspace: visits{1}: RemRangeByLex has no Limit; give the whole Span, or the values where the page ends",
			func(ctx context.Context) ref { return visits.RemRangeByLex(ctx, 1, keyspace.From("a").Limit(0, 1)) }},
		{"keyspace: visits{1}: RangeByScore: Limit begins at -1; give an offset that is not negative",
			func(ctx context.Context) ref { return visits.RangeByScore(ctx, 1, keyspace.From(1.0).Limit(-1, 1)) }},
		{"keyspace: visits{1}: When(9) is no condition; give one of this package's constants",
			func(ctx context.Context) ref { return visits.AddIf(ctx, 1, 9, z("a", 1)) }},
		{"keyspace: visits: ZUNION has 1 weights for 2 ids; give one for each",
			func(ctx context.Context) ref { return visits.Union(ctx, keyspace.Of[int64](1, 2).Weights(1)) }},
		{"keyspace: visits: Weights: NaN is not a number that Redis takes here",
			func(ctx context.Context) ref { return visits.Union(ctx, keyspace.Of[int64](1).Weights(nan)) }},
		{"keyspace: visits: MPop: Extreme(0) is no end of a sorted set; give Lowest or Highest",
			func(ctx context.Context) ref { return visits.MPop(ctx, 0, 1, 1) }},
		{"keyspace: visits{1}: PopMinN of -1; give a number that is not negative",
			func(ctx context.Context) ref { return visits.PopMinN(ctx, 1, -1) }},
	} {
		wantText(t, "outside a Run", row.verb(t.Context()).Err(), row.text)
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			tags.Add(ctx, 1, "goes with it")
			row.verb(ctx)
			return nil
		})
		wantText(t, "inside a Run", err, row.text)
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		queues.BLPop(ctx, time.Second, 1, 2)
		return nil
	})
	wantText(t, "BLPop inside a Run", err,
		"pipectx: BLPOP queue{1} inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach")
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// A blocking verb answers ErrNotFound that names what it waited for, and the error of
// a context that ends.
func TestWaitingVerbs(t *testing.T) {
	db, _ := embedded(t)
	queues := Queues.On(db)
	absent(t, "BLPop", queues.BLPop(t.Context(), ms, 1, 2), "keyspace: value in any of queue{1} and one other: not found")
	absent(t, "BPopMin", Visits.On(db).BPopMin(t.Context(), ms, 1), "keyspace: value in any of visits{1}: not found")
	ctx, cancel := context.WithTimeout(t.Context(), 20*ms)
	defer cancel()
	wantErr(t, "BRPop", queues.BRPop(ctx, 0, 1).Err(), context.DeadlineExceeded)
	done(t, "RPush", queues.RPush(t.Context(), 1, "later"))
	want(t, "LPop", queues.LPop(t.Context(), 1), "later")
}
