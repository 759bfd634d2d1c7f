package pipectx_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
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

// What the caller changes after the call is not sent.
func TestArgumentsAreSnapshots(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		value := []byte("before")
		do(ctx, db, "SET", "k", value)
		copy(value, "AFTER!")

		c := pipectx.NewCommand("SET")
		c.Key("k2")
		c.Append(append(c.Tail(), value...), nil)
		ref := pipectx.Send(ctx, db, c, pipectx.Reply.OK)
		copy(value, "LATER!")
		for i := range 100 { // what is queued later takes no earlier words
			do(ctx, db, "SET", fmt.Sprint("other", i), strings.Repeat("x", 100))
		}
		return pipectx.After(ctx, func(context.Context) error { return ref.Err() })
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := stored(t, client, "k"), stored(t, client, "k2"); a != "before" || b != "AFTER!" {
		t.Errorf("stored %q and %q, want before and AFTER!", a, b)
	}
}

// A pipeline of any size works and keeps its order: it goes in chunks, each
// written and read in turn.
func TestLargePipelines(t *testing.T) {
	tests := []struct {
		reason   string
		commands int
		size     int // of a value
		trips    int
	}{
		{"many small commands", 25_000, 8, 3},
		{"several MiB", 25_000, 300, 8},
		{"one value larger than a chunk", 3, 3 << 20, 3},
	}
	client := redistest.Shared(t).Client(t)
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			client.Del(t.Context(), "list")
			w := newWitness()
			db := newDB(t, client, pipectx.Observe(w))
			text := func(i int) string { return fmt.Sprintf("%08d", i) + strings.Repeat("x", test.size-8) }
			refs := make([]*pipectx.Ref[int64], test.commands)
			echo := make([]*pipectx.Ref[string], test.commands)
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i := range refs {
					refs[i] = pipectx.Do[int64](ctx, db, "RPUSH", "list", text(i))
					if i%100 == 0 { // replies as large as requests
						echo[i] = pipectx.Do[string](ctx, db, "LINDEX", "list", -1)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, ref := range refs {
				if n, err := ref.Result(); n != int64(i+1) || err != nil {
					t.Fatalf("push %d answers %d, %v", i, n, err)
				}
				if echo[i] != nil && echo[i].String() != text(i) {
					t.Fatalf("the read after push %d sees another's value", i)
				}
			}
			list := client.LRange(t.Context(), "list", 0, -1).Val()
			for i, got := range list {
				if got != text(i) {
					t.Fatalf("element %d is another's", i)
				}
			}
			f := w.last(t)
			if f.RoundTrips != test.trips || f.Attempts != 1 || f.BytesOut < int64(test.commands*test.size) {
				t.Errorf("%+v, want %d round trips", f, test.trips)
			}
		})
	}
}

// The replies of a chunk may be far larger than its requests.
func TestLargeReplies(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	value := strings.Repeat("x", 1<<20)
	client.Set(t.Context(), "k", value, 0)
	var refs [40]*pipectx.Ref[string]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for i := range refs {
			refs[i] = pipectx.Do[string](ctx, db, "GET", "k")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		if got, _ := ref.Result(); got != value {
			t.Fatal("a reply is not what was stored")
		}
	}
}

