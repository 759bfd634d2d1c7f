package model

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// A schema is what a record type declares, derived once. It is the only part
// that reflects; saving and loading walk its columns by offset.
type schema struct {
	typ      reflect.Type
	key      *column
	version  *column
	columns  []*column // stored fields in the order of the struct, the version among them
	byName   map[string]*column
	optional bool      // some column may be absent
	direct   bool      // encoding a record keeps no pointer to it: see Save
	lives    []*column // those whose values may have a TTL of their own
	begins   bool      // of some of them a write begins it anew
	rules    *rules
}

// A column is one stored field: a struct field and its place in the hash.
type column struct {
	name   string // in the hash
	path   string // in Go: Owner; Base.Created where Base is embedded
	offset uintptr
	codec  *field.Erased
	rule   string // validate tag
	bounds string // of a number, see boundsOf
	lua    string // its type in self.lua, "" if Lua cannot use it
	lives  bool   // its values may have a time to live of their own
	life   string // which a write begins anew, in milliseconds; "" to keep it
}

// at is the column's field in the record at p.
func (c *column) at(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, c.offset) }

// most is how many stored fields a record may have: scripts hand them to one
// command with a name and a text each, and Lua's unpack ends below 8,000.
const most = 2000

// schemas keeps what was derived: reflect.Type → *schema.
var schemas sync.Map

// schemaOf returns the schema of a struct type, or what is wrong with it.
func schemaOf(t reflect.Type) (*schema, error) {
	if s, ok := schemas.Load(t); ok {
		return s.(*schema), nil
	}
	s, err := newSchema(t)
	if err != nil {
		return nil, err
	}
	kept, _ := schemas.LoadOrStore(t, s)
	return kept.(*schema), nil
}

func newSchema(t reflect.Type) (*schema, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is no struct; a record is a struct with `redis` tags", t)
	}
	s := &schema{typ: t, byName: map[string]*column{}}
	if err := s.add(t, 0, ""); err != nil {
		return nil, err
	}
	if s.key == nil {
		return nil, fmt.Errorf("%v has no key; tag the field that holds the id: `redis:\"id,key\"`", t)
	}
	if c := s.byName[s.key.name]; c != nil {
		return nil, fmt.Errorf("field %s: the name %q is taken by the key %s; names in a record are unique", c.path, c.name, s.key.path)
	}
	if len(s.columns) > most {
		return nil, fmt.Errorf("%v has %d stored fields; a record may have %d", t, len(s.columns), most)
	}
	always := false
	s.direct = true
	for _, c := range s.columns {
		s.direct = s.direct && c.codec.Direct()
		if c.codec.Optional() {
			s.optional = true
		} else {
			always = true
		}
	}
	if !always {
		return nil, fmt.Errorf("%v has no field that is never absent, so an empty record could not be told from none; add one, such as a time of creation", t)
	}
	var err error
	s.rules, err = newRules(s)
	return s, err
}

// add adds the fields of t, which begins at offset; embedded structs are
// flattened.
func (s *schema) add(t reflect.Type, offset uintptr, within string) error {
	for f := range t.Fields() {
		path := within + f.Name
		if err := misspelt(f.Tag); err != nil {
			return fmt.Errorf("field %s: %w", path, err)
		}
		_, tagged := f.Tag.Lookup("redis")
		if f.Anonymous && !tagged {
			base := f.Type
			if base.Kind() == reflect.Pointer {
				base = base.Elem()
			}
			switch {
			case f.Type.Kind() == reflect.Struct:
				if err := s.add(f.Type, offset+f.Offset, path+"."); err != nil {
					return err
				}
				continue
			case base.Kind() == reflect.Struct && declares(base):
				return fmt.Errorf("field %s: fields of an embedded pointer are not stored; embed %v itself, or tag it `redis:\"-\"`", path, base)
			}
		}
		tag, stored, err := parseTag(f)
		if err == nil && stored {
			err = s.addColumn(f, tag, offset+f.Offset, path)
		}
		if err != nil {
			return fmt.Errorf("field %s: %w", path, err)
		}
	}
	return nil
}

// declares tells whether a struct has fields with a redis tag.
func declares(t reflect.Type) bool {
	for f := range t.Fields() {
		if _, ok := f.Tag.Lookup("redis"); ok || f.Anonymous && f.Type.Kind() == reflect.Struct && declares(f.Type) {
			return true
		}
	}
	return false
}

func (s *schema) addColumn(f reflect.StructField, t tag, offset uintptr, path string) error {
	codec, err := field.Of(f.Type, t.codec...)
	if err != nil {
		return err
	}
	c := &column{name: t.name, path: path, offset: offset, codec: codec, rule: f.Tag.Get("validate")}
	switch {
	case f.Type.Size() == 0: // and two of them may have one address
		return fmt.Errorf("a %v has one value only; there is nothing to store", f.Type)
	case (t.key || t.version) && t.lives:
		return errors.New("keys and versions have no time to live of their own; drop the option ttl")
	case (t.key || t.version) && t.codec != nil:
		return fmt.Errorf("the option %s is not for keys and versions; drop it", strings.Join(t.codec, ","))
	case t.key && t.version:
		return errors.New("a key cannot be the version")
	case t.key && s.key != nil:
		return fmt.Errorf("a second key; %s is tagged as the key already", s.key.path)
	case t.key:
		s.key = c // the id is in the Redis key and not stored again
		return nil
	case t.version && s.version != nil:
		return fmt.Errorf("a second version; %s is tagged as the version already", s.version.path)
	case t.version && (f.Type.Kind() != reflect.Int64 || codec.Number() != field.IntNumber):
		return fmt.Errorf("a version is an int64, not %v", f.Type)
	}
	if old := s.byName[t.name]; old != nil {
		return fmt.Errorf("the name %q is taken by %s; names in a record are unique", t.name, old.path)
	}
	if t.version {
		s.version = c
	}
	if c.lives = t.lives; c.lives {
		if !codec.Optional() {
			return fmt.Errorf("the option ttl is for fields that may be absent, as they are when their time is over; make it a pointer or field.Optional of %v", f.Type)
		}
		if t.life > 0 {
			c.life, s.begins = strconv.FormatInt(t.life.Milliseconds(), 10), true
		}
		s.lives = append(s.lives, c)
	}
	c.bounds = boundsOf(c)
	c.lua = luaType(c, t)
	s.byName[t.name] = c
	s.columns = append(s.columns, c)
	return nil
}

// names lists the columns' names.
func (s *schema) names() []string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.name
	}
	return names
}

// absent counts the columns that are absent in the record at p.
func (s *schema) absent(p unsafe.Pointer) (n int) {
	if !s.optional {
		return 0
	}
	for _, c := range s.columns {
		if c.codec.Absent(c.at(p)) {
			n++
		}
	}
	return n
}

// count is the version of the record at p.
func (s *schema) count(p unsafe.Pointer) *int64 { return (*int64)(s.version.at(p)) }

// failed fills in where a text could not be written or read.
func (c *column) failed(key string, err error) error {
	var encode *field.EncodeError
	if errors.As(err, &encode) {
		encode.Key, encode.Field = key, c.name
	}
	var decode *field.DecodeError
	if errors.As(err, &decode) {
		decode.Key, decode.Field = key, c.name
	}
	return err
}
