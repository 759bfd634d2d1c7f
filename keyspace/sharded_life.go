package keyspace

import (
	"context"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Expire has the id end after d, at least a millisecond, and tells whether there is
// one.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Expire(ctx context.Context, d time.Duration) *pipectx.Ref[bool] {
	return pipectx.Map(k.hash.HExpire(ctx, d, k.id), only)
}

// ExpireAt has the id end at t, now if that is past, and tells whether there was one.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIREAT; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) ExpireAt(ctx context.Context, t time.Time) *pipectx.Ref[bool] {
	return pipectx.Map(k.hash.HExpireAt(ctx, t, k.id), only)
}

// Persist takes the id's TTL away and tells whether it had one.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPERSIST; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Persist(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Map(k.hash.HPersist(ctx, k.id), only)
}

// TTL answers how long the id has left, to the millisecond; absent if it does not
// expire. If there is none the answer is [pipectx.ErrNotFound].
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPTTL; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) TTL(ctx context.Context) *pipectx.Ref[field.Optional[time.Duration]] {
	return pipectx.Map(k.hash.HTTL(ctx, k.id), func(ends []FieldEnd[time.Duration]) (field.Optional[time.Duration], error) {
		end, err := only(ends)
		if err == nil && !end.Found {
			err = absent(k.hash.key + " " + k.hash.entry.name.text(k.id))
		}
		return end.Ends, err
	})
}

// only is the answer about one field.
func only[T any](answers []T) (T, error) { return answers[0], nil } //nolint:unparam // the form that Map takes
