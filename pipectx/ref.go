package pipectx

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
)

// Ref is a deferred result: pending until its pipeline has been flushed, then
// a value or an error for good. Safe for concurrent use.
type Ref[T any] struct {
	core
	value  T
	decode func(Reply) (T, error)
	into   func(Reply, *T) error // in place of decode: changes value
}

// Resolved returns a Ref that has its value: for a verb that had nothing to send.
func Resolved[T any](value T) *Ref[T] {
	r := &Ref[T]{value: value}
	r.done.Store(true)
	return r
}

// A derivation is what makes a Ref out of others.
type derivation[T any] struct {
	compute func() (T, error) // called once, when the Ref is first read
	ready   func() bool       // whether it can be
	sources iter.Seq[source]
	once    sync.Once
}

// A source is a Ref of any type that another is derived from.
type source interface {
	mark(by deal)
	unmark(by deal)
	comesFrom(ref settler) bool
}

// core is the part of a Ref that does not depend on its type.
type core struct {
	done    atomic.Bool   // set after value and err, read before them
	handled atomic.Uint32 // the deals by which somebody else than Run tells of a failure
	err     error
	rare    *rare
}

// rare is what few Refs have: a million of them cost less without.
type rare struct {
	late    sync.Once // of one that is not a command's: whoever comes first sets it
	unread  *unread   // of an immediate one that failed
	derived any       // a *derivation[T]
}

// derived is what makes r, or nil if a command does.
func (r *Ref[T]) derived() *derivation[T] {
	if r.rare == nil {
		return nil
	}
	d, _ := r.rare.derived.(*derivation[T])
	return d
}

func derive[T any](d *derivation[T]) *Ref[T] {
	return &Ref[T]{core: core{rare: &rare{derived: d}}}
}

// Result returns the value, or the error of the command: [ErrPending] before
// the flush, [ErrDiscarded] when its Run failed, [ErrNotFound] where the verb
// says so, a [*CommandError] when the server or the connection refused it.
func (r *Ref[T]) Result() (T, error) {
	if d := r.derived(); d != nil {
		if !d.ready() {
			var zero T
			return zero, ErrPending
		}
		d.once.Do(func() {
			defer r.done.Store(true)
			r.err = errPanickedDeriving // until compute has returned
			r.value, r.err = d.compute()
		})
	}
	if !r.done.Load() {
		var zero T
		return zero, ErrPending
	}
	if r.rare != nil && r.rare.unread != nil {
		r.rare.unread.seen.Store(true)
	}
	return r.value, r.err
}

var errPanickedDeriving = errors.New("pipectx: the function of a derived Ref panicked")

// Err returns Result's error.
func (r *Ref[T]) Err() error {
	_, err := r.Result()
	return err
}

// Ready tells whether Result has its final answer.
func (r *Ref[T]) Ready() bool {
	if d := r.derived(); d != nil {
		return d.ready()
	}
	return r.done.Load()
}

// String shows the value, "pending", or the error. It never fails.
func (r *Ref[T]) String() string {
	value, err := r.Result()
	switch {
	case err == ErrPending:
		return "pending"
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(value)
}

// MarshalJSON writes the value as JSON; a Ref with an error cannot be written.
func (r *Ref[T]) MarshalJSON() ([]byte, error) {
	value, err := r.Result()
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// settler is a Ref of any type, as the flush sees it.
type settler interface {
	settle(reply Reply)
	fail(err error)
	outcome() *core
}

// answer is a Ref of any type, as a callback sees it.
type answer interface {
	then(fn any) error // calls fn, a func(T, error) error, with the result
}

func (r *Ref[T]) settle(reply Reply) {
	switch {
	case r.into != nil:
		r.err = r.into(reply, &r.value)
	case r.decode != nil:
		r.value, r.err = r.decode(reply)
	default: // of Do: a func value of a generic function would cost an allocation a call
		r.err = decodeAny(reply, &r.value)
	}
	if r.err != nil {
		r.fail(r.err)
		return
	}
	r.done.Store(true)
}

func (r *Ref[T]) fail(err error) {
	var zero T
	r.value, r.err = zero, err
	r.done.Store(true)
}

func (r *Ref[T]) outcome() *core { return &r.core }

func (r *Ref[T]) then(fn any) error { return fn.(func(T, error) error)(r.Result()) }

// Handled marks a Ref whose failure the caller deals with: it does not appear
// in Run's error, nor do those of the Refs it is derived from. It returns the
// Ref.
func Handled[T any](r *Ref[T]) *Ref[T] {
	r.mark(byCaller)
	return r
}

// A deal is why a failure is none of Run's error.
type deal = uint32

const (
	byCaller deal = 1 << iota // of Handled
	byAwait                   // which returns it
)

func (r *Ref[T]) mark(by deal) {
	r.handled.Or(by)
	if d := r.derived(); d != nil {
		for s := range d.sources {
			s.mark(by)
		}
	}
}

func (r *Ref[T]) unmark(by deal) {
	r.handled.And(^by)
	if d := r.derived(); d != nil {
		for s := range d.sources {
			s.unmark(by)
		}
	}
}

// comesFrom tells whether ref, a command's, is r or what r is derived from.
func (r *Ref[T]) comesFrom(ref settler) bool {
	if d := r.derived(); d != nil {
		for s := range d.sources {
			if s.comesFrom(ref) {
				return true
			}
		}
	}
	return ref == settler(r)
}

// Map returns the Ref of fn(value of r). fn runs once, when the Ref is first
// read; r's error is the new Ref's error.
func Map[A, B any](r *Ref[A], fn func(A) (B, error)) *Ref[B] {
	return derive(&derivation[B]{
		ready:   r.Ready,
		sources: func(yield func(source) bool) { yield(r) },
		compute: func() (B, error) {
			a, err := r.Result()
			if err != nil {
				var zero B
				return zero, err
			}
			return fn(a)
		},
	})
}

// All returns the Ref of all values, in order. Its error is the first error in
// that order.
func All[T any](refs []*Ref[T]) *Ref[[]T] {
	return derive(&derivation[[]T]{
		ready: func() bool {
			for _, r := range refs {
				if !r.Ready() {
					return false
				}
			}
			return true
		},
		sources: func(yield func(source) bool) {
			for _, r := range refs {
				if !yield(r) {
					return
				}
			}
		},
		compute: func() ([]T, error) {
			values := make([]T, len(refs))
			var first error
			for i, r := range refs {
				v, err := r.Result() // of all, so that each counts as read
				if err != nil && first == nil {
					first = err
				}
				values[i] = v
			}
			if first != nil {
				return nil, first
			}
			return values, nil
		},
	})
}

// Join returns the Ref of fn(value of a, value of b), as [Map] does for one.
func Join[A, B, C any](a *Ref[A], b *Ref[B], fn func(A, B) (C, error)) *Ref[C] {
	return derive(&derivation[C]{
		ready:   func() bool { return a.Ready() && b.Ready() },
		sources: func(yield func(source) bool) { _ = yield(a) && yield(b) },
		compute: func() (C, error) {
			av, errA := a.Result()
			bv, errB := b.Result()
			if err := cmp.Or(errA, errB); err != nil {
				var zero C
				return zero, err
			}
			return fn(av, bv)
		},
	})
}
