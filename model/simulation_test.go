package model_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	seeds = flag.Int("seeds", 2, "how many simulations there are on each server")
	seed  = flag.Uint64("seed", 0, "the seed of the only simulation; 0 takes some of the clock")
)

// Random verbs of concurrent clients, in pipelines and one at a time, leave server
// and twins alike: in each answer, and in each text that is stored at the end. Each
// client has records of its own, of which its twins know all; and all of them add to
// one that they share, by every policy of concurrency, where no sum is lost.
//
// A subtest is named after its seed, which -seed repeats.
func TestSimulation(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		steps := 10_000
		if strings.HasSuffix(t.Name(), "/embedded") { // whose Lua is slow
			steps = 500
		}
		lives := livesFields(t, p)
		for i := range *seeds {
			seed := *seed
			if seed == 0 {
				seed = rand.Uint64()
			} else if i > 0 {
				break
			}
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				simulate(t, p, seed, steps, lives)
			})
		}
	})
}

const (
	simulated = 4 // clients
	theirs    = 5 // records of each
	sharedID  = simulated * theirs
)

func simulate(t *testing.T, p place, seed uint64, steps int, lives bool) {
	m := model.Define[Member, int64](fmt.Sprintf("m%d", seed), model.Lua(memberLua))
	repo := m.On(p.db)
	value(t, "Create", repo.Create(t.Context(), Member{ID: sharedID}))
	clients := make([]*simulation, simulated)
	var all sync.WaitGroup
	for i := range clients {
		c := &simulation{
			repo: repo, deposit: model.Method[int64, int64](m, "deposit").On(p.db), db: p.db, lives: lives,
			random: rand.New(rand.NewPCG(seed, uint64(i))), first: int64(i * theirs), twins: make([]twin, theirs),
		}
		clients[i] = c
		all.Go(func() {
			if err := c.run(t.Context(), steps/simulated); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	all.Wait()

	there := []int64{sharedID}
	sum, times := int64(10), 1
	for _, c := range clients {
		sum, times = sum+c.added, times+c.times
		for i, want := range c.twins {
			id := c.first + int64(i)
			if got := value(t, "Hash", repo.Hash(id).GetAll(t.Context())); !maps.Equal(got, want.hash) {
				t.Errorf("at the end %d is\n\t%v\nwant\n\t%v", id, got, want.hash)
			}
			if want.exists() {
				there = append(there, id)
				ttl := value(t, "TTL", repo.TTL(t.Context(), id))
				if _, expires := ttl.Get(); expires != want.expires {
					t.Errorf("at the end %d expires: %v, want %v", id, expires, want.expires)
				}
			}
		}
	}
	want := map[string]string{"owner": "", "email": "none@example.org", "balance": fmt.Sprint(sum), "state": "open", "version": fmt.Sprint(times)}
	if got := value(t, "Hash", repo.Hash(sharedID).GetAll(t.Context())); !maps.Equal(got, want) {
		t.Errorf("at the end the shared record is\n\t%v\nwant\n\t%v", got, want)
	}
	stored := map[int64]bool{}
	for id, err := range repo.ScanIDs(t.Context()) {
		ok(t, "ScanIDs", err)
		stored[id] = true
	}
	slices.Sort(there)
	if got := slices.Sorted(maps.Keys(stored)); !slices.Equal(got, there) {
		t.Errorf("at the end there are %v, want %v", got, there)
	}
}

// A simulation is one client, and what it knows of its records.
type simulation struct {
	repo    model.Repo[Member, int64]
	deposit model.BoundOperation[int64, int64, int64]
	db      *pipectx.DB
	lives   bool // the server has times to live of fields
	random  *rand.Rand
	first   int64 // of its ids
	twins   []twin
	added   int64 // to the shared record
	times   int   // how often
	checks  []func() error
}

func (c *simulation) run(ctx context.Context, steps int) error {
	const first = 40 // steps, which all clients take at once, so that they are in each other's way
	for range first {
		if err := c.share(ctx); err != nil {
			return err
		}
	}
	for done := first; done < steps; {
		var err error
		if n := c.random.IntN(30); n < 15 {
			done++
			err = c.alone(ctx)
		} else {
			done += n
			err = pipectx.Run(ctx, c.db, func(ctx context.Context) error {
				for range n {
					c.step(ctx, false)
				}
				return nil
			})
		}
		for _, check := range c.checks {
			if err == nil {
				err = check()
			}
		}
		if err != nil {
			return fmt.Errorf("after %d steps: %w", done, err)
		}
		c.checks = c.checks[:0]
	}
	return nil
}

// one of its records.
func (c *simulation) one() (id int64, w *twin) {
	n := c.random.Int64N(theirs)
	return c.first + n, &c.twins[n]
}

func (c *simulation) coin() bool { return c.random.IntN(2) == 0 }

func (c *simulation) maybe(texts ...string) *string {
	if c.coin() {
		return nil
	}
	return &texts[c.random.IntN(len(texts))]
}

// check compares what a Ref answers with the twin's answer, errors by their kind.
func check[T any](c *simulation, verb string, ref *pipectx.Ref[T], show func(T) string, want T, wantErr error) {
	pipectx.Handled(ref)
	c.checks = append(c.checks, func() error {
		got, err := ref.Result()
		if kind(err) != kind(wantErr) || kind(err) == "?" || err == nil && show(got) != show(want) {
			return fmt.Errorf("%s answers %s, %v; want %s, %v", verb, show(got), err, show(want), wantErr)
		}
		return nil
	})
}

func kind(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, model.ErrExists):
		return "exists"
	case errors.Is(err, pipectx.ErrNotFound):
		return "not found"
	case errors.Is(err, pipectx.ErrConflict):
		return "conflict"
	case errors.As(err, new(*model.SumError)):
		return "sum"
	case errors.As(err, new(*model.ValidationError)):
		return "invalid"
	case errors.Is(err, errRange), strings.Contains(err.Error(), "RANGE"):
		return "range"
	}
	return "?"
}

func plainly[T any](v T) string { return fmt.Sprint(v) }

func pointed(s *string) string {
	if s == nil {
		return "absent"
	}
	return "=" + *s
}
