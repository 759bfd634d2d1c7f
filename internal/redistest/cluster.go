package redistest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Shards is a cluster: three masters with a third of the slots each, and one
// replica for each of them.
type Shards struct {
	Nodes []*Node // masters first, as they were at the start

	// changes is held by who changes which node serves what, until all agree:
	// of two changes at once each may undo the other.
	changes sync.Mutex

	mu    sync.Mutex
	terms map[string]term // address → when it was last made a master
}

const (
	masters = 3
	slots   = 16384

	// settleWithin is how long servers may take to agree again after a
	// failover: a timeout, an election and the sync of a replica, on a machine
	// that is busy with the rest of the suite.
	settleWithin = time.Minute
)

// Cluster returns the cluster that all tests of the binary share. It is empty
// when no other test is using it; tests that run in parallel choose keys of
// their own.
//
// Orderly changes are allowed ([Shards.Failover], [Shards.Migrate]): they wait
// for each other and are over when they return. A cluster in which a test killed or paused a node is
// not given to the next one, but costs 2.5 s to replace: use [NewCluster].
//
// Cost: 2.5 s for the first test, of which [WithCluster] saves what passes
// meanwhile.
func Cluster(t testing.TB) *Shards {
	t.Helper()
	return commonCluster(needServer(t)).take(t, func(s *Shards) { s.flush(t) })
}

// WithCluster starts the shared cluster in the background, see [Main].
func WithCluster() {
	if path, err := exec.LookPath("redis-server"); err == nil {
		go commonCluster(path).warm()
	}
}

// NewCluster starts a cluster of the test's own, to be broken. Args are given
// to every node; by default a dead master is replaced after 2 s, and
// "--cluster-node-timeout", "500" makes that faster and less patient.
//
// Cost: 2.5 s, for a cluster serves nobody in its first two seconds, whatever
// one does. Tests that call it run in parallel.
func NewCluster(t testing.TB, args ...string) *Shards {
	t.Helper()
	s, err := startCluster(t.Context(), needServer(t), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	return s
}

var commonClusters sync.Map // path → *common[*Shards]

func commonCluster(path string) *common[*Shards] {
	c, _ := commonClusters.LoadOrStore(path, newCommon(func(ctx context.Context) (*Shards, error) { return startCluster(ctx, path) }))
	return c.(*common[*Shards])
}

// startCluster starts six nodes and makes a cluster of them:
//
//  1. each node gets an epoch of its own, so that none has to be negotiated,
//     and each master its slots;
//  2. all are introduced to all; gossip would get there too, but later;
//  3. each replica is told its master;
//  4. everybody agrees.
func startCluster(ctx context.Context, path string, args ...string) (*Shards, error) {
	s := &Shards{}
	err := s.form(ctx, path, args)
	if err != nil {
		s.end()
		return nil, fmt.Errorf("redistest: cluster: %w", err)
	}
	return s, nil
}

func (s *Shards) form(ctx context.Context, path string, args []string) error {
	nodes, err := startNodes(2*masters, func(int) (*process, error) {
		return startServer(path, slices.Concat([]string{
			"--cluster-enabled", "yes",
			"--cluster-config-file", "nodes.conf",
			"--cluster-announce-ip", "127.0.0.1",
			"--cluster-node-timeout", "2000",
			// A replica that was out of step for a moment may still be elected.
			"--cluster-replica-validity-factor", "0",
			// Replicas stay where tests expect them.
			"--cluster-migration-barrier", "9",
		}, args)...)
	})
	s.Nodes = nodes
	if err != nil {
		return err
	}

	for i, n := range nodes {
		if err := n.asks.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
			return err
		}
		if i < masters {
			if err := n.asks.ClusterAddSlotsRange(ctx, slots*i/masters, slots*(i+1)/masters-1).Err(); err != nil {
				return err
			}
		}
		for _, other := range nodes[:i] {
			if err := n.asks.ClusterMeet(ctx, "127.0.0.1", strconv.Itoa(other.process.port)).Err(); err != nil {
				return err
			}
		}
	}
	for i, n := range nodes[masters:] {
		id, err := nodes[i].asks.Do(ctx, "CLUSTER", "MYID").Text()
		if err != nil {
			return err
		}
		// The replica refuses until it has been introduced.
		err = until(ctx, settleWithin, func() error { return n.asks.ClusterReplicate(ctx, id).Err() })
		if err != nil {
			return err
		}
	}
	return until(ctx, settleWithin, func() error { return s.settled(ctx) })
}

