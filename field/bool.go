package field

import (
	"errors"
	"strings"
)

var errBool = errors.New("want 1, 0, true, false, t, f, yes, no, y, n, on or off")

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, '1')
	}
	return append(dst, '0')
}

// parseBool reads ours, and the words of other programs in any case. All else
// is an error: a text nobody understands is not false. Programs that write
// false as an empty text are read with the option emptyfalse.
func (e *Erased) parseBool(src string, p *bool) error {
	switch {
	case src == "1":
		*p = true
	case src == "0":
		*p = false
	case src == "" && e.lenient:
		*p = false
	case isOneOf(src, "true", "t", "yes", "y", "on"):
		*p = true
	case isOneOf(src, "false", "f", "no", "n", "off"):
		*p = false
	default:
		return e.decodeError(src, errBool)
	}
	return nil
}

func isOneOf(src string, words ...string) bool {
	for _, word := range words {
		if len(src) == len(word) && strings.EqualFold(src, word) {
			return true
		}
	}
	return false
}
