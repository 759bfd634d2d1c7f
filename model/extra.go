package model

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// extra is the field for what a stored record has and its struct does not
// declare: a map[string]string tagged `redis:",extra"`, name → text.
type extra struct {
	path   string
	offset uintptr
}

// at is the map in the record at p.
func (e *extra) at(p unsafe.Pointer) *map[string]string {
	return (*map[string]string)(unsafe.Add(p, e.offset))
}

func (s *schema) addExtra(f reflect.StructField, t tag, offset uintptr, path string) error {
	switch {
	case !f.Type.ConvertibleTo(reflect.TypeFor[map[string]string]()):
		return fmt.Errorf("the option extra is for a map[string]string, the stored texts by their names, not for %v", f.Type)
	case t.only("extra") != nil:
		return t.only("extra")
	case t.name != "":
		return fmt.Errorf("the option extra is for the record itself, and this field is inline in %s; move it there", t.name[:len(t.name)-1])
	case s.extra != nil:
		return fmt.Errorf("a second field for what is not declared; %s is one already", s.extra.path)
	}
	s.extra = &extra{path, offset}
	return nil
}

// extras are the fields of the record at p that the struct does not declare.
func (s *schema) extras(p unsafe.Pointer) (map[string]string, error) {
	if s.extra == nil {
		return nil, nil
	}
	all := *s.extra.at(p)
	for name := range all {
		if c := s.owner[name]; c != nil {
			return nil, fmt.Errorf("%v.%s[%q]: the name is that of the field %s; set that one", s.typ, s.extra.path, name, c.path)
		}
	}
	if n := len(s.columns) + len(all); n > most {
		return nil, fmt.Errorf("%v.%s makes %d stored fields; a record may have %d", s.typ, s.extra.path, n, most)
	}
	return all, nil
}

// readAll reads the reply to HGETALL into the record at p, and tells whether any of
// its columns is stored.
func (s *schema) readAll(r pipectx.Reply, p unsafe.Pointer) (found bool, err error) {
	texts, err := pairs(r)
	if err != nil {
		return false, err
	}
	for _, c := range s.columns {
		text, stored := take(texts, c)
		if !stored {
			c.lacking(p, false)
			continue
		}
		found = true
		if err := c.parse(r, text, p); err != nil {
			return false, err
		}
	}
	if len(texts) > 0 {
		*s.extra.at(p) = texts
	}
	return found, nil
}

// pairs reads the reply to HGETALL.
func pairs(r pipectx.Reply) (map[string]string, error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string, items.Len()/2)
	for items.Next() {
		name, err := items.Reply().Bytes()
		if err != nil {
			return nil, err
		}
		if !items.Next() {
			return nil, fmt.Errorf("model: load %s: the reply has a name without a text", r.Key())
		}
		text, err := items.Reply().Bytes()
		if err != nil {
			return nil, err
		}
		texts[shared(name)] = shared(text)
	}
	return texts, nil
}

// take takes the text of a column, under any of its names, out of texts.
func take(texts map[string]string, c *column) (text string, stored bool) {
	text, stored = texts[c.name]
	delete(texts, c.name)
	for _, old := range c.was {
		if before, there := texts[old]; there {
			if !stored {
				text, stored = before, true
			}
			delete(texts, old)
		}
	}
	return text, stored
}
