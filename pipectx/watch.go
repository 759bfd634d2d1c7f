package pipectx

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Watch is an optimistic transaction: fn reads, decides, and writes in one
// [Atomic], which runs only if none of the keys has changed since Watch began.
// If one has, all of fn is done again, after a pause that grows.
//
//	err := pipectx.Watch(ctx, db, func(ctx context.Context) error {
//		balance, err := balances.Get(ctx, id).Result() // now
//		if err != nil {
//			return err
//		}
//		return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
//			balances.Set(ctx, id, interest(balance))
//			return nil
//		})
//	}, key)
//
// fn is called up to 32 times and must not have effects of its own before its
// Atomic. When it has lost each time, Watch answers [ErrConflict]; meanwhile others
// have won. So a key that many want is better served by a Lua script.
//
// One Watch has one Atomic; without any it has only read, and says nothing of
// changes. The keys are full Redis keys of one slot, which those of the Atomic
// share on a Cluster. What fn reads from replicas is not guarded. Inside a Run,
// Watch is refused, since those send nothing before they end, and inside a Watch.
// Each Watch holds a connection while fn runs, and what fn reads takes another for
// its time: the pool has two at least, and when half of it is held further Watches
// wait.
//
// Cost: 2 commands, WATCH and MULTI … EXEC, or UNWATCH without an Atomic, and those
// of fn; 2 round trips and those of fn, for each time that fn is called.
func Watch(ctx context.Context, db *DB, fn func(ctx context.Context) error, keys ...string) error {
	if db.closed.Load() {
		return ErrClosed
	}
	if err := db.outside(ctx, "pipectx: Watch"); err != nil {
		return err
	}
	db.debug.check(ctx, func() string { return "Watch" })
	if ctx.Value(watchKey{db.db}) != nil {
		return errors.New("pipectx: Watch inside a Watch: its connection could be the one that this waits for; give one Watch all keys")
	}
	if len(keys) == 0 {
		return errors.New("pipectx: Watch needs the keys to watch")
	}
	var to verdict // where the slot went, once a node has said so
	unheard := 0
	for n := 1; ; n++ {
		w, err := db.watch(ctx, keys, to)
		if err != nil {
			return err
		}
		err = w.try(ctx, fn)
		again := w.again()
		switch {
		case again == nil:
			return err
		case n == watchCalls:
			return fmt.Errorf("pipectx: Watch: given up after %d times: %w", n, again)
		}
		if w.refused.again == later {
			if unheard++; unheard > maxRetries {
				return again
			}
		}
		to = w.refused
		sleep(ctx, pause(n))
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("pipectx: Watch: %w: %w", again, err)
		}
	}
}

// watchCalls is how often fn is called at most. A conflict means that somebody
// else has won, so many in a row mean that the key is not one to be optimistic of.
const watchCalls = 32

// pause is between one conflict and the next try: long enough for those who
// collided to be spread, by a full jitter.
func pause(n int) time.Duration {
	return rand.N(min(time.Millisecond<<min(n, 16), 64*time.Millisecond))
}

// A watch is one try of a Watch, with a connection of its own.
type watch struct {
	db      *db
	on      *conn
	node    *node
	conn    *redis.Tx
	release func()
	slot    int
	key     string // the first
	asking  bool   // the slot is being moved, and the node takes it
	refused verdict

	mu    sync.Mutex
	using int           // who is using conn
	idle  chan struct{} // closed when nobody does any more, once it is over
	armed bool          // the server watches
	used  bool          // it has had its Atomic
	over  bool          // fn has returned
	lost  error         // why that did not run and may be tried again
}

// watch sends WATCH. The error is one that no other try would cure.
func (h *DB) watch(ctx context.Context, keys []string, to verdict) (*watch, error) {
	c := NewCommand("WATCH").Read()
	for _, key := range keys {
		c.Key(key)
	}
	slot := -1
	if h.conn.cluster != nil {
		var err error
		if slot, err = c.slot(); err != nil {
			return nil, err
		}
	}
	ref := &Ref[struct{}]{decode: Reply.OK}
	var items [1]item
	it := &items[0]
	c.become(it, h.conn, slot, new(arena), ref)
	it.goTo, it.asking = to.goTo, to.asking
	n, err := h.conn.route(ctx, it)
	if err != nil {
		return nil, it.named(fmt.Errorf("%w: %w", ErrNotSent, err))
	}
	w := &watch{db: h.db, on: h.conn, node: n, slot: slot, key: keys[0], asking: to.asking, armed: true}
	if n.client.Options().PoolSize < 2 {
		return nil, it.named(errors.New("it needs a pool of two connections at least, one that watches and one that fn reads by; raise PoolSize"))
	}
	if err := n.admit(ctx); err != nil {
		return nil, it.named(fmt.Errorf("%w: %w", ErrNotSent, err))
	}
	w.conn, w.release = hold(n.client)
	b := &batch{node: n, watch: w, items: []int{0}}
	round := []*batch{b}
	send(ctx, items[:], round)
	v := it.judge(round[0].outcome(0), b)
	if v.err == nil {
		return w, nil
	}
	if v.goTo != "" && !v.asking {
		h.conn.cluster.ReloadState(ctx)
	}
	v.err = it.named(v.err)
	w.armed = ctx.Err() != nil // nobody waited for the answer, which may have come since
	if w.refused = v; v.again == final {
		return nil, errors.Join(v.err, w.close(ctx))
	}
	return w, nil
}

