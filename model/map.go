package model

import (
	"fmt"
	"unsafe"
)

// Map returns what is stored of a record, texts by the names in the hash: as
// Save writes it, but for the version, which Save counts up. What is absent has
// no entry, nor has the id, which is in the key. The record is validated as Save
// validates it.
//
// Errors: *[ValidationError], *field.EncodeError.
func (m *Model[T, K]) Map(record T) (map[string]string, error) {
	texts, err := m.schema.texts(unsafe.Pointer(&record))
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(texts)/2)
	for i := 0; i < len(texts); i += 2 {
		all[texts[i]] = texts[i+1]
	}
	return all, nil
}

// texts are name and text of each field of the record at p that is stored.
func (s *schema) texts(p unsafe.Pointer) ([]string, error) {
	extras, err := s.checked(p)
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, 2*(len(s.columns)+len(extras)))
	for _, c := range s.columns {
		if c.absent(c.at(p)) {
			continue
		}
		text, err := c.text(c.at(p))
		if err != nil {
			return nil, err
		}
		texts = append(texts, c.name, text)
	}
	for name, text := range extras {
		texts = append(texts, name, text)
	}
	return texts, nil
}

// checked validates the record at p and returns its extra fields.
func (s *schema) checked(p unsafe.Pointer) (extras map[string]string, err error) {
	if err := s.rules.check(p); err != nil {
		return nil, err
	}
	if extras, err = s.extras(p); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return extras, nil
}
