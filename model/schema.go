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
	owner    map[string]*column // by their names and those they had before
	asked    []string           // all of these, as a load asks for them
	extra    *extra
	presets  []*column // those with a default
	optional bool      // some column may be absent
	renamed  bool      // some column had another name
	lives    []*column // those whose values may have a TTL of their own
	begins   bool      // of some of them a write begins it anew
	direct   bool      // encoding a record keeps no pointer to it: see Save
	rules    *rules
	// hasTables tells whether some column is a table in Lua.
	hasTables bool
}

// A column is one stored field: a struct field and its place in the hash.
type column struct {
	name   string   // in the hash
	was    []string // names that it had before, the latest first
	path   string   // in Go: Owner; Base.Created where Base is embedded
	tag    string   // its `redis` tag, for messages
	offset uintptr
	codec  *field.Erased
	omit   bool   // a zero is absent
	preset string // the text of its default, "" for none
	rule   string // validate tag
	bounds string // of a number, see boundsOf
	lua    string // its type in self.lua, "" if Lua cannot use it
	shape  string // of JSON that Lua may write, see shape.go
	// readOnly is why Lua must not assign it, "" if it may.
	readOnly string
	lives    bool   // its values may have a time to live of their own
	life     string // which a write begins anew, in milliseconds; "" to keep it
}

// at is the column's field in the record at p.
func (c *column) at(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, c.offset) }

// optional tells whether the column may be absent at all.
func (c *column) optional() bool { return c.omit || c.codec.Optional() }

// absent tells whether the value at p is not stored. Of one with the option
// omitempty that is zero, and the list or map without elements, as go-redis
// has it.
func (c *column) absent(p unsafe.Pointer) bool {
	if !c.omit {
		return c.codec.Absent(p)
	}
	v := reflect.NewAt(c.codec.Type(), p).Elem()
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}

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
	if err := s.add(t, 0, "", ""); err != nil {
		return nil, err
	}
	if s.key == nil {
		return nil, fmt.Errorf("%v has no key; tag the field that holds the id: `redis:\"id,key\"`", t)
	}
	if err := s.checkNames(); err != nil {
		return nil, err
	}
	if n := len(s.asked); n > most {
		return nil, fmt.Errorf("%v has %d stored fields, with names they had; a record may have %d", t, n, most)
	}
	always := false
	s.direct = true
	for _, c := range s.columns {
		s.direct = s.direct && c.codec.Direct()
		if c.optional() {
			s.optional = true
		} else {
			always = true
		}
	}
	if !always {
		return nil, fmt.Errorf("%v has no field that is never absent, so an empty record could not be told from none; add one, such as a time of creation", t)
	}
	var err error
	if s.rules, err = newRules(s); err != nil {
		return nil, err
	}
	return s, s.checkPresets()
}

// checkNames finds names that two fields claim, now or as one they had before.
func (s *schema) checkNames() error {
	s.owner = map[string]*column{}
	for _, c := range s.columns {
		if s.key.name == c.name {
			return fmt.Errorf("field %s, tagged `redis:%q`: the name %q is taken by the key %s; names in a record are unique", c.path, c.tag, c.name, s.key.path)
		}
		s.owner[c.name] = c
	}
	for _, c := range s.columns {
		for _, old := range c.was {
			if other := s.owner[old]; other != nil {
				return fmt.Errorf("field %s, tagged `redis:%q`: the name %q that it had is taken by %s; what is stored under it would be read as both", c.path, c.tag, old, other.path)
			}
			s.owner[old], s.renamed = c, true
		}
		s.asked = append(append(s.asked, c.name), c.was...)
	}
	return nil
}

