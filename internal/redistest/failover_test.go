package redistest_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

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

// A replica that was a master a moment ago takes over again, and stays.
func TestClusterFailoverAgain(t *testing.T) {
	t.Parallel()
	s := redistest.NewCluster(t, "--cluster-node-timeout", "500")
	for range 3 {
		old := s.Master(t, "k")
		promoted := s.Failover(t, "k")
		if s.Master(t, "k") != promoted || s.Replica(t, "k") != old {
			t.Fatal("master and replica did not change places")
		}
	}
}
