package pipectx

import (
	"context"
	"errors"
	"fmt"
)

// Run opens a pipeline, calls fn with a context that carries it, and flushes
// it when fn returns nil. Inside another Run of the same DB it opens a child of
// that pipeline instead, and the outermost Run flushes.
//
// The outermost Run returns fn's error as it is (then nothing was sent, but for
// what [Await] sent before), the error of a verb whose value could not be encoded
// (likewise), or a [*RunError] that joins the commands and callbacks that failed;
// all others have run. An inner Run returns the first two only: nil means queued.
//
// Cost: no command of its own; for each wave 1 round trip to each connection and
// node, and 1 more there for each further 10,000 commands or 1 MiB; none when
// nothing was queued, none of its own inside another Run.
func Run(ctx context.Context, db *DB, fn func(ctx context.Context) error) error {
	s, err := db.open(ctx)
	if err != nil {
		return err
	}
	defer s.close() // also when fn panics
	if err := s.enter(ctx, fn); err != nil {
		return err
	}
	return s.commit(ctx)
}

// Begin is [Run] for code that cannot be a closure: it returns a context that
// carries the pipeline, and the pipeline to end it by.
//
//	ctx, p, err := pipectx.Begin(ctx, db)
//	if err != nil {
//		return err
//	}
//	defer p.Discard() // does nothing after Exec
//	…
//	return p.Exec()
//
// One of Exec and Discard must be called.
//
// Cost: no command, no round trip; [Pipeline.Exec] has them.
func Begin(ctx context.Context, db *DB) (context.Context, *Pipeline, error) {
	s, err := db.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &scopeContext{ctx, s}, &Pipeline{ctx, s}, nil
}

// Pipeline is a pipeline that [Begin] opened.
type Pipeline struct {
	ctx   context.Context
	scope *scope
}

// Exec ends the pipeline as Run does when its function returns nil, and returns
// what Run returns. A second Exec does nothing and returns nil; after Discard it
// answers [ErrDiscarded].
//
// Cost: no command of its own; the round trips of [Run].
func (p *Pipeline) Exec() error {
	if !p.scope.finish() {
		return p.scope.why()
	}
	defer p.scope.close()
	if err := p.scope.poisonedBy(); err != nil {
		p.scope.discard(err)
		return err
	}
	return p.scope.commit(p.ctx)
}

var errDiscardCalled = errors.New("its pipeline was discarded")

// Discard ends the pipeline as Run does when its function fails: nothing is
// sent. After Exec, or a second time, it does nothing.
//
// Cost: no command, no round trip.
func (p *Pipeline) Discard() {
	if p.scope.finish() {
		p.scope.discard(errDiscardCalled)
		p.scope.close()
	}
}

// After registers fn to run when the pipeline that ctx carries has been
// flushed and all Refs are resolved, in the order of registration. If the Run
// of ctx is discarded, fn never runs. What fn queues on its context goes out as
// the next wave. An error of fn stops the next wave and is part of Run's error.
//
// Without an open pipeline fn runs now, and After returns its error; with one
// After returns nil, [ErrEnded], or [ErrDiscarded].
func After(ctx context.Context, fn func(ctx context.Context) error) error {
	s := innermost(ctx)
	switch {
	case fn == nil:
		return errors.New("pipectx: After: the function is nil")
	case s == nil:
		return fn(ctx)
	}
	return s.after(ctx, nil, fn)
}

// Finally registers fn to run once when the Run of ctx returns, however it
// ends: after its flush and callbacks if it is the outermost, otherwise when the
// inner Run returns. Several run in reverse order, as deferred calls do. Without
// an open pipeline, or when it has ended, fn runs now.
func Finally(ctx context.Context, fn func()) {
	s := innermost(ctx)
	if s == nil || !s.finally(fn) {
		fn()
	}
}

// Detach returns ctx without its pipelines, for work that must happen now: a
// verb given it runs at once, whatever Run is open.
func Detach(ctx context.Context) context.Context { return detached{ctx} }

type detached struct{ context.Context }