// RESP2 and RESP3, a TCP and a unix socket, one command and many: the answers
// are the same.
func TestProtocols(t *testing.T) {
	redistest.Each(t, func(t *testing.T, s *redistest.Node) {
		for _, protocol := range []int{2, 3} {
			for _, network := range []string{"tcp", "unix"} {
				t.Run(fmt.Sprint(network, protocol), func(t *testing.T) {
					client := s.Client(t, func(o *redis.Options) {
						o.Protocol = protocol
						if o.Network = network; network == "unix" {
							o.Addr = s.Socket
						}
					})
					db := newDB(t, client)
					check := func(ctx context.Context) func() {
						one := do(ctx, db, "SET", "k", "v")
						hash := do(ctx, db, "HSET", "h", "a", 1, "b", 2)
						fields := pipectx.Do[map[string]string](ctx, db, "HGETALL", "h")
						none := pipectx.Do[map[string]string](ctx, db, "HGETALL", "none")
						do(ctx, db, "ZADD", "z", 1.5, "m")
						score := pipectx.Do[float64](ctx, db, "ZSCORE", "z", "m")
						list := pipectx.Do[[]any](ctx, db, "MGET", "k", "none")
						miss := do(ctx, db, "GET", "none")
						return func() {
							want(t, "SET", one, any("OK"))
							if n, err := hash.Result(); err != nil || n != int64(2) && n != int64(0) {
								t.Errorf("HSET: %v, %v", n, err)
							}
							want(t, "ZSCORE", score, 1.5)
							if m, err := fields.Result(); err != nil || len(m) != 2 || m["b"] != "2" {
								t.Errorf("HGETALL: %v, %v", m, err)
							}
							if m, err := none.Result(); err != nil || len(m) != 0 {
								t.Errorf("HGETALL of none: %v, %v", m, err)
							}
							if l, err := list.Result(); err != nil || !slices.Equal(l, []any{"v", nil}) {
								t.Errorf("MGET: %v, %v", l, err)
							}
							wantErr(t, "GET none", miss.Err(), pipectx.ErrNotFound)
						}
					}
					check(t.Context())()
					var later func()
					if err := pipectx.Run(t.Context(), db, func(ctx context.Context) error { later = check(ctx); return nil }); err != nil {
						t.Fatal(err)
					}
					later()
				})
			}
		}
	})
}

