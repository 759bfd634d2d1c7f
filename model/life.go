package model

import (
	"context"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Expire has the record end after d, at least a millisecond, and tells whether
// there is one. Save, Update and the like keep that, unless the model has a time to
// live of its own, which each of them begins again.
//
// Cost: PEXPIRE; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Expire(ctx context.Context, id K, d time.Duration) *pipectx.Ref[bool] {
	return r.Hash(id).Expire(ctx, d)
}

// ExpireAt has the record end at t, by the server's clock, and tells whether there
// was one. If t is past, it is removed at once.
//
// Cost: PEXPIREAT; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) ExpireAt(ctx context.Context, id K, t time.Time) *pipectx.Ref[bool] {
	return r.Hash(id).ExpireAt(ctx, t)
}

// Persist takes the record's time to live away and tells whether it had one.
//
// Cost: PERSIST; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Persist(ctx context.Context, id K) *pipectx.Ref[bool] {
	return r.Hash(id).Persist(ctx)
}

// TTL answers how long the record has left, absent if it does not expire;
// [pipectx.ErrNotFound] if there is none.
//
// Cost: PTTL; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) TTL(ctx context.Context, id K) *pipectx.Ref[field.Optional[time.Duration]] {
	return r.Hash(id).TTL(ctx)
}

// Hash is the Redis hash in which the record is stored, with the texts of its
// fields by name, and all verbs of package keyspace. What it writes the model knows
// nothing of: nothing is validated, and no version is counted.
func (r Repo[T, K]) Hash(id K) keyspace.HashKey[string, string] {
	return r.bound().hash.On(r.db).Key(id)
}
