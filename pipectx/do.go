package pipectx

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Do queues or runs any command on raw keys: its words are strings, []byte,
// integers, floats or bools. The reply is decoded into T: string, []byte, an
// integer, float64, bool, []string, []any, map[string]string, any, or
// struct{} for a reply that is only to be OK.
//
//	n := pipectx.Do[int64](ctx, db, "INCR", "hits")
//
// A null reply is [ErrNotFound]. On a Cluster the command goes where its key
// lives, the first word after its name unless the command is known to keep its
// keys elsewhere; keys of two slots are refused. Commands that block or change
// the connection's state (BLPOP, MULTI, SUBSCRIBE, SELECT, …) are refused.
//
// Cost: 1 command; 1 round trip outside Run, none of its own inside.
func Do[T any](ctx context.Context, db *DB, args ...any) *Ref[T] {
	c := NewCommand()
	for _, arg := range args {
		c.any(arg)
	}
	if len(args) == 0 {
		c.Fail(fmt.Errorf("pipectx: Do needs a command"))
	}
	if !decodable[T]() {
		c.Fail(undecodable[T]())
	}
	if c.err == nil {
		c.findKeys()
	}
	return Send[T](ctx, db, c, nil)
}

// any adds a word of any type that has one plain text.
func (c *Command) any(arg any) {
	switch v := arg.(type) {
	case string:
		c.Word(v)
	case []byte:
		c.Append(append(c.Tail(), v...), nil)
	case int:
		c.Int(int64(v))
	case int64:
		c.Int(v)
	case float64:
		c.Float(v)
	case float32:
		c.Append(strconv.AppendFloat(c.Tail(), float64(v), 'g', -1, 32), nil)
	case bool:
		if v {
			c.Word("1")
		} else {
			c.Word("0")
		}
	case int8:
		c.Int(int64(v))
	case int16:
		c.Int(int64(v))
	case int32:
		c.Int(int64(v))
	case uint:
		c.uint(uint64(v))
	case uint8:
		c.uint(uint64(v))
	case uint16:
		c.uint(uint64(v))
	case uint32:
		c.uint(uint64(v))
	case uint64:
		c.uint(v)
	default: // by its type alone: printing arg would move all arguments to the heap
		c.Fail(fmt.Errorf("pipectx: %s: Do cannot send a %v as word %d; pass a string, []byte, integer, float or bool",
			cmp.Or(strings.ToUpper(c.name()), "the name"), reflect.TypeOf(arg), len(c.ends)))
	}
}

func (c *Command) uint(n uint64) { c.Append(strconv.AppendUint(c.Tail(), n, 10), nil) }

// decodable tells whether Do knows how to decode into T.
func decodable[T any]() bool {
	switch any((*T)(nil)).(type) {
	case *string, *[]byte, *bool, *struct{}, *[]string, *map[string]string, *[]any, *any, *float64,
		*int, *int8, *int16, *int32, *int64, *uint, *uint8, *uint16, *uint32, *uint64:
		return true
	}
	return false
}

func undecodable[T any]() error {
	return fmt.Errorf("pipectx: Do cannot decode into %v; use string, []byte, an integer, float64, bool, []string, map[string]string, []any, any or struct{}", reflect.TypeFor[T]())
}

// decodeAny decodes a reply into one of the types Do knows.
func decodeAny[T any](r Reply, value *T) (err error) {
	switch p := any(value).(type) {
	case *string:
		*p, err = r.Text()
	case *[]byte:
		var b []byte
		b, err = r.Bytes()
		*p = append([]byte{}, b...)
	case *int64:
		*p, err = r.Int()
	case *int, *int8, *int16, *int32, *uint, *uint8, *uint16, *uint32, *uint64:
		err = r.integer(reflect.ValueOf(p).Elem())
	case *float64:
		*p, err = r.Float()
	case *bool:
		*p, err = r.Bool()
	case *struct{}:
		*p, err = r.OK()
	case *[]string:
		*p, err = r.Texts()
	case *map[string]string:
		*p, err = r.pairs()
	case *[]any:
		var v any
		if v, err = r.natural(0); err == nil {
			var ok bool
			if *p, ok = v.([]any); !ok {
				err = r.mismatch("an array")
			}
		}
	case *any:
		*p, err = r.natural(0)
	default:
		err = undecodable[T]()
	}
	return err
}