// Commands for several connections queue on one Run and go out together: each
// sees the other's while neither has answered.
func TestConnectionsFlushInParallel(t *testing.T) {
	arrived := make(chan string, 2)
	both := make(chan struct{})
	reply := func(words []string) string {
		arrived <- words[1]
		<-both
		return ok
	}
	one, two := newStage(t, reply), newStage(t, reply)
	w := newWitness()
	db := newDB(t, one.client(t), pipectx.Connection("two", two.client(t)), pipectx.Observe(w))
	other, err := db.Conn("two")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(both)
		for range 2 {
			select {
			case <-arrived:
			case <-time.After(5 * time.Second):
				t.Error("the second connection waits for the first")
				return
			}
		}
	}()
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "one")
		return pipectx.Run(ctx, other, func(ctx context.Context) error {
			do(ctx, other, "SET", "two")
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := one.said(), two.said(); !slices.Equal(a, []string{"SET one"}) || !slices.Equal(b, []string{"SET two"}) {
		t.Errorf("the connections heard %q and %q", a, b)
	}
	if f := w.last(t); f.Connections != 2 || f.RoundTrips != 2 || len(w.seen()) != 1 {
		t.Errorf("%+v, want one flush of 2 connections in 2 round trips", w.seen())
	}
}

// With Sequential a connection's flush begins when that of the one before has
// ended, in the order of first commands, also when that one failed; what ctx
// cuts off behind is not sent.
func TestSequential(t *testing.T) {
	var mu sync.Mutex
	var log []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		log = append(log, what)
	}
	hear := func(name, answer string) func([]string) string {
		return func(words []string) string {
			note(name + " " + words[1])
			return answer
		}
	}
	one, two, three := newStage(t, hear("one", ok)), newStage(t, hear("two", cut)), newStage(t, hear("three", ok))
	db := newDB(t, one.client(t), pipectx.Connection("two", two.client(t)), pipectx.Connection("three", three.client(t)), pipectx.Sequential())
	view := func(name string) *pipectx.DB {
		v, err := db.Conn(name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	run := func(ctx context.Context) (refs []*pipectx.Ref[any], err error) {
		err = pipectx.Run(ctx, db, func(ctx context.Context) error {
			for _, name := range []string{"three", "two", "", "three"} {
				refs = append(refs, do(ctx, view(name), "SET", "to"+name))
			}
			return nil
		})
		return refs, err
	}
	refs, err := run(t.Context())
	wantErr(t, "Run", err, pipectx.ErrOutcomeUnknown)
	wantErr(t, "the connection that was cut", refs[1].Err(), pipectx.ErrOutcomeUnknown)
	if got := strings.Join(log, ", "); got != "three tothree, three tothree, two totwo, one to" {
		t.Errorf("it went %s", got)
	}
	for _, i := range []int{0, 2, 3} {
		if err := refs[i].Err(); err != nil {
			t.Errorf("command %d: %v", i, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	three.play(func([]string) string { cancel(); return silence })
	refs, _ = run(ctx)
	wantErr(t, "the connection that hangs", refs[0].Err(), pipectx.ErrOutcomeUnknown)
	for _, i := range []int{1, 2} {
		if err := refs[i].Err(); !errors.Is(err, pipectx.ErrNotSent) || errors.Is(err, pipectx.ErrOutcomeUnknown) {
			t.Errorf("command %d answers %v, want ErrNotSent", i, err)
		}
	}
}

// A connection that cannot be reached fails its own commands alone.
func TestConnectionsFailApart(t *testing.T) {
	db := newDB(t, redistest.Embedded(t).Client(t), pipectx.Connection("gone", unreachable(t)))
	gone, err := db.Conn("gone")
	if err != nil {
		t.Fatal(err)
	}
	var here, there *pipectx.Ref[int64]
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		there = pipectx.Do[int64](ctx, gone, "INCR", "n")
		here = pipectx.Do[int64](ctx, db, "INCR", "n")
		return nil
	})
	want(t, "the connection that works", here, 1)
	var dial *net.OpError
	for what, err := range map[string]error{"Run": err, "the Ref": there.Err()} {
		if !errors.As(err, &dial) || errors.Is(err, pipectx.ErrOutcomeUnknown) {
			t.Errorf("%s answers %v, want the failed dial", what, err)
		}
	}
}

// unreachable returns a client of an address where nobody listens.
func unreachable(t testing.TB) *redis.Client {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := redis.NewClient(&redis.Options{Addr: l.Addr().String(), DialerRetries: 1})
	t.Cleanup(func() { c.Close() })
	return c
}

// An unreachable server is named, with the cure, and its commands are known not
// to have run.
func TestUnreachableServer(t *testing.T) {
	client := unreachable(t)
	db := newDB(t, client)
	addr := client.Options().Addr
	for _, ref := range []*pipectx.Ref[any]{do(t.Context(), db, "SET", "k", "v"), do(t.Context(), db, "GET", "k")} {
		err := ref.Err()
		if err == nil || errors.Is(err, pipectx.ErrOutcomeUnknown) {
			t.Fatalf("the Ref answers %v", err)
		}
		for _, part := range []string{"cannot reach " + addr, "is a server running there?", " k: "} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
}

// A server that comes back within the retries is found again: a failed dial is
// tried again, for writes too, and for all that stands behind it.
func TestFailedDialIsTriedAgain(t *testing.T) {
	refused := func(_ context.Context, network, _ string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	slow := (&net.Dialer{Timeout: 1}).DialContext
	tests := []struct {
		reason   string
		commands int
		fail     func(ctx context.Context, network, addr string) (net.Conn, error)
	}{
		{"one command", 1, refused},
		{"a pipeline", 100, refused},
		{"a pipeline of several chunks", 25_000, refused},
		{"a dial that timed out", 1, slow},
	}
	s := redistest.Shared(t)
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			var fails atomic.Int32
			fails.Store(2)
			client := s.Client(t, func(o *redis.Options) {
				o.DialerRetries = 1
				o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if fails.Add(-1) >= 0 {
						return test.fail(ctx, network, addr)
					}
					return new(net.Dialer).DialContext(ctx, network, addr)
				}
			})
			db := newDB(t, client)
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for range test.commands {
					do(ctx, db, "INCR", "n"+test.reason)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if got, want := stored(t, client, "n"+test.reason), strconv.Itoa(test.commands); got != want {
				t.Errorf("%q of %s commands ran", got, want)
			}
		})
	}
}

// A connection that was never made has carried no command, whatever its dialer
// says: the outcome is known.
func TestNoConnectionNoUnknownOutcome(t *testing.T) {
	s := redistest.Server(t, "--requirepass", "right")
	tests := []struct {
		reason string
		change func(o *redis.Options)
	}{
		{"the dialer's own error", func(o *redis.Options) {
			o.Dialer = func(context.Context, string, string) (net.Conn, error) { return nil, errOurs }
		}},
		{"a proxy's address without a port", func(o *redis.Options) { o.Addr = "127.0.0.1" }},
		{"TLS with a server that speaks none", func(o *redis.Options) {
			o.TLSConfig = &tls.Config{ServerName: "localhost"}
			o.DialTimeout = 50 * time.Millisecond
		}},
		{"a wrong password", func(o *redis.Options) { o.Password = "wrong" }},
		{"a wrong user", func(o *redis.Options) { o.Username = "nobody" }},
		{"no password", func(o *redis.Options) { o.Password = "" }},
		{"a database that is not there", func(o *redis.Options) { o.DB = 9999 }},
		{"an OnConnect that refuses", func(o *redis.Options) {
			o.OnConnect = func(context.Context, *redis.Conn) error { return errOurs }
		}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db := newDB(t, s.Client(t, func(o *redis.Options) {
				o.DialerRetries = 1
				test.change(o)
			}))
			var queued *pipectx.Ref[any]
			_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				queued = do(ctx, db, "INCR", "n")
				do(ctx, db, "INCR", "n")
				return nil
			})
			for what, ref := range map[string]*pipectx.Ref[any]{"at once": do(t.Context(), db, "INCR", "n"), "in a pipeline": queued} {
				switch err := ref.Err(); {
				case err == nil:
					t.Errorf("%s: it worked", what)
				case errors.Is(err, pipectx.ErrOutcomeUnknown):
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// A write whose answer was lost is not sent again: it has run once, and its Ref
// says that nobody knows. A read is sent again.
func TestLostAnswer(t *testing.T) {
	tests := []struct {
		reason   string
		commands []string
	}{
		{"one command", []string{"INCR n"}},
		{"a pipeline", []string{"INCR n", "GET other", "INCR m", "GET third"}},
		{"a read", []string{"GET other"}},
		{"a pipeline of reads", []string{"GET other", "GET third"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			s := redistest.Shared(t)
			direct := s.Client(t)
			direct.MSet(t.Context(), "other", "2", "third", "3")
			p := redistest.NewProxy(t)
			w := newWitness()
			db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer, o.PipelinePoolSize = p.Dial, -1 }), pipectx.Observe(w))

			loseNext(p)
			refs := make([]*pipectx.Ref[any], len(test.commands))
			runErr := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i, c := range test.commands {
					verb, key, _ := strings.Cut(c, " ")
					refs[i] = do(ctx, db, verb, key)
				}
				return nil
			})
			p.Settle(t)
			writes, reads := 0, 0
			for i, c := range test.commands {
				verb, key, _ := strings.Cut(c, " ")
				if verb == "GET" {
					reads++
					behind := strings.Contains(strings.Join(test.commands[i:], " "), "INCR")
					if behind && refs[i].Err() != nil {
						continue // it may not be asked again after a write that followed it
					}
					want(t, c, refs[i], any(map[string]string{"other": "2", "third": "3"}[key]))
					continue
				}
				writes++
				wantErr(t, c, refs[i].Err(), pipectx.ErrOutcomeUnknown)
				wantErr(t, "Run", runErr, pipectx.ErrOutcomeUnknown)
				var e *pipectx.CommandError
				if !errors.As(refs[i].Err(), &e) || e.Command != verb || e.Key != key {
					t.Errorf("%s answers %v, want its name and key in it", c, refs[i].Err())
				}
				if got := stored(t, direct, key); got != "1" {
					t.Errorf("%s ran %s times, want once", c, got)
				}
			}
			if writes == 0 && runErr != nil {
				t.Errorf("Run answers %v, want nil: reads are sent again", runErr)
			}
			if f := w.last(t); (f.Attempts > 1) != (reads > 0) {
				t.Errorf("%d attempts for %d reads", f.Attempts, reads)
			}
		})
	}
}

