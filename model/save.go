package model

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

//go:embed create.lua
var createLua string

//go:embed save.lua
var saveLua string

var (
	createScript = pipectx.NewScript(createLua)
	saveScript   = pipectx.NewScript(saveLua)
)

// Create stores a record that must not exist yet. Its Ref answers the record
// with what Create gave it: the defaults of fields that are zero or absent, a new
// id if the record's is zero and ids are uuid.UUID (version 7) or drawn from the
// model's [Counter], and the version 1 if it has a version field. The caller's own
// record does not change.
//
// Errors: *[ValidationError], *field.EncodeError and keyspace.ErrEmptyID before
// anything is sent; [ErrExists], also of a number that was drawn and is taken.
//
// Cost: EVALSHA, at first EVAL; 1 command; 1 round trip outside Run, none of its
// own inside. INCR in front of it where the id is drawn: 2 commands; 2 round trips,
// inside Run 1 of its own, as callbacks cost, and refused inside Atomic.
func (r Repo[T, K]) Create(ctx context.Context, record T) *pipectx.Ref[T] {
	m, p := r.model, unsafe.Pointer(&record)
	if m.schema.version != nil {
		*m.schema.count(p) = 1
	}
	m.schema.defaults(p)
	if (m.newID != nil || m.counter != "") && isZero(m.id(p)) {
		if m.newID == nil {
			return r.createCounted(ctx, record)
		}
		*m.id(p) = m.newID()
	}
	c := r.script(createScript, *m.id(p))
	extras, err := m.schema.checked(p)
	if err != nil {
		c.Fail(err)
	}
	r.addFields(c, p, extras)
	return pipectx.SendInto(ctx, r.db, c, record, m.verbs.created)
}

func isZero[K any](id *K) bool {
	var zero K
	return any(*id) == any(zero)
}

func (s *schema) created(r pipectx.Reply) error {
	n, err := r.Int()
	if err == nil && n == 0 {
		err = fmt.Errorf("model: create %s: %w", r.Key(), ErrExists)
	}
	return err
}

// Save stores a whole record, whether or not there is one. Fields that are
// absent are removed; hash fields that the struct does not declare stay, also when
// they are no longer in its extra map, and so does the record's time to live, unless
// the model has one. The Ref answers the
// record with its new version; its pointers, slices and maps are the caller's.
//
// With a version field Save refuses to overwrite what somebody else changed
// since the record was loaded: *[ConflictError]. A version of 0 expects that
// there is no record, or one without a version; the stored version is one higher
// afterwards.
//
// Errors: *[ValidationError], *field.EncodeError and keyspace.ErrEmptyID before
// anything is sent; *[ConflictError].
//
// Cost: HSET, or EVALSHA, at first EVAL, if a field is absent or was renamed, the
// record has a version, or the model a time to live; 1 command; 1 round trip outside Run, none
// of its own inside.
func (r Repo[T, K]) Save(ctx context.Context, record T) *pipectx.Ref[T] {
	m, s, p := r.model, r.model.schema, unsafe.Pointer(&record)
	absent := s.absent(p)
	extras, err := s.checked(p)
	if absent == 0 && s.version == nil && !s.renamed && m.ttl == "" {
		c := r.command("HSET", *m.id(p))
		if err != nil {
			c.Fail(err)
		}
		r.addFields(c, p, extras)
		return pipectx.SendInto(ctx, r.db, c, record, m.verbs.written)
	}

	c := r.script(saveScript, *m.id(p))
	if err != nil {
		c.Fail(err)
	}
	if s.version != nil {
		version := s.count(p)
		c.Word(s.version.name)
		c.Int(*version)
		if *version < 0 || *version == math.MaxInt64 {
			c.Fail(fmt.Errorf("model: save: %d is no version of a stored record; use the one it was loaded with, or 0", *version))
		}
		*version++
	} else {
		c.Word("")
		c.Word("")
	}
	c.Int(int64(len(s.columns) - absent + len(extras)))
	r.addFields(c, p, extras)
	if absent > 0 || s.renamed {
		for _, col := range s.columns {
			if col.absent(col.at(p)) {
				c.Word(col.name)
			}
			for _, old := range col.was {
				c.Word(old)
			}
		}
	}
	return pipectx.SendInto(ctx, r.db, c, record, m.verbs.saved)
}

// saved reads the reply of save.lua: 1, or the version that is in the way.
func (s *schema) saved(r pipectx.Reply) error {
	if r.IsInt() {
		return nil
	}
	stored, err := r.Text()
	if err != nil {
		return err
	}
	return &ConflictError{Key: r.Key(), Fields: []string{s.version.name}, Stored: stored, Missing: stored == ""}
}
