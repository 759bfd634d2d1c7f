package cache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A load that is to end well has all the time that a busy machine needs; of one that
// does not end, the lease is waited for.
const (
	lease     = 4 * time.Second
	longLease = 30 * time.Second
)

// A stampede is what the callers of one argument ask for, in a region of its own, whose
// statistics tell how many of them have come.
type stampede struct {
	region  *cache.Region
	callers *cache.Function[string, string]
}

func newStampede(arg string) *stampede {
	o := cache.Options{Lease: longLease}
	if arg == "hangs" || arg == "killed" {
		o.Lease = lease
	}
	s := &stampede{region: cache.NewRegion(arg, o)}
	s.callers = cache.Func(s.region, "f", s.load)
	return s
}

// load notes each load in Redis, and does what the process was told.
func (s *stampede) load(ctx context.Context, arg string) (string, error) {
	db := ctx.Value(dbKey{}).(*pipectx.DB)
	n, err := pipectx.Do[int64](ctx, db, "INCR", "loads{"+arg+"}").Result()
	if err != nil {
		return "", err
	}
	switch {
	case arg == "killed" && n == 1:
		fmt.Println("loading")
		select {} // until somebody ends the process
	case arg == "hangs" && n == 1:
		time.Sleep(time.Hour)
	case arg == "error", arg == "panic", arg == "value": // slow: all the others miss it meanwhile
		if err := s.missed(ctx, db, 4*callers); err != nil {
			return "", err
		}
	}
	switch arg {
	case "error":
		return "", fmt.Errorf("load %d: %w", n, errOurs)
	case "panic":
		panic(fmt.Sprintf("load %d", n))
	}
	return fmt.Sprintf("%s %d", arg, n), nil
}

