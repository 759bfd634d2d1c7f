package redistest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// The shared cluster serves every slot from the first command on, and is empty
// for each test that has it alone.
func TestCluster(t *testing.T) {
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Cluster(t)
			c := s.Client(t)
			err := c.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error {
				if n, err := node.DBSize(ctx).Result(); n != 0 || err != nil {
					return fmt.Errorf("%d keys, %v", n, err)
				}
				return nil
			})
			if err != nil {
				t.Errorf("at the start: %v", err)
			}
			seen := map[string]bool{}
			for i := range 100 {
				key := fmt.Sprint("k", i)
				if err := c.Set(t.Context(), key, i, 0).Err(); err != nil {
					t.Fatal(err)
				}
				seen[s.Master(t, key).Addr] = true
			}
			if len(seen) != 3 {
				t.Errorf("100 keys went to %d masters, want 3", len(seen))
			}
		})
	}
}

// Each master has a replica that follows it.
func TestClusterReplicas(t *testing.T) {
	s := redistest.Cluster(t)
	c := s.Client(t)
	for _, key := range []string{"a", "b", "c", "d"} {
		master, replica := s.Master(t, key), s.Replica(t, key)
		if master == replica {
			t.Fatalf("%s is master and replica of %q", master.Addr, key)
		}
		c.Set(t.Context(), key, "v", 0)
		direct := replica.Client(t, func(o *redis.Options) {
			o.OnConnect = func(ctx context.Context, cn *redis.Conn) error { return cn.ReadOnly(ctx).Err() }
		})
		redistest.Until(t, 5*time.Second, "the replica to follow", func() error {
			got, err := direct.Get(t.Context(), key).Result()
			if got != "v" {
				return fmt.Errorf("%q, %v", got, err)
			}
			return nil
		})
	}
}

// An orderly failover loses nothing, and the old master becomes the replica.
func TestClusterFailover(t *testing.T) {
	s := redistest.Cluster(t)
	c := s.Client(t)
	c.Set(t.Context(), "k", "v", 0)
	old := s.Master(t, "k")
	promoted := s.Failover(t, "k")
	if s.Master(t, "k") != promoted || s.Replica(t, "k") != old {
		t.Error("master and replica did not change places")
	}
	if got, err := c.Get(t.Context(), "k").Result(); got != "v" || err != nil {
		t.Errorf("k is %q, %v", got, err)
	}
}

// While a slot moves, its old master answers ASK for what it has not, the new
// one serves who asks properly; afterwards the old one answers MOVED.
func TestClusterMigrate(t *testing.T) {
	s := redistest.Cluster(t)
	c := s.Client(t)
	ctx := t.Context()
	c.Set(ctx, "{k}1", "v1", 0)
	c.Set(ctx, "{k}2", "v2", 0)

	m := s.Migrate(t, "{k}")
	from := m.From.Client(t)
	if m.From != s.Master(t, "{k}") {
		t.Error("the slot belongs to its new master before the end")
	}
	if err := from.Get(ctx, "{k}none").Err(); !asks(err, m.To.Addr) {
		t.Errorf("a key that is not there: %v, want ASK", err)
	}
	m.Move(t, "{k}1", "{k}none")
	if err := from.Get(ctx, "{k}1").Err(); !asks(err, m.To.Addr) {
		t.Errorf("a key that was moved: %v, want ASK", err)
	}
	if err := from.MGet(ctx, "{k}1", "{k}2").Err(); !redis.IsTryAgainError(err) {
		t.Errorf("keys on both sides: %v, want TRYAGAIN", err)
	}
	if got := c.Get(ctx, "{k}1").Val(); got != "v1" {
		t.Errorf("a client that follows reads %q", got)
	}
	m.Finish(t)
	if addr, ok := redis.IsMovedError(from.Get(ctx, "{k}2").Err()); !ok || addr != m.To.Addr {
		t.Errorf("after the move: redirected to %q, %v; want %s", addr, ok, m.To.Addr)
	}
	if got := c.MGet(ctx, "{k}1", "{k}2").Val(); fmt.Sprint(got) != "[v1 v2]" {
		t.Errorf("after the move: %v", got)
	}

	t.Run("left unfinished", func(t *testing.T) { s.Migrate(t, "{k}") })
	if s.Master(t, "{k}") == m.To {
		t.Error("a migration was not finished with its test")
	}
}

func asks(err error, addr string) bool {
	to, ok := redis.IsAskError(err)
	return ok && to == addr
}

// When a master dies its replica serves the slots; started again, it comes
// back as a replica.
func TestClusterKill(t *testing.T) {
	t.Parallel()
	s := redistest.NewCluster(t, "--cluster-node-timeout", "500")
	dead, replica := s.Master(t, "k"), s.Replica(t, "k")
	dead.Kill()
	s.Settle(t)
	if got := s.Master(t, "k"); got != replica {
		t.Fatalf("the master is %s, want the replica %s", got.Addr, replica.Addr)
	}
	if err := s.Client(t).Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
	dead.Restart(t)
	s.Settle(t)
	if got := s.Replica(t, "k"); got != dead {
		t.Errorf("the replica is %s, want the old master", got.Addr)
	}
}