// What was answered before the connection was lost keeps its answer.
func TestAnswersBeforeTheLoss(t *testing.T) {
	var lost atomic.Bool
	s := newStage(t, func(words []string) string {
		if words[1] == "50" && lost.CompareAndSwap(false, true) {
			return cut
		}
		return ":" + words[1] + "\r\n"
	})
	for _, verb := range []string{"INCR", "GET"} {
		t.Run(verb, func(t *testing.T) {
			lost.Store(false)
			before := len(s.said())
			db := newDB(t, s.client(t))
			var refs [100]*pipectx.Ref[int64]
			err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				for i := range refs {
					refs[i] = pipectx.Do[int64](ctx, db, verb, i)
				}
				return nil
			})
			for i, ref := range refs {
				if i < 50 || verb == "GET" {
					want(t, fmt.Sprint(verb, " ", i), ref, int64(i))
				} else {
					wantErr(t, fmt.Sprint(verb, " ", i), ref.Err(), pipectx.ErrOutcomeUnknown)
				}
				if t.Failed() {
					t.FailNow()
				}
			}
			if (err != nil) != (verb == "INCR") {
				t.Errorf("Run answers %v", err)
			}
			again := 0
			for _, c := range s.said()[before:] {
				if c == verb+" 0" {
					again++
				}
			}
			if again != 1 {
				t.Errorf("an answered command was sent %d times", again)
			}
		})
	}
}

