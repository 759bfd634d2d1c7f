package field

import "errors"

var errASCII = errors.New("want characters from space to ~ only; without the option ascii any text will do")

// The option ascii is for strings that are printable ASCII, ' ' to '~', or
// empty: names of hosts, codes, tokens. Everything else is refused both ways, a
// newline at the end too.

func (e *Erased) appendASCII(dst []byte, s string) ([]byte, error) {
	if !isASCII(s) {
		return dst, encodeError(e.name, quoted(s), errASCII)
	}
	return append(dst, s...), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
