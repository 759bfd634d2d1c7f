package keyspace_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Sort does the same on all servers: a set of 10, 9 and 1 is ordered by its numbers,
// one of words by their texts.
func TestSort(t *testing.T) {
	ints := keyspace.NewSet[int64, int64]("ints", together)
	words := keyspace.NewList[int64, string]("words", together)
	scores := keyspace.NewSortedSet[int64, string]("scores", together)
	sorted := keyspace.NewList[int64, int64]("sorted", together, keyspace.TTL(day))
	type set = keyspace.BoundSet[int64, int64]
	fill := func(ctx context.Context, s set, id int64) error { return s.Add(ctx, id, 10, 9, 1).Err() }
	holds := func(ctx context.Context, s set, id int64) outcome { return of(s.Card(ctx, id)) }
	trips(t, ints.On, fill, holds, []trip[set]{
		{verb: "Sort", keeps: "the least first", absent: true, want: []int64{1, 9, 10},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.Sort(ctx, id, keyspace.Sorting{})) }},
		{verb: "Sort", keeps: "the greatest first, and a part", absent: true, want: []int64{9},
			call: func(ctx context.Context, s set, id int64) outcome {
				return of(s.Sort(ctx, id, keyspace.Sorting{Desc: true, Offset: 1, Count: 1}))
			}},
		{verb: "Sort", keeps: "all behind an offset", absent: true, want: []int64{9, 10},
			call: func(ctx context.Context, s set, id int64) outcome {
				return of(s.Sort(ctx, id, keyspace.Sorting{Offset: 1}))
			}},
		{verb: "Sort", keeps: "texts, where asked", absent: true, want: []int64{1, 10, 9},
			call: func(ctx context.Context, s set, id int64) outcome {
				return of(s.Sort(ctx, id, keyspace.Sorting{Alpha: true}))
			}},
		{verb: "Sort", keeps: "none of nothing", absent: true, want: []int64{},
			call: func(ctx context.Context, s set, _ int64) outcome {
				return of(s.Sort(ctx, 1_000_000, keyspace.Sorting{}))
			}},
		{verb: "SortRO", keeps: "as Sort", absent: true, needs: "Redis 7.0", want: []int64{1, 9, 10},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.SortRO(ctx, id, keyspace.Sorting{})) }},
	})
	type texts = [][]field.Optional[string]
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		ctx := t.Context()
		done(t, "RPush", words.On(db).RPush(ctx, 42, "b", "c", "a"))
		want(t, "Sort of a list", words.On(db).Sort(ctx, 42, keyspace.Sorting{}), []string{"a", "b", "c"})
		done(t, "Add", scores.On(db).AddMany(ctx, 42, z("b", 1), z("a", 2)))
		want(t, "Sort of a sorted set", scores.On(db).Sort(ctx, 42, keyspace.Sorting{Desc: true}), []string{"b", "a"})
		want(t, "SortRO of a sorted set", scores.On(db).Key(42).SortRO(ctx, keyspace.Sorting{By: "nosort"}), []string{"b", "a"})
		want(t, "SortRO of a list", words.On(db).SortRO(ctx, 42, keyspace.Sorting{By: "nosort"}), []string{"b", "c", "a"})

		for key, weight := range map[string]string{"w_a": "3", "w_b": "1", "w_c": "2", "n_a": "Ada"} {
			done(t, "SET", pipectx.Do[any](ctx, db, "SET", key, weight))
		}
		want(t, "Sort by weights", words.On(db).Sort(ctx, 42, keyspace.Sorting{By: "w_*"}), []string{"b", "c", "a"})
		want(t, "SortGet", words.On(db).SortGet(ctx, 42, keyspace.Sorting{Desc: true, Count: 2}, "#", "n_*"), texts{{some("c"), nobody}, {some("b"), nobody}})
		want(t, "SortGet of a sorted set", scores.On(db).SortGet(ctx, 42, keyspace.Sorting{Count: 1}, "n_*"), texts{{some("Ada")}})

		done(t, "Add", ints.On(db).Add(ctx, 42, 10, 9, 1))
		want(t, "SortGet of the elements", ints.On(db).SortGet(ctx, 42, keyspace.Sorting{}, "#"), texts{{some("1")}, {some("9")}, {some("10")}})
		want(t, "SortStore", ints.On(db).SortStore(ctx, 42, keyspace.Sorting{}, sorted.On(db).Key(42)), 3)
		want(t, "Range", sorted.On(db).Range(ctx, 42, 0, -1), []int64{1, 9, 10})
		left(t, sorted.On(db).Key(42), day-time.Minute, day)
	})
	db, _ := embedded(t)
	wantText(t, "Sort from -1", words.On(db).Sort(t.Context(), 42, keyspace.Sorting{Offset: -1}).Err(),
		"keyspace: words{t}:42: Sort with Offset -1 and Count 0; give numbers that are not negative")
	wantText(t, "SortGet of nothing", words.On(db).SortGet(t.Context(), 42, keyspace.Sorting{}).Err(),
		"keyspace: words{t}:42: SortGet of no patterns; give one, or use Sort")
	near := newDB(t, redistest.Embedded(t).Client(t), pipectx.Connection("far", redistest.Embedded(t).Client(t)))
	far := keyspace.NewList[int64, string]("to", keyspace.Connection("far")).On(near)
	wantText(t, "SortStore elsewhere", Tags.On(near).SortStore(t.Context(), 1, keyspace.Sorting{}, far.Key(2)).Err(),
		"keyspace: tags{1} and to{2} are on different connections; declare them on one")
	cluster := newDB(t, redistest.Cluster(t).Client(t))
	var crossed *pipectx.CrossSlotError
	if err := Tags.On(cluster).SortStore(t.Context(), 1, keyspace.Sorting{}, keyspace.NewList[int64, string]("to").On(cluster).Key(2)).Err(); !errors.As(err, &crossed) {
		t.Errorf("SortStore across slots: %v", err)
	}
}
