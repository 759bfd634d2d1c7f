package field

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	uuidType     = reflect.TypeFor[uuid.UUID]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	byteType     = reflect.TypeFor[byte]()
)

// isFixed reports whether t is a named type of another package whose text form
// is ours to say.
func isFixed(t reflect.Type) bool {
	return t == timeType || t == durationType || t == uuidType || t == rawType
}

// forms holds what was derived or registered: formKey → *Erased. It is filled
// under derivation, so that a type gets one codec, and read without.
var (
	forms      sync.Map
	derivation sync.Mutex
)

type formKey struct {
	typ    reflect.Type
	option string
}

// Of is [For] for a type known at run time: the same rules, the same errors.
// Each type and option is derived once; it is reflection's last word.
func Of(t reflect.Type, options ...string) (*Erased, error) {
	key := formKey{t, strings.Join(options, ",")}
	if e, ok := forms.Load(key); ok {
		return e.(*Erased), nil
	}
	derivation.Lock()
	defer derivation.Unlock()
	return derive(t, options)
}

// derive is Of for those who hold the lock.
func derive(t reflect.Type, words []string) (*Erased, error) {
	key := formKey{t, strings.Join(words, ",")}
	if e, ok := forms.Load(key); ok {
		return e.(*Erased), nil
	}
	c, err := choose(t, words)
	if err != nil {
		return nil, err
	}
	var e *Erased
	switch {
	case t.Kind() == reflect.Pointer, isOptional(t):
		e, err = optional(t, words)
	case c.compression != "":
		e, err = compressed(t, c)
	case c.form != "":
		e, err = chosen(t, c.form)
	default:
		e, err = natural(t)
	}
	if err != nil {
		return nil, err
	}
	if e.append == nil {
		e.direct, e.append, e.parse = true, (*Erased).appendDirect, (*Erased).parseDirect
	}
	forms.Store(key, e)
	return e, nil
}

// chosen is the form that an option names.
func chosen(t reflect.Type, option string) (*Erased, error) {
	var e *Erased
	var err error
	word, _, _ := strings.Cut(option, "=")
	switch word {
	case "json":
		return jsonForm(t)
	case "oneof":
		e, err = enumForm(t, option)
	case "ascii":
		if t.Kind() == reflect.String && !marshals(t) {
			e = &Erased{op: opASCII, lua: Lua{Kind: LuaString}}
		}
	case "unix", "unixms", "unixus":
		if isTime(t) {
			e = unixForm(option)
		}
	case "uuid":
		if t.Kind() == reflect.Array && t.Len() == 16 && t.Elem() == byteType {
			e = &Erased{op: opUUID, lua: Lua{Kind: LuaOpaque}}
		}
	case "list":
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String {
			e = listForm()
		}
	case "commas":
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String {
			e = commasForm()
		}
	case "nan":
		if t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64 {
			e, _ = kindForm(t)
			e.lenient = true
		}
	case "emptyfalse":
		if t.Kind() == reflect.Bool {
			e, _ = kindForm(t)
			e.lenient = true
		}
	}
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return nil, misfit(option, t)
	}
	e.typ, e.name = t, nameOf(t)+" ("+word+")"
	return e, nil
}

// natural is the form of a type without an option.
func natural(t reflect.Type) (*Erased, error) {
	var e *Erased
	switch {
	case t == timeType:
		e = &Erased{op: opTime, lua: Lua{Kind: LuaTime}}
	case t == durationType:
		e = &Erased{op: opInt64, lua: Lua{Kind: LuaInt}}
	case t == uuidType:
		e = &Erased{op: opUUID, lua: Lua{Kind: LuaOpaque}}
	case t == rawType:
		return jsonForm(t)
	case marshalsText(t):
		e = textForm(t)
	case marshalsBinary(t):
		e = binaryForm(t)
	case isTime(t):
		e = &Erased{op: opTime, lua: Lua{Kind: LuaTime}}
	default:
		var err error
		if e, err = kindForm(t); err != nil {
			return nil, err
		}
		if e == nil {
			return jsonForm(t)
		}
	}
	e.typ, e.name = t, nameOf(t)
	return e, nil
}

// kindForm is the form of what t is made of; nil for JSON.
func kindForm(t reflect.Type) (*Erased, error) {
	e := &Erased{}
	switch kind := t.Kind(); kind {
	case reflect.String:
		e.op, e.lua.Kind = opString, LuaString
	case reflect.Bool:
		e.op, e.lua.Kind = opBool, LuaBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.op, e.lua.Kind = sized(t, opInt8, opInt16, opInt32, opInt64), LuaInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.op, e.lua.Kind = sized(t, opUint8, opUint16, opUint32, opUint64), LuaInt
	case reflect.Float32:
		e.op, e.lua.Kind = opFloat32, LuaFloat
	case reflect.Float64:
		e.op, e.lua.Kind = opFloat64, LuaFloat
	case reflect.Slice, reflect.Array:
		if t.Elem() != byteType {
			return nil, nil
		}
		e.op, e.lua.Kind = opBytes, LuaBytes
		if kind == reflect.Array {
			e.op, e.size = opArray, t.Len()
		}
	case reflect.Struct, reflect.Map:
		return nil, nil
	case reflect.Interface:
		return nil, fmt.Errorf("field: %s has no text form of its own; name a type, or add the option json to an any", t)
	default:
		return nil, fmt.Errorf("field: %s has no text form; implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec", t)
	}
	return e, nil
}

// sized picks the op of the size of t.
func sized(t reflect.Type, op8, op16, op32, op64 op) op {
	switch t.Size() {
	case 1:
		return op8
	case 2:
		return op16
	case 4:
		return op32
	}
	return op64
}

// isTime also knows named types of time.Time: no other struct converts to it.
func isTime(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// nameOf is the name of a type in messages; for named types also what they are
// made of.
func nameOf(t reflect.Type) string {
	name := strings.ReplaceAll(t.String(), "]uint8", "]byte")
	made := t.Kind() != reflect.Struct && t.Kind() != reflect.Interface && t.PkgPath() != ""
	if !made || isFixed(t) || marshals(t) {
		return name
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return name
	}
	return name + " (" + t.Kind().String() + ")"
}
