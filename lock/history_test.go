package lock_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
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
	raced  = lock.New("raced", lock.Options{TTL: 150 * time.Millisecond, Timeout: 3 * time.Second})
	raced3 = lock.NewSemaphore("raced3", 3, lock.Options{TTL: 150 * time.Millisecond, Timeout: 3 * time.Second})
)

// An event is what a worker did, from before the call until after the answer, by the
// machine's clock. The lease is known by its fencing token, which no other has.
type event struct {
	Did          string // acquired, checked, released, lost
	Name         string
	Fence        int64
	Call, Return int64
}

// work acquires, holds and releases until ctx ends, and tells all of it.
func work(ctx context.Context, db *pipectx.DB, rng *rand.Rand, tell func(event)) {
	for ctx.Err() == nil {
		name, acquire := strconv.Itoa(rng.IntN(3)), raced.On(db).Acquire
		if rng.IntN(3) == 0 {
			name, acquire = name+"/3", raced3.On(db).Acquire
		}
		asking, cancel := ctx, context.CancelFunc(func() {})
		if rng.IntN(10) == 0 { // one who may give up while it is made the holder
			asking, cancel = context.WithTimeout(ctx, time.Duration(rng.IntN(2000))*time.Microsecond)
		}
		hold(asking, rng, name, acquire, tell)
		cancel()
	}
}

func hold(ctx context.Context, rng *rand.Rand, name string, acquire func(context.Context, string) (*lock.Lease, error), tell func(event)) {
	now := func() int64 { return time.Now().UnixNano() }
	e := event{Did: "acquired", Name: name, Call: now()}
	lease, err := acquire(ctx, name)
	if e.Return = now(); err != nil {
		return
	}
	e.Fence, err = lease.Fence()
	// A lease may be over when Acquire returns, for this process may have been stopped.
	lost := func() { tell(event{"lost", name, e.Fence, e.Call, now()}) }
	tell(e)
	for i := rng.IntN(4); i > 0 && err == nil; i-- {
		time.Sleep(time.Duration(rng.IntN(1000)) * time.Microsecond) // what a holder does takes time
		c := event{Did: "checked", Name: name, Fence: e.Fence, Call: now()}
		if _, err = lease.Fence(); err == nil {
			c.Return = now()
			tell(c)
		}
	}
	if err != nil {
		lost()
		return
	}
	r := event{Did: "released", Name: name, Fence: e.Fence, Call: now()}
	switch err := lease.Release(context.WithoutCancel(ctx)); {
	case err == nil:
		r.Return = now()
		tell(r)
	case errors.Is(err, lock.ErrLost):
		lost()
	default:
		tell(event{"lost", name, e.Fence, e.Call, math.MaxInt64})
	}
}

// state is what the model knows of a lock: who holds it, and the last fence.
type state struct {
	holders [3]int64
	fence   int64
}

// model is a lock of so many permits: a holder enters when there is room, with a
// greater token than all before, and is there until it is released or lost.
func modelOf(permits int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(was, input, _ any) (bool, any) {
			s, e := was.(state), input.(event)
			at := slices.Index(s.holders[:permits], e.Fence)
			switch e.Did {
			case "acquired":
				free := slices.Index(s.holders[:permits], 0)
				if free < 0 || e.Fence <= s.fence {
					return false, s
				}
				s.holders[free], s.fence = e.Fence, e.Fence
				return true, s
			case "checked":
				return at >= 0, s
			}
			if at < 0 {
				return false, s
			}
			s.holders[at] = 0
			slices.Sort(s.holders[:permits])
			return true, s
		},
		DescribeOperation: func(input, _ any) string { e := input.(event); return fmt.Sprint(e.Did, " ", e.Fence) },
	}
}

