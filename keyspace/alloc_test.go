//go:build !race

package keyspace_test

import (
	"context"
	"math"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
)

// A pipeline of our verbs allocates no more than go-redis does alone. (Under
// the race detector pools drop what they hold, so it cannot be measured there.)
func TestPipelineAllocs(t *testing.T) {
	client, db := benched(t)
	ctx := context.Background()
	for _, p := range pairs(db) {
		theirs := leastAllocs(func() {
			if err := runGoRedis(ctx, client, p); err != nil {
				t.Fatal(err)
			}
		})
		ours := leastAllocs(func() {
			if err := runOurs(ctx, db, p); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: go-redis %.1f allocations a command, ours %.1f", p.name, theirs/batch, ours/batch)
		if ours > theirs {
			t.Errorf("%s: %v allocations for %d commands, go-redis has %v", p.name, ours, batch, theirs)
		}
	}
}

// leastAllocs is how many allocations fn takes when nothing else allocates: the
// count is the whole process's, and a cluster may be starting beside us.
func leastAllocs(fn func()) float64 {
	least := math.Inf(1)
	for range 20 {
		least = min(least, testing.AllocsPerRun(5, fn))
	}
	return least
}

// A key of a scalar id is one allocation.
func TestKeyAllocs(t *testing.T) {
	for name, key := range map[string]func() (string, error){
		"an int64":     func() (string, error) { return Visits.KeyOf(42) },
		"a string":     func() (string, error) { return byName.KeyOf("ann") },
		"one slot":     func() (string, error) { return inOneSlot.KeyOf(42) },
		"a template's": func() (string, error) { return adopted.KeyOf(42) },
	} {
		n := leastAllocs(func() {
			if _, err := key(); err != nil {
				t.Fatal(err)
			}
		})
		if n != 1 {
			t.Errorf("the key of %s takes %v allocations, want 1", name, n)
		}
	}
}

var (
	byName    = keyspace.NewString[string, string]("n")
	inOneSlot = keyspace.NewString[int64, string]("n", keyspace.OneSlot("A"))
	adopted   = keyspace.NewString[int64, string]("n", keyspace.Template("u:%s:name"))
)
