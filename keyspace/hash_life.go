package keyspace

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// fieldTTLServers have times to live of hash fields.
const fieldTTLServers = "Redis 7.4 or Valkey 9"

// FieldEnd is what HTTL and HExpireTime answer of one field.
type FieldEnd[T any] struct {
	Found bool              // whether there is such a field
	Ends  field.Optional[T] // absent if it does not expire
}

// HExpire has fields end after d, at least a millisecond, and tells of each, in their
// order, whether there is one. The default TTL is that of the whole key, and does not
// change. Verbs that set a field's value, but for the increments, end its TTL.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpire(ctx context.Context, d time.Duration, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpire", pexpire(k.key, d), "", names)
}

// HExpireNX is HExpire for fields that do not expire, and tells of each whether it
// did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE NX; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireNX(ctx context.Context, d time.Duration, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireNX", pexpire(k.key, d), "NX", names)
}

// HExpireXX is HExpire for fields that expire, and tells of each whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE XX; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireXX(ctx context.Context, d time.Duration, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireXX", pexpire(k.key, d), "XX", names)
}

// HExpireGT is HExpire where that is later than the field ends now, and tells of each
// whether it did. A field that does not expire ends later than any.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE GT; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireGT(ctx context.Context, d time.Duration, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireGT", pexpire(k.key, d), "GT", names)
}

// HExpireLT is HExpire where that is earlier than the field ends now, or the field
// does not expire, and tells of each whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE LT; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireLT(ctx context.Context, d time.Duration, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireLT", pexpire(k.key, d), "LT", names)
}

// HExpireAt has fields end at t, to the millisecond by the server's clock, and tells
// of each, in their order, whether there was one. If t is past they are removed at
// once. The zero Time is refused.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireAt(ctx context.Context, t time.Time, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireAt", pexpireat(k.key, t), "", names)
}

// HExpireAtNX is HExpireAt for fields that do not expire, and tells of each whether it
// did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT NX; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireAtNX(ctx context.Context, t time.Time, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireAtNX", pexpireat(k.key, t), "NX", names)
}

// HExpireAtXX is HExpireAt for fields that expire, and tells of each whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT XX; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireAtXX(ctx context.Context, t time.Time, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireAtXX", pexpireat(k.key, t), "XX", names)
}

// HExpireAtGT is HExpireAt where t is later than the field ends now, and tells of each
// whether it did. A field that does not expire ends later than any.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT GT; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireAtGT(ctx context.Context, t time.Time, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireAtGT", pexpireat(k.key, t), "GT", names)
}

// HExpireAtLT is HExpireAt where t is earlier than the field ends now, or the field
// does not expire, and tells of each whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT LT; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HExpireAtLT(ctx context.Context, t time.Time, names ...F) *pipectx.Ref[[]bool] {
	return k.endFields(ctx, "HExpireAtLT", pexpireat(k.key, t), "LT", names)
}

// HPersist takes the fields' TTLs away, and tells of each, in their order, whether it
// had one.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPERSIST; 1 command for each 5,000 fields; 1 round trip outside Run, none of
// its own inside.
func (k HashKey[F, V]) HPersist(ctx context.Context, names ...F) *pipectx.Ref[[]bool] {
	return eachField(ctx, k, names, func() *pipectx.Command { return k.command("HPERSIST") }, wereEnded)
}

// HTTL answers how long fields have left, in their order, to the millisecond.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPTTL; 1 command for each 5,000 fields; 1 round trip outside Run, none of its
// own inside.
func (k HashKey[F, V]) HTTL(ctx context.Context, names ...F) *pipectx.Ref[[]FieldEnd[time.Duration]] {
	return eachField(ctx, k, names, func() *pipectx.Command { return k.command("HPTTL").Read() },
		fieldEnds(duration))
}