// A read never shows what a later write of its own pipeline did: if its answer
// is lost and it cannot be asked again in its turn, it says so.
func TestLostReadSeesNoLaterWrite(t *testing.T) {
	s := redistest.Shared(t)
	direct := s.Client(t)
	direct.Set(t.Context(), "k", "old", 0)
	p := redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer, o.PipelinePoolSize = p.Dial, -1 }))
	loseNext(p)
	var read *pipectx.Ref[string]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		read = pipectx.Do[string](ctx, db, "GET", "k")
		do(ctx, db, "SET", "k", "new")
		return nil
	})
	wantErr(t, "Run", err, pipectx.ErrOutcomeUnknown)
	p.Settle(t)
	if got := stored(t, direct, "k"); got != "new" {
		t.Fatalf("k is %q: the test lost too much", got)
	}
	if got, err := read.Result(); err == nil && got != "old" {
		t.Errorf("the read before the write answers %q, which the write after it stored", got)
	}
}

// What stands behind a lost connection in later chunks was not sent, and says
// so.
func TestNotSentBehindALoss(t *testing.T) {
	var heard atomic.Int32
	s := newStage(t, func(words []string) string {
		if heard.Add(1) == 100 {
			return cut
		}
		return ok
	})
	db := newDB(t, s.client(t))
	const n = 12_000
	refs := make([]*pipectx.Ref[any], n)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for i := range refs {
			refs[i] = do(ctx, db, "SET", i, "v")
		}
		return nil
	})
	wantErr(t, "Run", err, pipectx.ErrOutcomeUnknown)
	wantErr(t, "the last of the first chunk", refs[9_999].Err(), pipectx.ErrOutcomeUnknown)
	for i := 10_000; i < n; i++ {
		if err := refs[i].Err(); !errors.Is(err, pipectx.ErrNotSent) || errors.Is(err, pipectx.ErrOutcomeUnknown) {
			t.Fatalf("command %d of the second chunk answers %v, want ErrNotSent", i, err)
		}
	}
}

