package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Edit loads a record, has fn change it in Go, and writes what fn changed, if nobody
// else has changed the record meanwhile. Its Ref answers the record as it is stored
// then.
//
//	ada, err := accounts.Edit(ctx, 42, func(a *Account) error {
//		a.Owner = strings.ToUpper(a.Owner)
//		return nil
//	}).Result()
//
// The whole record is compared, by the texts that were loaded; only the fields that
// fn changed are written. When another text is stored by then, all of it is done
// again after a pause that grows, with the record as it is now. So fn may be called
// up to 32 times: it must change nothing but the record it is given, and leave its
// id and version alone. When fn returns an error, that is the answer and nothing is
// written. When it changes nothing, nothing is written either, and no hook is
// called. The whole record must be valid; a version is counted up.
//
// Edit needs to see the record before it writes: inside a Run it reads in the first
// wave and writes in the next, fn is called between them, and commands behind it in
// the same wave see the record as it was. Inside an Atomic it is refused: call it
// outside, or change fields by Update, or by a Lua method.
//
// Errors: [pipectx.ErrNotFound] when there is no record, which is a failure of a Run
// here; *[ConflictError] when others were faster each time; *[ValidationError] and
// *field.EncodeError.
//
// Cost: HMGET and EVALSHA, at first EVAL; 2 commands; 2 round trips outside Run,
// inside 1 of the first wave and 1 of the next; both again for each time that
// somebody else was faster.
func (r Repo[T, K]) Edit(ctx context.Context, id K, fn func(*T) error) *pipectx.Ref[T] {
	m := r.bound()
	if err := pipectx.OutsideAtomic(ctx, r.db, "model: Edit"); err != nil {
		return pipectx.Failed[T](ctx, r.db, err)
	}
	e := &edition{
		db: r.db, schema: m.schema, hooks: m.hooks,
		load:  func() *pipectx.Command { return r.getCommand(id) },
		write: func() *pipectx.Command { return r.script(editScript, id) },
		new: func() unsafe.Pointer {
			record := new(T)
			*m.id(unsafe.Pointer(record)) = id
			return unsafe.Pointer(record)
		},
		keyOf: func(p unsafe.Pointer) (string, error) { return m.KeyOf(*m.id(p)) },
		fn:    func(p unsafe.Pointer) error { return fn((*T)(p)) },
	}
	return together(ctx, r.db, func(ctx context.Context) (ref *pipectx.Ref[T], err error) {
		if e.key, err = m.KeyOf(id); err != nil {
			return nil, err
		}
		ref, set := pipectx.NewRef[T](ctx)
		e.set = func(p unsafe.Pointer, err error) {
			if err != nil {
				p = unsafe.Pointer(new(T))
			}
			set(*(*T)(p), err)
		}
		return ref, e.begin(ctx)
	})
}

// mostEdits is how often the function of an Edit is called at most. Whoever loses
// so often edits a record that too many want: fields are better changed by Update.
const mostEdits = 32

// An edition is one Edit of a record of any type, in waves:
//
//	begin    HMGET
//	change   fn; what it changed
//	store    EVALSHA model.edit, which compares and writes
//	         ─▶ begin, when another text is stored
type edition struct {
	db     *pipectx.DB
	schema *schema
	hooks  *hooks
	key    string

	load, write func() *pipectx.Command
	new         func() unsafe.Pointer // a record with its id
	keyOf       func(unsafe.Pointer) (string, error)
	fn          func(unsafe.Pointer) error
	set         func(unsafe.Pointer, error) // the answer

	calls  int
	loaded []text // what is stored, in the order of the columns
}

// A text is what is stored of a field, or that nothing is.
type text struct {
	is    string
	there bool
}

func (e *edition) fail(err error) error {
	e.set(nil, err)
	return nil // the Ref says it: the waves of others go on
}

func (e *edition) begin(ctx context.Context) error {
	p := e.new()
	ref := pipectx.Send(ctx, e.db, e.load(), func(r pipectx.Reply) ([]text, error) {
		if err := e.schema.load(r, p, e.hooks); err != nil {
			return nil, err
		}
		return textsOf(r)
	})
	return pipectx.Then(ctx, ref, func(loaded []text, err error) error {
		if errors.Is(err, pipectx.ErrNotFound) {
			err = fmt.Errorf("model: edit %s: %w; Edit changes records that exist, Create, Save and Upsert make them", e.key, pipectx.ErrNotFound)
		}
		if err != nil {
			return e.fail(err)
		}
		e.loaded = loaded
		return e.change(ctx, p)
	})
}

// textsOf reads the reply to HMGET as texts.
func textsOf(r pipectx.Reply) ([]text, error) {
	items, err := r.Items()
	if err != nil {
		return nil, err
	}
	texts := make([]text, 0, items.Len())
	for items.Next() {
		t := text{there: !items.Reply().IsNil()}
		if t.there {
			if t.is, err = items.Reply().Text(); err != nil {
				return nil, err
			}
		}
		texts = append(texts, t)
	}
	return texts, nil
}

