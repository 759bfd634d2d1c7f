package keyspace

import (
	"context"
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// entry is the types of fields and values, with the decoder of both.
type entry[F comparable, V any] struct {
	name  *value[F]
	value *value[V]
	all   func(pipectx.Reply) (map[F]V, error)
}

func newEntry[F comparable, V any]() (*entry[F, V], error) {
	name, err := newValue[F]("field")
	if err != nil {
		return nil, err
	}
	value, err := newValue[V]("value")
	if err != nil {
		return nil, err
	}
	e := &entry[F, V]{name: name, value: value}
	e.all = e.decodeAll
	return e, nil
}

// keyValue is an element of the map that SetMany stores.
type keyValue[F comparable, V any] struct {
	name  F
	value V
}

// write adds a field and its value as two words.
func (e *entry[F, V]) write(c *pipectx.Command, key string, kv keyValue[F, V]) {
	e.name.write(c, key, kv.name)
	e.writeValue(c, key, kv.name, kv.value)
}

func (e *entry[F, V]) writeValue(c *pipectx.Command, key string, name F, value V) {
	tail, err := e.value.Append(c.Tail(), value)
	if err != nil {
		err = unstorable(err, key, e.name.text(name))
	}
	c.Append(tail, err)
}

// get sends a command that reads one field.
func (e *entry[F, V]) get(ctx context.Context, db *pipectx.DB, c *pipectx.Command, name F) *pipectx.Ref[V] {
	var value V
	return pipectx.SendInto(ctx, db, c.Read(), value, e.valueOf(name))
}

// valueOf is the decoder of one field's value.
func (e *entry[F, V]) valueOf(name F) func(pipectx.Reply, *V) error {
	return func(r pipectx.Reply, p *V) error {
		text, err := r.Bytes()
		if err != nil {
			return missing(err, r.Key()+" "+e.name.text(name))
		}
		if err := e.value.shared(text, p); err != nil {
			return located(err, r.Key(), e.name.text(name))
		}
		return nil
	}
}

// sumOf is the decoder of what an increment made of a field's value.
func (e *entry[F, V]) sumOf(name F) func(pipectx.Reply) (V, error) {
	return func(r pipectx.Reply) (sum V, err error) {
		err = e.valueOf(name)(r, &sum)
		return sum, err
	}
}

// valuesOf is the decoder of several fields' values.
func (e *entry[F, V]) valuesOf(names []F) func(pipectx.Reply) ([]field.Optional[V], error) {
	names = slices.Clone(names)
	return func(r pipectx.Reply) ([]field.Optional[V], error) {
		return e.value.decodeOptional(r, len(names), func(i int) (string, string) { return r.Key(), e.name.text(names[i]) })
	}
}

// decodeAll reads fields and values in turns.
func (e *entry[F, V]) decodeAll(r pipectx.Reply) (map[F]V, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make(map[F]V, items.Len()/2)
	for items.Next() {
		text, err := items.Reply().Bytes()
		if err != nil {
			return nil, err
		}
		name, err := e.name.parse(text, r.Key())
		if err != nil {
			return nil, err
		}
		if _, ok := all[name]; ok { // "7" and "07", stored by somebody else
			return nil, fmt.Errorf("keyspace: %s: two of its fields are the %s %q; read them as strings", r.Key(), e.name.Name(), e.name.text(name))
		}
		if !items.Next() {
			return nil, short(r)
		}
		if text, err = items.Reply().Bytes(); err != nil {
			return nil, err
		}
		if all[name], err = e.value.Parse(text); err != nil {
			return nil, located(err, r.Key(), e.name.text(name))
		}
	}
	return all, nil
}
