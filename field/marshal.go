package field

import (
	"encoding"
	"reflect"
	"unsafe"
)

var (
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// A type marshals itself when it can both write and read: one half alone would
// make records that cannot be loaded.

func marshals(t reflect.Type) bool { return marshalsText(t) || marshalsBinary(t) }

func marshalsText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(textMarshaler) && p.Implements(textUnmarshaler)
}

func marshalsBinary(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(binaryMarshaler) && p.Implements(binaryUnmarshaler)
}

func textForm(t reflect.Type) *Erased {
	return marshalForm(t, LuaOpaque,
		func(dst []byte, v any) ([]byte, error) {
			if a, ok := v.(encoding.TextAppender); ok {
				return a.AppendText(dst)
			}
			text, err := v.(encoding.TextMarshaler).MarshalText()
			return append(dst, text...), err
		},
		func(src []byte, v any) error { return v.(encoding.TextUnmarshaler).UnmarshalText(src) })
}

func binaryForm(t reflect.Type) *Erased {
	return marshalForm(t, LuaBytes,
		func(dst []byte, v any) ([]byte, error) {
			if a, ok := v.(encoding.BinaryAppender); ok {
				return a.AppendBinary(dst)
			}
			text, err := v.(encoding.BinaryMarshaler).MarshalBinary()
			return append(dst, text...), err
		},
		func(src []byte, v any) error { return v.(encoding.BinaryUnmarshaler).UnmarshalBinary(src) })
}

// marshalForm is the form of a type by two functions that take a pointer to it
// in an interface: methods may have either receiver.
func marshalForm(t reflect.Type, kind LuaKind, write func([]byte, any) ([]byte, error), read func([]byte, any) error) *Erased {
	e := &Erased{lua: Lua{Kind: kind}}
	e.append = func(e *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
		out, err := write(dst, reflect.NewAt(t, p).Interface())
		if err != nil {
			return dst, encodeError(e.name, "value", err)
		}
		return out, nil
	}
	e.parse = func(e *Erased, src string, p unsafe.Pointer, keep keeping) error {
		text := bytesOf(src)
		if keep {
			text = []byte(src) // others share this string, and not every method only reads
		}
		fresh := reflect.New(t) // *p is left alone when reading fails half-way
		if err := read(text, fresh.Interface()); err != nil {
			return e.decodeError(src, err)
		}
		reflect.NewAt(t, p).Elem().Set(fresh.Elem())
		return nil
	}
	return e
}
