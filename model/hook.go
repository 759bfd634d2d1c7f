package model

import (
	"context"
	"fmt"
	"maps"
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
type hooks struct {
	typ reflect.Type

	beforeSave, afterSave, beforeDelete, afterLoad bool

	shared []*column // with values that point to memory of the caller's
	extra  *extra    // which does so too
}

func hooksOf(s *schema) (*hooks, error) {
	h := &hooks{typ: s.typ}
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
		h.extra = s.extra
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

// on is the record at p, to be asked for its hooks.
func (h *hooks) on(p unsafe.Pointer) any { return reflect.NewAt(h.typ, p).Interface() }

// aroundSave tells whether there are hooks of verbs that write a whole record.
func (h *hooks) aroundSave() bool { return h.beforeSave || h.afterSave }

// before runs BeforeSave on a record of ours.
func (h *hooks) before(ctx context.Context, key string, p unsafe.Pointer) error {
	if !h.beforeSave {
		return nil
	}
	if err := h.on(p).(beforeSaver).BeforeSave(ctx); err != nil {
		return fmt.Errorf("model: BeforeSave of %s: %w", key, err)
	}
	return nil
}

// saved runs AfterSave on a copy of what a verb answers, when it is stored.
func (h *hooks) saved(ctx context.Context, key string, p unsafe.Pointer) error {
	if !h.afterSave {
		return nil
	}
	if err := h.on(p).(afterSaver).AfterSave(ctx); err != nil {
		return fmt.Errorf("model: AfterSave of %s, which is stored: %w", key, err)
	}
	return nil
}

// deleting runs BeforeDelete on a record with nothing but its id.
func (h *hooks) deleting(ctx context.Context, key string, p unsafe.Pointer) error {
	if err := h.on(p).(beforeDeleter).BeforeDelete(ctx); err != nil {
		return fmt.Errorf("model: BeforeDelete of %s: %w", key, err)
	}
	return nil
}

// loaded runs AfterLoad on what was decoded.
func (h *hooks) loaded(r pipectx.Reply, p unsafe.Pointer) error {
	if !h.afterLoad {
		return nil
	}
	if err := h.on(p).(afterLoader).AfterLoad(); err != nil {
		return fmt.Errorf("model: AfterLoad of %s: %w", r.Key(), err)
	}
	return nil
}

// unshare gives a copy of the caller's record values of its own, so that what
// BeforeSave changes in place is not the caller's. Only what is stored is copied,
// by its text.
func (h *hooks) unshare(p unsafe.Pointer) {
	if h.extra != nil {
		*h.extra.at(p) = maps.Clone(*h.extra.at(p))
	}
	for _, c := range h.shared {
		at := c.at(p)
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

func (r Repo[T, K]) beforeDelete(ctx context.Context, id K) error {
	key, err := r.model.KeyOf(id)
	if err != nil {
		return nil //nolint:nilerr // the verb has found that too
	}
	record := new(T)
	*r.model.id(unsafe.Pointer(record)) = id
	return r.model.hooks.deleting(ctx, key, unsafe.Pointer(record))
}

// hooked is a verb that writes a whole record, with the hooks around it.
func (r Repo[T, K]) hooked(ctx context.Context, record T, write func(context.Context, T) *pipectx.Ref[T]) *pipectx.Ref[T] {
	h, p := r.model.hooks, unsafe.Pointer(&record)
	keyOf := func() (string, error) { return r.model.KeyOf(*r.model.id(p)) }
	key, err := h.prepare(ctx, p, keyOf)
	if err != nil {
		return pipectx.Failed[T](ctx, r.db, err)
	}
	if !h.afterSave {
		return write(ctx, record)
	}
	return together(ctx, r.db, func(ctx context.Context) (*pipectx.Ref[T], error) {
		ref := write(ctx, record)
		return ref, pipectx.After(ctx, func(ctx context.Context) error {
			stored, err := ref.Result()
			if err != nil {
				return nil //nolint:nilerr // ref says why
			}
			return h.saved(ctx, key, unsafe.Pointer(&stored))
		})
	})
}

// prepare runs BeforeSave on the caller's record, which is copied for that, and
// returns its key.
func (h *hooks) prepare(ctx context.Context, p unsafe.Pointer, keyOf func() (string, error)) (string, error) {
	key, err := keyOf()
	if err != nil || !h.beforeSave {
		return key, err
	}
	h.unshare(p)
	if err := h.before(ctx, key, p); err != nil {
		return key, err
	}
	if now, _ := keyOf(); now != key {
		return key, fmt.Errorf("model: BeforeSave of %s changed its id; a hook leaves that alone", key)
	}
	return key, nil
}
