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
