package keyspace

import (
	"context"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Rename gives the value of id, and its TTL, to the id to, in the place of what that
// holds. If there is no such key the answer is [pipectx.ErrNotFound]. On a Cluster
// both must be in one slot: a [*pipectx.CrossSlotError] names both keys, and nothing
// is sent. The default TTL begins anew.
//
// Cost: RENAME, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b bound[K]) Rename(ctx context.Context, id, to K) *pipectx.Ref[struct{}] {
	c := b.meet("RENAME", id, to)
	c.OnError(noSuchKey(b.handle(id).key))
	return writeTo(ctx, b, c, pipectx.Reply.OK, to)
}

// RenameNX is Rename where there is no key of the id to, and tells whether it did.
//
// Cost: RENAMENX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b bound[K]) RenameNX(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	c := b.meet("RENAMENX", id, to)
	c.OnError(noSuchKey(b.handle(id).key))
	return writeTo(ctx, b, c, pipectx.Reply.Bool, to)
}

// Copy gives the id to a copy of what id holds, and of its TTL, and tells whether it
// did: it does not where there is no key of id, or one of to. On a Cluster both must
// be in one slot: a [*pipectx.CrossSlotError] names both keys, and nothing is sent.
// The default TTL begins anew.
//
// Cost: COPY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (b bound[K]) Copy(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	return writeTo(ctx, b, b.meet("COPY", id, to), pipectx.Reply.Bool, to)
}

// CopyReplace is Copy in the place of what the id to holds.
//
// Cost: COPY REPLACE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b bound[K]) CopyReplace(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	c := b.meet("COPY", id, to)
	c.Word("REPLACE")
	return writeTo(ctx, b, c, pipectx.Reply.Bool, to)
}

// noSuchKey makes the server's error for a key that is not there the answer that all
// verbs have for it.
func noSuchKey(key string) func(*pipectx.ServerError) error {
	return func(fault *pipectx.ServerError) error {
		if fault.Code == "ERR" && strings.HasPrefix(fault.Message, "no such key") {
			return absent(key)
		}
		return fault
	}
}
