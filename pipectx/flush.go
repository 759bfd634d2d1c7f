package pipectx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// A flush sends items and settles every Ref, whatever happens. It goes in
// attempts:
//
//	items ──route──▶ one batch a node ──send, in parallel──▶ judge each reply
//	  ▲                                                           │
//	  └───── again: moved, asking, no script, loading, ───────────┤
//	         not sent, a read whose answer was lost               ▼
//	                                                           settled
//
// A batch keeps program order, and so do the items sent again: those of one key
// always travel in one batch, so a redirection cannot swap them. What an outcome
// means is in retry.go.
//
// Everything is sent as raw commands that go-redis does not retry. Its own
// retries resend a whole pipeline when a timeout lost one reply (an INCR then
// runs four times), look at the first reply only, and lose the alignment of
// replies after an error nested in a script's array.

// A chunk is what goes out before its replies are read. Larger ones can block
// for good, both sides writing into full buffers.
const (
	chunkCommands = 10_000
	chunkBytes    = 1 << 20
)

// A batch is what one node gets in one attempt. While it is under way it
// belongs to the goroutine that delivers it.
type batch struct {
	node     *node
	watch    *watch // whose connection it goes by, if it is the Atomic of a Watch
	wait     *wait  // of its only command, if that blocks
	items    []int  // indices, in program order
	outcomes []outcome
	lost     *outcome // the caller went away: the outcome of all
	start    start

	cmds                    []redis.Cmder // scratch of chunk, made of wires
	wires                   wires
	at                      []int
	trips, loads, sent, got int
	failed                  bool // something has no reply
	ran                     int  // 1 + the last item that has run; 0 if that was not asked yet
}

type outcome struct {
	frame    []byte // the reply, if err is nil
	err      error
	text     bool // frame is a text itself, without what says so on the wire
	unsent   bool // err came before the first byte of the command was written
	executed bool // the outcome is final: an element of EXEC's reply
	behind   risk // what of which nothing is known stands behind it in the batch
}

// Batches, lists of items and arenas are used again: a pipeline of a hundred
// commands would leave 40 KB of garbage otherwise, and its time would go to the
// collector. Those of a flush whose caller went away are not, since a goroutine
// may still read them.
var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) free() {
	clear(b.outcomes)
	b.wires.reset()
	*b = batch{items: b.items[:0], outcomes: b.outcomes[:0], wires: b.wires, cmds: b.cmds[:0], at: b.at[:0]}
	batches.Put(b)
}

// flush sends items. It returns false if they are still in use. The nodes that are
// dead get nothing more, since their connection failed; the map is nil outside of
// Stream.
func (d *db) flush(ctx context.Context, items []item, wave int, dead map[*node]bool) (free bool) {
	f := flight{ctx: ctx, db: d, items: items, dead: dead, free: true, heard: d.coalesce || len(d.observers) > 0, stats: Flush{Commands: len(items), Wave: wave}}
	if d.closed.Load() {
		for i := range items {
			f.settle(i, verdict{err: ErrClosed})
		}
		return true
	}
	// A decoder that panics is the caller's mistake, and goes on up when all
	// others have their answers.
	done := false
	defer func() {
		if !done { // a decoder has called runtime.Goexit
			f.settleRest()
		}
		if f.raised != nil {
			panic(f.raised)
		}
	}()
	if len(d.observers) > 0 {
		f.stats.Command = f.command() // now: words of settled items may be used again
		defer f.observe(time.Now())
	}
	for more := true; more; {
		more = f.attempt()
	}
	done = true
	return f.free
}

// observe tells the observers, also when a decoder panics.
func (f *flight) observe(start time.Time) {
	f.stats.Start, f.stats.Duration = start, time.Since(start)
	for _, o := range f.db.observers {
		tell(func() { o.Flushed(f.ctx, f.stats) })
	}
}

// command is the name that all commands have, "" if they differ.
func (f *flight) command() string {
	name := f.items[0].word(0)
	for i := range f.items {
		if f.items[i].word(0) != name {
			return ""
		}
	}
	return strings.Clone(strings.ToUpper(name))
}

