package model

import (
	"context"
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Update makes typed changes to a record, all or none, and leaves its other
// fields alone: the last write of each field wins. Its Ref answers how many
// fields have another stored text now.
//
//	n, err := accounts.Update(ctx, 42, Owner.Set("Ada"), model.Incr(Balance, 5)).Result()
//
// There must be a record: else [pipectx.ErrNotFound], which is a failure of a
// Run here. A version is counted up when anything changed, and a model's time to
// live begins again.
//
// Errors: before anything is sent, *[ValidationError] for a new value that
// breaks its own field's rules, *field.EncodeError, and a field changed twice;
// then *[SumError]. An Update that is refused has written nothing.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (r Repo[T, K]) Update(ctx context.Context, id K, changes ...Change[T]) *pipectx.Ref[int] {
	c := r.script(r.bound().scripts.update, id)
	addChanges(c, "Update", erased(changes))
	return pipectx.Send(ctx, r.db, c, updated)
}

// addChanges adds the words of changes, for a verb.
func addChanges(c *pipectx.Command, verb string, changes []change) {
	for i, one := range changes {
		switch {
		case one.name == "":
			c.Fail(fmt.Errorf("model: %s: a Change is empty; make it with Set, SetIfAbsent, Clear, Incr or Decr", verb))
		case one.err != nil:
			c.Fail(one.err)
		case slices.ContainsFunc(changes[:i], func(before change) bool { return before.name == one.name }):
			c.Fail(fmt.Errorf("model: %s: two changes of %s; give one", verb, one.name))
		}
		if one.start == "" {
			c.Word(one.what)
		} else {
			c.Word(one.what + " " + one.start)
		}
		c.Word(one.name)
		c.Word(one.text)
		c.Word(one.bounds)
	}
}

// updated reads the reply of update.lua.
func updated(r pipectx.Reply) (int, error) {
	if !r.IsInt() {
		return 0, refusedSum("update", r)
	}
	n, err := r.Int()
	if n < 0 {
		return 0, fmt.Errorf("model: update %s: %w; Update changes records that exist, Create, Save and Upsert make them", r.Key(), pipectx.ErrNotFound)
	}
	return int(n), err
}

// refusedSum reads the reply of a script that refused a sum.
func refusedSum(verb string, r pipectx.Reply) error {
	refused, err := r.Texts()
	if err == nil && len(refused) != 3 {
		err = fmt.Errorf("model: %s %s: unexpected reply %v", verb, r.Key(), r)
	}
	if err != nil {
		return err
	}
	return &SumError{Key: r.Key(), Field: refused[0], Stored: refused[1], Reason: refused[2], verb: verb}
}
