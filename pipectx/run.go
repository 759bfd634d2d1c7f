package pipectx

import (
	"context"
	"errors"
	"sync"
)

// Run opens a pipeline, calls fn with a context that carries it, and flushes
// it when fn returns nil. Inside another Run of the same DB it opens a child of
// that pipeline instead, and the outermost Run flushes.
//
// The outermost Run returns fn's error as it is (then nothing was sent), the
// error of a verb whose value could not be encoded (likewise), or a [*RunError]
// that joins the commands and callbacks that failed; all others have run. An
// inner Run returns the first two only: nil means queued.
//
// Cost: one round trip per connection and node and wave; none when nothing was
// queued, and none of its own inside another Run.
func Run(ctx context.Context, db *DB, fn func(ctx context.Context) error) (err error) {
	if db.closed.Load() {
		return ErrClosed
	}
	parent := db.scopeOf(ctx)
	if parent == nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		parent = &scope{root: &root{db: db.db}}
		parent.root.top = parent
		defer func() {
			// Whatever is left was never sent: a child that outlived its parent.
			parent.root.end(ErrEnded)
		}()
		if err := parent.enter(ctx, fn); err != nil {
			return err
		}
		return parent.root.finish(ctx)
	}
	child, err := parent.child()
	if err != nil {
		return err
	}
	if err := child.enter(ctx, fn); err != nil {
		return err
	}
	return child.commit()
}

// After registers fn to run when the pipeline that ctx carries has been
// flushed and all Refs are resolved, in the order of registration. If the Run
// of ctx is discarded, fn never runs. What fn queues on its context goes out as
// the next wave. An error of fn stops the next wave and is part of Run's error.
//
// Without an open pipeline fn runs now, and After returns its error; with one
// After returns nil, [ErrEnded], or [ErrDiscarded].
func After(ctx context.Context, fn func(ctx context.Context) error) error {
	s, _ := ctx.Value(innermostKey{}).(*scope)
	if s == nil {
		return fn(ctx)
	}
	return s.after(ctx, fn)
}

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
// The first call of set counts. A Ref that is never set answers [ErrDiscarded]
// when the Run of ctx ends; without an open pipeline it stays pending.
func NewRef[T any](ctx context.Context) (ref *Ref[T], set func(T, error)) {
	ref = &Ref[T]{}
	if s, _ := ctx.Value(innermostKey{}).(*scope); s != nil {
		s.root.mu.Lock()
		defer s.root.mu.Unlock()
		at, err := s.usable()
		if err != nil {
			ref.fail(err)
		} else {
			s.root.loose = append(s.root.loose, loose{at, ref})
		}
	}
	return ref, func(value T, err error) {
		ref.once.Do(func() {
			ref.value, ref.err = value, err
			ref.done.Store(true)
		})
	}
}

// unset fails a loose Ref that was not set.
func (c *core) unset(ref settler, err error) { c.once.Do(func() { ref.fail(err) }) }

// A root is one outermost Run: everything queued in it, by all its scopes, in
// program order. Scopes only say which of it is still wanted, so order needs no
// merging when a child commits:
//
//	Run a          items   SET x   (a)
//	  set x                SET y   (b, committed into a)
//	  Run b                GET x   (c, discarded: never sent)
//	    set y              GET y   (a)
//	  Run c: get x, fail
//	  get y
type root struct {
	db  *db
	top *scope

	mu    sync.Mutex
	items []item
	calls []callback
	loose []loose
	arena *arena
	ended error // why verbs are refused, once it has ended
	wave  int
}

// lists are slices of items to be used again.
var lists = sync.Pool{New: func() any { return new([]item) }}

type callback struct {
	scope *scope
	ctx   context.Context
	fn    func(context.Context) error
}

// A loose Ref is one that a callback is to set.
type loose struct {
	scope *scope
	ref   settler
}

// An item is one queued command.
type item struct {
	scope  *scope
	conn   *conn
	args   []any // words, as *string
	ref    settler
	fault  func(*ServerError) error
	script *Script
	key    int16 // index of the first key in args, 0 if there is none
	slot   int16 // its slot on a Cluster, -1 without keys
	read   bool

	// For the next attempt:
	goTo     string // the address a redirection named
	asking   bool   // it was ASK, not MOVED
	noScript int8   // how often the node did not know its script
}

// A scope is one Run: the root's own or a child's.
type scope struct {
	root   *root
	parent *scope
	since  mark // what was queued before it
	// Guarded by root.mu:
	committed bool  // it stands for its parent from now on
	failed    error // why it is discarded
	poison    error // a verb's value that could not be encoded
}

// find returns the scope that s stands for: itself, or the nearest ancestor
// that is not committed into its own parent.
func (s *scope) find() *scope {
	for s.committed {
		s = s.parent
	}
	return s
}

// usable returns the scope that takes what is queued on s, or why none does.
// The caller holds root.mu.
func (s *scope) usable() (*scope, error) {
	for at := s; at != nil; at = at.parent {
		if at.failed != nil {
			return nil, &discarded{at.failed}
		}
	}
	if s.root.ended != nil {
		return nil, s.root.ended
	}
	return s.find(), nil
}

func (s *scope) child() (*scope, error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		return nil, err
	}
	r := s.root
	return &scope{root: r, parent: at, since: mark{len(r.items), len(r.calls), len(r.loose)}}, nil
}

var errPanicked = errors.New("its Run panicked")

