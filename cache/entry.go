package cache

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// An entry is what is stored for one argument: a line that says what it is, and
// behind it the text of the value.
//
//	1v  1732222222222222 1500 1732222222000000.0 1732222222000007.3
//	│││ │                │    │                  └ the function's generation
//	│││ │                │    └ the region's generation, when the load began
//	│││ │                └ how long the load took, in microseconds
//	│││ └ when it was stored, in microseconds of the server's clock
//	││└ s where it was invalidated: to be served only while another is loaded
//	│└ what it is: v a value, n a nil, m a value that is missing, e an error
//	└ the version of this form
type entry struct {
	kind    byte
	soft    bool
	stored  int64
	spent   int64
	body    []byte
	current bool // of the present generations
}

const (
	version     = '1'
	kindValue   = 'v'
	kindNil     = 'n'
	kindMissing = 'm'
	kindError   = 'e'
	softMark    = 's'
)

var errForeign = errors.New("is no entry of a cache of this version")

// parseEntry reads an entry under its present generations. It returns false
// where they say that there is none.
func parseEntry(text, region, function []byte) (e entry, ok bool, err error) {
	line, body, found := bytes.Cut(text, []byte("\n"))
	if !found || len(line) < 5 || line[0] != version || line[3] != ' ' {
		return e, false, errForeign
	}
	e.kind, e.soft, e.body = line[1], line[2] == softMark, body
	rest := line[4:]
	stored, rest, _ := bytes.Cut(rest, []byte(" "))
	spent, rest, _ := bytes.Cut(rest, []byte(" "))
	inRegion, inFunction, found := bytes.Cut(rest, []byte(" "))
	var errs [2]error
	e.stored, errs[0] = parseInt(stored)
	e.spent, errs[1] = parseInt(spent)
	if !found || errors.Join(errs[:]...) != nil {
		return e, false, errForeign
	}
	if len(region) == 0 || len(function) == 0 || !bytes.Equal(hard(inRegion), hard(region)) || !bytes.Equal(hard(inFunction), hard(function)) {
		return e, false, nil
	}
	e.current = bytes.Equal(inRegion, region) && bytes.Equal(inFunction, function)
	return e, true, nil
}

// hard is the part of a generation that a removal changes; what is behind the dot
// an invalidation does.
func hard(generation []byte) []byte {
	before, _, _ := bytes.Cut(generation, []byte("."))
	return before
}

func parseInt(text []byte) (n int64, err error) {
	if len(text) == 0 || len(text) > 18 {
		return 0, strconv.ErrSyntax
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + int64(c-'0')
	}
	return n, nil
}

// decode sets v to the value of an entry, or returns what it is instead.
func (f *Function[K, V]) decode(e entry, key string, v *V) error {
	switch e.kind {
	case kindValue:
		if err := f.parse(e.body, v); err != nil {
			return fmt.Errorf("cache: %s: %w", key, err)
		}
		return nil
	case kindNil:
		return nil
	case kindMissing:
		return f.missing(key)
	case kindError:
		return &LoadError{Function: f.String(), Key: key, Err: errors.New(string(e.body)), Elsewhere: true}
	}
	return fmt.Errorf("cache: %s: %w", key, errForeign)
}
