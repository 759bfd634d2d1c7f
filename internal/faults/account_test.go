package faults_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A kind is what an operation does. Each leaves a trace that names the operation,
// so that how often it was executed can be read from the data, but for hit.
type kind string

const (
	hit   kind = "hit"   // INCRBY hits{tag} amount: no trace of its own, accounted by sums
	push  kind = "push"  // RPUSH journal{tag} id
	event kind = "event" // XADD events{tag} * op id
	field kind = "field" // HSETNX fields{tag} id value
	tally kind = "tally" // ZINCRBY tally{tag} 1 id
	box   kind = "box"   // SET box{tag}:worker value; each worker has its own
	entry kind = "entry" // INCRBY balance{tag} amount and HINCRBY ledger{tag} id amount, as one

	// Watch: GET stock{tag}, and as one SET stock{tag} to that and amount, and
	// HINCRBY deliveries{tag} id amount.
	delivery kind = "delivery"
)

// ledgerOf names the counter and the ledger of a kind that has them.
var ledgerOf = map[kind]struct{ counter, ledger string }{
	entry:    {"balance", "ledger"},
	delivery: {"stock", "deliveries"},
}

// An outcome is what an operation was reported to be.
type outcome string

const (
	notIssued outcome = "not issued" // its place in the program was never reached
	acked     outcome = "acknowledged"
	unknown   outcome = "unknown"
	notRun    outcome = "not run"
	pending   outcome = "pending" // for ever: a violation
	unclear   outcome = "unclear" // an error that does not say whether it ran: a violation
)

// An op is one operation that writes, and what was reported of it.
type op struct {
	id     string // push/cuts.3/w2.117: kind, tag, worker and number
	kind   kind
	tag    string // of its keys, which all have it as their hash tag
	worker int
	seq    int    // it is the worker's seq-th
	how    string // the way it goes: immediate, Run, Atomic …
	amount int64
	block  string // the Atomic it is in with others, "" if it is in none

	ordered bool // it runs in program order with the ordered others of its worker
	doomed  bool // its Run is discarded before anything of it is sent

	outcome outcome
	err     error
	reply   int64  // where the command has one
	at      string // of event: the entry's id in the stream
}

func (o *op) String() string {
	s := fmt.Sprintf("%s (%s) was reported %s", o.id, o.how, o.outcome)
	if o.err != nil {
		s += fmt.Sprintf(" [%v]", o.err)
	}
	return s
}

// A book is what the server holds under one tag.
type book struct {
	hits     int64
	accounts map[kind]account
	journal  []string
	events   []streamed
	fields   map[string]string
	tally    map[string]float64
	boxes    map[int]string // by worker
}

// An account is a counter with its ledger: what each operation has added.
type account struct {
	counter int64
	ledger  map[string]int64
}

type streamed struct{ at, id string }

// classify says what the answers to the commands of one operation mean together:
// they are executed all or none, so they must agree.
func classify(errs []error) (outcome, error) {
	if len(errs) == 0 {
		return notIssued, nil
	}
	first := classifyOne(errs[0])
	for _, err := range errs[1:] {
		if other := classifyOne(err); other != first {
			return unclear, fmt.Errorf("its commands differ: %s (%v) and %s (%v)", first, errs[0], other, err)
		}
	}
	return first, errs[0]
}

func classifyOne(err error) outcome {
	var raised *lua.Error
	var refused *pipectx.ServerError
	switch {
	case err == nil:
		return acked
	case errors.Is(err, pipectx.ErrPending):
		return pending
	case errors.Is(err, pipectx.ErrOutcomeUnknown):
		return unknown
	case errors.Is(err, pipectx.ErrNotSent), errors.Is(err, pipectx.ErrDiscarded),
		errors.Is(err, pipectx.ErrAborted), errors.Is(err, pipectx.ErrEnded), errors.Is(err, pipectx.ErrConflict):
		return notRun
	case errors.As(err, &raised), errors.As(err, &refused):
		// Each command writes once, or all of its script's writes are of the same
		// nature: an error reply means that the first one was refused.
		return notRun
	}
	return unclear
}

// executions is how often the data say that an operation was executed; what they
// say is wrong when they say anything but a whole number.
func (b *book) executions(o *op, journal, events map[string]int) (n int, wrong string) {
	switch o.kind {
	case push:
		return journal[o.id], ""
	case event:
		return events[o.id], ""
	case field:
		v, ok := b.fields[o.id]
		if !ok {
			return 0, ""
		}
		if id, err := unseal(key("fields", o.tag), v); err != nil || id != o.id {
			return 1, fmt.Sprintf("its field holds %.80q (%v)", v, err)
		}
		return 1, ""
	case tally:
		score := b.tally[o.id]
		if score != float64(int(score)) {
			return int(score), fmt.Sprintf("its score is %v", score)
		}
		return int(score), ""
	case entry, delivery:
		sum := b.accounts[o.kind].ledger[o.id]
		if sum%o.amount != 0 {
			return int(sum / o.amount), fmt.Sprintf("the ledger holds %d, its amount is %d", sum, o.amount)
		}
		return int(sum / o.amount), ""
	}
	return 0, ""
}

