package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	errWanted = errors.New("wanted")
	errPoison = errors.New("the value cannot be encoded")
)

// A worker makes plans, carries them out, and remembers what became of them.
type worker struct {
	n         int
	run       *run
	db        *pipectx.DB
	coalesces bool
	rng       *rand.Rand
	seq       int

	ops   []*op
	boxes map[string]*task // by tag: the last that was acknowledged
	kept  []*task          // some fields that were acknowledged
}

// A run is one scenario under way, as the workers see it.
type run struct {
	name    string
	tags    []string
	workers int
	cancels float64 // how many contexts end early
	lossy   bool
	moves   bool // slots move

	issued sync.Map // id of a box → *op: who may be read
	counts counts
	mu     sync.Mutex
	wrong  []string
}

type counts struct{ ops, acked, unknown, notRun, reads, failedReads, faults atomic.Int64 }

func (r *run) report(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *run) violations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.wrong)
}

// work carries out plan after plan until ctx ends. That ends no plan under way.
func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		p := w.plan()
		w.carryOut(p)
		w.settle(p)
	}
}

// carryOut runs a plan on a context of its own.
func (w *worker) carryOut(p *plan) {
	ctx := context.Background()
	if p.cancel > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.cancel)
		defer cancel()
		defer w.prompt(p, time.Now())
		w.run.counts.faults.Add(1)
	}
	defer func() {
		if r := recover(); r != nil && r != errWanted {
			panic(r)
		}
	}()
	r := &reach{w: w}
	var err error
	switch p.shape {
	case immediate, watching:
		_ = r.steps(ctx, p) // its Ref tells
		return
	case crowd:
		var all sync.WaitGroup
		for _, m := range p.members {
			all.Go(func() { _ = (&reach{w: w}).steps(ctx, m) })
		}
		all.Wait()
		return
	case running:
		err = pipectx.Run(ctx, w.db, func(ctx context.Context) error { return r.steps(ctx, p) })
	case atomically:
		err = pipectx.Atomic(ctx, w.db, func(ctx context.Context) error { return r.steps(ctx, p) })
	case streaming:
		err = pipectx.Stream(ctx, w.db, func(ctx context.Context) error { return r.steps(ctx, p) })
	case begun:
		err = w.begin(ctx, p, r)
	case gathering:
		err = pipectx.Gather(ctx, w.db, func(g *pipectx.Group) error {
			for _, m := range p.members {
				r := &reach{w: w}
				g.Go(func(ctx context.Context) error { return r.steps(ctx, m) })
			}
			return nil
		})
	}
	w.silence(p, r, err)
}

// prompt: who cancels a context does not wait for the server. On a machine that is
// busy he may wait for his turn.
func (w *worker) prompt(p *plan, start time.Time) {
	if took := time.Since(start); took > p.cancel+5*time.Second {
		w.run.report("SLOW: a %s returned after %v, its context ended after %v", p.shape, took, p.cancel)
	}
}

func (w *worker) begin(ctx context.Context, p *plan, r *reach) error {
	ctx, pipeline, err := pipectx.Begin(ctx, w.db)
	if err != nil {
		return err
	}
	defer pipeline.Discard()
	if err := r.steps(ctx, p); err != nil {
		return err
	}
	return pipeline.Exec()
}

// silence: a Run that reports nothing has nothing to report. A Stream's Then and
// an Await take a failure upon them.
func (w *worker) silence(p *plan, r *reach, err error) {
	if err != nil {
		return
	}
	if p.fail != succeeds {
		w.run.report("SILENT: a %s was to fail and answers nil", p.shape)
	}
	for _, t := range r.tasks {
		for _, answer := range t.refs {
			if err := answer(); err != nil && !r.handled[t] {
				w.run.report("SILENT: its %s answers nil, and %s: %v", p.shape, t.id, err)
			}
		}
	}
	for _, c := range r.calls {
		if n := c.Load(); n != 1 {
			w.run.report("CALLBACK: of a %s that answers nil, one ran %d times", p.shape, n)
		}
	}
}

// A reach is how far a plan has got.
type reach struct {
	w       *worker
	tasks   []*task
	handled map[*task]bool
	calls   []*atomic.Int64 // how often each callback ran
}

// steps issues what a plan has, and ends as it says.
func (r *reach) steps(ctx context.Context, p *plan) error {
	var before *task
	for _, s := range p.steps {
		switch {
		case s.op != nil:
			before = s.op
			s.op.issue(ctx, r.w.db)
			r.tasks = append(r.tasks, s.op)
		case s.look != nil:
			r.w.issue(ctx, s.look)
		case s.await:
			if before.await == nil { // nothing was issued
				continue
			}
			if r.handled == nil {
				r.handled = map[*task]bool{}
			}
			r.handled[before] = true
			if err := before.await(ctx); err != nil {
				return err
			}
		case s.child != nil:
			if err := r.child(ctx, s.child); err != nil {
				return err
			}
		default:
			if err := r.after(ctx, s.after, before); err != nil {
				return err
			}
		}
	}
	switch p.fail {
	case fails:
		return errWanted
	case isPoisoned:
		c := pipectx.NewCommand("SET")
		c.Fail(errPoison)
		pipectx.Send(ctx, r.w.db, c, pipectx.Reply.OK)
	case panics:
		panic(errWanted)
	}
	return nil
}

