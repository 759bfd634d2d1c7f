package keyspace

import (
	"context"
	"reflect"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Hash declares keys that hold a hash each: fields of type F with values of type
// V.
//
//	var Stock = keyspace.NewHash[string, int64, int64]("stock") // shop → article → pieces
//
//	stock := Stock.On(db)
//	stock.IncrBy(ctx, "oslo", 1001, -1)
//	all, err := stock.GetAll(ctx, "oslo").Result()
//
// The commands HDEL and HEXISTS are HDel and HExists here: without the letter
// they are the verbs of whole keys, which all keyspaces have. A hash without
// fields and a key that is not there are the same.
type Hash[K any, F comparable, V any] struct {
	definition[K]
	entry *entry[F, V]
}

// NewHash declares a Hash whose keys begin with prefix. Options are a
// [Placement], [TTL] and [Connection]. A wrong declaration panics, at start-up,
// with the place, the type and the cure; [TryNewHash] returns the error.
func NewHash[K any, F comparable, V any](prefix string, options ...Option) *Hash[K, F, V] {
	h, err := TryNewHash[K, F, V](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return h
}

// TryNewHash is [NewHash] with the error returned.
func TryNewHash[K any, F comparable, V any](prefix string, options ...Option) (*Hash[K, F, V], error) {
	h := &Hash[K, F, V]{}
	err := h.define("NewHash", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[F](), reflect.TypeFor[V]())
	if err == nil {
		h.entry, err = newEntry[F, V]()
	}
	if err != nil {
		return nil, h.wrong(err)
	}
	return h, nil
}

// On binds the Hash to a DB: what it returns has the verbs. If the Hash declares
// a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (h *Hash[K, F, V]) On(db *pipectx.DB) BoundHash[K, F, V] {
	return BoundHash[K, F, V]{h.on(db), h.entry}
}

// BoundHash is a [Hash] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundHash[K any, F comparable, V any] struct {
	bound[K]
	entry *entry[F, V]
}

// Key is one key of the Hash: the same verbs without the id. If the id has no
// key, they answer why.
func (b BoundHash[K, F, V]) Key(id K) HashKey[F, V] { return HashKey[F, V]{b.handle(id), b.entry} }

// Get answers the value of a field; [pipectx.ErrNotFound] if there is none.
//
// Cost: HGET; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundHash[K, F, V]) Get(ctx context.Context, id K, name F) *pipectx.Ref[V] {
	c := b.command("HGET", id)
	writeOf(b.bound, b.entry.name, c, id, name)
	return b.entry.get(ctx, b.db, c, name)
}

// Set stores the value of a field, and tells whether the field is new.
//
// Cost: HSET, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundHash[K, F, V]) Set(ctx context.Context, id K, name F, value V) *pipectx.Ref[bool] {
	if b.def.settings.TTL != 0 { // its second command needs the key too
		return b.Key(id).Set(ctx, name, value)
	}
	c := b.command("HSET", id)
	writeOf(b.bound, b.entry.name, c, id, name)
	tail, err := b.entry.value.Append(c.Tail(), value)
	if err != nil {
		err = unstorable(err, b.handle(id).key, b.entry.name.text(name))
	}
	c.Append(tail, err)
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.Bool)
}

// HashKey is one key of a [BoundHash].
type HashKey[F comparable, V any] struct {
	handle
	entry *entry[F, V]
}

// Get answers the value of a field. If there is none the answer is
// [pipectx.ErrNotFound], which is no failure of a Run; if somebody stored what V
// cannot hold, a *[field.DecodeError] naming the field.
//
// Cost: HGET; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) Get(ctx context.Context, name F) *pipectx.Ref[V] {
	return k.entry.get(ctx, k.db, k.about("HGET", name), name)
}

// MGet answers the values of fields in their order, absent where there is none.
// Without fields nothing is sent.
//
// Cost: HMGET; 1 command for each 5,000 fields; 1 round trip outside Run, none
// of its own inside.
func (k HashKey[F, V]) MGet(ctx context.Context, names ...F) *pipectx.Ref[[]field.Optional[V]] {
	return readAll(ctx, k.handle, "HMGET", names, k.entry.name, k.entry.valuesOf)
}

