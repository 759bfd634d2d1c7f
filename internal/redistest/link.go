package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A link is one connection of a client, and the one behind it. It has three
// goroutines, and a list between them that grows as it must, so that none waits
// for another: a client that writes a large pipeline before it reads, and a server
// that writes large replies before it reads, are both served.
//
//	client ──▶ requests ──────────▶ server
//	              │ slots, in order   │
//	client ◀── deliver ◀── replies ◀──┘
//
// Replies that no request stands for, such as pushes and the messages of a
// subscription, are passed on in the order in which they come.
type link struct {
	proxy *Proxy
	addr  string
	near  *net.TCPConn
	far   halfCloser
	gone  chan struct{} // closed when the client has ended the connection
	ended chan struct{} // closed when all is over

	mu      sync.Mutex
	news    *sync.Cond
	slots   []*slot // in the order of the requests
	waiting []*slot // those whose reply is to come from the server
	over    bool    // no more will come
	closed  bool    // by us: the client is told, and is to close its end
}

type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// A slot is where the reply to a request goes.
type slot struct {
	fate  Fate
	frame []byte
	ready bool
}

func (l *link) run() {
	var parts sync.WaitGroup
	parts.Go(l.requests)
	parts.Go(l.replies)
	parts.Go(l.deliver)
	parts.Wait()
	l.cut()
	l.proxy.mu.Lock()
	delete(l.proxy.links, l)
	l.proxy.mu.Unlock()
	close(l.ended)
}

func (l *link) cut() {
	_ = l.near.CloseWrite() // at once: Close waits for those who read
	l.near.Close()
	l.far.Close()
}

// requests reads what the client says until it closes the connection. Then the
// server is told so, and no less: what was written to it is executed.
func (l *link) requests() {
	defer close(l.gone)
	out := bufio.NewWriter(l.far)
	in := bufio.NewReader(readerFunc(func(b []byte) (int, error) {
		if err := out.Flush(); err != nil { // before we wait for more
			return 0, err
		}
		return l.near.Read(b)
	}))
	for {
		raw, args, err := readRequest(in)
		if err != nil {
			break
		}
		fate := l.proxy.fate(Request{Addr: l.addr, Args: args})
		l.expect(args, fate)
		if fate.kind == refuse {
			break
		}
		if fate.kind != answer {
			_, _ = out.Write(raw) // its error is the next Flush's
		}
	}
	_ = out.Flush()
	_ = l.far.CloseWrite()
	_, _ = io.Copy(io.Discard, l.near) // a client that still writes is to see the end, not a reset
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// expect adds the slot of a request, before the server can answer it.
func (l *link) expect(args []string, fate Fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch fate.kind {
	case refuse:
		l.slots = append(l.slots, &slot{fate: fate, ready: true})
	case answer:
		l.slots = append(l.slots, &slot{fate: fate, ready: true, frame: []byte(fate.frame)})
	default:
		if len(args) == 0 || strings.HasSuffix(strings.ToLower(args[0]), "subscribe") {
			return // nothing answers it, or one push for each channel
		}
		s := &slot{fate: fate}
		l.slots = append(l.slots, s)
		l.waiting = append(l.waiting, s)
	}
	l.news.Broadcast()
}

// replies reads what the server says until it closes the connection.
func (l *link) replies() {
	in := bufio.NewReader(l.far)
	for {
		frame, err := readFrame(in, nil)
		l.mu.Lock()
		switch {
		case err != nil:
			l.over = true
		case frame[0] == '>' || len(l.waiting) == 0:
			at := len(l.slots)
			if len(l.waiting) > 0 {
				at = slices.Index(l.slots, l.waiting[0])
			}
			l.slots = slices.Insert(l.slots, at, &slot{frame: frame, ready: true})
		default:
			s := l.waiting[0]
			l.waiting = l.waiting[1:]
			s.frame, s.ready = frame, true
		}
		l.news.Broadcast()
		l.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// deliver writes replies to the client, until one is not to come.
func (l *link) deliver() {
	out := bufio.NewWriter(l.near)
	for s := l.next(out); s != nil; s = l.next(out) {
		switch s.fate.kind {
		case hold:
			flush(out)
			select {
			case <-s.fate.until:
			case <-l.gone:
			}
		case lose, refuse:
			_, _ = out.Write(s.frame[:min(s.fate.bytes, len(s.frame))])
			l.mu.Lock()
			l.closed = true
			l.mu.Unlock()
			flush(out)
			_ = l.near.CloseWrite()
			return
		}
		_, _ = out.Write(s.frame) // its error is the next flush's
	}
	flush(out)
	_ = l.near.CloseWrite()
}

// flush writes what is buffered. To a client that has gone nothing is written.
func flush(out *bufio.Writer) {
	if out.Flush() != nil {
		out.Reset(io.Discard)
	}
}

// next returns the next slot, when it is ready, or nil when it will never be.
func (l *link) next(out *bufio.Writer) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.slots) == 0 || !l.slots[0].ready {
		if l.over {
			return nil
		}
		if out.Buffered() > 0 {
			l.mu.Unlock()
			flush(out)
			l.mu.Lock()
			continue
		}
		l.news.Wait()
	}
	s := l.slots[0]
	l.slots = l.slots[1:]
	return s
}

// readRequest reads one command: an array of bulk strings, or words on a line.
func readRequest(r *bufio.Reader) (raw []byte, args []string, err error) {
	raw, err = r.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	if raw[0] != '*' {
		return raw, strings.Fields(string(raw)), nil
	}
	n, err := length(raw)
	if err != nil {
		return nil, nil, err
	}
	for range n {
		from := len(raw)
		if raw, err = readFrame(r, raw); err != nil {
			return nil, nil, err
		}
		_, word, _ := strings.Cut(string(raw[from:]), "\r\n")
		args = append(args, strings.TrimSuffix(word, "\r\n"))
	}
	return raw, args, nil
}

// readFrame appends one reply to b, with all that is within it.
func readFrame(r *bufio.Reader, b []byte) ([]byte, error) {
	for open := 1; open > 0; open-- {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		b = append(b, line...)
		if !strings.ContainsRune("$=!*~>%|", rune(line[0])) {
			continue
		}
		n, err := length(line)
		switch {
		case err != nil:
			return nil, err
		case n < 0: // null
		case strings.ContainsRune("$=!", rune(line[0])):
			from := len(b)
			b = slices.Grow(b, n+2)[:from+n+2]
			if _, err := io.ReadFull(r, b[from:]); err != nil {
				return nil, err
			}
		case line[0] == '%':
			open += 2 * n
		case line[0] == '|': // stands before the reply that it tells about
			open += 2*n + 1
		default:
			open += n
		}
	}
	return b, nil
}

// length reads the number of a line such as $5.
func length(line []byte) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	if err != nil {
		return 0, fmt.Errorf("redistest: %q is no length: %w", line, err)
	}
	return n, nil
}
