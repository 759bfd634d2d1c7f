package pipectx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// DB is one or several named Redis connections that share pipelines: commands
// for all of them queue on one Run and go out together. It is a small handle;
// copies and [DB.Conn] views share everything. Safe for concurrent use.
type DB struct {
	*db
	conn *conn
}

// db is what all handles share. Its pointer is the identity that contexts
// carry, so that a nested call to another DB never joins the wrong pipeline.
type db struct {
	conns     map[string]*conn
	observers []Observer

	sequential bool
	coalesce   bool
	debug      *debugger
	owned      []redis.UniversalClient // opened here, closed here
	closed     atomic.Bool
	closeOnce  sync.Once
	closeErr   error

	mu      sync.Mutex
	atClose []func()
}

// Option configures New and Open: [Connection], [Observe],
// [Sequential], [Coalesce], [Debug].
type Option interface{ apply(*db) error }

type option func(*db) error

func (o option) apply(d *db) error { return o(d) }

// Connection adds a further client under a name, for [DB.Conn] and for
// definitions that declare the connection they live on. One client may have
// several names; one name has one client, else New answers [ErrAlreadyConnected].
func Connection(name string, client redis.UniversalClient) Option {
	return option(func(d *db) error {
		if name == "" {
			return errors.New("pipectx: a further connection needs a name; the client without one is New's first argument")
		}
		return d.connect(name, client)
	})
}

// Observe has o told of each flush and of each failed Ref that nobody read.
func Observe(o Observer) Option {
	return option(func(d *db) error {
		if o == nil {
			return errors.New("pipectx: Observe: the observer is nil")
		}
		d.observers = append(d.observers, o)
		return nil
	})
}

// Sequential has connections flushed one after another, in the order of their
// first commands, instead of all at once. When one fails, the others still go.
func Sequential() Option {
	return option(func(d *db) error {
		d.sequential = true
		return nil
	})
}

// New returns a DB on client, a *redis.Client (also one from
// redis.NewFailoverClient) or *redis.ClusterClient. It sends nothing. The
// client stays the caller's to close; New adds a dial hook to it. Hooks that the
// caller adds must not keep commands or their arguments after they return: their
// memory is used again.
func New(client redis.UniversalClient, options ...Option) (*DB, error) {
	d := &db{conns: map[string]*conn{}}
	if err := d.connect("", client); err != nil {
		return nil, err
	}
	for _, o := range options {
		if o == nil {
			return nil, errors.New("pipectx: an option is nil")
		}
		if err := o.apply(d); err != nil {
			return nil, err
		}
	}
	return &DB{db: d, conn: d.conns[""]}, nil
}

func (d *db) connect(name string, client redis.UniversalClient) error {
	if c, ok := d.conns[name]; ok {
		if c.client == client {
			return nil
		}
		return fmt.Errorf("%w: %q", ErrAlreadyConnected, name)
	}
	for _, c := range d.conns {
		if c.client == client { // a second name of one client shares its nodes
			d.conns[name] = c
			return nil
		}
	}
	c, err := newConn(client)
	if err != nil {
		return err
	}
	d.conns[name] = c
	return nil
}

// Conn returns the view of the DB whose commands go to a named connection; ""
// is the one New was given. Commands of all views queue on the same pipeline. A
// name that New was not given is [ErrUnknownConnection].
func (h *DB) Conn(name string) (*DB, error) {
	c, ok := h.conns[name]
	if !ok {
		return nil, fmt.Errorf("%w %q: give it to New as pipectx.Connection(%q, client)", ErrUnknownConnection, name, name)
	}
	return &DB{db: h.db, conn: c}, nil
}

// Cluster tells whether the DB's connection is a Redis Cluster.
func (h *DB) Cluster() bool { return h.conn.cluster != nil }

// Close ends the DB: verbs answer [ErrClosed]. It closes the clients that
// [Open] made; those given to New stay open. Closing twice does nothing.
func (h *DB) Close() error {
	h.closeOnce.Do(func() {
		h.mu.Lock()
		fns := h.atClose
		h.mu.Unlock()
		for _, fn := range slices.Backward(fns) {
			fn()
		}
		h.closed.Store(true)
		var errs []error
		for _, c := range h.owned {
			errs = append(errs, c.Close())
		}
		for _, c := range h.conns {
			errs = append(errs, c.close())
		}
		h.closeErr = errors.Join(errs...)
	})
	return h.closeErr
}

// AtClose has fn called when the DB is closed, before it refuses commands: for
// packages that keep something for a DB. The last function registered is called
// first. One that is registered while the DB is being closed may not be called.
func (h *DB) AtClose(fn func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.atClose = append(h.atClose, fn)
}

// scopeKey finds the scope of a DB in a context, innermostKey that of any DB.
type (
	scopeKey     struct{ d *db }
	innermostKey struct{}
)

// scopeContext carries a scope. One type for both keys costs one allocation
// where two WithValues would cost four.
type scopeContext struct {
	context.Context
	scope *scope
}

func (c *scopeContext) Value(key any) any {
	switch key := key.(type) {
	case scopeKey:
		if key.d == c.scope.root.db {
			return c.scope
		}
	case innermostKey:
		return c.scope
	}
	return c.Context.Value(key)
}

// scopeOf returns the scope of this DB that ctx carries, or nil.
func (d *db) scopeOf(ctx context.Context) *scope {
	if c, ok := ctx.(*scopeContext); ok && c.scope.root.db == d { // as it mostly is
		return c.scope
	}
	s, _ := ctx.Value(scopeKey{d}).(*scope)
	return s
}
