package redistest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// A server answers at its port and at its socket, keeps nothing on disk, and
// takes redis-server's own arguments.
func TestServer(t *testing.T) {
	t.Parallel()
	s := redistest.Server(t, "--maxmemory", "3mb")
	ctx := t.Context()

	c := s.Client(t)
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"maxmemory": "3145728", "save": "", "appendonly": "no", "bind": "127.0.0.1"} {
		if got := c.ConfigGet(ctx, name).Val()[name]; got != want {
			t.Errorf("config %s is %q, want %q", name, got, want)
		}
	}
	socket := s.Client(t, func(o *redis.Options) { o.Network, o.Addr = "unix", s.Socket })
	if got := socket.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("at the socket k is %q, want v", got)
	}
	o, err := redis.ParseURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	byURL := redis.NewClient(o)
	defer byURL.Close()
	if got := byURL.Get(ctx, "k").Val(); got != "v" {
		t.Errorf("at %s k is %q, want v", s.URL(), got)
	}
	if name := s.Name(); !strings.HasPrefix(name, "redis-") && !strings.HasPrefix(name, "valkey-") {
		t.Errorf("its name is %q", name)
	}
	if !s.Has("get", "HSET") || s.Has("get", "nosuchcommand") {
		t.Error("Has does not tell what it has")
	}
}

// A server with a password is reached by its own clients only.
func TestServerPassword(t *testing.T) {
	t.Parallel()
	s := redistest.Server(t, "--requirepass", "secret")
	if err := s.Client(t).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	stranger := s.Client(t, func(o *redis.Options) { o.Password = "" })
	if err := stranger.Ping(t.Context()).Err(); !redis.IsAuthError(err) {
		t.Errorf("without a password: %v", err)
	}
	if want := "redis://:secret@" + s.Addr + "/0"; s.URL() != want {
		t.Errorf("its URL is %s, want %s", s.URL(), want)
	}
}

// A server that cannot start fails the test with the server's own words.
func TestServerRefused(t *testing.T) {
	t.Parallel()
	if os.Getenv(inner) != "" {
		redistest.Server(t, "--no-such-setting", "1")
		return
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		redistest.Server(t) // skips
	}
	out, ok := again(t, t.Name())
	if ok || !strings.Contains(out, "no-such-setting") {
		t.Errorf("ok %v, want a failure that names the setting:\n%s", ok, out)
	}
}

// A server ends with its test.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	var s *redistest.Node
	t.Run("test", func(t *testing.T) { s = redistest.Server(t) })
	if s == nil {
		t.Skip("no server was started")
	}
	if running(s.PID()) {
		t.Errorf("server %d outlives its test", s.PID())
	}
	if _, err := os.Stat(s.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
}

