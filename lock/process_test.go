package lock_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// child runs a test of this binary in a process of its own, which prints a line for
// each thing it has done.
func child(t *testing.T, s *redistest.Node, does string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "LOCK_CHILD="+does, "LOCK_URL="+s.URL())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	hold, err := cmd.StdinPipe() // its end is the child's
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = hold.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewReader(out)
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	text, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("the child ended: %v", err)
	}
	return strings.TrimSpace(text)
}

// TestChild is the other process of tests that need one.
func TestChild(t *testing.T) {
	does := os.Getenv("LOCK_CHILD")
	if does == "" {
		t.Skip("it is run by others")
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is gone
		os.Exit(0)
	}()
	db, err := pipectx.Open(os.Getenv("LOCK_URL"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	switch does {
	case "hold":
		lease, err := quick.On(db).Acquire(ctx, "p")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("held")
		for end := lease.TTL(); end > 0; end = lease.TTL() { // until it is stopped
		}
		_, err = lease.Fence()
		fmt.Println(err)
	case "wait":
		for range 3 {
			go func() {
				lease, err := jobs.On(db).Acquire(ctx, "p")
				fmt.Println("held", err)
				<-lease.Context().Done()
			}()
		}
		select {}
	}
}

// A holder that is killed is free when its time has passed. One that is stopped for
// longer than that learns of it at its first verb.
func TestHolderDies(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	cmd, out := child(t, s, "hold")
	line(t, out)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	lease, err := quick.On(db).Acquire(t.Context(), "p")
	held(t, lease, err)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("free after %v", took)
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if says := line(t, out); !strings.HasPrefix(says, lock.ErrLost.Error()) {
		t.Errorf("the holder that woke says %s", says)
	}
	done(t, "release", lease.Release(t.Context()))

	cmd, out = child(t, s, "hold")
	line(t, out)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	lease, err = quick.On(db).Acquire(t.Context(), "p")
	held(t, lease, err)
}

// Those who wait and are killed leave no place in the queue: who is behind them is
// next. Those who are stopped delay it for two seconds, and until the next one asks, all of
// a process together.
func TestWaitersDie(t *testing.T) {
	for name, signal := range map[string]os.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Server(t)
			db := newDB(t, s.Client(t))
			lease, err := jobs.On(db).Acquire(t.Context(), "p")
			held(t, lease, err)
			cmd, _ := child(t, s, "wait")
			waiting(t, db, lease.Keys()[0], 3)
			next := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(t.Context(), "p") })
			waiting(t, db, lease.Keys()[0], 4)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if signal == syscall.SIGKILL {
				_ = cmd.Wait()
			}
			listen := 2
			if signal == syscall.SIGKILL {
				listen = 1
			}
			redistest.Until(t, 10*time.Second, "the server to see it", func() error {
				channels, err := db.Client().PubSubChannels(t.Context(), "redmoon:lock:*").Result()
				if err == nil && len(channels) != listen {
					err = fmt.Errorf("channels %v", channels)
				}
				return err
			})
			began := time.Now()
			done(t, "release", lease.Release(t.Context()))
			r := <-next
			held(t, r.lease, r.err)
			if took := time.Since(began); signal == syscall.SIGKILL && took > time.Second || took > 5*time.Second {
				t.Errorf("the next one had it after %v", took)
			}
		})
	}
}
