package lock_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A lease is renewed for as long as nobody releases it, and not after.
func TestRenewal(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	lease, err := quick.On(db).Acquire(t.Context(), "a")
	held(t, lease, err)
	key := lease.Keys()[0]
	stored := func() (since string) {
		since, err := db.Client().HGet(t.Context(), key, "since").Result()
		if err != nil {
			t.Fatal(err)
		}
		return since
	}
	first := stored()
	redistest.Until(t, 10*time.Second, "four renewals", func() error {
		if now := stored(); now == first {
			return fmt.Errorf("it began at %s", now)
		} else if lease.TTL() == 0 {
			t.Fatal("the lease is lost")
		}
		return nil
	})
	select {
	case <-lease.Context().Done():
		t.Error(context.Cause(lease.Context()))
	case <-time.After(3 * 200 * time.Millisecond): // no luck is waited for: it must last
	}
	done(t, "the lease", lease.Err())
	done(t, "release", lease.Release(t.Context()))
	last := stored()
	<-time.After(100 * time.Millisecond)
	if now := stored(); now != last {
		t.Error("it was renewed behind its release")
	}
}

// A lease that is not renewed ends with its time: its context ends with the cause,
// and every verb says so. Extend prolongs it before.
func TestFixed(t *testing.T) {
	everywhere(t, func(t *testing.T, db, other *pipectx.DB) {
		lease, err := fixed.On(db).Acquire(t.Context(), "f")
		one := fence(t, held(t, lease, err))
		done(t, "extend", lease.Extend(t.Context()))
		ctx := lease.Context()
		<-ctx.Done()
		wantErr(t, "its context", context.Cause(ctx), lock.ErrLost)
		wantErr(t, "extend", lease.Extend(t.Context()), lock.ErrLost)
		wantErr(t, "release", lease.Release(t.Context()), lock.ErrLost)
		_, err = lease.Fence()
		wantErr(t, "fence", err, lock.ErrLost)
		if lease.TTL() != 0 {
			t.Error("it has time left")
		}
		next, err := fixed.On(other).Acquire(t.Context(), "f")
		if two := fence(t, held(t, next, err)); two <= one {
			t.Errorf("fencing token %d behind %d: it did not survive", two, one)
		}
	})
}

// A holder that the server knows no more learns it with the next renewal, and its
// context ends.
func TestLost(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	err := quick.On(db).Do(t.Context(), "l", func(ctx context.Context, lease *lock.Lease) error {
		one := fence(t, lease)
		if err := db.Client().Del(ctx, lease.Keys()[0]).Err(); err != nil {
			return err
		}
		<-ctx.Done()
		wantErr(t, "the context", context.Cause(ctx), lock.ErrLost)
		next, err := quick.On(db).TryAcquire(t.Context(), "l")
		if two := fence(t, held(t, next, err)); two <= one {
			t.Errorf("fencing token %d behind %d, which the server has forgotten", two, one)
		}
		return nil
	})
	wantErr(t, "Do", err, lock.ErrLost)
}

// Renewals that fail are tried again until the lease is over, and no longer: then
// its context ends, though the server says nothing.
func TestServerHangs(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	lease, err := quick.On(db).Acquire(t.Context(), "s")
	held(t, lease, err)
	s.Pause(t)
	defer s.Resume(t)
	<-lease.Context().Done()
	wantErr(t, "its context", context.Cause(lease.Context()), lock.ErrLost)
	wantErr(t, "release", lease.Release(t.Context()), lock.ErrLost)
}

// An answer that is lost, to any of the scripts, changes nothing for the caller.
func TestLostAnswers(t *testing.T) {
	s, p := redistest.Server(t), redistest.NewProxy(t)
	db := newDB(t, s.Client(t, func(o *redis.Options) { o.Dialer = p.Dial }))
	other := newDB(t, s.Client(t))
	ctx := t.Context()
	warm, err := jobs.On(db).Acquire(ctx, "w")
	done(t, "acquire", err)
	done(t, "extend", warm.Extend(ctx))
	done(t, "release", warm.Release(ctx))

	lose := func() { // the next one
		var once atomic.Bool
		p.On(func(r redistest.Request) redistest.Fate {
			if strings.HasPrefix(r.Name(), "EVAL") && once.CompareAndSwap(false, true) {
				return redistest.Lose()
			}
			return redistest.Pass()
		})
	}
	lose()
	lease, err := jobs.On(db).TryAcquire(ctx, "a")
	done(t, "acquire", err)
	one := fence(t, lease)
	lose()
	done(t, "extend", lease.Extend(ctx))
	next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(ctx, "a") })
	waiting(t, other, lease.Keys()[0], 1)
	lose()
	done(t, "release", lease.Release(ctx))
	r := <-next
	if two := fence(t, held(t, r.lease, r.err)); two <= one {
		t.Errorf("fencing token %d behind %d", two, one)
	}

	lose()
	third := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "a") })
	waiting(t, other, lease.Keys()[0], 1)
	done(t, "release", r.lease.Release(ctx))
	r = <-third
	held(t, r.lease, r.err)
	waiting(t, other, lease.Keys()[0], 0)

	p.On(func(r redistest.Request) redistest.Fate {
		if strings.HasPrefix(r.Name(), "EVAL") {
			return redistest.Refuse()
		}
		return redistest.Pass()
	})
	if err := r.lease.Release(ctx); err == nil {
		t.Error("released without a server")
	}
	p.On(nil)
	done(t, "release once more", r.lease.Release(ctx))
}

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

// Messages that are lost, and a subscription that breaks, only delay: who waits asks
// for itself.
func TestMessagesLost(t *testing.T) {
	s := redistest.Server(t)
	db, other := newDB(t, s.Client(t)), newDB(t, s.Client(t))
	lease, err := jobs.On(db).Acquire(t.Context(), "m")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return jobs.On(other).Acquire(t.Context(), "m") })
	waiting(t, db, lease.Keys()[0], 1)
	if n, err := db.Client().ClientKillByFilter(t.Context(), "TYPE", "pubsub").Result(); n != 1 || err != nil {
		t.Fatalf("killed %d subscriptions, %v; one listens", n, err)
	}
	done(t, "release", lease.Release(t.Context()))
	r := <-next
	held(t, r.lease, r.err)
}

// Who may not listen waits all the same.
func TestNoChannels(t *testing.T) {
	s := redistest.Server(t)
	db := newDB(t, s.Client(t))
	ctx := t.Context()
	if err := db.Client().Do(ctx, "ACL", "SETUSER", "mute", "on", ">word", "~*", "resetchannels", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	mute := newDB(t, s.Client(t, func(o *redis.Options) { o.Username, o.Password = "mute", "word" }))
	lease, err := jobs.On(mute).Acquire(ctx, "n")
	held(t, lease, err)
	next := later(func() (*lock.Lease, error) { return jobs.On(mute).Acquire(ctx, "n") })
	done(t, "release", lease.Release(ctx))
	r := <-next
	held(t, r.lease, r.err)

	loud := later(func() (*lock.Lease, error) { return jobs.On(db).Acquire(ctx, "n") })
	waiting(t, db, lease.Keys()[0], 1)
	done(t, "release by one who may not tell", r.lease.Release(ctx))
	r = <-loud
	held(t, r.lease, r.err)
}
