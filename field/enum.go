package field

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"
)

// An enum is a string or an integer that is one of a few words, and nothing
// else: neither what is written nor what is read.
type enum struct {
	base  *Erased           // the form without the option
	list  []string          // the words, as declared
	words map[string]string // and to be found: each is its own value
	want  error
}

// enumForm is the option oneof: "oneof=open closed". It returns nil for types
// that the option does not fit.
func enumForm(t reflect.Type, option string) (*Erased, error) {
	base, _ := kindForm(t)
	if base == nil || base.op != opString && (base.op < opInt8 || base.op > opUint64) || marshals(t) {
		return nil, nil
	}
	base.typ, base.name = t, nameOf(t)

	_, text, _ := strings.Cut(option, "=")
	n := &enum{base: base, list: strings.Fields(text), words: map[string]string{}}
	switch {
	case len(n.list) == 0:
		return nil, fmt.Errorf("field: option %q of %s names no values; write oneof=a b c, with spaces between", option, t)
	case strings.Contains(text, ","):
		return nil, fmt.Errorf("field: option %q of %s has a comma, which ends an option; write spaces between the values", option, t)
	}
	for _, word := range n.list {
		p := reflect.New(t).UnsafePointer()
		if err := base.parseDirect(word, p, copied); err != nil {
			return nil, fmt.Errorf("field: option %q of %s: %s is not a value of the type, %w", option, t, word, errors.Unwrap(err))
		}
		if same, _ := base.appendDirect(nil, p); string(same) != word {
			return nil, fmt.Errorf("field: option %q of %s: %s is never written so; write %s", option, t, word, same)
		}
		if _, twice := n.words[word]; twice {
			return nil, fmt.Errorf("field: option %q of %s names %s twice; drop one", option, t, word)
		}
		n.words[word] = word
	}
	n.want = errors.New("want " + either(n.list))
	return &Erased{op: opEnum, enum: n, lua: base.lua}, nil
}

// either is the words of a choice: "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (e *Erased) appendEnum(dst []byte, p unsafe.Pointer) ([]byte, error) {
	out, _ := e.enum.base.appendDirect(dst, p)
	word := out[len(dst):]
	if _, ok := e.enum.words[string(word)]; ok {
		return out, nil
	}
	value := string(word)
	if e.enum.base.op == opString {
		value = quoted(value)
	}
	return dst, encodeError(e.name, value, e.enum.want)
}

// parseEnum takes the words only as they are written here: an integer of others
// must not have a sign or zeros in front.
func (e *Erased) parseEnum(src string, p unsafe.Pointer) error {
	word, ok := e.enum.words[src]
	if !ok {
		return e.decodeError(src, e.enum.want)
	}
	return e.enum.base.parseDirect(word, p, shared) // the word outlives all values
}

// OneOf lists the stored texts that the option oneof allows, as declared; nil
// where any text of the type is allowed.
func (e *Erased) OneOf() []string {
	switch {
	case e.elem != nil:
		return e.elem.OneOf()
	case e.enum != nil:
		return append([]string(nil), e.enum.list...)
	}
	return nil
}
