package model

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
// fn changed are written: of a field tagged extra also what fn removed from the map. When another text is stored by then, all of it is done
// again after a pause that grows, with the record as it is now. So fn may be called
// up to 32 times: it must change nothing but the record it is given, and leave its
// id and version alone. When fn returns an error, that is the answer and nothing is
// written. When it changes nothing, nothing is written either, and no hook is
// called. The whole record must be valid; a version is counted up.
//
// Edit needs to see the record before it writes: inside a Run it reads in the first
// wave and writes in the next, fn is called between them, and commands behind it in
// the same wave see the record as it was. So its Ref is resolved when the outermost
// Run ends, and Await, in a Gather too, does not get it sooner: [pipectx.Detach] its
// context for that. Several Edits of one record in one Run are in each other's way,
// and each wave stores one of them: make the changes in one fn. Inside an Atomic it is
// refused: call it outside, or change fields by Update, or by a Lua method.
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
	id = m.own(id)
	e := &edition{
		db: r.db, schema: m.schema, hooks: m.hooks,
		load:  func() *pipectx.Command { return r.getCommand(id) },
		write: func() *pipectx.Command { return r.script(m.scripts.edit, id) },
		new: func() unsafe.Pointer {
			record := new(T)
			*m.id(unsafe.Pointer(record)) = m.own(id) // fn may change it
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
	loaded contents  // what is stored, in the order of schema.asked
	lost   time.Time // when somebody was seen to be faster
}

// contents are the texts of a record: those of its columns, and what its struct
// does not declare, if the record has a field for that.
type contents struct {
	texts  []text
	others map[string]string
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
	ref := pipectx.Send(ctx, e.db, e.load(), func(r pipectx.Reply) (contents, error) {
		if err := e.schema.load(r, p, e.hooks); err != nil {
			return contents{}, err
		}
		return e.schema.stored(r)
	})
	return pipectx.Then(ctx, ref, func(loaded contents, err error) error {
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

// stored reads the reply to a load as texts.
func (s *schema) stored(r pipectx.Reply) (c contents, err error) {
	if s.extra == nil {
		c.texts, err = textsOf(r)
		return c, err
	}
	if c.others, err = pairs(r); err != nil {
		return c, err
	}
	c.texts = make([]text, len(s.asked))
	for i, name := range s.asked {
		c.texts[i].is, c.texts[i].there = c.others[name]
		delete(c.others, name)
	}
	return c, nil
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
	was, _ := e.schema.contents(e.key, p) // what has no text, as an enum that is not stored, fn has to set
	version := e.schema.versionAt(p)
	e.calls++
	if err := e.fn(p); err != nil {
		return e.fail(err)
	}
	now, err := e.changed(p, version)
	switch {
	case err != nil:
		return e.fail(err)
	case slices.Equal(was.texts, now.texts) && maps.Equal(was.others, now.others):
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

// changed are the contents of the record at p, which must still be the one that was
// loaded.
func (e *edition) changed(p unsafe.Pointer, version int64) (contents, error) {
	if key, err := e.keyOf(p); err != nil || key != e.key {
		return contents{}, fmt.Errorf("model: edit %s: its id was changed; a record's id never changes: Create another record, and Delete this one", e.key)
	}
	switch now := e.schema.versionAt(p); {
	case now != version:
		return contents{}, fmt.Errorf("model: edit %s: its version was changed from %d to %d; every change counts it up by itself", e.key, version, now)
	case now < 0 || now == math.MaxInt64:
		return contents{}, fmt.Errorf("model: edit %s: %d is no version of a stored record", e.key, now)
	}
	return e.schema.contents(e.key, p)
}

// versionAt is the version of the record at p, 0 if it has none.
func (s *schema) versionAt(p unsafe.Pointer) int64 {
	if s.version == nil {
		return 0
	}
	return *s.count(p)
}

// contents are what Save would store of the record at p; with an error, of what it
// could store.
func (s *schema) contents(key string, p unsafe.Pointer) (contents, error) {
	texts, err := s.textsOf(key, p)
	others, wrong := s.extras(p)
	if err == nil && wrong != nil {
		err = fmt.Errorf("model: %w", wrong)
	}
	return contents{texts, maps.Clone(others)}, err
}

// textsOf are the texts of the columns of the record at p.
func (s *schema) textsOf(key string, p unsafe.Pointer) (_ []text, wrong error) {
	texts, ends := make([]text, len(s.columns)), make([]int, len(s.columns))
	var all []byte
	for i, c := range s.columns {
		if texts[i].there = !c.absent(c.at(p)); texts[i].there {
			longer, err := c.codec.Append(all, c.at(p))
			if err == nil {
				all = longer
			} else if texts[i].there = false; wrong == nil {
				wrong = fmt.Errorf("model: %w", c.failed(key, err))
			}
		}
		ends[i] = len(all)
	}
	whole, from := string(all), 0
	for i, end := range ends {
		texts[i].is, from = whole[from:end], end
	}
	return texts, wrong
}

// store sends the script that compares and writes. It is tempting to compare only
// what fn has read, but nobody knows that.
func (e *edition) store(ctx context.Context, p unsafe.Pointer, was, now contents) error {
	s := e.schema
	if s.version != nil {
		*s.count(p)++
		now.texts[slices.Index(s.columns, s.version)] = text{strconv.FormatInt(*s.count(p), 10), true}
	}
	names, loaded := s.compared(e.loaded, now)
	if len(names) > 3*most { // which Lua could not hand to one command
		return e.fail(fmt.Errorf("model: edit %s: with what %v does not declare it has more fields than the %d that a record may have; write them by Hash, or remove some", e.key, s.typ, most))
	}
	c := e.write()
	addCompared(c, names, loaded)
	s.addChanged(c, was, now)
	ref := pipectx.Send(ctx, e.db, c, func(r pipectx.Reply) ([]text, error) {
		switch {
		case r.IsInt():
			return nil, nil
		case tells(r):
			return nil, s.told(r, p)
		}
		e.lost = time.Now()
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
			return e.fail(e.conflict(names, loaded, stored))
		}
		if err := rest(ctx, e.lost, e.calls); err != nil {
			return e.fail(fmt.Errorf("model: edit %s: %w: %w", e.key, pipectx.ErrNotSent, err))
		}
		return e.begin(ctx)
	})
}

// compared are the fields that must be as they were loaded, and what they were:
// those of the struct under all their names, and the others that were loaded or are
// to be written.
func (s *schema) compared(loaded, now contents) ([]string, []text) {
	names, texts := s.asked, loaded.texts
	if s.extra == nil {
		return names, texts
	}
	all := maps.Clone(loaded.others)
	maps.Copy(all, now.others)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		is, there := loaded.others[name]
		names, texts = append(slices.Clip(names), name), append(slices.Clip(texts), text{is, there})
	}
	return names, texts
}

// addCompared adds the first words of edit.lua.
func addCompared(c *pipectx.Command, names []string, loaded []text) {
	c.Int(int64(len(names)))
	addWords(c, names)
	there := make([]byte, len(loaded))
	for i, t := range loaded {
		there[i] = '0'
		if t.there {
			there[i] = '1'
		}
	}
	c.Word(string(there))
	for _, t := range loaded {
		c.Word(t.is)
	}
}

// addChanged adds the others: what is set, and what is removed.
func (s *schema) addChanged(c *pipectx.Command, was, now contents) {
	var set, gone []string
	for i, col := range s.columns {
		switch t := now.texts[i]; {
		case t.there && t != was.texts[i]:
			set = append(set, col.name, t.is)
		case !t.there && was.texts[i].there:
			gone = append(gone, col.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.others)) {
		if is, there := was.others[name]; !there || is != now.others[name] {
			set = append(set, name, now.others[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was.others)) {
		if _, there := now.others[name]; !there {
			gone = append(gone, name)
		}
	}
	c.Int(int64(len(set) / 2))
	addWords(c, set)
	addWords(c, gone)
}

// conflict is what differs from what was loaded.
func (e *edition) conflict(names []string, loaded, stored []text) error {
	c := &ConflictError{Key: e.key, Missing: true, verb: "edit", calls: e.calls}
	for i, name := range names {
		if stored[i].there {
			c.Missing = false
		}
		if stored[i] == loaded[i] {
			continue
		}
		if col := e.schema.owner[name]; col != nil {
			name = col.name // it may be one that the field had
		}
		if c.Fields == nil {
			c.Stored = stored[i].is
		}
		if !slices.Contains(c.Fields, name) {
			c.Fields = append(c.Fields, name)
		}
	}
	return c
}

// rest waits between one conflict and the next try: long enough for those who
// collided to be spread, by a full jitter. It counts from the time when the reply
// came, because the callbacks of one wave follow each other: of many Edits in one
// Run the longest pause counts, and not the sum.
func rest(ctx context.Context, since time.Time, n int) error {
	pause := rand.N(min(time.Millisecond<<min(n, 16), 64*time.Millisecond))
	timer := time.NewTimer(time.Until(since.Add(pause)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