// audit compares what was reported with what is there, and returns what does not
// agree. lossy is for servers that may by their own design forget what they have
// acknowledged: then nothing may be doubled, half done, or done although it was
// reported as not done, and that is all.
func audit(ops []*op, books map[string]*book, lossy bool) (violations []string) {
	report := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	byTag := map[string][]*op{}
	byID := make(map[string]*op, len(ops))
	for _, o := range ops {
		byTag[o.tag] = append(byTag[o.tag], o)
		byID[o.id] = o
		switch {
		case o.outcome == pending:
			report("%v, though its Run has ended", o)
		case o.outcome == unclear:
			report("%v: that does not say whether it ran", o)
		case o.doomed && (o.outcome == acked || o.outcome == unknown):
			report("%v, though its Run was discarded before anything was sent", o)
		}
	}
	for tag, b := range books {
		a := &auditor{tag: tag, ops: byTag[tag], byID: byID, book: b, lossy: lossy, report: report}
		a.executions()
		a.sums()
		a.strangers()
		if !lossy {
			a.replies()
			a.order()
		}
		a.boxes()
	}
	return violations
}

// bumps are the operations that noticed something, where the client is to see to it
// that nobody does. It does not wait for ever for keys that are in two places.
func bumps(ops []*op) (violations []string) {
	for _, o := range ops {
		var refused *pipectx.ServerError
		var raised *lua.Error
		switch {
		case o.outcome == acked, o.outcome == notIssued, errors.Is(o.err, pipectx.ErrDiscarded), errors.Is(o.err, pipectx.ErrConflict):
		case errors.As(o.err, &refused) && refused.Code == "TRYAGAIN":
		case errors.As(o.err, &raised) && raised.Code == "TRYAGAIN":
		default:
			violations = append(violations, fmt.Sprintf("NOTICED: %v", o))
		}
	}
	return violations
}

type auditor struct {
	tag    string
	ops    []*op
	byID   map[string]*op
	book   *book
	lossy  bool
	report func(string, ...any)
}

// executions: acknowledged once means executed once.
func (a *auditor) executions() {
	journal, events := map[string]int{}, map[string]int{}
	for _, id := range a.book.journal {
		journal[id]++
	}
	for _, e := range a.book.events {
		events[e.id]++
	}
	blocks, traces := map[string]*op{}, map[string]*op{} // the first of each Atomic, and the last with a trace
	times := map[*op]int{}
	for _, o := range a.ops {
		first := blocks[o.block]
		switch {
		case o.block == "":
		case first == nil:
			blocks[o.block] = o
		case o.outcome != first.outcome:
			a.report("HALF: %v; of the same Atomic, %v", o, first)
		}
		if o.kind == hit || o.kind == box {
			continue
		}
		n, wrong := a.book.executions(o, journal, events)
		least, most := 0, 0
		switch o.outcome {
		case acked:
			least, most = 1, 1
			if a.lossy {
				least = 0
			}
		case unknown, pending, unclear:
			most = 1
		}
		times[o] = n
		if traced := traces[o.block]; o.block != "" && traced != nil && times[traced] != n {
			a.report("HALF: %v, executed %d times; of the same Atomic, %v, executed %d times", o, n, traced, times[traced])
		}
		traces[o.block] = o
		if wrong != "" {
			a.report("%v; %s", o, wrong)
		}
		switch {
		case n > most && n > 1:
			a.report("DOUBLED: %v; the data say that it was executed %d times", o, n)
		case n > most:
			a.report("EXECUTED: %v; the data say that it was executed", o)
		case n < least:
			a.report("LOST: %v; the data say that it was not executed", o)
		}
	}
}

