package model

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// A preset is the text of a field's default: of the option default=text. It is
// parsed for each record anew, so that no two share a list or a map.

// defaults gives the fields of a new record at p that are zero, or absent,
// their defaults.
func (s *schema) defaults(p unsafe.Pointer) {
	for _, c := range s.presets {
		if reflect.NewAt(c.codec.Type(), c.at(p)).Elem().IsZero() {
			c.lacking(p, true)
		}
	}
}

// lacking gives a field that is not stored its default; what may be absent is
// absent then, but in a new record. That the text parses was seen at Define.
func (c *column) lacking(p unsafe.Pointer, isNew bool) {
	if c.preset != "" && (isNew || !c.codec.Optional()) {
		_ = c.codec.ParseShared(c.preset, c.at(p))
	}
}

// checkPresets tries each default: it must be a text of its type that keeps the
// field's rules.
func (s *schema) checkPresets() error {
	for _, c := range s.presets {
		if err := s.checkPreset(c); err != nil {
			return fmt.Errorf("field %s, tagged `redis:%q`: the default %q %w; everything behind default= is its text, so that is the last option", c.path, c.tag, c.preset, err)
		}
	}
	return nil
}

func (s *schema) checkPreset(c *column) error {
	if c.omit {
		return errors.New("would come back for a zero, which omitempty does not store; drop one of the two, or make the field a pointer")
	}
	record := reflect.New(s.typ).UnsafePointer()
	if err := c.codec.Parse([]byte(c.preset), c.at(record)); err != nil {
		return fmt.Errorf("does not parse: %w", err)
	}
	if reflect.NewAt(c.codec.Type(), c.at(record)).Elem().IsZero() {
		return errors.New("is what the field is without one; drop it")
	}
	if c.besideOther() != "" {
		return nil // a rule that looks at other fields has none to look at
	}
	if err := s.rules.checkField(record, c); err != nil {
		return fmt.Errorf("breaks a rule: %w", err)
	}
	return nil
}