// integer reads an integer into one of any size.
func (r Reply) integer(into reflect.Value) error {
	b, err := r.Bytes()
	if err != nil {
		return err
	}
	if into.CanInt() {
		n, err := strconv.ParseInt(string(b), 10, into.Type().Bits())
		into.SetInt(n)
		if err != nil {
			return r.mismatch("an " + into.Type().String())
		}
		return nil
	}
	n, err := strconv.ParseUint(string(b), 10, into.Type().Bits())
	into.SetUint(n)
	if err != nil {
		return r.mismatch("a " + into.Type().String())
	}
	return nil
}

// Texts returns an array of texts; a null in it is an error, since it has no
// text.
func (r Reply) Texts() ([]string, error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, items.Len())
	for items.Next() {
		s, err := items.Reply().Text()
		if err != nil {
			return nil, fmt.Errorf("pipectx: element %d: %w", len(texts), err)
		}
		texts = append(texts, s)
	}
	return texts, nil
}

func (r Reply) pairs() (map[string]string, error) {
	texts, err := r.Texts()
	if err != nil {
		return nil, err
	}
	if len(texts)%2 != 0 {
		return nil, r.mismatch("a map")
	}
	pairs := make(map[string]string, len(texts)/2)
	for i := 0; i < len(texts); i += 2 {
		pairs[texts[i]] = texts[i+1]
	}
	return pairs, nil
}

// deepest is how deep arrays may be nested for natural: each level measures
// those below it.
const deepest = 64

// natural decodes a reply by its own kind. Errors inside an array become
// elements.
func (r Reply) natural(depth int) (any, error) {
	if depth > deepest {
		return nil, fmt.Errorf("pipectx: reply %v is nested deeper than %d", r, deepest)
	}
	switch r.kind() {
	case integer:
		return r.Int()
	case double:
		return r.Float()
	case boolean:
		return r.Bool()
	case array, set, mapping, push:
		if r.IsNil() {
			return nil, ErrNotFound
		}
		items, err := r.Items()
		if err != nil {
			return nil, err
		}
		all := make([]any, 0, items.Len())
		for items.Next() {
			switch item := items.Reply(); {
			case item.IsNil():
				all = append(all, nil)
			case item.fault() != nil:
				all = append(all, item.Err())
			default:
				v, err := item.natural(depth + 1)
				if err != nil {
					return nil, err
				}
				all = append(all, v)
			}
		}
		return all, nil
	}
	return r.Text()
}

// findKeys marks the keys of a command given by its words and refuses those
// that have no place in a pipeline.
func (c *Command) findKeys() {
	name := c.word(0)
	info, known := commandTable[string(name)]
	if !known {
		info = commandTable[strings.ToUpper(string(name))]
	}
	if why := info.refusal(c); why != "" {
		c.Fail(fmt.Errorf("pipectx: %s %s", name, why))
		return
	}
	c.read = info.read
	n := len(c.ends)
	mark := func(from, to, step int) {
		for i := from; i < to && i < n; i += step {
			c.keys = append(c.keys, i)
		}
	}
	counted := func(at int) { // a count of keys, then the keys
		if at >= n {
			return
		}
		if count, ok := atoi(c.word(at)); ok && count > 0 && count < n-at {
			mark(at+1, at+1+count, 1)
		}
	}
	switch info.keys {
	case keyless:
	case allKeys:
		mark(1, n, 1)
	case keyValues:
		mark(1, n, 2)
	case twoKeys:
		mark(1, 3, 1)
	case second:
		mark(2, 3, 1)
	case afterOperation:
		mark(2, n, 1)
	case countFirst:
		counted(1)
	case countSecond:
		counted(2)
	case destinationCount:
		mark(1, 2, 1)
		counted(2)
	case firstAndStore:
		mark(1, 2, 1)
		for i := 2; i < n-1; i++ {
			if w := string(c.word(i)); strings.EqualFold(w, "STORE") || strings.EqualFold(w, "STOREDIST") {
				mark(i+1, i+2, 1)
			}
		}
	case thirdOrKeys:
		if n > 3 && len(c.word(3)) > 0 {
			mark(3, 4, 1)
			break
		}
		for i := 4; i < n; i++ {
			if strings.EqualFold(string(c.word(i)), "KEYS") {
				mark(i+1, n, 1)
				break
			}
		}
	case afterStreams:
		for i := 1; i < n; i++ {
			if strings.EqualFold(string(c.word(i)), "STREAMS") {
				mark(i+1, i+1+(n-i-1)/2, 1)
				break
			}
		}
	default:
		mark(1, 2, 1)
	}
}
