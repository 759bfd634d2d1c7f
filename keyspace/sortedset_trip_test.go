package keyspace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type (
	zset  = keyspace.BoundSortedSet[int64, string]
	zs    = []keyspace.Z[string]
	zPop  = keyspace.Popped[int64, keyspace.Z[string]]
	zPops = keyspace.Popped[int64, []keyspace.Z[string]]
)

// fillScores gives a key the scores 1, 2, 2, 3, its neighbour 10 and 20.
func fillScores(ctx context.Context, v zset, id int64) error {
	return errors.Join(v.AddMany(ctx, id, z("a", 1), z("b", 2), z("c", 2), z("d", 3)).Err(), v.AddMany(ctx, id+1000, z("c", 10), z("x", 20)).Err())
}

func holdScores(ctx context.Context, v zset, id int64) outcome {
	return of(v.RangeWithScores(ctx, id, 0, -1))
}

// Spans of scores have ends that are open, that are in, and that are not.
func TestSpans(t *testing.T) {
	visits := keyspace.NewSortedSet[int64, string]("zset", together)
	all := keyspace.Span[float64]{}
	var rows []trip[zset]
	for _, row := range []struct {
		scores keyspace.Span[float64]
		want   words
	}{
		{all, words{"a", "b", "c", "d"}},
		{keyspace.From(2.0), words{"b", "c", "d"}},
		{keyspace.Above(2.0), words{"d"}},
		{keyspace.UpTo(2.0), words{"a", "b", "c"}},
		{keyspace.Below(2.0), words{"a"}},
		{keyspace.Between(2.0, 3), words{"b", "c", "d"}},
		{keyspace.Above(1.0).Below(3), words{"b", "c"}},
		{keyspace.From(1.5).UpTo(2), words{"b", "c"}},
		{keyspace.From(-inf).UpTo(inf), words{"a", "b", "c", "d"}},
		{keyspace.Above(inf), words{}},
		{keyspace.Between(3.0, 1), words{}},
	} {
		back := slices.Clone(row.want)
		slices.Reverse(back)
		rest := zs{}
		for _, member := range (zs{z("a", 1), z("b", 2), z("c", 2), z("d", 3)}) {
			if !slices.Contains(row.want, member.Member) {
				rest = append(rest, member)
			}
		}
		keeps := fmt.Sprintf("%+v", row.scores)
		rows = append(rows,
			trip[zset]{verb: "RangeByScore", keeps: keeps, want: row.want,
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RangeByScore(ctx, id, row.scores)) }},
			trip[zset]{verb: "RevRangeByScore", keeps: keeps, want: back,
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RevRangeByScore(ctx, id, row.scores)) }},
			trip[zset]{verb: "Count", keeps: keeps, want: int64(len(row.want)),
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.Count(ctx, id, row.scores)) }},
			trip[zset]{verb: "RemRangeByScore", keeps: keeps, want: int64(len(row.want)), after: rest,
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RemRangeByScore(ctx, id, row.scores)) }},
		)
	}
	trips(t, visits.On, fillScores, holdScores, rows)
}