// A flight is a flush under way.
type flight struct {
	ctx                context.Context
	db                 *db
	items              []item
	dead               map[*node]bool
	again              []int // those to be sent once more, in program order
	retries, redirects int
	wait, redirected   bool  // of this attempt: why something is sent again
	before             error // what failed, and was tried again
	stats              Flush
	heard              bool // somebody wants to know of each answer
	free               bool
	raised             any
}

// attempt sends what is to be sent and tells whether something is to be sent
// again.
func (f *flight) attempt() bool {
	first := f.stats.Attempts == 0
	if err := context.Cause(f.ctx); err != nil {
		err = fmt.Errorf("%w: %w", ErrNotSent, err)
		if first {
			for i := range f.items {
				f.settle(i, verdict{err: err})
			}
		}
		for _, i := range f.again { // those of Resend may have run: see settle
			f.settle(i, verdict{err: err})
		}
		return false
	}
	var most [2]*batch // most rounds have one
	round := f.route(most[:0], first)
	if !f.db.sequential {
		send(f.ctx, f.items, round)
	} else {
		for _, part := range f.parts(round) {
			send(f.ctx, f.items, part)
		}
	}
	f.stats.Attempts++
	if first {
		f.stats.Connections = len(round)
	}
	f.again = f.again[:0]
	f.wait, f.redirected = false, false
	for _, b := range round {
		if f.dead != nil && b.node != nil && b.broken(f.items) {
			f.dead[b.node] = true
		}
		f.stats.RoundTrips += b.trips
		f.stats.ScriptLoads += b.loads
		f.stats.BytesOut += int64(b.sent)
		f.stats.BytesIn += int64(b.got)
		for n := 0; n < len(b.items); {
			n = f.harvest(b, n)
		}
		if b.lost == nil {
			b.free()
		} else {
			f.free = false
		}
	}
	slices.Sort(f.again)
	switch {
	case f.wait:
		f.retries++
		sleep(f.ctx, backoff(f.retries))
	case f.redirected:
		f.redirects++
		if f.redirects > 1 { // the migration is under way
			sleep(f.ctx, backoff(f.redirects-1))
		}
	}
	return len(f.again) > 0
}

// harvest settles what a batch brought, from item n on, or marks it to be sent
// again. It ends early where a decoder panics, and keeps what that raised.
func (f *flight) harvest(b *batch, n int) (next int) {
	defer func() {
		if n < len(b.items) {
			raised := recover()
			it := &f.items[b.items[n]]
			it.ref.fail(decoderEnded(raised))
			if c, ok := it.ref.(*call); ok { // it is raised where the verb was called
				c.raised = raised
			} else {
				f.raised = raised
			}
			f.settled(it)
			next = n + 1
		}
	}()
	for ; n < len(b.items); n++ {
		it := &f.items[b.items[n]]
		o := b.outcome(n)
		if o.err == nil && o.isResult() { // most are
			it.answer(o)
			f.settled(it)
			continue
		}
		v := it.judge(o, b)
		if b.lost != nil || b.watch != nil || v.inOrder && b.lastRun(f.items) > n && !it.alone() {
			v.again = final
		}
		switch {
		case v.again == later && f.retries < maxRetries:
			f.wait, f.before = true, v.err
		case v.again == redirect && f.redirects < maxRedirects:
			f.redirected = true
			it.goTo, it.asking = v.goTo, v.asking
			if v.noScript {
				it.noScript++
				b.node.known.forget()
			}
			if v.goTo != "" && !v.asking {
				it.conn.cluster.ReloadState(f.ctx) // in the background, once for many calls
			}
		default:
			v.from = b.node
			f.settle(b.items[n], v)
			continue
		}
		it.unsure = it.unsure || !it.read && o.err != nil && !o.unsent
		f.again = append(f.again, b.items[n])
	}
	return n
}

// decoderEnded is the answer of a Ref whose decoder did not return.
func decoderEnded(raised any) error {
	if raised == nil {
		return errors.New("pipectx: the decoder called runtime.Goexit")
	}
	return fmt.Errorf("pipectx: the decoder panicked: %v", raised)
}

