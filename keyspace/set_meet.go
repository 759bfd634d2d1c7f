package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Inter answers the members that the sets of all ids have, in no order. On a Cluster
// all must be in one slot: a [*pipectx.CrossSlotError] names two keys, and nothing is
// sent.
//
// Cost: SINTER; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSet[K, M]) Inter(ctx context.Context, ids ...K) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, b.db, b.meet("SINTER", ids...).Read(), b.member.all)
}

// Diff answers the members of the first id's set that none of the others has, in no
// order. On a Cluster all must be in one slot: a [*pipectx.CrossSlotError] names two
// keys, and nothing is sent.
//
// Cost: SDIFF; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSet[K, M]) Diff(ctx context.Context, ids ...K) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, b.db, b.meet("SDIFF", ids...).Read(), b.member.all)
}

// Union answers the members that the set of any id has, each once, in no order. On a
// Cluster the ids may be in any slots: then each slot is asked by a command of its
// own, and the answers need not be of one moment. In an Atomic all must be in one
// slot.
//
// Cost: SUNION; 1 command, on a Cluster for the ids of each slot; 1 round trip
// outside Run, on a Cluster 1 to each node, none of its own inside.
func (b BoundSet[K, M]) Union(ctx context.Context, ids ...K) *pipectx.Ref[[]M] {
	groups := [][]K{ids}
	if b.db.Cluster() {
		groups = b.bySlot(ids)
	}
	ask := func(ctx context.Context, ids []K) *pipectx.Ref[[]M] {
		return pipectx.Send(ctx, b.db, b.meet("SUNION", ids...).Read(), b.member.all)
	}
	if len(groups) == 1 {
		return ask(ctx, groups[0])
	}
	return together(ctx, b.db, func(ctx context.Context) *pipectx.Ref[[]M] {
		refs := make([]*pipectx.Ref[[]M], len(groups))
		for i, ids := range groups {
			refs[i] = ask(ctx, ids)
		}
		return pipectx.Map(pipectx.All(refs), b.merged)
	})
}

// bySlot groups ids by the slots of their keys; ids that have none stay together
// with all others, to fail there.
func (b bound[K]) bySlot(ids []K) [][]K {
	keys := make([]string, len(ids))
	for i, id := range ids {
		h := b.handle(id)
		if h.err != nil {
			return [][]K{ids}
		}
		keys[i] = h.key
	}
	groups := meeting(keys, true)
	parts := make([][]K, 0, max(len(groups), 1))
	for _, group := range groups {
		part := make([]K, len(group))
		for n, i := range group {
			part[n] = ids[i]
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 { // no ids: the verb says so
		parts = append(parts, nil)
	}
	return parts
}

// merged is the union of several sets, by the texts of their members: M need not be
// comparable.
func (b BoundSet[K, M]) merged(parts [][]M) ([]M, error) {
	all := []M{}
	seen := map[string]bool{}
	var text []byte
	for _, part := range parts {
		for _, m := range part {
			var err error
			if text, err = b.member.Append(text[:0], m); err != nil {
				return nil, err
			}
			if !seen[string(text)] {
				seen[string(text)] = true
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// InterStore makes the set of the id to the members that the sets of all ids have,
// and answers how many those are. On a Cluster all must be in one slot, to included:
// a [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: SINTERSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSet[K, M]) InterStore(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.store(ctx, "SINTERSTORE", to, ids)
}

// DiffStore makes the set of the id to the members of the first of ids that none of
// the others has, and answers how many those are. Slots are as in InterStore.
//
// Cost: SDIFFSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSet[K, M]) DiffStore(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.store(ctx, "SDIFFSTORE", to, ids)
}

// UnionStore makes the set of the id to the members that the set of any of ids has,
// and answers how many those are. Slots are as in InterStore.
//
// Cost: SUNIONSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSet[K, M]) UnionStore(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.store(ctx, "SUNIONSTORE", to, ids)
}

func (b BoundSet[K, M]) store(ctx context.Context, name string, to K, ids []K) *pipectx.Ref[int64] {
	c := b.meet(name, to)
	b.addKeys(c, ids)
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}

// InterCard answers how many members the sets of all ids have, and counts to limit at
// most; without end for 0. On a Cluster all must be in one slot: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent. It needs Redis 7;
// older servers answer [pipectx.ErrUnsupported].
//
// Cost: SINTERCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSet[K, M]) InterCard(ctx context.Context, limit int64, ids ...K) *pipectx.Ref[int64] {
	return b.count(ctx, "SINTERCARD", "Redis 7", "", limit, ids)
}

// DiffCard answers how many members [BoundSet.Diff] would, and counts to limit at
// most; without end for 0. It needs Redis 8.10; other servers answer
// [pipectx.ErrUnsupported].
//
// Cost: SDIFFCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSet[K, M]) DiffCard(ctx context.Context, limit int64, ids ...K) *pipectx.Ref[int64] {
	return b.count(ctx, "SDIFFCARD", "Redis 8.10", "", limit, ids)
}

// UnionCard answers how many members [BoundSet.Union] would, of one slot, and counts
// to limit at most; without end for 0. It needs Redis 8.10; other servers answer
// [pipectx.ErrUnsupported].
//
// Cost: SUNIONCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundSet[K, M]) UnionCard(ctx context.Context, limit int64, ids ...K) *pipectx.Ref[int64] {
	return b.count(ctx, "SUNIONCARD", "Redis 8.10", "", limit, ids)
}

// UnionCardApprox is [BoundSet.UnionCard] by an estimate, as HyperLogLog makes it,
// which is cheaper.
//
// Cost: SUNIONCARD APPROX; 1 command; 1 round trip outside Run, none of its own
// inside.
func (b BoundSet[K, M]) UnionCardApprox(ctx context.Context, limit int64, ids ...K) *pipectx.Ref[int64] {
	return b.count(ctx, "SUNIONCARD", "Redis 8.10", "APPROX", limit, ids)
}

// count sends a command that counts what several keys make together.
func (b bound[K]) count(ctx context.Context, name, needs, option string, limit int64, ids []K) *pipectx.Ref[int64] {
	c := b.meetCounted(name, ids).Read().Needs(needs)
	if option != "" {
		c.Word(option)
	}
	switch {
	case limit < 0:
		c.Fail(fmt.Errorf("keyspace: %s: %s counts to %d at most; give a number that is not negative, 0 for no end", b.def.keys.Prefix(), name, limit))
	case limit > 0:
		c.Word("LIMIT")
		c.Int(limit)
	}
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.Int)
}

// Move takes member out of the set from and adds it to the set to, at one moment. It
// tells whether it was there to be moved. On a Cluster both must be in one slot: a
// [*pipectx.CrossSlotError] names both keys, and nothing is sent.
//
// Cost: SMOVE, and PEXPIRE of both with a default TTL; 1 or 3 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundSet[K, M]) Move(ctx context.Context, from, to K, member M) *pipectx.Ref[bool] {
	c := b.meet("SMOVE", from, to)
	b.member.write(c, b.def.keys.Prefix(), member)
	return writeTo(ctx, b.bound, c, pipectx.Reply.Bool, from, to)
}
