package redistest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// fateOf gives one request a fate; all others pass.
func fateOf(request string, fate redistest.Fate) func(redistest.Request) redistest.Fate {
	return func(r redistest.Request) redistest.Fate {
		if r.String() == request {
			return fate
		}
		return redistest.Pass()
	}
}

// proxied returns a client that sends each thing once, through p.
func proxied(t *testing.T, s *redistest.Node, p *redistest.Proxy, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	return s.Client(t, append([]func(*redis.Options){impatient, func(o *redis.Options) { o.Dialer = p.Dial }}, change...)...)
}

// Without a fate everything is as it is without a proxy: also pipelines and
// replies that are larger than what sockets hold, transactions, subscriptions.
func TestProxyPasses(t *testing.T) {
	t.Parallel()
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint("RESP", protocol), func(t *testing.T) {
			ctx := t.Context()
			c := proxied(t, redistest.Shared(t), redistest.NewProxy(t), func(o *redis.Options) { o.Protocol = protocol })
			large := strings.Repeat("x", 8<<20)
			if err := c.Set(ctx, "large", large, 0).Err(); err != nil {
				t.Fatal(err)
			}
			cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i := range 20_000 {
					p.Echo(ctx, strings.Repeat(fmt.Sprintf("%06d", i), 50))
				}
				p.Get(ctx, "large")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, cmd := range cmds[:20_000] {
				if got := cmd.(*redis.StringCmd).Val(); got != strings.Repeat(fmt.Sprintf("%06d", i), 50) {
					t.Fatalf("reply %d is another's: %q", i, got)
				}
			}
			if cmds[20_000].(*redis.StringCmd).Val() != large {
				t.Error("a large value is not what was stored")
			}

			tx, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.HSet(ctx, "h", "a", 1, "b", 2)
				p.HGetAll(ctx, "h")
				return nil
			})
			if err != nil || len(tx[1].(*redis.MapStringStringCmd).Val()) != 2 {
				t.Errorf("a transaction answers %v, %v", tx, err)
			}

			sub := c.Subscribe(ctx, "one", "two")
			defer sub.Close()
			for _, want := range []string{"subscribe one", "subscribe two"} {
				got, err := sub.Receive(ctx)
				if s, ok := got.(*redis.Subscription); !ok || s.Kind+" "+s.Channel != want {
					t.Errorf("the subscriber hears %v, %v, want %s", got, err, want)
				}
			}
			c.Publish(ctx, "two", "news")
			if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "news" {
				t.Errorf("the subscriber hears %v, %v", m, err)
			}
		})
	}
}

// A fate is that of one request: what stands before it is answered, and the
// server has executed what the fate says, no more and no less.
func TestProxyFates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason string
		fate   redistest.Fate
		ran    []string // what the server holds of a, b, c afterwards
		read   string   // what the client reads of three replies
	}{
		{"it passes", redistest.Pass(), []string{"1", "1", "1"}, ":1 :1 :1"},
		{"it is answered", redistest.Answer("-OOM no memory\r\n"), []string{"1", "", "1"}, ":1 -OOM no memory :1"},
		{"its reply is lost", redistest.Lose(), []string{"1", "1", "1"}, ":1 EOF"},
		{"its reply is torn", redistest.Tear(2), []string{"1", "1", "1"}, ":1 :1 EOF"},
		{"it is refused", redistest.Refuse(), []string{"1", "", ""}, ":1 EOF"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			s, p := redistest.Server(t), redistest.NewProxy(t)
			p.On(fateOf("INCR b", test.fate))
			conn, err := p.Dial(t.Context(), "tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(conn, "INCR a\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\nINCR c\r\n")
			var got []string
			for r := bufio.NewReader(conn); len(got) < 3; {
				line, err := r.ReadString('\n')
				if line != "" {
					got = append(got, strings.TrimSpace(line))
				}
				if err != nil {
					got = append(got, err.Error())
					break
				}
			}
			if text := strings.Join(got, " "); text != test.read {
				t.Errorf("the client reads %q, want %q", text, test.read)
			}
			conn.Close()
			p.Settle(t)
			direct := s.Client(t)
			for i, key := range []string{"a", "b", "c"} {
				if ran := direct.Get(t.Context(), key).Val(); ran != test.ran[i] {
					t.Errorf("%s is %q, want %q", key, ran, test.ran[i])
				}
			}
		})
	}
}

// Settle returns when the server has executed what was sent behind a lost reply,
// however much it is.
func TestProxySettles(t *testing.T) {
	t.Parallel()
	s, p := redistest.Shared(t), redistest.NewProxy(t)
	c, direct := proxied(t, s, p), s.Client(t)
	for _, test := range []struct {
		fate redistest.Fate
		want string
	}{{redistest.Lose(), "30000"}, {redistest.Refuse(), ""}} {
		direct.Del(t.Context(), "n")
		p.On(fateOf("ECHO first", test.fate))
		_, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			p.Echo(t.Context(), "first")
			for range 30_000 {
				p.Incr(t.Context(), "n")
			}
			p.Set(t.Context(), "large", strings.Repeat("x", 16<<20), 0) // it still writes when the end comes
			return nil
		})
		if !errors.Is(err, io.EOF) {
			t.Errorf("the client sees %v, want EOF", err)
		}
		p.Settle(t)
		if got := direct.Get(t.Context(), "n").Val(); got != test.want {
			t.Errorf("n is %q, want %q", got, test.want)
		}
	}
}

