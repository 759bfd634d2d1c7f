package keyspace

import (
	"context"
	"fmt"
	"reflect"

	"github.com/redmoon-go/redmoon/pipectx"
)

// List declares keys that hold lists of values of type V: sequences with two ends,
// at which they grow and shrink.
//
//	var Jobs = keyspace.NewList[string, Job]("jobs")
//
//	jobs := Jobs.On(db)
//	jobs.RPush(ctx, "mail", first, second)
//	job, err := jobs.BLPop(ctx, 5*time.Second, "mail", "bulk").Result()
//
// Left is the front, index 0; right is the back, index -1. A list without values and
// a key that is not there are the same. An index costs the server a walk from the
// nearer end.
type List[K, V any] struct {
	definition[K]
	value *value[V]
}

// NewList declares a List whose keys begin with prefix. Options are a [Placement],
// [TTL] and [Connection]. A wrong declaration panics, at start-up, with the place,
// the type and the cure; [TryNewList] returns the error.
func NewList[K, V any](prefix string, options ...Option) *List[K, V] {
	l, err := TryNewList[K, V](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return l
}

// TryNewList is [NewList] with the error returned.
func TryNewList[K, V any](prefix string, options ...Option) (*List[K, V], error) {
	l := &List[K, V]{}
	err := l.define("NewList", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[V]())
	if err == nil {
		l.value, err = newValue[V]("value")
	}
	if err != nil {
		return nil, l.wrong(err)
	}
	return l, nil
}

// On binds the List to a DB: what it returns has the verbs. If the List declares a
// connection that the DB does not have, they answer [pipectx.ErrUnknownConnection].
func (l *List[K, V]) On(db *pipectx.DB) BoundList[K, V] { return BoundList[K, V]{l.on(db), l.value} }

// BoundList is a [List] on a DB. It is small, to be copied, and safe for concurrent
// use.
type BoundList[K, V any] struct {
	bound[K]
	value *value[V]
}

// Key is one key of the List: the same verbs without the id. If the id has no key,
// they answer why.
func (b BoundList[K, V]) Key(id K) ListKey[V] { return ListKey[V]{b.handle(id), b.value} }

// ListKey is one key of a [BoundList].
type ListKey[V any] struct {
	handle
	value *value[V]
}

// RPush appends values at the right, in their order, and answers how long the list
// is then. More than 5,000 go in several commands of one pipeline: others may push in
// between. Without values nothing is sent, and the answer is 0.
//
// Cost: RPUSH, 1 command for each 5,000 values, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k ListKey[V]) RPush(ctx context.Context, values ...V) *pipectx.Ref[int64] {
	return pushAll(ctx, k.handle, "RPUSH", values, k.value)
}

// LPush puts values at the left, one after another, so that the last of them is the
// first of the list; otherwise as [ListKey.RPush].
//
// Cost: LPUSH, 1 command for each 5,000 values, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k ListKey[V]) LPush(ctx context.Context, values ...V) *pipectx.Ref[int64] {
	return pushAll(ctx, k.handle, "LPUSH", values, k.value)
}

// RPushX is [ListKey.RPush] if there is such a list; if not, the answer is 0.
//
// Cost: RPUSHX, 1 command for each 5,000 values, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k ListKey[V]) RPushX(ctx context.Context, values ...V) *pipectx.Ref[int64] {
	return pushAll(ctx, k.handle, "RPUSHX", values, k.value)
}

// LPushX is [ListKey.LPush] if there is such a list; if not, the answer is 0.
//
// Cost: LPUSHX, 1 command for each 5,000 values, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k ListKey[V]) LPushX(ctx context.Context, values ...V) *pipectx.Ref[int64] {
	return pushAll(ctx, k.handle, "LPUSHX", values, k.value)
}

// LPop removes the leftmost value and answers it. If there is no such list the
// answer is [pipectx.ErrNotFound].
//
// Cost: LPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) LPop(ctx context.Context) *pipectx.Ref[V] {
	return write(ctx, k.handle, k.command("LPOP"), k.value.one)
}

// RPop removes the rightmost value and answers it. If there is no such list the
// answer is [pipectx.ErrNotFound].
//
// Cost: RPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) RPop(ctx context.Context) *pipectx.Ref[V] {
	return write(ctx, k.handle, k.command("RPOP"), k.value.one)
}

