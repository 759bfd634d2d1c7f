package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Append appends the value's text to the stored one, or to none, and answers
// the length of both in bytes. It keeps a TTL. V must be a string or []byte
// type: other texts make no value when they are joined.
//
// Cost: APPEND, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) Append(ctx context.Context, value V) *pipectx.Ref[int64] {
	c := k.command("APPEND")
	k.joined(c, "Append", "Set")
	k.value.write(c, k.key, value)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// StrLen answers the length, in bytes, of the stored text; 0 if there is no
// such key.
//
// Cost: STRLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) StrLen(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("STRLEN").Read(), pipectx.Reply.Int)
}

// GetRange answers a part of the stored text, from byte start to byte end, both
// included; negative ones count from the end, where -1 is the last. Beyond the text,
// or without a key, it is empty. V must be a string or []byte type.
//
// Cost: GETRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k StringKey[V]) GetRange(ctx context.Context, start, end int64) *pipectx.Ref[V] {
	c := k.command("GETRANGE")
	k.joined(c, "GetRange", "Get")
	c.Int(start)
	c.Int(end)
	return k.value.get(ctx, k.db, c)
}

// SetRange writes the text of part over the stored one, from byte offset on, and
// answers the length, in bytes, of what is stored now. Where the stored text is
// shorter than offset, zero bytes fill the gap. It keeps a TTL. V must be a string or
// []byte type.
//
// Cost: SETRANGE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StringKey[V]) SetRange(ctx context.Context, offset int64, part V) *pipectx.Ref[int64] {
	c := k.command("SETRANGE")
	k.joined(c, "SetRange", "Set")
	if offset < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: SetRange at %d; give an offset that is not negative", k.key, offset))
	}
	c.Int(offset)
	k.value.write(c, k.key, part)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// joined fails a command about a part of a text where parts are no values.
func (k StringKey[V]) joined(c *pipectx.Command, verb, whole string) {
	if kind := k.value.Lua().Kind; kind != field.LuaString && kind != field.LuaBytes {
		c.Fail(fmt.Errorf("keyspace: %s: %s needs a string or []byte, and the values are %s; %s the whole value", k.key, verb, k.value.Name(), whole))
	}
}

// A Match is a run of bytes that two texts have in common, without the end.
type Match struct {
	Start, End           int64 // in the first text
	OtherStart, OtherEnd int64 // in the other
}

// LCS answers the longest text that both values contain as a subsequence: its bytes
// are in both in this order, but not side by side. A key that is not there counts as
// an empty text. On a Cluster both must be in one slot: a [*pipectx.CrossSlotError]
// names both keys, and nothing is sent. V must be a string or []byte type. The time
// it takes the server is the product of the lengths.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: LCS; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) LCS(ctx context.Context, id, other K) *pipectx.Ref[V] {
	c := b.lcs("LCS", id, other)
	var value V
	return pipectx.SendInto(ctx, b.db, c, value, b.value.into)
}

// LCSLen is LCS that answers the length, in bytes.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: LCS LEN; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) LCSLen(ctx context.Context, id, other K) *pipectx.Ref[int64] {
	c := b.lcs("LCSLen", id, other)
	c.Word("LEN")
	return pipectx.Send(ctx, b.db, c, pipectx.Reply.Int)
}

// LCSMatches is LCS that answers where its parts are in both texts, the last one
// first, and only those of least bytes or more.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.0.
//
// Cost: LCS IDX; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundString[K, V]) LCSMatches(ctx context.Context, id, other K, least int64) *pipectx.Ref[[]Match] {
	c := b.lcs("LCSMatches", id, other)
	c.Word("IDX")
	c.Word("MINMATCHLEN")
	c.Int(max(least, 0))
	return pipectx.Send(ctx, b.db, c, matches)
}

func (b BoundString[K, V]) lcs(verb string, id, other K) *pipectx.Command {
	c := b.meet("LCS", id, other).Read().Needs("Redis 7.0")
	b.Key(id).joined(c, verb, "Get")
	return c
}

// matches reads a map of which "matches" is an array of pairs of ranges.
func matches(r pipectx.Reply) ([]Match, error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	found := []Match{}
	for items.Next() {
		name, err := items.Reply().Text()
		if err != nil {
			return nil, err
		}
		if !items.Next() {
			return nil, short(r)
		}
		if name != "matches" {
			continue
		}
		list, err := items.Reply().Items()
		if err != nil {
			return nil, err
		}
		for list.Next() {
			var m Match
			if err := ranges(list.Reply(), &m.Start, &m.End, &m.OtherStart, &m.OtherEnd); err != nil {
				return nil, err
			}
			m.End++ // Redis counts the last byte in
			m.OtherEnd++
			found = append(found, m)
		}
	}
	return found, nil
}

// ranges reads arrays of two integers each.
func ranges(r pipectx.Reply, into ...*int64) error {
	items, err := r.Items()
	if err != nil {
		return err
	}
	for i := 0; i < len(into); i += 2 {
		if !items.Next() {
			return short(r)
		}
		pair, err := items.Reply().Items()
		if err != nil {
			return err
		}
		for _, p := range into[i : i+2] {
			if !pair.Next() {
				return short(r)
			}
			if *p, err = pair.Reply().Int(); err != nil {
				return err
			}
		}
	}
	return nil
}
