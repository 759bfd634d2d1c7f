package keyspace

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Span is a part of an order, such as that of a sorted set's scores, from one end
// to another:
//
//	From(3.0)             3 and above            ZRANGE … 3 +inf BYSCORE
//	Above(3.0)            above 3                       (3 +inf
//	UpTo(5.0)             5 and below                  -inf 5
//	Below(5.0)            below 5                      -inf (5
//	Between(3.0, 5.0)     from 3 to 5, both in            3 5
//	Above(3.0).UpTo(5)    above 3, up to 5               (3 5
//	Span[float64]{}       all                          -inf +inf
//
// T is float64 for scores, and the type of the members for their texts, whose order
// is byte by byte: "10" comes before "9". A Span whose ends are the wrong way round
// is empty. Limit takes a page of it.
type Span[T any] struct {
	lower, upper  end[T]
	offset, count int64
	limited       bool
}

// An end is open, includes its value, or excludes it.
type end[T any] struct {
	kind  endKind
	value T
}

type endKind int

const (
	open endKind = iota
	including
	excluding
)

// From is the Span of x and all above it.
func From[T any](x T) Span[T] { return Span[T]{lower: end[T]{including, x}} }

// Above is the Span of all above x.
func Above[T any](x T) Span[T] { return Span[T]{lower: end[T]{excluding, x}} }

// UpTo is the Span of x and all below it.
func UpTo[T any](x T) Span[T] { return Span[T]{}.UpTo(x) }

// Below is the Span of all below x.
func Below[T any](x T) Span[T] { return Span[T]{}.Below(x) }

// Between is the Span from least to greatest, both included.
func Between[T any](least, greatest T) Span[T] { return From(least).UpTo(greatest) }

// UpTo is the Span that ends with x.
func (s Span[T]) UpTo(x T) Span[T] {
	s.upper = end[T]{including, x}
	return s
}

// Below is the Span that ends before x.
func (s Span[T]) Below(x T) Span[T] {
	s.upper = end[T]{excluding, x}
	return s
}

// Limit is a page of the Span: count of its members after the first offset ones, in
// the order in which they are read; a negative count is all of these. Verbs that
// count or remove take whole Spans only.
func (s Span[T]) Limit(offset, count int64) Span[T] {
	s.offset, s.count, s.limited = offset, count, true
	return s
}

// An order is how the ends of Spans are written.
type order[T any] struct {
	by    string // BYSCORE
	least string // where the lower end is open
	most  string
	in    string // before a value that is included
	out   string
	write func(tail []byte, value T) ([]byte, error)
}

// byScore is the order of scores.
var byScore = order[float64]{"BYSCORE", "-inf", "+inf", "", "(", appendScore}

// byText is the order of members that have one score.
func byText[M any](v *value[M]) order[M] {
	return order[M]{"BYLEX", "-", "+", "[", "(", v.Append}
}

// whole adds the two ends of a Span that has no Limit.
func (o order[T]) whole(c *pipectx.Command, key, verb string, s Span[T]) {
	if s.limited {
		c.Fail(fmt.Errorf("keyspace: %s: %s has no Limit; give the whole Span, or the values where the page ends", key, verb))
	}
	o.end(c, key, verb, s.lower, o.least)
	o.end(c, key, verb, s.upper, o.most)
}

// page adds the words of ZRANGE: both ends, the lower one last in reverse, and what
// follows them.
func (o order[T]) page(c *pipectx.Command, key, verb string, s Span[T], reverse bool) {
	if s.limited && s.offset < 0 {
		c.Fail(fmt.Errorf("keyspace: %s: %s: Limit begins at %d; give an offset that is not negative", key, verb, s.offset))
	}
	if reverse {
		o.end(c, key, verb, s.upper, o.most)
		o.end(c, key, verb, s.lower, o.least)
	} else {
		o.end(c, key, verb, s.lower, o.least)
		o.end(c, key, verb, s.upper, o.most)
	}
	c.Word(o.by)
	if reverse {
		c.Word("REV")
	}
	if s.limited {
		c.Word("LIMIT")
		c.Int(s.offset)
		c.Int(max(s.count, -1))
	}
}

func (o order[T]) end(c *pipectx.Command, key, verb string, e end[T], infinite string) {
	switch e.kind {
	case open:
		c.Word(infinite)
		return
	case excluding:
		infinite = o.out
	default:
		infinite = o.in
	}
	tail, err := o.write(append(c.Tail(), infinite...), e.value)
	switch {
	case err == errNaN:
		err = fmt.Errorf("keyspace: %s: %s: NaN is not a number that Redis takes here", key, verb)
	case err != nil:
		err = unstorable(err, key, "")
	}
	c.Append(tail, err)
}

var errNaN = errors.New("NaN")

// appendScore writes a score as [pipectx.Command.Float] does.
func appendScore(tail []byte, score float64) ([]byte, error) {
	switch {
	case math.IsNaN(score):
		return tail, errNaN
	case math.IsInf(score, 1):
		return append(tail, "+inf"...), nil
	case math.IsInf(score, -1):
		return append(tail, "-inf"...), nil
	}
	return strconv.AppendFloat(tail, score, 'g', -1, 64), nil
}
