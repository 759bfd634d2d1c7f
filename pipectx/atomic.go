package pipectx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Atomic is [Run] whose commands are executed by one server without anything
// in between: they go as MULTI … EXEC, a block at its place in the pipeline,
// inside another Run too. Atomic inside Atomic joins it.
//
//	err := pipectx.Atomic(ctx, db, func(ctx context.Context) error {
//		from = balances.IncrBy(ctx, 1, -5)
//		to = balances.IncrBy(ctx, 2, 5)
//		return nil
//	})
//
// Redis does not roll back: when one of the commands fails while the block runs,
// the others have been executed. A command that the server refuses to queue
// (unknown, wrong number of arguments) keeps the block from running, and the
// others answer [ErrAborted]. Scripts always take their body along, so that no
// block is executed in part for lack of one.
//
// All keys must be in one slot of a Cluster: a [*CrossSlotError] names both
// keys, before anything is sent. All commands must be for one connection. [Await]
// inside is refused: the results are there when the block has run. What
// callbacks queue goes as the next wave, outside of the block.
//
// Cost: MULTI and EXEC; 2 commands, none when nothing was queued or inside another
// Atomic; the round trips of [Run], in which they go along.
func Atomic(ctx context.Context, db *DB, fn func(ctx context.Context) error) error {
	watch, err := db.watched(ctx)
	if err != nil {
		return err
	}
	s, err := db.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	s.makeAtomic()
	if watch != nil {
		s.block = watch.block()
	}
	if err := s.enter(ctx, fn); err != nil {
		return err
	}
	return s.commit(ctx)
}

// ErrAborted is the answer of a command of an Atomic that was not executed,
// because the server refused another one of the same Atomic.
var ErrAborted = errors.New("not executed: the server refused another command of the same Atomic")

var errAwaitInAtomic = errors.New("pipectx: Await inside Atomic: its commands run together when it ends; read before it, or write a script")

// A block is the commands of one Atomic.
type block struct {
	conn *conn  // of its first command
	slot int    // of its keys on a Cluster, -1 before the first
	key  string // that key

	watch *watch // it is the Atomic of
}

// makeAtomic makes a new scope a block, unless it is within one.
func (s *scope) makeAtomic() {
	s.root.mu.Lock()
	defer s.root.mu.Unlock()
	if s.within() == nil {
		s.block = &block{slot: -1}
	}
}

// within returns the block that the scope is in, or nil. The caller holds
// root.mu.
func (s *scope) within() *block {
	for at := s; at != nil; at = at.parent {
		if at.block != nil {
			return at.block
		}
	}
	return nil
}

// admit checks a command that is to join the block.
func (b *block) admit(conn *conn, c *Command, slot int) error {
	switch {
	case b.conn == nil:
		b.conn = conn
	case b.conn != conn:
		return fmt.Errorf("pipectx: %s: the commands of an Atomic are for one connection, and this is another's", c.name())
	}
	switch {
	case slot < 0:
	case b.slot < 0:
		b.slot, b.key = slot, c.key()
	case b.slot != slot:
		return &CrossSlotError{Command: "Atomic", Key1: b.key, Slot1: b.slot, Key2: c.key(), Slot2: slot}
	}
	return nil
}

// refit forgets what a discarded part of the block has decided: its connection and
// slot are those of the commands that are left. The caller holds root.mu.
func (b *block) refit(items []item) {
	if b == nil || b.watch != nil { // then the watched keys decide
		return
	}
	*b = block{slot: -1}
	for i := range items {
		it := &items[i]
		if it.ref == nil || it.block != b {
			continue
		}
		b.conn = it.conn
		if it.slot >= 0 && b.slot < 0 {
			b.slot, b.key = int(it.slot), strings.Clone(it.word(int(it.key)))
		}
	}
}

// Words of MULTI and EXEC.
var (
	multiWord, execWord = "MULTI", "EXEC"
	multiArgs, execArgs = []any{&multiWord}, []any{&execWord}
)

// settleBlock gives the commands of a block their outcomes, from the replies to
// MULTI, to each of them when it was queued, and to EXEC. risk is what they have
// among them.
func settleBlock(outcomes []outcome, multi outcome, exec outcome, risk risk) {
	all := func(o outcome) {
		for i := range outcomes {
			outcomes[i] = o
		}
	}
	if exec.err != nil {
		exec.behind = risk // one sent again alone would not be part of the block
		all(exec)
		return
	}
	reply := Reply{frame: withoutAttributes(exec.frame), whole: true}
	if reply.IsNil() {
		all(outcome{err: ErrConflict, unsent: true, executed: true})
		return
	}
	refused := func(o outcome) bool { return bytes.HasPrefix(o.frame, []byte{failed}) }
	queued := len(outcomes)
	for _, o := range outcomes {
		if refused(o) {
			queued--
		}
	}
	// The embedded server runs the others when it has refused to queue one.
	if items, err := reply.Items(); err == nil && items.Len() == queued {
		for i := range outcomes {
			if refused(outcomes[i]) {
				outcomes[i].executed = true
				continue
			}
			items.Next()
			outcomes[i] = outcome{frame: items.Reply().frame, text: items.Reply().text, executed: true}
		}
		return
	}
	if fault := reply.fault(); fault == nil || fault.Code != "EXECABORT" {
		all(exec) // -MOVED and the like: nothing ran; or a reply of no known kind
		return
	}
	// The server refused to queue something. If that is a reason to try again,
	// it is one for all of them.
	aborted := outcome{err: fmt.Errorf("%w (%v)", ErrAborted, reply.Err()), unsent: true, executed: true}
	for i := -1; i < len(outcomes); i++ {
		o := multi
		if i >= 0 {
			o = outcomes[i]
		}
		if fault := (Reply{frame: o.frame}).fault(); fault != nil {
			aborted.err = fmt.Errorf("%w: %w", ErrAborted, fault)
			if provesNotRun(fault) {
				all(o)
				return
			}
		}
	}
	for i := range outcomes {
		if !refused(outcomes[i]) {
			outcomes[i] = aborted
		}
	}
}
