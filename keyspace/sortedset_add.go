package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// When says which members [SortedSetKey.AddIf] writes. Conditions that exclude each
// other have no When.
type When int

// What Redis can be told.
const (
	Always            When = iota // new members, and those that are there
	IfNew                         // NX: new members only
	IfThere                       // XX: those that are there only
	IfGreater                     // GT: new ones, and those whose score grows
	IfLess                        // LT: new ones, and those whose score shrinks
	IfThereAndGreater             // XX GT: those that are there and grow
	IfThereAndLess                // XX LT: those that are there and shrink
)

var whens = [...]struct {
	name  string
	words []string
}{
	{"Always", nil}, {"IfNew", []string{"NX"}}, {"IfThere", []string{"XX"}}, {"IfGreater", []string{"GT"}}, {"IfLess", []string{"LT"}},
	{"IfThereAndGreater", []string{"XX", "GT"}}, {"IfThereAndLess", []string{"XX", "LT"}},
}

// String is the condition as it is written in Go.
func (w When) String() string {
	if w < 0 || int(w) >= len(whens) {
		return fmt.Sprintf("When(%d)", int(w))
	}
	return whens[w].name
}

func (w When) write(c *pipectx.Command, key string) {
	if w < 0 || int(w) >= len(whens) {
		c.Fail(fmt.Errorf("keyspace: %s: %v is no condition; give one of this package's constants", key, w))
		return
	}
	for _, word := range whens[w].words {
		c.Word(word)
	}
}

// AddIf gives scores to those of members that the condition admits, and answers how
// many are new or have another score than before. Large numbers of them go as in
// [SortedSetKey.AddMany].
//
// Cost: ZADD CH with NX, XX, GT or LT, 1 command for each 5,000 members, and PEXPIRE
// with a default TTL; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) AddIf(ctx context.Context, when When, members ...Z[M]) *pipectx.Ref[int64] {
	begin := func() *pipectx.Command {
		c := k.command("ZADD")
		when.write(c, k.key)
		c.Word("CH")
		return c
	}
	return writeParts(ctx, k.handle, begin, members, pairs[M]{k.member}, sum)
}

// IncrIf is [SortedSetKey.IncrBy] if the condition admits it, which is asked about
// the sum. If it does not, nothing changes, and the answer is absent.
//
// Cost: ZADD INCR with NX, XX, GT or LT, and PEXPIRE with a default TTL; 1 or 2
// commands; 1 round trip outside Run, none of its own inside.
func (k SortedSetKey[M]) IncrIf(ctx context.Context, when When, member M, x float64) *pipectx.Ref[field.Optional[float64]] {
	c := k.command("ZADD")
	when.write(c, k.key)
	c.Word("INCR")
	number(c, k.key, "IncrIf", x, true)
	k.member.write(c, k.key, member)
	return write(ctx, k.handle, c, func(r pipectx.Reply) (field.Optional[float64], error) {
		if r.IsNil() {
			return field.None[float64](), nil
		}
		score, err := r.Float()
		return field.Some(score), err
	})
}