// A reply that is held comes when it is let go, with those behind it; a client
// that has gone does not wait for it.
func TestProxyHolds(t *testing.T) {
	t.Parallel()
	s, p := redistest.Shared(t), redistest.NewProxy(t)
	c, direct := proxied(t, s, p), s.Client(t)
	release := make(chan struct{})
	p.On(fateOf("INCR n", redistest.Hold(release)))
	answered := make(chan string)
	go func() {
		cmds, err := c.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			p.Incr(t.Context(), "n")
			p.Incr(t.Context(), "m")
			return nil
		})
		answered <- fmt.Sprint(cmds, err)
	}()
	redistest.Until(t, 10*time.Second, "both to run", func() error {
		return direct.Get(t.Context(), "m").Err()
	})
	select {
	case got := <-answered:
		t.Fatalf("%s, before it is let go", got)
	default:
	}
	close(release)
	if got := <-answered; got != "[incr n: 1 incr m: 1] <nil>" {
		t.Error(got)
	}

	p.On(fateOf("INCR n", redistest.Hold(nil)))
	hasty := proxied(t, s, p, func(o *redis.Options) { o.ReadTimeout = 20 * time.Millisecond })
	if err := hasty.Incr(t.Context(), "n").Err(); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("the client sees %v, want a timeout", err)
	}
}

// Cut ends what is idle and what is under way, and nothing else.
func TestProxyCuts(t *testing.T) {
	t.Parallel()
	s, p := redistest.Shared(t), redistest.NewProxy(t)
	c := proxied(t, s, p)
	idle, err := p.Dial(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("the idle connection lives")
	}
	heard := make(chan struct{})
	p.On(func(redistest.Request) redistest.Fate { close(heard); return redistest.Hold(nil) })
	failed := make(chan error)
	go func() { failed <- c.Incr(t.Context(), "n").Err() }()
	<-heard
	p.Cut()
	if err := <-failed; err == nil {
		t.Error("what was under way is answered")
	}
	p.On(nil)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("after the cut: %v", err)
	}
}

// A request knows its words and its server; those of the handshake are asked
// about apart.
func TestProxyAsks(t *testing.T) {
	t.Parallel()
	s, p := redistest.Shared(t), redistest.NewProxy(t)
	var asked, greeted []string
	note := func(list *[]string) func(redistest.Request) redistest.Fate {
		return func(r redistest.Request) redistest.Fate {
			*list = append(*list, r.Name())
			if r.Addr != s.Addr {
				t.Errorf("%s is for %s, want %s", r, r.Addr, s.Addr)
			}
			return redistest.Pass()
		}
	}
	p.On(note(&asked))
	p.OnHandshake(note(&greeted))
	c := proxied(t, s, p, func(o *redis.Options) { o.PoolSize = 1 })
	c.Get(t.Context(), "k")
	p.On(nil) // what was noted is seen
	if !slices.Equal(asked, []string{"GET"}) {
		t.Errorf("asked about %q, want GET alone", asked)
	}
	p.OnHandshake(fateOf("HELLO 3", redistest.Refuse()))
	if !slices.Contains(greeted, "HELLO") || !slices.Contains(greeted, "CLIENT") {
		t.Errorf("the handshake was %q", greeted)
	}
	p.Cut()
	if err := c.Get(t.Context(), "k").Err(); !errors.Is(err, io.EOF) {
		t.Errorf("a handshake that is refused: %v, want EOF", err)
	}
}

// A push stands where the server has put it, between the replies of a client, and
// is taken for none of them: one that is told of its own change reads the same
// with a proxy and without, up to the reply that is lost.
func TestProxyPushes(t *testing.T) {
	t.Parallel()
	s, p := redistest.Server(t), redistest.NewProxy(t)
	read := func(conn net.Conn, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "HELLO 3\r\nCLIENT TRACKING ON\r\n")
		fmt.Fprint(conn, "GET k\r\nECHO 1\r\nSET k v\r\nECHO 2\r\nQUIT\r\n")
		all, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(all), "+OK") // HELLO's has a number of its own
		return rest
	}
	want, _, ok := strings.Cut(read(net.Dial("tcp", s.Addr)), "$1\r\n2\r\n")
	if !strings.Contains(want, ">2") || !ok {
		t.Fatalf("%q has no push", want)
	}
	s.Client(t).Del(t.Context(), "k")
	p.On(fateOf("ECHO 2", redistest.Lose()))
	if got := read(p.Dial(t.Context(), "tcp", s.Addr)); got != want {
		t.Errorf("%q, without a proxy %q", got, want)
	}
}