// settleRest fails what has no answer.
func (f *flight) settleRest() {
	for i := range f.items {
		if it := &f.items[i]; it.ref != nil && !it.ref.outcome().done.Load() {
			it.ref.fail(fmt.Errorf("%w: the decoder of another command ended the goroutine", ErrOutcomeUnknown))
			f.settled(it)
		}
	}
}

func (f *flight) settle(i int, v verdict) {
	if it := &f.items[i]; it.unsure && errors.Is(v.err, ErrNotSent) { // not again, but it may have run before
		v.err = fmt.Errorf("%w: %v", ErrOutcomeUnknown, v.err)
		if cause := context.Cause(f.ctx); cause != nil {
			v.err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, cause)
		}
	}
	if cause := context.Cause(f.ctx); f.before != nil && cause != nil && errors.Is(v.err, cause) {
		v.err = fmt.Errorf("%w; before that: %v", v.err, f.before) // a deadline alone would not say why
	}
	f.items[i].settle(f.ctx, v)
	f.settled(&f.items[i])
}

// settled counts an item that has its answer, and wakes its caller if one waits
// for it alone.
func (f *flight) settled(it *item) {
	if !f.heard {
		return
	}
	if failure(it.ref.outcome().err) {
		f.stats.Failed++
	}
	if c, ok := it.ref.(*call); ok {
		it.ref = nil // the call is its caller's from here on
		c.ready <- struct{}{}
	}
}

// reply is that of a command whose outcome has no error.
func (o *outcome) reply() Reply { return Reply{frame: o.frame, whole: true, text: o.text} }

// size is how many bytes came over the wire.
func (o *outcome) size() int {
	if o.text {
		return len("$\r\n\r\n") + len(strconv.Itoa(len(o.frame))) + len(o.frame)
	}
	return len(o.frame)
}

// isResult tells whether a reply is no error, and nothing stands before it.
func (o *outcome) isResult() bool {
	return o.text || o.frame[0] != failed && o.frame[0] != blobFail && o.frame[0] != attrs
}

// send sends all batches in parallel and returns when all are answered or ctx
// has ended. go-redis does not watch ctx while it reads, so that is done here:
// what is under way then goes on behind our back, with arguments that nobody
// changes, and its commands have an unknown outcome.
func send(ctx context.Context, items []item, round []*batch) {
	live := 0
	var only *batch
	for _, b := range round {
		if b.node != nil {
			only = b
			live++
		}
	}
	if live == 0 {
		return
	}
	if err := context.Cause(ctx); err != nil { // while another connection was flushed
		for _, b := range round {
			for b.node != nil && len(b.outcomes) < len(b.items) {
				b.outcomes = append(b.outcomes, outcome{err: fmt.Errorf("%w: %w", ErrNotSent, err), unsent: true})
			}
		}
		return
	}
	if live == 1 && ctx.Done() == nil {
		only.deliverBy(ctx, items)
		return
	}
	answers := make(chan *batch, live)
	for _, b := range round {
		if b.node != nil {
			go func() {
				b.deliverBy(ctx, items)
				answers <- b
			}()
		}
	}
	var back []*batch
	for ended := ctx.Done(); len(back) < live; {
		select {
		case b := <-answers:
			back = append(back, b)
		case <-ended:
			if only.wait != nil && ended == ctx.Done() && !only.start.callOff() {
				ended = only.wait.letGo(only.node.client)
				continue
			}
			for n, b := range round {
				if b.node != nil && !slices.Contains(back, b) {
					// Its own fields are the goroutine's: a stand-in has the outcome.
					lost, trips := outcome{err: context.Cause(ctx)}, 1
					if b.start.callOff() {
						lost, trips = outcome{err: fmt.Errorf("%w: %w", ErrNotSent, lost.err), unsent: true}, 0
					}
					round[n] = &batch{items: b.items, lost: &lost, trips: trips}
				}
			}
			return
		}
	}
}
