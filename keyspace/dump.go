package keyspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// ErrKeyExists is the answer of Restore for a key that is there already. The cure is
// to Del it, or RestoreReplace.
var ErrKeyExists = errors.New("the key exists already")

// Dump answers the stored value as Redis serialises it, whatever its type, for
// Restore of this key or another. Its TTL is not part of it. If there is no such key
// the answer is [pipectx.ErrNotFound].
//
// Cost: DUMP; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Dump(ctx context.Context) *pipectx.Ref[[]byte] {
	return pipectx.Send(ctx, h.db, h.command("DUMP").Read(), func(r pipectx.Reply) ([]byte, error) {
		text, err := r.Bytes()
		return slices.Clone(text), missing(err, r.Key())
	})
}

// Restore makes the key of what Dump answered, on the same server or another of its
// kind that is not older. It ends after ttl; for 0 after the default TTL, or never.
// A key that is there is left alone, and the answer is [ErrKeyExists].
//
// Cost: RESTORE; 1 command; 1 round trip outside Run, none of its own inside.
func (h handle) Restore(ctx context.Context, dump []byte, ttl time.Duration) *pipectx.Ref[struct{}] {
	c := h.restore("Restore", dump, ttl)
	c.OnError(func(fault *pipectx.ServerError) error {
		if fault.Code == "BUSYKEY" {
			return fmt.Errorf("keyspace: %s: %w", h.key, ErrKeyExists)
		}
		return fault
	})
	return pipectx.Send(ctx, h.db, c, pipectx.Reply.OK)
}

// RestoreReplace is Restore in the place of what the key holds.
//
// Cost: RESTORE REPLACE; 1 command; 1 round trip outside Run, none of its own
// inside.
func (h handle) RestoreReplace(ctx context.Context, dump []byte, ttl time.Duration) *pipectx.Ref[struct{}] {
	c := h.restore("RestoreReplace", dump, ttl)
	c.Word("REPLACE")
	return pipectx.Send(ctx, h.db, c, pipectx.Reply.OK)
}

func (h handle) restore(verb string, dump []byte, ttl time.Duration) *pipectx.Command {
	c := h.command("RESTORE")
	switch {
	case ttl == 0:
		ttl = h.ttl
	case ttl < time.Millisecond:
		c.Fail(fmt.Errorf("keyspace: %s: %s for %v: Redis counts milliseconds; give at least one, or 0 for the default", h.key, verb, ttl))
	}
	c.Int(ttl.Milliseconds())
	c.Append(append(c.Tail(), dump...), nil)
	return c
}
