package redistest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// A Node is one running server, or one database of it.
type Node struct {
	Addr   string // host:port
	Socket string // path of its unix socket; empty for the embedded server and for sentinels
	DB     int    // the database that is the test's own

	process  *process
	embedded *miniredis.Miniredis
	asks     *redis.Client // for questions about its state; nil for the embedded server
}

// Server starts a server of the test's own, for what concerns the whole
// server: settings, SCRIPT FLUSH, its death. Args are redis-server's own:
//
//	redistest.Server(t, "--maxmemory", "1mb")
//
// Cost: 15 ms.
func Server(t testing.TB, args ...string) *Node {
	t.Helper()
	return serverAt(t, needServer(t), args...)
}

func serverAt(t testing.TB, path string, args ...string) *Node {
	t.Helper()
	p, err := startServer(path, args...)
	if err != nil {
		t.Fatal(err)
	}
	n := newNode(p)
	t.Cleanup(func() { n.end(t) })
	return n
}

// Shared returns an empty database of the test's own on a server that all
// tests of the binary share. Tests that use it may run in parallel.
//
// Shared are: scripts, functions, channels, clients, settings. Who touches
// these, or says FLUSHALL, wants [Server].
func Shared(t testing.TB) *Node {
	t.Helper()
	return sharedAt(t, needServer(t))
}

func sharedAt(t testing.TB, path string) *Node {
	t.Helper()
	common := commonServer(path)
	s := common.take(t, func(*databaseServer) {}) // each test cleans the database it gets
	db := s.take(t)
	t.Cleanup(func() { s.give(db) })
	n := *s.node
	n.DB = db
	n.asks = newAsks(&n)
	t.Cleanup(func() { n.asks.Close() })
	if err := n.asks.FlushDB(t.Context()).Err(); err != nil {
		t.Fatalf("redistest: flush database %d of the shared server: %v", db, err)
	}
	return &n
}

