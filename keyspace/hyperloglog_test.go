package keyspace_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type callers = keyspace.BoundHyperLogLog[int64, string]

// The verbs of HyperLogLog do the same on all servers. Each begins with Ada and Bob;
// its neighbour with Bob and Eve.
func TestHyperLogLog(t *testing.T) {
	logs := keyspace.NewHyperLogLog[int64, string]("callers", together)
	fill := func(ctx context.Context, c callers, id int64) error {
		c.Add(ctx, id+1000, "Bob", "Eve")
		return c.Add(ctx, id, "Ada", "Bob").Err()
	}
	holds := func(ctx context.Context, c callers, id int64) outcome { return of(c.Count(ctx, id)) }
	const none = 1_000_000
	trips(t, logs.On, fill, holds, []trip[callers]{
		{verb: "Add", keeps: "a new one", want: true, after: int64(3),
			call: func(ctx context.Context, c callers, id int64) outcome { return of(c.Add(ctx, id, "Ada", "Eve")) }},
		{verb: "Add", keeps: "none that is new", other: "always says that it changed", want: false,
			call: func(ctx context.Context, c callers, id int64) outcome { return of(c.Add(ctx, id, "Ada")) }},
		{verb: "Add", keeps: "none are no command", want: false,
			call: func(ctx context.Context, c callers, id int64) outcome { return of(c.Add(ctx, id)) }},
		{verb: "Count", keeps: "0 of nothing", want: int64(0),
			call: func(ctx context.Context, c callers, _ int64) outcome { return of(c.Count(ctx, none)) }},
		{verb: "CountMany", keeps: "each once", other: "adds up what each key counts", want: int64(3),
			call: func(ctx context.Context, c callers, id int64) outcome { return of(c.CountMany(ctx, id, id+1000, none)) }},
		{verb: "CountMany", keeps: "of none, none", want: int64(0),
			call: func(ctx context.Context, c callers, _ int64) outcome { return of(c.CountMany(ctx)) }},
		{verb: "Merge", keeps: "those of others too", want: struct{}{}, after: int64(3),
			call: func(ctx context.Context, c callers, id int64) outcome { return of(c.Merge(ctx, id, id+1000)) }},
	})
}

// Very many members go in several commands of one round trip, and count about right.
func TestHyperLogLogMany(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		members := make([]string, 12_001)
		for i := range members {
			members[i] = fmt.Sprint("caller", i)
		}
		sent.Reset()
		want(t, "Add", Callers.On(db).Add(t.Context(), 42, members...), true)
		if sent.Commands() != 3 || sent.RoundTrips() != 1 {
			t.Errorf("%d commands in %d round trips, want 3 in 1", sent.Commands(), sent.RoundTrips())
		}
		if n, err := Callers.On(db).Count(t.Context(), 42).Result(); err != nil || n < 11_500 || n > 12_500 {
			t.Errorf("Count: %d, %v, want about 12,001", n, err)
		}
	})
}
