package field

import (
	"reflect"
	"time"
	"unsafe"
)

// Erased is a codec of values behind pointers, for packages that learn types
// at run time, such as the fields of a struct:
//
//	balance, err := field.Of(f.Type)                    // f is a reflect.StructField
//	p := unsafe.Add(unsafe.Pointer(&account), f.Offset) // and p the field in account
//	text, err := balance.Append(nil, p)
//
// In every method p must be a valid pointer to a value of [Erased.Type]; this
// package cannot check that. An Erased is immutable and safe for concurrent use.
type Erased struct {
	typ  reflect.Type
	name string
	lua  Lua

	// The work. For a direct codec: appendDirect and parseDirect, switches by
	// op, where the compiler sees that nobody keeps p. Otherwise, for opFunc,
	// any functions.
	op     op
	direct bool
	append func(e *Erased, dst []byte, p unsafe.Pointer) ([]byte, error)
	parse  func(e *Erased, src string, p unsafe.Pointer, keep keeping) error

	// What the ops need to know, beside their type.
	lenient     bool          // option nan for floats, emptyfalse for bools
	size        int           // opArray: the length
	unit        time.Duration // opUnix
	enum        *enum         // opEnum
	elem        *Erased       // opPointer, opOptional: the value
	value, flag uintptr       // opOptional: offsets of value and flag

	typed any // foreign[T], where Erase made this
}

// keeping says whether values may share memory with the text they come from.
type keeping bool

const (
	copied keeping = false
	shared keeping = true
)

// Append appends the text of *p to dst. On an error, an *[EncodeError], dst
// comes back as it was given. A value that is absent has no text: the error
// wraps [ErrAbsent].
func (e *Erased) Append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return e.append(e, dst, p)
}

// Direct reports whether the codec reads and writes values by itself, without
// calling anybody's methods or a registered codec.
func (e *Erased) Direct() bool { return e.direct }

// AppendDirect is [Erased.Append] for a codec that is [Erased.Direct]. Nobody
// keeps p, which the compiler sees here: a value that is only appended so needs
// not move to the heap.
func (e *Erased) AppendDirect(dst []byte, p unsafe.Pointer) ([]byte, error) {
	return e.appendDirect(dst, p)
}

// Parse sets *p to what src says. It keeps nothing of src. An optional value
// is allocated anew and present afterwards: what *p pointed to before stays as
// it is. On an error, a *[DecodeError], *p is left alone.
func (e *Erased) Parse(src []byte, p unsafe.Pointer) error {
	return e.parse(e, view(src), p, copied)
}

// ParseShared is [Erased.Parse] for a text that lives on: strings read from it
// share its memory instead of copying. All other types copy what they keep.
//
// It saves an allocation for each string, and one short string left over keeps
// the whole text from being collected.
func (e *Erased) ParseShared(src string, p unsafe.Pointer) error {
	return e.parse(e, src, p, shared)
}

// Optional reports whether values can be absent at all: pointers and
// [Optional].
func (e *Erased) Optional() bool { return e.elem != nil }

// Total reports whether every text is a value, as it is for strings and []byte:
// Parse never fails then.
func (e *Erased) Total() bool {
	if e.elem != nil {
		return e.elem.Total()
	}
	return e.op == opString || e.op == opBytes
}

// Absent reports whether *p is absent: a nil pointer, an Optional that is
// unset. Other types never are: their zero is a value like any other.
func (e *Erased) Absent(p unsafe.Pointer) bool {
	switch e.op {
	case opPointer:
		return *(*unsafe.Pointer)(p) == nil
	case opOptional:
		return !*(*bool)(unsafe.Add(p, e.flag))
	}
	return false
}

// Clear sets *p to absent, or to the zero value of a type that has no absence.
func (e *Erased) Clear(p unsafe.Pointer) {
	reflect.NewAt(e.typ, p).Elem().SetZero()
}

// Lua is how Lua sees the type.
func (e *Erased) Lua() Lua { return e.lua }

// Name is for messages and docs: "int64", "*time.Time (unixms)".
func (e *Erased) Name() string { return e.name }

// Type is the Go type p must point to.
func (e *Erased) Type() reflect.Type { return e.typ }

// Number says what kind of number the stored text is, and so which command can
// increment it. Durations are integers; times are no numbers.
func (e *Erased) Number() NumberKind {
	switch e.op {
	case opInt8, opInt16, opInt32, opInt64:
		return IntNumber
	case opUint8, opUint16, opUint32, opUint64:
		return UintNumber
	case opFloat32, opFloat64:
		return FloatNumber
	case opPointer, opOptional:
		return e.elem.Number()
	}
	return NotNumber
}

// Bits is the size of the number in bits: what an increment must not outgrow.
// It is 0 where Number is [NotNumber].
func (e *Erased) Bits() int {
	switch {
	case e.elem != nil:
		return e.elem.Bits()
	case e.Number() == NotNumber:
		return 0
	}
	return e.typ.Bits()
}

// view is b as a string, without a copy. It is sound as long as nobody writes
// to b while the string is in use: parsers keep no part of it, but where they
// copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf is s as bytes, without a copy, for readers that do not write.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
