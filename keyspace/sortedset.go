package keyspace

import (
	"context"
	"reflect"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// SortedSet declares keys that hold sets of members of type M, each with a
// score that orders them.
//
//	var Visits = keyspace.NewSortedSet[int64, string]("visits")
//
//	visits := Visits.On(db)
//	visits.IncrBy(ctx, 42, "/home", 1)
//	top, err := visits.RevRangeWithScores(ctx, 42, 0, 9).Result()
//
// Members of one score are ordered by their text, byte by byte. Scores are
// float64: every integer up to 2^53 is exact. Infinities are scores, NaN is
// refused. A sorted set without members and a key that is not there are the
// same.
type SortedSet[K, M any] struct {
	definition[K]
	member *scored[M]
}

// Z is a member of a sorted set with its score.
type Z[M any] struct {
	Member M
	Score  float64
}

// NewSortedSet declares a SortedSet whose keys begin with prefix. Options are a
// [Placement], [TTL] and [Connection]. A wrong declaration panics, at start-up,
// with the place, the type and the cure; [TryNewSortedSet] returns the error.
func NewSortedSet[K, M any](prefix string, options ...Option) *SortedSet[K, M] {
	s, err := TryNewSortedSet[K, M](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewSortedSet is [NewSortedSet] with the error returned.
func TryNewSortedSet[K, M any](prefix string, options ...Option) (*SortedSet[K, M], error) {
	s := &SortedSet[K, M]{}
	err := s.define("NewSortedSet", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[M]())
	if err == nil {
		s.member, err = newScored[M]()
	}
	if err != nil {
		return nil, s.wrong(err)
	}
	return s, nil
}

// On binds the SortedSet to a DB: what it returns has the verbs. If the
// SortedSet declares a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (s *SortedSet[K, M]) On(db *pipectx.DB) BoundSortedSet[K, M] {
	return BoundSortedSet[K, M]{s.on(db), s.member}
}

// BoundSortedSet is a [SortedSet] on a DB. It is small, to be copied, and safe
// for concurrent use.
type BoundSortedSet[K, M any] struct {
	bound[K]
	member *scored[M]
}

// Key is one key of the SortedSet: the same verbs without the id. If the id has
// no key, they answer why.
func (b BoundSortedSet[K, M]) Key(id K) SortedSetKey[M] {
	return SortedSetKey[M]{b.handle(id), b.member}
}

// SortedSetKey is one key of a [BoundSortedSet].
type SortedSetKey[M any] struct {
	handle
	member *scored[M]
}

// Add gives member a score, in place of the one it had. It tells whether the
// member is new.
//
// Cost: ZADD, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) Add(ctx context.Context, member M, score float64) *pipectx.Ref[bool] {
	c := k.command("ZADD")
	number(c, k.key, "Add", score, true)
	k.member.write(c, k.key, member)
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// AddMany gives members scores, in place of those they had, and answers how
// many of them are new. More than 5,000 go in several commands of one pipeline,
// and are not added at one moment; without members nothing is sent.
//
// Cost: ZADD, 1 command for each 5,000 members, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) AddMany(ctx context.Context, members ...Z[M]) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "ZADD", members, pairs[M]{k.member})
}

// pairs writes the words of ZADD: score and member.
type pairs[M any] struct{ member *scored[M] }

func (p pairs[M]) write(c *pipectx.Command, key string, z Z[M]) {
	number(c, key, "AddMany", z.Score, true)
	p.member.write(c, key, z.Member)
}

// IncrBy adds x, which may be negative, to the score of member and answers the
// sum. One that is no member yet counts as 0 and is added.
//
// Cost: ZINCRBY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) IncrBy(ctx context.Context, member M, x float64) *pipectx.Ref[float64] {
	c := k.command("ZINCRBY")
	number(c, k.key, "IncrBy", x, true)
	k.member.write(c, k.key, member)
	return write(ctx, k.handle, c, pipectx.Reply.Float)
}

// Rem removes members and answers how many of them were there; large numbers
// of them as in [SortedSetKey.AddMany]. The key goes with its last member.
//
// Cost: ZREM, 1 command for each 5,000 members, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Rem(ctx context.Context, members ...M) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "ZREM", members, k.member.value)
}

// Score answers the score of member. If it is none the answer is
// [pipectx.ErrNotFound], which is no failure of a Run.
//
// Cost: ZSCORE; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Score(ctx context.Context, member M) *pipectx.Ref[float64] {
	return pipectx.Send(ctx, k.db, k.about("ZSCORE", member), scoreOf)
}

// MScore answers the scores of members in their order, absent where one is
// none. Without members nothing is sent.
//
// Cost: ZMSCORE; 1 command for each 5,000 members; 1 round trip outside Run,
// none of its own inside.
func (k SortedSetKey[M]) MScore(ctx context.Context, members ...M) *pipectx.Ref[[]field.Optional[float64]] {
	return readAll(ctx, k.handle, "ZMSCORE", members, k.member.value, scores[M])
}

// Rank answers the rank of member: how many come before it, lowest score first.
// If it is no member the answer is [pipectx.ErrNotFound], which is no failure of
// a Run.
//
// Cost: ZRANK; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Rank(ctx context.Context, member M) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.about("ZRANK", member), rankOf)
}

// RevRank is [SortedSetKey.Rank], highest score first.
//
// Cost: ZREVRANK; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RevRank(ctx context.Context, member M) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.about("ZREVRANK", member), rankOf)
}

// about starts a question about one member.
func (k SortedSetKey[M]) about(name string, member M) *pipectx.Command {
	c := k.command(name).Read()
	k.member.write(c, k.key, member)
	return c
}

// Card answers how many members there are; 0 if there is no such key.
//
// Cost: ZCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Card(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("ZCARD").Read(), pipectx.Reply.Int)
}

// Range answers the members of ranks start to stop, both included, lowest score
// first. Ranks count from 0; negative ones from the end, where -1 is the last.
// Where there are none the answer is empty. A member that M cannot hold makes
// it a *[field.DecodeError].
//
// Cost: ZRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Range(ctx context.Context, start, stop int64) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.ranks("ZRANGE", start, stop), k.member.all)
}

// RevRange is [SortedSetKey.Range], highest score first: rank 0 has the highest
// score.
//
// Cost: ZREVRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) RevRange(ctx context.Context, start, stop int64) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.ranks("ZREVRANGE", start, stop), k.member.all)
}

// RangeWithScores is [SortedSetKey.Range] with the scores.
//
// Cost: ZRANGE WITHSCORES; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SortedSetKey[M]) RangeWithScores(ctx context.Context, start, stop int64) *pipectx.Ref[[]Z[M]] {
	c := k.ranks("ZRANGE", start, stop)
	c.Word("WITHSCORES")
	return pipectx.Send(ctx, k.db, c, k.member.allScored)
}

// RevRangeWithScores is [SortedSetKey.RevRange] with the scores.
//
// Cost: ZREVRANGE WITHSCORES; 1 command; 1 round trip outside Run, none of its
// own inside.
func (k SortedSetKey[M]) RevRangeWithScores(ctx context.Context, start, stop int64) *pipectx.Ref[[]Z[M]] {
	c := k.ranks("ZREVRANGE", start, stop)
	c.Word("WITHSCORES")
	return pipectx.Send(ctx, k.db, c, k.member.allScored)
}

func (k SortedSetKey[M]) ranks(name string, start, stop int64) *pipectx.Command {
	c := k.command(name).Read()
	c.Int(start)
	c.Int(stop)
	return c
}