// try calls fn if the server watches.
func (w *watch) try(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer func() { // also when fn panics
		if left := w.close(ctx); left != nil {
			err = errors.Join(err, left)
		}
	}()
	if w.refused.err != nil {
		return nil
	}
	return fn(&watchContext{ctx, w})
}

// admit waits until not more than half of the pool's connections are held, so that
// what fn reads finds one.
func (n *node) admit(ctx context.Context) error {
	n.once.Do(func() { n.watches = make(chan struct{}, n.client.Options().PoolSize/2) })
	select {
	case n.watches <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// hold takes one connection of a client out of its pool until it is released.
// go-redis has that as a function that calls one; its Client.Conn shares options
// with whoever dials, which is a data race.
func hold(client *redis.Client) (conn *redis.Tx, release func()) {
	held, released := make(chan *redis.Tx), make(chan struct{})
	go func() {
		_ = client.Watch(context.Background(), func(tx *redis.Tx) error { // without keys it sends nothing, and fails never
			held <- tx
			<-released
			return nil
		})
	}()
	return <-held, func() { close(released) }
}

// block is what the Atomic of a Watch begins with.
func (w *watch) block() *block {
	return &block{conn: w.on, slot: w.slot, key: w.key, watch: w}
}

// settled is told what became of the Atomic.
func (w *watch) settled(outcomes []outcome, answered bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = w.armed && !answered
	for _, o := range outcomes {
		fault := Reply{frame: o.frame}.fault()
		switch {
		case errors.Is(o.err, ErrConflict):
			w.lost = o.err
		case fault != nil && !o.executed && provesNotRun(fault):
			w.lost = fault
		}
	}
}

// again is why fn is to be called once more, or nil.
func (w *watch) again() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused.again != final {
		return w.refused.err
	}
	return w.lost
}

// close gives the connection back. If the server still watches it is told to stop,
// or the next transaction on that connection could fail for no reason.
func (w *watch) close(ctx context.Context) error {
	w.mu.Lock()
	armed := w.armed
	w.over = true
	idle := make(chan struct{})
	if w.idle = idle; w.using == 0 {
		close(idle)
	}
	w.mu.Unlock()
	stop := func() (err error) {
		<-idle
		if armed {
			reply, _ := sendOnce(context.WithoutCancel(ctx), w.conn, &unwatchWord) // a connection that fails is not used again
			if fault := (Reply{frame: reply}).Err(); fault != nil {
				err = &CommandError{Command: unwatchWord, Err: fault}
			}
		}
		w.release()
		<-w.node.watches
		return err
	}
	if ctx.Done() == nil || !armed {
		return stop()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done(): // a connection that fails later is not used again
		return nil
	}
}

var unwatchWord = "UNWATCH"

// begin and end tell that the connection is in use. It cannot be used any more when
// begin answers false: the Atomic is late.
func (w *watch) begin() bool {
	if w == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return false
	}
	w.using++
	return true
}

func (w *watch) end() {
	if w != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.using--; w.using == 0 && w.over {
			close(w.idle)
		}
	}
}

type watchKey struct{ d *db }

// watchContext carries a watch.
type watchContext struct {
	context.Context
	watch *watch
}

func (c *watchContext) Value(key any) any {
	if key, ok := key.(watchKey); ok && key.d == c.watch.db {
		return c.watch
	}
	return c.Context.Value(key)
}

// watched returns the watch of this DB that ctx carries for a new Atomic.
func (h *DB) watched(ctx context.Context) (*watch, error) {
	w, _ := ctx.Value(watchKey{h.db}).(*watch)
	if w == nil {
		return nil, nil
	}
	if s := h.scopeOf(ctx); s != nil {
		s.root.mu.Lock()
		defer s.root.mu.Unlock()
		if in := s.within(); in != nil && in.watch == w {
			return nil, nil // it joins the Atomic around it
		}
		return nil, errors.New("pipectx: Atomic in a Run or a callback of a Watch: it would wait for the Run's end; call it with the context that Watch gave")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return nil, ErrEnded
	}
	if w.used {
		return nil, errors.New("pipectx: a second Atomic in a Watch: the first has ended the watch; put both into one, or use two Watches")
	}
	w.used = true
	return w, nil
}
