package faults_test

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A plan is a part of a program, all of it decided before any of it runs: what
// happens to the program then decides nothing of what comes next.
type plan struct {
	shape   shape
	steps   []step
	members []*plan       // of a gathering, and of a crowd
	fail    failure       // how its function ends
	cancel  time.Duration // after which its context ends, 0 for never
	tag     string        // of an atomic: that of all its keys
}

type shape string

const (
	immediate  shape = "immediate"
	running    shape = "Run"
	begun      shape = "Begin"
	atomically shape = "Atomic"
	streaming  shape = "Stream"
	gathering  shape = "Gather"
	watching   shape = "Watch"
	crowd      shape = "immediate, with others" // goroutines side by side
)

type failure int

const (
	succeeds failure = iota
	fails
	isPoisoned
	panics
)

// A step is one of these.
type step struct {
	op    *task
	look  *look
	await bool // for the operation before it
	child *plan
	after []step // in a callback, which may have none and only look at what is resolved
}

// A task is an op that can be issued.
type task struct {
	op
	way   int // of an entry: which of the ways to do it
	value string
	refs  []func() error              // answers of its commands
	await func(context.Context) error // waits for the first of them
}

// A look is a read, which checks what it sees.
type look struct {
	way    int
	tag    string
	worker int   // whose box
	own    *task // the operation before it in the same plan
	answer func() error
	before *task // the worker's last box that was acknowledged when the plan began
}

// plan decides what to do next.
func (w *worker) plan() *plan {
	p := &plan{}
	if w.rng.Float64() < w.run.cancels {
		p.cancel = time.Duration(1+w.rng.IntN(5000)) * time.Microsecond
	}
	switch n := w.rng.IntN(100); {
	case n < 22:
		p.shape = immediate
		p.steps = []step{w.one(p.shape, true)}
	case n < 60:
		p.shape = running
		w.fill(p, 2+w.rng.IntN(49), string(running), true, 0)
	case n < 68:
		p.shape = begun
		w.fill(p, 2+w.rng.IntN(20), string(begun), true, 1)
		p.fail = min(p.fail, fails)
	case n < 80:
		p.shape, p.tag = atomically, w.tag()
		w.fillAtomic(p, string(atomically), true)
	case n < 90:
		p.shape = gathering
		w.gather(p)
	case n < 94:
		p.shape = watching
		p.steps = []step{{op: w.task(delivery, w.tag(), string(watching), false)}}
	case n < 97:
		p.shape = crowd
		for range 2 + w.rng.IntN(8) {
			p.members = append(p.members, &plan{shape: immediate, steps: []step{w.one(crowd, false)}})
		}
	default:
		p.shape = streaming
		w.stream(p)
	}
	return p
}

func (w *worker) tag() string { return w.run.tags[w.rng.IntN(len(w.run.tags))] }

// fill gives a Run its steps. depth is how deep it is.
func (w *worker) fill(p *plan, n int, how string, ordered bool, depth int) {
	awaited := false
	for range n {
		switch k := w.rng.IntN(100); {
		case k < 72:
			p.steps = append(p.steps, w.step(how, ordered, ""))
		case k < 80:
			p.steps = append(p.steps, step{look: w.look("", last(p.steps))})
		case k < 84 && last(p.steps) != nil:
			p.steps = append(p.steps, step{await: true})
			awaited = true
		case k < 89 && depth < 3:
			c := &plan{shape: running}
			w.fill(c, 1+w.rng.IntN(6), how+" in Run", ordered, depth+1)
			p.steps = append(p.steps, step{child: c})
			awaited = awaited || awaits(c.steps)
		case k < 94:
			c := &plan{shape: atomically, tag: w.tag()}
			w.fillAtomic(c, how+" with Atomic", ordered)
			p.steps = append(p.steps, step{child: c})
		case k < 97:
			p.steps = append(p.steps, step{after: []step{w.step(how+", After", false, ""), w.step(how+", After", false, "")}})
		}
	}
	if chance := w.rng.IntN(100); depth > 0 && chance < 30 || chance < 6 {
		p.fail = fails + failure(w.rng.IntN(3))
		if !awaited {
			doom(p.steps)
		}
	}
}

// fillAtomic gives an Atomic entries and other operations, all of one tag.
//
// Where slots move it may run after what comes later in its pipeline: its keys are
// in two places then, and it must wait for the end of that.
func (w *worker) fillAtomic(p *plan, how string, ordered bool) {
	ordered = ordered && !w.run.moves
	for range 1 + w.rng.IntN(4) {
		p.steps = append(p.steps, w.step(how, ordered, p.tag))
	}
	p.steps = append(p.steps, step{op: w.task(entry, p.tag, how, ordered)})
	for _, s := range p.steps {
		s.op.block = fmt.Sprintf("w%d.%d", w.n, w.seq)
	}
	if w.rng.IntN(10) == 0 {
		p.fail = fails
		doom(p.steps)
	}
}

