package model

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Counter has Create give ids: a record whose id is zero gets the next number
// of a counter that the model keeps beside its records. Ids must be integers.
//
//	var Orders = model.Define[Order, int64]("order", model.Counter())
//
// Numbers are not given twice, and those of records that were refused are not
// given again. The record's BeforeSave sees it before it has an id. The counter is under the key order#counter, which no id leads to;
// set it to begin elsewhere, or behind records that were there before.
func Counter() keyspace.Option { return counterOption{} }

type counterOption struct{}

// Apply refuses: Define takes the option out, so this is a keyspace.
func (counterOption) Apply(*keyspace.Settings) error {
	return errors.New("model.Counter gives ids to the records of a model, not to a keyspace")
}

// countIDs makes the model draw its ids.
func (m *Model[T, K]) countIDs(k reflect.Type) error {
	switch k.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		return fmt.Errorf("model.Counter counts, and ids are %v; make them integers, or drop the option: ids that are uuid.UUID are made by Create itself", k)
	}
	m.counter = m.prefix + "#counter"
	if m.keys.Matches(m.counter) {
		return fmt.Errorf("the counter's key %s looks like that of a record under %v; choose another prefix", m.counter, m.keys.Placement())
	}
	return nil
}

// createCounted is Create for a record whose id is to be drawn. The record is
// checked and turned into text at the call, as by every other verb: only its key
// waits for the number. So BeforeSave sees it without an id.
func (r Repo[T, K]) createCounted(ctx context.Context, record T) *pipectx.Ref[T] {
	m, p := r.model, unsafe.Pointer(&record)
	err := r.err
	if err == nil {
		if err = pipectx.OutsideAtomic(ctx, r.db, "model: Create of a record without an id"); err != nil {
			err = fmt.Errorf("%w, or give the record an id", err)
		}
	}
	if err == nil {
		_, err = m.hooks.prepare(ctx, p, func() (string, error) {
			if isZero(m.id(p)) {
				return "a new " + m.prefix, nil
			}
			return m.KeyOf(*m.id(p))
		})
	}
	if err == nil {
		err = m.setID(p, 1) // its rules, if it has any, are for a number that was drawn
	}
	if m.schema.version != nil {
		*m.schema.count(p) = 1
	}
	var texts []string
	if err == nil {
		texts, err = m.schema.texts(p)
	}
	if err != nil {
		return pipectx.Failed[T](ctx, r.db, err)
	}

	return together(ctx, r.db, func(ctx context.Context) (*pipectx.Ref[T], error) {
		ref, set := pipectx.NewRef[T](ctx)
		drawn, err := r.draw(ctx)
		if err != nil {
			return nil, err
		}
		return ref, pipectx.Then(ctx, drawn, func(n int64, err error) error {
			if err == nil {
				err = m.setID(p, n)
			}
			if err != nil {
				set(record, err)
				return nil // the Ref says it
			}
			return r.createDrawn(ctx, record, texts, set)
		})
	})
}

// createDrawn creates a record that has drawn its id.
func (r Repo[T, K]) createDrawn(ctx context.Context, record T, texts []string, set func(T, error)) error {
	c := r.script(r.model.scripts.create, *r.model.id(unsafe.Pointer(&record)))
	addWords(c, texts)
	stored := pipectx.SendInto(ctx, r.db, c, record, r.model.verbs.created)
	return pipectx.Then(ctx, stored, func(record T, err error) error {
		set(record, err)
		if err != nil {
			return nil //nolint:nilerr // its Ref says why
		}
		key, err := r.model.KeyOf(*r.model.id(unsafe.Pointer(&record)))
		if err != nil {
			return err
		}
		return r.model.hooks.saved(ctx, key, unsafe.Pointer(&record))
	})
}

// draw takes the next number. To take it twice, because an answer was lost,
// leaves a gap and harms nobody.
func (r Repo[T, K]) draw(ctx context.Context) (drawn *pipectx.Ref[int64], err error) {
	err = pipectx.Run(pipectx.Resend(ctx), r.db, func(ctx context.Context) error {
		c := pipectx.NewCommand("INCR")
		c.Key(r.model.counter)
		drawn = pipectx.Send(ctx, r.db, c, pipectx.Reply.Int)
		return nil
	})
	return drawn, err
}

// setID gives the record at p a number as its id.
func (m *Model[T, K]) setID(p unsafe.Pointer, n int64) error {
	id := reflect.ValueOf(m.id(p)).Elem()
	switch {
	case id.CanInt() && !id.OverflowInt(n):
		id.SetInt(n)
	case id.CanUint() && n >= 0 && !id.OverflowUint(uint64(n)):
		id.SetUint(uint64(n))
	default:
		return fmt.Errorf("model: create: %s counts %d, which is no id: those are %v", m.counter, n, id.Type())
	}
	return nil
}