// child runs a plan within another.
func (r *reach) child(ctx context.Context, p *plan) (err error) {
	defer func() {
		if caught := recover(); caught != nil && caught != errWanted {
			panic(caught)
		}
	}()
	at := len(r.tasks)
	calls := len(r.calls)
	open := pipectx.Run
	if p.shape == atomically {
		open = pipectx.Atomic
	}
	err = errWanted // of a panic
	defer func() {
		if p.fail == succeeds && err == nil {
			return
		}
		r.tasks, r.calls = r.tasks[:at], r.calls[:calls] // discarded: nobody reports them
		if err == nil {
			r.w.run.report("SILENT: a %s within another was to fail and answers nil", p.shape)
		}
		if errors.Is(err, errWanted) || errors.Is(err, errPoison) {
			err = nil // the one around it goes on
		}
	}()
	err = open(ctx, r.w.db, func(ctx context.Context) error { return r.steps(ctx, p) })
	return err
}

// after registers a callback that issues more, and checks that everything before
// it is resolved by then.
func (r *reach) after(ctx context.Context, steps []step, before *task) error {
	ran := new(atomic.Int64)
	call := func(ctx context.Context) error {
		if ran.Add(1) > 1 {
			r.w.run.report("CALLBACK: one ran twice")
		}
		if before != nil {
			for _, answer := range before.refs {
				if errors.Is(answer(), pipectx.ErrPending) {
					r.w.run.report("PENDING: %s in a callback behind it", before.id)
				}
			}
		}
		for _, s := range steps {
			s.op.issue(ctx, r.w.db)
			r.tasks = append(r.tasks, s.op)
		}
		return nil
	}
	if err := pipectx.After(ctx, call); err != nil {
		return err
	}
	r.calls = append(r.calls, ran)
	return nil
}

// settle reads all Refs of a plan that has ended.
func (w *worker) settle(p *plan) {
	w.settleOps(p)
	w.settleLooks(p)
}

func (w *worker) settleOps(p *plan) {
	for _, m := range p.members {
		w.settleOps(m)
	}
	w.settleSteps(p.steps)
}

func (w *worker) settleSteps(steps []step) {
	for _, s := range steps {
		if s.child != nil {
			w.settleOps(s.child)
		}
		w.settleSteps(s.after)
		if s.op == nil {
			continue
		}
		t := s.op
		errs := make([]error, len(t.refs))
		for i, answer := range t.refs {
			errs[i] = answer()
			if errors.Is(errs[i], errReply) {
				w.run.report("REPLY: %s (%s): %v", t.id, t.how, errs[i])
				errs[i] = nil
			}
		}
		t.outcome, t.err = classify(errs)
		w.count(t)
		o := t.op // without what only the task needs
		w.ops = append(w.ops, &o)
		if t.kind == box {
			w.run.issued.Store(o.id, &o)
			if o.outcome == acked {
				w.boxes[t.tag] = t
			}
		}
		if t.kind == field && t.outcome == acked && !w.run.lossy {
			if len(w.kept) < keptFields {
				w.kept = append(w.kept, t)
			} else {
				w.kept[w.seq%keptFields] = t
			}
		}
	}
}

func (w *worker) count(t *task) {
	c := &w.run.counts
	if t.outcome != notIssued {
		c.ops.Add(1)
	}
	switch t.outcome {
	case acked:
		c.acked.Add(1)
	case unknown:
		c.unknown.Add(1)
	case notRun:
		c.notRun.Add(1)
	}
}

func (w *worker) settleLooks(p *plan) {
	for _, m := range p.members {
		w.settleLooks(m)
	}
	for _, s := range p.steps {
		if s.child != nil {
			w.settleLooks(s.child)
		}
		if s.look == nil || s.look.answer == nil {
			continue
		}
		w.run.counts.reads.Add(1)
		switch err := s.look.answer(); {
		case errors.Is(err, errRead):
			w.run.report("READ: %v", err)
		case errors.Is(err, pipectx.ErrPending):
			w.run.report("PENDING: a read of %s, though its %s has ended", s.look.tag, p.shape)
		case err != nil && !errors.Is(err, pipectx.ErrNotFound):
			w.run.counts.failedReads.Add(1)
		}
	}
}
