package keyspace

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// PopMin removes the member with the lowest score and answers it. If there is no
// such key the answer is [pipectx.ErrNotFound].
//
// Cost: ZPOPMIN, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) PopMin(ctx context.Context) *pipectx.Ref[Z[M]] {
	return write(ctx, k.handle, k.command("ZPOPMIN"), k.member.firstScored)
}

// PopMax removes the member with the highest score and answers it. If there is no
// such key the answer is [pipectx.ErrNotFound].
//
// Cost: ZPOPMAX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) PopMax(ctx context.Context) *pipectx.Ref[Z[M]] {
	return write(ctx, k.handle, k.command("ZPOPMAX"), k.member.firstScored)
}

// PopMinN removes the n members with the lowest scores, or all if there are fewer,
// and answers them, the lowest first. A negative n is refused.
//
// Cost: ZPOPMIN, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) PopMinN(ctx context.Context, n int64) *pipectx.Ref[[]Z[M]] {
	return k.popN(ctx, "ZPOPMIN", "PopMinN", n)
}

// PopMaxN removes the n members with the highest scores, or all if there are fewer,
// and answers them, the highest first. A negative n is refused.
//
// Cost: ZPOPMAX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k SortedSetKey[M]) PopMaxN(ctx context.Context, n int64) *pipectx.Ref[[]Z[M]] {
	return k.popN(ctx, "ZPOPMAX", "PopMaxN", n)
}

func (k SortedSetKey[M]) popN(ctx context.Context, name, verb string, n int64) *pipectx.Ref[[]Z[M]] {
	c := k.command(name)
	if n < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d; give a number that is not negative", k.key, verb, n))
	}
	c.Int(n)
	return write(ctx, k.handle, c, k.member.allScored)
}

// BPopMin removes the member with the lowest score of the first of ids that has one,
// and answers it with that id. It waits for a member, for ever if wait is 0: when none
// comes in time the answer is [pipectx.ErrNotFound].
//
// It runs now, and is refused inside a Run, whose other commands it would hold up.
// When ctx ends it returns, and what was popped is never lost: see
// [pipectx.Command.Wait]. On a Cluster all ids must be in one slot: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: CLIENT ID, BZPOPMIN, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundSortedSet[K, M]) BPopMin(ctx context.Context, wait time.Duration, ids ...K) *pipectx.Ref[Popped[K, Z[M]]] {
	return b.bpop(ctx, "BZPOPMIN", wait, ids)
}

// BPopMax is BPopMin of the member with the highest score.
//
// Cost: CLIENT ID, BZPOPMAX, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundSortedSet[K, M]) BPopMax(ctx context.Context, wait time.Duration, ids ...K) *pipectx.Ref[Popped[K, Z[M]]] {
	return b.bpop(ctx, "BZPOPMAX", wait, ids)
}

func (b BoundSortedSet[K, M]) bpop(ctx context.Context, name string, wait time.Duration, ids []K) *pipectx.Ref[Popped[K, Z[M]]] {
	ids = slices.Clone(ids)
	c := b.meet(name, ids...)
	c.Wait(wait, time.Second)
	return awaitPopped(ctx, b.bound, c, func(r pipectx.Reply) (Popped[K, Z[M]], error) {
		return pair(b.bound, ids, r, b.member.nextScored)
	})
}

// An Extreme is an end of a sorted set.
type Extreme int

// The two ends.
const (
	Lowest  Extreme = iota + 1 // the lowest score
	Highest                    // the highest score
)

// String is the end as it is written in Go.
func (e Extreme) String() string {
	switch e {
	case Lowest:
		return "Lowest"
	case Highest:
		return "Highest"
	}
	return fmt.Sprintf("Extreme(%d)", int(e))
}

// MPop removes up to n members from one end of the first of ids that has any, and
// answers them with that id; [pipectx.ErrNotFound] if all are empty. On a Cluster all
// ids must be in one slot: a [*pipectx.CrossSlotError] names two keys, and nothing is
// sent. It needs Redis 7; older servers answer [pipectx.ErrUnsupported].
//
// Cost: ZMPOP, and PEXPIRE of each id with a default TTL; 1 command, with a TTL 1 for
// each id more; 1 round trip outside Run, none of its own inside.
func (b BoundSortedSet[K, M]) MPop(ctx context.Context, takes Extreme, n int64, ids ...K) *pipectx.Ref[Popped[K, []Z[M]]] {
	ids = slices.Clone(ids)
	c := b.meetCounted("ZMPOP", ids).Needs("Redis 7")
	b.most(c, "MPop", takes, n)
	return writeTo(ctx, b.bound, c, b.popped(ids), ids...)
}

// BMPop is MPop that waits for members, as BPopMin does. It needs Redis 7; older
// servers answer [pipectx.ErrUnsupported].
//
// Cost: CLIENT ID, BZMPOP, and PEXPIRE with a default TTL; 2 or 3 commands; 2 or 3
// round trips, and the time it waits.
func (b BoundSortedSet[K, M]) BMPop(ctx context.Context, wait time.Duration, takes Extreme, n int64, ids ...K) *pipectx.Ref[Popped[K, []Z[M]]] {
	ids = slices.Clone(ids)
	c := pipectx.NewCommand("BZMPOP").Needs("Redis 7")
	c.Wait(wait, time.Second)
	c.Int(int64(len(ids)))
	b.addKeys(c, ids)
	b.most(c, "BMPop", takes, n)
	return awaitPopped(ctx, b.bound, c, b.popped(ids))
}

func (b BoundSortedSet[K, M]) most(c *pipectx.Command, verb string, takes Extreme, n int64) {
	switch takes {
	case Lowest:
		c.Word("MIN")
	case Highest:
		c.Word("MAX")
	default:
		c.Fail(fmt.Errorf("keyspace: %s: %s: %v is no end of a sorted set; give Lowest or Highest", b.def.keys.Prefix(), verb, takes))
	}
	if n < 1 {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d members; give one at least", b.def.keys.Prefix(), verb, n))
	}
	c.Word("COUNT")
	c.Int(n)
}

// popped reads a key and an array of members with scores.
func (b BoundSortedSet[K, M]) popped(ids []K) func(pipectx.Reply) (Popped[K, []Z[M]], error) {
	return func(r pipectx.Reply) (Popped[K, []Z[M]], error) {
		return pair(b.bound, ids, r, func(items *pipectx.Items, key string) ([]Z[M], error) {
			if !items.Next() {
				return nil, short(r)
			}
			return b.member.scoredFrom(items.Reply(), key)
		})
	}
}
