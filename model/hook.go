package model

import (
	"context"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Hooks are methods of the record type, found at Define. BeforeSave and AfterSave
// are those of verbs that write a whole record, Create, Save and Edit: Update,
// Upsert, Pop and Lua functions change fields on the server, where there is no Go
// record.
type (
	beforeSaver   interface{ BeforeSave(context.Context) error }
	afterSaver    interface{ AfterSave(context.Context) error }
	beforeDeleter interface{ BeforeDelete(context.Context) error }
	afterLoader   interface{ AfterLoad() error }
)

// hooks says which hooks a record type has.
type hooks[T any] struct {
	beforeSave, afterSave, beforeDelete, afterLoad bool

	shared []*column // with values that point to memory of the caller's
}

func hooksOf[T any](s *schema) (*hooks[T], error) {
	h := &hooks[T]{}
	for _, hook := range []struct {
		name    string
		is      reflect.Type
		has     *bool
		form    string
		changes bool // the record
	}{
		{"BeforeSave", reflect.TypeFor[beforeSaver](), &h.beforeSave, "(ctx context.Context) error", true},
		{"AfterSave", reflect.TypeFor[afterSaver](), &h.afterSave, "(ctx context.Context) error", false},
		{"BeforeDelete", reflect.TypeFor[beforeDeleter](), &h.beforeDelete, "(ctx context.Context) error", false},
		{"AfterLoad", reflect.TypeFor[afterLoader](), &h.afterLoad, "() error", true},
	} {
		p := reflect.PointerTo(s.typ)
		method, ok := p.MethodByName(hook.name)
		if !ok {
			continue
		}
		form := fmt.Sprintf("func (r *%s) %s%s", s.typ.Name(), hook.name, hook.form)
		if !p.Implements(hook.is) {
			return nil, fmt.Errorf("the hook %s of %v is a %v; write `%s`, or give a method that is no hook another name", hook.name, s.typ, signature(method.Type), form)
		}
		if _, copied := s.typ.MethodByName(hook.name); copied && hook.changes {
			return nil, fmt.Errorf("the hook %s of %v has a value receiver, and what it changed would be lost; write `%s`", hook.name, s.typ, form)
		}
		*hook.has = true
	}
	if h.beforeSave {
		for _, c := range s.columns {
			if shares(c.codec.Type()) {
				h.shared = append(h.shared, c)
			}
		}
	}
	return h, nil
}

// signature is the type of a method without its receiver.
func signature(t reflect.Type) reflect.Type {
	var in, out []reflect.Type
	for i := 1; i < t.NumIn(); i++ {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	return reflect.FuncOf(in, out, t.IsVariadic())
}

// shares tells whether copies of a value share memory that one of them may
// change.
func shares(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Array:
		return shares(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return false
		}
		for f := range t.Fields() {
			if shares(f.Type) {
				return true
			}
		}
	}
	return false
}

// before runs BeforeSave on a record of ours.
func (h *hooks[T]) before(ctx context.Context, key string, record *T) error {
	if !h.beforeSave {
		return nil
	}
	if err := any(record).(beforeSaver).BeforeSave(ctx); err != nil {
		return fmt.Errorf("model: BeforeSave of %s: %w", key, err)
	}
	return nil
}

// saved runs AfterSave on a copy of what a verb answers, when it is stored.
func (h *hooks[T]) saved(ctx context.Context, key string, record T) error {
	if !h.afterSave {
		return nil
	}
	if err := any(&record).(afterSaver).AfterSave(ctx); err != nil {
		return fmt.Errorf("model: AfterSave of %s, which is stored: %w", key, err)
	}
	return nil
}

// loaded runs AfterLoad on what was decoded.
func (h *hooks[T]) loaded(r pipectx.Reply, record *T) error {
	if !h.afterLoad {
		return nil
	}
	if err := any(record).(afterLoader).AfterLoad(); err != nil {
		return fmt.Errorf("model: AfterLoad of %s: %w", r.Key(), err)
	}
	return nil
}

// beforeDelete runs BeforeDelete on a record with nothing but its id.
func (m *Model[T, K]) beforeDelete(ctx context.Context, id K) error {
	record := new(T)
	*m.id(unsafe.Pointer(record)) = id
	if err := any(record).(beforeDeleter).BeforeDelete(ctx); err != nil {
		key, _ := m.KeyOf(id) // a key that cannot be made has failed already
		return fmt.Errorf("model: BeforeDelete of %s: %w", key, err)
	}
	return nil
}

// hooked is a verb that writes a whole record, with the hooks around it.
func (r Repo[T, K]) hooked(ctx context.Context, record T, write func(context.Context, T) *pipectx.Ref[T]) *pipectx.Ref[T] {
	m := r.model
	key, err := m.keyOf(&record)
	if err != nil {
		return pipectx.Failed[T](ctx, r.db, err)
	}
	if m.hooks.beforeSave {
		m.unshare(&record)
		if err := m.hooks.before(ctx, key, &record); err != nil {
			return pipectx.Failed[T](ctx, r.db, err)
		}
		if now, _ := m.keyOf(&record); now != key {
			return pipectx.Failed[T](ctx, r.db, fmt.Errorf("model: BeforeSave of %s changed its id; a hook leaves that alone", key))
		}
	}
	if !m.hooks.afterSave {
		return write(ctx, record)
	}
	return together(ctx, r.db, func(ctx context.Context) (*pipectx.Ref[T], error) {
		ref := write(ctx, record)
		return ref, pipectx.After(ctx, func(ctx context.Context) error {
			stored, err := ref.Result()
			if err != nil {
				return nil // ref says why
			}
			return m.hooks.saved(ctx, key, stored)
		})
	})
}
