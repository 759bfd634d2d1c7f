package pipectx

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Observer is told what a DB does. Its methods must not block. What they panic
// with is logged by slog, and the caller goes on.
type Observer interface {
	// Flushed tells of one flush: one wave of a Run, or one immediate verb. It
	// is called by the goroutine that flushed, after the replies are in.
	Flushed(ctx context.Context, f Flush)

	// Unread tells of an immediate verb that failed and whose Ref nobody read.
	// That is known when the Ref is garbage: Unread is called some time after,
	// on a goroutine of the runtime, and not for what a program leaves behind
	// when it ends.
	Unread(err error)
}

// Flush is what one flush cost.
type Flush struct {
	Start       time.Time     // when it began
	Command     string        // the name that all its commands have, as in GET; "" if they differ
	Commands    int           // commands asked for
	Failed      int           // those that failed; what is absent has not
	Connections int           // connections and Cluster nodes that took part
	RoundTrips  int           // batches sent; those of one attempt go in parallel
	Attempts    int           // 1, and one more for each time something was sent again
	ScriptLoads int           // scripts sent with their body
	BytesOut    int64         // bytes of arguments
	BytesIn     int64         // bytes of replies
	Wave        int           // which flush of its Run it is, from 0: an Await's, the Run's own, what callbacks queued
	Duration    time.Duration // from the first byte to the last reply
}

// tell calls a method of an observer.
func tell(method func()) {
	defer func() {
		if raised := recover(); raised != nil {
			slog.Error("pipectx: an observer panicked", "err", raised, "stack", string(debug.Stack()))
		}
	}()
	method()
}

// unread watches an immediate Ref that failed: if it is collected before
// anybody read it, its error is reported, or it would die unseen.
type unread struct {
	seen atomic.Bool
	err  error
	core *db
}

func reportIfUnread(ref settler, d *db) {
	state := ref.outcome()
	if !failure(state.err) {
		return
	}
	u := &unread{err: state.err, core: d}
	state.rare = &rare{unread: u}
	runtime.AddCleanup(state, reportUnread, u)
}

func reportUnread(u *unread) {
	if u.seen.Load() {
		return
	}
	slog.Warn("pipectx: a command failed and nobody read its Ref", "err", u.err)
	for _, o := range u.core.observers {
		tell(func() { o.Unread(u.err) })
	}
}
