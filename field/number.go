package field

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// NumberKind says what kind of number a text is.
type NumberKind uint8

const (
	NotNumber   NumberKind = iota // cannot be incremented
	IntNumber                     // signed: HINCRBY
	UintNumber                    // unsigned: HINCRBY, as long as it fits an int64
	FloatNumber                   // HINCRBYFLOAT
)

// String is the kind in one word: "int".
func (k NumberKind) String() string {
	switch k {
	case NotNumber:
		return "none"
	case IntNumber:
		return "int"
	case UintNumber:
		return "uint"
	case FloatNumber:
		return "float"
	}
	return fmt.Sprintf("NumberKind(%d)", uint8(k))
}

var (
	errRange  = errors.New("out of range")
	errNotInt = errors.New("want decimal digits")
	errFloat  = errors.New("want a decimal number")
	errNaN    = errors.New("NaN and infinities need the option nan")
)

// Integers: decimal, the whole range of the type, exact.

func appendInt(dst []byte, n int64) []byte   { return strconv.AppendInt(dst, n, 10) }
func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

func parseInt[T int8 | int16 | int32 | int64](e *Erased, src string, p *T) error {
	digits := strings.TrimPrefix(src, "-")
	u, ok := parseDigits(digits)
	n := int64(u)
	if len(digits) < len(src) {
		n = -n
	}
	if !ok {
		var err error
		if n, err = strconv.ParseInt(src, 10, 64); err != nil {
			return e.decodeError(src, reason(err, errNotInt))
		}
	}
	if n != int64(T(n)) {
		return e.decodeError(src, errRange)
	}
	*p = T(n)
	return nil
}

func parseUint[T uint8 | uint16 | uint32 | uint64](e *Erased, src string, p *T) error {
	n, ok := parseDigits(src)
	if !ok {
		var err error
		if n, err = strconv.ParseUint(src, 10, 64); err != nil {
			return e.decodeError(src, reason(err, errNotInt))
		}
	}
	if n != uint64(T(n)) {
		return e.decodeError(src, errRange)
	}
	*p = T(n)
	return nil
}

// parseDigits reads what cannot overflow: 1 to 18 digits. It leaves the rest,
// rare or wrong, to strconv, which takes twice as long for these.
func parseDigits(src string) (n uint64, ok bool) {
	if len(src) == 0 || len(src) > 18 {
		return 0, false
	}
	for i := range len(src) {
		digit := src[i] - '0'
		if digit > 9 {
			return 0, false
		}
		n = n*10 + uint64(digit)
	}
	return n, true
}

// reason is ours for an error of strconv, which repeats the text.
func reason(err, syntax error) error {
	if errors.Is(err, strconv.ErrRange) {
		return errRange
	}
	return syntax
}

// appendFloat writes the shortest text that reads back as f, bit for bit.
//
// Very large and very small numbers have an exponent, after a point: the Lua
// of some servers reads neither 1e+21 nor a row of 22 digits, but 1.0e+21
// everywhere. That is also why digits end at 1e18, within an int64.
func (e *Erased) appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	abs := math.Abs(f)
	switch {
	case abs == 0 || 1e-6 <= abs && abs < 1e18:
		return strconv.AppendFloat(dst, f, 'f', -1, bits), nil
	case abs <= math.MaxFloat64:
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
		if digits := dst[start:]; bytes.IndexByte(digits, '.') < 0 {
			at := start + bytes.IndexByte(digits, 'e')
			dst = append(dst, ".0"...)
			copy(dst[at+2:], dst[at:])
			copy(dst[at:], ".0")
		}
		return dst, nil
	case e.lenient:
		return strconv.AppendFloat(dst, f, 'g', -1, bits), nil // NaN, +Inf, -Inf, as go-redis writes them
	}
	return dst, encodeError(e.name, strconv.FormatFloat(f, 'g', -1, bits), errNaN)
}

func parseFloat[T float32 | float64](e *Erased, src string, p *T, bits int) error {
	f, err := strconv.ParseFloat(src, bits)
	switch {
	case err != nil:
		return e.decodeError(src, reason(err, errFloat))
	case strings.IndexByte(src, '_') >= 0: // fine in Go source, but in no store
		return e.decodeError(src, errFloat)
	case !e.lenient && !(math.Abs(f) <= math.MaxFloat64):
		return e.decodeError(src, errNaN)
	}
	*p = T(f)
	return nil
}
