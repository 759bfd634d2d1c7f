package pipectx

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Wait adds the word that says how long the server may wait before it answers, 0
// for ever, in whole units or parts of one: seconds for BLPOP and its kind,
// milliseconds for BLOCK. It makes the command one that blocks:
//
//   - Send runs it at once, on a connection that nobody shares meanwhile. Inside a
//     Run, where it would hold up all others, it is refused.
//   - The answer is read for as long as the server may wait, whatever the client's
//     ReadTimeout.
//   - When ctx ends, the server is told to let go (CLIENT UNBLOCK), and its last
//     answer is waited for: either it was in time, and is the result, or nothing
//     was taken. So nothing that was popped is lost, unless no answer comes within
//     half a second: [ErrOutcomeUnknown]. Where the server cannot be told so,
//     as the embedded one, it is asked anew every 50 ms.
//
// If ctx can end, CLIENT ID goes before the command, which is one more round trip.
// Hooks that the client had before New see both.
func (c *Command) Wait(d, unit time.Duration) {
	switch {
	case d < 0:
		c.Fail(fmt.Errorf("pipectx: %s %s: cannot wait for %v; give a time, or 0 for ever", c.name(), c.key(), d))
	case d > 0 && d < time.Millisecond:
		c.Fail(fmt.Errorf("pipectx: %s %s: cannot wait for %v: servers count milliseconds; give at least one, or 0 for ever", c.name(), c.key(), d))
	}
	c.wait = &wait{d: d, unit: unit, at: len(c.ends)}
	c.Word(c.wait.word(d))
}

// A wait is what a command that blocks has more than others. Why it goes as it does:
// docs/decisions/0018-who-waits-is-told-to-let-go.md.
type wait struct {
	d, unit time.Duration
	at      int // which word says it

	asked chan int64    // the connection's CLIENT ID, 0 if it has none
	done  chan struct{} // closed with the last answer
}

func (w *wait) word(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Milliseconds())/float64(w.unit.Milliseconds()), 'f', -1, 64)
}

const (
	slice    = 50 * time.Millisecond  // how long a server waits at a time that cannot be told to let go
	patience = 500 * time.Millisecond // for the answer of one that was told
	grace    = 10 * time.Second       // for the answer of one whose time is up, as go-redis has it
)

var errLetGo = errors.New("nothing came before the context ended")

// waitFor runs a command that blocks.
func (h *DB) waitFor(ctx context.Context, c *Command, slot int, ref settler) {
	w := *c.wait // the Command is used again
	w.asked, w.done = make(chan int64, 1), make(chan struct{})
	var items [1]item
	c.become(&items[0], h.conn, slot, new(arena), ref)
	items[0].waits = true
	h.flush(&waitContext{ctx, &w}, items[:], 0, nil)
}

// waitContext carries a wait to its batch.
type waitContext struct {
	context.Context
	wait *wait
}

// A waitWire is sent by a connection of its own. It goes through the client, whose
// hooks see it, and dialHook takes it out again: a clone with another ReadTimeout has
// no hooks, and the time to read is not to be set any other way.
type waitWire struct {
	rawWire
	by executor
}

// exec sends the command, and returns when it is answered. It goes on when its caller
// has left.
func (w *wait) exec(ctx context.Context, b *batch) error {
	timeout := w.d + grace
	if w.d == 0 {
		timeout = 0 // none
	}
	client, wire := b.node.client, b.cmds[0].(*rawWire)
	by, release := hold(client.WithTimeout(timeout))
	defer release()
	cmd := &waitWire{rawWire{words: words{args: wire.args, start: wire.start}}, by}
	defer func() {
		wire.written = cmd.written
		wire.SetVal(cmd.Val())
		wire.SetErr(cmd.Err())
	}()
	if ctx.Done() == nil {
		return client.Process(ctx, cmd)
	}
	id, err := clientID(ctx, client, by)
	if err != nil {
		cmd.SetErr(err)
		return err
	}
	b.trips++
	select {
	case <-w.asked: // of the attempt before
	default:
	}
	w.asked <- id
	if id != 0 {
		err = client.Process(context.WithoutCancel(ctx), cmd) // its end is no time limit of the connection's
	} else {
		err = w.inSlices(ctx, client, cmd)
	}
	if cause := context.Cause(ctx); cause != nil {
		close(w.done) // there is no attempt after this one
		if cmd.Err() == nil && tookNothing(cmd.Val()) {
			cmd.SetVal(nil)
			cmd.SetErr(fmt.Errorf("%w: %w", errLetGo, cause))
		}
	}
	return err
}

// tookNothing tells whether a reply says that the server waited in vain.
func tookNothing(frame []byte) bool {
	r := Reply{frame: frame}
	fault := r.fault()
	return r.IsNil() || fault != nil && fault.Code == "UNBLOCKED"
}

var clientArg, idArg, unblockArg, errorArg = "CLIENT", "ID", "UNBLOCK", "ERROR"

// clientID is what the server calls the connection, 0 if it does not tell.
func clientID(ctx context.Context, client, by executor) (int64, error) {
	w := &waitWire{rawWire{words: words{args: []any{&clientArg, &idArg}}}, by}
	err := client.Process(ctx, w)
	o := w.outcome(err)
	if o.err != nil {
		return 0, o.err
	}
	id, err := Reply{frame: o.frame}.Int()
	if err != nil {
		return 0, nil //nolint:nilerr // the embedded server has no CLIENT ID, some forbid it
	}
	return id, nil
}

// inSlices asks again and again, so that it can stop in between.
func (w *wait) inSlices(ctx context.Context, client executor, cmd *waitWire) error {
	args := append([]any(nil), cmd.args...)
	cmd.args = args
	for began := time.Now(); ; {
		part := slice
		if w.d > 0 {
			part = max(min(part, w.d-time.Since(began)), time.Millisecond)
		}
		word := w.word(part)
		args[w.at] = &word
		cmd.SetVal(nil)
		cmd.SetErr(nil)
		err := client.Process(context.WithoutCancel(ctx), cmd)
		if err != nil || !(Reply{frame: cmd.Val()}).IsNil() || ctx.Err() != nil || w.d > 0 && time.Since(began) >= w.d {
			return err
		}
	}
}

// letGo has the server end the wait of a batch whose caller's context has ended. It
// returns a channel that is closed when its answer is waited for no longer.
func (w *wait) letGo(client *redis.Client) (overdue <-chan struct{}) {
	late := make(chan struct{})
	time.AfterFunc(patience, func() { close(late) })
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		var id int64
		select {
		case id = <-w.asked:
		case <-late:
		}
		for pause := time.Millisecond; id != 0; pause *= 2 {
			text := strconv.FormatInt(id, 10)
			unblock := &rawWire{words: words{args: []any{&clientArg, &unblockArg, &text, &errorArg}}}
			_ = client.Process(ctx, unblock) // if it fails, the wait is overdue
			select {
			case <-w.done:
				return
			case <-late:
				return
			case <-time.After(pause): // it was told before it began to wait
			}
		}
	}()
	return late
}
