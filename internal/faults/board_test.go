package faults_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A board tells how far the scenarios are, and how they ended.
type board struct {
	start time.Time
	mu    sync.Mutex
	rows  []*row
}

type row struct {
	name  string
	run   *run
	board *board
	ended bool
	wrong int
}

func newBoard() *board { return &board{start: time.Now()} }

func (b *board) add(name string, r *run) *row {
	b.mu.Lock()
	defer b.mu.Unlock()
	row := &row{name: name, run: r, board: b}
	b.rows = append(b.rows, row)
	return row
}

func (r *row) end(wrong int) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	r.ended, r.wrong = true, wrong
}

// tell prints a line a second until the test ends.
func (b *board) tell(t *testing.T) {
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		every := time.NewTicker(time.Second)
		defer every.Stop()
		for {
			select {
			case <-done:
				return
			case <-every.C:
				fmt.Println(b.line())
			}
		}
	}()
}

// line is what has happened so far, in all scenarios.
func (b *board) line() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ops, acked, unknown, notRun, faults int64
	var now []string
	for _, r := range b.rows {
		c := &r.run.counts
		ops, acked, unknown = ops+c.ops.Load(), acked+c.acked.Load(), unknown+c.unknown.Load()
		notRun, faults = notRun+c.notRun.Load(), faults+c.faults.Load()
		if !r.ended {
			now = append(now, r.name)
		}
	}
	return fmt.Sprintf("%4.0fs  %d operations: %d acknowledged, %d unknown, %d not run; %d faults  (%s)",
		time.Since(b.start).Seconds(), ops, acked, unknown, notRun, faults, strings.Join(now, ", "))
}

// table is what became of each scenario.
func (b *board) table(t *testing.T, seed uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortFunc(b.rows, func(x, y *row) int { return strings.Compare(x.name, y.name) })
	var text strings.Builder
	fmt.Fprintf(&text, "-seed=%d\n%-32s %10s %12s %8s %8s %8s %8s %7s  %s\n", seed, "scenario",
		"operations", "acknowledged", "unknown", "not run", "reads", "failed", "faults", "verdict")
	for _, r := range b.rows {
		c := &r.run.counts
		fmt.Fprintf(&text, "%-32s %10d %12d %8d %8d %8d %8d %7d  %s\n", r.name, c.ops.Load(), c.acked.Load(), c.unknown.Load(),
			c.notRun.Load(), c.reads.Load(), c.failedReads.Load(), c.faults.Load(), r.verdict())
	}
	if *length > 0 {
		fmt.Println("\n" + text.String())
		return
	}
	t.Log(text.String())
}

func (r *row) verdict() string {
	switch {
	case !r.ended:
		return "NOT FINISHED"
	case r.wrong > 0:
		return fmt.Sprintf("%d VIOLATIONS", r.wrong)
	case r.run.lossy:
		return "nothing doubled"
	}
	return "all accounted for"
}