// A reply ends where it ends, of whatever kind it is and whatever is within it.
func TestProxyFrames(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := redistest.NewProxy(t)
	p.On(fateOf("NEXT", redistest.Lose()))
	for _, frame := range []string{
		"+OK\r\n", "-ERR no\r\n", ":-1\r\n", "$-1\r\n", "$0\r\n\r\n", "$6\r\n+O\r\nK\n\r\n", "*-1\r\n", "*0\r\n",
		"*2\r\n*1\r\n$1\r\na\r\n*2\r\n-OOM x\r\n_\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(123\r\n",
		"!3\r\nE x\r\n", "=7\r\ntxt:abc\r\n", "%2\r\n+a\r\n%0\r\n+b\r\n~1\r\n:1\r\n",
		"|1\r\n+ttl\r\n:1\r\n+OK\r\n", "*2\r\n|1\r\n+ttl\r\n*1\r\n:1\r\n+a\r\n+b\r\n",
	} {
		conn, err := p.Dial(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		const requests = "FIRST\r\nNEXT\r\n"
		fmt.Fprint(conn, requests)
		if _, err := io.ReadFull(server, make([]byte, len(requests))); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(server, frame+":2\r\n")
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(conn); string(got) != frame || err != nil {
			t.Errorf("the client reads %q, %v; want %q", got, err, frame)
		}
		conn.Close()
		server.Close()
	}
}

// One proxy stands before all nodes of a cluster.
func TestProxyCluster(t *testing.T) {
	s, p := redistest.Cluster(t), redistest.NewProxy(t)
	c := s.Client(t, func(o *redis.ClusterOptions) { o.Dialer, o.MaxRedirects = p.Dial, -1 })
	var mu sync.Mutex
	at := map[string]string{}
	p.On(func(r redistest.Request) redistest.Fate {
		mu.Lock()
		defer mu.Unlock()
		at[r.String()] = r.Addr
		return redistest.Pass()
	})
	for _, key := range []string{"a", "b", "c"} { // one for each master
		if err := c.Get(t.Context(), key).Err(); !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		mu.Lock()
		if master := s.Master(t, key); at["GET "+key] != master.Addr {
			t.Errorf("%s went to %q, want %s", key, at["GET "+key], master.Addr)
		}
		mu.Unlock()
	}
	p.On(fateOf("GET b", redistest.Lose()))
	for key, want := range map[string]error{"a": redis.Nil, "b": io.EOF, "c": redis.Nil} {
		if err := c.Get(t.Context(), key).Err(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", key, err, want)
		}
	}
}

// One proxy stands before sentinels, and before the master they know.
func TestProxySentinel(t *testing.T) {
	t.Parallel()
	g, p := redistest.Sentinel(t), redistest.NewProxy(t)
	c := g.Client(t, func(o *redis.FailoverOptions) { o.Dialer, o.MaxRetries = p.Dial, -1 })
	p.On(fateOf("INCR n", redistest.Lose()))
	if err := c.Incr(t.Context(), "n").Err(); !errors.Is(err, io.EOF) {
		t.Errorf("the client sees %v, want EOF", err)
	}
	p.Settle(t)
	if n := g.Master(t).Client(t).Get(t.Context(), "n").Val(); n != "1" {
		t.Errorf("n is %q, want 1", n)
	}
}

// A server that is not there is not there through a proxy either.
func TestProxyDial(t *testing.T) {
	t.Parallel()
	s, p := redistest.Server(t), redistest.NewProxy(t)
	s.Kill()
	var refused *net.OpError
	if _, err := p.Dial(t.Context(), "tcp", s.Addr); !errors.As(err, &refused) || refused.Op != "dial" {
		t.Errorf("the dial answers %v", err)
	}
}

// A proxy ends with its test and leaves no goroutine, whatever was under way and
// whether the client closes its connections or not.
func TestProxyEnds(t *testing.T) {
	s := redistest.Shared(t)
	before := runtime.NumGoroutine()
	var p *redistest.Proxy
	t.Run("test", func(t *testing.T) {
		p = redistest.NewProxy(t)
		p.On(fateOf("PING held", redistest.Hold(nil)))
		for _, words := range []string{"", "PING\r\n", "PING held\r\n", "*2\r\n$4\r\nPI"} {
			conn, err := p.Dial(t.Context(), "tcp", s.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer time.AfterFunc(0, func() { fmt.Fprint(conn, words) })
		}
	})
	if _, err := p.Dial(context.Background(), "tcp", s.Addr); err == nil {
		t.Error("it dials after its test")
	}
	redistest.Until(t, 10*time.Second, "its goroutines to end", func() error {
		if n := runtime.NumGoroutine(); n > before {
			return fmt.Errorf("%d goroutines, %d before", n, before)
		}
		return nil
	})
}
