package pipectx

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

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

	mu     sync.Mutex
	items  []item
	calls  []callback
	loose  []loose
	arena  *arena
	ended  error // why verbs are refused, once it has ended
	wave   int
	taken  int      // how often something was taken to be sent
	served int      // how often some scopes' items were, see takeOf
	sent   RunError // what has failed so far

	sending  bool          // somebody has the turn to send
	underWay []item        // what is being sent
	freed    chan struct{} // closed when that one is done; made by the first who waits

	stream *stream // of a Stream
}

// lists and callbacks are slices to be used again.
var (
	lists     = sync.Pool{New: func() any { return new([]item) }}
	callbacks = sync.Pool{New: func() any { return new([]callback) }}
)

func freeCallbacks(calls []callback) {
	if cap(calls) > 0 {
		clear(calls)
		callbacks.Put(&calls)
	}
}

// A callback is a function of After, func(context.Context) error, or of Then,
// which takes the result of ref. Kept as an any it needs no closure, which would be
// an allocation for each of a million.
type callback struct {
	scope *scope
	ctx   context.Context
	ref   answer
	fn    any
}

func (c *callback) call() error {
	if c.ref != nil {
		return c.ref.then(c.fn)
	}
	return c.fn.(func(context.Context) error)(c.ctx)
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
	block  *block // of its Atomic
	size   int32  // bytes of its words
	key    int16  // index of the first key in args, 0 if there is none
	slot   int16  // its slot on a Cluster, -1 without keys
	read   bool
	text   bool // its reply is one, see textWire
	safe   bool // to be sent again, by Resend
	waits  bool // it blocks: its flight's context is a waitContext

	// For the next attempt:
	asking   bool   // the redirection was ASK, not MOVED
	unsure   bool   // it may have run, and is sent again by Resend
	noScript int8   // how often the node did not know its script
	goTo     string // the address a redirection named
}

// A scope is one Run: the root's own or a child's.
type scope struct {
	root   *root
	parent *scope
	since  mark   // what was queued before it
	block  *block // of an Atomic
	group  *Group // of a Gather
	safe   bool   // of Resend
	// Guarded by root.mu:
	committed bool  // it stands for its parent from now on
	finished  bool  // its function has returned, or its Pipeline was ended
	failed    error // why it is discarded
	poison    error // a verb's value that could not be encoded
	served    int   // when its items were taken the last time, see takeOf
	last      []func()
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

// open begins a Run: the outermost one, or a child of the one ctx carries.
func (h *DB) open(ctx context.Context) (*scope, error) {
	if h.closed.Load() {
		return nil, ErrClosed
	}
	if parent := h.scopeOf(ctx); parent != nil {
		return parent.child(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	h.debug.check(ctx, func() string { return "Run" })
	s := &scope{root: &root{db: h.db}, safe: mayResend(ctx)}
	s.root.top = s
	if h.debug != nil {
		s.last = append(s.last, h.debug.enter())
	}
	return s, nil
}

// outside refuses what cannot wait for the end of a Run.
func (h *DB) outside(ctx context.Context, what string) error {
	s := h.scopeOf(ctx)
	if s == nil {
		return nil
	}
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if _, err := s.usable(); err != nil {
		return err
	}
	return fmt.Errorf("%s inside a Run: a Run sends nothing before it ends; call it outside, or with a context of pipectx.Detach", what)
}

func (s *scope) child(ctx context.Context) (*scope, error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		return nil, err
	}
	r := s.root
	c := &scope{root: r, parent: at, safe: mayResend(ctx), since: mark{r.taken, len(r.items), len(r.calls), len(r.loose)}}
	if r.db.debug != nil { // it may be on another goroutine than its parent, as a member of Gather is
		c.last = append(c.last, r.db.debug.enter())
	}
	return c, nil
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
		err = s.poisonedBy()
	}
	if err != nil {
		s.discard(err)
	}
	return err
}

func (s *scope) poisonedBy() error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	return s.poison
}

// finish marks the end of a Pipeline and tells whether it was open.
func (s *scope) finish() bool {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	open := !s.finished
	s.finished = true
	return open
}

// why is what a second Exec answers.
func (s *scope) why() error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.failed != nil {
		return &discarded{s.failed}
	}
	return nil
}

// commit hands what was queued to the parent, or sends it.
func (s *scope) commit(ctx context.Context) error {
	if s.parent == nil {
		return s.root.finish(ctx)
	}
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if _, err := s.usable(); err != nil {
		return err
	}
	s.committed = true
	return nil
}

// close ends a Run for good. What is left of an outermost one was never sent: a
// child that outlived it.
func (s *scope) close() {
	if s.parent == nil {
		s.root.end(ErrEnded)
	}
	s.root.mu.Lock()
	last := s.last
	s.last, s.finished = nil, true
	s.root.mu.Unlock()
	for _, fn := range last {
		defer fn() // the last one first, and each although another panics
	}
}

// finally registers fn and tells whether it will be called.
func (s *scope) finally(fn func()) bool {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.finished {
		return false
	}
	s.last = append(s.last, fn)
	return true
}

// hold keeps a Ref that a callback is to set.
func (s *scope) hold(ref settler) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		ref.fail(err)
		return
	}
	s.root.loose = append(s.root.loose, loose{at, ref})
}

// discard drops what the scope and those within it have queued.
func (s *scope) discard(cause error) {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.failed != nil {
		return
	}
	s.failed = cause
	defer s.within().refit(s.root.items)
	s.root.drop(s.since, func(at *scope) bool { // a child still open goes with its parent
		for ; at != nil; at = at.parent {
			if at == s {
				return true
			}
		}
		return false
	}, &discarded{cause})
}

// A mark is how much was queued at some time, counted since the last time that
// something was taken to be sent.
type mark struct{ taken, items, calls, loose int }

// drop fails the Refs of what was queued since a mark by unwanted scopes. What
// stays behind keeps its place; a dropped item has no Ref, a callback no
// function. The caller holds mu.
func (r *root) drop(since mark, unwanted func(*scope) bool, err error) {
	if since.taken != r.taken {
		since = mark{}
	}
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
			l.ref.outcome().rare.late.Do(func() { l.ref.fail(err) }) // unless it is set
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
	if err == nil && at == r.top && r.full() {
		// Before this command and not behind the one that filled the chunk: its
		// caller has had the time to say what is to be done with its Ref.
		r.pump()
		at, err = s.usable()
	}
	if err != nil {
		return err
	}
	in := at.within()
	if in != nil {
		if err := in.admit(conn, c, slot); err != nil {
			if at.poison == nil {
				at.poison = err
			}
			return err
		}
	}
	if r.arena == nil {
		r.arena = arenas.Get().(*arena)
	}
	if r.items == nil {
		r.items = (*lists.Get().(*[]item))[:0]
	}
	r.items = grown(r.items)
	it := &r.items[len(r.items)-1]
	c.become(it, conn, slot, r.arena, ref)
	it.scope, it.block, it.safe = at, in, s.safe || it.safe && in == nil // an Atomic goes as a whole
	it.asking = in != nil && in.watch != nil && in.watch.asking
	if r.stream != nil {
		r.stream.size += int(it.size)
	}
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

// after registers a callback.
func (s *scope) after(ctx context.Context, ref answer, fn any) error {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	at, err := s.usable()
	if err != nil {
		return err
	}
	if s.root.calls == nil {
		s.root.calls = (*callbacks.Get().(*[]callback))[:0]
	}
	s.root.calls = append(s.root.calls, callback{at, ctx, ref, fn})
	return nil
}
