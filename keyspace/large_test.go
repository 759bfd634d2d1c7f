package keyspace_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A million members are added and removed, with scores too, values pushed in their order,
// and keys and entries of a million ids removed.
func TestMillion(t *testing.T) {
	const n = million
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		ctx, db := t.Context(), newDB(t, s.Client(t))
		numbers := make([]int64, n)
		for i := range numbers {
			numbers[i] = int64(i)
		}
		set, list := keyspace.NewSet[int64, int64]("set").On(db).Key(1), keyspace.NewList[int64, int64]("list").On(db).Key(1)
		want(t, "Add", set.Add(ctx, numbers...), n)
		seen := 0
		for _, err := range set.Each(ctx, "") {
			if seen++; err != nil {
				t.Fatal(err)
			}
		}
		if seen < n {
			t.Errorf("Each shows %d members", seen)
		}
		want(t, "Rem", set.Rem(ctx, numbers...), n)
		want(t, "RPush", list.RPush(ctx, numbers...), n)
		want(t, "Range", list.Range(ctx, 0, -1), numbers)
		want(t, "Del", list.Del(ctx), true)

		ranks, scored := keyspace.NewSortedSet[int64, int64]("ranks").On(db).Key(1), make([]keyspace.Z[int64], n)
		ids := make([]keyspace.StreamID, n)
		for i := range scored {
			scored[i] = keyspace.Z[int64]{Member: int64(i), Score: float64(i)}
			ids[i].Ms = uint64(i + 1)
		}
		want(t, "AddMany", ranks.AddMany(ctx, scored...), n)
		want(t, "Range", ranks.Range(ctx, n-2, n-1), []int64{n - 2, n - 1})
		want(t, "Rem", ranks.Rem(ctx, numbers...), n)

		few, log := []int64{0, 4_999, n - 1}, Sales.On(db).Key(1)
		for _, id := range few {
			done(t, "Set", Hits.On(db).Set(ctx, id, 1))
			done(t, "Add", log.AddWith(ctx, nut.Value, keyspace.AddOptions{ID: ids[id]}))
		}
		want(t, "DelMany", Hits.On(db).DelMany(ctx, numbers...), int64(len(few)))
		want(t, "XDel", log.XDel(ctx, ids...), int64(len(few)))
	})
}

// The first of many that fails is named by its position: the one that cannot be
// encoded, of which nothing is sent, or those of the command that was refused.
func TestPositions(t *testing.T) {
	const n = 12_000
	floats := make([]float64, n)
	for i := range floats {
		floats[i] = float64(i)
	}
	db, sent := embedded(t)
	ctx := t.Context()
	list := keyspace.NewList[int64, float64]("list").On(db)
	bad := append([]float64(nil), floats...)
	bad[7777], bad[9999] = nan, nan
	for _, in := range []func() error{
		func() error { return list.RPush(ctx, 1, bad...).Err() },
		func() error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				list.RPush(ctx, 1, bad...)
				return nil
			})
		},
	} {
		var at *keyspace.PositionError
		if err := in(); !errors.As(err, &at) || at.From != 7777 || at.To != 7777 || at.Of != n {
			t.Errorf("RPush: %v, want one that names 7777 of %d", err, n)
		}
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %.300s", sent)
	}

	set, scores := keyspace.NewSet[int64, float64]("set").On(db), keyspace.NewSortedSet[int64, float64]("zset").On(db)
	hash, geo := keyspace.NewHash[int64, float64, int64]("hash").On(db), keyspace.NewGeo[int64, float64]("geo").On(db)
	for verb, ref := range map[string]interface{ Err() error }{
		"MIsMember": set.MIsMember(ctx, 1, bad...), "MScore": scores.MScore(ctx, 1, bad...), "MPos": geo.MPos(ctx, 1, bad...),
		"MGet": hash.MGet(ctx, 1, bad...), "HTTL": hash.HTTL(ctx, 1, bad...), "GetDel": hash.GetDel(ctx, 1, bad...), "GetEx": hash.GetEx(ctx, 1, minute, bad...),
	} {
		var at *keyspace.PositionError
		if err := ref.Err(); !errors.As(err, &at) || at.From != 7777 || at.To != 7777 || at.Of != n {
			t.Errorf("%s: %v, want one that names 7777 of %d", verb, err, n)
		}
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %.300s", sent)
	}

	done(t, "SET", pipectx.Do[struct{}](ctx, db, "SET", "list{2}", "x"))
	err := list.RPush(ctx, 2, floats...).Err()
	var at *keyspace.PositionError
	var fault *pipectx.ServerError
	if !errors.As(err, &at) || at.From != 0 || at.To != 4999 || at.Of != n || !errors.As(err, &fault) || fault.Code != "WRONGTYPE" {
		t.Errorf("RPush: %v, want WRONGTYPE of 0 to 4999 of %d", err, n)
	}
	done(t, "SET", pipectx.Do[struct{}](ctx, db, "SET", "set{2}", "x"))
	err = set.MIsMember(ctx, 2, floats...).Err()
	if !errors.As(err, &at) || at.From != 0 || at.To != 4999 || at.Of != n || !errors.As(err, &fault) || fault.Code != "WRONGTYPE" {
		t.Errorf("MIsMember: %v, want WRONGTYPE of 0 to 4999 of %d", err, n)
	}
}

// What several commands found nothing of is an empty answer, as of one.
func TestManyAnswersOfNothing(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	s := Sales.On(db).Key(1)
	done(t, "GroupCreateMkStream", s.GroupCreateMkStream(t.Context(), "g", keyspace.Start{}))
	many := make([]at, 6_000)
	for i := range many {
		many[i].Ms = uint64(i + 1)
	}
	want(t, "Claim", s.Claim(t.Context(), "g", "ann", 0, many...), entries{})
	want(t, "ClaimIDs", s.ClaimIDs(t.Context(), "g", "ann", 0, many...), ids{})
}
