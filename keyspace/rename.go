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
	c, target := b.toward("RENAME", id, to)
	c.OnError(noSuchKey(b.handle(id).key))
	return write(ctx, target, c, pipectx.Reply.OK)
}

// RenameNX is Rename where there is no key of the id to, and tells whether it did.
//
// Cost: RENAMENX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b bound[K]) RenameNX(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	c, target := b.toward("RENAMENX", id, to)
	c.OnError(noSuchKey(b.handle(id).key))
	return write(ctx, target, c, pipectx.Reply.Bool)
}

// Copy gives the id to a copy of what id holds, and of its TTL, and tells whether it
// did: it does not where there is no key of id, or one of to. On a Cluster both must
// be in one slot: a [*pipectx.CrossSlotError] names both keys, and nothing is sent.
// The default TTL begins anew.
//
// Cost: COPY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (b bound[K]) Copy(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	c, target := b.toward("COPY", id, to)
	return write(ctx, target, c, pipectx.Reply.Bool)
}

// CopyReplace is Copy in the place of what the id to holds.
//
// Cost: COPY REPLACE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b bound[K]) CopyReplace(ctx context.Context, id, to K) *pipectx.Ref[bool] {
	c, target := b.toward("COPY", id, to)
	c.Word("REPLACE")
	return write(ctx, target, c, pipectx.Reply.Bool)
}

// toward starts a command about the key of one id and that of another, which it
// changes.
func (b bound[K]) toward(name string, id, to K) (*pipectx.Command, handle) {
	c, target := b.handle(id).command(name), b.handle(to)
	c.Key(target.key)
	if target.err != nil {
		c.Fail(target.err)
	}
	return c, target
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
