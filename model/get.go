package model

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Get loads a record. Its Ref answers [pipectx.ErrNotFound] when there is none,
// which is no failure of a Run. Fields that the stored record lacks are absent,
// or zero where their type has no absence, or their default. The strings of one record share
// memory: one that is kept for long keeps them all, unless it is cloned.
//
// Errors: *field.DecodeError, which names key and field, when somebody stored
// what the field's type cannot hold.
//
// Cost: HMGET, or HGETALL if the record has a field tagged extra; 1 command; 1 round
// trip outside Run, none of its own inside.
func (r Repo[T, K]) Get(ctx context.Context, id K) *pipectx.Ref[T] {
	var record T
	*r.model.id(unsafe.Pointer(&record)) = id // it is in the key, not in the hash
	return pipectx.SendInto(ctx, r.db, r.getCommand(id), record, r.model.verbs.load)
}

// GetMany loads records, in the order of ids; where there is none the pointer
// is nil. What fails for one record is the error of all. The pointers are the
// same for all who read the Ref.
//
// Cost: HMGET, or HGETALL as for Get; 1 command for each id; 1 round trip outside Run, on a Cluster 1 to
// each node, none of its own inside.
func (r Repo[T, K]) GetMany(ctx context.Context, ids ...K) *pipectx.Ref[[]*T] {
	refs := make([]*pipectx.Ref[*T], len(ids))
	err := pipectx.Run(ctx, r.db, func(ctx context.Context) error {
		for i, id := range ids {
			record := new(T)
			*r.model.id(unsafe.Pointer(record)) = id
			refs[i] = pipectx.SendInto(ctx, r.db, r.getCommand(id), record, r.model.verbs.loadMaybe)
		}
		return nil
	})
	if err != nil {
		return pipectx.Failed[[]*T](ctx, r.db, err)
	}
	return pipectx.All(refs)
}

// Exists tells whether there is a record of this id.
//
// Cost: EXISTS; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Exists(ctx context.Context, id K) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, r.db, r.command("EXISTS", id).Read(), pipectx.Reply.Bool)
}

// Delete removes a record and tells whether there was one.
//
// Cost: DEL; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Delete(ctx context.Context, id K) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, r.db, r.command("DEL", id), pipectx.Reply.Bool)
}

func (r Repo[T, K]) getCommand(id K) *pipectx.Command {
	if r.model.schema.extra != nil {
		return r.command("HGETALL", id).Read()
	}
	c := r.command("HMGET", id).Read()
	for _, col := range r.model.schema.columns {
		c.Word(col.name)
		for _, old := range col.was {
			c.Word(old)
		}
	}
	return c
}

// load reads the reply to getCommand into the record at p.
func (s *schema) load(r pipectx.Reply, p unsafe.Pointer) error {
	if s.extra != nil {
		return s.loadAll(r, p)
	}
	items, err := r.Items()
	if err != nil {
		return err
	}
	found := false
	for _, c := range s.columns {
		text, stored, err := c.next(&items)
		switch {
		case err != nil:
			return fmt.Errorf("model: load %s: %w", r.Key(), err)
		case !stored:
			c.lacking(p, false)
			continue
		}
		found = true
		if err := c.parse(r, text, p); err != nil {
			return err
		}
	}
	if !found {
		return pipectx.NotFound(r.Key())
	}
	return nil
}

// next takes the text of a column from the items that getCommand asked for: that
// of its name, else of one that it had before.
func (c *column) next(items *pipectx.Items) (text string, stored bool, err error) {
	for range 1 + len(c.was) {
		if !items.Next() {
			return "", false, errors.New("the reply has too few fields")
		}
		item := items.Reply()
		if stored || item.IsNil() {
			continue
		}
		b, err := item.Bytes()
		if err != nil {
			return "", false, err
		}
		text, stored = shared(b), true
	}
	return text, stored, nil
}

// parse reads the stored text of a column into the record at p.
func (c *column) parse(r pipectx.Reply, text string, p unsafe.Pointer) error {
	if err := c.codec.ParseShared(text, c.at(p)); err != nil {
		return fmt.Errorf("model: %w", c.failed(r.Key(), err))
	}
	return nil
}

// shared is a part of a reply as a string, without a copy: a reply is ours alone
// and never changes.
func shared(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }
