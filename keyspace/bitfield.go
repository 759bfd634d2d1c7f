package keyspace

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// BitInt is the type of an integer that some bits of a bitmap hold: [Signed] or
// [Unsigned]. What BitField shall do with one is its Get, Set or IncrBy:
//
//	level, coins := keyspace.Unsigned(4), keyspace.Unsigned(24)
//	now := players.BitField(ctx, 42, level.IncrBy(0, 1), coins.Set(4, 1000), level.Get(0))
//
// Offsets are bits; the nth of integers that lie side by side is at n times their
// width.
type BitInt struct {
	signed bool
	bits   int
}

// Signed is a signed integer of 1 to 64 bits.
func Signed(bits int) BitInt { return BitInt{true, bits} }

// Unsigned is an unsigned integer of 1 to 63 bits.
func Unsigned(bits int) BitInt { return BitInt{false, bits} }

// String is the type as Redis writes it: i8, u24.
func (t BitInt) String() string {
	if t.signed {
		return fmt.Sprint("i", t.bits)
	}
	return fmt.Sprint("u", t.bits)
}

// check says what is wrong with the type, or with a value as one of it.
func (t BitInt) check() error {
	most := 63
	if t.signed {
		most = 64
	}
	if t.bits < 1 || t.bits > most {
		return fmt.Errorf("%v: an integer of it has 1 to %d bits", t, most)
	}
	return nil
}

func (t BitInt) holds(value int64) error {
	least, greatest := int64(0), int64(1)<<t.bits-1
	if t.signed {
		least, greatest = int64(-1)<<(t.bits-1), int64(1)<<(t.bits-1)-1
	}
	if value < least || value > greatest {
		return fmt.Errorf("%d is no %v, which is from %d to %d", value, t, least, greatest)
	}
	return nil
}

// BitFieldOp is one operation of a BitField.
type BitFieldOp struct {
	name     string // GET, SET, INCRBY
	typ      BitInt
	offset   int64
	value    int64
	overflow string // WRAP, SAT, FAIL
}

// Get answers the integer at offset.
func (t BitInt) Get(offset int64) BitFieldOp { return BitFieldOp{name: "GET", typ: t, offset: offset} }

// Set stores an integer and answers the one that was there. One that does not fit is
// refused.
func (t BitInt) Set(offset, value int64) BitFieldOp {
	return BitFieldOp{name: "SET", typ: t, offset: offset, value: value}
}

// IncrBy adds n and answers the sum; where that does not fit, nothing is stored, and
// the answer is absent.
func (t BitInt) IncrBy(offset, n int64) BitFieldOp {
	return BitFieldOp{name: "INCRBY", typ: t, offset: offset, value: n, overflow: "FAIL"}
}

// IncrByWrap adds n and answers the sum, of which bits that do not fit are dropped.
func (t BitInt) IncrByWrap(offset, n int64) BitFieldOp {
	return BitFieldOp{name: "INCRBY", typ: t, offset: offset, value: n, overflow: "WRAP"}
}

// IncrBySat adds n and answers the sum, or the least or greatest integer of the type
// where that does not fit.
func (t BitInt) IncrBySat(offset, n int64) BitFieldOp {
	return BitFieldOp{name: "INCRBY", typ: t, offset: offset, value: n, overflow: "SAT"}
}

// BitField does several operations at one moment, in order, and answers the integer
// that each answers, absent where an IncrBy did not fit.
//
// Cost: BITFIELD, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k BitmapKey) BitField(ctx context.Context, ops ...BitFieldOp) *pipectx.Ref[[]field.Optional[int64]] {
	if len(ops) == 0 && k.err == nil {
		return resolved([]field.Optional[int64]{})
	}
	return write(ctx, k.handle, k.bitField("BITFIELD", ops), optionalInts)
}

// BitFieldRO is BitField that only reads: all operations are Gets. Replicas take it.
//
// Cost: BITFIELD_RO; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitFieldRO(ctx context.Context, ops ...BitFieldOp) *pipectx.Ref[[]field.Optional[int64]] {
	if len(ops) == 0 && k.err == nil {
		return resolved([]field.Optional[int64]{})
	}
	c := k.bitField("BITFIELD_RO", ops).Read()
	for _, op := range ops {
		if op.name != "GET" {
			c.Fail(fmt.Errorf("keyspace: %s: BitFieldRO with %s, which writes; use BitField", k.key, op.name))
		}
	}
	return pipectx.Send(ctx, k.db, c, optionalInts)
}

func (k BitmapKey) bitField(name string, ops []BitFieldOp) *pipectx.Command {
	c := k.command(name)
	overflow := "WRAP" // where a command begins
	for i, op := range ops {
		if err := op.check(); err != nil {
			c.Fail(fmt.Errorf("keyspace: %s: operation %d of BitField: %w", k.key, i, err))
		}
		if op.overflow != "" && op.overflow != overflow {
			overflow = op.overflow
			c.Word("OVERFLOW")
			c.Word(overflow)
		}
		c.Word(op.name)
		c.Word(op.typ.String())
		c.Int(op.offset)
		if op.name != "GET" {
			c.Int(op.value)
		}
	}
	return c
}

func (op BitFieldOp) check() error {
	if op.name == "" {
		return errors.New("it says nothing; give the Get, Set or IncrBy of a Signed or an Unsigned")
	}
	if err := op.typ.check(); err != nil {
		return err
	}
	if room := mostBit - int64(op.typ.bits) + 1; op.offset < 0 || op.offset > room {
		return fmt.Errorf("%s %v at %d; bits are numbered from 0 to %d", op.name, op.typ, op.offset, mostBit)
	}
	if op.name == "SET" {
		return op.typ.holds(op.value)
	}
	return nil
}

// optionalInts reads integers and nulls.
func optionalInts(r pipectx.Reply) ([]field.Optional[int64], error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	all := make([]field.Optional[int64], 0, items.Len())
	for items.Next() {
		if items.Reply().IsNil() {
			all = append(all, field.None[int64]())
			continue
		}
		n, err := items.Reply().Int()
		if err != nil {
			return nil, err
		}
		all = append(all, field.Some(n))
	}
	return all, nil
}