// HExpireTime answers when fields end, in their order, to the millisecond.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRETIME; 1 command for each 5,000 fields; 1 round trip outside Run, none
// of its own inside.
func (k HashKey[F, V]) HExpireTime(ctx context.Context, names ...F) *pipectx.Ref[[]FieldEnd[time.Time]] {
	return eachField(ctx, k, names, func() *pipectx.Command { return k.command("HPEXPIRETIME").Read() }, fieldEnds(time.UnixMilli))
}

// An ending is the command that sets one, with its milliseconds.
type ending struct {
	command string
	millis  int64
	err     error
}

func pexpire(key string, d time.Duration) ending {
	e := ending{command: "HPEXPIRE", millis: d.Milliseconds()}
	if d < time.Millisecond {
		e.err = fmt.Errorf("keyspace: %s: fields that end after %v: Redis counts milliseconds; give at least one, or HDel them", key, d)
	}
	return e
}

func pexpireat(key string, t time.Time) ending {
	e := ending{command: "HPEXPIREAT", millis: max(t.UnixMilli(), 0)} // servers refuse what is before 1970
	if t.IsZero() {
		e.err = fmt.Errorf("keyspace: %s: fields that end at the zero Time; give a time, or HPersist them", key)
	}
	return e
}

func (k HashKey[F, V]) endFields(ctx context.Context, verb string, e ending, condition string, names []F) *pipectx.Ref[[]bool] {
	return eachField(ctx, k, names, func() *pipectx.Command {
		c := k.command(e.command)
		if e.err != nil {
			c.Fail(fmt.Errorf("%w (%s)", e.err, verb))
		}
		c.Int(e.millis)
		if condition != "" {
			c.Word(condition)
		}
		return c
	}, wereEnded)
}

// eachField sends a command about the TTLs of fields, or several, and joins what they
// answer of each.
func eachField[F comparable, V, T any](ctx context.Context, k HashKey[F, V], names []F, command func() *pipectx.Command,
	decode func(r pipectx.Reply, n int) ([]T, error)) *pipectx.Ref[[]T] {
	return inParts(ctx, k.handle, names, func(ctx context.Context, from, to int) *pipectx.Ref[[]T] {
		c := k.addFields(command().Needs(fieldTTLServers), names, from, to)
		return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) ([]T, error) { return decode(r, to-from) })
	})
}

// addFields adds FIELDS, how many they are, and some of the fields.
func (k HashKey[F, V]) addFields(c *pipectx.Command, names []F, from, to int) *pipectx.Command {
	c.Word("FIELDS")
	c.Int(int64(to - from))
	return carry(c, k.key, names, from, to, k.entry.name)
}

// fieldAnswers reads n integers. Where there is no key Redis may answer null: then there
// is none of the fields either, which is -2.
func fieldAnswers(r pipectx.Reply, n int) ([]int64, error) {
	all := make([]int64, n)
	if r.IsNil() {
		for i := range all {
			all[i] = -2
		}
		return all, nil
	}
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if !items.Next() {
			return nil, short(r)
		}
		if all[i], err = items.Reply().Int(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// wereEnded reads what the server did to fields: 1 as asked, 2 removed, since its time
// is past; 0 a condition was not met, -1 there was no TTL, -2 there is no field.
func wereEnded(r pipectx.Reply, n int) ([]bool, error) {
	did, err := fieldAnswers(r, n)
	if err != nil {
		return nil, err
	}
	yes := make([]bool, n)
	for i := range yes {
		yes[i] = did[i] > 0
	}
	return yes, nil
}

// fieldEnds reads milliseconds, -1 without a TTL, -2 without a field.
func fieldEnds[T any](of func(ms int64) T) func(r pipectx.Reply, n int) ([]FieldEnd[T], error) {
	return func(r pipectx.Reply, n int) ([]FieldEnd[T], error) {
		left, err := fieldAnswers(r, n)
		if err != nil {
			return nil, err
		}
		ends := make([]FieldEnd[T], n)
		for i, ms := range left {
			ends[i].Found = ms != -2
			if ms >= 0 {
				ends[i].Ends = field.Some(of(ms))
			}
		}
		return ends, nil
	}
}