// gather gives a Gather members that await what they ask for.
func (w *worker) gather(p *plan) {
	for range 2 + w.rng.IntN(5) {
		m := &plan{shape: running}
		for range 1 + w.rng.IntN(3) {
			m.steps = append(m.steps, w.one(gathering, false), w.one(gathering, false))
			if last(m.steps) != nil {
				m.steps = append(m.steps, step{await: true})
			}
		}
		if w.rng.IntN(8) == 0 {
			m.fail = fails
		}
		p.members = append(p.members, m)
	}
}

// stream gives a Stream more than one chunk, now and then by large values.
func (w *worker) stream(p *plan) {
	large := w.rng.IntN(4) == 0
	for i := range 20 + w.rng.IntN(200) {
		if large && i%8 == 0 {
			p.steps = append(p.steps, step{op: w.box(w.tag(), string(streaming), 100_000)})
			continue
		}
		if s := w.step(string(streaming), true, ""); w.rng.IntN(10) == 0 {
			p.steps = append(p.steps, s, step{after: nil})
		} else {
			p.steps = append(p.steps, s)
		}
	}
	if w.rng.IntN(8) == 0 {
		p.fail = fails
	}
}

// one is an operation or, now and then, a read.
func (w *worker) one(how shape, ordered bool) step {
	if w.rng.IntN(4) == 0 {
		return step{look: w.look("", nil)}
	}
	return w.step(string(how), ordered, "")
}

// step is an operation of any kind, on the tag if there is one.
func (w *worker) step(how string, ordered bool, tag string) step {
	kinds := []kind{hit, hit, push, push, event, field, tally, entry, entry, box}
	k := kinds[w.rng.IntN(len(kinds))]
	if tag == "" {
		tag = w.tag()
	}
	if k == box && ordered {
		size := w.rng.IntN(200)
		if w.rng.IntN(20) == 0 {
			size = w.rng.IntN(20_000)
		}
		return step{op: w.box(tag, how, size)}
	} else if k == box {
		k = push
	}
	return step{op: w.task(k, tag, how, ordered)}
}

func (w *worker) task(k kind, tag, how string, ordered bool) *task {
	w.seq++
	if w.coalesces {
		how += ", Coalesce"
	}
	t := &task{op: op{
		id: opID(k, tag, w.n, w.seq), kind: k, tag: tag, worker: w.n, seq: w.seq, how: how,
		amount: 1 + w.rng.Int64N(9), ordered: ordered,
	}, way: w.rng.IntN(3)}
	if k == field {
		t.value = seal(key("fields", tag), t.id, w.rng.IntN(40), w.rng)
	}
	return t
}

func (w *worker) box(tag, how string, size int) *task {
	t := w.task(box, tag, how, true)
	t.value = seal(boxKey(tag, w.n), t.id, size, w.rng)
	w.run.issued.Store(t.id, &t.op)
	return t
}

// keptFields is how many acknowledged fields a worker remembers, to read them.
const keptFields = 50

func (w *worker) look(tag string, own *task) *look {
	if tag == "" {
		tag = w.tag()
	}
	l := &look{way: w.rng.IntN(6), tag: tag, worker: w.rng.IntN(w.run.workers), own: own}
	pick := w.rng.IntN(keptFields) // also where it is not used: what was acknowledged must not move what comes next
	switch {
	case own != nil && own.kind == box: // what was written just before
		l.way, l.tag, l.worker = w.rng.IntN(2), own.tag, w.n
	case l.way == 2 && len(w.kept) > 0:
		l.own = w.kept[pick%len(w.kept)]
		l.tag = l.own.tag
	default:
		l.own = nil
	}
	return l
}

// last is the operation at the end of steps, or nil.
func last(steps []step) *task {
	if len(steps) == 0 {
		return nil
	}
	return steps[len(steps)-1].op
}

func awaits(steps []step) bool {
	return slices.ContainsFunc(steps, func(s step) bool { return s.await || s.child != nil && awaits(s.child.steps) })
}

// doom marks operations that nothing may come of.
func doom(steps []step) {
	for _, s := range steps {
		if s.op != nil {
			s.op.doomed = true
		}
		if s.child != nil {
			doom(s.child.steps)
		}
		doom(s.after)
	}
}
