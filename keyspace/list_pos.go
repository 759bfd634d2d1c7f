package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Pos answers the index of the leftmost value that equals value, by its text. If
// there is none the answer is [pipectx.ErrNotFound].
//
// Cost: LPOS; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) Pos(ctx context.Context, value V) *pipectx.Ref[int64] {
	return k.PosRank(ctx, value, 1, 0)
}

// PosRank is [ListKey.Pos] of another than the leftmost: rank 2 is the second from
// the left, -1 the rightmost. It compares with so many values, from the end that it
// begins at; with all for 0.
//
// Cost: LPOS; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) PosRank(ctx context.Context, value V, rank, compare int64) *pipectx.Ref[int64] {
	c := k.pos(value, "PosRank", rank, compare)
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) (int64, error) {
		index, err := r.Int()
		return index, missing(err, "value in "+r.Key())
	})
}

// PosN answers the indexes of n values that equal value, of all for 0, beginning
// with the one of that rank, as [ListKey.PosRank] has them; empty if there are none.
//
// Cost: LPOS COUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k ListKey[V]) PosN(ctx context.Context, value V, n, rank, compare int64) *pipectx.Ref[[]int64] {
	c := k.pos(value, "PosN", rank, compare)
	if n < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: PosN of %d; give a number that is not negative, 0 for all", k.key, n))
	}
	c.Word("COUNT")
	c.Int(n)
	return pipectx.Send(ctx, k.db, c, integers)
}

func (k ListKey[V]) pos(value V, verb string, rank, compare int64) *pipectx.Command {
	c := k.command("LPOS").Read()
	k.value.write(c, k.key, value)
	switch {
	case rank == 0:
		c.Fail(fmt.Errorf("keyspace: %s: %s of rank 0; 1 is the leftmost, -1 the rightmost", k.key, verb))
	case compare < 0:
		c.Fail(fmt.Errorf("keyspace: %s: %s compares with %d values; give a number that is not negative, 0 for all", k.key, verb, compare))
	}
	if rank != 1 {
		c.Word("RANK")
		c.Int(rank)
	}
	if compare != 0 {
		c.Word("MAXLEN")
		c.Int(compare)
	}
	return c
}

// integers reads an array of integers.
func integers(r pipectx.Reply) ([]int64, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]int64, 0, items.Len())
	for items.Next() {
		n, err := items.Reply().Int()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
