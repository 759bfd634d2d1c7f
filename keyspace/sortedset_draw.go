package keyspace

import (
	"context"
	"iter"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Ranked is a rank with the score that gives it.
type Ranked struct {
	Rank  int64
	Score float64
}

// RankWithScore is [SortedSetKey.Rank] with the score. It needs Redis 7.2 or Valkey
// 8; older servers answer [pipectx.ErrUnsupported].
//
// Cost: ZRANK WITHSCORE; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RankWithScore(ctx context.Context, member M) *pipectx.Ref[Ranked] {
	return k.ranked(ctx, "ZRANK", member)
}

// RevRankWithScore is [SortedSetKey.RevRank] with the score. It needs Redis 7.2 or
// Valkey 8; older servers answer [pipectx.ErrUnsupported].
//
// Cost: ZREVRANK WITHSCORE; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SortedSetKey[M]) RevRankWithScore(ctx context.Context, member M) *pipectx.Ref[Ranked] {
	return k.ranked(ctx, "ZREVRANK", member)
}

func (k SortedSetKey[M]) ranked(ctx context.Context, name string, member M) *pipectx.Ref[Ranked] {
	c := k.about(name, member).Needs("Redis 7.2 or Valkey 8")
	c.Word("WITHSCORE")
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) (z Ranked, err error) {
		items, err := r.Items()
		if err != nil {
			return z, missing(err, "member of "+r.Key())
		}
		if !items.Next() {
			return z, short(r)
		}
		if z.Rank, err = items.Reply().Int(); err != nil {
			return z, err
		}
		if !items.Next() {
			return z, short(r)
		}
		z.Score, err = items.Reply().Float()
		return z, err
	})
}

// RandMember answers some member and leaves it there. If there is no such key the
// answer is [pipectx.ErrNotFound].
//
// Cost: ZRANDMEMBER; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RandMember(ctx context.Context) *pipectx.Ref[M] {
	return pipectx.Send(ctx, k.db, k.command("ZRANDMEMBER").Read(), k.member.one)
}

// RandMemberN answers some n members, all different, or all there are if those are
// fewer. For a negative n it draws -n times, and members may repeat. If there is no
// such key it answers none.
//
// Cost: ZRANDMEMBER; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RandMemberN(ctx context.Context, n int64) *pipectx.Ref[[]M] {
	c := k.command("ZRANDMEMBER").Read()
	c.Int(n)
	return pipectx.Send(ctx, k.db, c, k.member.all)
}

// RandMemberNWithScores is [SortedSetKey.RandMemberN] with the scores.
//
// Cost: ZRANDMEMBER WITHSCORES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SortedSetKey[M]) RandMemberNWithScores(ctx context.Context, n int64) *pipectx.Ref[[]Z[M]] {
	c := k.command("ZRANDMEMBER").Read()
	c.Int(n)
	c.Word("WITHSCORES")
	return pipectx.Send(ctx, k.db, c, k.member.allScored)
}

// Scan is one step of an iteration over the members and their scores, from a cursor,
// 0 to begin with: about count members, the server's own number for 0, of those whose
// texts match a pattern of Redis's, "" for all. [SortedSetKey.Each] makes the steps by
// itself.
//
// Cost: ZSCAN; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Scan(ctx context.Context, cursor uint64, match string, count int64) *pipectx.Ref[Page[Z[M]]] {
	return k.scan().step(ctx, k.handle, cursor, match, count)
}

// Each iterates over the members and their scores, in no order, as [SetKey.Each] does
// over those of a set.
//
// Cost: ZSCAN; 1 command and 1 round trip for each 1,000 members, while the caller
// iterates.
func (k SortedSetKey[M]) Each(ctx context.Context, match string) iter.Seq2[Z[M], error] {
	return k.scan().all(ctx, k.handle, "Each", match)
}

func (k SortedSetKey[M]) scan() scan[Z[M]] {
	return scan[Z[M]]{command: "ZSCAN", items: k.member.scoredFrom}
}