// add adds the fields of t, which begins at offset, with a prefix to their
// names; embedded structs are flattened.
func (s *schema) add(t reflect.Type, offset uintptr, within, prefix string) error {
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
				if err := s.add(f.Type, offset+f.Offset, path+".", prefix); err != nil {
					return err
				}
				continue
			case base.Kind() == reflect.Struct && declares(base):
				return fmt.Errorf("field %s: fields of an embedded pointer are not stored; embed %v itself, or tag it `redis:\"-\"`", path, base)
			}
		}
		tag, stored, err := parseTag(f)
		if err != nil {
			return fmt.Errorf("field %s: %w", path, err) // which names the tag
		}
		tag.name = prefix + tag.name
		switch {
		case !stored:
		case tag.inline:
			if err = tag.checkInline(f.Type); err == nil {
				if err := s.add(f.Type, offset+f.Offset, path+".", tag.name+"."); err != nil {
					return err // it names its field
				}
			}
		case tag.extra:
			err = s.addExtra(f, tag, offset+f.Offset, path)
		default:
			err = s.addColumn(f, tag, offset+f.Offset, path, prefix)
		}
		if err != nil {
			return fmt.Errorf("field %s, tagged `redis:%q`: %w", path, f.Tag.Get("redis"), err)
		}
	}
	return nil
}

// checkInline tells why a struct cannot be inline.
func (t *tag) checkInline(typ reflect.Type) error {
	switch within := base(typ); {
	case within != typ && within.Kind() == reflect.Struct:
		return fmt.Errorf("a %v may be absent, and fields that are inline cannot say so together; store it as JSON, by the option json, or make it a %v", typ, within)
	case typ.Kind() != reflect.Struct || !declares(typ):
		return fmt.Errorf("inline is for structs whose own fields have `redis` tags, and a %v has none; tag them, or drop the option", typ)
	case t.only("inline") != nil:
		return t.only("inline")
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

func (s *schema) addColumn(f reflect.StructField, t tag, offset uintptr, path, prefix string) error {
	codec, err := field.Of(f.Type, t.codec...)
	if err != nil {
		return err
	}
	c := &column{
		name: t.name, was: t.was, path: path, tag: f.Tag.Get("redis"), offset: offset, codec: codec, preset: t.preset, rule: f.Tag.Get("validate"),
		omit: t.omitempty && !codec.Optional(), // what may be nil is absent then, and not when it is zero
	}
	switch {
	case f.Type.Size() == 0: // and two of them may have one address
		return fmt.Errorf("a %v has one value only; there is nothing to store", f.Type)
	case (t.key || t.version) && prefix != "":
		return fmt.Errorf("the key and the version are fields of the record itself, and this one is inline in %s; move it there", strings.TrimSuffix(prefix, "."))
	case t.key && t.version:
		return errors.New("a key cannot be the version")
	case t.key && t.only("key") != nil:
		return t.only("key")
	case t.version && t.only("version") != nil:
		return t.only("version")
	case t.key && s.key != nil:
		return fmt.Errorf("a second key; %s is tagged as the key already", s.key.path)
	case t.key:
		s.key = c // the id is in the Redis key and not stored again
		if c.bounds, err = boundsOf(c); err == nil {
			c.lua = luaType(c, t)
		}
		return err
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
	if t.lives {
		if err := s.addLives(c, t); err != nil {
			return err
		}
	}
	if c.bounds, err = boundsOf(c); err != nil {
		return err
	}
	c.lua = luaType(c, t)
	s.hasTables = s.hasTables || c.isTable()
	s.byName[t.name] = c
	s.columns = append(s.columns, c)
	if c.preset != "" {
		s.presets = append(s.presets, c)
	}
	return nil
}

func (s *schema) addLives(c *column, t tag) error {
	if !c.optional() {
		return fmt.Errorf("the option ttl is for fields that may be absent, as they are when their time is over; make it a pointer or field.Optional of %v, or add omitempty", c.codec.Type())
	}
	if t.life > 0 {
		c.life, s.begins = strconv.FormatInt(t.life.Milliseconds(), 10), true
	}
	c.lives = true
	s.lives = append(s.lives, c)
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
		if c.absent(c.at(p)) {
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
