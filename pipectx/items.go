package pipectx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"
)

// Items returns the elements of an array or set, or the keys and values of a
// map in turns, as RESP2 sends it. A null array is [ErrNotFound].
func (r Reply) Items() (Items, error) {
	line, rest := r.line()
	n, ok := atoi(line)
	switch r.kind() {
	case array, set, push:
	case mapping:
		n *= 2
	default:
		ok = false
	}
	if !ok || n < 0 {
		return Items{}, r.mismatch("an array")
	}
	if r.whole && frameLen(r.frame) != len(r.frame) { // elements were measured when they were stepped to
		return Items{}, fmt.Errorf("pipectx: reply %v is cut short", r)
	}
	return Items{left: n, rest: rest}, nil
}

// Flat is [Reply.Items] with the elements of nested arrays in their places: members
// and scores, say, which RESP3 sends as pairs and RESP2 in a row. Len counts what is
// left of the outer ones then. The reply is not measured before: [Items.Err] tells
// behind the last one whether it was whole.
func (r Reply) Flat() (Items, error) {
	line, rest := r.line()
	n, ok := atoi(line)
	if r.kind() != array || !ok || n < 0 {
		return Items{}, r.mismatch("an array")
	}
	return Items{left: n, rest: rest, flat: true}, nil
}

// Items walks the elements of an aggregate reply:
//
//	for items.Next() {
//		item := items.Reply()
//	}
type Items struct {
	left    int
	rest    []byte
	current Reply
	flat    bool
	cut     bool
}

// Err tells whether the reply ended before its last element.
func (it *Items) Err() error {
	if it.cut {
		return errors.New("pipectx: a reply is cut short")
	}
	return nil
}

// Len is how many elements are left.
func (it *Items) Len() int { return it.left }

// Next steps to the next element and tells whether there is one.
func (it *Items) Next() bool {
	for it.flat && it.left > 0 && len(it.rest) > 0 && it.rest[0] == array {
		if len(it.rest) > 4 && it.rest[1] == '2' && it.rest[2] == '\r' { // the pairs of RESP3
			it.left++
			it.rest = it.rest[4:]
			continue
		}
		line, rest := Reply{frame: it.rest}.line()
		n, ok := atoi(line)
		if !ok || n < 0 { // a null
			break
		}
		it.left += n - 1
		it.rest = rest
	}
	if it.left == 0 {
		return false
	}
	if text, end := bulkText(it.rest); end > 0 {
		it.left--
		it.current, it.rest = Reply{frame: text, text: true}, it.rest[end:]
		return true
	}
	if it.flat && len(it.rest) > 2 && it.rest[0] == double {
		if n := bytes.IndexByte(it.rest, '\n') + 1; n > 3 {
			it.left--
			it.current, it.rest = Reply{frame: it.rest[:n]}, it.rest[n:]
			return true
		}
	}
	n := frameLen(it.rest)
	if n <= 0 {
		it.left, it.cut = 0, true
		return false
	}
	it.left--
	it.current, it.rest = Reply{frame: withoutAttributes(it.rest[:n])}, it.rest[n:]
	return true
}

// Reply is the element that Next stepped to.
func (it *Items) Reply() Reply { return it.current }

// Bytes is [Reply.Bytes] of that element, without a copy of the Reply.
func (it *Items) Bytes() ([]byte, error) {
	if it.current.text {
		return it.current.frame, nil
	}
	return it.current.Bytes()
}

// Float is [Reply.Float] of that element, likewise.
func (it *Items) Float() (float64, error) {
	b := it.current.frame
	if !it.current.text && len(b) > 3 && b[0] == double {
		b = b[1 : len(b)-2]
	}
	if f, ok := shortFloat(b); ok {
		return f, nil
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	if err != nil || math.IsNaN(f) {
		return it.current.Float()
	}
	return f, nil
}

// shortFloat reads what most scores are: up to 15 digits with a point among them or
// none. The digits and the power of ten are floats without rounding, so their quotient
// is rounded as it should be. Source: W. D. Clinger, How to read floating point numbers
// accurately, 1990.
func shortFloat(b []byte) (f float64, ok bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	n, power, scale := 0, 1, 1
	for i, d := range b {
		switch {
		case d >= '0' && d <= '9':
			n, power = 10*n+int(d-'0'), power*scale
		case d == '.' && scale == 1 && i > 0 && i < len(b)-1:
			scale = 10
		default:
			return 0, false
		}
	}
	return float64(n) / float64(power), true
}
