package keyspace

import (
	"context"
	"errors"
	"reflect"

	"github.com/redmoon-go/redmoon/pipectx"
)

// HyperLogLog declares keys that count different members each, about: in 12 KiB at
// most, with a standard error of 0.81 %. Members cannot be read back. Source: the
// documentation of Redis, "HyperLogLog".
//
//	var Visitors = keyspace.NewHyperLogLog[string, int64]("visitors") // day → users
//
//	visitors := Visitors.On(db)
//	visitors.Add(ctx, "2026-11-21", 42, 43)
//	n, err := visitors.Count(ctx, "2026-11-21").Result()
type HyperLogLog[K, M any] struct {
	definition[K]
	member *value[M]
}

// NewHyperLogLog declares a HyperLogLog whose keys begin with prefix. Options are a
// [Placement], [TTL] and [Connection]. A wrong declaration panics, at start-up,
// with the place, the type and the cure; [TryNewHyperLogLog] returns the error.
func NewHyperLogLog[K, M any](prefix string, options ...Option) *HyperLogLog[K, M] {
	l, err := TryNewHyperLogLog[K, M](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return l
}

// TryNewHyperLogLog is [NewHyperLogLog] with the error returned.
func TryNewHyperLogLog[K, M any](prefix string, options ...Option) (*HyperLogLog[K, M], error) {
	l := &HyperLogLog[K, M]{}
	err := l.define("NewHyperLogLog", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[M]())
	if err == nil {
		l.member, err = newValue[M]("member")
	}
	if err != nil {
		return nil, l.wrong(err)
	}
	return l, nil
}

// On binds the HyperLogLog to a DB: what it returns has the verbs. If the HyperLogLog
// declares a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (l *HyperLogLog[K, M]) On(db *pipectx.DB) BoundHyperLogLog[K, M] {
	return BoundHyperLogLog[K, M]{l.on(db), l.member}
}

// BoundHyperLogLog is a [HyperLogLog] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundHyperLogLog[K, M any] struct {
	bound[K]
	member *value[M]
}

// Key is one key of the HyperLogLog: the same verbs without the id. If the id has no
// key, they answer why.
func (b BoundHyperLogLog[K, M]) Key(id K) HyperLogLogKey[M] {
	return HyperLogLogKey[M]{b.handle(id), b.member}
}

// CountMany answers about how many different members there are in all of ids together.
// On a Cluster all must be in one slot: a [*pipectx.CrossSlotError] names two keys
// that are not, and nothing is sent.
//
// Cost: PFCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundHyperLogLog[K, M]) CountMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	if len(ids) == 0 && b.err == nil {
		return resolved[int64](0)
	}
	return pipectx.Send(ctx, b.db, b.meet("PFCOUNT", ids...).Read(), pipectx.Reply.Int)
}

// Merge adds the members of ids to those of to. Slots are as in CountMany.
//
// Cost: PFMERGE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (b BoundHyperLogLog[K, M]) Merge(ctx context.Context, to K, ids ...K) *pipectx.Ref[struct{}] {
	c := b.meet("PFMERGE", to)
	if len(ids) == 0 {
		c.Fail(errors.New("keyspace: Merge of nothing; give the ids of one HyperLogLog at least"))
	}
	b.addKeys(c, ids)
	return writeTo(ctx, b.bound, c, pipectx.Reply.OK, to)
}

// HyperLogLogKey is one key of a [BoundHyperLogLog].
type HyperLogLogKey[M any] struct {
	handle
	member *value[M]
}

// Add adds members, and tells whether that changed what Count answers, or made the
// key. More than 5,000 go in several commands of one pipeline, and are not added at
// one moment; without members nothing is sent.
//
// Cost: PFADD, 1 command for each 5,000 members, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k HyperLogLogKey[M]) Add(ctx context.Context, members ...M) *pipectx.Ref[bool] {
	changes := writeAll(ctx, k.handle, "PFADD", members, k.member)
	return pipectx.Map(changes, func(n int64) (bool, error) { return n > 0, nil })
}

// Count answers about how many different members there are; 0 if there is no such key.
//
// Cost: PFCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k HyperLogLogKey[M]) Count(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("PFCOUNT").Read(), pipectx.Reply.Int)
}
