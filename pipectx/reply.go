package pipectx

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// Reply is one reply of the server as it came over the wire (RESP2 or RESP3).
// Decoding reads it in place: nothing is boxed, and an error inside an array
// stays an element of that array. It is for decoders: what they return must not hold
// on to it.
//
// The methods that read a value answer [ErrNotFound] for a null, a
// [*ServerError] for an error reply, and an error that shows the reply when it
// is of another kind.
type Reply struct {
	frame []byte
	key   string
	whole bool // the reply of a command, not an element of one
	text  bool // frame is a text itself, see textWire
}

// Key is the first key of the command that this is the reply of, for messages.
// Elements of an array have none.
func (r Reply) Key() string { return strings.Clone(r.key) } // the word's memory is used again

// Kinds of replies, by their first byte. Source: the RESP3 specification.
const (
	status   = '+'
	failed   = '-'
	integer  = ':'
	bulk     = '$'
	array    = '*'
	null     = '_'
	double   = ','
	boolean  = '#'
	blobFail = '!'
	verbatim = '='
	bigInt   = '('
	mapping  = '%'
	set      = '~'
	push     = '>'
	attrs    = '|'
)

// line returns the rest of the frame's first line, without kind and CRLF, and
// what follows it.
func (r Reply) line() (line, rest []byte) {
	i := bytes.IndexByte(r.frame, '\n')
	if i < 2 {
		return nil, nil
	}
	return r.frame[1 : i-1], r.frame[i+1:]
}

func (r Reply) kind() byte {
	if r.text {
		return bulk
	}
	if len(r.frame) == 0 {
		return 0
	}
	return r.frame[0]
}

// IsNil tells whether the reply is a null.
func (r Reply) IsNil() bool {
	switch r.kind() {
	case null:
		return true
	case bulk, array:
		return !r.text && len(r.frame) > 1 && r.frame[1] == '-'
	}
	return false
}

// Err returns the reply as an error if it is one.
func (r Reply) Err() error {
	if e := r.fault(); e != nil {
		return e
	}
	return nil
}

func (r Reply) fault() *ServerError {
	var text []byte
	switch r.kind() {
	case failed:
		text, _ = r.line()
	case blobFail:
		_, rest := r.line()
		text = bytes.TrimSuffix(rest, []byte("\r\n"))
	default:
		return nil
	}
	code, message, _ := bytes.Cut(text, []byte(" "))
	return &ServerError{Code: string(code), Message: string(message)}
}

// Bytes returns the text of a scalar reply. It aliases the reply's own memory.
func (r Reply) Bytes() ([]byte, error) {
	if r.text {
		return r.frame, nil
	}
	line, rest := r.line()
	switch r.kind() {
	case bulk:
		if n, ok := atoi(line); ok && n >= 0 && n <= len(rest) {
			return rest[:n], nil
		}
	case verbatim: // "txt:" and the text
		if n, ok := atoi(line); ok && n >= 4 && n <= len(rest) {
			return rest[4:n], nil
		}
	case status, integer, double, bigInt:
		return line, nil
	case boolean:
		if len(line) == 1 && line[0] == 't' {
			return []byte("1"), nil
		}
		return []byte("0"), nil
	}
	return nil, r.mismatch("a text")
}

// Text is Bytes as a string. That of an element of an array is a copy, so that
// keeping one does not keep them all.
func (r Reply) Text() (string, error) {
	b, err := r.Bytes()
	if r.whole {
		return unsafe.String(unsafe.SliceData(b), len(b)), err // nobody writes to a frame
	}
	return string(b), err
}

// Int returns an integer.
func (r Reply) Int() (int64, error) {
	b, err := r.Bytes()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, r.mismatch("an integer")
	}
	return n, nil
}

// Float returns a float; Redis writes inf and -inf.
func (r Reply) Float() (float64, error) {
	b, err := r.Bytes()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsNaN(f) {
		return 0, r.mismatch("a float")
	}
	return f, nil
}