// startNodes starts n servers at the same time. When one fails it returns its
// error, with those that did start.
func startNodes(n int, start func(i int) (*process, error)) ([]*Node, error) {
	var (
		nodes = make([]*Node, n)
		errs  = make([]error, n)
		wg    sync.WaitGroup
	)
	for i := range n {
		wg.Go(func() {
			p, err := start(i)
			if err != nil {
				errs[i] = err
				return
			}
			nodes[i] = newNode(p)
		})
	}
	wg.Wait()
	nodes = slices.DeleteFunc(nodes, func(n *Node) bool { return n == nil })
	return nodes, errors.Join(errs...)
}

// Addrs returns the addresses of all nodes.
func (s *Shards) Addrs() []string { return addrs(s.Nodes) }

func addrs(nodes []*Node) []string {
	a := make([]string, len(nodes))
	for i, n := range nodes {
		a[i] = n.Addr
	}
	return a
}

// Client returns a cluster client that is closed when the test ends.
func (s *Shards) Client(t testing.TB, change ...func(*redis.ClusterOptions)) *redis.ClusterClient {
	t.Helper()
	o := &redis.ClusterOptions{Addrs: s.Addrs()}
	for _, f := range change {
		f(o)
	}
	c := redis.NewClusterClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// Master returns the node that serves the slot of key.
func (s *Shards) Master(t testing.TB, key string) *Node {
	t.Helper()
	master, _ := s.shard(t, key)
	return master
}

// Replica returns the living replica of the node that serves the slot of key.
func (s *Shards) Replica(t testing.TB, key string) *Node {
	t.Helper()
	master, replica := s.shard(t, key)
	if replica == nil {
		t.Fatalf("redistest: %s has no living replica", master.Addr)
	}
	return replica
}

func (s *Shards) shard(t testing.TB, key string) (master, replica *Node) {
	t.Helper()
	v, slot, err := s.find(t.Context(), key)
	if err != nil {
		t.Fatalf("redistest: slot of %q: %v", key, err)
	}
	owner := v.owner(slot)
	if master = s.at(owner.addr); master == nil {
		t.Fatalf("redistest: slot %d of %q is served by nobody", slot, key)
	}
	for _, m := range v {
		if n := s.at(m.addr); m.master == owner.id && n != nil && n.process.alive() {
			replica = n
		}
	}
	return master, replica
}

// find returns the view of a living node, and the slot of key.
func (s *Shards) find(ctx context.Context, key string) (view, int, error) {
	for _, n := range s.Nodes {
		if !n.process.alive() {
			continue
		}
		slot, err := n.asks.ClusterKeySlot(ctx, key).Result()
		if err != nil {
			return nil, 0, err
		}
		v, err := n.view(ctx)
		return v, int(slot), err
	}
	return nil, 0, errors.New("no node is alive")
}

func (s *Shards) at(addr string) *Node {
	for _, n := range s.Nodes {
		if n.Addr == addr {
			return n
		}
	}
	return nil
}

// flush empties the cluster and waits until its replicas have done the same.
func (s *Shards) flush(t testing.TB) {
	t.Helper()
	for _, n := range s.Nodes {
		info, err := n.replication(t.Context())
		if err == nil && info["role"] == "master" {
			if err = n.asks.FlushAll(t.Context()).Err(); err == nil {
				err = n.asks.Wait(t.Context(), 1, 5*time.Second).Err()
			}
		}
		if err != nil {
			t.Fatalf("redistest: flush %s: %v", n.Addr, err)
		}
	}
}

func (s *Shards) sound() bool {
	return !slices.ContainsFunc(s.Nodes, func(n *Node) bool { return !n.process.sound() })
}

func (s *Shards) end() {
	for _, n := range s.Nodes {
		n.asks.Close()
		n.process.remove()
	}
}
