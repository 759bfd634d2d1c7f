package keyspace

import (
	"context"
	"fmt"
	"math"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Incr is [StringKey.IncrBy] of 1.
//
// Cost: INCR, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) Incr(ctx context.Context) *pipectx.Ref[V] {
	c := k.command("INCR")
	k.value.incremented(c, "Incr", k.key, false)
	return write(ctx, k.handle, c, k.value.one)
}

// IncrBy adds n, which may be negative, to the stored integer and answers the
// sum. A key that is not there counts as 0. It keeps a TTL.
//
// V must be an integer type, or the answer is an error and nothing is sent. The
// server counts in 64 bits and refuses what would overflow those; a sum that
// only V cannot hold is stored, and the answer is a *[field.DecodeError].
//
// Cost: INCRBY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) IncrBy(ctx context.Context, n int64) *pipectx.Ref[V] {
	c := k.command("INCRBY")
	c.Int(n)
	k.value.incremented(c, "IncrBy", k.key, false)
	return write(ctx, k.handle, c, k.value.one)
}

// IncrByFloat adds x to the stored number and answers the sum, as
// [StringKey.IncrBy] does for integers: V must be a float type. NaN and
// infinities are refused. The server keeps 17 digits behind the point of a sum,
// so a much smaller one is 0.
//
// Cost: INCRBYFLOAT, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k StringKey[V]) IncrByFloat(ctx context.Context, x float64) *pipectx.Ref[V] {
	c := k.command("INCRBYFLOAT")
	number(c, k.key, "IncrByFloat", x, false)
	k.value.incremented(c, "IncrByFloat", k.key, true)
	return write(ctx, k.handle, c, k.value.one)
}

// Decr is [StringKey.DecrBy] of 1.
//
// Cost: DECR, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) Decr(ctx context.Context) *pipectx.Ref[V] {
	c := k.command("DECR")
	k.value.incremented(c, "Decr", k.key, false)
	return write(ctx, k.handle, c, k.value.one)
}

// DecrBy takes n from the stored integer, as [StringKey.IncrBy] adds it, and answers
// what is left. The least of all integers is refused, which has no opposite.
//
// Cost: DECRBY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) DecrBy(ctx context.Context, n int64) *pipectx.Ref[V] {
	c := k.command("DECRBY")
	if n == math.MinInt64 {
		c.Fail(fmt.Errorf("keyspace: %s: DecrBy of %d: its opposite is no 64 bit integer; use IncrBy twice", k.key, n))
	}
	c.Int(n)
	k.value.incremented(c, "DecrBy", k.key, false)
	return write(ctx, k.handle, c, k.value.one)
}

// Bounds are what a sum of [StringKey.IncrEX] must keep to, of int64 for integers and
// float64 for floats. The zero Bounds are none.
type Bounds[N int64 | float64] struct {
	Least    field.Optional[N]
	Greatest field.Optional[N]

	// Saturate stops at the bound. Default: a sum beyond one is not stored, and
	// nothing is added.
	Saturate bool
}

// Increment is what [StringKey.IncrEX] did.
type Increment[V any] struct {
	Value V // what is stored now
	Added V // 0 where a bound was in the way
}

// IncrEX adds n to the stored integer within bounds, and answers the sum with what
// was added. An [Expiry] gives the key another end, and the default TTL one that has
// begun now; where nothing was added for a bound, the key keeps the one it has. V must
// be an integer type.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.8.
//
// Cost: INCREX; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) IncrEX(ctx context.Context, n int64, within Bounds[int64], expiry ...Expiry) *pipectx.Ref[Increment[V]] {
	c := k.command("INCREX")
	k.value.incremented(c, "IncrEX", k.key, false)
	c.Word("BYINT")
	c.Int(n)
	limit(c, within, c.Int)
	return k.increx(ctx, c, expiry)
}

// IncrEXFloat is [StringKey.IncrEX] for floats: V must be a float type.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.8.
//
// Cost: INCREX; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) IncrEXFloat(ctx context.Context, x float64, within Bounds[float64], expiry ...Expiry) *pipectx.Ref[Increment[V]] {
	c := k.command("INCREX")
	k.value.incremented(c, "IncrEXFloat", k.key, true)
	c.Word("BYFLOAT")
	add := func(x float64) { number(c, k.key, "IncrEXFloat", x, false) }
	add(x)
	limit(c, within, add)
	return k.increx(ctx, c, expiry)
}

func limit[N int64 | float64](c *pipectx.Command, within Bounds[N], add func(N)) {
	if least, ok := within.Least.Get(); ok {
		c.Word("LBOUND")
		add(least)
	}
	if greatest, ok := within.Greatest.Get(); ok {
		c.Word("UBOUND")
		add(greatest)
	}
	if within.Saturate {
		c.Word("SATURATE")
	}
}

func (k StringKey[V]) increx(ctx context.Context, c *pipectx.Command, expiry []Expiry) *pipectx.Ref[Increment[V]] {
	switch {
	case len(expiry) == 1 && expiry[0].kind != keepTTL:
		expiry[0].write(c, "", "PERSIST")
	case len(expiry) != 1:
		ends(c, k.ttl, expiry)
	}
	return pipectx.Send(ctx, k.db, c.Needs("Redis 8.8"), func(r pipectx.Reply) (done Increment[V], err error) {
		items, err := r.Items()
		if err != nil {
			return done, err
		}
		for _, p := range []*V{&done.Value, &done.Added} {
			if !items.Next() {
				return done, short(r)
			}
			text, err := items.Bytes()
			if err != nil {
				return done, err
			}
			if *p, err = k.value.parse(text, r.Key()); err != nil {
				return done, err
			}
		}
		return done, nil
	})
}