// The other verbs of ranges, and those of pops, ranks, conditions and several keys, do
// the same on all servers.
func TestSortedSetTrips(t *testing.T) {
	visits := keyspace.NewSortedSet[int64, string]("zset", together)
	const none = 1_000_000
	some, no := field.Some[float64], field.None[float64]()
	all := zs{z("a", 1), z("b", 2), z("c", 2), z("d", 3)}
	pair := func(id int64) keyspace.Sources[int64] { return keyspace.Of(id, id+1000) }
	trips(t, visits.On, fillScores, holdScores, []trip[zset]{
		{verb: "AddIf", keeps: "new ones only", want: int64(1), after: append(append(zs{}, all...), z("e", 9)),
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfNew, z("a", 9), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that are there only", want: int64(1), after: zs{z("b", 2), z("c", 2), z("d", 3), z("a", 9)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfThere, z("a", 9), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that grow, and new ones", want: int64(2), after: zs{z("b", 2), z("c", 2), z("d", 3), z("a", 9), z("e", 9)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfGreater, z("a", 9), z("b", 0), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that shrink, and new ones", want: int64(2), after: zs{z("b", 0), z("a", 1), z("c", 2), z("d", 3), z("e", 9)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfLess, z("a", 9), z("b", 0), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that grow only", want: int64(1), after: zs{z("b", 2), z("c", 2), z("d", 3), z("a", 9)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfThereAndGreater, z("a", 9), z("b", 0), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that shrink only", want: int64(1), after: zs{z("b", 0), z("a", 1), z("c", 2), z("d", 3)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.IfThereAndLess, z("a", 9), z("b", 0), z("e", 9)))
			}},
		{verb: "AddIf", keeps: "those that change, and new ones", want: int64(2), after: zs{z("b", 2), z("c", 2), z("d", 3), z("a", 9), z("e", 9)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.AddIf(ctx, id, keyspace.Always, z("a", 9), z("b", 2), z("e", 9)))
			}},
		{verb: "IncrIf", keeps: "the sum if it was admitted", want: some(5), after: zs{z("b", 2), z("c", 2), z("d", 3), z("a", 5)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.IncrIf(ctx, id, keyspace.IfThereAndGreater, "a", 4))
			}},
		{verb: "IncrIf", keeps: "absent if it was not", want: no,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.IncrIf(ctx, id, keyspace.IfNew, "a", 4))
			}},
		{verb: "IncrIf", keeps: "the condition is about the sum", want: no, other: "adds whatever IfGreater and IfLess say",
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.IncrIf(ctx, id, keyspace.IfGreater, "a", -1))
			}},
		{verb: "RangeByScoreWithScores", keeps: "a page of them", want: zs{z("b", 2), z("c", 2)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RangeByScoreWithScores(ctx, id, keyspace.From(1.0).Limit(1, 2)))
			}},
		{verb: "RevRangeByScoreWithScores", keeps: "a page from the other end", want: zs{z("c", 2), z("b", 2), z("a", 1)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RevRangeByScoreWithScores(ctx, id, keyspace.From(1.0).Limit(1, -1)))
			}},
		{verb: "RemRangeByRank", keeps: "both ends included", want: int64(2), after: zs{z("a", 1), z("d", 3)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RemRangeByRank(ctx, id, 1, -2)) }},
		{verb: "RankWithScore", keeps: "both", want: keyspace.Ranked{Rank: 2, Score: 2}, needs: "Redis 7.2 or Valkey 8",
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RankWithScore(ctx, id, "c")) }},
		{verb: "RevRankWithScore", keeps: "absent of what is no member", want: pipectx.ErrNotFound, needs: "Redis 7.2 or Valkey 8",
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RevRankWithScore(ctx, id, "?")) }},
		{verb: "PopMin", keeps: "the lowest", want: z("a", 1), after: zs{z("b", 2), z("c", 2), z("d", 3)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.PopMin(ctx, id)) }},
		{verb: "PopMin", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, v zset, _ int64) outcome { return of(v.PopMin(ctx, none)) }},
		{verb: "PopMax", keeps: "the highest", want: z("d", 3), after: zs{z("a", 1), z("b", 2), z("c", 2)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.PopMax(ctx, id)) }},
		{verb: "PopMinN", keeps: "lowest first", want: zs{z("a", 1), z("b", 2)}, after: zs{z("c", 2), z("d", 3)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.PopMinN(ctx, id, 2)) }},
		{verb: "PopMaxN", keeps: "highest first, all if there are fewer", want: zs{z("d", 3), z("c", 2), z("b", 2), z("a", 1)}, after: zs{},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.PopMaxN(ctx, id, 9)) }},
		{verb: "BPopMin", keeps: "of the first that has any", want: func(id int64) any { return zPop{id, z("a", 1)} }, after: zs{z("b", 2), z("c", 2), z("d", 3)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.BPopMin(ctx, 0, none, id)) }},
		{verb: "BPopMin", keeps: "absent when nothing came in time", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, v zset, _ int64) outcome { return of(v.BPopMin(ctx, 10*ms, none, none+1)) }},
		{verb: "BPopMax", keeps: "the highest", want: func(id int64) any { return zPop{id, z("d", 3)} }, after: zs{z("a", 1), z("b", 2), z("c", 2)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.BPopMax(ctx, 0, id)) }},
		{verb: "MPop", keeps: "of the first that has any", want: func(id int64) any { return zPops{id, zs{z("d", 3), z("c", 2)}} }, after: zs{z("a", 1), z("b", 2)},
			needs: "Redis 7", call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.MPop(ctx, keyspace.Highest, 2, none, id))
			}},
		{verb: "BMPop", keeps: "of the first that has any", want: func(id int64) any { return zPops{id, zs{z("a", 1), z("b", 2)}} }, after: zs{z("c", 2), z("d", 3)},
			needs: "Redis 7", call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.BMPop(ctx, 0, keyspace.Lowest, 2, none, id))
			}},
		{verb: "RandMember", keeps: "absent of nothing", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, v zset, _ int64) outcome { return of(v.RandMember(ctx, none)) }},
		{verb: "RandMemberN", keeps: "different ones, all there are", want: words{"a", "b", "c", "d"},
			call: func(ctx context.Context, v zset, id int64) outcome { return anyOrder(v.RandMemberN(ctx, id, 9)) }},
		{verb: "RandMemberNWithScores", keeps: "with scores, repeated", want: 9,
			call: func(ctx context.Context, v zset, id int64) outcome {
				drawn, err := v.RandMemberNWithScores(ctx, id, -9).Result()
				for _, d := range drawn {
					if !slices.Contains(words{"a1", "b2", "c2", "d3"}, fmt.Sprint(d.Member, d.Score)) {
						err = fmt.Errorf("drawn: %v", d)
					}
				}
				return outcome{len(drawn), err}
			}},
		{verb: "Scan", keeps: "a page of those that match", want: keyspace.Page[keyspace.Z[string]]{Items: zs{z("b", 2)}},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.Scan(ctx, id, 0, "b*", 0)) }},
		{verb: "Each", keeps: "all with their scores", want: all,
			call: func(ctx context.Context, v zset, id int64) outcome { return each(v.Each(ctx, id, "")) }},
		{verb: "Union", keeps: "in the order of the sums", want: words{"a", "b", "d", "c", "x"},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.Union(ctx, pair(id))) }},
		{verb: "UnionWithScores", keeps: "weighted", want: zs{z("d", -3), z("b", -2), z("a", -1), z("c", 3), z("x", 10)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.UnionWithScores(ctx, pair(id).Weights(-1, 0.5)))
			}},
		{verb: "Inter", keeps: "what both have", want: words{"c"},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.Inter(ctx, pair(id))) }},
		{verb: "InterWithScores", keeps: "the highest", want: zs{z("c", 10)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.InterWithScores(ctx, pair(id).Highest()))
			}},
		{verb: "InterWithScores", keeps: "the lowest", want: zs{z("c", 2)},
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.InterWithScores(ctx, pair(id).Lowest()))
			}},
		{verb: "InterWithScores", keeps: "how many have it", want: zs{z("c", 2)}, needs: "Redis 8.8",
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.InterWithScores(ctx, pair(id).Counted()))
			}},
		{verb: "Diff", keeps: "what only the first has", want: words{"a", "b", "d"}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.Diff(ctx, id, id+1000)) }},
		{verb: "DiffWithScores", keeps: "with the scores there", want: zs{z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.DiffWithScores(ctx, id+1000, id)) }},
		{verb: "UnionStore", keeps: "how many", want: int64(5), after: zs{z("a", 1), z("b", 2), z("d", 3), z("c", 12), z("x", 20)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.UnionStore(ctx, id, pair(id))) }},
		{verb: "InterStore", keeps: "how many", want: int64(1), after: zs{z("c", 12)},
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.InterStore(ctx, id, pair(id))) }},
		{verb: "DiffStore", keeps: "how many", want: int64(3), after: zs{z("a", 1), z("b", 2), z("d", 3)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.DiffStore(ctx, id, id, id+1000)) }},
		{verb: "InterCard", keeps: "how many both have", want: int64(1), needs: "Redis 7",
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.InterCard(ctx, 5, id, id+1000)) }},
		{verb: "RangeStore", keeps: "by rank", want: int64(2), after: zs{z("c", 10), z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RangeStore(ctx, id, id+1000, 0, -1)) }},
		{verb: "RevRangeStore", keeps: "by rank from the end", want: int64(1), after: zs{z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RevRangeStore(ctx, id, id+1000, 0, 0))
			}},
		{verb: "RangeByScoreStore", keeps: "by score", want: int64(1), after: zs{z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RangeByScoreStore(ctx, id, id+1000, keyspace.Above(10.0)))
			}},
		{verb: "RevRangeByScoreStore", keeps: "a page from the end", want: int64(1), after: zs{z("d", 3)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RevRangeByScoreStore(ctx, id, id, keyspace.Span[float64]{}.Limit(0, 1)))
			}},
		{verb: "RangeByLexStore", keeps: "by text", want: int64(1), after: zs{z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RangeByLexStore(ctx, id, id+1000, keyspace.Above("c")))
			}},
		{verb: "RevRangeByLexStore", keeps: "a page from the end", want: int64(1), after: zs{z("x", 20)}, absent: true,
			call: func(ctx context.Context, v zset, id int64) outcome {
				return of(v.RevRangeByLexStore(ctx, id, id+1000, keyspace.Span[string]{}.Limit(0, 1)))
			}},
	})
}

