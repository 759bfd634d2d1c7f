package pipectx

import (
	"context"
	"fmt"
	"slices"
)

// A wave is what is sent at once.
type wave struct {
	items []item
	calls []callback
	arena *arena // of the items' words
}

// take hands out what wanted scopes have queued: items, and callbacks too if
// calls is set. Children still open stay behind: they were started on other
// goroutines and have not committed.
func (r *root) take(wanted func(*scope) bool, calls bool) (w wave) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	items := r.items // handed out: what stays behind is copied
	r.items = nil
	n := 0
	for i := range items { // mostly all are wanted and none is moved: a copy of a long item is dear
		switch it := &items[i]; {
		case it.ref == nil: // discarded
		case !wanted(it.scope.find()):
			r.items = append(r.items, *it)
		case n < i:
			items[n] = *it
			n++
		default:
			n++
		}
	}
	clear(items[n:])
	w.items = items[:n]
	r.underWay = w.items
	if w.arena = r.arena; w.arena != nil {
		w.arena.waves++
		if r.items == nil {
			r.arena = nil // what is queued next gets another
		}
	}
	if calls {
		calls := r.calls
		r.calls = nil
		n := 0
		for i := range calls {
			switch c := &calls[i]; {
			case c.fn == nil:
			case !wanted(c.scope.find()):
				r.calls = append(r.calls, *c)
			case n < i:
				calls[n] = *c
				n++
			default:
				n++
			}
		}
		clear(calls[n:])
		w.calls = calls[:n]
	}
	return w
}

// send flushes the items of a wave and counts what failed, also when a decoder
// panics.
func (r *root) send(ctx context.Context, w wave) {
	free := len(w.items) == 0
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.underWay = nil
		r.sent.count(w.items)
		if free {
			clear(w.items)
			lists.Put(&w.items)
		}
		if a := w.arena; a != nil {
			a.lost = a.lost || !free
			if a.waves--; a != r.arena {
				a.free()
			}
		}
	}()
	if len(w.items) == 0 {
		return
	}
	r.mu.Lock()
	number, dead := r.wave, map[*node]bool(nil)
	if r.stream != nil {
		dead = r.stream.dead
	}
	r.wave++
	r.mu.Unlock()
	free = r.db.flush(ctx, w.items, number, dead)
}

// sendAll sends what is queued and returns its callbacks.
func (r *root) sendAll(ctx context.Context) []callback {
	release, _ := r.exclusive(ctx) // when ctx has ended nothing is sent anyway
	defer release()
	w := r.take(func(s *scope) bool { return s == r.top }, true)
	r.send(ctx, w)
	return w.calls
}

// chunk sends what is queued and runs the callbacks; their errors, and that of
// a value they queued and that could not be encoded, are counted, and the last is
// returned.
func (r *root) chunk(ctx context.Context) error {
	calls := r.sendAll(ctx)
	r.mu.Lock()
	r.top.block = nil // what callbacks queue is outside of the block
	r.mu.Unlock()
	var failed []error
	for _, c := range calls {
		if err := c.call(); err != nil {
			failed = append(failed, err)
		}
	}
	freeCallbacks(calls)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.top.poison != nil { // a callback queued it
		failed = append(failed, r.top.poison)
	}
	for _, err := range failed {
		r.sent.add(err)
	}
	r.sent.callbacks += len(failed)
	if len(failed) == 0 {
		return nil
	}
	return failed[len(failed)-1]
}

// exclusive gives the caller the turn to send: what two goroutines send at once
// would have no order. It fails when ctx ends first.
func (r *root) exclusive(ctx context.Context) (release func(), err error) {
	for {
		r.mu.Lock()
		if !r.sending {
			r.sending = true
			r.mu.Unlock()
			return r.release, nil
		}
		if r.freed == nil {
			r.freed = make(chan struct{})
		}
		freed := r.freed
		r.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return func() {}, context.Cause(ctx)
		}
	}
}

func (r *root) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sending = false
	if r.freed != nil {
		close(r.freed)
		r.freed = nil
	}
}

// finish sends wave after wave until nothing is queued.
func (r *root) finish(ctx context.Context) error {
	if r.stream != nil {
		return r.finishStream(ctx)
	}
	for r.queued() {
		if err := r.chunk(ctx); err != nil {
			r.end(err)
			break
		}
	}
	return r.over(ctx)
}

