package keyspace

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/redmoon-go/redmoon/pipectx"
)

// most is how many members, fields or keys one command carries. More are split:
// a server does nothing else while it executes a command, and a command of a
// million words needs all of them in memory, on both sides, at a time.
const most = 5000

// write sends a command that changes the key, and behind it the renewal of the
// default TTL where there is one.
func write[T any](ctx context.Context, h handle, c *pipectx.Command, decode func(pipectx.Reply) (T, error)) *pipectx.Ref[T] {
	if h.ttl == 0 {
		return pipectx.Send(ctx, h.db, c, decode)
	}
	return renewed(ctx, h, func(ctx context.Context) *pipectx.Ref[T] { return pipectx.Send(ctx, h.db, c, decode) })
}

// renew sets the default TTL anew. In a Run its failure is one of the Run's.
func (h handle) renew(ctx context.Context) {
	if h.ttl != 0 {
		h.Expire(ctx, h.ttl)
	}
}

// together has fn send the several commands of one verb as one pipeline; none
// if one of them cannot be encoded.
func together[T any](ctx context.Context, db *pipectx.DB, fn func(context.Context) *pipectx.Ref[T]) *pipectx.Ref[T] {
	var ref *pipectx.Ref[T]
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		ref = fn(ctx)
		return nil
	})
	switch {
	case err == nil:
		return ref
	case ref == nil && ctx.Err() != nil: // as Send has it
		err = fmt.Errorf("%w: %w", pipectx.ErrNotSent, err)
	}
	// The error of an inner Run is not yet the outer one's, and that of an
	// outermost Run nobody has been told: Failed sees to both.
	return pipectx.Failed[T](ctx, db, err)
}

// resolved is the Ref of a verb that had nothing to send.
func resolved[T any](value T) *pipectx.Ref[T] {
	return pipectx.Map(pipectx.All[T](nil), func([]T) (T, error) { return value, nil })
}

// writer adds an item to a command.
type writer[E any] interface {
	write(c *pipectx.Command, key string, item E)
}

// writeAll sends a command that writes items, or several, and sums up their
// replies.
func writeAll[E any](ctx context.Context, h handle, name string, items []E, words writer[E]) *pipectx.Ref[int64] {
	return writeParts(ctx, h, func() *pipectx.Command { return h.command(name) }, items, words, sum)
}

// pushAll is writeAll for commands that answer how many there are then: the last one
// knows.
func pushAll[E any](ctx context.Context, h handle, name string, items []E, words writer[E]) *pipectx.Ref[int64] {
	return writeParts(ctx, h, func() *pipectx.Command { return h.command(name) }, items, words, last)
}

// writeParts sends a command that writes items, or one for each part that one may
// carry. Begin makes each as far as its items; fold makes one of their replies. Of
// what cannot be encoded, or is refused, the error tells the position.
func writeParts[E any](ctx context.Context, h handle, begin func() *pipectx.Command, items []E, words writer[E],
	fold func([]int64) (int64, error)) *pipectx.Ref[int64] {
	command := func(from, to int) *pipectx.Command {
		return inPlace(carry(begin(), h.key, items, from, to, words), h.key, from, to, len(items))
	}
	switch {
	case len(items) == 0 && h.err == nil:
		return resolved[int64](0)
	case len(items) <= most:
		return write(ctx, h, command(0, len(items)), pipectx.Reply.Int)
	}
	return together(ctx, h.db, func(ctx context.Context) *pipectx.Ref[int64] {
		var refs []*pipectx.Ref[int64]
		for from := 0; from < len(items); from += most {
			c := command(from, min(from+most, len(items)))
			failed := c.Err() != nil
			refs = append(refs, pipectx.Send(ctx, h.db, c, pipectx.Reply.Int))
			if failed { // nothing is sent
				break
			}
		}
		h.renew(ctx)
		return pipectx.Map(pipectx.All(refs), fold)
	})
}

// carry adds some of the items to a command. Of one that cannot be encoded the error
// tells the position.
func carry[E any](c *pipectx.Command, key string, items []E, from, to int, words writer[E]) *pipectx.Command {
	if c.Err() != nil {
		return c
	}
	for i, item := range items[from:to] {
		words.write(c, key, item)
		if err := c.Err(); err != nil {
			if len(items) > 1 {
				err = &PositionError{From: from + i, To: from + i, Of: len(items), Err: err}
			}
			c = pipectx.NewCommand() // one that failed keeps its first error
			c.Fail(err)
			return c
		}
	}
	return c
}

// inPlace has the server's error for one of several commands tell the positions of its
// items.
func inPlace(c *pipectx.Command, key string, from, to, of int) *pipectx.Command {
	if c.Err() == nil && to-from < of {
		name := c.Name()
		c.OnError(func(fault *pipectx.ServerError) error {
			return &PositionError{From: from, To: to - 1, Of: of, Err: &pipectx.CommandError{Command: name, Key: key, Err: fault}}
		})
	}
	return c
}

func last(lengths []int64) (int64, error) { return lengths[len(lengths)-1], nil } //nolint:unparam // the form that Map takes

func sum(counts []int64) (total int64, err error) {
	for _, n := range counts {
		total += n
	}
	return total, nil
}

// readAll sends a command that asks about items, or several, and joins their
// replies in order. Decode is made for the items of one command.
func readAll[E, T any](ctx context.Context, h handle, name string, items []E, words writer[E],
	decode func(items []E) func(pipectx.Reply) ([]T, error)) *pipectx.Ref[[]T] {
	return inParts(ctx, h, items, func(ctx context.Context, from, to int) *pipectx.Ref[[]T] {
		c := inPlace(carry(h.command(name).Read(), h.key, items, from, to, words), h.key, from, to, len(items))
		return pipectx.Send(ctx, h.db, c, decode(items[from:to]))
	})
}

func join[T any](parts [][]T) ([]T, error) { //nolint:unparam // the form that Map takes
	if all := slices.Concat(parts...); all != nil {
		return all, nil
	}
	return []T{}, nil
}

// inParts sends a verb about many items as one command for each part that one may
// carry, and joins what they answer.
func inParts[E, T any](ctx context.Context, h handle, items []E, send func(ctx context.Context, from, to int) *pipectx.Ref[[]T]) *pipectx.Ref[[]T] {
	switch {
	case len(items) == 0 && h.err == nil:
		return resolved([]T{})
	case len(items) <= most:
		return send(ctx, 0, len(items))
	}
	return together(ctx, h.db, func(ctx context.Context) *pipectx.Ref[[]T] {
		var refs []*pipectx.Ref[[]T]
		for from := 0; from < len(items); from += most {
			refs = append(refs, send(ctx, from, min(from+most, len(items))))
		}
		return pipectx.Map(pipectx.All(refs), join)
	})
}

// renewed sends what changes a key, and behind it the renewal of the default TTL
// where there is one.
func renewed[T any](ctx context.Context, h handle, send func(context.Context) *pipectx.Ref[T]) *pipectx.Ref[T] {
	if h.ttl == 0 {
		return send(ctx)
	}
	return together(ctx, h.db, func(ctx context.Context) *pipectx.Ref[T] {
		ref := send(ctx)
		h.renew(ctx)
		return ref
	})
}

// number adds a float that must be one: NaN fails the command, and infinities
// where the command cannot take them.
func number(c *pipectx.Command, key, verb string, f float64, infinite bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) && !infinite {
		c.Fail(fmt.Errorf("keyspace: %s: %s: %v is not a number that Redis takes here", key, verb, f))
		return
	}
	c.Float(f)
}