// Servers end when the process of the tests is killed, whoever of its threads
// started them.
func TestServerEndsWithKilledProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a process to its parent")
	}
	if os.Getenv(inner) != "" {
		private, shared := redistest.Server(t), redistest.Shared(t)
		// Were a server tied to the thread of this goroutine, it would end here.
		done := make(chan *redistest.Node)
		go func() {
			runtime.LockOSThread()
			done <- redistest.Server(t)
		}()
		third := <-done
		if err := third.Client(t).Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("\npids", private.PID(), shared.PID(), third.PID())
		<-t.Context().Done() // until we are killed
	}
	redistest.Server(t) // skips where there is none

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inner+"=1", "TMPDIR="+t.TempDir()) // nobody else cleans up after it
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); pids == nil && lines.Scan(); {
		if list, ok := strings.CutPrefix(lines.Text(), "pids "); ok {
			for _, s := range strings.Fields(list) {
				pid, err := strconv.Atoi(s)
				if err != nil {
					t.Fatal(err)
				}
				pids = append(pids, pid)
			}
		}
	}
	for _, pid := range pids {
		if !running(pid) {
			t.Errorf("server %d does not run", pid)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if len(pids) != 3 {
		t.Fatalf("the process told of servers %v, want three", pids)
	}
	redistest.Until(t, 5*time.Second, "the servers to end", func() error {
		for _, pid := range pids {
			if running(pid) {
				return fmt.Errorf("server %d runs", pid)
			}
		}
		return nil
	})
}

// running reports whether a process runs. One that ended and was not waited
// for does not.
func running(pid int) bool {
	if runtime.GOOS != "linux" {
		p, err := os.FindProcess(pid)
		return err == nil && p.Signal(syscall.Signal(0)) == nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// impatient makes a client tell at once what is wrong.
func impatient(o *redis.Options) { o.MaxRetries, o.DialerRetries = -1, 1 }

// Killed, a server is gone with all it held; restarted, it is empty and at the
// same address. The embedded server plays the same part.
func TestKillAndRestart(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*redistest.Node{"real": redistest.Server(t), "embedded": redistest.Embedded(t)} {
		c := s.Client(t, impatient)
		c.Set(t.Context(), "k", "v", 0)
		s.Kill()
		if err := c.Ping(t.Context()).Err(); err == nil {
			t.Errorf("%s: a killed server answers", name)
		}
		s.Restart(t)
		if got, err := c.Exists(t.Context(), "k").Result(); err != nil || got != 0 {
			t.Errorf("%s: after the restart %d keys, %v", name, got, err)
		}
	}
}

// A paused server takes commands and answers none of them; resumed, it answers
// all.
func TestPause(t *testing.T) {
	t.Parallel()
	s := redistest.Server(t)
	c := s.Client(t, impatient, func(o *redis.Options) { o.ReadTimeout = 100 * time.Millisecond })
	redistest.Until(t, 5*time.Second, "a connection", func() error { return c.Ping(t.Context()).Err() })
	s.Pause(t)
	var timeout interface{ Timeout() bool }
	if err := c.Incr(t.Context(), "n").Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a paused server: %v, want a timeout", err)
	}
	s.Resume(t)
	redistest.Until(t, 5*time.Second, "the server to go on", func() error {
		if n, err := s.Client(t).Get(t.Context(), "n").Int(); n != 1 || err != nil {
			return fmt.Errorf("n is %d, %v", n, err)
		}
		return nil
	})
}

// Tests that share a server have databases of their own, empty at the start,
// also when their number has been used before.
func TestSharedDatabases(t *testing.T) {
	t.Parallel()
	taken := map[int]bool{}
	t.Run("at once", func(t *testing.T) {
		for range 20 {
			s := redistest.Shared(t)
			if taken[s.DB] {
				t.Fatalf("database %d was given twice", s.DB)
			}
			taken[s.DB] = true
			c := s.Client(t)
			if n := c.DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("database %d has %d keys", s.DB, n)
			}
			c.Set(t.Context(), "k", s.DB, 0)
			if got := c.Get(t.Context(), "k").Val(); got != strconv.Itoa(s.DB) {
				t.Errorf("in database %d k is %s", s.DB, got)
			}
		}
	})
	again := 0
	for range 300 {
		t.Run("later", func(t *testing.T) {
			s := redistest.Shared(t)
			if taken[s.DB] {
				again++
			}
			if n := s.Client(t).DBSize(t.Context()).Val(); n != 0 {
				t.Errorf("database %d has %d keys", s.DB, n)
			}
		})
	}
	if again == 0 {
		t.Error("no database was given again")
	}
}

// What is awaited in vain ends the test, with what it was and the last answer.
func TestUntilGivesUp(t *testing.T) {
	t.Parallel()
	if os.Getenv(inner) != "" {
		redistest.Until(t, 20*time.Millisecond, "the moon", func() error { return context.DeadlineExceeded })
		return
	}
	out, ok := again(t, t.Name())
	if ok || !strings.Contains(out, "waited 20ms for the moon: "+context.DeadlineExceeded.Error()) {
		t.Errorf("ok %v, want a failure that tells what was awaited:\n%s", ok, out)
	}
}
