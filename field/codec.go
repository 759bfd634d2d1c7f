package field

import (
	"reflect"
	"unsafe"
)

// Codec turns values of type T into the text Redis stores, and back.
//
//	ages := field.MustFor[int]()
//	text, err := ages.Append(nil, 42) // "42"
//	age, err := ages.Parse(text)      // 42
//
// A codec holds no state: it is safe for concurrent use. Errors are
// *[EncodeError] and *[DecodeError] for codecs made by this package; what a
// registered codec returns is wrapped into them.
type Codec[T any] interface {
	// Append appends the text of v to dst. On an error dst comes back as it
	// was given.
	Append(dst []byte, v T) ([]byte, error)

	// Parse reads what Append, or another program, wrote. It must neither
	// keep nor change src.
	Parse(src []byte) (T, error)

	// Lua is how Lua sees the type.
	Lua() Lua

	// Name is for messages and docs: "int64", "time.Time (unixms)",
	// "json main.Address".
	Name() string
}

// For derives the codec of T. Options are tag words: at most one of ascii,
// commas, emptyfalse, json, list, nan, oneof=a b c, unix, unixms, unixus, uuid,
// and at most one of gzip, zstd. The package doc lists what each one writes.
//
// The first of these rules that fits decides:
//
//  1. *U and [Optional] of U: the codec of U, and absent where nil or unset.
//  2. An option names its form; gzip and zstd compress the form of the other
//     option, or of the rules below.
//  3. A codec was registered for T.
//  4. T is time.Time, time.Duration, uuid.UUID or json.RawMessage.
//  5. T has encoding.TextMarshaler and TextUnmarshaler, or else
//     encoding.BinaryMarshaler and BinaryUnmarshaler.
//  6. The kind of T: named types are stored as what they are made of.
//     Structs, maps, slices and arrays are JSON, but for bytes.
//
// It fails for types that have no text form, and for options that do not fit,
// naming the type and the cure.
func For[T any](options ...string) (Codec[T], error) {
	e, err := Of(reflect.TypeFor[T](), options...)
	if err != nil {
		return nil, err
	}
	if c, ok := e.typed.(Codec[T]); ok {
		return c, nil
	}
	return derived[T]{e}, nil
}

// MustFor is [For] for package variables: it panics where For fails.
func MustFor[T any](options ...string) Codec[T] {
	c, err := For[T](options...)
	if err != nil {
		panic(err)
	}
	return c
}

// derived is the typed shell over an Erased.
type derived[T any] struct{ erased *Erased }

// It is tempting to hand &v to Erased.Append whatever the type. But that may
// call through a function value, of which the compiler must think that it keeps
// the pointer: every v would move to the heap. The direct forms are one switch
// of static calls, so v stays on the stack; the others have a function apart,
// so that only there v does not.

func (c derived[T]) Append(dst []byte, v T) ([]byte, error) {
	if c.erased.direct {
		return c.erased.appendDirect(dst, unsafe.Pointer(&v))
	}
	return appendHeap(c.erased, dst, v)
}

func (c derived[T]) Parse(src []byte) (T, error) {
	if c.erased.direct {
		var v T
		err := c.erased.parseDirect(view(src), unsafe.Pointer(&v), copied)
		return v, err
	}
	return parseHeap[T](c.erased, src)
}

func appendHeap[T any](e *Erased, dst []byte, v T) ([]byte, error) {
	return e.Append(dst, unsafe.Pointer(&v))
}

func parseHeap[T any](e *Erased, src []byte) (T, error) {
	var v T
	err := e.Parse(src, unsafe.Pointer(&v))
	return v, err
}

func (c derived[T]) Lua() Lua     { return c.erased.lua }
func (c derived[T]) Name() string { return c.erased.name }
