package field

import (
	"errors"
	"strings"
	"unsafe"
)

var errCommas = errors.New("the option commas would not read it back: an element is empty or has a comma; use the option list, or json")

// commasForm is the option commas of []string: what programs write that join
// and split at commas, and drop what is empty.
//
//	[]string{"a", "b"}  a,b
//	[]string{}, nil     the empty text, which reads as nil
//	[]string{"a,b"}     refused
//	[]string{"a", ""}   refused
func commasForm() *Erased {
	e := &Erased{lua: Lua{Kind: LuaOpaque}}
	e.append = func(e *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
		out := dst
		for i, s := range *(*[]string)(p) { // a named string has the layout of string
			if s == "" || strings.Contains(s, ",") {
				return dst, encodeError(e.name, "the element "+quoted(s), errCommas)
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, s...)
		}
		return out, nil
	}
	e.parse = func(_ *Erased, src string, p unsafe.Pointer, keep keeping) error {
		if !keep {
			src = strings.Clone(src) // one copy; elements are parts of it
		}
		*(*[]string)(p) = splitCommas(src)
		return nil
	}
	return e
}

// splitCommas returns the parts between commas but for the empty ones; nil if
// there are none.
func splitCommas(src string) []string {
	if src == "" {
		return nil
	}
	list := make([]string, 0, strings.Count(src, ",")+1)
	for s := range strings.SplitSeq(src, ",") {
		if s != "" {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}
