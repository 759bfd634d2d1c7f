package lua

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// Exact is an integer that crosses with all its 64 bits: in Lua it is a string
// of digits, to hand to commands such as HINCRBY.
type Exact int64

// maxNumber is the largest integer up to which Lua's numbers, doubles, have no
// gaps.
const maxNumber = 1 << 53

// A value is one argument or result: its text in Go, its expression in Lua. The
// package comment has the table.
type value struct {
	name     string
	codec    *field.Erased
	record   *ofRecord // of a Record, or a list of them
	offset   uint32    // in In or Out
	key      bool
	exact    bool // int64: a string of digits in Lua
	nullable bool // JSON whose null is a value of the Go type
}

// ofRecord is what few values are, and most take no memory for.
type ofRecord struct {
	typ    reflect.Type // nil for the receiver's
	known  any          // see Opener
	beside string       // which of the keys beside its own, "" for that
	count  bool         // how many elements it has, of a list
}

// newValue derives how a Go type crosses, given what Lua says of it.
func newValue(name string, t reflect.Type, declared Type) (value, error) {
	v := value{name: name}
	var err error
	if t.Kind() == reflect.Interface && t.NumMethod() == 0 {
		v.codec, err = field.Of(t, "json")
		v.nullable = true
	} else if v.codec, err = field.Of(t); err == nil && v.codec.Lua().Kind == field.LuaTime {
		v.codec, err = field.Of(t, "unixus")
	}
	if err != nil {
		return v, fmt.Errorf("cannot be Go's %v: %w", t, err)
	}
	want, optional := declared.base()
	isExact := t == reflect.TypeFor[Exact]() || t == reflect.TypeFor[*Exact]() || t == reflect.TypeFor[field.Optional[Exact]]()
	v.exact = isExact || want == "int64"
	var fits []Type
	switch v.codec.Lua().Kind {
	case field.LuaInt:
		if fits = []Type{"int", "int64", "float"}; isExact {
			fits = []Type{"int64"}
		}
	case field.LuaFloat:
		fits = []Type{"float"}
	case field.LuaBool:
		fits = []Type{"bool"}
	case field.LuaTime:
		fits = []Type{"time", "int"}
	case field.LuaJSON:
		fits = []Type{"json"}
	default:
		fits = []Type{"string"}
	}
	for _, fit := range fits {
		if want != "" && want != fit {
			continue
		}
		if want != "" && v.codec.Optional() && !optional {
			return v, fmt.Errorf("is annotated %s, which is never nil, and Go's %v may be; annotate it %s?", declared, t, declared)
		}
		return v, nil
	}
	return v, fmt.Errorf("is annotated %s, and Go's %v is %s in Lua; change one of them", declared, t, fits[0])
}

// expr is the Lua expression that reads the argument from a word.
func (v *value) expr(word string) string {
	optional, text := v.codec.Optional(), word
	if optional {
		text = "string.sub(" + word + ",2)"
	}
	switch kind := v.codec.Lua().Kind; {
	case kind == field.LuaInt && !v.exact, kind == field.LuaFloat, kind == field.LuaTime:
		text = "tonumber(" + text + ")"
	case kind == field.LuaBool && optional: // false and nil are two: no `and … or`
		return `({["10"]=false,["11"]=true})[` + word + "]"
	case kind == field.LuaBool:
		return "(" + word + `=="1")`
	case kind == field.LuaJSON:
		text = "__j(" + text + ")"
	}
	if optional {
		return "(" + word + `~="" and ` + text + " or nil)"
	}
	return text
}

// argument appends the text of one argument of In, at p, to a command.
func (s *Script) argument(v *value, dst []byte, in unsafe.Pointer) ([]byte, error) {
	start := len(dst)
	dst, err := v.append(dst, unsafe.Add(in, uintptr(v.offset)))
	if err != nil {
		return dst[:start], fmt.Errorf("lua: %s: argument %s: %w", s.name, v.name, err)
	}
	return dst, nil
}

// append appends a key of a record at p, or how many a list has.
func (o *ofRecord) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	at := reflect.NewAt(o.typ, p)
	if o.count {
		return strconv.AppendInt(dst, int64(at.Elem().Len()), 10), nil
	}
	return o.appendKey(dst, at.Interface().(Record), o.beside)
}

// appendKey appends a record's own key, or one beside it.
func (o *ofRecord) appendKey(dst []byte, r Record, beside string) ([]byte, error) {
	if f, ok := r.(Fitting); ok && beside == "" {
		if err := f.Fits(o.known); err != nil {
			return dst, err
		}
	}
	if beside == "" {
		return r.AppendKey(dst)
	}
	with, ok := r.(KeysBeside)
	if !ok {
		return dst, fmt.Errorf("%v has no key %q", o.typ, beside)
	}
	return with.AppendBeside(dst, beside)
}

func (v *value) append(dst []byte, p unsafe.Pointer) ([]byte, error) {
	switch {
	case v.record != nil:
		return v.record.append(dst, p)
	case v.key:
		return v.codec.Append(dst, p)
	case v.codec.Optional():
		if v.codec.Absent(p) {
			return dst, nil
		}
		dst = append(dst, '1') // "" is a string like any other
	}
	start := len(dst)
	dst, err := v.codec.Append(dst, p)
	if err != nil {
		return dst, err
	}
	switch v.codec.Lua().Kind {
	case field.LuaInt:
		if !v.exact {
			err = guard(dst[start:])
		}
	case field.LuaTime:
		if guard(dst[start:]) != nil {
			err = fmt.Errorf("a time in Lua lies between the years 1684 and 2255; use a pointer for one that may be absent")
		}
	case field.LuaFloat:
		dst = dot(dst, start)
	case field.LuaJSON:
		err = guardJSON(dst[start:])
	}
	return dst, err
}

// guard refuses integers that a Lua number would round.
func guard(text []byte) error {
	if len(text) <= 15 {
		return nil
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && -maxNumber <= n && n <= maxNumber {
		return nil
	}
	return fmt.Errorf("%s is beyond 2^53, where Lua's numbers have gaps; annotate it int64, or pass a lua.Exact", text)
}

// keeps tells whether a JSON number is the same as a Lua number: an integer within
// 2^53, or a float, which Go writes like an integer up to 1e21.
func keeps(number []byte) bool {
	whole, _, _ := bytes.Cut(number, []byte("."))
	if bytes.ContainsAny(number, "eE") || guard(whole) == nil {
		return true
	}
	f, err := strconv.ParseFloat(string(number), 64)
	return err == nil && strconv.FormatFloat(f, 'f', -1, 64) == string(number)
}

// guardJSON refuses JSON whose integers a Lua number would round.
func guardJSON(text []byte) error {
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '-' || c >= '0' && c <= '9'):
			j := i + 1
			for j < len(text) && strings.IndexByte("0123456789+-.eE", text[j]) >= 0 {
				j++
			}
			if number := text[i:j]; !keeps(number) {
				return fmt.Errorf("%s, in its JSON, is beyond 2^53, where Lua's numbers have gaps; make it a string", number)
			}
			i = j - 1
		}
	}
	return nil
}

// dot puts ".0" behind a float that is written like an integer: the Lua of the
// embedded server reads -0 as 0, but -0.0 as it is. Package field sees to a dot
// before every exponent.
func dot(dst []byte, start int) []byte {
	if bytes.ContainsAny(dst[start:], ".e") {
		return dst
	}
	return append(dst, ".0"...)
}
