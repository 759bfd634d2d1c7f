package keyspace

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Set declares keys that hold sets of members of type M.
//
//	var Tags = keyspace.NewSet[int64, string]("tags")
//
//	tags := Tags.On(db)
//	tags.Add(ctx, 42, "red", "round")
//	all, err := tags.Members(ctx, 42).Result()
//
// A set without members and a key that is not there are the same.
type Set[K, M any] struct {
	definition[K]
	member *value[M]
}

// NewSet declares a Set whose keys begin with prefix. Options are a [Placement],
// [TTL] and [Connection]. A wrong declaration panics, at start-up, with the
// place, the type and the cure; [TryNewSet] returns the error.
func NewSet[K, M any](prefix string, options ...Option) *Set[K, M] {
	s, err := TryNewSet[K, M](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewSet is [NewSet] with the error returned.
func TryNewSet[K, M any](prefix string, options ...Option) (*Set[K, M], error) {
	s := &Set[K, M]{}
	err := s.define("NewSet", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[M]())
	if err == nil {
		s.member, err = newValue[M]("member")
	}
	if err != nil {
		return nil, s.wrong(err)
	}
	return s, nil
}

// On binds the Set to a DB: what it returns has the verbs. If the Set declares
// a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (s *Set[K, M]) On(db *pipectx.DB) BoundSet[K, M] { return BoundSet[K, M]{s.on(db), s.member} }

// BoundSet is a [Set] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundSet[K, M any] struct {
	bound[K]
	member *value[M]
}

// Key is one key of the Set: the same verbs without the id. If the id has no
// key, they answer why.
func (b BoundSet[K, M]) Key(id K) SetKey[M] { return SetKey[M]{b.handle(id), b.member} }

// SetKey is one key of a [BoundSet].
type SetKey[M any] struct {
	handle
	member *value[M]
}

// Add adds members and answers how many of them were not there before. More
// than 5,000 go in several commands of one pipeline, and are not added at one
// moment; without members nothing is sent.
//
// Cost: SADD, 1 command for each 5,000 members, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Add(ctx context.Context, members ...M) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "SADD", members, k.member)
}

// Rem removes members and answers how many of them were there; large numbers
// of them as in [SetKey.Add]. The key goes with its last member.
//
// Cost: SREM, 1 command for each 5,000 members, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Rem(ctx context.Context, members ...M) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "SREM", members, k.member)
}

// Members answers all members, in no order; none if there is no such key. A
// member that M cannot hold makes the answer a *[field.DecodeError].
//
// Cost: SMEMBERS; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Members(ctx context.Context) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.command("SMEMBERS").Read(), k.member.all)
}

// IsMember tells whether member is one.
//
// Cost: SISMEMBER; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) IsMember(ctx context.Context, member M) *pipectx.Ref[bool] {
	c := k.command("SISMEMBER").Read()
	k.member.write(c, k.key, member)
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.Bool)
}

// MIsMember tells of each of members, in their order, whether it is one. Without
// members nothing is sent.
//
// Cost: SMISMEMBER; 1 command for each 5,000 members; 1 round trip outside Run,
// none of its own inside.
func (k SetKey[M]) MIsMember(ctx context.Context, members ...M) *pipectx.Ref[[]bool] {
	return readAll(ctx, k.handle, "SMISMEMBER", members, k.member, bools[M])
}

// bools reads a yes or no for each of items.
func bools[E any](items []E) func(pipectx.Reply) ([]bool, error) {
	n := len(items)
	return func(r pipectx.Reply) ([]bool, error) {
		replies, err := r.Items()
		if err != nil {
			return nil, err
		}
		answers := make([]bool, n)
		for i := range answers {
			if !replies.Next() {
				return nil, short(r)
			}
			if answers[i], err = replies.Reply().Bool(); err != nil {
				return nil, err
			}
		}
		return answers, nil
	}
}

// Card answers how many members there are; 0 if there is no such key.
//
// Cost: SCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Card(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("SCARD").Read(), pipectx.Reply.Int)
}

// Pop removes some member and answers it. If there is no such key the answer is
// [pipectx.ErrNotFound].
//
// Cost: SPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SetKey[M]) Pop(ctx context.Context) *pipectx.Ref[M] {
	return write(ctx, k.handle, k.command("SPOP"), k.member.one)
}

// PopN removes some n members, or all if there are fewer, and answers them;
// none if there is no such key. A negative n is refused.
//
// Cost: SPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SetKey[M]) PopN(ctx context.Context, n int64) *pipectx.Ref[[]M] {
	c := k.command("SPOP")
	if n < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: PopN of %d; give a number that is not negative", k.key, n))
	}
	c.Int(n)
	return write(ctx, k.handle, c, k.member.all)
}

// RandMember answers some member and leaves it there. If there is no such key
// the answer is [pipectx.ErrNotFound].
//
// Cost: SRANDMEMBER; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SetKey[M]) RandMember(ctx context.Context) *pipectx.Ref[M] {
	return pipectx.Send(ctx, k.db, k.command("SRANDMEMBER").Read(), k.member.one)
}

// RandMemberN answers some n members, all different, or all there are if those
// are fewer. For a negative n it draws -n times, and members may repeat. If
// there is no such key it answers none.
//
// Cost: SRANDMEMBER; 1 command; 1 round trip outside Run, none of its own
// inside.
func (k SetKey[M]) RandMemberN(ctx context.Context, n int64) *pipectx.Ref[[]M] {
	c := k.command("SRANDMEMBER").Read()
	c.Int(n)
	return pipectx.Send(ctx, k.db, c, k.member.all)
}

// Scan is one step of an iteration over the members, from a cursor, 0 to begin with:
// about count members, the server's own number for 0, of those whose texts match a
// pattern of Redis's, "" for all. [SetKey.Each] makes the steps by itself.
//
// Cost: SSCAN; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Scan(ctx context.Context, cursor uint64, match string, count int64) *pipectx.Ref[Page[M]] {
	return k.scan().step(ctx, k.handle, cursor, match, count)
}

// Each iterates over the members whose texts match a pattern of Redis's, "" for all,
// without holding all of them. A member that is there all the while is seen at least
// once, and perhaps more often; one that comes or goes meanwhile may be seen or not.
// Inside a Run it is refused: the only thing seen is an error.
//
// Cost: SSCAN; 1 command and 1 round trip for each 1,000 members, while the caller
// iterates.
func (k SetKey[M]) Each(ctx context.Context, match string) iter.Seq2[M, error] {
	return k.scan().all(ctx, k.handle, "Each", match)
}

func (k SetKey[M]) scan() scan[M] { return scan[M]{command: "SSCAN", items: k.member.decodeFrom} }