// change has fn change the record at p, and sends what it changed.
func (e *edition) change(ctx context.Context, p unsafe.Pointer) error {
	was, err := e.schema.textsOf(e.key, p)
	if err != nil {
		return e.fail(err)
	}
	version := e.schema.versionAt(p)
	e.calls++
	if err := e.fn(p); err != nil {
		return e.fail(err)
	}
	now, err := e.changed(p, version)
	switch {
	case err != nil:
		return e.fail(err)
	case slices.Equal(was, now):
		e.set(p, nil)
		return nil
	}
	if e.hooks.beforeSave {
		if err = e.hooks.before(ctx, e.key, p); err == nil {
			now, err = e.changed(p, version)
		}
	}
	if err == nil {
		err = e.schema.rules.check(p)
	}
	if err != nil {
		return e.fail(err)
	}
	return e.store(ctx, p, was, now)
}

// changed is the texts of the record at p, which must still be the one that was
// loaded.
func (e *edition) changed(p unsafe.Pointer, version int64) ([]text, error) {
	if key, err := e.keyOf(p); err != nil || key != e.key {
		return nil, fmt.Errorf("model: edit %s: its id was changed; a record's id never changes: Create another record, and Delete this one", e.key)
	}
	switch now := e.schema.versionAt(p); {
	case now != version:
		return nil, fmt.Errorf("model: edit %s: its version was changed from %d to %d; every change counts it up by itself", e.key, version, now)
	case now < 0 || now == math.MaxInt64:
		return nil, fmt.Errorf("model: edit %s: %d is no version of a stored record", e.key, now)
	}
	return e.schema.textsOf(e.key, p)
}

// versionAt is the version of the record at p, 0 if it has none.
func (s *schema) versionAt(p unsafe.Pointer) int64 {
	if s.version == nil {
		return 0
	}
	return *s.count(p)
}

// textsOf is what Save would store of the record at p.
func (s *schema) textsOf(key string, p unsafe.Pointer) ([]text, error) {
	texts, ends := make([]text, len(s.columns)), make([]int, len(s.columns))
	var all []byte
	for i, c := range s.columns {
		if texts[i].there = !c.codec.Absent(c.at(p)); texts[i].there {
			var err error
			if all, err = c.codec.Append(all, c.at(p)); err != nil {
				return nil, fmt.Errorf("model: %w", c.failed(key, err))
			}
		}
		ends[i] = len(all)
	}
	whole, from := string(all), 0
	for i, end := range ends {
		texts[i].is, from = whole[from:end], end
	}
	return texts, nil
}

// store sends the script that compares and writes. It is tempting to compare only
// what fn has read, but nobody knows that.
func (e *edition) store(ctx context.Context, p unsafe.Pointer, was, now []text) error {
	s := e.schema
	if s.version != nil {
		*s.count(p)++
		now[slices.Index(s.columns, s.version)] = text{strconv.FormatInt(*s.count(p), 10), true}
	}
	c := e.write()
	s.addEdit(c, e.loaded, was, now)
	ref := pipectx.Send(ctx, e.db, c, func(r pipectx.Reply) ([]text, error) {
		if r.IsInt() {
			return nil, nil
		}
		return textsOf(r)
	})
	return pipectx.Then(ctx, ref, func(stored []text, err error) error {
		switch {
		case err != nil:
			return e.fail(err)
		case stored == nil:
			e.set(p, nil)
			return e.hooks.saved(ctx, e.key, p)
		case e.calls == mostEdits:
			return e.fail(e.conflict(stored))
		}
		if err := rest(ctx, e.calls); err != nil {
			return e.fail(fmt.Errorf("model: edit %s: %w: %w", e.key, pipectx.ErrNotSent, err))
		}
		return e.begin(ctx)
	})
}

// addEdit adds the words of edit.lua.
func (s *schema) addEdit(c *pipectx.Command, loaded, was, now []text) {
	c.Int(int64(len(s.columns)))
	addNames(c, s.columns)
	there, set := make([]byte, len(loaded)), int64(0)
	for i := range loaded {
		there[i] = '0'
		if loaded[i].there {
			there[i] = '1'
		}
		if now[i].there && now[i] != was[i] {
			set++
		}
	}
	c.Word(string(there))
	for _, t := range loaded {
		c.Word(t.is)
	}
	c.Int(set)
	for i, col := range s.columns {
		if now[i].there && now[i] != was[i] {
			c.Word(col.name)
			c.Word(now[i].is)
		}
	}
	for i, col := range s.columns {
		if !now[i].there && was[i].there {
			c.Word(col.name)
		}
	}
}

// conflict is what differs from what was loaded.
func (e *edition) conflict(stored []text) error {
	c := &ConflictError{Key: e.key, Missing: true, verb: "edit", calls: e.calls}
	for i, col := range e.schema.columns {
		if stored[i].there {
			c.Missing = false
		}
		if stored[i] != e.loaded[i] {
			if c.Fields == nil {
				c.Stored = stored[i].is
			}
			c.Fields = append(c.Fields, col.name)
		}
	}
	return c
}

// rest waits between one conflict and the next try: long enough for those who
// collided to be spread, by a full jitter.
func rest(ctx context.Context, n int) error {
	timer := time.NewTimer(rand.N(min(time.Millisecond<<min(n, 16), 64*time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
