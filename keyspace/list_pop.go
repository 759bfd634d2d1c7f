package keyspace

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// BLPop removes the leftmost value of the first of ids that has one, and answers it
// with that id. It waits for a value, for ever if wait is 0: when none comes in time
// the answer is [pipectx.ErrNotFound]. Who waits longest is served first.
//
// It runs now, and is refused inside a Run, whose other commands it would hold up.
// When ctx ends it returns, and what was popped is never lost: see
// [pipectx.Command.Wait]. On a Cluster all ids must be in one slot: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: CLIENT ID, BLPOP, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundList[K, V]) BLPop(ctx context.Context, wait time.Duration, ids ...K) *pipectx.Ref[Popped[K, V]] {
	return b.bpop(ctx, "BLPOP", wait, ids)
}

// BRPop is BLPop of the rightmost value.
//
// Cost: CLIENT ID, BRPOP, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundList[K, V]) BRPop(ctx context.Context, wait time.Duration, ids ...K) *pipectx.Ref[Popped[K, V]] {
	return b.bpop(ctx, "BRPOP", wait, ids)
}

func (b BoundList[K, V]) bpop(ctx context.Context, name string, wait time.Duration, ids []K) *pipectx.Ref[Popped[K, V]] {
	ids = slices.Clone(ids)
	c := b.meet(name, ids...)
	c.Wait(wait, time.Second)
	return awaitPopped(ctx, b.bound, c, func(r pipectx.Reply) (Popped[K, V], error) {
		return pair(b.bound, ids, r, func(items *pipectx.Items, key string) (value V, err error) {
			if !items.Next() {
				return value, short(r)
			}
			text, err := items.Bytes()
			if err != nil {
				return value, err
			}
			return b.value.parse(text, key)
		})
	})
}

// MPop removes up to n values from one side of the first of ids that has any, and
// answers them with that id; [pipectx.ErrNotFound] if all are empty. On a Cluster all
// ids must be in one slot: a [*pipectx.CrossSlotError] names two keys, and nothing is
// sent. It needs Redis 7; older servers answer [pipectx.ErrUnsupported].
//
// Cost: LMPOP, and PEXPIRE of each id with a default TTL; 1 command, with a TTL 1
// for each id more; 1 round trip outside Run, none of its own inside.
func (b BoundList[K, V]) MPop(ctx context.Context, takes Side, n int64, ids ...K) *pipectx.Ref[Popped[K, []V]] {
	ids = slices.Clone(ids)
	c := b.meetCounted("LMPOP", ids).Needs("Redis 7")
	b.most(c, "MPop", takes, n)
	return writeTo(ctx, b.bound, c, b.popped(ids), ids...)
}

// BMPop is MPop that waits for values, as BLPop does. It needs Redis 7; older servers
// answer [pipectx.ErrUnsupported].
//
// Cost: CLIENT ID, BLMPOP, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundList[K, V]) BMPop(ctx context.Context, wait time.Duration, takes Side, n int64, ids ...K) *pipectx.Ref[Popped[K, []V]] {
	ids = slices.Clone(ids)
	c := pipectx.NewCommand("BLMPOP").Needs("Redis 7")
	c.Wait(wait, time.Second)
	c.Int(int64(len(ids)))
	b.addKeys(c, ids)
	b.most(c, "BMPop", takes, n)
	return awaitPopped(ctx, b.bound, c, b.popped(ids))
}

func (b BoundList[K, V]) most(c *pipectx.Command, verb string, takes Side, n int64) {
	side(c, b.def.keys.Prefix(), takes)
	if n < 1 {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d values; give one at least", b.def.keys.Prefix(), verb, n))
	}
	c.Word("COUNT")
	c.Int(n)
}

// popped reads a key and an array of values.
func (b BoundList[K, V]) popped(ids []K) func(pipectx.Reply) (Popped[K, []V], error) {
	return func(r pipectx.Reply) (Popped[K, []V], error) {
		return pair(b.bound, ids, r, func(items *pipectx.Items, key string) ([]V, error) {
			if !items.Next() {
				return nil, short(r)
			}
			return b.value.decodeFrom(items.Reply(), key)
		})
	}
}