// judge fails the test unless there is an order of the events of each lock in which
// it behaves.
func judge(t *testing.T, events []event) {
	t.Helper()
	byName := map[string][]event{}
	for _, e := range events {
		byName[e.Name] = append(byName[e.Name], e)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		open := map[int64]event{}
		var ops []porcupine.Operation
		add := func(e event) { ops = append(ops, porcupine.Operation{Input: e, Call: e.Call, Return: e.Return}) }
		for _, e := range byName[name] {
			add(e)
			switch e.Did {
			case "acquired":
				open[e.Fence] = e
			case "released", "lost":
				delete(open, e.Fence)
			}
		}
		for _, e := range open { // its process was killed
			add(event{"lost", name, e.Fence, e.Call, math.MaxInt64})
		}
		permits := 1
		if name[len(name)-1] == '3' && len(name) > 1 {
			permits = 3
		}
		got := porcupine.CheckOperationsTimeout(modelOf(permits), ops, time.Minute)
		t.Logf("lock %s: %d events, %d leases never ended: %s", name, len(ops), len(open), got)
		if got != porcupine.Ok {
			t.Errorf("lock %s is no lock of %d permits", name, permits)
		}
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
// calls of each lock have an order in which it is held by one, or by as many as it has
// permits, and in which fencing tokens grow.
func TestHistories(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	t.Run("server", func(t *testing.T) {
		s := redistest.Server(t)
		history(t, s.URL(), []redis.UniversalClient{s.Client(t)}, func(ctx context.Context) error { return s.Client(t).ScriptFlush(ctx).Err() })
	})
	t.Run("cluster", func(t *testing.T) {
		c := redistest.Cluster(t)
		history(t, "redis+cluster://"+c.Addrs()[0], []redis.UniversalClient{c.Client(t)}, func(ctx context.Context) error {
			c.Failover(t, "raced{1}")
			return nil
		})
	})
}

// history runs a crew for a while, under faults, and judges what it did.
func history(t *testing.T, url string, clients []redis.UniversalClient, fault func(context.Context) error) {
	var c crew
	rng := rand.New(rand.NewPCG(*seed, 0))
	ctx, stop := context.WithCancel(t.Context())
	for _, client := range clients {
		db := newDB(t, client)
		for g := range 4 {
			c.all.Go(func() { work(ctx, db, rand.New(rand.NewPCG(*seed, uint64(g)+1)), c.tell) })
		}
	}
	crew := []*exec.Cmd{c.hire(t, url, rng.Uint64()), c.hire(t, url, rng.Uint64())}
	end := time.Now().Add(*histories)
	faulted := make(chan struct{})
	go func() {
		defer close(faulted)
		for time.Now().Before(end) {
			if err := fault(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			time.Sleep(*histories / 4)
		}
	}()
	for time.Now().Before(end) {
		time.Sleep(*histories / 8)
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
	judge(t, c.events)
	if len(c.events) < 100 {
		t.Errorf("only %d events", len(c.events))
	}
}

// The judge is one: it knows a lock that two held, a token that did not grow, and a
// lease that was checked when it was over.
func TestJudge(t *testing.T) {
	ok := []event{{"acquired", "1", 5, 0, 2}, {"checked", "1", 5, 3, 4}, {"released", "1", 5, 5, 7}, {"acquired", "1", 6, 4, 9}, {"lost", "1", 6, 9, 20}}
	for _, row := range []struct {
		reason string
		more   []event
		want   porcupine.CheckResult
	}{
		{"nothing is wrong", nil, porcupine.Ok},
		{"two hold it", []event{{"acquired", "1", 9, 2, 3}}, porcupine.Illegal},
		{"a token did not grow", []event{{"acquired", "1", 4, 30, 40}}, porcupine.Illegal},
		{"it was over", []event{{"checked", "1", 6, 30, 40}}, porcupine.Illegal},
	} {
		var ops []porcupine.Operation
		for _, e := range append(slices.Clone(ok), row.more...) {
			ops = append(ops, porcupine.Operation{Input: e, Call: e.Call, Return: e.Return})
		}
		if got := porcupine.CheckOperationsTimeout(modelOf(1), ops, 0); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
}