// sums: a counter without a trace of each operation lies within what was
// acknowledged and what may have happened; one with a ledger is its sum.
func (a *auditor) sums() {
	var least, most int64
	for _, o := range a.ops {
		if o.kind != hit {
			continue
		}
		switch o.outcome {
		case acked:
			least, most = least+o.amount, most+o.amount
		case unknown, pending, unclear:
			most += o.amount
		}
	}
	if a.lossy {
		least = 0
	}
	if a.book.hits < least || a.book.hits > most {
		a.report("SUM: %s is %d; acknowledged and unknown operations allow %d to %d", key("hits", a.tag), a.book.hits, least, most)
	}
	for k, account := range a.book.accounts {
		var sum int64
		for _, amount := range account.ledger {
			sum += amount
		}
		if sum != account.counter {
			a.report("HALF: %s is %d and the entries of %s sum up to %d",
				key(ledgerOf[k].counter, a.tag), account.counter, key(ledgerOf[k].ledger, a.tag), sum)
		}
	}
}

// strangers: everything in the data is an operation of this tag and kind.
func (a *auditor) strangers() {
	check := func(id string, k kind, where string) {
		if o := a.byID[id]; o == nil || o.kind != k || o.tag != a.tag {
			a.report("STRANGER: %s holds %.80q, which nobody put there", key(where, a.tag), id)
		}
	}
	for _, id := range a.book.journal {
		check(id, push, "journal")
	}
	for _, e := range a.book.events {
		check(e.id, event, "events")
	}
	for id := range a.book.fields {
		check(id, field, "fields")
	}
	for id := range a.book.tally {
		check(id, tally, "tally")
	}
	for k, account := range a.book.accounts {
		for id := range account.ledger {
			check(id, k, ledgerOf[k].ledger)
		}
	}
}

// replies: each acknowledged operation was given its own reply and nobody else's.
func (a *auditor) replies() {
	at := map[string]string{}
	for _, e := range a.book.events {
		at[e.at] = e.id
	}
	var hits, balances []*op
	for _, o := range a.ops {
		if o.outcome != acked {
			continue
		}
		switch o.kind {
		case push:
			if o.reply < 1 || o.reply > int64(len(a.book.journal)) || a.book.journal[o.reply-1] != o.id {
				a.report("REPLY: %v with length %d; it does not stand there", o, o.reply)
			}
		case event:
			if at[o.at] != o.id {
				a.report("REPLY: %v with id %s; there stands %q", o, o.at, at[o.at])
			}
		case hit:
			hits = append(hits, o)
		case entry:
			balances = append(balances, o)
		}
	}
	a.apart("hits", hits, a.book.hits)
	a.apart("balance", balances, a.book.accounts[entry].counter)
}

// apart: a counter that only grows gives each of its increments a part of its
// own, from the reply less the amount to the reply.
func (a *auditor) apart(name string, ops []*op, now int64) {
	slices.SortFunc(ops, func(x, y *op) int { return int(x.reply - y.reply) })
	var before *op
	for _, o := range ops {
		if before != nil && o.reply-o.amount < before.reply {
			a.report("REPLY: %v with %s %d after +%d, which overlaps %v with %d", o, key(name, a.tag), o.reply, o.amount, before, before.reply)
		}
		before = o
	}
	if before != nil && before.reply > now {
		a.report("REPLY: %v with %s %d, which is %d now", before, key(name, a.tag), before.reply, now)
	}
}

// order: what one worker was acknowledged in a list stands there in program order.
func (a *auditor) order() {
	last := map[int]*op{}
	for _, id := range a.book.journal {
		o := a.byID[id]
		if o == nil || !o.ordered || o.outcome != acked {
			continue
		}
		if before := last[o.worker]; before != nil && before.seq > o.seq {
			a.report("ORDER: %v; it stands behind %v", o, before)
		}
		last[o.worker] = o
	}
}

// boxes: a box holds the last value that was acknowledged, or one of unknown
// outcome, which may be stored at any later time.
func (a *auditor) boxes() {
	last := map[int]*op{}
	for _, o := range a.ops {
		if o.kind == box && o.outcome == acked && (last[o.worker] == nil || o.seq > last[o.worker].seq) {
			last[o.worker] = o
		}
	}
	for worker, value := range a.book.boxes {
		id, err := unseal(boxKey(a.tag, worker), value)
		o := a.byID[id]
		switch want := last[worker]; {
		case err != nil || o == nil || o.kind != box:
			a.report("CORRUPT: %s holds %.80q: %v", boxKey(a.tag, worker), value, err)
		case o.outcome == notRun, o.outcome == notIssued:
			a.report("EXECUTED: %v; %s holds its value", o, boxKey(a.tag, worker))
		case want != nil && o.outcome == acked && o.seq < want.seq && !a.lossy:
			a.report("LOST: %v; %s holds the value of %s", want, boxKey(a.tag, worker), o.id)
		}
	}
	for worker, want := range last {
		if _, there := a.book.boxes[worker]; !there && !a.lossy {
			a.report("LOST: %v; %s holds nothing", want, boxKey(a.tag, worker))
		}
	}
}
