package keyspace

import (
	"encoding"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Keys makes the Redis keys of one prefix from ids of type K, and reads ids
// back from keys. Two different ids never share a key, and no id leaves the
// slot its [Placement] gives it: the characters that have a meaning in keys (%,
// braces, and the colon where it separates) are written as %25, %7B, %7D, %3A.
// Keyspaces and models are built on it; it is safe for concurrent use.
type Keys[K any] struct {
	prefix string
	place  Placement
	codec  field.Codec[K] // of an id that is one value
	parts  []part         // of a composite id, the one tagged slot first
	before string         // of a template
	after  string
}

// part is one field of a composite id.
type part struct {
	name   string
	offset uintptr
	codec  *field.Erased
}

// ErrEmptyID refuses an id whose text is empty: {} is no hash tag, and the key
// would be in a slot of its own.
var ErrEmptyID = errors.New("the id is empty")

// NewKeys returns the Keys of a prefix, or what is wrong with the prefix, the
// placement, or K as an id.
func NewKeys[K any](prefix string, place Placement) (*Keys[K], error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	if err := place.check(); err != nil {
		return nil, err
	}
	k := &Keys[K]{prefix: prefix, place: place}
	t := reflect.TypeFor[K]()
	var err error
	if composite(t) {
		k.parts, err = compositeParts(t)
		if err == nil && place.kind != perID {
			err = fmt.Errorf("%v is a composite id with a slot of its own, which %v would overrule; drop one of them", t, place)
		}
	} else {
		if _, err = idCodec(t); err == nil {
			k.codec, err = field.For[K]()
		}
	}
	if place.kind == byTemplate {
		k.before, k.after, _ = strings.Cut(place.pattern, "%s")
	}
	return k, err
}

func checkPrefix(prefix string) error {
	switch {
	case prefix == "":
		return errors.New("the prefix is empty; name the keyspace")
	case strings.ContainsAny(prefix, "{}"):
		return fmt.Errorf("the prefix %q contains a brace; braces mark the hash tag, which the placement makes", prefix)
	}
	return nil
}

func idCodec(t reflect.Type) (*field.Erased, error) {
	codec, err := field.Of(t)
	if err != nil {
		return nil, err
	}
	switch {
	case codec.Optional():
		return nil, fmt.Errorf("%v cannot be an id: it may be absent", t)
	case codec.Lua().Kind == field.LuaJSON:
		return nil, fmt.Errorf("%v cannot be an id: its text is JSON; use a scalar, a type with MarshalText, or a struct with one field tagged slot (`redis:\"tenant,slot\"`)", t)
	}
	return codec, nil
}

// composite tells whether t is a struct that declares its fields as parts.
func composite(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return false
	}
	for f := range t.Fields() {
		if _, ok := f.Tag.Lookup("redis"); ok {
			return true
		}
	}
	return false
}

func compositeParts(t reflect.Type) ([]part, error) {
	var parts []part
	slots := 0
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("redis"), ",")
		if !f.IsExported() || name == "-" {
			return nil, fmt.Errorf("%v cannot be an id: field %s has no part in it, so two ids could share a key", t, f.Name)
		}
		codec, err := idCodec(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		p := part{name: f.Name, offset: f.Offset, codec: codec}
		switch options {
		case "":
			parts = append(parts, p)
		case "slot":
			slots++
			parts = append([]part{p}, parts...)
		default:
			return nil, fmt.Errorf("%v: field %s: unknown option %q of an id's field; the only one is slot", t, f.Name, options)
		}
	}
	if slots != 1 || len(parts) < 2 {
		return nil, fmt.Errorf("%v as a composite id needs one field tagged slot (`redis:\"tenant,slot\"`) and at least one other; it has %d and %d", t, slots, len(parts)-slots)
	}
	return parts, nil
}

// Prefix is what all keys begin with, but for those of a [Template].
func (k *Keys[K]) Prefix() string { return k.prefix }

// Placement is how the keys are placed.
func (k *Keys[K]) Placement() Placement { return k.place }