// needServer returns the path of the redis-server that tests use when nothing
// else is named, and skips the test when there is none.
func needServer(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err == nil {
		return path
	}
	const missing = "redistest: no redis-server on this machine: make redis installs it"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func newNode(p *process) *Node {
	n := &Node{Addr: p.addr(), Socket: p.socket, process: p}
	n.asks = newAsks(n)
	return n
}

// newAsks returns the client by which this package asks about states. It tells
// at once when a server is gone, where others try again.
func newAsks(n *Node) *redis.Client {
	o := n.Options()
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.PoolSize = 2
	o.PipelinePoolSize = -1
	return redis.NewClient(o)
}

// end closes what n holds and ends its server. If that ended before, though
// nobody asked it to, the log is worth reading.
func (n *Node) end(t testing.TB) {
	n.asks.Close()
	if n.process.sound() || n.process.wasHurt() {
		n.process.remove()
		return
	}
	t.Logf("redistest: the server at %s had ended by itself:\n%s", n.Addr, n.process.out.String())
	n.process.remove()
}

// Name returns what runs there and its version, as in redis-7.0.15,
// valkey-9.0.1 or embedded.
func (n *Node) Name() string {
	if n.embedded != nil {
		return "embedded"
	}
	return nameOf(n.process.path)
}

var names sync.Map // path → name

// nameOf asks a server binary for its name and version.
func nameOf(path string) string {
	if name, ok := names.Load(path); ok {
		return name.(string)
	}
	// Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=…
	out, err := exec.Command(path, "--version").Output()
	name := path
	if m := versionLine.FindStringSubmatch(string(out)); err == nil && m != nil {
		name = strings.ToLower(m[1]) + "-" + m[2]
	}
	names.Store(path, name)
	return name
}

var versionLine = regexp.MustCompile(`(?i)^(redis|valkey) server v=(\S+)`)

// Options returns what a go-redis client needs to connect.
func (n *Node) Options() *redis.Options {
	o := &redis.Options{Addr: n.Addr, DB: n.DB}
	if n.process != nil {
		o.Password = n.process.password
	}
	return o
}

// URL returns the same as a URL, redis://127.0.0.1:16379/0.
func (n *Node) URL() string {
	password := ""
	if o := n.Options(); o.Password != "" {
		password = ":" + o.Password + "@"
	}
	return fmt.Sprintf("redis://%s%s/%d", password, n.Addr, n.DB)
}

// Client returns a client of the server that is closed when the test ends.
func (n *Node) Client(t testing.TB, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	o := n.Options()
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// Has reports whether the server knows all of the commands, for tests of what
// only some servers have:
//
//	if !s.Has("hexpire") {
//		t.Skip("fields do not expire on ", s.Name())
//	}
func (n *Node) Has(commands ...string) bool {
	ask := n.asks
	if ask == nil {
		ask = redis.NewClient(n.Options())
		defer ask.Close()
	}
	return !slices.ContainsFunc(commands, func(name string) bool {
		if n.embedded != nil {
			// It has no list of its commands that tells the truth, but it
			// checks the number of arguments of those it has.
			err := ask.Do(context.Background(), name).Err()
			return err != nil && strings.Contains(err.Error(), "unknown command")
		}
		info, err := ask.Do(context.Background(), "COMMAND", "INFO", name).Slice()
		return err != nil || len(info) == 0 || info[0] == nil
	})
}

// Embedded returns the miniredis behind the node, whose clock a test moves;
// nil for a real server.
func (n *Node) Embedded() *miniredis.Miniredis { return n.embedded }

// PID returns the process id of the server, 0 for the embedded one.
func (n *Node) PID() int {
	if n.process == nil {
		return 0
	}
	return n.process.pid()
}

// Kill ends the server at once, as a power cut would, and waits until it is
// gone. Nothing of what it held comes back.
func (n *Node) Kill() {
	if n.embedded != nil {
		n.embedded.Close()
		return
	}
	n.process.hurts()
	n.process.kill()
}

// Pause stops the server where it stands: connections stay open and nothing
// answers, until [Node.Resume].
func (n *Node) Pause(t testing.TB) { n.signal(t, "STOP") }

// Resume lets a paused server go on. It then does all that was sent to it
// meanwhile.
func (n *Node) Resume(t testing.TB) { n.signal(t, "CONT") }

func (n *Node) signal(t testing.TB, name string) {
	t.Helper()
	if n.process == nil {
		t.Fatal("redistest: the embedded server has no process to pause")
	}
	n.process.hurts()
	if err := n.process.signal(name); err != nil {
		t.Fatalf("redistest: signal %s to %s: %v", name, n.Addr, err)
	}
}

// Restart starts a killed server again, empty, at the address it had.
func (n *Node) Restart(t testing.TB) {
	t.Helper()
	var err error
	if n.embedded != nil {
		n.embedded.FlushAll()
		err = n.embedded.Restart()
	} else {
		err = n.process.launch()
	}
	if err != nil {
		t.Fatalf("redistest: restart %s: %v", n.Addr, err)
	}
}

// replication returns what the server says of its part in it.
func (n *Node) replication(ctx context.Context) (map[string]string, error) {
	text, err := n.asks.Info(ctx, "replication").Result()
	return fields(text), err
}

// fields reads lines of name:value.
func fields(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[name] = value
		}
	}
	return m
}

// databases is how many the shared server has: as many as tests may hold one
// at the same time.
const databases = 256

// A databaseServer is a server that lends its databases.
type databaseServer struct {
	node *Node
	free chan int
}

var commonServers sync.Map // path → *common[*databaseServer]

func commonServer(path string) *common[*databaseServer] {
	c, _ := commonServers.LoadOrStore(path, newCommon(func(context.Context) (*databaseServer, error) {
		p, err := startServer(path, "--databases", strconv.Itoa(databases))
		if err != nil {
			return nil, err
		}
		s := &databaseServer{node: newNode(p), free: make(chan int, databases)}
		for db := range databases {
			s.free <- db
		}
		return s, nil
	}))
	return c.(*common[*databaseServer])
}

func (s *databaseServer) take(t testing.TB) int {
	t.Helper()
	select {
	case db := <-s.free:
		return db
	default:
		t.Fatalf("redistest: all %d databases of the shared server are taken", databases)
		return 0
	}
}

func (s *databaseServer) give(db int) { s.free <- db }

func (s *databaseServer) sound() bool { return s.node.process.sound() }

func (s *databaseServer) end() {
	s.node.asks.Close()
	s.node.process.remove()
}
