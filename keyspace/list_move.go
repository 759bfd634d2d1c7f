package keyspace

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Side is an end of a list.
type Side int

// The two ends. A queue pushes at one and pops at the other, a stack does both at
// one.
const (
	Left  Side = iota + 1 // the front, index 0
	Right                 // the back, index -1
)

// String is the side as it is written in Go.
func (s Side) String() string {
	switch s {
	case Left:
		return "Left"
	case Right:
		return "Right"
	}
	return fmt.Sprintf("Side(%d)", int(s))
}

// side adds LEFT or RIGHT.
func side(c *pipectx.Command, prefix string, s Side) {
	switch s {
	case Left:
		c.Word("LEFT")
	case Right:
		c.Word("RIGHT")
	default:
		c.Fail(fmt.Errorf("keyspace: %s: %v is no end of a list; give Left or Right", prefix, s))
	}
}

// Move takes a value from one side of the list from, puts it on a side of the list
// to, and answers it. If there is no list from the answer is [pipectx.ErrNotFound].
// On a Cluster both must be in one slot: a [*pipectx.CrossSlotError] names both keys,
// and nothing is sent. Both may be the same list: Move(ctx, id, id, Right, Left)
// rotates it.
//
// Cost: LMOVE, and PEXPIRE of both with a default TTL; 1 or 3 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundList[K, V]) Move(ctx context.Context, from, to K, takes, puts Side) *pipectx.Ref[V] {
	return writeTo(ctx, b.bound, b.move("LMOVE", from, to, takes, puts), b.value.one, from, to)
}

// BMove is Move that waits for a value, for ever if wait is 0: when none comes in
// time the answer is [pipectx.ErrNotFound]. It runs now, and is refused inside a Run,
// whose other commands it would hold up. When ctx ends it returns, and what is moved
// is never lost: see [pipectx.Command.Wait].
//
// Cost: CLIENT ID, BLMOVE, and PEXPIRE of both with a default TTL; 2 or 4 commands; 2
// or 3 round trips, and the time it waits.
func (b BoundList[K, V]) BMove(ctx context.Context, wait time.Duration, from, to K, takes, puts Side) *pipectx.Ref[V] {
	c := b.move("BLMOVE", from, to, takes, puts)
	c.Wait(wait, time.Second)
	return await(ctx, b.bound, c, b.value.one, from, to)
}

func (b BoundList[K, V]) move(name string, from, to K, takes, puts Side) *pipectx.Command {
	c := b.meet(name, from, to)
	side(c, b.def.keys.Prefix(), takes)
	side(c, b.def.keys.Prefix(), puts)
	return c
}

// An Amount is how many values MoveN moves, and in which order they arrive:
//
//	AtMost(3)             up to 3, in the order they had
//	Exactly(3)            3, or none if there are fewer
//	AtMost(3).OneByOne()  as 3 calls of Move would: pushed at the left, the last is first
type Amount struct {
	mode  string
	n     int64
	order string
}

// AtMost is n values, or all if there are fewer.
func AtMost(n int64) Amount { return Amount{"COUNT", n, "BULK"} }

// Exactly is n values, or none if there are fewer.
func Exactly(n int64) Amount { return Amount{"EXACTLY", n, "BULK"} }

// OneByOne has the values arrive one after another.
func (a Amount) OneByOne() Amount {
	a.order = "OBO"
	return a
}

// MoveN is Move of several values at one moment, and answers them; none if there are
// not enough. It needs Redis 8.10; other servers answer [pipectx.ErrUnsupported].
//
// Cost: LMOVEM, and PEXPIRE of both with a default TTL; 1 or 3 commands; 1 round
// trip outside Run, none of its own inside.
func (b BoundList[K, V]) MoveN(ctx context.Context, from, to K, takes, puts Side, amount Amount) *pipectx.Ref[[]V] {
	c := b.move("LMOVEM", from, to, takes, puts).Needs("Redis 8.10")
	b.amount(c, "MoveN", amount)
	return writeTo(ctx, b.bound, c, b.value.all, from, to)
}

// BMoveN is MoveN that waits for values, as BMove does. It needs Redis 8.10; other
// servers answer [pipectx.ErrUnsupported].
//
// Cost: CLIENT ID, BLMOVEM, and PEXPIRE of both with a default TTL; 2 or 4 commands;
// 2 or 3 round trips, and the time it waits.
func (b BoundList[K, V]) BMoveN(ctx context.Context, wait time.Duration, from, to K, takes, puts Side, amount Amount) *pipectx.Ref[[]V] {
	c := b.move("BLMOVEM", from, to, takes, puts).Needs("Redis 8.10")
	c.Wait(wait, time.Second)
	b.amount(c, "BMoveN", amount)
	return await(ctx, b.bound, c, b.value.all, from, to)
}

func (b BoundList[K, V]) amount(c *pipectx.Command, verb string, a Amount) {
	if a.n < 1 {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d values; give AtMost or Exactly of one at least", b.def.keys.Prefix(), verb, a.n))
	}
	c.Word(a.mode)
	c.Int(a.n)
	c.Word(a.order)
}
