package field

import (
	"errors"
	"strings"
	"unsafe"
)

var errEscape = errors.New(`a backslash stands before a comma or another one`)

// listForm is the option list of []string: elements with commas between them,
// readable by whoever splits at commas. It loses nothing:
//
//	[]string{"a", "b"}    a,b
//	[]string{"a,b", `\`}  a\,b,\\
//	[]string{"", ""}      ,
//	[]string{}            the empty text
//	[]string{""}          \e
//	nil                   \n
func listForm() *Erased {
	e := &Erased{lua: Lua{Kind: LuaOpaque}}
	e.append = func(_ *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
		return appendList(dst, *(*[]string)(p)), nil // a named string has the layout of string
	}
	e.parse = func(e *Erased, src string, p unsafe.Pointer, keep keeping) error {
		list, err := parseList(src, keep)
		if err != nil {
			return e.decodeError(src, err)
		}
		*(*[]string)(p) = list
		return nil
	}
	return e
}

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`)

func appendList(dst []byte, list []string) []byte {
	switch {
	case list == nil:
		return append(dst, `\n`...)
	case len(list) == 1 && list[0] == "":
		return append(dst, `\e`...)
	}
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, escaper.Replace(s)...)
	}
	return dst
}

func parseList(src string, keep keeping) ([]string, error) {
	switch src {
	case `\n`:
		return nil, nil
	case `\e`:
		return []string{""}, nil
	case "":
		return []string{}, nil
	}
	if !keep {
		src = strings.Clone(src) // one copy; elements are parts of it
	}
	if !strings.Contains(src, `\`) {
		return strings.Split(src, ","), nil
	}
	var list []string
	var element []byte
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case ',':
			list = append(list, string(element))
			element = element[:0]
		case '\\':
			i++
			if i == len(src) || src[i] != '\\' && src[i] != ',' {
				return nil, errEscape
			}
			element = append(element, src[i])
		default:
			element = append(element, c)
		}
	}
	return append(list, string(element)), nil
}
