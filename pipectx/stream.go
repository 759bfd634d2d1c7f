package pipectx

import (
	"context"
	"errors"
	"slices"
)

// Stream is [Run] for more commands than fit in memory: they are sent in chunks
// while fn runs, in the order in which they were queued. What is not kept by the
// caller is garbage as soon as its chunk is done.
//
//	err := pipectx.Stream(ctx, db, func(ctx context.Context) error {
//		for id := range ids {
//			pipectx.Then(ctx, users.Get(ctx, id), func(u User, err error) error {
//				…
//			})
//		}
//		return nil
//	})
//
// The verb that finds a chunk full sends it, waits for the answers, and runs the
// callbacks ([Then], [After]), on the goroutine that called it: callbacks must not
// wait for what that goroutine holds. They run one at a time, in order; what they
// queue goes with the chunk that is being filled. An inner Run is sent with the
// chunk in which it commits, whole. Several goroutines may share a Stream; the
// callbacks of all are run by one of them, and pile up if they are slower than what
// the others queue.
//
// When fn or a callback fails, or a value cannot be encoded, what was not sent
// yet is dropped; what was sent has run. When a connection failed after writes had
// been sent by it, later commands for that node answer [ErrNotSent]: they would
// overtake those of which nothing is known. Stream returns what failed as Run
// does. Inside a Run or Atomic it is refused, since those send nothing before
// they end; give it a [Detach]ed context.
//
// Cost: no command of its own; 1 round trip to each connection and node for each
// 1,000 commands or 1 MiB.
func Stream(ctx context.Context, db *DB, fn func(ctx context.Context) error) error {
	if err := db.outside(ctx, "pipectx: Stream"); err != nil {
		return err
	}
	s, err := db.open(ctx)
	if err != nil {
		return err
	}
	r := s.root
	r.stream = &stream{ctx: ctx, dead: map[*node]bool{}}
	defer s.close()
	err = s.enter(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		r.callBack()
		return err
	})
	if err == nil {
		return s.commit(ctx)
	}
	failures := r.failures()
	if errors.Is(failures, err) { // a callback's is one of them
		return failures
	}
	return errors.Join(err, failures)
}

// Then registers fn for when ref is resolved: [After] with ref's result. A
// failure of ref is fn's to deal with; an error that fn returns is one of a
// callback. Without an open pipeline fn runs now, and Then returns its error.
// In a loop over many commands an fn made before the loop costs less than one made
// in it, which is a closure for each.
func Then[T any](ctx context.Context, ref *Ref[T], fn func(T, error) error) error {
	Handled(ref)
	s := innermost(ctx)
	switch {
	case fn == nil:
		return errors.New("pipectx: Then: the function is nil")
	case s == nil:
		return fn(ref.Result())
	}
	return s.after(ctx, ref, fn)
}

// A chunk of a Stream. Larger ones leave the processor's caches before they are
// back, and it is tempting to fill the next one meanwhile: but then two processors
// want the same memory, which cost more than it won. See
// docs/decisions/0010-streams-do-not-overlap.md.
const (
	streamCommands = 1_000
	streamBytes    = 1 << 20
)

// stream is what a root has of its own for a Stream. Guarded by root.mu, but for dead,
// which is whoever's who sends.
type stream struct {
	ctx     context.Context
	size    int            // bytes queued since the last chunk
	held    int            // commands that it left behind: of Runs still open
	dead    map[*node]bool // whose connection failed
	due     []callback     // of chunks that are back
	calling bool           // somebody runs them
}

// full tells whether a chunk is due. The caller holds root.mu.
func (r *root) full() bool {
	return r.stream != nil && (len(r.items)-r.stream.held >= streamCommands || r.stream.size >= streamBytes)
}

// pump sends a chunk and runs its callbacks, without the lock that the caller
// holds.
func (r *root) pump() {
	r.mu.Unlock()
	defer r.mu.Lock() // also when a callback panics
	if r.pumpOut() == nil {
		r.callBack()
	}
}

// pumpOut sends what is queued, if that is still a chunk when it has its turn.
func (r *root) pumpOut() error {
	release, _ := r.exclusive(context.Background()) // who has it returns when the Stream's own context ends
	defer release()
	r.mu.Lock()
	err := r.top.poison
	idle := !r.full() || r.top.failed != nil
	if !idle {
		r.stream.size = 0
	}
	r.mu.Unlock()
	switch {
	case idle: // somebody else has sent it
	case err != nil:
		r.top.discard(err)
	default:
		r.sendDue(r.stream.ctx)
	}
	return err
}

// sendDue sends what is queued. Its callbacks are due then. The caller has the turn.
func (r *root) sendDue(ctx context.Context) {
	w := r.take(func(s *scope) bool { return s == r.top }, true)
	r.mu.Lock()
	r.stream.held = len(r.items)
	r.mu.Unlock()
	r.send(ctx, w)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.stream.due) == 0 {
		r.stream.due = w.calls
	} else {
		r.stream.due = append(r.stream.due, w.calls...)
		freeCallbacks(w.calls)
	}
}

// callBack runs the callbacks that are due, one at a time and in order. It is
// tempting to hold a lock meanwhile; but a callback that queues may itself fill a
// chunk and come here. So whoever finds callbacks running leaves its own to the
// one who runs them.
func (r *root) callBack() {
	r.mu.Lock()
	if r.stream.calling {
		r.mu.Unlock()
		return
	}
	r.stream.calling = true
	defer func() { // also when one panics
		r.stream.calling = false
		r.mu.Unlock()
	}()
	for len(r.stream.due) > 0 && r.top.failed == nil {
		calls := r.stream.due
		r.stream.due = nil
		if err := r.call(calls); err != nil {
			r.sent.add(err)
			r.sent.callbacks++
			if r.top.poison == nil {
				r.top.poison = err // what enter returns, whatever fn does
			}
			r.mu.Unlock()
			r.top.discard(err)
			r.mu.Lock()
		}
	}
}

// call runs callbacks, up to one that fails, without the lock that the caller
// holds.
func (r *root) call(calls []callback) error {
	r.mu.Unlock()
	defer r.mu.Lock()
	n := 0
	defer func() {
		if n == len(calls) {
			freeCallbacks(calls)
			return
		}
		r.mu.Lock() // one has failed, or panicked: the others wait for what comes of that
		defer r.mu.Unlock()
		r.stream.due = append(slices.Clone(calls[n:]), r.stream.due...)
	}()
	for n < len(calls) {
		c := calls[n]
		n++
		if err := c.call(); err != nil {
			return err
		}
	}
	return nil
}

// finishStream sends what is left, and what its callbacks queue.
func (r *root) finishStream(ctx context.Context) error {
	for {
		r.callBack()
		r.mu.Lock()
		failed, poison := r.top.failed, r.top.poison
		if failed == nil && poison != nil { // a callback queued it
			r.sent.add(poison)
			r.sent.callbacks++
		}
		r.mu.Unlock()
		if failed != nil || poison != nil || !r.queued() {
			return r.over(ctx)
		}
		release, _ := r.exclusive(ctx) // when ctx has ended nothing is sent anyway
		r.sendDue(ctx)
		release()
	}
}
