package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type set = keyspace.BoundSet[int64, string]

// The verbs of several sets do the same on all servers.
func TestSetsMeet(t *testing.T) {
	tags := keyspace.NewSet[int64, string]("set", together)
	fill := func(ctx context.Context, s set, id int64) error {
		return errors.Join(s.Add(ctx, id, "a", "b", "c").Err(), s.Add(ctx, id+1000, "b", "c", "d").Err())
	}
	holds := func(ctx context.Context, s set, id int64) outcome { return anyOrder(s.Members(ctx, id)) }
	trips(t, tags.On, fill, holds, []trip[set]{
		{verb: "Inter", keeps: "what both have", want: words{"b", "c"},
			call: func(ctx context.Context, s set, id int64) outcome { return anyOrder(s.Inter(ctx, id, id+1000)) }},
		{verb: "Diff", keeps: "what only the first has", want: words{"a"},
			call: func(ctx context.Context, s set, id int64) outcome { return anyOrder(s.Diff(ctx, id, id+1000)) }},
		{verb: "Union", keeps: "what any has", want: words{"a", "b", "c", "d"},
			call: func(ctx context.Context, s set, id int64) outcome { return anyOrder(s.Union(ctx, id, id+1000)) }},
		{verb: "InterStore", keeps: "what both have", want: int64(2), after: words{"b", "c"},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.InterStore(ctx, id, id, id+1000)) }},
		{verb: "DiffStore", keeps: "what only the first has", want: int64(1), after: words{"d"},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.DiffStore(ctx, id, id+1000, id)) }},
		{verb: "UnionStore", keeps: "what any has", want: int64(4), after: words{"a", "b", "c", "d"},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.UnionStore(ctx, id, id, id+1000)) }},
		{verb: "InterCard", keeps: "how many both have", want: int64(2), needs: "Redis 7",
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.InterCard(ctx, 0, id, id+1000)) }},
		{verb: "InterCard", keeps: "not more than the limit", want: int64(1), needs: "Redis 7",
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.InterCard(ctx, 1, id, id+1000)) }},
		{verb: "DiffCard", keeps: "how many only the first has", want: int64(1), needs: "Redis 8.10",
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.DiffCard(ctx, 0, id, id+1000)) }},
		{verb: "UnionCard", keeps: "how many any has", want: int64(4), needs: "Redis 8.10",
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.UnionCard(ctx, 0, id, id+1000)) }},
		{verb: "UnionCardApprox", keeps: "about how many any has", want: int64(4), needs: "Redis 8.10",
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.UnionCardApprox(ctx, 0, id, id+1000)) }},
		{verb: "Move", keeps: "whether it was there", want: true, after: words{"a", "b", "c", "d"},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.Move(ctx, id+1000, id, "d")) }},
		{verb: "Move", keeps: "whether it was not", want: false,
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.Move(ctx, id+1000, id, "?")) }},
		{verb: "Scan", keeps: "a page of those that match", want: keyspace.Page[string]{Items: words{"b"}},
			call: func(ctx context.Context, s set, id int64) outcome { return of(s.Scan(ctx, id, 0, "b*", 100)) }},
		{verb: "Each", keeps: "all of them", want: words{"a", "b", "c"},
			call: func(ctx context.Context, s set, id int64) outcome { return each(s.Each(ctx, id, "")) }},
	})
}

// each is what an iterator shows, sorted by its text and each once.
func each[T any](seq iter.Seq2[T, error]) outcome {
	var all []T
	for item, err := range seq {
		if err != nil {
			return outcome{nil, err}
		}
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b T) int { return cmpText(a, b) })
	return outcome{slices.CompactFunc(all, func(a, b T) bool { return cmpText(a, b) == 0 }), nil}
}

func cmpText(a, b any) int {
	switch x, y := fmt.Sprint(a), fmt.Sprint(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Inside a Run, where nothing is sent before its end, the only thing that an iterator
// shows is an error with the cure.
func TestEachRefused(t *testing.T) {
	db, sent := embedded(t)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for name, shown := range map[string]outcome{
			"set": each(Tags.On(db).Each(ctx, 42, "")), "sorted set": each(Visits.On(db).Each(ctx, 42, "")), "geo": each(Shops.On(db).Each(ctx, 42, "")),
		} {
			wantText(t, name, shown.err, "keyspace: Each inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach")
		}
		return nil
	})
	if err != nil || sent.Commands() != 0 {
		t.Errorf("Run: %v; sent: %v", err, sent)
	}
}

