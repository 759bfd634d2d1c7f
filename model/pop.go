package model

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Pop reads a field and clears it, in one step: of many who pop a value one gets it.
// Its Ref answers what the field held, absent if it was. The field's type must have
// that state, a pointer or field.Optional.
//
//	token, err := model.Pop(ctx, accounts, 42, Token).Result() // a *string
//
// There must be a record: else [pipectx.ErrNotFound], which is a failure of a Run
// here. A version is counted up when the field had a value, and a model's time to
// live begins again then. A text that the field's type cannot hold is answered as a
// *field.DecodeError, and stays where it is: so fields of other types than string
// and []byte are read first, and cleared if they still hold what was read. Those are
// refused inside an Atomic, and inside a Run their Ref is resolved when the outermost
// Run ends, for Await too.
//
// Cost: EVALSHA, at first EVAL; for strings and []byte 1 command, 1 round trip
// outside Run, none of its own inside; for others 2 commands, 2 round trips outside
// Run, inside 1 of the first wave and 1 of the next, and 1 more for each time that
// somebody else has changed the field meanwhile.
func Pop[T, K, V any](ctx context.Context, repo Repo[T, K], id K, field Field[T, V]) *pipectx.Ref[V] {
	col, m := field.of(nil), repo.bound()
	if err := field.Clear().err; err != nil {
		return pipectx.Failed[V](ctx, repo.db, fmt.Errorf("model: Pop: %w", err))
	}
	key, err := m.KeyOf(id)
	if err != nil {
		return pipectx.Failed[V](ctx, repo.db, err)
	}
	p := &popping[T, K, V]{repo: repo, id: m.own(id), key: key, col: col}
	if col.codec.Total() {
		return pipectx.Map(p.send(ctx, "any", ""), func(got popped[V]) (V, error) { return got.value, nil })
	}
	if err := pipectx.OutsideAtomic(ctx, repo.db, "model: Pop of a "+col.codec.Name()); err != nil {
		return pipectx.Failed[V](ctx, repo.db, err)
	}
	return together(ctx, repo.db, func(ctx context.Context) (ref *pipectx.Ref[V], err error) {
		ref, p.set = pipectx.NewRef[V](ctx)
		return ref, p.try(ctx, "none", "")
	})
}

// A popping is one Pop.
type popping[T, K, V any] struct {
	repo  Repo[T, K]
	id    K
	key   string
	col   *column
	set   func(V, error)
	tries int
}

// popped is what pop.lua answers.
type popped[V any] struct {
	value V
	text  string
	done  bool // it was removed, or is absent
}

// send calls the script; when and text are its last words.
func (p *popping[T, K, V]) send(ctx context.Context, when, text string) *pipectx.Ref[popped[V]] {
	c := p.repo.script(p.repo.model.scripts.pop, p.id)
	c.Word(p.col.name)
	c.Word(when)
	c.Word(text)
	return pipectx.Send(ctx, p.repo.db, c, p.read)
}

func (p *popping[T, K, V]) read(r pipectx.Reply) (got popped[V], err error) {
	if r.IsInt() {
		return got, fmt.Errorf("model: pop %s: %w; Pop clears fields of records that exist", p.key, pipectx.ErrNotFound)
	}
	items, err := r.Items()
	switch {
	case err != nil:
		return got, err
	case items.Len() == 0:
		got.done = true
		return got, nil
	case items.Len() == 3:
		return got, refusedSum("pop", r)
	}
	items.Next()
	if got.text, err = items.Reply().Text(); err != nil {
		return got, err
	}
	items.Next()
	if got.done, err = items.Reply().Bool(); err != nil {
		return got, err
	}
	if err := p.col.codec.Parse([]byte(got.text), unsafe.Pointer(&got.value)); err != nil {
		return got, fmt.Errorf("model: pop: %w", p.col.failed(p.key, err))
	}
	return got, nil
}

// try sends the script again, with what it found, until nobody has changed that.
func (p *popping[T, K, V]) try(ctx context.Context, when, text string) error {
	return pipectx.Then(ctx, p.send(ctx, when, text), func(got popped[V], err error) error {
		switch p.tries++; {
		case err != nil || got.done:
			p.set(got.value, err)
		case p.tries > mostEdits:
			p.set(*new(V), &ConflictError{Key: p.key, Fields: []string{p.col.name}, Stored: got.text, verb: "pop", calls: p.tries})
		default:
			return p.try(ctx, "this", got.text)
		}
		return nil
	})
}
