package lock_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	histories = flag.Duration("histories", 1500*time.Millisecond, "how long each history of TestHistories is")
	seed      = flag.Uint64("seed", 0, "repeats the choices of a history; 0 draws one")
)

// The locks of histories: leases are short, that they end now and then.
var (
	racing  = lock.Options{TTL: 150 * time.Millisecond, Timeout: 3 * time.Second}
	raced   = lock.New("raced", racing)
	raced3  = lock.NewSemaphore("raced3", 3, racing)
	racedRW = lock.NewRW("racedRW", racing)
)

// work acquires, holds and releases until ctx ends, and tells all of it.
func work(ctx context.Context, db *pipectx.DB, rng *rand.Rand, tell func(event)) {
	for ctx.Err() == nil {
		e, acquire := event{Did: "acquired", Name: strconv.Itoa(rng.IntN(3))}, raced.On(db).Acquire
		switch rng.IntN(5) {
		case 0:
			e.Name, acquire = e.Name+"/3", raced3.On(db).Acquire
		case 1:
			e.Name, acquire = e.Name+"/rw", racedRW.On(db).AcquireRead
		case 2:
			e.Name, e.Alone, acquire = e.Name+"/rw", true, racedRW.On(db).AcquireWrite
		}
		asking, cancel := ctx, context.CancelFunc(func() {})
		if rng.IntN(10) == 0 { // one who may give up while it is made the holder
			asking, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(2000))*time.Microsecond)
		}
		hold(asking, rng, e, acquire, tell)
		cancel()
	}
}

func hold(ctx context.Context, rng *rand.Rand, e event, acquire func(context.Context, string) (*lock.Lease, error), tell func(event)) {
	now := func() int64 { return time.Now().UnixNano() }
	e.Call = now()
	lease, err := acquire(ctx, e.Name)
	if e.Return = now(); err != nil {
		return
	}
	e.Fence, err = lease.Fence()
	// A lease may be over when Acquire returns, for this process may have been stopped.
	lost := func(by int64) { tell(event{Did: "lost", Name: e.Name, Fence: e.Fence, Call: e.Call, Return: by}) }
	tell(e)
	looks := rng.IntN(4)
	if rng.IntN(50) == 0 { // one who must renew the lease, and may see the server lose it
		looks = 300
	}
	for ; looks > 0 && err == nil; looks-- {
		time.Sleep(time.Duration(rng.IntN(1000)) * time.Microsecond) // what a holder does takes time
		c := event{Did: "checked", Name: e.Name, Fence: e.Fence, Call: now()}
		if _, err = lease.Fence(); err == nil {
			c.Return = now()
			tell(c)
		}
	}
	if err != nil {
		lost(now())
		return
	}
	r := event{Did: "released", Name: e.Name, Fence: e.Fence, Call: now()}
	switch err := lease.Release(context.WithoutCancel(ctx)); {
	case err == nil:
		r.Return = now()
		tell(r)
	case errors.Is(err, lock.ErrLost):
		lost(now())
	default:
		lost(math.MaxInt64)
	}
}

// A crew is workers in this process and in others, whose events come together.
type crew struct {
	mu     sync.Mutex
	events []event
	all    sync.WaitGroup
}

func (c *crew) tell(e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

// hire starts a process of workers; kill ends it, and what it told counts.
func (c *crew) hire(t *testing.T, url string, seed uint64) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHistoryWorker$")
	cmd.Env = append(os.Environ(), "LOCK_WORKER="+url, "LOCK_SEED="+strconv.FormatUint(seed, 10))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdinPipe(); err != nil { // it ends with us
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.all.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				c.tell(e)
			}
		}
	})
	return cmd
}

// TestHistoryWorker is a process of a crew.
func TestHistoryWorker(t *testing.T) {
	url := os.Getenv("LOCK_WORKER")
	if url == "" {
		t.Skip("it is run by TestHistories")
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop() // in good order, if nobody kills it
	}()
	db, err := pipectx.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := strconv.ParseUint(os.Getenv("LOCK_SEED"), 10, 64)
	var mu sync.Mutex
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			work(ctx, db, rand.New(rand.NewPCG(seed, uint64(g))), func(e event) {
				text, _ := json.Marshal(e)
				mu.Lock()
				defer mu.Unlock()
				_, _ = os.Stdout.Write(append(text, '\n')) // whole, whenever it is killed
			})
		})
	}
	all.Wait()
	os.Exit(0)
}

// Under goroutines and processes, of which some are killed and some stopped for longer
// than their leases, while scripts are forgotten and masters give way to replicas, the
// calls of each lock have an order in which it is held by one, by as many as it has
// permits, or by readers or one writer, and in which fencing tokens grow.
//
// A server that is killed and comes back with nothing knows no holder any more: a second
// one is possible. Still each of its lives has such an order, tokens grow over all of
// them, and who held a lock before takes itself for a holder for a TTL at most.
func TestHistories(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	t.Run("server", func(t *testing.T) {
		s := redistest.Server(t)
		history(t, s.URL(), s.Client(t), func(ctx context.Context) (int64, error) { return 0, s.Client(t).ScriptFlush(ctx).Err() })
	})
	t.Run("cluster", func(t *testing.T) {
		c := redistest.Cluster(t)
		history(t, "redis+cluster://"+c.Addrs()[0], c.Client(t), func(context.Context) (int64, error) {
			c.Failover(t, "raced{1}")
			return 0, nil
		})
	})
	t.Run("data loss", func(t *testing.T) {
		s := redistest.Server(t)
		history(t, s.URL(), s.Client(t), func(context.Context) (int64, error) {
			s.Kill()
			loss := time.Now().UnixMicro()
			s.Restart(t)
			return loss, nil
		})
	})
}

// history runs a crew for a while, under faults, and judges what it did. A fault tells
// when the server had forgotten all, in µs, or 0 if it had not.
func history(t *testing.T, url string, client redis.UniversalClient, fault func(context.Context) (int64, error)) {
	var c crew
	rng := rand.New(rand.NewPCG(*seed, 0))
	ctx, stop := context.WithCancel(t.Context())
	db := newDB(t, client)
	for g := range 4 {
		c.all.Go(func() { work(ctx, db, rand.New(rand.NewPCG(*seed, uint64(g)+1)), c.tell) })
	}
	crew := []*exec.Cmd{c.hire(t, url, rng.Uint64()), c.hire(t, url, rng.Uint64())}
	end := time.Now().Add(*histories)
	faulted, losses := make(chan struct{}), []int64(nil)
	go func() {
		defer close(faulted)
		for time.Now().Before(end) {
			loss, err := fault(ctx)
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			if loss > 0 {
				losses = append(losses, loss)
			}
			time.Sleep(min(*histories/4, 2*time.Second))
		}
	}()
	for time.Now().Before(end) {
		time.Sleep(min(*histories/8, time.Second))
		at := rng.IntN(len(crew))
		if rng.IntN(2) == 0 {
			_ = crew[at].Process.Kill()
			_ = crew[at].Wait()
			crew[at] = c.hire(t, url, rng.Uint64())
			continue
		}
		_ = crew[at].Process.Signal(syscall.SIGSTOP)
		time.Sleep(200 * time.Millisecond)
		_ = crew[at].Process.Signal(syscall.SIGCONT)
	}
	<-faulted
	stop()
	for _, cmd := range crew {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	c.all.Wait()
	judge(t, c.events, losses, racing.TTL)
	if len(c.events) < 100 {
		t.Errorf("only %d events", len(c.events))
	}
}
