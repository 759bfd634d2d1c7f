package model

import (
	"fmt"
	"math"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// Field is one stored field of a model's records, for changes to it. Make it
// with [FieldOf].
type Field[T, V any] struct {
	schema *schema
	column *column
}

// FieldOf names a field by a function that returns its address:
//
//	var Owner = model.FieldOf(Accounts, func(a *Account) *string { return &a.Owner })
//
// It panics, at start-up, if that is not a stored field of the record, or is
// its key or version, which no change may touch.
func FieldOf[T, K, V any](m *Model[T, K], address func(*T) *V) Field[T, V] {
	c, err := m.schema.columnAt(offsetOf(address), reflect.TypeFor[V]())
	if err != nil {
		panic(atCaller(fmt.Errorf("model: FieldOf: %w", err)))
	}
	return Field[T, V]{m.schema, c}
}

// offsetOf returns how far into a T the address is that the function returns;
// some number outside of T when it is not in T at all.
func offsetOf[T, V any](address func(*T) *V) (offset uintptr) {
	record := new(T)
	base := uintptr(unsafe.Pointer(record))
	defer func() {
		if recover() != nil { // it followed a nil pointer, out of the record
			offset = math.MaxUint
		}
	}()
	at := address(record)
	if at == nil {
		return math.MaxUint
	}
	return uintptr(unsafe.Pointer(at)) - base
}

func (s *schema) columnAt(offset uintptr, t reflect.Type) (*column, error) {
	same := func(c *column) bool { return c.offset == offset && c.codec.Type() == t }
	if same(s.key) {
		return nil, fmt.Errorf("%v.%s is the key; a record's id never changes", s.typ, s.key.path)
	}
	for _, c := range s.columns {
		switch {
		case !same(c):
		case c == s.version:
			return nil, fmt.Errorf("%v.%s is the version; every change counts it up", s.typ, c.path)
		default:
			return c, nil
		}
	}
	return nil, fmt.Errorf("the function does not return the address of a stored field of %v of type %v; write `return &r.Field`, and tag the field `redis:\"name\"`", s.typ, t)
}

// Name is the field's name in the hash.
func (f Field[T, V]) Name() string { return f.of(nil).name }

// Change is one change of a record of type T, for [Repo.Update] and [Repo.Upsert]. It
// is made of texts: what its maker changes afterwards does not matter.
type Change[T any] struct {
	_ [0]*T // so that one of other records is not converted to it
	change
}

// A change is a Change of a record of any type.
type change struct {
	name   string
	what   string // a word of change.lua
	text   string
	bounds string
	start  string // what a sum begins with where there is no number yet, "" for 0
	err    error
}

// erased are changes of a record of any type, in the same memory.
func erased[T any](changes []Change[T]) []change {
	return unsafe.Slice((*change)(unsafe.Pointer(unsafe.SliceData(changes))), len(changes))
}

// Set sets the field to v, which must keep its rules. An absent v clears it.
func (f Field[T, V]) Set(v V) Change[T] {
	if f.of(nil).absent(unsafe.Pointer(&v)) {
		return f.Clear()
	}
	return f.change("set", v)
}

// SetIfAbsent sets the field to v unless it has a value. A field that is never
// absent has one once the record was stored.
func (f Field[T, V]) SetIfAbsent(v V) Change[T] {
	if f.of(nil).absent(unsafe.Pointer(&v)) {
		return Change[T]{change: change{name: f.column.name, err: fmt.Errorf("model: SetIfAbsent(%s): the value is absent; nothing would change", f.column.name)}}
	}
	return f.change("absent", v)
}

// Clear makes the field absent. It must have that state: a pointer, field.Optional,
// or the option omitempty.
func (f Field[T, V]) Clear() Change[T] {
	if !f.of(nil).optional() {
		return Change[T]{change: change{name: f.column.name, err: fmt.Errorf("model: Clear(%s): a %v is never absent; declare the field as a pointer or field.Optional, or with omitempty, or set it", f.column.name, f.column.codec.Type())}}
	}
	var absent V
	return f.change("clear", absent)
}

// change validates v and takes its text.
func (f Field[T, V]) change(what string, v V) Change[T] {
	record := new(T)
	*(*V)(f.column.at(unsafe.Pointer(record))) = v
	return Change[T]{change: f.schema.change(what, f.column, unsafe.Pointer(record))}
}

// change is one to the value of a column in the record at p.
func (s *schema) change(what string, col *column, p unsafe.Pointer) change {
	c := change{name: col.name, what: what}
	if c.err = s.rules.checkField(p, col); c.err == nil && what != "clear" {
		c.text, c.err = col.text(col.at(p))
	}
	return c
}

// text is the text of the value at p.
func (c *column) text(p unsafe.Pointer) (string, error) {
	text, err := c.codec.Append(nil, p)
	if err != nil {
		return "", fmt.Errorf("model: %w", c.failed("", err))
	}
	return string(text), nil
}

// Number are the types that [Incr] and [Decr] add to.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Incr adds n to a number, on the server. A missing number counts as 0, or as the
// field's default. So a number that may be absent has no Incr, which would not tell
// absent from 0: declare a counter as a plain field, or Edit the record. Integers are
// added exactly in all 64 bits, floats as Go adds a float64. The sum is refused, and
// with it the whole Update, unless the field's type can hold it and it keeps the rules
// eq, gt, gte, len, lt, lte, max and min of its `validate` tag; other rules are not
// looked at. The error is a *[SumError].
func Incr[T any, V Number](f Field[T, V], n V) Change[T] { return sum(f, n) }

// Decr takes n from a number, as [Incr] adds it: for unsigned fields too.
func Decr[T any, V Number](f Field[T, V], n V) Change[T] {
	c := sum(f, n)
	if c.text != "" && c.text[0] == '-' {
		c.text = c.text[1:]
	} else {
		c.text = "-" + c.text
	}
	return c
}

func sum[T any, V Number](f Field[T, V], n V) Change[T] {
	return Change[T]{change: f.of(nil).sum(float64(n), unsafe.Pointer(&n))}
}

// sum is the change that adds the number at p, which is about n.
func (c *column) sum(n float64, p unsafe.Pointer) change {
	add := change{name: c.name, what: "add", bounds: c.bounds, start: c.preset}
	switch c.codec.Number() {
	case field.FloatNumber:
		add.what = "addfloat"
		if math.IsNaN(n) || math.IsInf(n, 0) {
			add.err = fmt.Errorf("model: %s: %v cannot be added to a number", add.name, n)
			return add
		}
	case field.NotNumber:
		add.err = fmt.Errorf("model: %s: nothing can be added to it: %s is not stored as a number", add.name, c.codec.Name())
		return add
	}
	add.text, add.err = c.text(p)
	return add
}