// Append appends the key of an id to dst. It fails when a part of the id is
// empty ([ErrEmptyID]) or has no text.
func (k *Keys[K]) Append(dst []byte, id K) ([]byte, error) {
	out, err := k.append(dst, id)
	if err != nil {
		return dst, fmt.Errorf("keyspace: %s: %w", k.prefix, err)
	}
	return out, nil
}

// Key returns the key of an id, as [Keys.Append] makes it.
func (k *Keys[K]) Key(id K) (string, error) {
	const text = 40 // of an id and what is around it: 36 for a UUID, 20 for an integer
	b, err := k.Append(make([]byte, 0, len(k.prefix)+len(k.place.tag)+len(k.place.pattern)+text), id)
	if err != nil {
		return "", err
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), nil // nobody writes to b from here on
}

func (k *Keys[K]) append(dst []byte, id K) ([]byte, error) {
	switch k.place.kind {
	case byTemplate:
		dst = append(dst, k.before...)
		start := len(dst)
		dst, err := k.codec.Append(dst, id)
		if err == nil && len(dst) == start {
			err = ErrEmptyID
		}
		return append(dst, k.after...), err
	case oneSlot:
		dst = append(dst, k.prefix...)
		dst = append(dst, '{')
		dst = append(dst, k.place.tag...)
		dst = append(dst, "}:"...)
		return k.appendID(dst, id, true)
	case inBuckets:
		text, err := k.appendID(nil, id, true)
		if err != nil {
			return dst, err
		}
		bucket := pipectx.Slot(string(text)) % k.place.buckets
		dst = append(dst, k.prefix...)
		dst = append(dst, '{')
		dst = append(dst, k.place.tag...)
		dst = append(dst, '.')
		dst = strconv.AppendInt(dst, int64(bucket), 10)
		dst = append(dst, "}:"...)
		return append(dst, text...), nil
	}
	dst = append(dst, k.prefix...)
	dst = append(dst, '{')
	if k.parts != nil {
		return k.appendParts(dst, id)
	}
	dst, err := k.appendID(dst, id, false)
	return append(dst, '}'), err
}

// appendID appends the escaped text of an id that is one part.
func (k *Keys[K]) appendID(dst []byte, id K, colon bool) ([]byte, error) {
	start := len(dst)
	dst, err := k.codec.Append(dst, id)
	if err != nil {
		return dst, err
	}
	return escape(dst, start, colon)
}

// appendParts appends the parts of a composite id behind an open brace. It is
// apart from append, and takes the id by value, because id moves to the heap
// here: those of one part need not.
func (k *Keys[K]) appendParts(dst []byte, id K) ([]byte, error) {
	for i, p := range k.parts {
		start := len(dst)
		var err error
		if dst, err = p.codec.Append(dst, unsafe.Add(unsafe.Pointer(&id), p.offset)); err != nil {
			return dst, fmt.Errorf("%s: %w", p.name, err)
		}
		if dst, err = escape(dst, start, true); err != nil {
			return dst, fmt.Errorf("%s: %w", p.name, err)
		}
		switch i {
		case 0:
			dst = append(dst, "}:"...)
		case len(k.parts) - 1:
		default:
			dst = append(dst, ':')
		}
	}
	return dst, nil
}

// isSpecial are the characters that ids may not have as they are: a table, because
// every key of every command is looked through.
var isSpecial = [256]bool{'%': true, '{': true, '}': true, ':': true}

// escape replaces the special characters in dst[start:]; the colon only where
// it separates parts.
func escape(dst []byte, start int, colon bool) ([]byte, error) {
	if len(dst) == start {
		return dst, ErrEmptyID
	}
	if !slices.ContainsFunc(dst[start:], func(c byte) bool { return isSpecial[c] }) {
		return dst, nil
	}
	text := string(dst[start:])
	dst = dst[:start]
	for i := range len(text) {
		switch c := text[i]; {
		case !isSpecial[c], c == ':' && !colon:
			dst = append(dst, c)
		default:
			dst = append(dst, '%')
			dst = append(dst, strings.ToUpper(strconv.FormatInt(int64(c), 16))...)
		}
	}
	return dst, nil
}

