package keyspace_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type geo = keyspace.BoundGeo[int64, string]

var (
	oslo    = keyspace.Point{Longitude: 10.752245, Latitude: 59.913869}
	bergen  = keyspace.Point{Longitude: 5.322054, Latitude: 60.391263}
	tromso  = keyspace.Point{Longitude: 18.955324, Latitude: 69.649205}
	nowhere = keyspace.Point{Longitude: 0, Latitude: 90}
)

func place(member string, at keyspace.Point) keyspace.Place[string] {
	return keyspace.Place[string]{Member: member, Point: at}
}

// about is a Ref as its text to so many decimals: Redis keeps 52 bits of a Point.
func about[T any](ref *pipectx.Ref[T], show func(T) string) outcome {
	value, err := ref.Result()
	return outcome{show(value), err}
}

func degrees(p keyspace.Point) string { return fmt.Sprintf("%.4f %.4f", p.Longitude, p.Latitude) }

func kilometers(d keyspace.Distance) string {
	return fmt.Sprintf("%.1f km", float64(d/keyspace.Kilometer))
}

func found(all []keyspace.Found[string]) (text string) {
	for _, f := range all {
		text += f.Member + " " + degrees(f.Point) + " " + kilometers(f.Distance) + "; "
	}
	return text
}

// The verbs of Geo do the same on all servers.
func TestGeo(t *testing.T) {
	geos := keyspace.NewGeo[int64, string]("geo", together)
	far := keyspace.NewSortedSet[int64, string]("far", together)
	fill := func(ctx context.Context, g geo, id int64) error {
		return g.AddMany(ctx, id, place("oslo", oslo), place("bergen", bergen), place("tromso", tromso)).Err()
	}
	holds := func(ctx context.Context, g geo, id int64) outcome { return each(g.Each(ctx, id, "")) }
	cities := words{"bergen", "oslo", "tromso"}
	const none = 1_000_000
	km := keyspace.Kilometer
	rows := []trip[geo]{
		{verb: "Add", keeps: "whether it is new", want: true, after: words{"bergen", "oslo", "tromso", "ås"},
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Add(ctx, id, "ås", oslo)) }},
		{verb: "Add", keeps: "whether it is not", want: false,
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Add(ctx, id, "oslo", bergen)) }},
		{verb: "AddMany", keeps: "zero of none", want: int64(0),
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.AddMany(ctx, id)) }},
		{verb: "AddIf", keeps: "new ones only", want: int64(1), after: words{"bergen", "oslo", "tromso", "ås"}, absent: true,
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.AddIf(ctx, id, keyspace.IfNew, place("ås", oslo), place("oslo", bergen)))
			}},
		{verb: "AddIf", keeps: "those that are there only", want: int64(1), absent: true,
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.AddIf(ctx, id, keyspace.IfThere, place("ås", oslo), place("oslo", bergen)))
			}},
		{verb: "Rem", keeps: "how many were there", want: int64(1), after: words{"bergen", "tromso"},
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Rem(ctx, id, "oslo", "?")) }},
		{verb: "Card", keeps: "how many", want: int64(3),
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Card(ctx, id)) }},
		{verb: "Pos", keeps: "where it is", want: degrees(bergen),
			call: func(ctx context.Context, g geo, id int64) outcome { return about(g.Pos(ctx, id, "bergen"), degrees) }},
		{verb: "Pos", keeps: "absent of what is no member", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Pos(ctx, id, "?")) }},
		{verb: "Pos", keeps: "absent without a key", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, _ int64) outcome { return of(g.Pos(ctx, none, "?")) }},
		{verb: "MPos", keeps: "in order, absent where there is none", want: fmt.Sprint(degrees(tromso), " false ", degrees(oslo)),
			call: func(ctx context.Context, g geo, id int64) outcome {
				return about(g.MPos(ctx, id, "tromso", "?", "oslo"), func(all []field.Optional[keyspace.Point]) string {
					if len(all) != 3 {
						return "?"
					}
					_, ok := all[1].Get()
					return fmt.Sprint(degrees(all[0].Or(nowhere)), " ", ok, " ", degrees(all[2].Or(nowhere)))
				})
			}},
		{verb: "Hash", keeps: "in order, absent where there is none", want: []field.Optional[string]{field.Some("u4xsudvx960"), field.None[string]()}, absent: true,
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Hash(ctx, id, "oslo", "?")) }},
		{verb: "Dist", keeps: "in meters", want: "305.2 km",
			call: func(ctx context.Context, g geo, id int64) outcome {
				return about(g.Dist(ctx, id, "oslo", "bergen"), kilometers)
			}},
		{verb: "Dist", keeps: "absent of what is no member", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Dist(ctx, id, "oslo", "?")) }},
		{verb: "Search", keeps: "the nearest first", want: words{"oslo", "bergen"},
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.Search(ctx, id, oslo, keyspace.Circle(400*km).Nearest(0)))
			}},
		{verb: "Search", keeps: "so many of the farthest", want: words{"tromso", "bergen"},
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.Search(ctx, id, oslo, keyspace.Circle(4000*km).Farthest(2)))
			}},
		{verb: "Search", keeps: "in a box", want: words{"oslo"},
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.Search(ctx, id, oslo, keyspace.Box(100*km, 4000*km).Any(1)))
			}},
		{verb: "Search", keeps: "none without a key", want: words{},
			call: func(ctx context.Context, g geo, _ int64) outcome {
				return of(g.Search(ctx, none, oslo, keyspace.Circle(1)))
			}},
		{verb: "SearchPlaces", keeps: "where and how far", want: "oslo 10.7522 59.9139 0.0 km; bergen 5.3221 60.3913 305.2 km; ",
			call: func(ctx context.Context, g geo, id int64) outcome {
				return about(g.SearchPlaces(ctx, id, oslo, keyspace.Circle(400*km).Nearest(9)), found)
			}},
		{verb: "SearchByMember", keeps: "itself too", want: words{"bergen", "oslo"},
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.SearchByMember(ctx, id, "bergen", keyspace.Circle(400*km).Nearest(0)))
			}},
		{verb: "SearchByMember", keeps: "absent of what is no member", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.SearchByMember(ctx, id, "?", keyspace.Circle(400*km)))
			}},
		{verb: "SearchByMember", keeps: "absent also where there is no key", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, _ int64) outcome {
				return of(g.SearchByMember(ctx, none, "?", keyspace.Circle(400*km)))
			}},
		{verb: "SearchByMember", keeps: "itself, however small the circle", want: words{"oslo"},
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.SearchByMember(ctx, id, "oslo", keyspace.Circle(0)))
			}},
		{verb: "SearchPlacesByMember", keeps: "absent also where there is no key", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, g geo, _ int64) outcome {
				return about(g.SearchPlacesByMember(ctx, none, "?", keyspace.Circle(1*km)), found)
			}},
		{verb: "SearchPlacesByMember", keeps: "where and how far", want: "bergen 5.3221 60.3913 0.0 km; ",
			call: func(ctx context.Context, g geo, id int64) outcome {
				return about(g.SearchPlacesByMember(ctx, id, "bergen", keyspace.Circle(1*keyspace.Mile)), found)
			}},
		{verb: "SearchStore", keeps: "how many", want: int64(2), after: words{"bergen", "oslo"}, absent: true,
			call: func(ctx context.Context, g geo, id int64) outcome {
				return of(g.SearchStore(ctx, id, id, oslo, keyspace.Circle(400*km)))
			}},
		{verb: "SearchByMemberStore", keeps: "the places go along", want: "oslo 10.7522 59.9139 0.0 km; ", after: words{"oslo"}, absent: true,
			call: func(ctx context.Context, g geo, id int64) outcome {
				if err := g.SearchByMemberStore(ctx, id, id, "oslo", keyspace.Circle(100*km)).Err(); err != nil {
					return outcome{"", err}
				}
				return about(g.SearchPlaces(ctx, id, oslo, keyspace.Circle(1)), found)
			}},
		{verb: "Scan", keeps: "a page of those that match", want: keyspace.Page[string]{Items: words{"oslo"}},
			call: func(ctx context.Context, g geo, id int64) outcome { return of(g.Scan(ctx, id, 0, "o*", 0)) }},
		{verb: "Each", keeps: "all", want: cities,
			call: func(ctx context.Context, g geo, id int64) outcome { return each(g.Each(ctx, id, "")) }},
	}
	trips(t, geos.On, fill, holds, rows)

	// Distances go to a sorted set, which is a keyspace of its own.
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s.Client(t))
		ctx, g, scores := t.Context(), geos.On(db).Key(1), far.On(db).Key(7)
		if err := fill(ctx, geos.On(db), 1); err != nil {
			t.Fatal(err)
		}
		want(t, "SearchStoreDist", g.SearchStoreDist(ctx, scores, oslo, keyspace.Circle(400*km)), 2)
		want(t, "by distance", scores.Range(ctx, 0, -1), words{"oslo", "bergen"})
		want(t, "SearchByMemberStoreDist", g.SearchByMemberStoreDist(ctx, scores, "tromso", keyspace.Circle(4000*km).Nearest(2)), 2)
		got := about(scores.Score(ctx, "oslo"), func(meters float64) string { return kilometers(keyspace.Distance(meters)) })
		if got.value != "1148.1 km" || got.err != nil {
			t.Errorf("the score of oslo is %v", got)
		}
	})
}

