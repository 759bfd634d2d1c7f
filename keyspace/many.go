package keyspace

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// DelMany removes the keys of ids and answers how many there were. On a Cluster the
// ids may be in any slots; then, or beyond 5,000 ids, it takes several commands, and
// others may come between. In an Atomic all must be in one slot.
//
// Errors: the first id that has no key is named by its position, in a
// [*PositionError], and nothing is sent; of several commands, the ids of the first that
// the server refused.
//
// Cost: DEL; 1 command for each 5,000 ids, on a Cluster for those of each slot; 1
// round trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b bound[K]) DelMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	return b.countMany(ctx, "DEL", false, ids)
}

// UnlinkMany is DelMany for large collections: the keys are gone at once, and the
// server frees their memory later, in the background.
//
// Cost: UNLINK; 1 command for each 5,000 ids, on a Cluster for those of each slot; 1
// round trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b bound[K]) UnlinkMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	return b.countMany(ctx, "UNLINK", false, ids)
}

// ExistsMany answers how many of ids have a key; an id that is given twice counts
// twice. Slots, large numbers and errors are as in DelMany.
//
// Cost: EXISTS; 1 command for each 5,000 ids, on a Cluster for those of each slot; 1
// round trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b bound[K]) ExistsMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	return b.countMany(ctx, "EXISTS", true, ids)
}

// TouchMany counts as a use of the keys, as Touch does for one, and answers how many
// there are. Slots, large numbers and errors are as in DelMany.
//
// Cost: TOUCH; 1 command for each 5,000 ids, on a Cluster for those of each slot; 1
// round trip outside Run, on a Cluster 1 to each node, none of its own inside.
func (b bound[K]) TouchMany(ctx context.Context, ids ...K) *pipectx.Ref[int64] {
	return b.countMany(ctx, "TOUCH", true, ids)
}

func (b bound[K]) countMany(ctx context.Context, name string, reads bool, ids []K) *pipectx.Ref[int64] {
	keys, err := b.keysOf(ids)
	if err != nil {
		return pipectx.Failed[int64](ctx, b.db, err)
	}
	send := func(ctx context.Context, group []int) *pipectx.Ref[int64] {
		c := pipectx.NewCommand(name)
		if reads {
			c.Read()
		}
		for _, i := range group {
			c.Key(keys[i])
		}
		positioned(c, group, len(keys))
		return pipectx.Send(ctx, b.db, c, pipectx.Reply.Int)
	}
	return inGroups(ctx, b.db, keys, send, func(_ [][]int, counts []int64) (int64, error) { return sum(counts) })
}

// keysOf are the keys of ids; the first id that has none is named by its position.
func (b bound[K]) keysOf(ids []K) ([]string, error) {
	if b.err != nil {
		return nil, b.err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		var err error
		if keys[i], err = b.def.keys.Key(id); err != nil {
			return nil, &PositionError{From: i, To: i, Of: len(ids), Err: err}
		}
	}
	return keys, nil
}

// positioned has the server's error for one of several commands say which of n keys
// it is about.
func positioned(c *pipectx.Command, group []int, n int) {
	if len(group) == n {
		return
	}
	first, last := group[0], group[len(group)-1]
	c.OnError(func(fault *pipectx.ServerError) error {
		return &PositionError{From: first, To: last, Of: n, Err: fault}
	})
}

// inGroups sends a verb about many keys as one command for each group of them that
// may meet in one, and joins what these answer. Groups hold indices of keys.
func inGroups[T any](ctx context.Context, db *pipectx.DB, keys []string, send func(ctx context.Context, group []int) *pipectx.Ref[T],
	join func(groups [][]int, parts []T) (T, error)) *pipectx.Ref[T] {
	groups := meeting(keys, db.Cluster())
	switch len(groups) {
	case 0:
		nothing, _ := join(nil, nil) // which cannot fail
		return resolved(nothing)
	case 1:
		return send(ctx, groups[0])
	}
	return together(ctx, db, func(ctx context.Context) *pipectx.Ref[T] {
		refs := make([]*pipectx.Ref[T], len(groups))
		for i, group := range groups {
			refs[i] = send(ctx, group)
		}
		return pipectx.Map(pipectx.All(refs), func(parts []T) (T, error) { return join(groups, parts) })
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