// LuaPattern returns a Lua pattern that finds the text of an id in its key, and
// whether characters of it are escaped there; "" for a composite id, whose parts are
// several.
func (k *Keys[K]) LuaPattern() (pattern string, escaped bool) {
	switch {
	case k.parts != nil:
		return "", false
	case k.place.kind == byTemplate:
		literal := func(text string) string { return luaMagic.ReplaceAllString(text, "%$0") }
		return "^" + literal(k.before) + "(.*)" + literal(k.after) + "$", false
	case k.place.kind == perID:
		return "{(.*)}$", true
	}
	return "}:(.*)$", true
}

// luaMagic are the characters with a meaning in Lua patterns.
var luaMagic = regexp.MustCompile(`[^A-Za-z0-9 _\x80-\xff]`)

// ErrForeignKey is the answer of [Keys.Parse] for a key that another prefix or
// placement made.
var ErrForeignKey = errors.New("the key does not belong to this prefix and placement")

// Parse returns the id that a key was made from.
func (k *Keys[K]) Parse(key string) (K, error) {
	id, err := k.parse(key)
	if err == nil { // "7" and "07" may be one id: only what we would write is ours
		var back string
		if back, err = k.Key(id); err == nil && back != key {
			err = ErrForeignKey
		}
	}
	if err != nil {
		var zero K
		return zero, fmt.Errorf("keyspace: %s: key %q: %w", k.prefix, key, err)
	}
	return id, nil
}

func (k *Keys[K]) parse(key string) (id K, err error) {
	if k.place.kind == byTemplate {
		text, ok := strings.CutPrefix(key, k.before)
		if ok {
			text, ok = strings.CutSuffix(text, k.after)
		}
		if !ok {
			return id, ErrForeignKey
		}
		return k.codec.Parse([]byte(text))
	}
	rest, ok := strings.CutPrefix(key, k.prefix+"{")
	tag, rest, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return id, ErrForeignKey
	}
	texts := []string{tag}
	switch {
	case k.place.kind != perID:
		if texts[0], ok = strings.CutPrefix(rest, ":"); !ok {
			return id, ErrForeignKey
		}
	case k.parts != nil:
		if rest, ok = strings.CutPrefix(rest, ":"); !ok {
			return id, ErrForeignKey
		}
		texts = append(texts, strings.Split(rest, ":")...)
	case rest != "":
		return id, ErrForeignKey
	}
	for i := range texts {
		if texts[i], err = url.PathUnescape(texts[i]); err != nil {
			return id, ErrForeignKey
		}
	}
	if k.parts == nil {
		return k.codec.Parse([]byte(texts[0]))
	}
	if len(texts) != len(k.parts) {
		return id, ErrForeignKey
	}
	for i, p := range k.parts {
		if err := p.codec.Parse([]byte(texts[i]), unsafe.Add(unsafe.Pointer(&id), p.offset)); err != nil {
			return id, err
		}
	}
	return id, nil
}

// Pattern is the glob that matches the keys of this prefix, for SCAN. It may
// match other keys too; Parse tells.
func (k *Keys[K]) Pattern() string {
	switch k.place.kind {
	case byTemplate:
		return glob(k.before) + "*" + glob(k.after)
	case oneSlot:
		return glob(k.prefix+"{"+k.place.tag+"}:") + "*"
	case inBuckets:
		return glob(k.prefix+"{"+k.place.tag+".") + "*"
	}
	return glob(k.prefix+"{") + "*"
}

// Matches tells whether a key matches the [Keys.Pattern].
func (k *Keys[K]) Matches(key string) bool {
	start, end := k.prefix+"{", ""
	switch k.place.kind {
	case byTemplate:
		start, end = k.before, k.after
	case oneSlot:
		start += k.place.tag + "}:"
	case inBuckets:
		start += k.place.tag + "."
	}
	return len(key) >= len(start)+len(end) && strings.HasPrefix(key, start) && strings.HasSuffix(key, end)
}

// glob escapes what has a meaning in Redis's patterns.
func glob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
