package model

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// AnyField is a [Field] of records of type T, whatever the type of its values. Only
// Fields are such.
type AnyField[T any] interface {
	Name() string  // as it is stored
	of(*T) *column // T is there so that a field of other records does not compile
}

func (f Field[T, V]) of(*T) *column {
	if f.column == nil {
		panic(errors.New("model: a zero Field is no field of a record; make it with FieldOf"))
	}
	return f.column
}

// Pick loads some fields of a record, as [Repo.Get] reads them: the others of the T it
// answers are absent or zero, but for its id. Do not save that: Save would write the zeros too. It is for
// few fields of large records. Its Ref answers [pipectx.ErrNotFound] when there is
// no record, as [Repo.Get] does.
//
//	ada, err := accounts.Pick(ctx, 42, Owner, Email).Result()
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside.
func (r Repo[T, K]) Pick(ctx context.Context, id K, fields ...AnyField[T]) *pipectx.Ref[T] {
	m := r.bound()
	c := pickScript.Command(1).Read()
	r.addKey(c, id)
	columns := make([]*column, len(fields))
	for i, f := range fields {
		if f == nil {
			return pipectx.Failed[T](ctx, r.db, fmt.Errorf("model: Pick of %v: field %d is nil; make fields with FieldOf", m.schema.typ, i+1))
		}
		columns[i] = f.of(nil)
	}
	pick(c, columns)
	var record T
	*m.id(unsafe.Pointer(&record)) = m.own(id)
	return pipectx.SendInto(ctx, r.db, c, record, func(reply pipectx.Reply, record *T) error {
		return m.schema.picked(reply, unsafe.Pointer(record), columns, m.hooks)
	})
}

func pick(c *pipectx.Command, columns []*column) {
	if len(columns) == 0 {
		c.Fail(errors.New("model: Pick of no fields; name one, Get the whole record, or ask whether it Exists"))
	}
	for _, col := range columns {
		c.Fixed(&col.name)
		addFixed(c, col.was)
	}
}

// picked reads the reply of pick.lua.
func (s *schema) picked(r pipectx.Reply, p unsafe.Pointer, columns []*column, hooks *hooks) error {
	if r.IsNil() {
		return pipectx.NotFound(r.Key())
	}
	if _, err := s.read(r, p, columns); err != nil {
		return err
	}
	return hooks.loaded(r, p)
}
