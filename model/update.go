package model

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

//go:embed update.lua
var updateLua string

//go:embed number.lua
var numberLua string

var (
	numberModule = lua.Must(lua.TryModule("redmoon_number", lua.Source("redmoon_number.lua", numberLua)))
	updateScript = pipectx.NewScript(strings.Replace(updateLua, `require "redmoon_number"`, "(function()\n"+numberLua+"end)()", 1))
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
	c := r.script(updateScript, id)
	if v := r.model.schema.version; v != nil {
		c.Word(v.name)
	} else {
		c.Word("")
	}
	for i, change := range changes {
		switch {
		case change.name == "":
			c.Fail(fmt.Errorf("model: Update: a Change is empty; make it with Set, SetIfAbsent, Clear, Incr or Decr"))
		case change.err != nil:
			c.Fail(change.err)
		case slices.ContainsFunc(changes[:i], func(before Change[T]) bool { return before.name == change.name }):
			c.Fail(fmt.Errorf("model: Update: two changes of %s; give one", change.name))
		}
		if change.was != "" || change.start != "" {
			c.Word("was")
			c.Word(change.name)
			c.Word(change.was)
			c.Word(cmp.Or(change.start, "0"))
		}
		c.Word(change.what)
		c.Word(change.name)
		c.Word(change.text)
		c.Word(change.bounds)
	}
	return pipectx.Send(ctx, r.db, c, updated)
}

// updated reads the reply of update.lua.
func updated(r pipectx.Reply) (int, error) {
	if !r.IsInt() {
		refused, err := r.Texts()
		if err != nil {
			return 0, err
		}
		if len(refused) != 3 {
			return 0, fmt.Errorf("model: update %s: unexpected reply %v", r.Key(), r)
		}
		return 0, &SumError{Key: r.Key(), Field: refused[0], Stored: refused[1], Reason: refused[2]}
	}
	n, err := r.Int()
	if n < 0 {
		return 0, fmt.Errorf("model: update %s: %w; Update changes records that exist, Create and Save make them", r.Key(), pipectx.ErrNotFound)
	}
	return int(n), err
}
