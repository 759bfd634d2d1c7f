package keyspace

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// String declares keys that hold one value of type V each, as a Redis string.
//
//	var Names = keyspace.NewString[int64, string]("name")
//
//	names := Names.On(db)
//	names.Set(ctx, 42, "Ada")
//	name, err := names.Get(ctx, 42).Result()
//
// Counters are strings too: see [StringKey.Incr].
type String[K, V any] struct {
	definition[K]
	value *value[V]
}

// NewString declares a String whose keys begin with prefix. Options are a
// [Placement], [TTL] and [Connection]. A wrong declaration panics, at start-up,
// with the place, the type and the cure; [TryNewString] returns the error.
func NewString[K, V any](prefix string, options ...Option) *String[K, V] {
	s, err := TryNewString[K, V](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewString is [NewString] with the error returned.
func TryNewString[K, V any](prefix string, options ...Option) (*String[K, V], error) {
	s := &String[K, V]{}
	err := s.define("NewString", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[V]())
	if err == nil {
		s.value, err = newValue[V]("value")
	}
	if err != nil {
		return nil, s.wrong(err)
	}
	return s, nil
}

// On binds the String to a DB: what it returns has the verbs. If the String
// declares a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (s *String[K, V]) On(db *pipectx.DB) BoundString[K, V] {
	return BoundString[K, V]{s.on(db), s.value}
}

// BoundString is a [String] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundString[K, V any] struct {
	bound[K]
	value *value[V]
}

// Key is one key of the String: the same verbs without the id. If the id has no
// key, they answer why.
func (b BoundString[K, V]) Key(id K) StringKey[V] { return StringKey[V]{b.handle(id), b.value} }

// Get answers the value; [pipectx.ErrNotFound] if there is no such key.
//
// Cost: GET; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) Get(ctx context.Context, id K) *pipectx.Ref[V] {
	return b.value.get(ctx, b.db, b.command("GET", id))
}

// MGet answers the values of ids in their order, absent where there is no such
// key, or one of another Redis type. On a Cluster the ids may be in any slots;
// then, or beyond 5,000 ids, the values need not be of one moment.
//
// Cost: MGET; 1 command for each 5,000 ids, on a Cluster for those of each
// slot; 1 round trip outside Run, on a Cluster 1 to each node, none of its own
// inside.
func (b BoundString[K, V]) MGet(ctx context.Context, ids ...K) *pipectx.Ref[[]field.Optional[V]] {
	keys := make([]string, len(ids))
	for i, id := range ids {
		h := b.handle(id)
		if h.err != nil {
			return pipectx.Failed[[]field.Optional[V]](ctx, b.db, h.err)
		}
		keys[i] = h.key
	}
	groups := meeting(keys, b.db.Cluster())
	get := func(ctx context.Context, group []int) *pipectx.Ref[[]field.Optional[V]] {
		c := pipectx.NewCommand("MGET").Read()
		for _, i := range group {
			c.Key(keys[i])
		}
		return pipectx.Send(ctx, b.db, c, func(r pipectx.Reply) ([]field.Optional[V], error) {
			return b.value.decodeOptional(r, len(group), func(n int) (string, string) { return keys[group[n]], "" })
		})
	}
	switch {
	case len(ids) == 0:
		return resolved([]field.Optional[V]{})
	case len(groups) == 1:
		return get(ctx, groups[0])
	}
	return together(ctx, b.db, func(ctx context.Context) *pipectx.Ref[[]field.Optional[V]] {
		refs := make([]*pipectx.Ref[[]field.Optional[V]], len(groups))
		for i, group := range groups {
			refs[i] = get(ctx, group)
		}
		return pipectx.Map(pipectx.All(refs), func(parts [][]field.Optional[V]) ([]field.Optional[V], error) {
			values := make([]field.Optional[V], len(keys))
			for p, group := range groups {
				for n, i := range group {
					values[i] = parts[p][n]
				}
			}
			return values, nil
		})
	})
}

