package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startWithin is how long a server may take until it answers, on a machine
// that is busy with the rest of the suite.
const startWithin = 20 * time.Second

// A process is one server process and the folder it lives in.
type process struct {
	path     string   // the server's binary
	args     []string // what it was started with, its port included
	dir      string
	port     int
	socket   string // empty for a sentinel
	password string

	out tail

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	hurt bool          // killed or paused by a test: not to be shared any more

	watcher *watcher // nil unless keys are to be seen
}

// startServer starts a server at a port of its own. Later args win over the
// ones given here.
func startServer(path string, args ...string) (*process, error) {
	return start(path, func(dir string, port int) ([]string, error) {
		return slices.Concat([]string{
			"--port", strconv.Itoa(port),
			"--bind", "127.0.0.1",
			"--unixsocket", filepath.Join(dir, "socket"),
			"--dir", dir,
			"--save", "",
			"--appendonly", "no",
			"--repl-diskless-sync", "yes",
			"--repl-diskless-sync-delay", "0",
		}, args), nil
	})
}

// start looks for a free port and starts path there, with the arguments that
// say makes for it.
//
// Between the moment a port is seen to be free and the moment the server binds
// it somebody else may take it: then the server ends, and we try another.
func start(path string, say func(dir string, port int) ([]string, error)) (*process, error) {
	for try := 0; ; try++ {
		p, err := startAt(path, freePort(), say)
		if err == nil || try == 4 || !errors.Is(err, errTaken) {
			return p, err
		}
	}
}

var errTaken = errors.New("redistest: port taken")

func startAt(path string, port int, say func(dir string, port int) ([]string, error)) (*process, error) {
	dir, err := os.MkdirTemp("", "redmoon-")
	if err != nil {
		return nil, err
	}
	p := &process{path: path, dir: dir, port: port}
	if p.args, err = say(dir, port); err == nil {
		p.socket = p.arg("--unixsocket")
		p.password = p.arg("--requirepass")
		err = p.launch()
	}
	if err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// arg returns the value of the last argument with that name.
func (p *process) arg(name string) string {
	for i := len(p.args) - 2; i >= 0; i-- {
		if p.args[i] == name {
			return p.args[i+1]
		}
	}
	return ""
}

// launch starts the process and waits until it answers.
func (p *process) launch() error {
	cmd := exec.Command(p.path, p.args...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.WaitDelay = time.Second
	if err := fork(cmd); err != nil {
		return fmt.Errorf("redistest: start %s: %w", p.path, err)
	}
	done := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait() // how it ended is told by its log
		close(done)
	}()

	err := until(context.Background(), startWithin, func() error {
		if !p.alive() {
			return final{errors.New("it ended at once")}
		}
		return p.ready()
	})
	if err == nil {
		return p.watch()
	}
	log := p.out.String()
	p.kill()
	if strings.Contains(log, "Address already in use") || strings.Contains(log, "Failed listening") {
		return fmt.Errorf("%w: %d", errTaken, p.port)
	}
	return fmt.Errorf("redistest: start %s: %w\n%s", p.path, err, log)
}

// ready asks the server at our port whether it serves, and whether it is ours:
// on a busy machine the one that answers may be another test's.
func (p *process) ready() error {
	conn, err := net.DialTimeout("tcp", p.addr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	if p.password != "" {
		fmt.Fprintf(conn, "AUTH %s\r\n", p.password)
		if line, err := r.ReadString('\n'); err != nil || line != "+OK\r\n" {
			return fmt.Errorf("AUTH answers %q, %v", line, err)
		}
	}
	fmt.Fprintf(conn, "PING\r\nINFO server\r\n")
	pong, err := r.ReadString('\n')
	if err != nil || pong != "+PONG\r\n" {
		return fmt.Errorf("PING answers %q, %v", pong, err)
	}
	head, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(head, "$") {
		return fmt.Errorf("INFO answers %q, %v", head, err)
	}
	size, err := strconv.Atoi(strings.TrimSpace(head[1:]))
	if err != nil {
		return err
	}
	info := make([]byte, size)
	if _, err := io.ReadFull(r, info); err != nil {
		return err
	}
	if !strings.Contains(string(info), fmt.Sprintf("\nprocess_id:%d\r", p.pid())) {
		return fmt.Errorf("another server answers at %s", p.addr())
	}
	return nil
}

func (p *process) addr() string { return fmt.Sprintf("127.0.0.1:%d", p.port) }

func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// hurts notes that a test has laid hands on the process.
func (p *process) hurts() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hurt = true
}

// sound reports whether the process lives and no test has laid hands on it.
func (p *process) sound() bool { return !p.wasHurt() && p.alive() }

func (p *process) wasHurt() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hurt
}

// kill ends the process without giving it a chance to say goodbye, and waits
// until it is gone. Killing twice is allowed.
func (p *process) kill() {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	<-done
}

// signal sends the process a signal by name, such as STOP and CONT.
//
// Every shell can do it by name; package syscall has no name for STOP on
// systems without it, and would not build there.
func (p *process) signal(name string) error {
	return exec.Command("sh", "-c", fmt.Sprintf("kill -%s %d", name, p.pid())).Run()
}

// remove kills the process and removes its folder.
func (p *process) remove() {
	p.settle()
	p.kill()
	_ = os.RemoveAll(p.dir) // a leftover folder of some kilobytes fails no test
}

// A tail is a Writer that keeps the end of what is written.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (w *tail) Write(b []byte) (int, error) {
	const keep = 8 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b...)
	if over := len(w.buf) - keep; over > 0 {
		w.buf = append(w.buf[:0], w.buf[over:]...)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}

// freePort returns a port of the loopback at which nobody listens, and neither
// at the port 10000 above, which a cluster node takes for its bus.
//
// Both lie below the ports that systems hand out to outgoing connections, so
// that no client of a test running beside us can be given one of them.
func freePort() int {
	for {
		port := 11000 + rand.IntN(10000)
		if listens(port) && listens(port+10000) {
			return port
		}
	}
}

func listens(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// final is an answer after which asking again is of no use.
type final struct{ error }

// until asks probe again and again until it answers nil, and returns its last
// answer when that takes longer than within or ctx ends.
func until(ctx context.Context, within time.Duration, probe func() error) error {
	deadline := time.Now().Add(within)
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := probe()
		if err == nil || errors.As(err, new(final)) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// Until asks probe again and again until it answers nil: for states of a
// server that no reply tells of. When that takes longer than within, the test
// ends with what was awaited and the last answer.
func Until(t testing.TB, within time.Duration, what string, probe func() error) {
	t.Helper()
	if err := until(t.Context(), within, probe); err != nil {
		t.Fatalf("redistest: waited %v for %s: %v", within, what, err)
	}
}
