package keyspace_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

func z(member string, score float64) keyspace.Z[string] {
	return keyspace.Z[string]{Member: member, Score: score}
}

// The verbs of SortedSet do the same on all servers.
func TestSortedSet(t *testing.T) {
	numbers := keyspace.NewSortedSet[int64, int64]("numbers")
	fill := func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) keyspace.BoundSortedSet[int64, string] {
		t.Helper()
		done(t, "AddMany", Visits.On(db).AddMany(ctx, id, z("a", 1), z("b", 2), z("c", 2), z("d", 3)))
		return Visits.On(db)
	}
	conform(t, []conformance{
		{"Add", "whether the member is new; its score changes if not", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := Visits.On(db)
			want(t, "first", visits.Add(ctx, id, "a", 1), true)
			want(t, "second", visits.Add(ctx, id, "a", 2), false)
			want(t, "Score", visits.Score(ctx, id, "a"), 2)
		}},
		{"Add", "every score reads back to the last bit, infinities too", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			for _, score := range []float64{0, -1.5, 0.1, 1 << 53, 1e300, 5e-324, 1e21, inf, -inf} {
				done(t, "Add", Visits.On(db).Add(ctx, id, "a", score))
				want(t, "Score", Visits.On(db).Score(ctx, id, "a"), score)
			}
			wantText(t, "NaN", Visits.On(db).Add(ctx, id, "a", nan).Err(),
				fmt.Sprintf("keyspace: visits{%d}: Add: NaN is not a number that Redis takes here", id))
		}},
		{"AddMany", "how many are new, and zero of none", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := Visits.On(db)
			want(t, "two", visits.AddMany(ctx, id, z("a", 1), z("b", 2)), 2)
			want(t, "one more", visits.AddMany(ctx, id, z("b", 3), z("c", inf)), 1)
			want(t, "none", visits.AddMany(ctx, id), 0)
			want(t, "all", visits.RangeWithScores(ctx, id, 0, -1), []keyspace.Z[string]{z("a", 1), z("b", 3), z("c", inf)})
			wantText(t, "NaN", visits.AddMany(ctx, id, z("a", 1), z("x", nan)).Err(),
				fmt.Sprintf("keyspace: visits{%d}: AddMany: NaN is not a number that Redis takes here (item 1 of 2, from 0)", id))
		}},
		{"IncrBy", "the sum, from nothing", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "up", Visits.On(db).IncrBy(ctx, id, "a", 1.5), 1.5)
			want(t, "down", Visits.On(db).IncrBy(ctx, id, "a", -2), -0.5)
			wantText(t, "NaN", Visits.On(db).IncrBy(ctx, id, "a", nan).Err(),
				fmt.Sprintf("keyspace: visits{%d}: IncrBy: NaN is not a number that Redis takes here", id))
		}},
		{"Rem", "how many were there, and the key goes with the last", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "two", visits.Rem(ctx, id, "a", "x", "b"), 2)
			want(t, "none", visits.Rem(ctx, id), 0)
			want(t, "the last", visits.Rem(ctx, id, "c", "d"), 2)
			want(t, "Exists", visits.Exists(ctx, id), false)
		}},
		{"Score", "ErrNotFound of what is no member, and no failure of a Run", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "Score", visits.Score(ctx, id, "b"), 2)
			text := fmt.Sprintf("keyspace: member of visits{%d}: not found", id)
			absent(t, "no member", visits.Score(ctx, id, "x"), text)
			err := pipectx.Run(ctx, db, func(ctx context.Context) error {
				visits.Score(ctx, id, "x")
				visits.Rank(ctx, id, "x")
				return nil
			})
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		}},
		{"MScore", "a score for each, in order, absent where there is none", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			none := field.None[float64]()
			want(t, "some", visits.MScore(ctx, id, "d", "x", "a"), []field.Optional[float64]{field.Some(3.0), none, field.Some(1.0)})
			want(t, "none", visits.MScore(ctx, id), []field.Optional[float64]{})
			want(t, "without a key", visits.MScore(ctx, id+1000, "a", "b"), []field.Optional[float64]{none, none})
		}},
		{"Rank", "how many come before, by score and then by text", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "a", visits.Rank(ctx, id, "a"), 0)
			want(t, "c", visits.Rank(ctx, id, "c"), 2)
			absent(t, "x", visits.Rank(ctx, id, "x"), fmt.Sprintf("keyspace: member of visits{%d}: not found", id))
		}},
		{"RevRank", "how many come after", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "a", visits.RevRank(ctx, id, "a"), 3)
			want(t, "c", visits.RevRank(ctx, id, "c"), 1)
			absent(t, "x", visits.RevRank(ctx, id, "x"), fmt.Sprintf("keyspace: member of visits{%d}: not found", id))
		}},
		{"Card", "how many", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Visits.On(db).Card(ctx, id), 0)
			want(t, "after", fill(t, ctx, db, id).Card(ctx, id), 4)
		}},
		{"Count", "both ends included, infinities are open ends", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "2 to 3", visits.Count(ctx, id, keyspace.Between(2.0, 3)), 3)
			want(t, "all", visits.Count(ctx, id, keyspace.Span[float64]{}), 4)
			want(t, "none", visits.Count(ctx, id, keyspace.Between(3.0, 2)), 0)
			wantText(t, "NaN", visits.Count(ctx, id, keyspace.From(nan)).Err(),
				fmt.Sprintf("keyspace: visits{%d}: Count: NaN is not a number that Redis takes here", id))
		}},
		{"Range", "by rank, both ends included, from the end if negative", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "all", visits.Range(ctx, id, 0, -1), []string{"a", "b", "c", "d"})
			want(t, "middle", visits.Range(ctx, id, 1, 2), []string{"b", "c"})
			want(t, "beyond", visits.Range(ctx, id, 9, 10), []string{})
			want(t, "without a key", visits.Range(ctx, id+1000, 0, -1), []string{})
		}},
		{"RevRange", "the other way round", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "all", visits.RevRange(ctx, id, 0, -1), []string{"d", "c", "b", "a"})
			want(t, "first", visits.RevRange(ctx, id, 0, 0), []string{"d"})
		}},
		{"RangeWithScores", "members and scores", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "two", visits.RangeWithScores(ctx, id, 0, 1), []keyspace.Z[string]{z("a", 1), z("b", 2)})
			want(t, "none", visits.RangeWithScores(ctx, id+1000, 0, 1), []keyspace.Z[string]{})
			done(t, "Add", visits.Add(ctx, id, "e", inf))
			want(t, "infinity", visits.RangeWithScores(ctx, id, -1, -1), []keyspace.Z[string]{z("e", inf)})
		}},
		{"RevRangeWithScores", "the other way round", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			visits := fill(t, ctx, db, id)
			want(t, "two", visits.RevRangeWithScores(ctx, id, 0, 1), []keyspace.Z[string]{z("d", 3), z("c", 2)})
		}},
		{"Range", "what does not parse is an error that names the key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "foreign", pipectx.Do[int64](ctx, db, "ZADD", fmt.Sprintf("numbers{%d}", id), 1, "x"))
			text := fmt.Sprintf(`field: numbers{%d}: "x" is not an int64: want decimal digits`, id)
			wantText(t, "Range", numbers.On(db).Range(ctx, id, 0, -1).Err(), text)
			wantText(t, "RangeWithScores", numbers.On(db).RangeWithScores(ctx, id, 0, -1).Err(), text)
		}},
	})
}
