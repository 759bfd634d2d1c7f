package keyspace

import (
	"context"
	"errors"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// KV is an id with its value.
type KV[K, V any] struct {
	ID    K
	Value V
}

// MGet answers the values of ids in their order, absent where there is no such
// key, or one of another Redis type. On a Cluster the ids may be in any slots;
// then, or beyond 5,000 ids, the values need not be of one moment. In an Atomic all
// must be in one slot.
//
// Cost: MGET; 1 command for each 5,000 ids, on a Cluster for those of each
// slot; 1 round trip outside Run, on a Cluster 1 to each node, none of its own
// inside.
func (b BoundString[K, V]) MGet(ctx context.Context, ids ...K) *pipectx.Ref[[]field.Optional[V]] {
	keys, err := b.keysOf(ids)
	if err != nil {
		return pipectx.Failed[[]field.Optional[V]](ctx, b.db, err)
	}
	get := func(ctx context.Context, group []int) *pipectx.Ref[[]field.Optional[V]] {
		c := pipectx.NewCommand("MGET").Read()
		for _, i := range group {
			c.Key(keys[i])
		}
		positioned(c, group, len(keys))
		return pipectx.Send(ctx, b.db, c, func(r pipectx.Reply) ([]field.Optional[V], error) {
			return b.value.decodeOptional(r, len(group), func(n int) (string, string) { return keys[group[n]], "" })
		})
	}
	return inGroups(ctx, b.db, keys, get, func(groups [][]int, parts [][]field.Optional[V]) ([]field.Optional[V], error) {
		values := make([]field.Optional[V], len(keys))
		for p, group := range groups {
			for n, i := range group {
				values[i] = parts[p][n]
			}
		}
		return values, nil
	})
}

// MSet stores the values of several ids, in the place of what they hold; of an id
// that is given twice, the last. As Set does, it takes TTLs away, but for the default
// one, which begins anew. On a Cluster the ids may be in any slots; then, or beyond
// 5,000 ids, it takes several commands, and others may come between. In an Atomic all
// must be in one slot.
//
// Cost: MSET; 1 command for each 5,000 ids, on a Cluster for those of each slot, and
// a PEXPIRE for each id with a default TTL; 1 round trip outside Run, on a Cluster 1
// to each node, none of its own inside.
func (b BoundString[K, V]) MSet(ctx context.Context, values ...KV[K, V]) *pipectx.Ref[struct{}] {
	keys, err := b.keysOf(idsOf(values))
	if err != nil {
		return pipectx.Failed[struct{}](ctx, b.db, err)
	}
	set := func(ctx context.Context, group []int) *pipectx.Ref[struct{}] {
		c := pipectx.NewCommand("MSET")
		for _, i := range group {
			c.Key(keys[i])
			b.value.write(c, keys[i], values[i].Value)
		}
		positioned(c, group, len(keys))
		return b.renewing(ctx, keys, group, func(ctx context.Context) *pipectx.Ref[struct{}] {
			return pipectx.Send(ctx, b.db, c, pipectx.Reply.OK)
		})
	}
	return inGroups(ctx, b.db, keys, set, func([][]int, []struct{}) (struct{}, error) { return struct{}{}, nil })
}

// renewing sends a command and the renewals of its keys' TTLs.
func (b BoundString[K, V]) renewing(ctx context.Context, keys []string, group []int, send func(context.Context) *pipectx.Ref[struct{}]) *pipectx.Ref[struct{}] {
	if b.def.settings.TTL == 0 {
		return send(ctx)
	}
	return together(ctx, b.db, func(ctx context.Context) *pipectx.Ref[struct{}] {
		ref := send(ctx)
		for _, i := range group {
			handle{db: b.db, key: keys[i], ttl: b.def.settings.TTL}.renew(ctx)
		}
		return ref
	})
}

// MSetNX stores the values of several ids if none of them has a key, all or none,
// and tells whether it did. On a Cluster all must be in one slot: a
// [*pipectx.CrossSlotError] names two keys that are not, and nothing is sent. A
// keyspace with a default TTL has [BoundString.MSetEXNX] for it.
//
// Cost: MSETNX; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) MSetNX(ctx context.Context, values ...KV[K, V]) *pipectx.Ref[bool] {
	if len(values) == 0 && b.err == nil {
		return resolved(true)
	}
	c := pipectx.NewCommand("MSETNX")
	if b.def.settings.TTL != 0 {
		c.Fail(errors.New("keyspace: MSetNX cannot give the default TTL to those keys alone that it makes; use MSetEXNX, or SetNX for each"))
	}
	b.writeAll(c, values)
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.Bool)
}

// MSetEX stores the values of several ids with one end, all at one moment. Without
// expiry it is the default TTL, or none. Slots are as in MSetNX.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4 and Valkey 9.1.
//
// Cost: MSETEX; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) MSetEX(ctx context.Context, values []KV[K, V], expiry ...Expiry) *pipectx.Ref[bool] {
	return b.setTogether(ctx, "", values, expiry)
}

// MSetEXNX is MSetEX if none of the ids has a key, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4 and Valkey 9.1.
//
// Cost: MSETEX NX; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) MSetEXNX(ctx context.Context, values []KV[K, V], expiry ...Expiry) *pipectx.Ref[bool] {
	return b.setTogether(ctx, "NX", values, expiry)
}

// MSetEXXX is MSetEX if all of the ids have a key, and tells whether it did.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.4 and Valkey 9.1.
//
// Cost: MSETEX XX; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) MSetEXXX(ctx context.Context, values []KV[K, V], expiry ...Expiry) *pipectx.Ref[bool] {
	return b.setTogether(ctx, "XX", values, expiry)
}

func (b BoundString[K, V]) setTogether(ctx context.Context, condition string, values []KV[K, V], expiry []Expiry) *pipectx.Ref[bool] {
	if len(values) == 0 && b.err == nil {
		return resolved(true)
	}
	c := pipectx.NewCommand("MSETEX").Needs("Redis 8.4 or Valkey 9.1")
	c.Int(int64(len(values)))
	b.writeAll(c, values)
	if condition != "" {
		c.Word(condition)
	}
	ends(c, b.def.settings.TTL, expiry)
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.Bool)
}

// writeAll adds keys and values in turns.
func (b BoundString[K, V]) writeAll(c *pipectx.Command, values []KV[K, V]) {
	keys, err := b.keysOf(idsOf(values))
	if err != nil {
		c.Fail(err)
	}
	for i, key := range keys {
		c.Key(key)
		b.value.write(c, key, values[i].Value)
	}
}

func idsOf[K, V any](values []KV[K, V]) []K {
	ids := make([]K, len(values))
	for i, v := range values {
		ids[i] = v.ID
	}
	return ids
}
