package keyspace_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// sorted is a Ref of the same elements in order, for what comes in none.
func sorted(ref *pipectx.Ref[[]string]) *pipectx.Ref[[]string] {
	return pipectx.Map(ref, func(s []string) ([]string, error) {
		if s == nil {
			return nil, nil
		}
		return slices.Sorted(slices.Values(s)), nil
	})
}

// The verbs of Set do the same on all servers.
func TestSet(t *testing.T) {
	numbers := keyspace.NewSet[int64, int64]("numbers")
	conform(t, []conformance{
		{"Add", "how many are new, and zero of none", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			tags := Tags.On(db)
			want(t, "two", tags.Add(ctx, id, "a", "b", "a"), 2)
			want(t, "one more", tags.Add(ctx, id, "b", "c"), 1)
			want(t, "none", tags.Add(ctx, id), 0)
			want(t, "the empty string", tags.Add(ctx, id, ""), 1)
			want(t, "Card", tags.Card(ctx, id), 4)
		}},
		{"Rem", "how many were there, and the key goes with the last", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			tags := Tags.On(db)
			done(t, "Add", tags.Add(ctx, id, "a", "b"))
			want(t, "one", tags.Rem(ctx, id, "a", "x"), 1)
			want(t, "none", tags.Rem(ctx, id), 0)
			want(t, "the last", tags.Rem(ctx, id, "b"), 1)
			want(t, "Exists", tags.Exists(ctx, id), false)
		}},
		{"Members", "all, and none without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Tags.On(db).Members(ctx, id), []string{})
			done(t, "Add", Tags.On(db).Add(ctx, id, "b", "a", ""))
			want(t, "after", sorted(Tags.On(db).Members(ctx, id)), []string{"", "a", "b"})
		}},
		{"Members", "what does not parse is an error that names the key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			done(t, "foreign", pipectx.Do[int64](ctx, db, "SADD", fmt.Sprintf("numbers{%d}", id), "x"))
			text := fmt.Sprintf(`field: numbers{%d}: "x" is not an int64: want decimal digits`, id)
			wantText(t, "Members", numbers.On(db).Members(ctx, id).Err(), text)
			wantText(t, "RandMember", numbers.On(db).RandMember(ctx, id).Err(), text)
		}},
		{"IsMember", "whether it is", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", numbers.On(db).IsMember(ctx, id, 7), false)
			done(t, "Add", numbers.On(db).Add(ctx, id, 7))
			want(t, "after", numbers.On(db).IsMember(ctx, id, 7), true)
		}},
		{"MIsMember", "an answer for each, in order", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			tags := Tags.On(db)
			want(t, "before", tags.MIsMember(ctx, id, "a", "b"), []bool{false, false})
			done(t, "Add", tags.Add(ctx, id, "a", "b"))
			want(t, "after", tags.MIsMember(ctx, id, "b", "x", "a"), []bool{true, false, true})
			want(t, "none", tags.MIsMember(ctx, id), []bool{})
		}},
		{"Card", "how many", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Tags.On(db).Card(ctx, id), 0)
			done(t, "Add", Tags.On(db).Add(ctx, id, "a", "b"))
			want(t, "after", Tags.On(db).Card(ctx, id), 2)
		}},
		{"Pop", "each member once, then ErrNotFound", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			for _, tags := range []keyspace.BoundSet[int64, string]{Tags.On(db), DayTags.On(db)} {
				done(t, "Add", tags.Add(ctx, id, "a", "b"))
				first, second := tags.Pop(ctx, id), tags.Pop(ctx, id)
				want(t, "both", sorted(pipectx.All([]*pipectx.Ref[string]{first, second})), []string{"a", "b"})
				absent(t, "third", tags.Pop(ctx, id), fmt.Sprintf("keyspace: tags{%d}: not found", id))
			}
		}},
		{"PopN", "so many, or all there are", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			tags := Tags.On(db)
			done(t, "Add", tags.Add(ctx, id, "a", "b", "c"))
			want(t, "zero", tags.PopN(ctx, id, 0), []string{})
			first, err := tags.PopN(ctx, id, 2).Result()
			if err != nil || len(first) != 2 {
				t.Errorf("PopN(2): %v, %v", first, err)
			}
			rest, err := tags.PopN(ctx, id, 2).Result()
			if all := slices.Sorted(slices.Values(append(first, rest...))); err != nil || !slices.Equal(all, []string{"a", "b", "c"}) {
				t.Errorf("PopN twice: %v, %v", all, err)
			}
			want(t, "of nothing", tags.PopN(ctx, id, 2), []string{})
			wantText(t, "negative", tags.PopN(ctx, id, -1).Err(),
				fmt.Sprintf("keyspace: tags{%d}: PopN of -1; give a number that is not negative", id))
		}},
		{"RandMember", "one that stays, ErrNotFound without a key", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			absent(t, "before", Tags.On(db).RandMember(ctx, id), fmt.Sprintf("keyspace: tags{%d}: not found", id))
			done(t, "Add", Tags.On(db).Add(ctx, id, "a"))
			want(t, "after", Tags.On(db).RandMember(ctx, id), "a")
			want(t, "Card", Tags.On(db).Card(ctx, id), 1)
		}},
		{"RandMemberN", "different ones, or with repeats for a negative number", func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64) {
			want(t, "before", Tags.On(db).RandMemberN(ctx, id, 2), []string{})
			done(t, "Add", Tags.On(db).Add(ctx, id, "a", "b"))
			want(t, "more than there are", sorted(Tags.On(db).RandMemberN(ctx, id, 9)), []string{"a", "b"})
			if drawn, err := Tags.On(db).RandMemberN(ctx, id, -9).Result(); err != nil || len(drawn) != 9 {
				t.Errorf("RandMemberN(-9): %v, %v", drawn, err)
			}
		}},
	})
}