// over ends the root when nobody sends any more, and returns what has failed.
func (r *root) over(ctx context.Context) error {
	release, _ := r.exclusive(ctx) // an Await of another goroutine; when ctx has ended, nobody waits for that
	defer release()
	r.end(ErrEnded)
	return r.failures()
}

// queued tells whether anything is to be sent or called.
func (r *root) queued() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, it := range r.items {
		if it.ref != nil && it.scope.find() == r.top {
			return true
		}
	}
	for _, c := range r.calls {
		if c.fn != nil && c.scope.find() == r.top {
			return true
		}
	}
	return false
}

// failures is what has failed so far, nil if nothing has.
func (r *root) failures() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent.Failed == 0 {
		return nil
	}
	e := r.sent // a copy: an Await that outlives its Run may still count
	e.Errors = slices.Clone(e.Errors)
	return &e
}

// await sends what the scope and those around it have queued, unless ref is
// resolved. One goroutine at a time: the next finds its Ref resolved, or sends what
// came since. Members of a Gather wait for each other instead.
func (s *scope) await(ctx context.Context, ref awaited) error {
	r := s.root
	r.mu.Lock()
	group, err := s.around()
	r.mu.Unlock()
	if err != nil {
		return err
	}
	if group != nil {
		return group.await(ctx, s, ref)
	}
	return s.awaitAlone(ctx, ref)
}

// awaited is a Ref of any type, as Await sees it.
type awaited interface {
	Ready() bool
	comesFrom(ref settler) bool
}

func (s *scope) awaitAlone(ctx context.Context, ref awaited) error {
	r := s.root
	release, err := r.exclusive(ctx)
	if err != nil {
		return r.givenUp(ctx, ref)
	}
	defer release()
	if !ref.Ready() {
		r.send(ctx, r.takeOf(s))
	}
	return nil
}

// takeOf hands out the items of some scopes and of those around them, as they
// stand now.
func (r *root) takeOf(scopes ...*scope) wave {
	r.mu.Lock()
	r.served++
	number := r.served
	for _, s := range scopes {
		for at := s; at != nil; at = at.parent {
			if at = at.find(); at.served == number {
				break
			}
			at.served = number
		}
	}
	r.mu.Unlock()
	return r.take(func(s *scope) bool { return s.served == number }, false)
}

// givenUp is Await's answer when ctx ends while somebody else is sending: its
// command may be under way, or have its answer.
func (r *root) givenUp(ctx context.Context, ref awaited) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ref.Ready() {
		return nil
	}
	for i := range r.underWay {
		if it := &r.underWay[i]; ref.comesFrom(it.ref) {
			return it.named(fmt.Errorf("%w: %w", ErrOutcomeUnknown, context.Cause(ctx)))
		}
	}
	return stillQueued(ctx)
}

// stillQueued is Await's answer when ctx ends before its command is sent.
func stillQueued(ctx context.Context) error {
	return fmt.Errorf("pipectx: Await: the command stays queued: %w", context.Cause(ctx))
}

// around looks at the scope and those around it, whose commands an Await sends: it
// returns the Gather it is a member of, or why nothing may be sent. The caller
// holds root.mu.
func (s *scope) around() (group *Group, err error) {
	at, err := s.usable()
	if err != nil {
		return nil, err
	}
	if at.within() != nil {
		return nil, errAwaitInAtomic
	}
	for ; at != nil; at = at.parent {
		if at = at.find(); at.poison != nil {
			return nil, at.poison
		}
		if group == nil {
			group = at.group
		}
	}
	return group, nil
}

// count adds the items whose Refs hold a failure that the caller does not
// handle itself.
func (e *RunError) count(items []item) {
	e.Sent += len(items)
	for i := range items {
		out := items[i].ref.outcome()
		if failure(out.err) && out.handled.Load() == 0 {
			e.add(items[i].located(out.err))
		}
	}
}

// count adds the failure of a Ref that is not a command's.
func (r *root) count(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent.add(err)
}

func (e *RunError) add(err error) {
	e.Failed++
	if len(e.Errors) < joined {
		e.Errors = append(e.Errors, err)
	}
}