// meeting groups the indices of keys that one command may name: those of one
// slot where slots matter, and not more than a command carries. Groups and
// their members are in the order of keys.
func meeting(keys []string, slots bool) [][]int {
	var groups [][]int
	open := map[int]int{} // slot → the group that takes its next key
	for i, key := range keys {
		slot := 0
		if slots {
			slot = pipectx.Slot(key)
		}
		g, ok := open[slot]
		if !ok || len(groups[g]) == most {
			g = len(groups)
			open[slot] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// Set stores the value. It takes a TTL away, but for the default one, which
// begins anew.
//
// Cost: SET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (b BoundString[K, V]) Set(ctx context.Context, id K, value V) *pipectx.Ref[struct{}] {
	c := b.command("SET", id)
	writeOf(b.bound, b.value, c, id, value)
	conditions(c, "", b.def.settings.TTL)
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.OK)
}

// StringKey is one key of a [BoundString].
type StringKey[V any] struct {
	handle
	value *value[V]
}

// Get answers the value. If there is no such key the answer is
// [pipectx.ErrNotFound], which is no failure of a Run; if somebody stored what V
// cannot hold, a *[field.DecodeError].
//
// Cost: GET; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) Get(ctx context.Context) *pipectx.Ref[V] {
	return k.value.get(ctx, k.db, k.command("GET"))
}

// Set stores the value, whatever the key held before. As in Redis it takes a
// TTL away, but for the default one, which begins anew.
//
// Cost: SET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) Set(ctx context.Context, value V) *pipectx.Ref[struct{}] {
	return pipectx.Send(ctx, k.db, k.set(value, ""), pipectx.Reply.OK)
}

// SetNX is Set if there is no such key. It tells whether it did; if not, all
// stays as it was, the TTL too.
//
// Cost: SET NX, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetNX(ctx context.Context, value V) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, k.db, k.set(value, "NX"), wasSet)
}

// SetXX is Set if there is such a key. It tells whether it did.
//
// Cost: SET XX, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) SetXX(ctx context.Context, value V) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, k.db, k.set(value, "XX"), wasSet)
}

// set is SET key value [NX|XX] [PX ttl].
func (k StringKey[V]) set(value V, condition string) *pipectx.Command {
	c := k.command("SET")
	k.value.write(c, k.key, value)
	conditions(c, condition, k.ttl)
	return c
}

func conditions(c *pipectx.Command, condition string, ttl time.Duration) {
	if condition != "" {
		c.Word(condition)
	}
	if ttl != 0 {
		c.Word("PX")
		c.Int(ttl.Milliseconds())
	}
}

// wasSet reads the reply of a conditional SET: OK or null.
func wasSet(r pipectx.Reply) (bool, error) {
	if r.IsNil() {
		return false, nil
	}
	return r.Bool()
}

// GetDel removes the key and answers the value it had. If there is no such key
// the answer is [pipectx.ErrNotFound]; if the value cannot be decoded, a
// *[field.DecodeError], and the key is gone.
//
// Cost: GETDEL; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) GetDel(ctx context.Context) *pipectx.Ref[V] {
	var value V
	return pipectx.SendInto(ctx, k.db, k.command("GETDEL"), value, k.value.into)
}

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

// Append appends the value's text to the stored one, or to none, and answers
// the length of both in bytes. It keeps a TTL. V must be a string or []byte
// type: other texts make no value when they are joined.
//
// Cost: APPEND, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) Append(ctx context.Context, value V) *pipectx.Ref[int64] {
	c := k.command("APPEND")
	if kind := k.value.Lua().Kind; kind != field.LuaString && kind != field.LuaBytes {
		c.Fail(fmt.Errorf("keyspace: %s: Append needs a string or []byte, and the values are %s; Set the whole value", k.key, k.value.Name()))
	}
	k.value.write(c, k.key, value)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// StrLen answers the length, in bytes, of the stored text; 0 if there is no
// such key.
//
// Cost: STRLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) StrLen(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("STRLEN").Read(), pipectx.Reply.Int)
}
