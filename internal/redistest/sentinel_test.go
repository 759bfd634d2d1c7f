package redistest_test

import (
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// A client of the sentinels writes to the master from the start, and follows
// it through an orderly failover.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	g := redistest.Sentinel(t)
	c := g.Client(t)
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	old := g.Master(t)
	if old != g.Nodes[0] {
		t.Errorf("the master is %s, want %s", old.Addr, g.Nodes[0].Addr)
	}
	if n, err := c.Wait(t.Context(), 2, 0).Result(); n != 2 || err != nil {
		t.Fatalf("the write reached %d replicas, %v", n, err)
	}
	now := g.Failover(t)
	if now == old || g.Master(t) != now {
		t.Error("the master did not change")
	}
	redistest.Until(t, 10*time.Second, "the client to follow", func() error { return c.Set(t.Context(), "k2", "v", 0).Err() })
	if got, err := now.Client(t).Get(t.Context(), "k").Result(); got != "v" || err != nil {
		t.Errorf("at the new master k is %q, %v", got, err)
	}
}

// When the master dies, a replica takes its place.
func TestSentinelKill(t *testing.T) {
	t.Parallel()
	g := redistest.Sentinel(t)
	dead := g.Master(t)
	dead.Kill()
	g.Settle(t)
	now := g.Master(t)
	if now == dead {
		t.Fatal("the master is dead")
	}
	if err := g.Client(t).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
	if got := now.Client(t).Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("at the new master k is %q", got)
	}
}
