package model

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
)

// A shape is a Go type as json.lua writes it; see there. It is a Lua expression.
// Types that Lua could not write as Go does have none, and a reason for that.
func shapeOf(t reflect.Type) (shape, reason string) {
	return shapeWithin(t, nil)
}

// shapeWithin is the shape of a type inside of others.
func shapeWithin(t reflect.Type, outer []reflect.Type) (shape, reason string) {
	for _, other := range outer {
		if t == other {
			return "", fmt.Sprintf("%v contains itself", t)
		}
	}
	outer = append(outer[:len(outer):len(outer)], t)
	inner := func(form string) (string, string) {
		shape, reason := shapeWithin(t.Elem(), outer)
		return fmt.Sprintf(form, shape), reason
	}
	kind := t.Kind()
	switch {
	case t == reflect.TypeFor[time.Time]():
		return `{"r"}`, ""
	case t == reflect.TypeFor[uuid.UUID]():
		return `{"u"}`, ""
	case kind == reflect.Pointer && !writesItself(t.Elem()) && t.Elem().Kind() != reflect.Pointer:
		return inner(`{"p",%s}`)
	case kind == reflect.Pointer && (t.Elem() == reflect.TypeFor[time.Time]() || t.Elem() == reflect.TypeFor[uuid.UUID]()):
		return inner(`{"p",%s}`)
	case writesItself(t) || t == reflect.TypeFor[json.Number]():
		return "", fmt.Sprintf("%v writes its JSON itself", t)
	}
	switch kind {
	case reflect.String:
		return `{"s"}`, ""
	case reflect.Bool:
		return `{"b"}`, ""
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := t.Bits()
		return fmt.Sprintf(`{"i","%d","%d"}`, int64(-1)<<(bits-1), int64(1)<<(bits-1)-1), ""
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fmt.Sprintf(`{"i","0","%d"}`, uint64(1)<<(t.Bits()-1)<<1-1), ""
	case reflect.Float32, reflect.Float64:
		return `{"f"}`, ""
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "", fmt.Sprintf("%v is base64 in JSON", t)
		}
		return inner(`{"l",%s}`)
	case reflect.Array:
		shape, reason := shapeWithin(t.Elem(), outer)
		return fmt.Sprintf(`{"l",%s,%d}`, shape, t.Len()), reason
	case reflect.Map:
		if t.Key().Kind() != reflect.String || writesItself(t.Key()) {
			return "", fmt.Sprintf("the keys of %v are no strings", t)
		}
		return inner(`{"m",%s}`)
	case reflect.Struct:
		return shapeOfStruct(t, outer)
	}
	return "", fmt.Sprintf("what a %v holds is not known", t)
}

// writesItself tells whether encoding/json asks a value for its text.
func writesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func shapeOfStruct(t reflect.Type, outer []reflect.Type) (shape, reason string) {
	var members []string
	taken := map[string]bool{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			return "", fmt.Sprintf("%v embeds %v", t, f.Type)
		case !f.IsExported() || name == "-" && options == "":
			continue
		case name != "" && strings.IndexFunc(name, isOddInJSON) >= 0:
			return "", fmt.Sprintf("the name %q in JSON of %v.%s is none", name, t, f.Name)
		case name == "":
			name = f.Name
		}
		omit := ""
		for option := range strings.SplitSeq(options, ",") {
			switch {
			case option == "omitempty" || option == "omitzero" && isScalar(f.Type):
				omit = ",true"
			case option == "omitzero" || option == "string":
				return "", fmt.Sprintf("%v.%s has the option %s", t, f.Name, option)
			}
		}
		if taken[strings.ToLower(name)] {
			return "", fmt.Sprintf("%v has two members %s", t, name)
		}
		taken[strings.ToLower(name)] = true
		inner, reason := shapeWithin(f.Type, outer)
		if reason != "" {
			return "", reason
		}
		members = append(members, fmt.Sprintf("{%s,%s%s}", quote(name), inner, omit))
	}
	return `{"o",{` + strings.Join(members, ",") + `}}`, ""
}

// isOddInJSON finds what encoding/json does not take in a name, or we do not.
func isOddInJSON(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_-.:/$%@+*#!?=~^|;()[]{}<> ", r))
}

// isScalar tells whether a zero of the type is what Lua takes for empty.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Array, reflect.Slice, reflect.Map, reflect.Interface:
		return false
	}
	_, has := t.MethodByName("IsZero")
	return !has
}

// ruledWithin tells whether something inside of a type has rules of validator's.
func ruledWithin(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return ruledWithin(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if rule := f.Tag.Get("validate"); rule != "" && rule != "-" || ruledWithin(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// luaTextType is the type in self.lua of a column of bytes, or of which only Go knows
// the texts.
func luaTextType(c *column, t tag) string {
	typ := base(c.codec.Type())
	has := func(option string) bool { return slices.Contains(t.codec, option) }
	switch kind := typ.Kind(); {
	case has("gzip") || has("zstd"):
		return ""
	case has("list"):
		return "l"
	case has("commas"):
		return "c"
	case has("uuid") || typ == reflect.TypeFor[uuid.UUID]():
		return "u"
	case c.codec.Lua().Kind == field.LuaBytes && kind == reflect.Slice && c.codec.Total():
		return "s"
	case c.codec.Lua().Kind == field.LuaBytes && kind == reflect.Array:
		return "a " + strconv.Itoa(typ.Len())
	}
	return "o"
}

// isTable tells whether the column is a table in Lua.
func (c *column) isTable() bool { return c.lua != "" && strings.ContainsAny(c.lua[:1], "jlcJLC") }