// LPopN removes the leftmost n values, or all if there are fewer, and answers them,
// the leftmost first. A negative n is refused; of 0 nothing is sent.
//
// Cost: LPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) LPopN(ctx context.Context, n int64) *pipectx.Ref[[]V] {
	return k.popN(ctx, "LPOP", "LPopN", n)
}

// RPopN removes the rightmost n values, or all if there are fewer, and answers them,
// the rightmost first. A negative n is refused; of 0 nothing is sent.
//
// Cost: RPOP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) RPopN(ctx context.Context, n int64) *pipectx.Ref[[]V] {
	return k.popN(ctx, "RPOP", "RPopN", n)
}

// popN leaves out a command of 0, which servers before 7 refuse.
func (k ListKey[V]) popN(ctx context.Context, name, verb string, n int64) *pipectx.Ref[[]V] {
	if n == 0 && k.err == nil {
		return resolved([]V{})
	}
	c := k.command(name)
	if n < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d; give a number that is not negative", k.key, verb, n))
	}
	c.Int(n)
	return write(ctx, k.handle, c, k.value.all)
}

// Len answers how many values there are; 0 if there is no such key.
//
// Cost: LLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) Len(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("LLEN").Read(), pipectx.Reply.Int)
}

// Range answers the values from index start to stop, both included. Indexes count
// from 0; negative ones from the right, where -1 is the last. Where there are none
// the answer is empty. A value that V cannot hold makes it a *[field.DecodeError].
//
// Cost: LRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) Range(ctx context.Context, start, stop int64) *pipectx.Ref[[]V] {
	c := k.command("LRANGE").Read()
	c.Int(start)
	c.Int(stop)
	return pipectx.Send(ctx, k.db, c, k.value.all)
}

// Index answers the value at an index; negative ones count from the right. If there
// is none the answer is [pipectx.ErrNotFound].
//
// Cost: LINDEX; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) Index(ctx context.Context, index int64) *pipectx.Ref[V] {
	c := k.command("LINDEX")
	c.Int(index)
	return k.value.get(ctx, k.db, c)
}

// Set puts value in the place of the one at an index; negative ones count from the
// right. If there is none the answer is [pipectx.ErrNotFound], and nothing changes.
//
// Cost: LSET, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) Set(ctx context.Context, index int64, value V) *pipectx.Ref[struct{}] {
	c := k.command("LSET")
	c.Int(index)
	k.value.write(c, k.key, value)
	key := k.key
	c.OnError(func(fault *pipectx.ServerError) error {
		if fault.Code == "ERR" && (fault.Message == "no such key" || fault.Message == "index out of range") {
			return absent(fmt.Sprintf("index %d of %s", index, key))
		}
		return fault
	})
	return write(ctx, k.handle, c, pipectx.Reply.OK)
}

// InsertBefore puts value to the left of the leftmost pivot, and answers how long the
// list is then; -1 if it has no pivot, 0 if there is no such list.
//
// Cost: LINSERT BEFORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k ListKey[V]) InsertBefore(ctx context.Context, pivot, value V) *pipectx.Ref[int64] {
	return k.insert(ctx, "BEFORE", pivot, value)
}

// InsertAfter puts value to the right of the leftmost pivot; otherwise as
// [ListKey.InsertBefore].
//
// Cost: LINSERT AFTER, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k ListKey[V]) InsertAfter(ctx context.Context, pivot, value V) *pipectx.Ref[int64] {
	return k.insert(ctx, "AFTER", pivot, value)
}

func (k ListKey[V]) insert(ctx context.Context, where string, pivot, value V) *pipectx.Ref[int64] {
	c := k.command("LINSERT")
	c.Word(where)
	k.value.write(c, k.key, pivot)
	k.value.write(c, k.key, value)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// Rem removes the leftmost n of the values that equal value, by their texts; for a
// negative n the rightmost -n, for 0 all. It answers how many those were.
//
// Cost: LREM, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) Rem(ctx context.Context, n int64, value V) *pipectx.Ref[int64] {
	c := k.command("LREM")
	c.Int(n)
	k.value.write(c, k.key, value)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// Trim keeps the values from index start to stop, both included, and removes the
// others. Where there are none to keep, the key goes.
//
// Cost: LTRIM, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k ListKey[V]) Trim(ctx context.Context, start, stop int64) *pipectx.Ref[struct{}] {
	c := k.command("LTRIM")
	c.Int(start)
	c.Int(stop)
	return write(ctx, k.handle, c, pipectx.Reply.OK)
}
