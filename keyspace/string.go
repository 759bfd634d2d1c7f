package keyspace

import (
	"context"
	"fmt"
	"reflect"

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

// Set stores the value. It takes a TTL away, but for the default one, which
// begins anew, or the one that the caller says.
//
// Cost: SET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (b BoundString[K, V]) Set(ctx context.Context, id K, value V, expiry ...Expiry) *pipectx.Ref[struct{}] {
	c := b.command("SET", id)
	writeOf(b.bound, b.value, c, id, value)
	ends(c, b.def.settings.TTL, expiry)
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
// TTL away, but for the default one, which begins anew. An [Expiry] says another
// end for this value.
//
// Cost: SET, with PX for a default TTL; 1 command; 1 round trip outside Run,
// none of its own inside.
func (k StringKey[V]) Set(ctx context.Context, value V, expiry ...Expiry) *pipectx.Ref[struct{}] {
	c := k.command("SET")
	k.value.write(c, k.key, value)
	ends(c, k.ttl, expiry)
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.OK)
}

// GetEx answers the value and gives the key another end; [NoTTL] takes its TTL away.
// If there is no such key the answer is [pipectx.ErrNotFound].
//
// Cost: GETEX; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) GetEx(ctx context.Context, expiry Expiry) *pipectx.Ref[V] {
	c := k.command("GETEX")
	if expiry.kind == keepTTL {
		c.Fail(fmt.Errorf("keyspace: %s: GetEx with KeepTTL() changes nothing; use Get", k.key))
	}
	expiry.write(c, "", "PERSIST")
	var value V
	return pipectx.SendInto(ctx, k.db, c, value, k.value.into)
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
