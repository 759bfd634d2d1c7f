package keyspace

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Count answers how many members have a score in the Span.
//
// Cost: ZCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Count(ctx context.Context, scores Span[float64]) *pipectx.Ref[int64] {
	c := k.command("ZCOUNT").Read()
	byScore.whole(c, k.key, "Count", scores)
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.Int)
}

// LexCount answers how many members are in the Span by their texts; all members have
// one score then, or the answer means nothing.
//
// Cost: ZLEXCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) LexCount(ctx context.Context, members Span[M]) *pipectx.Ref[int64] {
	c := k.command("ZLEXCOUNT").Read()
	byText(k.member.value).whole(c, k.key, "LexCount", members)
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.Int)
}

// RangeByScore answers the members with a score in the Span, or the page of them that
// its Limit says, lowest score first.
//
//	visits.RangeByScore(ctx, 42, keyspace.Above(2.0).Limit(0, 10))
//
// Cost: ZRANGE BYSCORE; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RangeByScore(ctx context.Context, scores Span[float64]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.byScore("RangeByScore", scores, false), k.member.all)
}

// RevRangeByScore is [SortedSetKey.RangeByScore], highest score first.
//
// Cost: ZRANGE BYSCORE REV; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SortedSetKey[M]) RevRangeByScore(ctx context.Context, scores Span[float64]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.byScore("RevRangeByScore", scores, true), k.member.all)
}

// RangeByScoreWithScores is [SortedSetKey.RangeByScore] with the scores.
//
// Cost: ZRANGE BYSCORE WITHSCORES; 1 command; 1 round trip outside Run, none of its
// own inside.
func (k SortedSetKey[M]) RangeByScoreWithScores(ctx context.Context, scores Span[float64]) *pipectx.Ref[[]Z[M]] {
	c := k.byScore("RangeByScoreWithScores", scores, false)
	c.Word("WITHSCORES")
	return pipectx.Send(ctx, k.db, c, k.member.allScored)
}

// RevRangeByScoreWithScores is [SortedSetKey.RevRangeByScore] with the scores.
//
// Cost: ZRANGE BYSCORE REV WITHSCORES; 1 command; 1 round trip outside Run, none of
// its own inside.
func (k SortedSetKey[M]) RevRangeByScoreWithScores(ctx context.Context, scores Span[float64]) *pipectx.Ref[[]Z[M]] {
	c := k.byScore("RevRangeByScoreWithScores", scores, true)
	c.Word("WITHSCORES")
	return pipectx.Send(ctx, k.db, c, k.member.allScored)
}

func (k SortedSetKey[M]) byScore(verb string, scores Span[float64], reverse bool) *pipectx.Command {
	c := k.command("ZRANGE").Read()
	byScore.page(c, k.key, verb, scores, reverse)
	return c
}

// RangeByLex answers the members in the Span by their texts, or the page of them that
// its Limit says, in the order of their bytes; all members have one score then, or
// the answer means nothing.
//
//	names.RangeByLex(ctx, "all", keyspace.From("ada").Below("adb")) // what begins with "ada"
//
// Cost: ZRANGE BYLEX; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RangeByLex(ctx context.Context, members Span[M]) *pipectx.Ref[[]M] {
	return k.byLex(ctx, "RangeByLex", members, false)
}

// RevRangeByLex is [SortedSetKey.RangeByLex] the other way round.
//
// Cost: ZRANGE BYLEX REV; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SortedSetKey[M]) RevRangeByLex(ctx context.Context, members Span[M]) *pipectx.Ref[[]M] {
	return k.byLex(ctx, "RevRangeByLex", members, true)
}

func (k SortedSetKey[M]) byLex(ctx context.Context, verb string, members Span[M], reverse bool) *pipectx.Ref[[]M] {
	c := k.command("ZRANGE").Read()
	byText(k.member.value).page(c, k.key, verb, members, reverse)
	return pipectx.Send(ctx, k.db, c, k.member.all)
}

// RemRangeByRank removes the members of ranks start to stop, both included, as
// [SortedSetKey.Range] counts them, and answers how many those were.
//
// Cost: ZREMRANGEBYRANK, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RemRangeByRank(ctx context.Context, start, stop int64) *pipectx.Ref[int64] {
	c := k.command("ZREMRANGEBYRANK")
	c.Int(start)
	c.Int(stop)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// RemRangeByScore removes the members with a score in the Span, and answers how many
// those were.
//
// Cost: ZREMRANGEBYSCORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RemRangeByScore(ctx context.Context, scores Span[float64]) *pipectx.Ref[int64] {
	c := k.command("ZREMRANGEBYSCORE")
	byScore.whole(c, k.key, "RemRangeByScore", scores)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// RemRangeByLex removes the members in the Span by their texts, as
// [SortedSetKey.RangeByLex] reads them, and answers how many those were.
//
// Cost: ZREMRANGEBYLEX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) RemRangeByLex(ctx context.Context, members Span[M]) *pipectx.Ref[int64] {
	c := k.command("ZREMRANGEBYLEX")
	byText(k.member.value).whole(c, k.key, "RemRangeByLex", members)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}