// detachedKey tells that a context was detached on purpose.
type detachedKey struct{}

func (d detached) Value(key any) any {
	switch key.(type) {
	case scopeKey, innermostKey, watchKey:
		return nil
	case detachedKey:
		return true
	}
	return d.Context.Value(key)
}

// Resend returns ctx with the word of the caller that what verbs send with it may
// be executed twice: a command whose answer was lost is then sent again, as reads
// always are, where it would answer [ErrOutcomeUnknown] otherwise. It is for writes
// whose repetition changes nothing, and which nobody else's write can come between:
// to set what is already set may undo somebody's later change.
//
// It holds for verbs that run at once, and for a Run, of any kind, that is opened
// with it, as a whole. Behind a lost write that must not be sent again nothing is
// sent again either.
func Resend(ctx context.Context) context.Context {
	return context.WithValue(ctx, resendKey{}, true)
}

type resendKey struct{}

func mayResend(ctx context.Context) bool { return ctx.Value(resendKey{}) != nil }

// NewRef returns a Ref and the function that sets it, for a result that
// callbacks put together:
//
//	top, set := pipectx.NewRef[[]*City](ctx)
//	err = pipectx.After(ctx, func(ctx context.Context) error {
//		…
//		set(cities, nil)
//		return nil
//	})
//
// The first call of set counts. A failure that it sets is one of the Run's, as that
// of a command is, unless the Ref was given to [Handled]. A Ref that is never set
// answers [ErrDiscarded] when the Run of ctx ends; without an open pipeline it stays
// pending.
func NewRef[T any](ctx context.Context) (ref *Ref[T], set func(T, error)) {
	ref = &Ref[T]{core: core{rare: &rare{}}}
	s := innermost(ctx)
	if s != nil {
		s.hold(ref)
	}
	return ref, func(value T, err error) {
		first := false
		ref.rare.late.Do(func() {
			ref.value, ref.err, first = value, err, true
			ref.done.Store(true)
		})
		if first && s != nil && failure(err) && ref.handled.Load() == 0 {
			s.root.count(err)
		}
	}
}

// Await returns the value of ref now. If it is pending, what has been queued so
// far on the pipeline of ctx is committed and sent, in the Run of ctx and in
// those around it, and can no longer be discarded; the Run goes on. What other
// goroutines have queued in Runs of their own, not yet committed, stays.
// Callbacks wait for the end of the outermost Run.
//
// A Run that is poisoned sends nothing: Await returns the error. Failures of
// other commands are part of Run's error in the end, ref's own is returned here.
// When ctx ends first, Await answers that, and [ErrOutcomeUnknown] if the command
// may be under way, whatever it does; its Ref then has the answer later. What is
// not under way stays queued, and goes when its Run ends, unless that is discarded.
// A Ref that is still pending after that belongs to another pipeline, or is one of
// [NewRef] that a callback sets, as those of verbs in several waves are: [ErrPending].
// Such a verb has its value now with a context of [Detach].
//
// Cost: no command of its own; 1 round trip to each connection and node, as at the
// end of [Run]; none if ref is resolved.
func Await[T any](ctx context.Context, ref *Ref[T]) (T, error) {
	if !ref.Ready() {
		if s := innermost(ctx); s != nil {
			ref.mark(byAwait)
			if err := s.await(ctx, ref); err != nil {
				if !errors.Is(err, ErrOutcomeUnknown) { // it stays queued, and somebody must tell if it fails
					ref.unmark(byAwait)
				}
				var zero T
				return zero, err
			}
		}
	}
	v, err := ref.Result()
	if err == ErrPending {
		err = fmt.Errorf("pipectx: Await: the Ref is of another pipeline, or is set by a callback when the outermost Run ends; for its value now run the verb with Detach(ctx): %w", err)
	}
	return v, err
}

// innermost returns the scope of the innermost Run of any DB.
func innermost(ctx context.Context) *scope {
	if c, ok := ctx.(*scopeContext); ok { // as it mostly is
		return c.scope
	}
	s, _ := ctx.Value(innermostKey{}).(*scope)
	return s
}