// Bool returns whether an integer reply is not zero, or a boolean one true. A
// status (OK) is true.
func (r Reply) Bool() (bool, error) {
	if r.kind() == status {
		return true, nil
	}
	n, err := r.Int()
	return n != 0, err
}

// OK returns nil for a status reply: the reply of a command that has nothing
// else to say.
func (r Reply) OK() (struct{}, error) {
	if r.kind() == status {
		return struct{}{}, nil
	}
	return struct{}{}, r.mismatch("a status")
}

// String shows the reply for messages, shortened.
func (r Reply) String() string {
	const most = 64
	if len(r.frame) > most {
		return fmt.Sprintf("%q…", r.frame[:most])
	}
	return fmt.Sprintf("%q", r.frame)
}

// mismatch is the error of a reply that is not what was asked for.
func (r Reply) mismatch(want string) error {
	if err := r.Err(); err != nil {
		return err
	}
	if r.IsNil() {
		return ErrNotFound
	}
	return fmt.Errorf("pipectx: reply %v is not %s", r, want)
}

// withoutAttributes cuts off what RESP3 lets stand before a reply to tell about
// it.
func withoutAttributes(frame []byte) []byte {
	for len(frame) > 0 && frame[0] == attrs {
		line, rest := Reply{frame: frame}.line()
		n, ok := atoi(line)
		if !ok || n < 0 {
			return frame
		}
		for range 2 * n {
			skip := frameLen(rest)
			if skip == 0 {
				return frame
			}
			rest = rest[skip:]
		}
		frame = rest
	}
	return frame
}

// frameLen returns how many bytes the first frame of b takes, or 0 if b does
// not hold a whole one. It is a loop, not a recursion: a reply nested a million
// deep must not cost a million stack frames.
func frameLen(b []byte) int {
	pos, open := 0, 1
	for ; open > 0; open-- {
		if _, end := bulkText(b[pos:]); end > 0 { // what most elements are
			pos += end
			continue
		}
		i := bytes.IndexByte(b[pos:], '\n')
		if i < 2 {
			return 0
		}
		kind, line := b[pos], b[pos+1:pos+i-1]
		pos += i + 1
		switch kind {
		case bulk, verbatim, blobFail:
			n, ok := atoi(line)
			if !ok {
				return 0
			}
			if n >= 0 {
				pos += n + 2
			}
		case array, set, push, mapping, attrs:
			n, ok := atoi(line)
			if !ok {
				return 0
			}
			if kind == mapping || kind == attrs {
				n *= 2
			}
			if kind == attrs { // attributes stand before the reply they belong to
				n++
			}
			open += max(n, 0)
		}
		if pos > len(b) {
			return 0
		}
	}
	return pos
}

// bulkText returns the text of the bulk string that b begins with, and where that
// ends; 0 if it begins with something else, or does not hold all of it.
func bulkText(b []byte) (text []byte, end int) {
	if len(b) == 0 || b[0] != bulk {
		return nil, 0
	}
	i, n := 1, 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9' && n <= math.MaxInt32; i++ {
		n = 10*n + int(b[i]-'0')
	}
	if end = i + n + len("\r\n\r\n"); i == 1 || end > len(b) || b[i] != '\r' || b[i+1] != '\n' {
		return nil, 0
	}
	return b[i+2 : i+2+n], end
}

// atoi reads the decimal of a length line.
func atoi(b []byte) (int, bool) {
	n, negative := 0, false
	for i, d := range b {
		switch {
		case i == 0 && d == '-':
			negative = true
		case d < '0' || d > '9' || n > math.MaxInt32:
			return 0, false
		default:
			n = 10*n + int(d-'0')
		}
	}
	if negative {
		n = -n
	}
	return n, len(b) > 0
}

// IsInt tells whether the reply is an integer, for scripts whose replies differ
// in kind.
func (r Reply) IsInt() bool { return r.kind() == integer }
