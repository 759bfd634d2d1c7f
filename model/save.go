package model

import (
	"context"
	"fmt"
	"math"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
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
	m, p := r.bound(), unsafe.Pointer(&record)
	m.schema.defaults(p)
	switch {
	case m.newID != nil && isZero(m.id(p)):
		*m.id(p) = m.newID()
	case m.counter != "" && isZero(m.id(p)):
		return r.createCounted(ctx, record)
	}
	if m.hooks.aroundSave() {
		return r.hooked(ctx, record, r.create)
	}
	return r.create(ctx, record)
}

func (r Repo[T, K]) create(ctx context.Context, record T) *pipectx.Ref[T] {
	m, p := r.model, unsafe.Pointer(&record)
	if m.schema.version != nil {
		*m.schema.count(p) = 1
	}
	c := r.script(m.scripts.create, *m.id(p))
	m.schema.addRecord(c, p, m.schema.sound(c, p), m.verbs.keyOf)
	return pipectx.SendInto(ctx, r.db, c, record, m.verbs.created)
}

// sound validates the record at p, which c is to write, and returns its extra
// fields.
func (s *schema) sound(c *pipectx.Command, p unsafe.Pointer) map[string]string {
	extras, err := s.checked(p)
	if err != nil {
		c.Fail(err)
	}
	return extras
}

// addRecord adds name and text of each field of the record at p that is not absent,
// and of the extra ones. keyOf is for messages.
func (s *schema) addRecord(c *pipectx.Command, p unsafe.Pointer, extras map[string]string, keyOf func(unsafe.Pointer) string) {
	for _, col := range s.columns {
		at := col.at(p)
		if col.absent(at) {
			continue
		}
		c.Fixed(&col.name)
		tail, err := col.codec.Append(c.Tail(), at)
		if err != nil {
			err = fmt.Errorf("model: %w", col.failed(keyOf(p), err))
		}
		c.Append(tail, err)
	}
	for name, text := range extras {
		c.Word(name)
		c.Word(text)
	}
}

func isZero[K any](id *K) bool {
	var zero K
	return any(*id) == any(zero)
}

func (s *schema) created(r pipectx.Reply, p unsafe.Pointer) error {
	if tells(r) {
		return s.told(r, p)
	}
	n, err := r.Int()
	if err == nil && n == 0 {
		err = fmt.Errorf("model: create %s: %w", r.Key(), ErrExists)
	}
	return err
}

// Save stores a whole record, whether or not there is one. Fields that are
// absent are removed; hash fields that the struct does not declare stay, also when
// they are no longer in its extra map, and so does the record's time to live, unless
// the model has one. The Ref answers the record with its new version; its pointers,
// slices and maps are the caller's, unless there is a BeforeSave.
//
// With a version field Save refuses to overwrite what somebody else changed
// since the record was loaded: *[ConflictError]. A version of 0 expects that
// there is no record, or one without a version; the stored version is one higher
// afterwards.
//
// A field tagged ttl that has ended since the record was loaded is stored again, and
// without a time to live: Edit, or Update what is to change, of records with such.
//
// Errors: *[ValidationError], *field.EncodeError and keyspace.ErrEmptyID before
// anything is sent; *[ConflictError]; [pipectx.ErrUnsupported] for a field tagged
// ttl=30m on servers before Redis 7.4 and Valkey 9.
//
// Cost: HSET, or EVALSHA, at first EVAL, if a field is absent or was renamed, the
// record has a version, the model or a field a time to live, or the model a Lua hook
// of saves; 1 command; 1 round
// trip outside Run, none of its own inside.
func (r Repo[T, K]) Save(ctx context.Context, record T) *pipectx.Ref[T] {
	m := r.bound()
	switch {
	case m.direct && r.fence == nil:
		// It is tempting to have one way for all. But the others call what may
		// keep a pointer to the record, so there it moves to the heap, and here
		// it need not.
		p := unsafe.Pointer(&record)
		c := r.command("HSET", *m.id(p))
		r.addDirect(c, p)
		return pipectx.SendInto(ctx, r.db, c, record, m.verbs.written)
	case m.hooks.aroundSave():
		return r.hooked(ctx, record, r.save)
	}
	return r.save(ctx, record)
}

// save is Save for every schema and record.
func (r Repo[T, K]) save(ctx context.Context, record T) *pipectx.Ref[T] {
	m, s, p := r.model, r.model.schema, unsafe.Pointer(&record)
	absent := s.absent(p)
	if r.fence == nil && absent == 0 && s.version == nil && m.ttl == "" && s.lives == nil && !s.renamed && !m.luaHooks.saves() {
		c := r.command("HSET", *m.id(p))
		s.addRecord(c, p, s.sound(c, p), m.verbs.keyOf)
		return pipectx.SendInto(ctx, r.db, c, record, m.verbs.written)
	}
	c := r.script(m.scripts.save, *m.id(p))
	s.addWhole(c, p, absent, m.verbs.keyOf)
	return pipectx.SendInto(ctx, r.db, c, record, m.verbs.saved)
}

// addWhole adds the words of save.lua, and counts the version up.
func (s *schema) addWhole(c *pipectx.Command, p unsafe.Pointer, absent int, keyOf func(unsafe.Pointer) string) {
	extras := s.sound(c, p)
	if s.version != nil {
		version := s.count(p)
		c.Int(*version)
		if *version < 0 || *version == math.MaxInt64 {
			c.Fail(fmt.Errorf("model: save: %d is no version of a stored record; use the one it was loaded with, or 0", *version))
		}
		*version++
	} else {
		c.Word("")
	}
	c.Int(int64(len(s.columns) - absent + len(extras)))
	s.addRecord(c, p, extras, keyOf)
	if absent > 0 {
		for _, col := range s.columns {
			if col.absent(col.at(p)) {
				c.Word(col.name)
			}
		}
	}
}

// saved reads the reply of save.lua: 1, or what hooks changed of the record at p, or
// the version that is in the way.
func (s *schema) saved(r pipectx.Reply, p unsafe.Pointer) error {
	switch {
	case r.IsInt():
		return nil
	case tells(r):
		return s.told(r, p)
	}
	stored, err := r.Text()
	if err != nil {
		return err
	}
	return &ConflictError{Key: r.Key(), Fields: []string{s.version.name}, Stored: stored, Missing: stored == ""}
}
