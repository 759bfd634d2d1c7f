package faults_test

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	length = flag.Duration("faults", 0, "how long the fault suite runs; 0 is the short form of a few seconds")
	root   = flag.Uint64("seed", 0, "decides which operations and which faults there are; 0 takes one of the clock")
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // servers out of reach are these tests' business
	redistest.Main(m)
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// A scenario is a place, and what befalls it.
type scenario struct {
	name     string
	place    func(*testing.T, settings, *redistest.Shards) *place
	settings settings
	strikes  []strike // one at a time
	weather  []strike // side by side with these and with each other; they do not need the test
	cancels  float64  // how many contexts end early
	unsteady bool     // the proxy is unreliable
	lossy    bool     // the servers may lose what they have acknowledged
	smooth   bool     // nobody is to notice anything
	long     bool     // it is left out of the short form
}

const (
	patient   = 10 * time.Second
	impatient = 200 * time.Millisecond
)

// groups run side by side, their scenarios one after the other.
var groups = []struct {
	name      string
	shards    func(*testing.T) *redistest.Shards // what its scenarios share, if they share something
	scenarios []scenario
}{
	{"standalone", nil, []scenario{
		{name: "cancelled contexts", place: standalone, settings: settings{readTimeout: patient}, cancels: 0.5},
		{name: "scripts forgotten", place: standalone, settings: settings{readTimeout: patient}, weather: []strike{flushScripts}, smooth: true},
		{name: "killed and restarted", place: standalone, settings: settings{readTimeout: patient}, strikes: []strike{restart}},
		{name: "paused", place: standalone, settings: settings{readTimeout: impatient}, strikes: []strike{pause}},
		{name: "connections cut", place: standalone, settings: settings{readTimeout: impatient, proxied: true},
			strikes: []strike{refuseDials}, weather: []strike{cut}, unsteady: true},
		{name: "refused", place: standalone, settings: settings{readTimeout: patient}, strikes: []strike{fill}, weather: []strike{kick}},
		{name: "all together", place: standalone, settings: settings{readTimeout: impatient, proxied: true}, cancels: 0.1,
			strikes: []strike{restart, pause, refuseDials, fill}, weather: []strike{flushScripts, cut, kick}, unsteady: true},
	}},
	{"cluster", patientCluster, []scenario{
		{name: "scripts forgotten", place: cluster, settings: settings{readTimeout: patient}, weather: []strike{flushScripts}, smooth: true},
		{name: "resharded", place: cluster, settings: settings{readTimeout: patient}, strikes: []strike{reshard}, smooth: true},
		{name: "failover", place: cluster, settings: settings{readTimeout: patient}, strikes: []strike{failover}, long: true},
		{name: "paused", place: cluster, settings: settings{readTimeout: impatient}, strikes: []strike{pause}, long: true},
		{name: "connections cut", place: cluster, settings: settings{readTimeout: impatient, proxied: true},
			strikes: []strike{refuseDials}, weather: []strike{cut}, unsteady: true},
		{name: "all together", place: cluster, settings: settings{readTimeout: impatient, proxied: true}, cancels: 0.1,
			strikes: []strike{reshard, reshard, reshard, failover, refuseDials}, weather: []strike{flushScripts, cut, kick}, unsteady: true},
		{name: "masters killed", place: mortal, settings: settings{readTimeout: impatient}, strikes: []strike{murder}, lossy: true},
	}},
	{"sentinel", nil, []scenario{
		{name: "failover", place: sentinel, settings: settings{readTimeout: patient}, strikes: []strike{failover}, long: true},
		{name: "all together", place: sentinel, settings: settings{readTimeout: impatient, proxied: true}, cancels: 0.1,
			strikes: []strike{failover, refuseDials, pause}, weather: []strike{flushScripts, cut, kick}, unsteady: true},
		{name: "master killed", place: watched, settings: settings{readTimeout: impatient}, strikes: []strike{murder}, lossy: true},
	}},
}

// Whatever befalls the servers and the way to them: what was acknowledged was
// executed once, what was reported as unknown once or not at all, what was refused
// not at all; each read sees what was written, and nothing is left behind.
func TestFaults(t *testing.T) {
	seed := *root
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	t.Logf("-seed=%d", seed)
	board := newBoard()
	t.Cleanup(func() { board.table(t, seed) })
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			each := 800 * time.Millisecond
			if *length > 0 {
				each = *length / time.Duration(len(g.scenarios))
			}
			var shared *redistest.Shards
			if g.shards != nil {
				shared = g.shards(t)
			}
			for _, s := range g.scenarios {
				if s.long && *length == 0 {
					continue
				}
				t.Run(s.name, func(t *testing.T) { s.run(t, shared, board, g.name, seed, each) })
			}
		})
	}
	if *length > 0 {
		board.tell(t)
	}
}

// random is a source of its own for each use of a seed.
func random(seed uint64, use string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(use))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

