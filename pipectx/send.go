package pipectx

import (
	"context"
	"errors"
	"strings"
)

// Send queues c on the pipeline of db that ctx carries, or runs it now, and
// returns its result: decode of the reply. It is what verbs are made of.
//
// decode is given each reply that is not an error; what it returns is the Ref's
// answer. A [NotFound] error says that the thing read is absent, which is no
// failure of the Run.
//
// Cost: 1 command; 1 round trip outside Run, none of its own inside.
func Send[T any](ctx context.Context, db *DB, c *Command, decode func(Reply) (T, error)) *Ref[T] {
	ref := &Ref[T]{decode: decode}
	db.send(ctx, c, ref)
	return ref
}

// SendInto is [Send] for a result that is known but for what the reply adds to
// it: decode changes value, which is the Ref's own copy.
//
// Cost: 1 command; 1 round trip outside Run, none of its own inside.
func SendInto[T any](ctx context.Context, db *DB, c *Command, value T, decode func(Reply, *T) error) *Ref[T] {
	ref := &Ref[T]{value: value, into: decode}
	db.send(ctx, c, ref)
	return ref
}

// Failed returns a Ref that answers err, as Send does for a command that fails
// before it is sent: the innermost Run is poisoned.
//
// Cost: no command, no round trip.
func Failed[T any](ctx context.Context, db *DB, err error) *Ref[T] {
	c := NewCommand()
	c.Fail(err)
	return Send[T](ctx, db, c, nil)
}

func (h *DB) send(ctx context.Context, c *Command, ref settler) {
	defer c.free()
	s := h.scopeOf(ctx)
	if h.closed.Load() {
		c.Fail(ErrClosed)
	}
	if len(c.ends) == 0 {
		c.Fail(errors.New("pipectx: a Command without a word; give NewCommand its name"))
	}
	slot := -1
	if c.err == nil && h.conn.cluster != nil {
		var err error
		if slot, err = c.slot(); err != nil {
			c.Fail(err)
		}
	}
	if c.wait != nil && s != nil && c.err == nil {
		c.Fail(h.outside(ctx, "pipectx: "+c.name()+" "+c.key()))
	}
	switch {
	case c.err != nil && s != nil:
		s.poisoned(c.err)
		ref.fail(c.err)
	case c.err != nil:
		ref.fail(c.err)
		reportIfUnread(ref, h.db)
	case s != nil:
		if err := s.queue(h.conn, c, slot, ref); err != nil {
			ref.fail(err)
			if errors.Is(err, ErrEnded) {
				reportIfUnread(ref, h.db) // other errors are the Run's own, which tells of them
			}
		}
	case c.wait != nil:
		h.debug.check(ctx, c.name)
		h.waitFor(ctx, c, slot, ref)
		reportIfUnread(ref, h.db)
	default:
		a := arenas.Get().(*arena)
		var items [1]item
		c.become(&items[0], h.conn, slot, a, ref)
		items[0].safe = items[0].safe || mayResend(ctx)
		h.debug.check(ctx, func() string { return strings.Clone(items[0].word(0)) })
		var free bool
		if h.coalesce && context.Cause(ctx) == nil {
			free = h.share(ctx, items[0])
		} else {
			free = h.flush(ctx, items[:], 0, nil)
		}
		if free {
			a.free()
		}
		reportIfUnread(ref, h.db)
	}
}

// become makes an empty item the command. Its words are in a from here on.
func (c *Command) become(it *item, conn *conn, slot int, a *arena, ref settler) {
	it.conn, it.args, it.ref = conn, a.add(c), ref
	if c.fault != nil || c.script != nil {
		it.fault, it.script = c.fault, c.script
		it.safe = c.script != nil && c.script.Resend
	}
	it.size, it.slot, it.read = int32(len(c.buf)+c.size), int16(slot), c.read
	it.text = c.text && c.script == nil
	if len(c.keys) > 0 {
		it.key = int16(c.keys[0])
	}
}

// word returns word i of the command.
func (it *item) word(i int) string { return *it.args[i].(*string) }

// located returns err with the command's name and key around it, unless it
// names them itself. Keys of keyspaces and models have braces, so a text that
// contains one means it.
func (it *item) located(err error) error {
	var have *CommandError
	if errors.As(err, &have) {
		return err
	}
	if it.key > 0 {
		if key := it.word(int(it.key)); strings.Contains(key, "{") && strings.Contains(err.Error(), key) {
			return err
		}
	}
	return it.named(err)
}

func (it *item) named(err error) error {
	e := &CommandError{Command: strings.Clone(strings.ToUpper(it.word(0))), Err: err}
	if it.script != nil {
		e.Command = it.script.name
	}
	if it.key > 0 {
		e.Key = strings.Clone(it.word(int(it.key))) // the word's memory is used again
	}
	return e
}
