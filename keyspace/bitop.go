package keyspace

import (
	"context"
	"errors"

	"github.com/redmoon-go/redmoon/pipectx"
)

// BitOpAnd stores in to the bits that are on in all of ids, and answers the length, in
// bytes, of what is stored: that of the longest of them. A key that is not there has
// no bit on. On a Cluster all must be in one slot: a [*pipectx.CrossSlotError] names
// two keys that are not, and nothing is sent.
//
// Cost: BITOP AND, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpAnd(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "AND", to, ids, 1)
}

// BitOpOr stores in to the bits that are on in any of ids, see BitOpAnd.
//
// Cost: BITOP OR, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpOr(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "OR", to, ids, 1)
}

// BitOpXor stores in to the bits that are on in an odd number of ids, see BitOpAnd.
//
// Cost: BITOP XOR, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpXor(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "XOR", to, ids, 1)
}

// BitOpNot stores in to the bits that are off in id, up to its last byte, see
// BitOpAnd.
//
// Cost: BITOP NOT, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpNot(ctx context.Context, to, id K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "NOT", to, []K{id}, 1)
}

// BitOpDiff stores in to the bits that are on in the first of ids and in none of the
// others, see BitOpAnd.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.2.
//
// Cost: BITOP DIFF, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpDiff(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "DIFF", to, ids, 2)
}

// BitOpDiff1 stores in to the bits that are off in the first of ids and on in any of
// the others, see BitOpAnd.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.2.
//
// Cost: BITOP DIFF1, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpDiff1(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "DIFF1", to, ids, 2)
}

// BitOpAndOr stores in to the bits that are on in the first of ids and in any of the
// others, see BitOpAnd.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.2.
//
// Cost: BITOP ANDOR, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpAndOr(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "ANDOR", to, ids, 2)
}

// BitOpOne stores in to the bits that are on in just one of ids, see BitOpAnd.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 8.2.
//
// Cost: BITOP ONE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundBitmap[K]) BitOpOne(ctx context.Context, to K, ids ...K) *pipectx.Ref[int64] {
	return b.bitOp(ctx, "ONE", to, ids, 1)
}

// bitOp sends BITOP of at least so many keys.
func (b BoundBitmap[K]) bitOp(ctx context.Context, operation string, to K, ids []K, least int) *pipectx.Ref[int64] {
	c := pipectx.NewCommand("BITOP", operation)
	switch operation {
	case "DIFF", "DIFF1", "ANDOR", "ONE":
		c.Needs("Redis 8.2")
	}
	switch {
	case len(ids) == 0:
		c.Fail(errors.New("keyspace: BITOP " + operation + " of no bitmap; give the ids of one at least"))
	case len(ids) < least:
		c.Fail(errors.New("keyspace: BITOP " + operation + " of one bitmap; give the ids of two at least"))
	}
	b.addKeys(c, []K{to})
	b.addKeys(c, ids)
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}
