package pipectx

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// Debug has the DB watch for a mistake that is easily made: a verb, or another
// Run, inside a Run that is given another context than that Run's. It then goes
// at once, with a round trip of its own and out of order, and nothing looks wrong.
// With Debug each such call is logged by slog with its place. A context of [Detach]
// says that it is meant so.
//
// It costs some microseconds for each Run and immediate verb: it is for tests
// and development.
func Debug() Option {
	return option(func(d *db) error {
		d.debug = &debugger{open: map[uint64]int{}}
		return nil
	})
}

// A debugger knows which goroutines are in a Run of the DB.
type debugger struct {
	mu   sync.Mutex
	open map[uint64]int
}

// enter notes that this goroutine is in one more Run, until leave is called, by
// whichever goroutine.
func (d *debugger) enter() (leave func()) {
	id := goroutine()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[id]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.open[id]--; d.open[id] == 0 {
			delete(d.open, id)
		}
	}
}

// check reports what is about to go at once inside of a Run.
func (d *debugger) check(ctx context.Context, what func() string) {
	if d == nil || ctx.Value(detachedKey{}) != nil {
		return
	}
	id := goroutine()
	d.mu.Lock()
	inside := d.open[id] > 0
	d.mu.Unlock()
	if !inside {
		return
	}
	slog.Warn("pipectx: it goes at once although a Run of this goroutine is open; give it the Run's context, or one of pipectx.Detach",
		"what", what(), "at", caller())
}

// goroutine is the number of this goroutine. The runtime tells it only in the
// head of a stack trace, "goroutine 7 [running]:", hence opt-in.
func goroutine() uint64 {
	var head [64]byte
	words := bytes.Fields(head[:runtime.Stack(head[:], false)])
	if len(words) < 2 {
		return 0
	}
	id, err := strconv.ParseUint(string(words[1]), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// caller is the place that called a verb: the first one outside of the packages
// that have verbs.
func caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		ours := false
		for _, pkg := range []string{"pipectx", "keyspace", "model", "lua", "lock", "cache"} {
			ours = ours || strings.HasPrefix(f.Function, "github.com/redmoon-go/redmoon/"+pkg+".")
		}
		if !ours || !more {
			return fmt.Sprintf("%s:%d", f.File, f.Line)
		}
	}
}