// enter calls fn in the scope and discards it unless fn returns nil and
// nothing poisoned it; also when fn panics or ends its goroutine.
func (s *scope) enter(ctx context.Context, fn func(context.Context) error) (err error) {
	returned := false
	defer func() {
		if !returned {
			s.discard(errPanicked)
		}
	}()
	err = fn(&scopeContext{ctx, s})
	returned = true
	if err == nil {
		s.root.mu.Lock()
		err = s.poison
		s.root.mu.Unlock()
	}
	if err != nil {
		s.discard(err)
	}
	return err
}

func (s *scope) commit() error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if _, err := s.usable(); err != nil {
		return err
	}
	s.committed = true
	return nil
}

// discard drops what the scope and those within it have queued.
func (s *scope) discard(cause error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.failed != nil {
		return
	}
	s.failed = cause
	s.root.drop(s.since, func(at *scope) bool { // a child still open goes with its parent
		for ; at != nil; at = at.parent {
			if at == s {
				return true
			}
		}
		return false
	}, &discarded{cause})
}

// A mark is how much was queued at some time.
type mark struct{ items, calls, loose int }

// drop fails the Refs of what was queued since a mark by unwanted scopes. What
// stays behind keeps its place; a dropped item has no Ref, a callback no
// function. The caller holds mu.
func (r *root) drop(since mark, unwanted func(*scope) bool, err error) {
	for i := min(since.items, len(r.items)); i < len(r.items); i++ {
		if it := &r.items[i]; it.ref != nil && unwanted(it.scope.find()) {
			it.ref.fail(err)
			*it = item{}
		}
	}
	for i := min(since.calls, len(r.calls)); i < len(r.calls); i++ {
		if c := &r.calls[i]; c.fn != nil && unwanted(c.scope.find()) {
			*c = callback{}
		}
	}
	for i := min(since.loose, len(r.loose)); i < len(r.loose); i++ {
		if l := &r.loose[i]; l.ref != nil && unwanted(l.scope.find()) {
			l.ref.outcome().unset(l.ref, err)
			*l = loose{}
		}
	}
}

// end refuses everything from now on, and what is still queued with it.
func (r *root) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended == nil {
		r.ended = err
	}
	r.drop(mark{}, func(*scope) bool { return true }, &discarded{err})
	if r.arena != nil {
		r.arena.free()
		r.arena = nil
	}
}

// queue adds a command to the scope. An error is the Ref's answer.
func (s *scope) queue(conn *conn, c *Command, slot int, ref settler) error {
	r := s.root
	r.mu.Lock()
	defer r.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		return err
	}
	if r.arena == nil {
		r.arena = arenas.Get().(*arena)
	}
	if r.items == nil {
		r.items = (*lists.Get().(*[]item))[:0]
	}
	r.items = append(r.items, item{
		scope: at, conn: conn, args: r.arena.add(c), ref: ref, fault: c.fault,
		script: c.script, key: c.firstKey(), slot: int16(slot), read: c.read,
	})
	return nil
}

// poisoned records the first value of the scope that could not be encoded.
func (s *scope) poisoned(err error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if at, gone := s.usable(); gone == nil && at.poison == nil {
		at.poison = err
	}
}

func (s *scope) after(ctx context.Context, fn func(context.Context) error) error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		return err
	}
	s.root.calls = append(s.root.calls, callback{at, ctx, fn})
	return nil
}

// take hands out the wave that is queued. Children still open stay behind: they
// were started on other goroutines and have not committed.
func (r *root) take() ([]item, []callback) {
	r.mu.Lock()
	defer r.mu.Unlock()
	top := func(s *scope) bool { return s.find() == r.top }
	items, calls := r.items, r.calls // handed out: what stays behind is copied
	r.items, r.calls = nil, nil
	n := 0
	for _, it := range items {
		switch {
		case it.ref == nil: // discarded
		case top(it.scope):
			items[n] = it
			n++
		default:
			r.items = append(r.items, it)
		}
	}
	m := 0
	for _, c := range calls {
		switch {
		case c.fn == nil:
		case top(c.scope):
			calls[m] = c
			m++
		default:
			r.calls = append(r.calls, c)
		}
	}
	return items[:n], calls[:m]
}

// finish sends wave after wave until nothing is queued.
func (r *root) finish(ctx context.Context) error {
	var failures RunError
	for {
		items, calls := r.take()
		if len(items) == 0 && len(calls) == 0 {
			break
		}
		if len(items) > 0 {
			free := r.db.flush(ctx, items, r.wave)
			failures.count(items)
			r.wave++
			if free {
				clear(items)
				lists.Put(&items)
			} else {
				r.mu.Lock()
				r.arena = nil // a goroutine still reads the words
				r.mu.Unlock()
			}
		}
		var stop error
		for _, c := range calls {
			if err := c.fn(c.ctx); err != nil {
				failures.add(err)
				failures.callbacks++
				stop = err
			}
		}
		r.mu.Lock()
		if err := r.top.poison; err != nil {
			failures.add(err)
			failures.callbacks++ // a callback queued it
			stop = err
		}
		r.mu.Unlock()
		if stop != nil {
			r.end(stop)
			break
		}
	}
	r.end(ErrEnded)
	if failures.Failed == 0 {
		return nil
	}
	return &failures
}

// count adds the items whose Refs hold a failure that the caller does not
// handle itself.
func (e *RunError) count(items []item) {
	e.Sent += len(items)
	for i := range items {
		out := items[i].ref.outcome()
		if failure(out.err) && !out.handled.Load() {
			e.add(items[i].located(out.err))
		}
	}
}

func (e *RunError) add(err error) {
	e.Failed++
	if len(e.Errors) < joined {
		e.Errors = append(e.Errors, err)
	}
}
