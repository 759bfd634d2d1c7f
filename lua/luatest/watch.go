package luatest

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Watch sees the scripts that run by its DB. Make it with [New] or [On]. Safe for
// concurrent use.
type Watch struct {
	t  testing.TB
	db *pipectx.DB

	mu       sync.Mutex
	scripts  map[string]*script // by both SHAs; nil: not to be watched
	stubs    []*Stub
	commands []Command
	coverage *Coverage
}

// New returns a Watch on an embedded server of the test's own.
func New(t testing.TB) *Watch {
	t.Helper()
	return watch(t, redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()}))
}

// On returns a Watch on the server, or Cluster, of a DB: what it has by other
// ways than the Watch's own DB is not watched.
func On(t testing.TB, db *pipectx.DB) *Watch {
	t.Helper()
	return watch(t, db.Client())
}

func watch(t testing.TB, of redis.UniversalClient) *Watch {
	t.Helper()
	w := &Watch{t: t, scripts: map[string]*script{}}
	var client redis.UniversalClient
	switch of := of.(type) {
	case *redis.Client:
		o := *of.Options()
		o.Dialer, o.PushNotificationProcessor = w.dialer(o.Dialer), nil // each client has its own
		client = redis.NewClient(&o)
	case *redis.ClusterClient:
		o := *of.Options()
		dial := o.Dialer
		if dial == nil {
			dial = redis.NewDialer(&redis.Options{DialTimeout: o.DialTimeout, TLSConfig: o.TLSConfig})
		}
		o.Dialer, o.PushNotificationProcessor = w.dialer(dial), nil
		client = redis.NewClusterClient(&o)
	}
	var err error
	if w.db, err = pipectx.New(client); err != nil {
		t.Fatalf("luatest: %v", err)
	}
	t.Cleanup(func() {
		_ = w.db.Close()
		_ = client.Close()
	})
	return w
}

func (w *Watch) dialer(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, watch: w}, nil
	}
}

// DB is the DB whose scripts are watched: bind entries, models and all else that
// is under test to it.
func (w *Watch) DB() *pipectx.DB { return w.db }

// Commands returns what scripts have called since the last Reset, in order. What
// a failed script called before it failed is among it.
func (w *Watch) Commands() []Command {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.commands)
}

// Reset forgets commands and stubs, not what is stored.
func (w *Watch) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commands, w.stubs = nil, nil
}

// Cover adds what scripts run from now on to a coverage.
func (w *Watch) Cover(c *Coverage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.coverage = c
}

// Call calls a function of a module, typed as lua.Bind types it:
//
//	left, err := luatest.Call[int](w, Stock, "take", Take{"item{7}", 2})
//
// Private functions, whose names begin with _, may be called too. A type that
// does not fit the function ends the test. The error is what the function
// raised, a *lua.Error.
func Call[Out, In any](w *Watch, mod *lua.Mod, function string, in In) (Out, error) {
	w.t.Helper()
	entry, err := lua.BindPrivate[In, Out](mod, function)
	if err != nil {
		w.t.Fatalf("luatest: %v", err)
	}
	return entry.On(w.db).Call(w.t.Context(), in).Result()
}

// see returns the watched form of a script by its text, nil if it has none.
func (w *Watch) see(body string) *script {
	sha := pipectx.NewScript(body).SHA
	w.mu.Lock()
	defer w.mu.Unlock()
	s, known := w.scripts[sha]
	if known {
		return s
	}
	s, err := newScript(body)
	w.scripts[sha] = s
	switch {
	case s != nil:
		w.scripts[s.watchedSHA] = s
	case err != nil:
		w.t.Logf("luatest: a script is not watched: %v", err)
	}
	return s
}

// seen returns a script by its SHA, or that of its watched form.
func (w *Watch) seen(sha string) *script {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.scripts[sha]
}