// Spans of members are of their texts, whatever bytes these have.
func TestSpansOfMembers(t *testing.T) {
	names := keyspace.NewSortedSet[int64, string]("lex", together)
	fill := func(ctx context.Context, v zset, id int64) error {
		return v.AddMany(ctx, id, z("", 0), z("(b", 0), z("*", 0), z("[a", 0), z("a", 0), z("é", 0)).Err()
	}
	holds := func(ctx context.Context, v zset, id int64) outcome { return of(v.Range(ctx, id, 0, -1)) }
	var rows []trip[zset]
	for _, row := range []struct {
		members keyspace.Span[string]
		want    words
		rest    words
	}{
		{keyspace.Span[string]{}, words{"", "(b", "*", "[a", "a", "é"}, words{}},
		{keyspace.From("*"), words{"*", "[a", "a", "é"}, words{"", "(b"}},
		{keyspace.Above("*").UpTo("a"), words{"[a", "a"}, words{"", "(b", "*", "é"}},
		{keyspace.Below("(b"), words{""}, words{"(b", "*", "[a", "a", "é"}},
		{keyspace.Above(""), words{"(b", "*", "[a", "a", "é"}, words{""}},
		{keyspace.Between("b", "a"), words{}, words{"", "(b", "*", "[a", "a", "é"}},
	} {
		rows = append(rows,
			trip[zset]{verb: "RangeByLex", keeps: "those in it", want: row.want,
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RangeByLex(ctx, id, row.members)) }},
			trip[zset]{verb: "LexCount", keeps: "how many", want: int64(len(row.want)),
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.LexCount(ctx, id, row.members)) }},
			trip[zset]{verb: "RemRangeByLex", keeps: "the others stay", want: int64(len(row.want)), after: row.rest,
				call: func(ctx context.Context, v zset, id int64) outcome { return of(v.RemRangeByLex(ctx, id, row.members)) }},
		)
	}
	rows = append(rows, trip[zset]{verb: "RevRangeByLex", keeps: "a page from the end", want: words{"a", "[a"},
		call: func(ctx context.Context, v zset, id int64) outcome {
			return of(v.RevRangeByLex(ctx, id, keyspace.From("*").Limit(1, 2)))
		}})
	trips(t, names.On, fill, holds, rows)
}

// What stands for an open end may be a member. (The embedded server takes it for one.)
func TestSpansOfSigns(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		names := keyspace.NewSortedSet[int64, string]("lex").On(newDB(t, s.Client(t)))
		done(t, "AddMany", names.AddMany(t.Context(), 1, z("*", 0), z("+", 0), z("-", 0), z("a", 0)))
		want(t, "From", names.RangeByLex(t.Context(), 1, keyspace.From("+")), words{"+", "-", "a"})
		want(t, "Above", names.RangeByLex(t.Context(), 1, keyspace.Above("+").UpTo("-")), words{"-"})
	})
}
