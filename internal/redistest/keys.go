package redistest

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Where REDMOON_KEYS names a folder, every real server is watched for the keys
// that it is made to write, by scripts too, and [Main] leaves them there: a file
// for each package, a line for each kind of key, with its type and an example.
// What is documented of keys can then be compared with what was written.
//
// A watcher is a client with CLIENT TRACKING in broadcast mode: the server tells
// it of every key that changes, in any database. It is tempting to subscribe to
// keyspace notifications, but tests count subscribers, and cut them off.
const keysFolder = "REDMOON_KEYS"

// written is what all servers of this process were made to write, by kind.
var written = struct {
	mu    sync.Mutex
	kinds map[string]*kind
}{kinds: map[string]*kind{}}

// A kind is keys that differ in digits only.
type kind struct {
	example string
	typ     string // "" as long as nobody knows: such keys were gone when we asked
	asked   int
}

// A watcher sees the keys of one server.
type watcher struct {
	p     *process
	conn  net.Conn
	in    *bufio.Reader
	pongs chan struct{}
}

// watch has the keys of a server that has just started seen, if that is asked for.
func (p *process) watch() error {
	if os.Getenv(keysFolder) == "" || p.socket == "" { // a sentinel has none
		return nil
	}
	w := &watcher{p: p, pongs: make(chan struct{}, 2)}
	var err error
	if w.conn, w.in, err = p.talk(); err != nil {
		return fmt.Errorf("redistest: watch keys: %w", err)
	}
	fmt.Fprint(w.conn, "HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n")
	for range 2 {
		if answer, err := read(w.in); err != nil || isError(answer) {
			w.conn.Close()
			return fmt.Errorf("redistest: watch keys: %v, %v", answer, err)
		}
	}
	p.mu.Lock()
	p.watcher = w
	p.mu.Unlock()
	go w.run()
	return nil
}

// talk returns a connection that may speak.
func (p *process) talk() (net.Conn, *bufio.Reader, error) {
	conn, err := net.DialTimeout("tcp", p.addr(), 5*time.Second)
	if err != nil {
		return nil, nil, err
	}
	in := bufio.NewReader(conn)
	if p.password != "" {
		fmt.Fprintf(conn, "AUTH %s\r\n", p.password)
		if answer, err := read(in); err != nil || isError(answer) {
			conn.Close()
			return nil, nil, fmt.Errorf("AUTH answers %v, %v", answer, err)
		}
	}
	return conn, in, nil
}

// run reads until the server is gone, or a test has cut all its connections: then
// it begins again.
func (w *watcher) run() {
	for {
		message, err := read(w.in)
		if err != nil {
			break
		}
		if message == "PONG" {
			w.pongs <- struct{}{}
			continue
		}
		push, _ := message.([]any)
		if len(push) != 2 || push[0] != "invalidate" {
			continue
		}
		keys, _ := push[1].([]any) // nil when all was flushed
		for _, key := range keys {
			if key, ok := key.(string); ok {
				w.see(key)
			}
		}
	}
	w.conn.Close()
	if w.p.alive() {
		_ = w.p.watch() // it may be about to end
	}
}

// enough is how often we ask for the type of keys that are gone each time.
const enough = 20

func (w *watcher) see(key string) {
	name := digits.ReplaceAllString(key, "0")
	written.mu.Lock()
	k := written.kinds[name]
	if k == nil {
		k = &kind{example: key}
		written.kinds[name] = k
	}
	ask := k.typ == "" && k.asked < enough
	k.asked++
	written.mu.Unlock()
	if !ask {
		return
	}
	if typ := w.p.typeOf(key); typ != "" {
		written.mu.Lock()
		k.typ, k.example = typ, key
		written.mu.Unlock()
	}
}

var digits = regexp.MustCompile(`[0-9]+`)

// typeOf looks for a key in all databases, for we are not told in which it is.
func (p *process) typeOf(key string) (typ string) {
	n := 16
	if given, err := strconv.Atoi(p.arg("--databases")); err == nil {
		n = given
	}
	if p.arg("--cluster-enabled") == "yes" {
		n = 1
	}
	conn, in, err := p.talk()
	if err != nil {
		return ""
	}
	defer conn.Close()
	var ask strings.Builder
	for db := range n {
		fmt.Fprintf(&ask, "*2\r\n$6\r\nSELECT\r\n$%d\r\n%d\r\n*2\r\n$4\r\nTYPE\r\n$%d\r\n%s\r\n", len(strconv.Itoa(db)), db, len(key), key)
	}
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second)) // a test may have stopped it
	_, _ = io.WriteString(conn, ask.String())             // reading tells of it
	for range n {
		_, _ = read(in)
		answer, err := read(in)
		if err != nil {
			break
		}
		if found, _ := answer.(string); found != "none" && !isError(answer) {
			typ = found
		}
	}
	return typ
}

// settle waits until all was seen that the server did before. What changes is
// told when the server has done what it is at: an answer later at the latest.
func (p *process) settle() {
	p.mu.Lock()
	w := p.watcher
	p.mu.Unlock()
	if w == nil {
		return
	}
	for range 2 {
		if _, err := io.WriteString(w.conn, "PING\r\n"); err != nil {
			return
		}
		select {
		case <-w.pongs:
		case <-time.After(time.Second): // it is gone, or a test has stopped it
			return
		}
	}
}

// leaveKeys writes what was seen, if that is asked for.
func leaveKeys() error {
	folder := os.Getenv(keysFolder)
	if folder == "" {
		return nil
	}
	name, err := packagePath()
	if err != nil {
		return err
	}
	written.mu.Lock()
	defer written.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(written.kinds)) {
		k := written.kinds[name]
		fmt.Fprintf(&b, "%s\t%q\n", k.typ, k.example)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, strings.ReplaceAll(name, "/", ".")), []byte(b.String()), 0o644)
}

// packagePath is the folder of the package under test, from that of its module.
func packagePath() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for root := dir; root != filepath.Dir(root); root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			rel, err := filepath.Rel(root, dir)
			return filepath.ToSlash(rel), err
		}
	}
	return "", fmt.Errorf("redistest: %s is in no module", dir)
}

// An errorReply is what a server answers to what it refuses.
type errorReply string

func isError(reply any) bool {
	_, is := reply.(errorReply)
	return is
}

// read reads one reply: a string, a number as one, a list, or nothing.
func read(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimRight(line[1:], "\r\n")
	n, _ := strconv.Atoi(rest) // where it is a number
	switch kind {
	case '-':
		return errorReply(rest), nil
	case '$':
		if n < 0 {
			return nil, nil
		}
		text := make([]byte, n+2)
		_, err := io.ReadFull(in, text)
		return string(text[:n]), err
	case '*', '>', '%':
		if kind == '%' {
			n *= 2
		}
		var list []any
		for range n {
			value, err := read(in)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case '_':
		return nil, nil
	}
	return rest, nil
}
