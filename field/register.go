package field

import (
	"fmt"
	"reflect"
	"unsafe"
)

// Register makes codec the codec of T from now on, where T is used without an
// option. Call it from an init function of the package that declares T: that
// runs before the variables of every package that imports it.
//
// It panics when T already has a registered codec; when a codec of T was
// derived before, since a program must not store one type in two ways (a
// package variable that uses T is set up before the init functions of its own
// package: let T implement encoding.TextMarshaler instead, or move T to a
// package of its own); and for types whose text form this package fixes:
// unnamed types, predeclared types, time.Time, time.Duration, uuid.UUID,
// json.RawMessage, [Optional] and interfaces. Register a named type of yours.
func Register[T any](codec Codec[T]) {
	t := reflect.TypeFor[T]()
	if t.PkgPath() == "" || isOptional(t) || isFixed(t) || t.Kind() == reflect.Interface {
		panic(fmt.Errorf("field: cannot register %s for %s: its text form is fixed; register a named type made from it",
			codec.Name(), t))
	}
	derivation.Lock()
	defer derivation.Unlock()
	plain := formKey{t, ""}
	if old, ok := forms.Load(plain); ok {
		panic(fmt.Errorf("field: cannot register %s for %s: its codec %s is in use already; register in an init function of the package that declares %[2]s",
			codec.Name(), t, old.(*Erased).name))
	}
	forms.Store(plain, Erase(codec))
}

// Erase makes an Erased of any codec: for packages that let their users choose
// a codec for one field. Of a codec made elsewhere, values are never absent, and
// are not numbers.
func Erase[T any](codec Codec[T]) *Erased {
	if d, ok := codec.(derived[T]); ok {
		return d.erased
	}
	c, ok := codec.(foreign[T])
	if !ok {
		c = foreign[T]{codec}
	}
	return &Erased{
		typ:   reflect.TypeFor[T](),
		name:  c.Name(),
		lua:   c.Lua(),
		typed: c,
		append: func(_ *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
			return c.Append(dst, *(*T)(p))
		},
		parse: func(_ *Erased, src string, p unsafe.Pointer, _ keeping) error {
			v, err := c.Parse(bytesOf(src)) // a Codec neither keeps nor changes it
			if err != nil {
				return err
			}
			*(*T)(p) = v
			return nil
		},
	}
}

// foreign is a codec that somebody else wrote. Its errors get our types.
type foreign[T any] struct{ codec Codec[T] }

func (c foreign[T]) Append(dst []byte, v T) ([]byte, error) {
	out, err := c.codec.Append(dst, v)
	if err != nil {
		return dst, encodeError(c.codec.Name(), "value", err)
	}
	return out, nil
}

func (c foreign[T]) Parse(src []byte) (T, error) {
	v, err := c.codec.Parse(src)
	if err != nil {
		var zero T
		return zero, decodeError(c.codec.Name(), view(src), err)
	}
	return v, nil
}

func (c foreign[T]) Lua() Lua     { return c.codec.Lua() }
func (c foreign[T]) Name() string { return c.codec.Name() }
