package pipectx_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // servers out of reach are these tests' business
	redistest.Main(m, redistest.WithCluster)
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// newDB returns a DB on client that is closed with the test.
func newDB(t testing.TB, client redis.UniversalClient, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return db
}

// embedded returns a DB on an embedded server of the test's own.
func embedded(t testing.TB, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	return newDB(t, redistest.Embedded(t).Client(t), options...)
}

// exampleDB returns a DB on an embedded server.
func exampleDB() (db *pipectx.DB, end func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}

// do is the plain verb of these tests.
func do(ctx context.Context, db *pipectx.DB, args ...any) *pipectx.Ref[any] {
	return pipectx.Do[any](ctx, db, args...)
}

// want fails the test unless the Ref answers value.
func want[T comparable](t testing.TB, what string, ref *pipectx.Ref[T], value T) {
	t.Helper()
	switch got, err := ref.Result(); {
	case err != nil:
		t.Errorf("%s: %v, want %v", what, err, value)
	case got != value:
		t.Errorf("%s = %v, want %v", what, got, value)
	}
}

// wantErr fails the test unless err is target.
func wantErr(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

// stored returns what a key holds, "" when it is absent.
func stored(t testing.TB, client redis.Cmdable, key string) string {
	t.Helper()
	s, err := client.Get(context.WithoutCancel(t.Context()), key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return s
}

// within fails the test if fn takes longer than limit; it returns then, and fn
// goes on.
func within(t testing.TB, limit time.Duration, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s took longer than %v", what, limit)
	}
}

// A witness is an Observer that remembers.
type witness struct {
	mu      sync.Mutex
	flushes []pipectx.Flush
	unread  chan error
}

func newWitness() *witness { return &witness{unread: make(chan error, 100)} }

func (w *witness) Flushed(_ context.Context, f pipectx.Flush) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes = append(w.flushes, f)
}

func (w *witness) Unread(err error) { w.unread <- err }

func (w *witness) seen() []pipectx.Flush {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]pipectx.Flush(nil), w.flushes...)
}

func (w *witness) last(t testing.TB) pipectx.Flush {
	t.Helper()
	all := w.seen()
	if len(all) == 0 {
		t.Fatal("no flush was observed")
	}
	return all[len(all)-1]
}

// A logged is what slog was told.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// captureLog has slog's default logger write to what it returns, until the test
// ends.
func captureLog(t testing.TB) *logged {
	l, before := &logged{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

// A stage is a server whose replies the test writes. It speaks RESP2 and
// answers the handshake of a connection by itself.
type stage struct {
	addr  string
	dials atomic.Int32

	mu    sync.Mutex
	heard []string
	reply func(words []string) string
}

const (
	silence = ""    // a reply that never comes
	cut     = "cut" // the connection ends instead of a reply
	ok      = "+OK\r\n"
)

// newStage starts a stage. reply is called for one command at a time.
func newStage(t testing.TB, reply func(words []string) string) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{addr: l.Addr().String(), reply: reply}
	var served sync.WaitGroup
	var open sync.Map
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { return c.(net.Conn).Close() == nil || true })
		served.Wait()
	})
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.dials.Add(1)
			open.Store(c, true)
			served.Go(func() {
				defer c.Close()
				s.serve(c.(*net.TCPConn))
			})
		}
	})
	return s
}

func (s *stage) serve(c *net.TCPConn) {
	r := bufio.NewReader(c)
	for {
		words, err := readCommand(r)
		if err != nil {
			return
		}
		switch answer := s.answer(words); answer {
		case silence:
		case cut:
			// The client reads what was answered before, then the end.
			c.CloseWrite()
			_, _ = io.Copy(io.Discard, r)
			return
		default:
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	}
}

func (s *stage) answer(words []string) string {
	switch strings.ToUpper(words[0]) {
	case "HELLO":
		return "-ERR unknown command\r\n"
	case "CLIENT", "SELECT":
		return ok
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, strings.Join(words, " "))
	return s.reply(words)
}

// play changes what the stage replies from now on.
func (s *stage) play(reply func(words []string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = reply
}

// said returns what the clients said so far.
func (s *stage) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}

// client returns a client of the stage that dials once and never waits long.
func (s *stage) client(t testing.TB, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	o := &redis.Options{Addr: s.addr, Protocol: 2, DialerRetries: 1}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

func readCommand(r *bufio.Reader) ([]string, error) {
	n, err := readLength(r, '*')
	if err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		size, err := readLength(r, '$')
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}

func readLength(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q instead of %c", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// loseNext has a proxy lose the reply to the next request, and those behind it.
func loseNext(p *redistest.Proxy) {
	lost := false
	p.On(func(redistest.Request) redistest.Fate {
		if lost {
			return redistest.Pass()
		}
		lost = true
		return redistest.Lose()
	})
}