// Replies that prove that nothing ran are tried again, a few times; then the
// server's own words are the answer.
func TestBusyServer(t *testing.T) {
	tests := []struct {
		reason string
		times  int
		ok     bool
	}{
		{"it comes round", 3, true},
		{"it does not", 1000, false},
	}
	for _, test := range tests {
		for _, code := range []string{"LOADING Redis is loading the dataset in memory", "CLUSTERDOWN The cluster is down", "MASTERDOWN Link with MASTER is down", "TRYAGAIN Multiple keys request during rehashing of slot"} {
			t.Run(code[:8]+" "+test.reason, func(t *testing.T) {
				left := test.times
				s := newStage(t, func([]string) string {
					if left--; left >= 0 {
						return "-" + code + "\r\n"
					}
					return ok
				})
				db := newDB(t, s.client(t))
				err := do(t.Context(), db, "SET", "k", "v").Err()
				if test.ok != (err == nil) {
					t.Errorf("the Ref answers %v", err)
				}
				var refused *pipectx.ServerError
				if !test.ok && (!errors.As(err, &refused) || refused.Error() != code) {
					t.Errorf("the Ref answers %v, want the server's words", err)
				}
				if got := len(s.said()); got != 4 {
					t.Errorf("sent %d times, want 4", got)
				}
			})
		}
	}
}

// A context that ends while the server hangs lets the caller go at once. What
// was sent may still run: a write says so, a read need not.
func TestContextEndsWhileTheServerHangs(t *testing.T) {
	cases := []struct {
		reason string
		end    func(t *testing.T, heard <-chan struct{}) context.Context
		err    error
	}{
		{"cancelled", func(t *testing.T, heard <-chan struct{}) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-heard; cancel() }()
			return ctx
		}, context.Canceled},
		{"out of time", func(t *testing.T, heard <-chan struct{}) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		}, context.DeadlineExceeded},
		{"cancelled for a reason", func(t *testing.T, heard <-chan struct{}) context.Context {
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-heard; cancel(errOurs) }()
			return ctx
		}, errOurs},
	}
	for _, test := range cases {
		t.Run(test.reason, func(t *testing.T) {
			heard := make(chan struct{}, 10)
			s := newStage(t, func([]string) string { heard <- struct{}{}; return silence })
			db := newDB(t, s.client(t))
			ctx := test.end(t, heard)
			var write, read *pipectx.Ref[any]
			within(t, 10*time.Second, "Run", func() {
				err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					write, read = do(ctx, db, "INCR", "n"), do(ctx, db, "GET", "n")
					return nil
				})
				wantErr(t, "Run", err, test.err)
			})
			wantErr(t, "the write", write.Err(), test.err)
			wantErr(t, "the write", write.Err(), pipectx.ErrOutcomeUnknown)
			wantErr(t, "the read", read.Err(), test.err)
			if errors.Is(read.Err(), pipectx.ErrOutcomeUnknown) {
				t.Errorf("the read answers %v, though a read has no outcome", read.Err())
			}
		})
	}
}

