package model

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Get loads a record. Its Ref answers [pipectx.ErrNotFound] when there is none,
// which is no failure of a Run. Fields that the stored record lacks are absent,
// or zero where their type has no absence. The strings of one record share
// memory: one that is kept for long keeps them all, unless it is cloned.
//
// Errors: *field.DecodeError, which names key and field, when somebody stored
// what the field's type cannot hold.
//
// Cost: HMGET; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Get(ctx context.Context, id K) *pipectx.Ref[T] {
	var record T
	*r.bound().id(unsafe.Pointer(&record)) = id // it is in the key, not in the hash
	return pipectx.SendInto(ctx, r.db, r.getCommand(id), record, r.model.verbs.load)
}

// GetMany loads records, in the order of ids; where there is none the pointer
// is nil. What fails for one record is the error of all. The pointers are the
// same for all who read the Ref.
//
// Cost: HMGET; 1 command for each id; 1 round trip outside Run, on a Cluster 1 to
// each node, none of its own inside.
func (r Repo[T, K]) GetMany(ctx context.Context, ids ...K) *pipectx.Ref[[]*T] {
	m := r.bound()
	refs := make([]*pipectx.Ref[*T], len(ids))
	err := pipectx.Run(ctx, r.db, func(ctx context.Context) error {
		for i, id := range ids {
			record := new(T)
			*m.id(unsafe.Pointer(record)) = id
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
// Cost: DEL; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) Delete(ctx context.Context, id K) *pipectx.Ref[bool] {
	c := r.command("DEL", id)
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
// Cost: DEL; 1 command for each id; 1 round trip outside Run, on a Cluster 1 to
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

func countTrue(were []bool) (n int, err error) { //nolint:unparam // the form that Map takes
	for _, was := range were {
		if was {
			n++
		}
	}
	return n, nil
}

func (r Repo[T, K]) getCommand(id K) *pipectx.Command {
	c := r.command("HMGET", id).Read()
	addNames(c, r.model.schema.columns)
	return c
}

func addNames(c *pipectx.Command, columns []*column) {
	for _, col := range columns {
		c.Word(col.name)
	}
}

// load reads the reply to HMGET of all columns into the record at p.
func (s *schema) load(r pipectx.Reply, p unsafe.Pointer, hooks *hooks) error {
	found, err := s.read(r, p, s.columns)
	switch {
	case err != nil:
		return err
	case !found:
		return pipectx.NotFound(r.Key())
	}
	return hooks.loaded(r, p)
}

// read reads the texts of columns into the record at p, and tells whether any of
// them is stored.
func (s *schema) read(r pipectx.Reply, p unsafe.Pointer, columns []*column) (found bool, err error) {
	items, err := r.Items()
	if err != nil {
		return false, err
	}
	for _, c := range columns {
		if !items.Next() {
			return false, fmt.Errorf("model: load %s: the reply has too few fields", r.Key())
		}
		item := items.Reply()
		if item.IsNil() {
			continue
		}
		found = true
		text, err := item.Bytes()
		if err != nil {
			return false, err
		}
		// The reply is ours alone and never changes, so strings may stay in it.
		if err := c.codec.ParseShared(unsafe.String(unsafe.SliceData(text), len(text)), c.at(p)); err != nil {
			return false, fmt.Errorf("model: %w", c.failed(r.Key(), err))
		}
	}
	return found, nil
}
