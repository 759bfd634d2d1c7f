package pipectx

import (
	"context"
	"errors"
	"slices"
	"sync"
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
// A full chunk goes out in the background, when the one before it is back, so that
// fn fills the next one meanwhile. The verb that finds a chunk full then runs the
// callbacks ([Then], [After]) of the one that came back, on the goroutine that
// called it: callbacks must not wait for what that goroutine holds. They run one at
// a time, in order; what they queue goes with the chunk that is being filled. An
// inner Run is sent with the chunk in which it commits, whole. Several goroutines
// may share a Stream; the callbacks of all are run by one of them, and pile up if
// they are slower than what the others queue.
//
// When fn or a callback fails, or a value cannot be encoded, what was not sent
// yet is dropped; what was sent has run. When a connection failed after writes had
// been sent by it, later commands for that node answer [ErrNotSent]: they would
// overtake those of which nothing is known. Stream returns what failed as Run
// does. Inside a Run or Atomic it is refused, since those send nothing before
// they end; give it a [Detach]ed context.
//
// Cost: no command of its own; 1 round trip to each connection and node for each
// 2,000 commands or 1 MiB.
func Stream(ctx context.Context, db *DB, fn func(ctx context.Context) error) error {
	if err := db.outside(ctx, "Stream"); err != nil {
		return err
	}
	s, err := db.open(ctx)
	if err != nil {
		return err
	}
	r := s.root
	r.stream = &stream{ctx: ctx, dead: map[*node]bool{}}
	defer s.close()
	defer r.landAll() // also when fn panics
	err = s.enter(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		r.landAll()
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
func Then[T any](ctx context.Context, ref *Ref[T], fn func(T, error) error) error {
	Handled(ref)
	return After(ctx, func(context.Context) error { return fn(ref.Result()) })
}

// A chunk of a Stream.
const (
	streamCommands = 2_000
	streamBytes    = 1 << 20
)

// stream is what a root has of its own for a Stream. Guarded by root.mu, but for dead,
// which is whoever's who sends.
type stream struct {
	ctx     context.Context
	size    int            // bytes queued since the last chunk
	held    int            // commands that it left behind: of Runs still open
	dead    map[*node]bool // whose connection failed; of the chunk under way
	trip    *trip          // of the chunk under way; nil if none is
	due     []callback     // of chunks that are back
	calling bool           // somebody runs them
}

// A trip is a chunk under way.
type trip struct {
	calls  []callback
	sent   chan struct{} // closed when the next chunk may go: all is answered
	back   chan struct{} // closed when all Refs are settled
	raised any           // what a decoder panicked with
}

// full tells whether a chunk is due. The caller holds root.mu.
func (r *root) full() bool {
	return r.stream != nil && (len(r.items)-r.stream.held >= streamCommands || r.stream.size >= streamBytes)
}

// pump sends a chunk and runs the callbacks of the one before, without the lock
// that the caller holds.
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
		before := r.underWay()
		if before != nil {
			<-before.sent
		}
		w := r.take(func(s *scope) bool { return s == r.top }, true)
		r.mu.Lock()
		r.stream.held = len(r.items)
		r.mu.Unlock()
		r.fly(w)
		_ = r.land(context.Background(), before)
	}
	return err
}

// underWay is the trip of the last chunk, or nil.
func (r *root) underWay() *trip {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream.trip
}

// fly sends a chunk in the background. The caller has the turn, and nothing is
// being sent.
func (r *root) fly(w wave) {
	t := &trip{calls: w.calls, sent: make(chan struct{}), back: make(chan struct{})}
	var once sync.Once
	w.sent = func() { once.Do(func() { close(t.sent) }) }
	r.mu.Lock()
	r.stream.trip = t
	r.mu.Unlock()
	go func() {
		defer close(t.back)
		defer w.sent()
		defer func() { t.raised = recover() }()
		r.send(r.stream.ctx, w)
	}()
}

// land waits until a chunk is back, or ctx ends. Its callbacks are due then. A
// decoder that panicked does so here.
func (r *root) land(ctx context.Context, t *trip) error {
	if t == nil {
		return nil
	}
	select {
	case <-t.back:
	case <-ctx.Done():
		return stillQueued(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stream.trip == t {
		r.stream.trip = nil
	}
	calls, raised := t.calls, t.raised
	t.calls, t.raised = nil, nil // whoever comes first has them
	if len(r.stream.due) == 0 {
		r.stream.due = calls
	} else {
		r.stream.due = append(r.stream.due, calls...)
		freeCallbacks(calls)
	}
	if raised != nil {
		panic(raised)
	}
	return nil
}

// landAll waits for what is under way, which does not take longer than the
// Stream's own context.
func (r *root) landAll() { _ = r.land(context.Background(), r.underWay()) }

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
		if err := c.fn(c.ctx); err != nil {
			return err
		}
	}
	return nil
}

// finishStream sends what is left, and what its callbacks queue.
func (r *root) finishStream(ctx context.Context) error {
	for {
		r.landAll()
		r.callBack()
		r.mu.Lock()
		failed, poison := r.top.failed, r.top.poison
		if failed == nil && poison != nil { // a callback queued it
			r.sent.add(poison)
			r.sent.callbacks++
		}
		r.mu.Unlock()
		switch {
		case failed != nil || poison != nil:
			return r.over(ctx)
		case r.underWay() != nil: // callbacks have filled a chunk
			continue
		case !r.queued():
			return r.over(ctx)
		}
		calls := r.sendAll(ctx)
		r.mu.Lock()
		r.stream.due = append(r.stream.due, calls...)
		r.mu.Unlock()
	}
}
