package redistest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// Once a cluster has settled, all nodes know the epoch of each master's claim. One
// that did not, and was given a slot next, would claim it in vain.
func TestClusterSettle(t *testing.T) {
	s := redistest.Cluster(t)
	for _, key := range []string{"a", "b", "c"} { // one of each master
		master := s.Master(t, key)
		var done string // STILL, if it is the greatest already
		var epoch int
		answer, err := master.Client(t).Do(t.Context(), "CLUSTER", "BUMPEPOCH").Text()
		if _, scan := fmt.Sscan(answer, &done, &epoch); err != nil || scan != nil {
			t.Fatalf("BUMPEPOCH answers %q, %v", answer, err)
		}
		s.Settle(t)
		want := fmt.Sprintf(" %d connected ", epoch)
		for _, n := range s.Nodes {
			nodes, err := n.Client(t).ClusterNodes(t.Context()).Result()
			for line := range strings.Lines(nodes) {
				if strings.Contains(line, " "+master.Addr+"@") && !strings.Contains(line, want) {
					t.Errorf("%s says of the master with epoch %d: %s", n.Addr, epoch, line)
				}
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
}