// GetAll answers all fields and their values; none if there is no such key. A
// field that F, or a value that V cannot hold makes the answer a
// *[field.DecodeError].
//
// Cost: HGETALL; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) GetAll(ctx context.Context) *pipectx.Ref[map[F]V] {
	return pipectx.Send(ctx, k.db, k.command("HGETALL").Read(), k.entry.all)
}

// Set stores the value of a field, in place of the one it had. It tells whether
// the field is new.
//
// Cost: HSET, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k HashKey[F, V]) Set(ctx context.Context, name F, value V) *pipectx.Ref[bool] {
	c := k.about("HSET", name)
	k.entry.writeValue(c, k.key, name, value)
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// SetMany stores the values of fields, leaves other fields alone, and answers
// how many are new. More than 5,000 go in several commands of one pipeline, and
// are not stored at one moment; without fields nothing is sent.
//
// Cost: HSET, 1 command for each 5,000 fields, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) SetMany(ctx context.Context, values map[F]V) *pipectx.Ref[int64] {
	list := make([]keyValue[F, V], 0, len(values))
	for name, value := range values {
		list = append(list, keyValue[F, V]{name, value})
	}
	return writeAll(ctx, k.handle, "HSET", list, k.entry)
}

// SetNX stores the value of a field if there is none, and tells whether it did.
//
// Cost: HSETNX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k HashKey[F, V]) SetNX(ctx context.Context, name F, value V) *pipectx.Ref[bool] {
	c := k.about("HSETNX", name)
	k.entry.writeValue(c, k.key, name, value)
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// IncrBy adds n, which may be negative, to the integer that a field holds and
// answers the sum. A field that is not there counts as 0.
//
// V must be an integer type, or the answer is an error and nothing is sent. The
// server counts in 64 bits and refuses what would overflow those; a sum that
// only V cannot hold is stored, and the answer is a *[field.DecodeError].
//
// Cost: HINCRBY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k HashKey[F, V]) IncrBy(ctx context.Context, name F, n int64) *pipectx.Ref[V] {
	c := k.about("HINCRBY", name)
	c.Int(n)
	k.entry.value.incremented(c, "IncrBy", k.key, false)
	return write(ctx, k.handle, c, k.entry.sumOf(name))
}

// IncrByFloat adds x to the number that a field holds and answers the sum, as
// [HashKey.IncrBy] does for integers: V must be a float type. NaN and
// infinities are refused. The server keeps 17 digits behind the point of a sum,
// so a much smaller one is 0.
//
// Cost: HINCRBYFLOAT, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k HashKey[F, V]) IncrByFloat(ctx context.Context, name F, x float64) *pipectx.Ref[V] {
	c := k.about("HINCRBYFLOAT", name)
	number(c, k.key, "IncrByFloat", x, false)
	k.entry.value.incremented(c, "IncrByFloat", k.key, true)
	return write(ctx, k.handle, c, k.entry.sumOf(name))
}

// HDel removes fields and answers how many of them were there; large numbers of
// them as in [HashKey.SetMany]. The key goes with its last field. Del removes
// the key itself.
//
// Cost: HDEL, 1 command for each 5,000 fields, and PEXPIRE with a default TTL;
// 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) HDel(ctx context.Context, names ...F) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "HDEL", names, k.entry.name)
}

// HExists tells whether there is such a field. Exists tells whether there is a
// key.
//
// Cost: HEXISTS; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) HExists(ctx context.Context, name F) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, k.db, k.about("HEXISTS", name).Read(), pipectx.Reply.Bool)
}

// Len answers how many fields there are; 0 if there is no such key.
//
// Cost: HLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) Len(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("HLEN").Read(), pipectx.Reply.Int)
}

// Keys answers the fields, in no order; none if there is no such key.
//
// Cost: HKEYS; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) Keys(ctx context.Context) *pipectx.Ref[[]F] {
	return pipectx.Send(ctx, k.db, k.command("HKEYS").Read(), k.entry.name.all)
}

// Vals answers the values, in no order; none if there is no such key.
//
// Cost: HVALS; 1 command; 1 round trip outside Run, none of its own inside.
func (k HashKey[F, V]) Vals(ctx context.Context) *pipectx.Ref[[]V] {
	return pipectx.Send(ctx, k.db, k.command("HVALS").Read(), k.entry.value.all)
}

// about starts a command about one field.
func (k HashKey[F, V]) about(command string, name F) *pipectx.Command {
	c := k.command(command)
	k.entry.name.write(c, k.key, name)
	return c
}
