package field

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// Optional is a value that may be absent, which is not the same as zero. The
// zero Optional is absent.
//
//	type Profile struct {
//		Age field.Optional[int] `redis:"age"`
//	}
//	p := Profile{Age: field.Some(0)} // known, and 0
//
// It is what a pointer is to a field of a record, without the allocation. To
// encoding/json it is its value or null, and omitzero leaves out the absent. A
// validator sees a struct: make Any its custom type function, and rules see the
// value, or nil.
type Optional[T any] struct {
	value T
	set   bool
}

// Some is a value that is there.
func Some[T any](v T) Optional[T] { return Optional[T]{v, true} }

// None is the absence of a T: the zero Optional.
func None[T any]() Optional[T] { return Optional[T]{} }

// Get returns the value and whether it is there; if not, the zero value.
func (o Optional[T]) Get() (T, bool) { return o.value, o.set }

// Or returns the value, or def where it is absent.
func (o Optional[T]) Or(def T) T {
	if o.set {
		return o.value
	}
	return def
}

// Any is the value, or nil where it is absent: for code that does not know T.
func (o Optional[T]) Any() any {
	if o.set {
		return o.value
	}
	return nil
}

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if !o.set {
		return []byte("null"), nil
	}
	return appendJSON(nil, &o.value)
}

// UnmarshalJSON reads a value, or null as absent. On an error o is left alone.
func (o *Optional[T]) UnmarshalJSON(src []byte) error {
	if string(bytes.TrimSpace(src)) == "null" {
		*o = Optional[T]{}
		return nil
	}
	var v T
	if err := parseJSON(src, reflect.TypeFor[T](), &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}

// isOptional knows the instances of Optional. A method would not do: it is
// promoted to structs that embed one.
func isOptional(t reflect.Type) bool {
	return t.PkgPath() == packagePath && strings.HasPrefix(t.Name(), "Optional[")
}

var packagePath = reflect.TypeFor[Lua]().PkgPath()

// optional is the form of pointers and Optionals: that of their value.
func optional(t reflect.Type, words []string) (*Erased, error) {
	e := &Erased{typ: t, op: opPointer}
	var inner reflect.Type
	wrap := "*%s"
	if t.Kind() == reflect.Pointer {
		inner = t.Elem()
	} else {
		value, _ := t.FieldByName("value")
		set, _ := t.FieldByName("set")
		e.op, e.value, e.flag = opOptional, value.Offset, set.Offset
		inner, wrap = value.Type, "Optional[%s]"
	}
	if inner.Kind() == reflect.Pointer || isOptional(inner) {
		return nil, fmt.Errorf("field: %s can be absent in two ways; drop one", t)
	}
	elem, err := derive(inner, words)
	if err != nil {
		return nil, err
	}
	e.elem, e.lua = elem, elem.lua
	e.lua.Optional = true
	e.name = fmt.Sprintf(wrap, elem.name)

	// A pointer hands on the pointer it holds. An Optional hands on a part of
	// itself, and so is as direct as its value.
	if e.op == opOptional && !elem.direct {
		e.append, e.parse = appendOptional, parseOptional
	}
	return e, nil
}

func appendOptional(e *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
	if e.Absent(p) {
		return dst, encodeError(e.name, "an absent value", ErrAbsent)
	}
	return e.elem.Append(dst, unsafe.Add(p, e.value))
}

func parseOptional(e *Erased, src string, p unsafe.Pointer, keep keeping) error {
	if err := e.elem.parse(e.elem, src, unsafe.Add(p, e.value), keep); err != nil {
		return err
	}
	*(*bool)(unsafe.Add(p, e.flag)) = true
	return nil
}