const (
	workers    = 6
	tagsEach   = 10
	endsWithin = time.Minute // of a plan under way when a scenario ends
)

// run lets the workload and the faults loose, and accounts for everything.
func (s scenario) run(t *testing.T, shared *redistest.Shards, board *board, group string, seed uint64, length time.Duration) {
	name := group + "/" + s.name
	how := random(seed, name)
	s.settings.protocol = 2 + how.IntN(2)
	p := s.place(t, s.settings, shared)
	p.names(strings.ReplaceAll(name, " ", "-")[len(group)+1:], tagsEach)
	r := &run{name: name, tags: p.tags, workers: workers, cancels: s.cancels, lossy: s.lossy, moves: s.moves()}
	row := board.add(name, r)
	if s.unsteady {
		unreliable(p, &r.counts, random(seed, name+" proxy"))
	}
	all, dbs := r.start(t, p, seed)
	s.befall(t, p, r, seed, length)
	redistest.Until(t, 30*time.Second, "enough to account for", r.enough)
	ops := all.end(t, name)

	p.client.Close()
	for _, db := range dbs {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	redistest.Until(t, 30*time.Second, "all goroutines to end", func() error {
		if left := goroutines(name); len(left) > 0 {
			return fmt.Errorf("%d stacks, of them\n%s", len(left), left[0])
		}
		return nil
	})
	p.still(t)
	wrong := slices.Concat(r.violations(), audit(ops, p.read(t, workers), s.lossy))
	if s.smooth {
		wrong = append(wrong, bumps(ops)...)
	}
	row.end(len(wrong))
	for i, w := range wrong {
		if i == 20 {
			t.Errorf("and %d more", len(wrong)-i)
			break
		}
		t.Errorf("-seed=%d %s: %s", seed, name, w)
	}
	if r.counts.faults.Load() == 0 {
		t.Error("no fault has struck: that proves nothing")
	}
}

// moves tells whether slots move.
func (s scenario) moves() bool {
	return slices.ContainsFunc(s.strikes, func(k strike) bool { return k.name == reshard.name })
}

// A shift is the workers of a run.
type shift struct {
	workers []*worker
	stop    context.CancelFunc
	over    chan struct{}
}

// start sets the workers to work: half of them share pipelines where they can.
func (r *run) start(t *testing.T, p *place, seed uint64) (*shift, []*pipectx.DB) {
	var dbs []*pipectx.DB
	for _, options := range [][]pipectx.Option{nil, {pipectx.Coalesce()}} {
		db, err := pipectx.New(p.client, options...)
		if err != nil {
			t.Fatal(err)
		}
		dbs = append(dbs, db)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &shift{stop: stop, over: make(chan struct{})}
	var all sync.WaitGroup
	for n := range r.workers {
		w := &worker{
			n: n, run: r, db: dbs[n%2], coalesces: n%2 == 1, rng: random(seed, fmt.Sprint(r.name, n)),
			boxes: map[string]*task{},
		}
		s.workers = append(s.workers, w)
		all.Add(1)
		go pprof.Do(ctx, pprof.Labels("scenario", r.name), func(context.Context) {
			defer all.Done()
			w.work(ctx)
		})
	}
	go func() {
		all.Wait()
		close(s.over)
	}()
	return s, dbs
}

// end waits until what is under way has ended, and returns all that was done.
func (s *shift) end(t *testing.T, name string) (ops []*op) {
	s.stop()
	select {
	case <-s.over:
	case <-time.After(endsWithin):
		t.Fatalf("HANGS: a minute after the last fault something is still under way:\n%s", strings.Join(goroutines(name), "\n\n"))
	}
	for _, w := range s.workers {
		ops = append(ops, w.ops...)
	}
	return ops
}

// befall has faults strike for so long, and until each of their kinds has.
func (s scenario) befall(t *testing.T, p *place, r *run, seed uint64, length time.Duration) {
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var weather sync.WaitGroup
	defer weather.Wait()
	ended := make(chan struct{})
	defer close(ended)
	for _, w := range s.weather {
		weather.Go(func() {
			rng := random(seed, r.name+" "+w.name)
			for {
				select {
				case <-ended:
					return
				case <-time.After(w.pause(rng)):
				}
				w.do(t, p, rng)
				r.counts.faults.Add(1)
			}
		})
	}
	rng := random(seed, r.name+" strikes")
	for n := 0; len(s.strikes) > 0; n++ {
		next := s.strikes[rng.IntN(len(s.strikes))]
		if ctx.Err() != nil && n > 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(next.pause(rng)):
		}
		next.do(t, p, rng)
		r.counts.faults.Add(1)
	}
	<-ctx.Done()
}

// enough is how many acknowledged operations prove something; a busy machine is
// given the time for them.
func (r *run) enough() error {
	if n := r.counts.acked.Load(); n < 200 {
		return fmt.Errorf("only %d operations were acknowledged", n)
	}
	return nil
}
