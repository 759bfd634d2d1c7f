package keyspace

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// meet starts a command about the keys of several ids, in their order. On a Cluster
// they must share a slot, or the command fails before it is sent.
func (b bound[K]) meet(name string, ids ...K) *pipectx.Command {
	c := pipectx.NewCommand(name)
	b.addKeys(c, ids)
	return c
}

// meetCounted is meet for commands that say first how many keys there are.
func (b bound[K]) meetCounted(name string, ids []K) *pipectx.Command {
	c := pipectx.NewCommand(name)
	c.Int(int64(len(ids)))
	b.addKeys(c, ids)
	return c
}

func (b bound[K]) addKeys(c *pipectx.Command, ids []K) {
	switch {
	case b.err != nil:
		c.Fail(b.err)
		return
	case len(ids) == 0:
		c.Fail(fmt.Errorf("keyspace: %s: the verb needs an id at least", b.def.keys.Prefix()))
	}
	for i, id := range ids {
		tail, err := b.def.keys.Append(c.Tail(), id)
		if err != nil && len(ids) > 1 {
			err = &PositionError{From: i, To: i, Of: len(ids), Err: err}
		}
		c.AppendKey(tail, err)
	}
}

// meets fails a command that names the key of another keyspace too, if the two cannot
// meet in one.
func (h handle) meets(c *pipectx.Command, other handle) {
	switch {
	case h.err != nil:
		c.Fail(h.err)
	case other.err != nil:
		c.Fail(other.err)
	case h.db.Client() != other.db.Client():
		c.Fail(fmt.Errorf("keyspace: %s and %s are on different connections; declare them on one", h, other))
	}
}

// writeTo sends a command that writes the keys of ids, and behind it the renewal of
// their default TTL where there is one.
func writeTo[K, T any](ctx context.Context, b bound[K], c *pipectx.Command, decode func(pipectx.Reply) (T, error), ids ...K) *pipectx.Ref[T] {
	if b.def.settings.TTL == 0 {
		return pipectx.Send(ctx, b.db, c, decode)
	}
	return together(ctx, b.db, func(ctx context.Context) *pipectx.Ref[T] {
		ref := pipectx.Send(ctx, b.db, c, decode)
		b.renew(ctx, ids)
		return ref
	})
}

// renew sets the default TTL of ids anew.
func (b bound[K]) renew(ctx context.Context, ids []K) {
	for _, id := range ids {
		b.handle(id).renew(ctx)
	}
}

// await sends a command that blocks, and renews the default TTL of ids when it has
// changed something.
func await[K, T any](ctx context.Context, b bound[K], c *pipectx.Command, decode func(pipectx.Reply) (T, error), ids ...K) *pipectx.Ref[T] {
	ref := pipectx.Send(ctx, b.db, c, decode)
	return waited(ctx, b.db, b.def.settings.TTL, ref, func(ctx context.Context, _ T) { b.renew(ctx, ids) })
}

// awaitPopped is await for a pop from one of several keys: only that one has changed.
func awaitPopped[K, T any](ctx context.Context, b bound[K], c *pipectx.Command, decode func(pipectx.Reply) (Popped[K, T], error)) *pipectx.Ref[Popped[K, T]] {
	ref := pipectx.Send(ctx, b.db, c, decode)
	return waited(ctx, b.db, b.def.settings.TTL, ref, func(ctx context.Context, p Popped[K, T]) { b.handle(p.ID).renew(ctx) })
}

// waited has renew set the default TTL anew of what a command has changed that blocked:
// only then, and so in a round trip of its own, also where ctx has ended while the
// command waited. If that fails, what was taken is the answer all the same; the failure
// is told as one that nobody read.
func waited[T any](ctx context.Context, db *pipectx.DB, ttl time.Duration, ref *pipectx.Ref[T], renew func(context.Context, T)) *pipectx.Ref[T] {
	if ttl == 0 {
		return ref
	}
	value, err := ref.Result()
	if err != nil {
		return pipectx.Failed[T](ctx, db, err) // that of ref counts as read, and nobody has seen it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err = pipectx.Run(ctx, db, func(ctx context.Context) error {
		renew(ctx, value)
		return nil
	})
	if err != nil {
		pipectx.Failed[struct{}](ctx, db, err)
	}
	return ref
}

// named finds the id that a reply names by its key, as the caller gave it.
func (b bound[K]) named(ids []K, key []byte) (K, error) {
	for _, id := range ids {
		if have, err := b.def.keys.Key(id); err == nil && have == string(key) {
			return id, nil
		}
	}
	var none K
	return none, fmt.Errorf("keyspace: %s: the reply names the key %q, which was not asked for", b.def.keys.Prefix(), key)
}

// Popped is what a verb took from one of several keys.
type Popped[K, T any] struct {
	ID    K // of that key
	Value T
}

// pair reads the reply of a pop from one of several keys: its name, then what
// came from it. A null says that all are empty.
func pair[K, T any](b bound[K], ids []K, r pipectx.Reply, value func(items *pipectx.Items, key string) (T, error)) (p Popped[K, T], err error) {
	if r.IsNil() {
		return p, absent("value in any of " + r.Key() + others(len(ids)))
	}
	items, err := r.Items()
	if err != nil {
		return p, err
	}
	if !items.Next() {
		return p, short(r)
	}
	name, err := items.Bytes()
	if err != nil {
		return p, err
	}
	if p.ID, err = b.named(ids, name); err != nil {
		return p, err
	}
	p.Value, err = value(&items, string(name))
	return p, err
}

func others(n int) string {
	switch n {
	case 1:
		return ""
	case 2:
		return " and one other"
	}
	return fmt.Sprintf(" and %d others", n-1)
}
