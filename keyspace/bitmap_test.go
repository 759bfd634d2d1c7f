package keyspace_test

import (
	"context"
	"math"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

type bits = keyspace.BoundBitmap[int64]

// on are the offsets, below 32, of the bits that are on.
func on(ctx context.Context, b bits, id int64) outcome {
	var all []int
	for i := range int64(32) {
		if yes, err := b.GetBit(ctx, id, i).Result(); err != nil {
			return outcome{err: err}
		} else if yes {
			all = append(all, int(i))
		}
	}
	return outcome{value: all}
}

// The verbs of Bitmap do the same on all servers. Each begins with the bits 1, 9 and
// 10; its neighbour with 1 and 2.
func TestBitmap(t *testing.T) {
	seen := keyspace.NewBitmap[int64]("seen", together)
	fill := func(ctx context.Context, b bits, id int64) error {
		for _, i := range []int64{1, 9, 10} {
			b.SetBit(ctx, id, i, true)
		}
		b.SetBit(ctx, id+1000, 1, true)
		return b.SetBit(ctx, id+1000, 2, true).Err()
	}
	const none, eight = 1_000_000, "Redis 8.2"
	u4, i8 := keyspace.Unsigned(4), keyspace.Signed(8)
	some, overflow := field.Some[int64], field.None[int64]()
	type answers = []field.Optional[int64]
	trips(t, seen.On, fill, on, []trip[bits]{
		{verb: "SetBit", keeps: "answers what it was", want: false, after: []int{1, 2, 9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.SetBit(ctx, id, 2, true)) }},
		{verb: "SetBit", keeps: "clears too", want: true, after: []int{9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.SetBit(ctx, id, 1, false)) }},
		{verb: "GetBit", keeps: "off behind the last byte", want: false,
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.GetBit(ctx, id, 1<<32-1)) }},
		{verb: "BitCount", keeps: "those that are on", want: int64(3),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitCount(ctx, id)) }},
		{verb: "BitCount", keeps: "0 of nothing", want: int64(0),
			call: func(ctx context.Context, b bits, _ int64) outcome { return of(b.BitCount(ctx, none)) }},
		{verb: "BitCountBytes", keeps: "of the last byte", want: int64(2),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitCountBytes(ctx, id, -1, -1)) }},
		{verb: "BitCountBits", keeps: "of bits, ends included", absent: true, needs: "Redis 7.0", want: int64(2),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitCountBits(ctx, id, 1, 9)) }},
		{verb: "BitPos", keeps: "the first that is on", want: int64(1),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitPos(ctx, id, true)) }},
		{verb: "BitPos", keeps: "the first that is off", want: int64(0),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitPos(ctx, id, false)) }},
		{verb: "BitPos", keeps: "none is on", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, b bits, _ int64) outcome { return of(b.BitPos(ctx, none, true)) }},
		{verb: "BitPosBytes", keeps: "from a byte on", want: int64(9),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitPosBytes(ctx, id, true, 1, -1)) }},
		{verb: "BitPosBits", keeps: "between bits", absent: true, needs: "Redis 7.0", want: int64(10),
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitPosBits(ctx, id, true, 10, 12)) }},
		{verb: "BitPosBits", keeps: "none between them", absent: true, needs: "Redis 7.0", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitPosBits(ctx, id, true, 2, 8)) }},
		{verb: "BitOpAnd", keeps: "on in all", want: int64(2), after: []int{1},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpAnd(ctx, id, id, id+1000)) }},
		{verb: "BitOpOr", keeps: "on in any", want: int64(2), after: []int{1, 2, 9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpOr(ctx, id, id, id+1000)) }},
		{verb: "BitOpXor", keeps: "on in one of two", want: int64(2), after: []int{2, 9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpXor(ctx, id, id, id+1000)) }},
		{verb: "BitOpNot", keeps: "off", want: int64(1), after: []int{0, 3, 4, 5, 6, 7},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpNot(ctx, id, id+1000)) }},
		{verb: "BitOpDiff", keeps: "on in the first alone", absent: true, needs: eight, want: int64(2), after: []int{9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpDiff(ctx, id, id, id+1000)) }},
		{verb: "BitOpDiff1", keeps: "on in others alone", absent: true, needs: eight, want: int64(2), after: []int{2},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpDiff1(ctx, id, id, id+1000)) }},
		{verb: "BitOpAndOr", keeps: "on in the first and another", absent: true, needs: eight, want: int64(2), after: []int{1},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpAndOr(ctx, id, id, id+1000)) }},
		{verb: "BitOpOne", keeps: "on in just one", absent: true, needs: eight, want: int64(2), after: []int{2, 9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitOpOne(ctx, id, id, id+1000)) }},
		{verb: "BitField", keeps: "one after another, and what does not fit is absent", absent: true,
			want: answers{some(4), some(-1), some(15), overflow, some(15), some(0), some(0)}, after: []int{8, 9, 10},
			call: func(ctx context.Context, b bits, id int64) outcome {
				done(t, "SetBit", b.SetBit(ctx, id, 8, true)) // 0x40 0xe0
				return of(b.BitField(ctx, id, u4.Get(0), keyspace.Signed(1).Get(8), u4.IncrBy(0, 11), u4.IncrBy(0, 1), u4.IncrBySat(0, 1),
					u4.IncrByWrap(0, 1), u4.Get(0)))
			}},
		{verb: "BitField", keeps: "none is no command", want: answers{},
			call: func(ctx context.Context, b bits, id int64) outcome { return of(b.BitField(ctx, id)) }},
		{verb: "BitField", keeps: "answers what a Set overwrites", absent: true, want: answers{some(0x60), some(-1)},
			after: []int{1, 8, 9, 10, 11, 12, 13, 14, 15},
			call: func(ctx context.Context, b bits, id int64) outcome {
				return of(b.BitField(ctx, id, i8.Set(8, -1), i8.Get(8)))
			}},
		{verb: "BitFieldRO", keeps: "reads", absent: true, want: answers{some(4), some(0x60)},
			call: func(ctx context.Context, b bits, id int64) outcome {
				return of(b.BitFieldRO(ctx, id, u4.Get(0), i8.Get(8)))
			}},
	})
}

