package keyspace

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Sharded declares values of very many ids that live as the fields of a few hashes:
// where a key for each would cost the server more memory than the values themselves.
//
//	var Shortcuts = keyspace.NewSharded[string, string]("shortcut", 1024)
//
//	shortcuts := Shortcuts.On(db)
//	shortcuts.Set(ctx, "x7Kq", "https://example.org/")
//
// An id is the field of one of the hashes P{0} to P{n-1}: that whose number is the
// Cluster slot of the id's text, [pipectx.Slot], modulo n. Small hashes are compact as
// long as they have few fields (hash-max-listpack-entries of the server, 512): choose n
// so that a shard stays below. Changing n is a migration.
type Sharded[K comparable, V any] struct {
	shards int
	hash   *Hash[int64, K, V]
}

// NewSharded declares a Sharded of n hashes whose keys begin with prefix. Options are
// a [Placement], of the hashes, and [Connection]; a default TTL is refused, since it
// would be the whole shard's. A wrong declaration panics, at start-up, with the place,
// the type and the cure; [TryNewSharded] returns the error.
func NewSharded[K comparable, V any](prefix string, n int, options ...Option) *Sharded[K, V] {
	s, err := TryNewSharded[K, V](prefix, n, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewSharded is [NewSharded] with the error returned.
func TryNewSharded[K comparable, V any](prefix string, n int, options ...Option) (*Sharded[K, V], error) {
	s := &Sharded[K, V]{shards: n, hash: &Hash[int64, K, V]{}}
	d := &s.hash.definition
	err := d.define("NewSharded", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[V]())
	d.name = fmt.Sprintf("NewSharded[%v, %v](%q, %d)", reflect.TypeFor[K](), reflect.TypeFor[V](), prefix, n)
	if err == nil {
		s.hash.entry, err = newEntry[K, V]()
	}
	switch {
	case err != nil:
	case n < 1 || n > pipectx.Slots:
		err = fmt.Errorf("%d shards; give from 1 to %d", n, pipectx.Slots)
	case d.settings.TTL != 0:
		err = fmt.Errorf("TTL(%v) would be that of a whole shard; leave it out, and use Expire for each id", d.settings.TTL)
	}
	if err != nil {
		return nil, d.wrong(err)
	}
	return s, nil
}

// Prefix is what all keys begin with, but for those of a [Template].
func (s *Sharded[K, V]) Prefix() string { return s.hash.Prefix() }

// KeyOf returns the full Redis key of the hash that an id is in.
func (s *Sharded[K, V]) KeyOf(id K) (string, error) {
	shard, err := s.shard(id)
	if err != nil {
		return "", err
	}
	return s.hash.KeyOf(shard)
}

// String is the declaration as it is written in Go.
func (s *Sharded[K, V]) String() string { return s.hash.String() }

// shard is the number of the hash that an id is in.
func (s *Sharded[K, V]) shard(id K) (int64, error) {
	text, err := s.hash.entry.name.Append(nil, id)
	if err == nil && len(text) == 0 {
		err = ErrEmptyID
	}
	if err != nil {
		return 0, fmt.Errorf("keyspace: %s: %w", s.Prefix(), err)
	}
	return int64(pipectx.Slot(string(text)) % s.shards), nil
}

// On binds the Sharded to a DB: what it returns has the verbs. If the Sharded declares
// a connection that the DB does not have, they answer [pipectx.ErrUnknownConnection].
func (s *Sharded[K, V]) On(db *pipectx.DB) BoundSharded[K, V] {
	return BoundSharded[K, V]{s, s.hash.On(db)}
}

// BoundSharded is a [Sharded] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundSharded[K comparable, V any] struct {
	def  *Sharded[K, V]
	hash BoundHash[int64, K, V]
}

// Key is one id of the Sharded: the same verbs without it. If the id has no text, they
// answer why.
func (b BoundSharded[K, V]) Key(id K) ShardedKey[K, V] {
	shard, err := b.def.shard(id)
	key := b.hash.Key(shard)
	if key.err == nil {
		key.err = err
	}
	return ShardedKey[K, V]{key, id}
}

// MGet answers the values of ids in their order, absent where there is none. On a
// Cluster the ids may be in any slots; then the values need not be of one moment. In
// an Atomic all must be in one slot.
//
// Cost: HMGET; 1 command for each shard that is asked, and each 5,000 ids of it; 1
// round trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b BoundSharded[K, V]) MGet(ctx context.Context, ids ...K) *pipectx.Ref[[]field.Optional[V]] {
	parts, err := b.split(ids)
	if err != nil {
		return pipectx.Failed[[]field.Optional[V]](ctx, b.hash.db, err)
	}
	return together(ctx, b.hash.db, func(ctx context.Context) *pipectx.Ref[[]field.Optional[V]] {
		refs := make([]*pipectx.Ref[[]field.Optional[V]], len(parts))
		for i, p := range parts {
			refs[i] = b.hash.MGet(ctx, p.shard, p.ids...)
		}
		return pipectx.Map(pipectx.All(refs), func(found [][]field.Optional[V]) ([]field.Optional[V], error) {
			values := make([]field.Optional[V], len(ids))
			for i, p := range parts {
				for n, at := range p.at {
					values[at] = found[i][n]
				}
			}
			return values, nil
		})
	})
}

