package keyspace

import (
	"context"
	"fmt"
	"reflect"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Bitmap declares keys that hold bits each, numbered from 0, as a Redis string.
//
//	var Seen = keyspace.NewBitmap[string]("seen") // day → users
//
//	seen := Seen.On(db)
//	seen.SetBit(ctx, "2026-11-21", 42, true)
//	n, err := seen.BitCount(ctx, "2026-11-21").Result()
//
// All bits are 0 at first, and those behind the last byte that was written. Bit 0 is
// the highest of the first byte. A bit takes the memory of all before it: number them
// densely.
type Bitmap[K any] struct {
	definition[K]
}

// NewBitmap declares a Bitmap whose keys begin with prefix. Options are a
// [Placement], [TTL] and [Connection]. A wrong declaration panics, at start-up,
// with the place, the type and the cure; [TryNewBitmap] returns the error.
func NewBitmap[K any](prefix string, options ...Option) *Bitmap[K] {
	b, err := TryNewBitmap[K](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return b
}

// TryNewBitmap is [NewBitmap] with the error returned.
func TryNewBitmap[K any](prefix string, options ...Option) (*Bitmap[K], error) {
	b := &Bitmap[K]{}
	if err := b.define("NewBitmap", prefix, options, reflect.TypeFor[K]()); err != nil {
		return nil, b.wrong(err)
	}
	return b, nil
}

// On binds the Bitmap to a DB: what it returns has the verbs. If the Bitmap declares
// a connection that the DB does not have, they answer
// [pipectx.ErrUnknownConnection].
func (b *Bitmap[K]) On(db *pipectx.DB) BoundBitmap[K] { return BoundBitmap[K]{b.on(db)} }

// BoundBitmap is a [Bitmap] on a DB. It is small, to be copied, and safe for
// concurrent use.
type BoundBitmap[K any] struct {
	bound[K]
}

// Key is one key of the Bitmap: the same verbs without the id. If the id has no
// key, they answer why.
func (b BoundBitmap[K]) Key(id K) BitmapKey { return BitmapKey{b.handle(id)} }

// BitmapKey is one key of a [BoundBitmap].
type BitmapKey struct {
	handle
}

// mostBit is the last bit that a key can hold: its text is 512 MiB at most.
const mostBit = 1<<32 - 1

func (k BitmapKey) at(name, verb string, offset int64) *pipectx.Command {
	c := k.command(name)
	if offset < 0 || offset > mostBit {
		c.Fail(fmt.Errorf("keyspace: %s: %s of bit %d; bits are numbered from 0 to %d", k.key, verb, offset, mostBit))
	}
	c.Int(offset)
	return c
}

// SetBit sets or clears the bit at offset and answers what it was.
//
// Cost: SETBIT, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k BitmapKey) SetBit(ctx context.Context, offset int64, on bool) *pipectx.Ref[bool] {
	c := k.at("SETBIT", "SetBit", offset)
	addBit(c, on)
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// GetBit answers the bit at offset.
//
// Cost: GETBIT; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) GetBit(ctx context.Context, offset int64) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, k.db, k.at("GETBIT", "GetBit", offset).Read(), pipectx.Reply.Bool)
}

// BitCount answers how many bits are 1.
//
// Cost: BITCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitCount(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("BITCOUNT").Read(), pipectx.Reply.Int)
}

// BitCountBytes is BitCount from byte start to byte end, both included; negative ones
// count from the end, where -1 is the last.
//
// Cost: BITCOUNT; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitCountBytes(ctx context.Context, start, end int64) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, within(k.command("BITCOUNT"), start, end), pipectx.Reply.Int)
}

// BitCountBits is BitCount from bit start to bit end, both included; negative ones
// count from the end of the last byte, where -1 is the last.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: BITCOUNT BIT; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitCountBits(ctx context.Context, start, end int64) *pipectx.Ref[int64] {
	c := within(k.command("BITCOUNT").Needs("Redis 7.0"), start, end)
	c.Word("BIT")
	return pipectx.Send(ctx, k.db, c, pipectx.Reply.Int)
}

// BitPos answers the offset of the first bit that is on, or off. If there is none the
// answer is [pipectx.ErrNotFound]; of those that are off there is always one, behind
// the last byte if not before.
//
// Cost: BITPOS; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitPos(ctx context.Context, on bool) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.find(on), bitAt)
}

// BitPosBytes is BitPos from byte start to byte end, both included; negative ones
// count from the end, where -1 is the last. Behind end it finds nothing.
//
// Cost: BITPOS; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitPosBytes(ctx context.Context, on bool, start, end int64) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, within(k.find(on), start, end), bitAt)
}

// BitPosBits is BitPos from bit start to bit end, both included; negative ones count
// from the end of the last byte, where -1 is the last. Behind end it finds nothing.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: BITPOS BIT; 1 command; 1 round trip outside Run, none of its own inside.
func (k BitmapKey) BitPosBits(ctx context.Context, on bool, start, end int64) *pipectx.Ref[int64] {
	c := within(k.find(on).Needs("Redis 7.0"), start, end)
	c.Word("BIT")
	return pipectx.Send(ctx, k.db, c, bitAt)
}

func (k BitmapKey) find(on bool) *pipectx.Command {
	c := k.command("BITPOS").Read()
	addBit(c, on)
	return c
}

func addBit(c *pipectx.Command, on bool) {
	if on {
		c.Int(1)
	} else {
		c.Int(0)
	}
}

func within(c *pipectx.Command, start, end int64) *pipectx.Command {
	c.Read()
	c.Int(start)
	c.Int(end)
	return c
}

func bitAt(r pipectx.Reply) (int64, error) {
	n, err := r.Int()
	if err == nil && n < 0 {
		return 0, absent("such a bit of " + r.Key())
	}
	return n, err
}