// What is no place, no distance or no condition is refused before it is sent.
func TestGeoRefuses(t *testing.T) {
	db, sent := embedded(t)
	ctx, g := t.Context(), keyspace.NewGeo[int64, string]("geo").On(db)
	for _, row := range []struct {
		err  error
		text string
	}{
		{g.Add(ctx, 1, "pole", nowhere).Err(), "keyspace: geo{1}: longitude 0, latitude 90 is no place that Redis knows: they go from -180 to 180 and from -85.05112878 to 85.05112878"},
		{g.Add(ctx, 1, "nan", keyspace.Point{Longitude: math.NaN()}).Err(), "keyspace: geo{1}: longitude NaN, latitude 0 is no place that Redis knows: they go from -180 to 180 and from -85.05112878 to 85.05112878"},
		{g.AddMany(ctx, 1, place("a", oslo), place("pole", nowhere)).Err(), "keyspace: geo{1}: longitude 0, latitude 90 is no place that Redis knows: they go from -180 to 180 and from -85.05112878 to 85.05112878 (item 1 of 2, from 0)"},
		{g.AddIf(ctx, 1, keyspace.IfGreater, place("a", oslo)).Err(), "keyspace: geo{1}: AddIf IfGreater: places are neither greater nor less; give Always, IfNew or IfThere"},
		{g.Search(ctx, 1, oslo, keyspace.Circle(-1)).Err(), "keyspace: geo{1}: a search cannot be -1m wide; give a distance that is not negative"},
		{g.Search(ctx, 1, oslo, keyspace.Box(1, keyspace.Distance(math.Inf(1)))).Err(), "keyspace: geo{1}: Search: +Inf is not a number that Redis takes here"},
		{g.Search(ctx, 1, oslo, keyspace.Circle(1).Any(0)).Err(), "keyspace: geo{1}: a search of 0 members; give one at least"},
	} {
		wantText(t, "refused", row.err, row.text)
	}
	two := newDB(t, redistest.Embedded(t).Client(t))
	other := keyspace.NewSortedSet[int64, string]("far").On(two).Key(2)
	wantText(t, "another DB", g.Key(1).SearchStoreDist(ctx, other, oslo, keyspace.Circle(1)).Err(),
		"keyspace: geo{1} and far{2} are on different connections; declare them on one")
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}

// Of several orders of a Shape the last one counts, whole.
func TestLastOrderOfAShape(t *testing.T) {
	db, sent := embedded(t)
	shape := keyspace.Circle(1).Any(3).Farthest(2)
	done(t, "Search", Shops.On(db).Search(t.Context(), 1, oslo, shape))
	if line := sent.Lines()[0]; !strings.HasSuffix(line, " m DESC COUNT 2") {
		t.Errorf("sent: %s", line)
	}
}
