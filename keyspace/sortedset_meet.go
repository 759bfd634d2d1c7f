package keyspace

import (
	"context"
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Sources are the sorted sets that Union and Inter make one of, and how the scores of
// a member that several have become one: their sum, unless it says otherwise.
//
//	Of(7, 8)                   the sums of the scores
//	Of(7, 8).Weights(1, 0.5)   those of 8 count half
//	Of(7, 8).Highest()         the highest of them
type Sources[K any] struct {
	ids       []K
	weights   []float64
	aggregate string
	needs     string
}

// Of are the sorted sets of ids.
func Of[K any](ids ...K) Sources[K] { return Sources[K]{ids: slices.Clone(ids)} }

// Weights multiplies the scores of each set by its weight before they become one.
// There is one weight for each id.
func (s Sources[K]) Weights(weights ...float64) Sources[K] {
	s.weights = slices.Clone(weights)
	return s
}

// Lowest takes the lowest score that a member has.
func (s Sources[K]) Lowest() Sources[K] { return s.by("MIN", "") }

// Highest takes the highest score that a member has.
func (s Sources[K]) Highest() Sources[K] { return s.by("MAX", "") }

// Counted takes the number of sets that have the member, each with its weight. It
// needs Redis 8.8; other servers answer [pipectx.ErrUnsupported].
func (s Sources[K]) Counted() Sources[K] { return s.by("COUNT", "Redis 8.8") }

func (s Sources[K]) by(aggregate, needs string) Sources[K] {
	s.aggregate, s.needs = aggregate, needs
	return s
}

// Union answers the members that the sorted set of any of ids has, in the order of
// the scores that they then have. On a Cluster all ids must be in one slot: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: ZUNION; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) Union(ctx context.Context, of Sources[K]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, b.db, b.combined("ZUNION", of, ""), b.member.all)
}

// UnionWithScores is Union with the scores.
//
// Cost: ZUNION WITHSCORES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundSortedSet[K, M]) UnionWithScores(ctx context.Context, of Sources[K]) *pipectx.Ref[[]Z[M]] {
	return pipectx.Send(ctx, b.db, b.combined("ZUNION", of, "WITHSCORES"), b.member.allScored)
}

// Inter answers the members that the sorted sets of all ids have, otherwise as Union.
//
// Cost: ZINTER; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) Inter(ctx context.Context, of Sources[K]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, b.db, b.combined("ZINTER", of, ""), b.member.all)
}

// InterWithScores is Inter with the scores.
//
// Cost: ZINTER WITHSCORES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundSortedSet[K, M]) InterWithScores(ctx context.Context, of Sources[K]) *pipectx.Ref[[]Z[M]] {
	return pipectx.Send(ctx, b.db, b.combined("ZINTER", of, "WITHSCORES"), b.member.allScored)
}

// Diff answers the members of the first id's sorted set that none of the others has,
// in the order of their scores there. Slots are as in Union.
//
// Cost: ZDIFF; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) Diff(ctx context.Context, ids ...K) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, b.db, b.combined("ZDIFF", Of(ids...), ""), b.member.all)
}

// DiffWithScores is Diff with the scores.
//
// Cost: ZDIFF WITHSCORES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundSortedSet[K, M]) DiffWithScores(ctx context.Context, ids ...K) *pipectx.Ref[[]Z[M]] {
	return pipectx.Send(ctx, b.db, b.combined("ZDIFF", Of(ids...), "WITHSCORES"), b.member.allScored)
}

func (b BoundSortedSet[K, M]) combined(name string, of Sources[K], option string) *pipectx.Command {
	c := b.meetCounted(name, of.ids).Read()
	b.rest(c, name, of)
	if option != "" {
		c.Word(option)
	}
	return c
}

// rest adds what follows the keys.
func (b BoundSortedSet[K, M]) rest(c *pipectx.Command, name string, of Sources[K]) {
	if n := len(of.weights); n > 0 {
		if n != len(of.ids) {
			c.Fail(fmt.Errorf("keyspace: %s: %s has %d weights for %d ids; give one for each", b.def.keys.Prefix(), name, n, len(of.ids)))
		}
		c.Word("WEIGHTS")
		for _, w := range of.weights {
			number(c, b.def.keys.Prefix(), "Weights", w, true)
		}
	}
	if of.aggregate != "" {
		c.Word("AGGREGATE")
		c.Word(of.aggregate)
	}
	if of.needs != "" {
		c.Needs(of.needs)
	}
}

// UnionStore makes the sorted set of the id to what Union answers, and answers how
// many members that has. On a Cluster all must be in one slot, to included: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: ZUNIONSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) UnionStore(ctx context.Context, to K, of Sources[K]) *pipectx.Ref[int64] {
	return b.store(ctx, "ZUNIONSTORE", to, of)
}

// InterStore makes the sorted set of the id to what Inter answers, otherwise as
// UnionStore.
//
// Cost: ZINTERSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) InterStore(ctx context.Context, to K, of Sources[K]) *pipectx.Ref[int64] {
	return b.store(ctx, "ZINTERSTORE", to, of)
}

// DiffStore makes the sorted set of the id to what Diff answers, otherwise as
// UnionStore.
//
// Cost: ZDIFFSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) DiffStore(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.store(ctx, "ZDIFFSTORE", to, Of(ids...))
}

func (b BoundSortedSet[K, M]) store(ctx context.Context, name string, to K, of Sources[K]) *pipectx.Ref[int64] {
	c := b.meet(name, to)
	c.Int(int64(len(of.ids)))
	b.addKeys(c, of.ids)
	b.rest(c, name, of)
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}

// InterCard answers how many members the sorted sets of all ids have, and counts to
// limit at most; without end for 0. Slots are as in Union. It needs Redis 7; older
// servers answer [pipectx.ErrUnsupported].
//
// Cost: ZINTERCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) InterCard(ctx context.Context, limit int64, ids ...K) *pipectx.Ref[int64] {
	return b.count(ctx, "ZINTERCARD", "Redis 7", "", limit, ids)
}