// missed waits until so many callers have asked and found nothing, in all processes.
func (s *stampede) missed(ctx context.Context, db *pipectx.DB, n int64) error {
	for {
		today, err := s.region.On(db).Statistics(ctx, time.Now()).Result()
		if err != nil {
			return err
		}
		yesterday, err := s.region.On(db).Statistics(ctx, time.Now().AddDate(0, 0, -1)).Result()
		if err != nil || today["f"].Misses+yesterday["f"].Misses >= n {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// tell sends what this process has counted, again and again until ctx ends.
func (s *stampede) tell(ctx context.Context, db *pipectx.DB) {
	for ctx.Err() == nil {
		if err := s.region.On(db).Flush(ctx); err != nil && ctx.Err() == nil {
			panic(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type dbKey struct{}

// callers are those of one process.
const callers = 250

// child is what a process of the stampede does: callers ask for a value, and it prints
// the different answers.
func child(addr, arg string) error {
	client := redis.NewClient(&redis.Options{Addr: addr})
	db, err := pipectx.New(client)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.WithValue(context.Background(), dbKey{}, db))
	defer end()
	s := newStampede(arg)
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	go s.tell(ctx, db)
	answers := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			v, err := s.callers.On(db).Get(ctx, arg).Result()
			if err != nil {
				v = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			answers[v]++
		})
	}
	wg.Wait()
	for answer, n := range answers {
		fmt.Printf("%d %s\n", n, answer)
	}
	return nil
}

// TestChild is no test, but a process of TestStampede's.
func TestChild(t *testing.T) {
	addr, arg := os.Getenv("STAMPEDE_ADDR"), os.Getenv("STAMPEDE_ARG")
	if addr == "" {
		t.Skip("it is run by TestStampede")
	}
	if err := child(addr, arg); err != nil {
		t.Fatal(err)
	}
}

// A process is a child that is ready.
type process struct {
	cmd   *exec.Cmd
	in    io.Writer
	out   *bufio.Scanner
	lines []string
}

func startProcess(t *testing.T, addr, arg string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestChild$", "-test.v")
	cmd.Env = append(os.Environ(), "STAMPEDE_ADDR="+addr, "STAMPEDE_ARG="+arg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	if !p.until("ready") {
		t.Fatal("the process did not start")
	}
	return p
}

// until reads lines up to one.
func (p *process) until(line string) bool {
	for p.out.Scan() {
		if p.out.Text() == line {
			return true
		}
		p.lines = append(p.lines, p.out.Text())
	}
	return false
}

// A thousand callers in four processes ask for one value: one of them loads. Whatever
// becomes of that load, nobody waits for longer than its lease and a second.
func TestStampede(t *testing.T) {
	server := redistest.Server(t)
	client := server.Client(t)
	addr := client.Options().Addr
	for arg, c := range map[string]struct {
		loads  string
		answer string // of all callers
		or     string // of those in the process that loaded first
		within time.Duration
	}{
		"value":  {"1", "value 1", "", longLease},
		"error":  {"1", "load 1: ours", "", longLease + time.Second},
		"panic":  {"1", "panic: load 1", "", longLease + time.Second},
		"hangs":  {"2", "hangs 2", "longer than its lease", 2*lease + time.Second},
		"killed": {"2", "killed 2", "", 2*lease + time.Second},
	} {
		t.Run(arg, func(t *testing.T) {
			if arg != "killed" {
				t.Parallel()
			}
			var processes []*process
			for range 4 {
				processes = append(processes, startProcess(t, addr, arg))
			}
			start := time.Now()
			if arg == "killed" { // one has begun to load when the others come
				_, _ = processes[0].in.Write([]byte("\n"))
				if !processes[0].until("loading") {
					t.Fatal("no load")
				}
			}
			for _, p := range processes[1:] {
				_, _ = p.in.Write([]byte("\n"))
			}
			if arg == "killed" {
				_ = processes[0].cmd.Process.Kill()
				_ = processes[0].cmd.Wait() // killed
				processes = processes[1:]
			} else {
				_, _ = processes[0].in.Write([]byte("\n"))
			}
			answered := 0
			for _, p := range processes {
				p.until("")
				if err := p.cmd.Wait(); err != nil {
					t.Error(err)
				}
				for _, line := range p.lines {
					var n int
					if _, err := fmt.Sscanf(line, "%d ", &n); err != nil {
						continue // go test's own
					}
					if answered += n; !strings.Contains(line, c.answer) && (c.or == "" || !strings.Contains(line, c.or)) {
						t.Errorf("callers were answered %q, want %q", line, c.answer)
					}
				}
			}
			if answered != callers*len(processes) {
				t.Errorf("%d callers were answered", answered)
			}
			if took := time.Since(start); took > c.within+10*time.Second { // the machine may be slow, a lost caller is slower
				t.Errorf("it took %v", took)
			}
			if loads, err := client.Get(t.Context(), "loads{"+arg+"}").Result(); err != nil || loads != c.loads {
				t.Errorf("%s loads, %v; want %s", loads, err, c.loads)
			}
		})
	}
}

// A load that begins when another's process has died, and takes its time, is waited for in
// all processes, as the first one was.
func TestNextLoad(t *testing.T) {
	client := redistest.Server(t).Client(t)
	ctx := t.Context()
	r := region(t, cache.Options{Lease: lease})
	l := &loader{next: func(int64, string) (string, error) {
		time.Sleep(lease / 2)
		return "v", nil
	}}
	f := cache.Func(r, "f", l.load)
	if err := client.Set(ctx, "cache.lease:f{"+r.String()+"}:a", "of the dead", lease).Err(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		db := newDB(t, client)
		all.Go(func() { want(t, "a", f.On(db).Get(ctx, "a"), "v") })
	}
	all.Wait()
	wantLoads(t, l, 1)
}

// A value that is invalidated while it is loaded is loaded again: who asked afterwards
// never sees the old one, in whatever process.
func TestOutdatedLoad(t *testing.T) {
	everywhere(t, func(t *testing.T, client redis.UniversalClient, db *pipectx.DB) {
		ctx := t.Context()
		for name, outdate := range map[string]func(f cache.Bound[string, string], r cache.BoundRegion) error{
			"invalidate": func(f cache.Bound[string, string], _ cache.BoundRegion) error { return f.Invalidate(ctx, "a").Err() },
			"remove":     func(f cache.Bound[string, string], _ cache.BoundRegion) error { return f.Remove(ctx, "a").Err() },
			"remove all": func(f cache.Bound[string, string], _ cache.BoundRegion) error { return f.RemoveAll(ctx).Err() },
			"region":     func(_ cache.Bound[string, string], r cache.BoundRegion) error { return r.Remove(ctx).Err() },
		} {
			r := region(t, cache.Options{})
			loading, go_ := make(chan struct{}), make(chan struct{})
			l := &loader{next: func(n int64, arg string) (string, error) {
				if n == 1 {
					close(loading)
					<-go_
				}
				return fmt.Sprint("load ", n), nil
			}}
			def := cache.Func(r, "f", l.load)
			there := newDB(t, client)
			first := make(chan string, 1)
			go func() {
				v, _ := def.On(db).Get(ctx, "a").Result()
				first <- v
			}()
			<-loading
			if err := outdate(def.On(there), r.On(there)); err != nil {
				t.Fatal(err)
			}
			close(go_)
			if got := <-first; got != "load 2" {
				t.Errorf("%s: the caller got %q", name, got)
			}
			want(t, name+": stored", def.On(there).Get(ctx, "a"), "load 2")
			wantLoads(t, l, 2)
		}
	})
}

// A caller that goes away leaves its load to the others.
func TestCallerLeaves(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	loading, go_ := make(chan struct{}), make(chan struct{})
	l := &loader{next: func(int64, string) (string, error) { close(loading); <-go_; return "v", nil }}
	f := cache.Func(region(t, cache.Options{}), "leaves", l.load).On(db)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- f.Get(ctx, "a").Err() }()
	<-loading
	cancel(errOurs)
	if err := <-gone; !errors.Is(err, errOurs) || !strings.Contains(err.Error(), "waiting") {
		t.Errorf("who left: %v", err)
	}
	others := make(chan string, 3)
	for range 3 {
		go func() {
			v, _ := f.Get(t.Context(), "a").Result()
			others <- v
		}()
	}
	close(go_)
	got := []string{<-others, <-others, <-others}
	if !slices.Equal(got, []string{"v", "v", "v"}) {
		t.Errorf("the others: %v", got)
	}
	wantLoads(t, l, 1)
}
