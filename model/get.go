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
// or zero where their type has no absence, or their default. The strings of one
// record share memory: one that is kept for long keeps them all, unless it is cloned.
//
// Errors: *field.DecodeError, which names key and field, when somebody stored
// what the field's type cannot hold.
//
// Cost: HMGET, or HGETALL if the record has a field tagged extra; 1 command; 1 round
// trip outside Run, none of its own inside.
func (r Repo[T, K]) Get(ctx context.Context, id K) *pipectx.Ref[T] {
	var record T
	*r.bound().id(unsafe.Pointer(&record)) = r.model.own(id) // it is in the key, not in the hash
	return pipectx.SendInto(ctx, r.db, r.getCommand(id), record, r.model.verbs.load)
}

// GetMany loads records, in the order of ids; where there is none the pointer
// is nil. What fails for one record is the error of all. The pointers are the
// same for all who read the Ref.
//
// Cost: HMGET, or HGETALL as for Get; 1 command for each id; 1 round trip outside
// Run, on a Cluster 1 to each node, none of its own inside.
func (r Repo[T, K]) GetMany(ctx context.Context, ids ...K) *pipectx.Ref[[]*T] {
	m := r.bound()
	refs := make([]*pipectx.Ref[*T], len(ids))
	err := pipectx.Run(ctx, r.db, func(ctx context.Context) error {
		for i, id := range ids {
			record := new(T)
			*m.id(unsafe.Pointer(record)) = m.own(id)
			refs[i] = pipectx.SendInto(ctx, r.db, r.getCommand(id), record, m.verbs.loadMaybe)
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

// Delete removes a record and tells whether there was one. BeforeDelete, if the
// record has that hook, is called on one with nothing but its id.
//
// Cost: DEL, or EVALSHA, at first EVAL, if the model has the Lua hook before_delete;
// 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Delete(ctx context.Context, id K) *pipectx.Ref[bool] {
	var c *pipectx.Command
	if s := r.bound().scripts.delete; s != nil {
		c = r.script(s, id)
	} else {
		c = r.command("DEL", id)
	}
	if r.model.hooks.beforeDelete {
		if err := r.beforeDelete(ctx, id); err != nil {
			c.Fail(err)
		}
	}
	return pipectx.Send(ctx, r.db, c, pipectx.Reply.Bool)
}

// DeleteMany removes records, each as [Repo.Delete] does, and answers how many of
// them there were.
//
// Cost: DEL, or EVALSHA as for Delete; 1 command for each id; 1 round trip outside Run, on a Cluster 1 to
// each node, none of its own inside.
func (r Repo[T, K]) DeleteMany(ctx context.Context, ids ...K) *pipectx.Ref[int] {
	r.bound()
	return together(ctx, r.db, func(ctx context.Context) (*pipectx.Ref[int], error) {
		refs := make([]*pipectx.Ref[bool], len(ids))
		for i, id := range ids {
			refs[i] = r.Delete(ctx, id)
		}
		return pipectx.Map(pipectx.All(refs), countTrue), nil
	})
}

func countTrue(were []bool) (n int, err error) {
	for _, was := range were {
		if was {
			n++
		}
	}
	return n, nil
}

func (r Repo[T, K]) getCommand(id K) *pipectx.Command {
	s := r.model.schema
	if s.extra != nil {
		return r.command("HGETALL", id).Read()
	}
	c := r.command("HMGET", id).Read()
	addFixed(c, s.asked)
	return c
}

// load reads the reply to getCommand into the record at p.
func (s *schema) load(r pipectx.Reply, p unsafe.Pointer, hooks *hooks) error {
	read := s.readAsked
	if s.extra != nil {
		read = s.readAll
	}
	found, err := read(r, p)
	switch {
	case err != nil:
		return err
	case !found:
		return pipectx.NotFound(r.Key())
	}
	return hooks.loaded(r, p)
}

// readAsked reads the reply to HMGET of all columns.
func (s *schema) readAsked(r pipectx.Reply, p unsafe.Pointer) (found bool, err error) {
	return s.read(r, p, s.columns)
}

// read reads the texts of columns, under all their names, into the record at p, and
// tells whether any of them is stored.
func (s *schema) read(r pipectx.Reply, p unsafe.Pointer, columns []*column) (found bool, err error) {
	items, err := r.Items()
	if err != nil {
		return false, err
	}
	for _, c := range columns {
		text, stored, err := c.next(&items)
		switch {
		case err != nil:
			return false, fmt.Errorf("model: load %s: %w", r.Key(), err)
		case !stored:
			c.lacking(p, false)
			continue
		}
		found = true
		if err := c.parse(r, text, p); err != nil {
			return false, err
		}
	}
	return found, nil
}

// next takes the text of a column from the items that getCommand asked for: that
// of its name, else of one that it had before.
func (c *column) next(items *pipectx.Items) (text string, stored bool, err error) {
	for range 1 + len(c.was) {
		if !items.Next() {
			return "", false, errors.New("the reply has too few fields")
		}
		b, err := items.Bytes()
		switch {
		case err == pipectx.ErrNotFound:
		case err != nil:
			return "", false, err
		case !stored:
			text, stored = shared(b), true
		}
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