// DelMany removes ids and answers how many there were. On a Cluster they may be in any
// slots; in an Atomic all must be in one.
//
// Cost: HDEL; 1 command for each shard that is asked, and each 5,000 ids of it; 1 round
// trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b BoundSharded[K, V]) DelMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	parts, err := b.split(ids)
	if err != nil {
		return pipectx.Failed[int64](ctx, b.hash.db, err)
	}
	return together(ctx, b.hash.db, func(ctx context.Context) *pipectx.Ref[int64] {
		refs := make([]*pipectx.Ref[int64], len(parts))
		for i, p := range parts {
			refs[i] = b.hash.HDel(ctx, p.shard, p.ids...)
		}
		return pipectx.Map(pipectx.All(refs), sum)
	})
}

// Len answers how many ids there are. On a Cluster it is not of one moment.
//
// Cost: HLEN; 1 command for each shard; 1 round trip outside Run, on a Cluster 1 to
// each node, none of its own inside.
func (b BoundSharded[K, V]) Len(ctx context.Context) *pipectx.Ref[int64] {
	return together(ctx, b.hash.db, func(ctx context.Context) *pipectx.Ref[int64] {
		refs := make([]*pipectx.Ref[int64], b.def.shards)
		for i := range refs {
			refs[i] = b.hash.Len(ctx, int64(i))
		}
		return pipectx.Map(pipectx.All(refs), sum)
	})
}

// Each iterates over the ids and their values, shard by shard, as [HashKey.Each] does
// over one hash. An error of a shard ends that shard; the others follow, if the caller
// goes on.
//
// Cost: HSCAN; 1 command and 1 round trip for each shard, and each 1,000 ids of it,
// while the caller iterates.
func (b BoundSharded[K, V]) Each(ctx context.Context, match string) iter.Seq2[KV[K, V], error] {
	return func(yield func(KV[K, V], error) bool) {
		for shard := range b.def.shards {
			for pair, err := range b.hash.Each(ctx, int64(shard), match) {
				if !yield(KV[K, V]{pair.Field, pair.Value}, err) || err != nil && ctx.Err() != nil {
					return
				}
				if err := pipectx.Outside(ctx, b.hash.db, ""); err != nil {
					return // all shards would say the same
				}
			}
		}
	}
}

// A shardPart is those of many ids that are in one shard, with their positions.
type shardPart[K any] struct {
	shard int64
	ids   []K
	at    []int
}

// split groups ids by their shards, in the order in which these come.
func (b BoundSharded[K, V]) split(ids []K) ([]*shardPart[K], error) {
	if b.hash.err != nil {
		return nil, b.hash.err
	}
	var parts []*shardPart[K]
	open := map[int64]*shardPart[K]{}
	for i, id := range ids {
		shard, err := b.def.shard(id)
		if err != nil {
			return nil, &PositionError{From: i, To: i, Of: len(ids), Err: err}
		}
		p := open[shard]
		if p == nil {
			p = &shardPart[K]{shard: shard}
			open[shard] = p
			parts = append(parts, p)
		}
		p.ids, p.at = append(p.ids, id), append(p.at, i)
	}
	return parts, nil
}

// ShardedKey is one id of a [BoundSharded].
type ShardedKey[K comparable, V any] struct {
	hash HashKey[K, V]
	id   K
}

// Get answers the value; [pipectx.ErrNotFound] if there is none.
//
// Cost: HGET; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Get(ctx context.Context) *pipectx.Ref[V] { return k.hash.Get(ctx, k.id) }

// Set stores the value, and tells whether the id is new. It takes a TTL away.
//
// Cost: HSET; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Set(ctx context.Context, value V) *pipectx.Ref[bool] {
	return k.hash.Set(ctx, k.id, value)
}

// SetNX stores the value if there is none, and tells whether it did.
//
// Cost: HSETNX; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) SetNX(ctx context.Context, value V) *pipectx.Ref[bool] {
	return k.hash.SetNX(ctx, k.id, value)
}

// Exists tells whether there is a value.
//
// Cost: HEXISTS; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Exists(ctx context.Context) *pipectx.Ref[bool] {
	return k.hash.HExists(ctx, k.id)
}

// Del removes the id and tells whether there was one.
//
// Cost: HDEL; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) Del(ctx context.Context) *pipectx.Ref[bool] {
	return pipectx.Map(k.hash.HDel(ctx, k.id), func(n int64) (bool, error) { return n > 0, nil })
}

// StrLen answers the length, in bytes, of the stored text; 0 if there is none.
//
// Cost: HSTRLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) StrLen(ctx context.Context) *pipectx.Ref[int64] {
	return k.hash.StrLen(ctx, k.id)
}

// IncrBy adds n, as [HashKey.IncrBy] does, and answers the sum; V is an integer type.
//
// Cost: HINCRBY; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) IncrBy(ctx context.Context, n int64) *pipectx.Ref[V] {
	return k.hash.IncrBy(ctx, k.id, n)
}

// IncrByFloat adds x, as [HashKey.IncrByFloat] does, and answers the sum; V is a float
// type.
//
// Cost: HINCRBYFLOAT; 1 command; 1 round trip outside Run, none of its own inside.
func (k ShardedKey[K, V]) IncrByFloat(ctx context.Context, x float64) *pipectx.Ref[V] {
	return k.hash.IncrByFloat(ctx, k.id, x)
}
