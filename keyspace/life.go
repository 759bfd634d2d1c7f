package keyspace

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Expire has the key end after d, and tells whether there is such a key. It
// counts whole milliseconds and refuses less than one: to remove a key, Del it.
//
// Cost: PEXPIRE; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Expire(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return h.expire(ctx, "Expire", d, "")
}

// ExpireNX is Expire for a key that does not expire, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: PEXPIRE NX; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireNX(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return h.expire(ctx, "ExpireNX", d, "NX")
}

// ExpireXX is Expire for a key that expires, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: PEXPIRE XX; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireXX(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return h.expire(ctx, "ExpireXX", d, "XX")
}

// ExpireGT is Expire where that is later than the key ends now, and tells whether
// it did. A key that does not expire ends later than any.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: PEXPIRE GT; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireGT(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return h.expire(ctx, "ExpireGT", d, "GT")
}

// ExpireLT is Expire where that is earlier than the key ends now, or the key does
// not expire, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: PEXPIRE LT; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireLT(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return h.expire(ctx, "ExpireLT", d, "LT")
}

func (h handle) expire(ctx context.Context, verb string, d time.Duration, condition string) *pipectx.Ref[bool] {
	c := h.command("PEXPIRE")
	if d < time.Millisecond {
		c.Fail(fmt.Errorf("keyspace: %s: %s after %v: Redis counts milliseconds; give at least one, or Del the key", h.key, verb, d))
	}
	c.Int(d.Milliseconds())
	if condition != "" {
		c.Needs("Redis 7.0")
		c.Word(condition)
	}
	return pipectx.Send(ctx, h.db, c, pipectx.Reply.Bool)
}

// ExpireAt has the key end at t, to the millisecond by the server's clock, and
// tells whether there was such a key. If t is past, the key is removed at once.
// The zero Time is refused.
//
// Cost: PEXPIREAT; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireAt(ctx context.Context, t time.Time) *pipectx.Ref[bool] {
	c := h.command("PEXPIREAT")
	if t.IsZero() {
		c.Fail(fmt.Errorf("keyspace: %s: ExpireAt the zero Time; give a time, or Persist the key", h.key))
	}
	c.Int(t.UnixMilli())
	return pipectx.Send(ctx, h.db, c, pipectx.Reply.Bool)
}

// Persist takes the key's TTL away and tells whether it had one.
//
// Cost: PERSIST; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Persist(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, h.db, h.command("PERSIST"), pipectx.Reply.Bool)
}

// TTL answers how long the key has left, to the millisecond, and more than the longest
// Duration as that; absent if it does not expire. If there is no such key the answer is [pipectx.ErrNotFound].
//
// Cost: PTTL; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) TTL(ctx context.Context) *pipectx.Ref[field.Optional[time.Duration]] {
	return pipectx.Send(ctx, h.db, h.command("PTTL").Read(), timeLeft)
}

// ExpireTime answers when the key ends, to the millisecond; absent if it does not
// expire. If there is no such key the answer is [pipectx.ErrNotFound].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: PEXPIRETIME; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) ExpireTime(ctx context.Context) *pipectx.Ref[field.Optional[time.Time]] {
	return pipectx.Send(ctx, h.db, h.command("PEXPIRETIME").Read().Needs("Redis 7.0"), timeOfEnd)
}

func timeLeft(r pipectx.Reply) (left field.Optional[time.Duration], err error) {
	ms, ok, err := millis(r)
	if ok {
		left = field.Some(duration(ms))
	}
	return left, err
}

// duration is so many milliseconds, or the longest there is: a key may have more left.
func duration(ms int64) time.Duration {
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

func timeOfEnd(r pipectx.Reply) (end field.Optional[time.Time], err error) {
	ms, ok, err := millis(r)
	if ok {
		end = field.Some(time.UnixMilli(ms))
	}
	return end, err
}

// millis reads milliseconds, -1 without a TTL, -2 without a key.
func millis(r pipectx.Reply) (ms int64, ok bool, err error) {
	ms, err = r.Int()
	if err == nil && ms == -2 {
		err = absent(r.Key())
	}
	return ms, err == nil && ms >= 0, err
}
