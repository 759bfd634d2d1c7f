package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
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
	e := &edition[T, K]{repo: r, id: id, fn: fn}
	return together(ctx, r.db, func(ctx context.Context) (ref *pipectx.Ref[T], err error) {
		if e.key, err = m.KeyOf(id); err != nil {
			return nil, err
		}
		ref, e.set = pipectx.NewRef[T](ctx)
		return ref, e.load(ctx)
	})
}

// mostEdits is how often the function of an Edit is called at most. Whoever loses
// so often edits a record that too many want: fields are better changed by Update.
const mostEdits = 32

// An edition is one Edit, in waves:
//
//	load     HMGET
//	change   fn; what it changed
//	store    EVALSHA model.edit, which compares and writes
//	         ─▶ load, when another text is stored
type edition[T, K any] struct {
	repo  Repo[T, K]
	id    K
	key   string
	fn    func(*T) error
	set   func(T, error)
	calls int
}

// A loaded record, and what is stored of it.
type loaded[T any] struct {
	record T
	texts  []text // as stored, in the order of the columns
}

// A text is what is stored of a field, or that nothing is.
type text struct {
	is    string
	there bool
}

func (e *edition[T, K]) fail(err error) error {
	var none T
	e.set(none, err)
	return nil // the Ref says it: the waves of others go on
}

func (e *edition[T, K]) load(ctx context.Context) error {
	m := e.repo.model
	var before loaded[T]
	*m.id(unsafe.Pointer(&before.record)) = e.id
	ref := pipectx.SendInto(ctx, e.repo.db, e.repo.getCommand(e.id), before, func(r pipectx.Reply, before *loaded[T]) (err error) {
		if err = m.verbs.load(r, &before.record); err == nil {
			before.texts, err = textsOf(r)
		}
		return err
	})
	return pipectx.Then(ctx, ref, func(before loaded[T], err error) error {
		if errors.Is(err, pipectx.ErrNotFound) {
			err = fmt.Errorf("model: edit %s: %w; Edit changes records that exist, Create, Save and Upsert make them", e.key, pipectx.ErrNotFound)
		}
		if err != nil {
			return e.fail(err)
		}
		return e.change(ctx, before)
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

// change has fn change the record, and sends what it changed.
func (e *edition[T, K]) change(ctx context.Context, before loaded[T]) error {
	m := e.repo.model
	record := before.record
	was, err := m.textsOf(&record)
	if err != nil {
		return e.fail(err)
	}
	e.calls++
	if err := e.fn(&record); err != nil {
		return e.fail(err)
	}
	now, err := e.edited(&record, before)
	if err != nil {
		return e.fail(err)
	}
	if same(was, now) {
		e.set(record, nil)
		return nil
	}
	if m.hooks.beforeSave {
		if err := m.hooks.before(ctx, e.key, &record); err != nil {
			return e.fail(err)
		}
		if now, err = e.edited(&record, before); err != nil {
			return e.fail(err)
		}
	}
	if err := m.schema.rules.check(unsafe.Pointer(&record)); err != nil {
		return e.fail(err)
	}
	return e.store(ctx, before, record, was, now)
}

// edited is the texts of the record, which must still be the one that was loaded.
func (e *edition[T, K]) edited(record *T, before loaded[T]) ([]text, error) {
	m := e.repo.model
	if key, err := m.keyOf(record); err != nil || key != e.key {
		return nil, fmt.Errorf("model: edit %s: its id was changed; a record's id never changes: Create another record, and Delete this one", e.key)
	}
	if m.schema.version != nil {
		old := *m.schema.count(unsafe.Pointer(&before.record))
		switch now := *m.schema.count(unsafe.Pointer(record)); {
		case now != old:
			return nil, fmt.Errorf("model: edit %s: its version was changed from %d to %d; every change counts it up by itself", e.key, old, now)
		case now < 0 || now == math.MaxInt64:
			return nil, fmt.Errorf("model: edit %s: %d is no version of a stored record", e.key, now)
		}
	}
	return m.textsOf(record)
}

// textsOf is what Save would store of a record.
func (m *Model[T, K]) textsOf(record *T) ([]text, error) {
	columns := m.schema.columns
	texts := make([]text, len(columns))
	var all []byte
	ends := make([]int, len(columns))
	for i, c := range columns {
		at := c.at(unsafe.Pointer(record))
		if texts[i].there = !c.codec.Absent(at); texts[i].there {
			var err error
			if all, err = c.codec.Append(all, at); err != nil {
				key, _ := m.keyOf(record)
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

func same(a, b []text) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// store sends the script that compares and writes. It is tempting to compare only
// what fn has read, but nobody knows that.
func (e *edition[T, K]) store(ctx context.Context, before loaded[T], record T, was, now []text) error {
	s := e.repo.model.schema
	c := e.repo.script(editScript, e.id)
	c.Int(int64(len(s.columns)))
	there := make([]byte, len(s.columns))
	for i, col := range s.columns {
		c.Word(col.name)
		there[i] = '0'
		if before.texts[i].there {
			there[i] = '1'
		}
	}
	c.Word(string(there))
	for _, t := range before.texts {
		c.Word(t.is)
	}
	if s.version != nil {
		*s.count(unsafe.Pointer(&record))++
		for i, col := range s.columns {
			if col == s.version {
				now[i] = text{fmt.Sprint(*s.count(unsafe.Pointer(&record))), true}
			}
		}
	}
	set := 0
	for i := range now {
		if now[i].there && now[i] != was[i] {
			set++
		}
	}
	c.Int(int64(set))
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
	ref := pipectx.Send(ctx, e.repo.db, c, func(r pipectx.Reply) ([]text, error) {
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
			e.set(record, nil)
			return e.repo.model.hooks.saved(ctx, e.key, record)
		case e.calls == mostEdits:
			return e.fail(e.conflict(before.texts, stored))
		}
		if err := rest(ctx, e.calls); err != nil {
			return e.fail(fmt.Errorf("model: edit %s: %w: %w", e.key, pipectx.ErrNotSent, err))
		}
		return e.load(ctx)
	})
}

// conflict is what differs from what was loaded.
func (e *edition[T, K]) conflict(was, stored []text) error {
	c := &ConflictError{Key: e.key, Missing: true, verb: "edit", calls: e.calls}
	for i, col := range e.repo.model.schema.columns {
		if stored[i].there {
			c.Missing = false
		}
		if stored[i] != was[i] {
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
