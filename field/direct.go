package field

import (
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// An op is a memory layout with a text form.
type op uint8

const (
	opFunc op = iota // none: by function
	opString
	opBytes
	opArray
	opBool
	opInt8
	opInt16
	opInt32
	opInt64
	opUint8
	opUint16
	opUint32
	opUint64
	opFloat32
	opFloat64
	opTime
	opUnix
	opUUID
	opASCII
	opEnum
	opPointer
	opOptional
)

// appendDirect is Append for the ops.
//
// To read *p as a basic type is sound: derive gives an op only to types of
// exactly that layout, and a named type has the layout of what it is made of.
func (e *Erased) appendDirect(dst []byte, p unsafe.Pointer) ([]byte, error) {
	switch e.op {
	case opString:
		return append(dst, *(*string)(p)...), nil
	case opInt64:
		return appendInt(dst, *(*int64)(p)), nil
	case opInt32:
		return appendInt(dst, int64(*(*int32)(p))), nil
	case opInt16:
		return appendInt(dst, int64(*(*int16)(p))), nil
	case opInt8:
		return appendInt(dst, int64(*(*int8)(p))), nil
	case opUint64:
		return appendUint(dst, *(*uint64)(p)), nil
	case opUint32:
		return appendUint(dst, uint64(*(*uint32)(p))), nil
	case opUint16:
		return appendUint(dst, uint64(*(*uint16)(p))), nil
	case opUint8:
		return appendUint(dst, uint64(*(*uint8)(p))), nil
	case opBool:
		return appendBool(dst, *(*bool)(p)), nil
	case opFloat64:
		return e.appendFloat(dst, *(*float64)(p), 64)
	case opFloat32:
		return e.appendFloat(dst, float64(*(*float32)(p)), 32)
	case opTime:
		return e.appendTime(dst, *(*time.Time)(p))
	case opUnix:
		return e.appendUnix(dst, *(*time.Time)(p))
	case opUUID:
		return appendUUID(dst, (*[16]byte)(p)), nil
	case opBytes:
		return append(dst, *(*[]byte)(p)...), nil
	case opArray:
		return append(dst, unsafe.Slice((*byte)(p), e.size)...), nil
	case opASCII:
		return e.appendASCII(dst, *(*string)(p))
	case opEnum:
		return e.appendEnum(dst, p)
	case opPointer:
		if q := *(*unsafe.Pointer)(p); q != nil {
			return e.elem.Append(dst, q)
		}
		return dst, encodeError(e.name, "an absent value", ErrAbsent)
	case opOptional:
		if !*(*bool)(unsafe.Add(p, e.flag)) {
			return dst, encodeError(e.name, "an absent value", ErrAbsent)
		}
		return e.elem.appendDirect(dst, unsafe.Add(p, e.value))
	}
	panic("field: unreachable: " + e.name)
}

// parseDirect is Parse for the ops. It writes *p only when all went well.
func (e *Erased) parseDirect(src string, p unsafe.Pointer, keep keeping) error {
	switch e.op {
	case opString:
		if !keep {
			src = strings.Clone(src)
		}
		*(*string)(p) = src
		return nil
	case opInt64:
		return parseInt(e, src, (*int64)(p))
	case opInt32:
		return parseInt(e, src, (*int32)(p))
	case opInt16:
		return parseInt(e, src, (*int16)(p))
	case opInt8:
		return parseInt(e, src, (*int8)(p))
	case opUint64:
		return parseUint(e, src, (*uint64)(p))
	case opUint32:
		return parseUint(e, src, (*uint32)(p))
	case opUint16:
		return parseUint(e, src, (*uint16)(p))
	case opUint8:
		return parseUint(e, src, (*uint8)(p))
	case opBool:
		return e.parseBool(src, (*bool)(p))
	case opFloat64:
		return parseFloat(e, src, (*float64)(p), 64)
	case opFloat32:
		return parseFloat(e, src, (*float32)(p), 32)
	case opTime:
		return e.parseTime(src, (*time.Time)(p))
	case opUnix:
		return e.parseUnix(src, (*time.Time)(p))
	case opUUID:
		return e.parseUUID(src, (*[16]byte)(p))
	case opBytes:
		*(*[]byte)(p) = []byte(src) // empty, never nil: nil has no text
		return nil
	case opArray:
		return e.parseArray(src, p)
	case opASCII:
		if !isASCII(src) {
			return e.decodeError(src, errASCII)
		}
		if !keep {
			src = strings.Clone(src)
		}
		*(*string)(p) = src
		return nil
	case opEnum:
		return e.parseEnum(src, p)
	case opPointer:
		q := reflect.New(e.elem.typ).UnsafePointer()
		if err := e.elem.parse(e.elem, src, q, keep); err != nil {
			return err
		}
		*(*unsafe.Pointer)(p) = q
		return nil
	case opOptional:
		if err := e.elem.parseDirect(src, unsafe.Add(p, e.value), keep); err != nil {
			return err
		}
		*(*bool)(unsafe.Add(p, e.flag)) = true
		return nil
	}
	panic("field: unreachable: " + e.name)
}
