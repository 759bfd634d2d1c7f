package redistest

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between clients and real servers and decides what becomes of
// each request. Its Dial is a client's Dialer: one Proxy stands before a single
// server, before all nodes of a cluster, before a master and its sentinels.
//
//	p := redistest.NewProxy(t)
//	client := s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial })
//	p.On(func(r redistest.Request) redistest.Fate {
//		if r.String() == "INCR n" {
//			return redistest.Lose()
//		}
//		return redistest.Pass()
//	})
type Proxy struct {
	listener *net.TCPListener
	all      sync.WaitGroup

	asking        sync.Mutex // held while one of these runs
	on, handshake func(Request) Fate

	mu    sync.Mutex
	links map[*link]bool // nil when the test has ended
}

// A Request is a command on its way to a server.
type Request struct {
	Addr string // of the server, as it was dialled
	Args []string
}

// Name is that of the command, in capitals.
func (r Request) Name() string {
	if len(r.Args) == 0 {
		return ""
	}
	return strings.ToUpper(r.Args[0])
}

// String is the words of the request, its name in capitals: "INCR n".
func (r Request) String() string {
	if len(r.Args) == 0 {
		return ""
	}
	return strings.Join(append([]string{r.Name()}, r.Args[1:]...), " ")
}

// A Fate is what becomes of a request and its reply.
type Fate struct {
	kind  int
	frame string
	until <-chan struct{}
	bytes int
}

const (
	pass = iota
	answer
	lose
	refuse
	hold
)

// Pass has the server answer.
func Pass() Fate { return Fate{} }

// Answer has the proxy answer with the bytes of a reply, "-OOM no memory\r\n".
// The server never sees the request.
func Answer(frame string) Fate { return Fate{kind: answer, frame: frame} }

// Lose has the server execute the request, and closes the connection instead of
// delivering its reply. Replies before it are delivered. What the client has sent
// behind it is executed, unless it has a fate of its own: [Proxy.Settle] waits
// for that.
func Lose() Fate { return Tear(0) }

// Tear is Lose that delivers the first bytes of the reply.
func Tear(bytes int) Fate { return Fate{kind: lose, bytes: bytes} }

// Refuse closes the connection before the server sees the request or anything
// behind it. Replies before it are delivered.
func Refuse() Fate { return Fate{kind: refuse} }

// Hold has the server execute the request and keeps its reply, and those behind
// it, until the channel is closed. With nil they never come: the server hangs.
func Hold(until <-chan struct{}) Fate { return Fate{kind: hold, until: until} }

// NewProxy starts a proxy that ends with the test, and passes everything until
// it is told otherwise.
func NewProxy(t testing.TB) *Proxy {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, links: map[*link]bool{}}
	t.Cleanup(p.end)
	return p
}

// On has decide choose the fate of each request from now on, one at a time, in
// the order of each connection. It is not asked about what clients send of
// themselves, the handshake of a connection and their questions about a cluster:
// these pass.
func (p *Proxy) On(decide func(Request) Fate) {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.on = decide
}

// OnHandshake is [Proxy.On] for what clients send of themselves.
func (p *Proxy) OnHandshake(decide func(Request) Fate) {
	p.asking.Lock()
	defer p.asking.Unlock()
	p.handshake = decide
}

func (p *Proxy) fate(r Request) Fate {
	p.asking.Lock()
	defer p.asking.Unlock()
	decide := p.on
	if ownBusiness(r.Args) {
		decide = p.handshake
	}
	if decide == nil {
		return Pass()
	}
	return decide(r)
}

// Dial connects to a server through the proxy, for the Dialer of go-redis's
// options. When the server cannot be reached, the dial fails as it would without
// the proxy.
func (p *Proxy) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	far, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	client, near, err := p.pair()
	if err != nil {
		far.Close()
		return nil, err
	}
	l := &link{proxy: p, addr: addr, near: near, far: far.(halfCloser), gone: make(chan struct{}), ended: make(chan struct{})}
	l.news = sync.NewCond(&l.mu)
	p.links[l] = true
	p.all.Go(l.run)
	return client, nil
}

// pair returns both ends of a new connection. It is tempting to use net.Pipe, but
// clients look at the socket to see whether a connection is still alive. The
// caller holds mu.
func (p *Proxy) pair() (client net.Conn, near *net.TCPConn, err error) {
	if p.links == nil {
		return nil, nil, errors.New("redistest: the test of this proxy has ended")
	}
	client, err = net.Dial("tcp", p.listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	for {
		near, err = p.listener.AcceptTCP()
		if err != nil {
			client.Close()
			return nil, nil, err
		}
		if near.RemoteAddr().String() == client.LocalAddr().String() {
			return client, near, nil
		}
		near.Close() // a stranger's
	}
}

// Cut closes all connections now, whatever is under way.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

// cut closes all connections. The caller holds mu.
func (p *Proxy) cut() {
	for l := range p.links {
		l.cut()
	}
}

// Settle waits until the servers have executed what clients had sent on the
// connections that the proxy has closed.
func (p *Proxy) Settle(t testing.TB) {
	t.Helper()
	for _, l := range p.closing() {
		select {
		case <-l.ended:
		case <-time.After(settleWithin):
			t.Fatalf("redistest: a client of %s has not closed the connection that the proxy closed", l.addr)
		}
	}
}

func (p *Proxy) closing() (links []*link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.mu.Lock()
		if l.closed {
			links = append(links, l)
		}
		l.mu.Unlock()
	}
	return links
}

func (p *Proxy) end() {
	p.mu.Lock()
	p.cut()
	p.links = nil
	p.mu.Unlock()
	p.listener.Close()
	p.all.Wait()
}