// On a Cluster, verbs that one node executes take ids of one slot: others are refused
// before the wire, with both keys named. Union is one of several nodes.
func TestSlotsMeet(t *testing.T) {
	client := redistest.Cluster(t).Client(t)
	db := newDB(t, client)
	sent := redistest.Record(client)
	ctx := t.Context()
	tags, visits := keyspace.NewSet[int64, string]("set").On(db), keyspace.NewSortedSet[int64, string]("zset").On(db)
	lists, geos := keyspace.NewList[int64, string]("list").On(db), keyspace.NewGeo[int64, string]("geo").On(db)
	spanned, at, around := keyspace.From(1.0), keyspace.Point{}, keyspace.Circle(1)
	const l, r = keyspace.Left, keyspace.Right
	for name, ref := range map[string]interface{ Err() error }{
		"set Inter": tags.Inter(ctx, 1, 2), "set Diff": tags.Diff(ctx, 1, 2), "set InterStore": tags.InterStore(ctx, 1, 1, 2),
		"set DiffStore": tags.DiffStore(ctx, 1, 2), "set UnionStore": tags.UnionStore(ctx, 1, 2), "set Move": tags.Move(ctx, 1, 2, "a"),
		"set InterCard": tags.InterCard(ctx, 0, 1, 2), "set DiffCard": tags.DiffCard(ctx, 0, 1, 2), "set UnionCard": tags.UnionCard(ctx, 0, 1, 2),
		"list Move": lists.Move(ctx, 1, 2, l, r), "list MoveN": lists.MoveN(ctx, 1, 2, l, r, keyspace.AtMost(1)), "list MPop": lists.MPop(ctx, l, 1, 1, 2),
		"list BLPop": lists.BLPop(ctx, 0, 1, 2), "list BRPop": lists.BRPop(ctx, 0, 1, 2), "list BMove": lists.BMove(ctx, 0, 1, 2, l, r),
		"list BMPop": lists.BMPop(ctx, 0, l, 1, 1, 2), "zset Union": visits.Union(ctx, keyspace.Of[int64](1, 2)),
		"zset UnionWithScores": visits.UnionWithScores(ctx, keyspace.Of[int64](1, 2)), "zset Inter": visits.Inter(ctx, keyspace.Of[int64](1, 2)),
		"zset Diff": visits.Diff(ctx, 1, 2), "zset UnionStore": visits.UnionStore(ctx, 1, keyspace.Of[int64](2)),
		"zset InterStore": visits.InterStore(ctx, 1, keyspace.Of[int64](2)), "zset DiffStore": visits.DiffStore(ctx, 1, 2),
		"zset InterCard": visits.InterCard(ctx, 0, 1, 2), "zset RangeStore": visits.RangeStore(ctx, 1, 2, 0, -1),
		"zset RangeByScoreStore": visits.RangeByScoreStore(ctx, 1, 2, spanned), "zset MPop": visits.MPop(ctx, keyspace.Lowest, 1, 1, 2),
		"zset BPopMin": visits.BPopMin(ctx, 0, 1, 2), "zset BPopMax": visits.BPopMax(ctx, 0, 1, 2), "zset BMPop": visits.BMPop(ctx, 0, keyspace.Lowest, 1, 1, 2),
		"geo SearchStore": geos.SearchStore(ctx, 1, 2, at, around), "geo SearchByMemberStore": geos.SearchByMemberStore(ctx, 1, 2, "a", around),
		"geo SearchStoreDist": geos.Key(2).SearchStoreDist(ctx, visits.Key(1), at, around),
	} {
		var crossed *pipectx.CrossSlotError
		if err := ref.Err(); !errors.As(err, &crossed) || crossed.Slot1 == crossed.Slot2 {
			t.Errorf("%s: %v, want a CrossSlotError", name, err)
			continue
		}
		if one, two := crossed.Key1[len(crossed.Key1)-3:], crossed.Key2[len(crossed.Key2)-3:]; one+two != "{1}{2}" {
			t.Errorf("%s: names the keys %s and %s", name, crossed.Key1, crossed.Key2)
		}
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}

	done(t, "Add", tags.Add(ctx, 1, "a", "b"))
	done(t, "Add", tags.Add(ctx, 2, "b", "c"))
	want(t, "Union", sorted(tags.Union(ctx, 1, 2, 3, 1)), words{"a", "b", "c"})
	want(t, "Union of nothing", tags.Union(ctx, 3, 4), words{})
	err := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
		tags.Union(ctx, 1, 2)
		return nil
	})
	var crossed *pipectx.CrossSlotError
	if !errors.As(err, &crossed) {
		t.Errorf("Union of two slots in an Atomic: %v, want a CrossSlotError", err)
	}
}
