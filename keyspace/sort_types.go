package keyspace

import (
	"context"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Sort answers the values in an order, see [Sorting].
//
// Cost: SORT; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) Sort(ctx context.Context, s Sorting) *pipectx.Ref[[]V] {
	return sorted(ctx, k.handle, s, k.value)
}

// SortRO is Sort that replicas take too.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: SORT_RO; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) SortRO(ctx context.Context, s Sorting) *pipectx.Ref[[]V] {
	return sortedRO(ctx, k.handle, s, k.value)
}

// SortGet answers, for each of the values in their order, what is stored under
// patterns, as By of [Sorting] has them, absent where nothing is; "#" is the text of
// the element itself. A Cluster takes no patterns before Redis 7.4.
//
// Cost: SORT GET; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) SortGet(ctx context.Context, s Sorting, patterns ...string) *pipectx.Ref[[][]field.Optional[string]] {
	return sortedGet(ctx, k.handle, s, k.value, patterns)
}

// SortStore stores the values in their order as the list to, in the place of what that
// holds, and answers how many there are. On a Cluster both must be in one slot: a
// [*pipectx.CrossSlotError] names both keys, and nothing is sent. It is the list's
// default TTL that begins anew.
//
// Cost: SORT STORE, and PEXPIRE with a default TTL of the list; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k ListKey[V]) SortStore(ctx context.Context, s Sorting, to ListKey[V]) *pipectx.Ref[int64] {
	return sortedStore(ctx, k.handle, s, k.value, to)
}

// Sort answers the members in an order, see [Sorting].
//
// Cost: SORT; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) Sort(ctx context.Context, s Sorting) *pipectx.Ref[[]M] {
	return sorted(ctx, k.handle, s, k.member)
}

// SortRO is Sort that replicas take too.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: SORT_RO; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) SortRO(ctx context.Context, s Sorting) *pipectx.Ref[[]M] {
	return sortedRO(ctx, k.handle, s, k.member)
}

// SortGet answers, for each of the members in their order, what is stored under
// patterns, as By of [Sorting] has them, absent where nothing is; "#" is the text of
// the element itself. A Cluster takes no patterns before Redis 7.4.
//
// Cost: SORT GET; 1 command; 1 round trip outside Run, none of its own inside.
func (k SetKey[M]) SortGet(ctx context.Context, s Sorting, patterns ...string) *pipectx.Ref[[][]field.Optional[string]] {
	return sortedGet(ctx, k.handle, s, k.member, patterns)
}

// SortStore stores the members in their order as the list to, in the place of what that
// holds, and answers how many there are. On a Cluster both must be in one slot: a
// [*pipectx.CrossSlotError] names both keys, and nothing is sent. It is the list's
// default TTL that begins anew.
//
// Cost: SORT STORE, and PEXPIRE with a default TTL of the list; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k SetKey[M]) SortStore(ctx context.Context, s Sorting, to ListKey[M]) *pipectx.Ref[int64] {
	return sortedStore(ctx, k.handle, s, k.member, to)
}

// Sort answers the members in an order, see [Sorting].
//
// Cost: SORT; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) Sort(ctx context.Context, s Sorting) *pipectx.Ref[[]M] {
	return sorted(ctx, k.handle, s, k.member.value)
}

// SortRO is Sort that replicas take too.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: SORT_RO; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) SortRO(ctx context.Context, s Sorting) *pipectx.Ref[[]M] {
	return sortedRO(ctx, k.handle, s, k.member.value)
}

// SortGet answers, for each of the members in their order, what is stored under
// patterns, as By of [Sorting] has them, absent where nothing is; "#" is the text of
// the element itself. A Cluster takes no patterns before Redis 7.4.
//
// Cost: SORT GET; 1 command; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) SortGet(ctx context.Context, s Sorting, patterns ...string) *pipectx.Ref[[][]field.Optional[string]] {
	return sortedGet(ctx, k.handle, s, k.member.value, patterns)
}

// SortStore stores the members in their order as the list to, in the place of what that
// holds, and answers how many there are. On a Cluster both must be in one slot: a
// [*pipectx.CrossSlotError] names both keys, and nothing is sent. It is the list's
// default TTL that begins anew.
//
// Cost: SORT STORE, and PEXPIRE with a default TTL of the list; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k SortedSetKey[M]) SortStore(ctx context.Context, s Sorting, to ListKey[M]) *pipectx.Ref[int64] {
	return sortedStore(ctx, k.handle, s, k.member.value, to)
}
