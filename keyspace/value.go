package keyspace

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// value is one of a definition's types, that of its values, members or fields:
// the codec, and the decoders of replies that hold such values. They are made
// once a definition; a function value made by each call would cost each call an
// allocation.
type value[V any] struct {
	field.Codec[V]
	erased *field.Erased // the same codec
	texts  bool          // it is a string type
	one    func(pipectx.Reply) (V, error)
	into   func(pipectx.Reply, *V) error
	all    func(pipectx.Reply) ([]V, error)
}

// newValue says what is wrong with V as a value, member or field.
func newValue[V any](what string) (*value[V], error) {
	erased, err := field.Of(reflect.TypeFor[V]())
	if err != nil {
		return nil, fmt.Errorf("the %s: %w", what, err)
	}
	if erased.Optional() {
		return nil, fmt.Errorf("the %s: %s may be absent, and what is stored is not; use the type without the pointer or Optional: verbs answer absence by themselves",
			what, erased.Name())
	}
	codec, err := field.For[V]()
	if err != nil {
		return nil, fmt.Errorf("the %s: %w", what, err)
	}
	v := &value[V]{Codec: codec, erased: erased, texts: reflect.TypeFor[V]().Kind() == reflect.String}
	v.one, v.into, v.all = v.decode, v.decodeInto, v.decodeAll
	return v, nil
}

// write adds a value as a word; what has no text fails the command.
func (v *value[V]) write(c *pipectx.Command, key string, value V) {
	tail, err := v.Append(c.Tail(), value)
	if err != nil {
		err = unstorable(err, key, "")
	}
	c.Append(tail, err)
}

// writeOf is write for a verb that has the id and not the key.
func writeOf[K, V any](b bound[K], v *value[V], c *pipectx.Command, id K, value V) {
	tail, err := v.Append(c.Tail(), value)
	if err != nil {
		err = unstorable(err, b.handle(id).key, "")
	}
	c.Append(tail, err)
}

// text is a value for messages.
func (v *value[V]) text(value V) string {
	text, err := v.Append(nil, value)
	if err != nil {
		return "?"
	}
	return string(text)
}

// get sends a command that reads one value.
func (v *value[V]) get(ctx context.Context, db *pipectx.DB, c *pipectx.Command) *pipectx.Ref[V] {
	var value V
	return pipectx.SendInto(ctx, db, c.ReadText(), value, v.into)
}

// decode reads a reply that is one value. A null says that there is no such
// key.
func (v *value[V]) decode(r pipectx.Reply) (V, error) {
	text, err := r.Bytes()
	if err != nil {
		var none V
		return none, missing(err, r.Key())
	}
	return v.parse(text, r.Key())
}

// decodeInto is decode for a reply of which the value is most: its strings stay
// in the reply's memory, which is nobody else's, and cost no copy.
func (v *value[V]) decodeInto(r pipectx.Reply, p *V) error {
	text, err := r.Bytes()
	if err != nil {
		return missing(err, r.Key())
	}
	if err := v.shared(text, p); err != nil {
		return located(err, r.Key(), "")
	}
	return nil
}

func (v *value[V]) shared(text []byte, p *V) error {
	return v.erased.ParseShared(unsafe.String(unsafe.SliceData(text), len(text)), unsafe.Pointer(p))
}

// parse reads one value of a key.
func (v *value[V]) parse(text []byte, key string) (V, error) {
	value, err := v.Parse(text)
	if err != nil {
		return value, located(err, key, "")
	}
	return value, nil
}

// parseIn is parse of one of many into its place: the texts of strings share a slab.
func (v *value[V]) parseIn(s *slab, text []byte, key string, more int, place *V) (err error) {
	if v.texts {
		err = v.shared(s.add(text, more), place)
	} else {
		*place, err = v.Parse(text)
	}
	if err != nil {
		return located(err, key, "")
	}
	return nil
}

