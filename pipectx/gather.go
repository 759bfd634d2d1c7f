package pipectx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Gather runs goroutines that each write straight-line code with [Await], and
// sends what they ask for together: when all of them wait, everything queued
// goes out as one pipeline. A hundred callers with three dependent steps each
// cost three round trips, not three hundred.
//
//	err := pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
//		for _, id := range ids {
//			g.Go(func(ctx context.Context) error {
//				user, err := pipectx.Await(ctx, users.Get(ctx, id))
//				if err != nil {
//					return err
//				}
//				boss, err := pipectx.Await(ctx, users.Get(ctx, user.Boss))
//				…
//			})
//		}
//		return nil
//	})
//
// Each member has a Run of its own: what it has queued when it returns nil is
// sent with the others', at the latest at the end; when it returns an error, what
// it has not sent is dropped. Gather returns when fn and all members have, with
// their errors joined, and those of commands that nobody awaited. A panic of a
// member is raised again in Gather, when the others have ended.
//
// Gather counts who still runs. A member that does something else than Redis and
// Go code, such as other I/O, or waits for another member, should do so in
// [Group.Outside]; if it does not, it delays the others by a millisecond at most:
// when for that long nobody has moved, those who wait are served. So there is no
// deadlock, also when one holds a lock that another wants.
//
// Inside a Run the members' commands go behind those that the Run has queued,
// which are sent with them.
//
// Cost: no command of its own; 1 round trip to each connection and node for each
// time that all wait, and for what is left at the end.
func Gather(ctx context.Context, db *DB, fn func(g *Group) error) error {
	s, err := db.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	g := &Group{ctx: &scopeContext{ctx, s}, db: db, scope: s, running: 1}
	s.group = g
	err = s.enter(g.ctx, func(context.Context) error {
		defer g.members.Wait() // also when fn panics
		defer g.leave()
		return fn(g)
	})
	g.mu.Lock()
	raised, failed := g.raised, g.errs
	g.over = true
	g.mu.Unlock()
	if raised != nil {
		panic(raised)
	}
	if err == nil {
		err = s.commit(ctx)
	}
	return errors.Join(append([]error{err}, failed...)...)
}

// Group is the members of a [Gather].
type Group struct {
	ctx     context.Context
	db      *DB
	scope   *scope
	members sync.WaitGroup

	mu      sync.Mutex
	running int           // members that neither wait nor are outside, and fn
	waiting []*scope      // of those in Await: whose commands are to be sent
	served  chan struct{} // of those who wait: closed when their commands are back
	moves   int           // counts what members do, so that standing still is seen
	watched bool
	errs    []error
	raised  any
	over    bool // Gather has returned
}

// quiet is how long nobody moves before those who wait are served although
// others run.
const quiet = time.Millisecond

// Go starts a member. fn's context carries its Run.
func (g *Group) Go(fn func(ctx context.Context) error) {
	g.enter()
	g.members.Go(func() {
		defer g.leave()
		returned := false
		defer func() {
			if returned {
				return
			}
			r := recover()
			if r == nil {
				r = errors.New("pipectx: a member of Gather called runtime.Goexit")
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.raised == nil {
				g.raised = r
			}
		}()
		err := Run(g.ctx, g.db, fn)
		returned = true
		if err != nil {
			g.failed(err)
		}
	})
}

// failed keeps a member's error for Gather to return. When that is over, nobody
// would see it.
func (g *Group) failed(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errs = append(g.errs, err)
	if g.over {
		reportUnread(&unread{err: fmt.Errorf("pipectx: Go on a Group whose Gather has returned: %w", err), core: g.db.db})
	}
}

// Outside calls fn, during which its member is not counted as running: for
// other I/O, or to wait for another member.
func (g *Group) Outside(fn func()) {
	g.leave()
	defer g.enter()
	fn()
}

func (g *Group) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running++
	g.moves++
}

// leave takes one from those who run, and serves those who wait if it was the
// last.
func (g *Group) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.moves++
	g.serveIfAllWait()
}

// await waits until the pipeline of all members was sent.
func (g *Group) await(ctx context.Context, s *scope, ref awaited) error {
	if ctx.Err() != nil {
		return stillQueued(ctx)
	}
	g.mu.Lock()
	if g.served == nil {
		g.served = make(chan struct{})
	}
	served := g.served
	g.waiting = append(g.waiting, s)
	g.running--
	g.moves++
	g.serveIfAllWait()
	g.watch()
	g.mu.Unlock()
	if ctx.Done() == nil { // which is cheaper
		<-served
		return nil
	}
	select {
	case <-served:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, s); i >= 0 && g.served == served { // nobody has begun to serve it
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.running++
		g.moves++
		return stillQueued(ctx)
	}
	return g.scope.root.givenUp(ctx, ref) // who serves counts it in
}

// serveIfAllWait serves those who wait if nobody runs. The caller holds mu.
func (g *Group) serveIfAllWait() {
	if g.running == 0 && len(g.waiting) > 0 {
		g.serve()
	}
}

// watch sees to it that nobody waits for ever for a member that blocks. The
// caller holds mu.
func (g *Group) watch() {
	if !g.watched && len(g.waiting) > 0 {
		g.watched = true
		g.look(g.moves, 1)
	}
}

// look has a look after a quarter of the time, and serves those who wait when it
// was the third in a row at which nobody had moved. One alone, after all of it,
// would say little on a busy machine: the whole process may have stood still.
// The caller holds mu.
func (g *Group) look(moves, nth int) {
	time.AfterFunc(quiet/4, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		switch {
		case len(g.waiting) == 0:
			g.watched = false
		case g.moves != moves:
			g.look(g.moves, 1)
		case nth < 3:
			g.look(moves, nth+1)
		default:
			g.watched = false
			g.serve()
		}
	})
}

// serve sends what all who wait have queued, and has them go on. The caller
// holds mu.
func (g *Group) serve() {
	waiting, served := g.waiting, g.served
	g.waiting, g.served = nil, nil
	g.running += len(waiting) // they are as good as running, and nobody else serves them
	g.members.Go(func() {     // so that Gather, too, returns only when their Refs are settled
		defer func() {
			raised := recover() // a decoder's panic is raised again by Gather, as a member's
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.raised == nil {
				g.raised = raised
			}
			g.moves++
			close(served)
		}()
		root := g.scope.root
		release, _ := root.exclusive(context.Background())
		defer release()
		root.send(g.ctx, root.takeOf(waiting...))
	})
}