// What is still being sent when its caller has gone is what the caller passed,
// whatever is queued meanwhile.
func TestAbandonedFlushKeepsItsWords(t *testing.T) {
	pinged, release := make(chan struct{}), make(chan struct{})
	s := newStage(t, func(words []string) string {
		if words[0] == "PING" {
			close(pinged)
			<-release // and read nothing until then
		}
		return ok
	})
	db := newDB(t, s.client(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	large := strings.Repeat("x", 16<<20) // more than sockets hold
	args := []any{"MSET", "large", large}
	for i := range 50 {
		args = append(args, fmt.Sprint("key", i), fmt.Sprint("value", i))
	}
	go func() { <-pinged; cancel() }()
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		do(ctx, db, "PING")
		do(ctx, db, args...)
		return nil
	})
	wantErr(t, "Run", err, context.Canceled)

	other := embedded(t)
	for range 50 {
		err := pipectx.Run(t.Context(), other, func(ctx context.Context) error {
			for range 100 {
				do(ctx, other, "SET", "another's key", "another's value")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	redistest.Until(t, 5*time.Second, "the rest of the command", func() error {
		if n := len(s.said()); n < 2 {
			return fmt.Errorf("%d commands are in", n)
		}
		return nil
	})
	var words []string
	for _, a := range args {
		words = append(words, a.(string))
	}
	if s.said()[1] != strings.Join(words, " ") {
		t.Error("the command that was under way has others' words in it")
	}
}

// A context that ends while the server cannot be reached lets the caller go at
// once, and its error is the answer.
func TestContextEndsDuringRetries(t *testing.T) {
	dialled := make(chan struct{}, 100)
	client := redis.NewClient(&redis.Options{
		DialerRetries: 100,
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			dialled <- struct{}{}
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		},
	})
	t.Cleanup(func() { client.Close() })
	db := newDB(t, client)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-dialled; <-dialled; cancel() }()
	within(t, 2*time.Second, "the verb", func() {
		wantErr(t, "the verb", do(ctx, db, "INCR", "n").Err(), context.Canceled)
	})
}

// A server that was restarted is found again through a pool of dead
// connections: a write is not told that its outcome is unknown.
func TestStaleConnections(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	pipeline := func() error {
		return pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			do(ctx, db, "INCR", "n")
			do(ctx, db, "INCR", "n")
			return nil
		})
	}
	for range 3 {
		if err := do(t.Context(), db, "SET", "k", "v").Err(); err != nil {
			t.Fatal(err)
		}
		s.Kill()
		s.Restart(t)
		if err := do(t.Context(), db, "INCR", "n").Err(); err != nil {
			t.Errorf("at once, after a restart: %v", err)
		}
		if err := pipeline(); err != nil {
			t.Errorf("in a pipeline, after a restart: %v", err)
		}
		s.Kill()
		s.Restart(t)
		if err := pipeline(); err != nil {
			t.Errorf("in a pipeline, after a restart: %v", err)
		}
	}
}

// A server that is killed in the middle of a stream of Runs loses none of them
// silently: each either succeeded, or its Ref has an error.
func TestKilledServer(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.DialerRetries = 1 }))
	ready, killed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		<-ready
		s.Kill()
	}()
	failed := 0
	for i := 0; failed < 3; i++ {
		var refs [50]*pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for j := range refs {
				refs[j] = pipectx.Do[int64](ctx, db, "INCR", "n")
			}
			return nil
		})
		if i == 20 {
			close(ready)
		}
		for _, ref := range refs {
			if _, e := ref.Result(); e == pipectx.ErrPending || e != nil && err == nil {
				t.Fatalf("Run answers %v, a Ref %v", err, e)
			}
		}
		if err != nil {
			failed++
		}
	}
	<-killed
}

// The observer is told what a flush cost.
func TestObserver(t *testing.T) {
	a, b := newWitness(), newWitness()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(a), pipectx.Observe(b))
	script := pipectx.NewScript("return ARGV[1]")
	start := time.Now()
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "key", "value")
		do(ctx, db, "GET", "key")
		c := script.Command(0)
		c.Word("x")
		pipectx.Send(ctx, db, c, pipectx.Reply.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	got := a.last(t)
	if got.Duration <= 0 || got.Duration > took {
		t.Errorf("it took %v of %v", got.Duration, took)
	}
	if got.Start.Before(start) {
		t.Errorf("it began at %v, before %v", got.Start, start)
	}
	got.Start, got.Duration = time.Time{}, 0
	want := pipectx.Flush{
		Commands: 3, Connections: 1, RoundTrips: 1, Attempts: 1, ScriptLoads: 1,
		BytesOut: got.BytesOut, BytesIn: int64(len("+OK\r\n") + len("$5\r\nvalue\r\n") + len("$1\r\nx\r\n")),
	}
	if got != want || got.BytesOut < int64(len("SETkeyvalueGETkey")+len(script.Body)) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if len(b.seen()) != 1 {
		t.Error("the second observer saw nothing")
	}
	if do(t.Context(), db, "PING").Err() != nil || len(a.seen()) != 2 {
		t.Error("an immediate verb is a flush too")
	}
}
