package pipectx

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Coalesce has immediate verbs of concurrent goroutines share pipelines. A verb
// that comes while others are under way to its server waits for one of them to
// return, and goes with all that came meanwhile. One that comes alone goes at
// once, so there is no delay to set. What a verb answers is the same: errors and
// retries stay those of each command, and a caller whose context ends returns
// alone. Run and its kind are pipelines already, and share nothing.
//
// Verbs that share a pipeline share its fate of waiting: a script that runs for a
// second, or a value of many megabytes, holds up those that go with it. Their
// [Flush] has no caller's context.
func Coalesce() Option {
	return option(func(d *db) error {
		d.coalesce = true
		return nil
	})
}

// flights is how many shared pipelines are under way to one node: while the
// server works on one, the other is written or taken apart.
const flights = 2

// A queue is the immediate verbs that wait to be sent to one node.
type queue struct {
	mu    sync.Mutex
	items []item
	spare []item
	open  int // flights under way
}

// A call is an immediate verb in a queue. The flush leaves the reply here and the
// caller decodes it: many goroutines do that in parallel, and one that went away
// has nobody write to its Ref.
type call struct {
	core
	reply  Reply
	raised any           // what OnError's function panicked with
	ready  chan struct{} // of one place, so that nobody waits for a caller that went away
	taken  bool          // it is under way; guarded by the queue's mu
	gone   bool          // its caller went away; likewise
}

var calls = sync.Pool{New: func() any { return &call{ready: make(chan struct{}, 1)} }}

func (c *call) settle(reply Reply) { c.reply = reply }
func (c *call) fail(err error)     { c.err = err }
func (c *call) outcome() *core     { return &c.core }

// share sends an immediate verb with others' and settles its Ref. It returns
// false if its words are still in use.
func (d *db) share(ctx context.Context, it item) (free bool) {
	n, err := it.conn.route(ctx, &it)
	if err != nil {
		return d.flush(ctx, []item{it}, 0, nil)
	}
	ref, c := it.ref, calls.Get().(*call)
	it.ref = c
	n.queue.add(d, it)
	select {
	case <-c.ready:
	case <-ctx.Done():
		it.ref = ref
		it.abandon(ctx, n.queue.leave(c))
		return false
	}
	switch {
	case c.raised != nil:
		ref.fail(c.err)
		panic(c.raised)
	case c.err != nil:
		ref.fail(c.err)
	default:
		ref.settle(c.reply)
	}
	c.core, c.reply, c.taken = core{}, Reply{}, false
	calls.Put(c)
	return true
}

// abandon settles a Ref whose caller does not wait any longer.
func (it *item) abandon(ctx context.Context, sent bool) {
	cause := context.Cause(ctx)
	if sent {
		it.settle(ctx, it.judgeLost(&outcome{err: cause}))
		return
	}
	it.settle(ctx, verdict{err: fmt.Errorf("%w: %w", ErrNotSent, cause)})
}

// add queues an item, and opens a flight if there may be one more.
func (q *queue) add(d *db, it item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, it)
	if q.open < flights {
		q.open++
		go q.fly(d)
	}
}

// leave tells that the caller of c went away, and whether c is under way.
func (q *queue) leave(c *call) (sent bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.gone = true
	return c.taken
}

// fly sends what is queued until nothing is.
func (q *queue) fly(d *db) {
	ended := false
	defer func() {
		if !ended { // a function of OnError has called runtime.Goexit
			go q.fly(d)
		}
	}()
	for {
		items := q.take()
		if items == nil {
			ended = true
			return
		}
		d.flush(context.Background(), items, 0, nil)
		clear(items)
		q.mu.Lock()
		q.spare = items[:0]
		q.mu.Unlock()
		runtime.Gosched() // those who have just been answered ask again: let them come along
	}
}

// take hands out what is queued, or ends the flight.
func (q *queue) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, n := q.items, 0
	for _, it := range items {
		if c := it.ref.(*call); !c.gone {
			c.taken = true
			items[n] = it
			n++
		}
	}
	clear(items[n:])
	if n == 0 {
		q.items = items[:0]
		q.open--
		return nil
	}
	q.items, q.spare = q.spare, nil
	return items[:n]
}
