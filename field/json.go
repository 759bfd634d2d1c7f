package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

var (
	errUTF8 = errors.New("a string in it is not UTF-8, which JSON would replace; use []byte")
	errNull = errors.New("null is not a value of this type")

	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

// jsonForm is the form of structs, maps and slices, and of anything under the
// option json.
func jsonForm(t reflect.Type) (*Erased, error) {
	if err := jsonable(t, t.String(), map[reflect.Type]bool{}); err != nil {
		return nil, err
	}
	e := marshalForm(t, LuaJSON, appendJSON, func(src []byte, v any) error { return parseJSON(src, t, v) })
	e.typ, e.name = t, "json "+strings.ReplaceAll(t.String(), "]uint8", "]byte")
	return e, nil
}

// appendJSON appends compact JSON, the same for the same value: members in
// the order of the struct, maps sorted, <, > and & as they are.
func appendJSON(dst []byte, v any) ([]byte, error) {
	out := sink{dst}
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return dst, err
	}
	text := out.text[len(dst) : len(out.text)-1] // Encode ends with a newline

	// encoding/json writes bytes that are no UTF-8 as the escape \ufffd without
	// a word. The escape may also come from a RawMessage, where it is innocent:
	// so it only makes us look.
	if !utf8.Valid(text) || bytes.Contains(text, []byte(`\ufffd`)) && hasBadText(reflect.ValueOf(v)) {
		return dst, errUTF8
	}
	return out.text[:len(out.text)-1], nil
}

// sink is a bytes.Buffer that starts from a slice.
type sink struct{ text []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.text = append(s.text, p...)
	return len(p), nil
}

func parseJSON(src []byte, t reflect.Type, v any) error {
	if !utf8.Valid(src) {
		return errUTF8
	}
	if string(bytes.TrimSpace(src)) == "null" && !takesNull(t) {
		return errNull // encoding/json would leave the zero value
	}
	return json.Unmarshal(src, v)
}

// takesNull reports whether null is a value of t, rather than the lack of one.
func takesNull(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Map, reflect.Slice, reflect.Interface:
		return true
	}
	return reflect.PointerTo(t).Implements(jsonUnmarshaler)
}

// hasBadText looks for strings that are no UTF-8, where encoding/json looks.
func hasBadText(v reflect.Value) bool {
	if !v.IsValid() || marshalsJSON(v.Type()) {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return hasBadText(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if hasBadText(v.Index(i)) {
				return true
			}
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			if hasBadText(key) || hasBadText(value) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if inJSON(v.Type().Field(i)) && hasBadText(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

// jsonable says at start-up what encoding/json would say at the first value,
// or not at all. path leads to t for the message.
func jsonable(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] || marshalsJSON(t) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("field: %s is a %s, which JSON cannot say; tag it `json:\"-\"`, or let its type implement json.Marshaler and Unmarshaler", path, t)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("field: %s is a %s, which JSON cannot read back; name a type instead", path, t)
		}
	case reflect.Pointer:
		return jsonable(t.Elem(), path, seen)
	case reflect.Slice, reflect.Array:
		return jsonable(t.Elem(), path+"[]", seen)
	case reflect.Map:
		switch key := t.Key(); {
		case key.Kind() >= reflect.Int && key.Kind() <= reflect.Uintptr, key.Kind() == reflect.String:
		case !marshalsText(key):
			return fmt.Errorf("field: %s has keys of type %s, which JSON cannot say; use strings, integers or a TextMarshaler", path, key)
		}
		return jsonable(t.Elem(), path+"[]", seen)
	case reflect.Struct:
		members := 0
		for i := range t.NumField() {
			f := t.Field(i)
			if !inJSON(f) {
				continue
			}
			members++
			if err := jsonable(f.Type, path+"."+f.Name, seen); err != nil {
				return err
			}
		}
		if members == 0 && t.NumField() > 0 {
			return fmt.Errorf("field: %s has no exported field, so JSON would store nothing of it; export some, implement encoding.TextMarshaler and TextUnmarshaler, or Register a codec", path)
		}
	}
	return nil
}

func inJSON(f reflect.StructField) bool {
	return f.Tag.Get("json") != "-" && (f.IsExported() || f.Anonymous)
}

func marshalsJSON(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	p := reflect.PointerTo(t)
	return p.Implements(jsonMarshaler) || p.Implements(textMarshaler)
}
