package keyspace

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// RangeStore makes the sorted set of the id to the members that Range answers of the
// one of from, with their scores, and answers how many those are. On a Cluster both
// must be in one slot: a [*pipectx.CrossSlotError] names both keys, and nothing is
// sent.
//
// Cost: ZRANGESTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RangeStore(ctx context.Context, to, from K, start, stop int64) *pipectx.Ref[int64] {
	return b.ranksStore(ctx, to, from, start, stop, "")
}

// RevRangeStore is RangeStore of what RevRange answers.
//
// Cost: ZRANGESTORE REV, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RevRangeStore(ctx context.Context, to, from K, start, stop int64) *pipectx.Ref[int64] {
	return b.ranksStore(ctx, to, from, start, stop, "REV")
}

func (b BoundSortedSet[K, M]) ranksStore(ctx context.Context, to, from K, start, stop int64, option string) *pipectx.Ref[int64] {
	c := b.meet("ZRANGESTORE", to, from)
	c.Int(start)
	c.Int(stop)
	if option != "" {
		c.Word(option)
	}
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}

// RangeByScoreStore is RangeStore of what RangeByScore answers.
//
// Cost: ZRANGESTORE BYSCORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1
// round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RangeByScoreStore(ctx context.Context, to, from K, scores Span[float64]) *pipectx.Ref[int64] {
	return spanStore(ctx, b.bound, to, from, byScore, "RangeByScoreStore", scores, false)
}

// RevRangeByScoreStore is RangeStore of what RevRangeByScore answers.
//
// Cost: ZRANGESTORE BYSCORE REV, and PEXPIRE with a default TTL; 1 or 2 commands; 1
// round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RevRangeByScoreStore(ctx context.Context, to, from K, scores Span[float64]) *pipectx.Ref[int64] {
	return spanStore(ctx, b.bound, to, from, byScore, "RevRangeByScoreStore", scores, true)
}

// RangeByLexStore is RangeStore of what RangeByLex answers.
//
// Cost: ZRANGESTORE BYLEX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RangeByLexStore(ctx context.Context, to, from K, members Span[M]) *pipectx.Ref[int64] {
	return spanStore(ctx, b.bound, to, from, byText(b.member.value), "RangeByLexStore", members, false)
}

// RevRangeByLexStore is RangeStore of what RevRangeByLex answers.
//
// Cost: ZRANGESTORE BYLEX REV, and PEXPIRE with a default TTL; 1 or 2 commands; 1
// round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) RevRangeByLexStore(ctx context.Context, to, from K, members Span[M]) *pipectx.Ref[int64] {
	return spanStore(ctx, b.bound, to, from, byText(b.member.value), "RevRangeByLexStore", members, true)
}

func spanStore[K, T any](ctx context.Context, b bound[K], to, from K, o order[T], verb string, s Span[T], reverse bool) *pipectx.Ref[int64] {
	c := b.meet("ZRANGESTORE", to, from)
	o.page(c, b.def.keys.Prefix(), verb, s, reverse)
	return writeTo(ctx, b, c, pipectx.Reply.Int, to)
}
