package model

import (
	"context"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// together runs a verb of several commands or waves, as a pipeline of its own or
// as a part of that of ctx.
func together[T any](ctx context.Context, db *pipectx.DB, fn func(context.Context) (*pipectx.Ref[T], error)) *pipectx.Ref[T] {
	var ref *pipectx.Ref[T]
	err := pipectx.Run(ctx, db, func(ctx context.Context) (err error) {
		ref, err = fn(ctx)
		return err
	})
	switch {
	case err == nil:
		return ref
	case ref == nil && ctx.Err() != nil: // as Send has it
		err = fmt.Errorf("%w: %w", pipectx.ErrNotSent, err)
	case ref != nil && ref.Ready() && ref.Err() != nil: // what the Run says of it, in fewer words
		err = ref.Err()
	}
	// The error of an inner Run is not yet the outer one's, and that of an
	// outermost Run nobody has been told: Failed sees to both.
	return pipectx.Failed[T](ctx, db, err)
}

// keyOf is the key of a record.
func (m *Model[T, K]) keyOf(record *T) (string, error) {
	return m.keys.Key(*m.id(unsafe.Pointer(record)))
}

// unshare gives a copy of the caller's record values of its own, so that what
// BeforeSave changes in place is not the caller's. Only what is stored is copied,
// by its text.
func (m *Model[T, K]) unshare(record *T) {
	for _, c := range m.hooks.shared {
		at := c.at(unsafe.Pointer(record))
		if c.isNil(at) {
			continue
		}
		text, err := c.codec.Append(nil, at)
		if err != nil {
			continue // the verb will find that too
		}
		_ = c.codec.Parse(text, at) // on an error it is left as it was
	}
}

// isNil tells whether the value at p is a nil slice, map or pointer, which its text
// may not tell from an empty one.
func (c *column) isNil(p unsafe.Pointer) bool {
	v := reflect.NewAt(c.codec.Type(), p).Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return false
}
