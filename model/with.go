package model

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/redmoon-go/redmoon/keyspace"
)

// Keyspace is what [With] takes: any keyspace of package keyspace.
type Keyspace interface {
	Settings() keyspace.Settings // what it was declared with
	fmt.Stringer
}

// With lets the model's Lua reach a keyspace of the same ids and placement, and so of
// the same slot: self.visits is the key of the record's visits, for redis.call.
//
//	var (
//		Visits   = keyspace.NewSortedSet[int64, string]("visits")
//		Accounts = model.Define[Account, int64]("account", model.Lua(account), model.With("visits", Visits))
//	)
//
//	redis.call("ZINCRBY", self.visits, 1, page)
//
// The key goes along as one of the script's KEYS where the function, or a hook, names
// it or may do so, also for records, and lists of them, among a method's arguments. What redis.call writes
// is written, also when the function fails later; a time to live of the keyspace it
// does not begin.
func With(name string, space Keyspace) keyspace.Option { return withOption{name, space} }

type withOption struct {
	name  string
	space Keyspace
}

// Apply refuses: Define takes the option out, so this is a keyspace.
func (o withOption) Apply(*keyspace.Settings) error {
	return errors.New("model.With is for a model, not for a keyspace")
}

// A spaceOf is a keyspace that a model's Lua reaches.
type spaceOf[K any] struct {
	name  string
	keyOf func(K) (string, error)
}

// share takes the options With: each keyspace must live where the records do.
func (m *Model[T, K]) share(options []withOption, settings keyspace.Settings) error {
	for _, o := range options {
		space, ok := o.space.(interface{ KeyOf(K) (string, error) })
		_, isMethod := methods[o.name]
		switch {
		case o.space == nil || reflect.ValueOf(o.space).IsZero():
			return fmt.Errorf("the keyspace %q given to model.With is nil; declare it before the model", o.name)
		case !ok:
			return fmt.Errorf("model.With(%q): %v has other ids than %v; they name what belongs to a record", o.name, o.space, reflect.TypeFor[K]())
		case m.schema.byName[o.name] != nil || o.name == m.schema.key.name || o.name == "key" || isMethod:
			return fmt.Errorf("model.With(%q): records have that already; choose another name", o.name)
		case slices.ContainsFunc(m.with, func(s spaceOf[K]) bool { return s.name == o.name }):
			return fmt.Errorf("model.With(%q) twice; choose another name", o.name)
		case o.space.Settings().Placement != settings.Placement:
			return fmt.Errorf("model.With(%q): %v is placed otherwise than the records, which Lua may reach in one slot only; give both the same placement", o.name, o.space)
		case o.space.Settings().Connection != settings.Connection:
			return fmt.Errorf("model.With(%q): %v lives on another connection than the records", o.name, o.space)
		case m.lua == nil:
			return fmt.Errorf("model.With(%q): the model has no Lua module; give Define the option model.Lua(module)", o.name)
		}
		m.with = append(m.with, spaceOf[K]{o.name, space.KeyOf})
	}
	return nil
}

// keysBeside are the keys of keyspaces that belong to a record.
func (m *Model[T, K]) keysBeside(id K, names []string) (keys []string, err error) {
	for _, name := range names {
		i := slices.IndexFunc(m.with, func(s spaceOf[K]) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("model: a record of %v cannot be an argument here: its model lacks the keyspace %q, which the method names", m.schema.typ, name)
		}
		key, err := m.with[i].keyOf(id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
