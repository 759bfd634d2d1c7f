package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// arguments are the texts of a function's argument, which keys end in. Two
// arguments that differ have texts that differ: the colon separates the fields of
// a struct, so it is escaped in them, as is the percent sign that escapes.
type arguments[K any] struct {
	codec field.Codec[K] // of an argument that is one value
	parts []part         // of a struct
}

type part struct {
	name   string
	offset uintptr
	codec  *field.Erased
}

const (
	absentPart = "%-"       // a field that is nil: no escaped text begins so
	longText   = "%sha256-" // nor so
	longest    = 400        // bytes of a text that stands in the key itself
)

func newArguments[K any]() (*arguments[K], error) {
	t := reflect.TypeFor[K]()
	codec, err := field.Of(t)
	if t.Kind() == reflect.Struct && (err != nil || codec.Lua().Kind == field.LuaJSON) {
		a := &arguments[K]{parts: []part{}}
		return a, a.flatten(t, t.String(), 0)
	}
	if err := keyable(codec, t, err); err != nil {
		return nil, fmt.Errorf("the argument: %w", err)
	}
	if codec.Optional() {
		return nil, fmt.Errorf("the argument: %v may be absent; use the type without the pointer or Optional, or a struct with such a field", t)
	}
	single, err := field.For[K]()
	return &arguments[K]{codec: single}, err
}

// keyable says why values of a type cannot be part of a key.
func keyable(codec *field.Erased, t reflect.Type, err error) error {
	if err != nil {
		return err
	}
	if codec.Lua().Kind == field.LuaJSON {
		return fmt.Errorf("%v cannot be part of a key: its text is JSON; use a scalar, a type with MarshalText, or a struct of those", t)
	}
	return nil
}

// flatten adds the fields of a struct, and those of structs within it.
func (a *arguments[K]) flatten(t reflect.Type, name string, offset uintptr) error {
	for f := range t.Fields() {
		path := name + "." + f.Name
		if !f.IsExported() && !f.Anonymous {
			return fmt.Errorf("the argument: %s is not exported, so two arguments could share a key; export it or leave it out", path)
		}
		codec, err := field.Of(f.Type)
		if f.Type.Kind() == reflect.Struct && (err != nil || codec.Lua().Kind == field.LuaJSON) {
			if err := a.flatten(f.Type, path, offset+f.Offset); err != nil {
				return err
			}
			continue
		}
		if err := keyable(codec, f.Type, err); err != nil {
			return fmt.Errorf("the argument: %s: %w", path, err)
		}
		a.parts = append(a.parts, part{path, offset + f.Offset, codec})
	}
	return nil
}

// append appends the text of an argument.
func (a *arguments[K]) append(dst []byte, arg K) ([]byte, error) {
	if a.parts != nil {
		return a.appendParts(dst, arg)
	}
	start := len(dst)
	dst, err := a.codec.Append(dst, arg)
	if err != nil {
		return dst, err
	}
	return escape(dst, start, false), nil
}

// appendParts is apart from append because arg moves to the heap here.
func (a *arguments[K]) appendParts(dst []byte, arg K) ([]byte, error) {
	for i, p := range a.parts {
		if i > 0 {
			dst = append(dst, ':')
		}
		start, value := len(dst), unsafe.Add(unsafe.Pointer(&arg), p.offset)
		if p.codec.Absent(value) {
			dst = append(dst, absentPart...)
			continue
		}
		var err error
		if dst, err = p.codec.Append(dst, value); err != nil {
			return dst, fmt.Errorf("%s: %w", p.name, err)
		}
		dst = escape(dst, start, true)
	}
	return dst, nil
}

// parse reads what append wrote.
func (a *arguments[K]) parse(text string) (arg K, err error) {
	if a.parts == nil {
		return a.codec.Parse([]byte(unescape.Replace(text)))
	}
	texts := strings.Split(text, ":")
	if len(a.parts) == 0 {
		texts = texts[:0]
	}
	if len(texts) != len(a.parts) {
		return arg, fmt.Errorf("%d fields, not %d", len(texts), len(a.parts))
	}
	for i, p := range a.parts {
		if texts[i] == absentPart {
			continue
		}
		if err := p.codec.Parse([]byte(unescape.Replace(texts[i])), unsafe.Add(unsafe.Pointer(&arg), p.offset)); err != nil {
			return arg, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return arg, nil
}

// escape replaces what has a meaning in texts in dst[start:].
func escape(dst []byte, start int, colon bool) []byte {
	special := func(c byte) bool { return c == '%' || colon && c == ':' }
	for i := start; i < len(dst); i++ {
		if !special(dst[i]) {
			continue
		}
		rest := string(dst[i:])
		dst = dst[:i]
		for j := range len(rest) {
			switch c := rest[j]; {
			case !special(c):
				dst = append(dst, c)
			case c == '%':
				dst = append(dst, "%25"...)
			default:
				dst = append(dst, "%3A"...)
			}
		}
		break
	}
	return dst
}

var unescape = strings.NewReplacer("%25", "%", "%3A", ":")

// shorten replaces a long text in dst[start:] by its SHA-256: keys are kept in
// memory, several for each value.
func shorten(dst []byte, start int) []byte {
	if len(dst)-start <= longest {
		return dst
	}
	sum := sha256.Sum256(dst[start:])
	return hex.AppendEncode(append(dst[:start], longText...), sum[:])
}