// What no server takes is refused at the call, with the cure.
func TestBitmapRefuses(t *testing.T) {
	db, sent := embedded(t)
	ctx, seen := t.Context(), Seen.On(db)
	u4 := keyspace.Unsigned(4)
	for want, err := range map[string]error{
		"keyspace: seen{42}: SetBit of bit -1; bits are numbered from 0 to 4294967295":                                         seen.SetBit(ctx, 42, -1, true).Err(),
		"keyspace: seen{42}: GetBit of bit 4294967296; bits are numbered from 0 to 4294967295":                                 seen.GetBit(ctx, 42, 1<<32).Err(),
		"keyspace: BITOP AND of no bitmap; give the ids of one at least":                                                       seen.BitOpAnd(ctx, 42).Err(),
		"keyspace: BITOP DIFF of one bitmap; give the ids of two at least":                                                     seen.BitOpDiff(ctx, 42, 1).Err(),
		"keyspace: seen{42}: operation 0 of BitField: u64: an integer of it has 1 to 63 bits":                                  seen.BitField(ctx, 42, keyspace.Unsigned(64).Get(0)).Err(),
		"keyspace: seen{42}: operation 1 of BitField: 16 is no u4, which is from 0 to 15":                                      seen.BitField(ctx, 42, u4.Get(0), u4.Set(0, 16)).Err(),
		"keyspace: seen{42}: operation 0 of BitField: 128 is no i8, which is from -128 to 127":                                 seen.BitField(ctx, 42, keyspace.Signed(8).Set(0, 128)).Err(),
		"keyspace: seen{42}: operation 0 of BitField: GET u4 at -1; bits are numbered from 0 to 4294967295":                    seen.BitField(ctx, 42, u4.Get(-1)).Err(),
		"keyspace: seen{42}: operation 0 of BitField: GET u4 at 9223372036854775807; bits are numbered from 0 to 4294967295":   seen.BitField(ctx, 42, u4.Get(math.MaxInt64)).Err(),
		"keyspace: seen{42}: operation 0 of BitField: GET u4 at 4294967293; bits are numbered from 0 to 4294967295":            seen.BitField(ctx, 42, u4.Get(1<<32-3)).Err(),
		"keyspace: BITOP ANDOR of one bitmap; give the ids of two at least":                                                    seen.BitOpAndOr(ctx, 42, 1).Err(),
		"keyspace: BITOP DIFF1 of one bitmap; give the ids of two at least":                                                    seen.BitOpDiff1(ctx, 42, 1).Err(),
		"keyspace: seen{42}: operation 0 of BitField: it says nothing; give the Get, Set or IncrBy of a Signed or an Unsigned": seen.BitField(ctx, 42, keyspace.BitFieldOp{}).Err(),
		"keyspace: seen{42}: BitFieldRO with SET, which writes; use BitField":                                                  seen.BitFieldRO(ctx, 42, u4.Set(0, 1)).Err(),
		"keyspace: Merge of nothing; give the ids of one HyperLogLog at least":                                                 Callers.On(db).Merge(ctx, 42).Err(),
	} {
		wantText(t, "refused", err, want)
	}
	if sent.Commands() != 0 {
		t.Errorf("sent: %v", sent)
	}
}