// A slab holds the texts of several values, which are one allocation then and not
// many. It is small, so that keeping one of a million does not keep them all.
type slab struct{ bytes []byte }

const slabBytes = 1024

// add copies text. There are about so many more of its length.
func (s *slab) add(text []byte, more int) []byte {
	if cap(s.bytes)-len(s.bytes) < len(text) {
		s.bytes = make([]byte, 0, max(len(text), min(slabBytes, (more+1)*(len(text)+1))))
	}
	from := len(s.bytes)
	s.bytes = append(s.bytes, text...)
	return s.bytes[from:len(s.bytes):len(s.bytes)]
}

// decodeAll reads an array of values; a null array has none.
func (v *value[V]) decodeAll(r pipectx.Reply) ([]V, error) { return v.decodeFrom(r, r.Key()) }

// decodeFrom is decodeAll of an array within a reply, which does not know its key.
func (v *value[V]) decodeFrom(r pipectx.Reply, key string) ([]V, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	values := make([]V, 0, items.Len())
	var slab slab
	for items.Next() {
		text, err := items.Bytes()
		if err != nil {
			return nil, err
		}
		var none V
		values = append(values, none)
		if err := v.parseIn(&slab, text, key, items.Len(), &values[len(values)-1]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// decodeOptional reads an array of n values of which some may be null. Where
// says what a value is stored under, for messages.
func (v *value[V]) decodeOptional(r pipectx.Reply, n int, where func(i int) (key, field string)) ([]field.Optional[V], error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	values := make([]field.Optional[V], n)
	for i := range values {
		if !items.Next() {
			return nil, short(r)
		}
		if items.Reply().IsNil() {
			continue
		}
		text, err := items.Reply().Bytes()
		if err != nil {
			return nil, err
		}
		value, err := v.Parse(text)
		if err != nil {
			key, field := where(i)
			return nil, located(err, key, field)
		}
		values[i] = field.Some(value)
	}
	return values, nil
}

// elements is the array that a reply holds; where a server says null for "no
// such key" it is empty.
func elements(r pipectx.Reply) (pipectx.Items, error) {
	if r.IsNil() {
		return pipectx.Items{}, nil
	}
	return r.Items()
}

// short is the error of an array that lacks elements.
func short(r pipectx.Reply) error {
	return fmt.Errorf("keyspace: %s: the reply %v has too few elements", r.Key(), r)
}

// absent is the answer of a read that found nothing.
func absent(thing string) error { return pipectx.NotFound("keyspace: " + thing) }

// missing names what is absent, if that is what err says.
func missing(err error, thing string) error {
	if errors.Is(err, pipectx.ErrNotFound) {
		return absent(thing)
	}
	return err
}

// located tells a decoding error where the text was stored.
func located(err error, key, name string) error {
	var decode *field.DecodeError
	if errors.As(err, &decode) && decode.Key == "" {
		decode.Key, decode.Field = key, name
	}
	return err
}

// unstorable tells an encoding error where the value was to go.
func unstorable(err error, key, name string) error {
	var encode *field.EncodeError
	if errors.As(err, &encode) && encode.Key == "" {
		encode.Key, encode.Field = key, name
	}
	return err
}

// incremented fails a command that would add to what is no number of its kind.
func (v *value[V]) incremented(c *pipectx.Command, verb, key string, float bool) {
	var cure string
	switch kind := v.erased.Number(); {
	case kind == field.NotNumber:
		cure = "declare the keyspace with int64 or float64"
	case kind != field.FloatNumber && float:
		cure = "use IncrBy, or declare it with float64"
	case kind == field.FloatNumber && !float:
		cure = "use IncrByFloat, or declare it with int64"
	default:
		return
	}
	want := "an integer"
	if float {
		want = "a float"
	}
	c.Fail(fmt.Errorf("keyspace: %s: %s needs %s, and the values are %s; %s", key, verb, want, v.Name(), cure))
}
