package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Shards is a cluster: three masters with a third of the slots each, and one
// replica for each of them.
type Shards struct {
	Nodes []*Node // masters first, as they were at the start
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
// Orderly changes are allowed ([Shards.Failover], [Shards.Migrate]): they are
// over when they return. A cluster in which a test killed or paused a node is
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

// Failover hands the slot of key from its master to the replica, in good
// order: no write is lost. It returns the new master once all nodes agree.
func (s *Shards) Failover(t testing.TB, key string) *Node {
	t.Helper()
	replica := s.Replica(t, key)
	if err := replica.asks.ClusterFailover(t.Context()).Err(); err != nil {
		t.Fatalf("redistest: failover to %s: %v", replica.Addr, err)
	}
	Until(t, settleWithin, "the replica to become master", func() error {
		role, err := replica.asks.Do(t.Context(), "ROLE").Slice()
		if err != nil || role[0] != "master" {
			return fmt.Errorf("its role is %v, %v", role, err)
		}
		return nil
	})
	s.Settle(t)
	return replica
}

// Settle waits until the living nodes agree and all slots are served: after
// [Node.Kill] of a master, until its replica has taken over.
func (s *Shards) Settle(t testing.TB) {
	t.Helper()
	Until(t, settleWithin, "the cluster to agree", func() error { return s.settled(t.Context()) })
}

// settled answers nil when every living node says that all is well, all say
// the same, and what they say is true.
func (s *Shards) settled(ctx context.Context) error {
	var agreed string
	for _, n := range s.Nodes {
		if !n.process.alive() {
			continue
		}
		info, err := n.asks.ClusterInfo(ctx).Result()
		if err != nil {
			return err
		}
		if state := fields(info); state["cluster_state"] != "ok" || state["cluster_slots_ok"] != strconv.Itoa(slots) {
			return fmt.Errorf("%s says %s, %s slots served", n.Addr, state["cluster_state"], state["cluster_slots_ok"])
		}
		v, err := n.view(ctx)
		if err != nil {
			return err
		}
		if err := s.check(v); err != nil {
			return fmt.Errorf("%s says: %w", n.Addr, err)
		}
		if agreed == "" {
			agreed = v.String()
		} else if agreed != v.String() {
			return fmt.Errorf("%s says\n%s\nothers say\n%s", n.Addr, v, agreed)
		}
		if err := inStep(ctx, n); err != nil {
			return err
		}
	}
	if agreed == "" {
		return errors.New("no node is alive")
	}
	return nil
}

// check compares what a node believes with what we know.
func (s *Shards) check(v view) error {
	if len(v) != len(s.Nodes) {
		return fmt.Errorf("%d nodes, want %d", len(v), len(s.Nodes))
	}
	for _, m := range v {
		n := s.at(m.addr)
		switch {
		case n == nil:
			return fmt.Errorf("a node at %q", m.addr)
		case n.process.alive() && !m.well:
			return fmt.Errorf("%s is %s", m.addr, m.flags)
		case !n.process.alive() && !strings.Contains(m.flags, "fail"):
			return fmt.Errorf("%s is well, though it is dead", m.addr)
		case !n.process.alive() && len(m.slots) > 0:
			return fmt.Errorf("%s has slots, though it is dead", m.addr)
		}
	}
	return nil
}

// inStep answers nil when n is a master, or a replica in step with its master.
func inStep(ctx context.Context, n *Node) error {
	info, err := n.replication(ctx)
	if err != nil {
		return err
	}
	if info["role"] == "slave" && info["master_link_status"] != "up" {
		return fmt.Errorf("%s is out of step with its master", n.Addr)
	}
	return nil
}

// A view is what one node believes about all nodes, ordered by address.
type view []member

type member struct {
	id, addr, flags string
	master          string // of a replica: the id of its master
	well            bool
	slots           []string // 0-5460 or 7
}

// view reads CLUSTER NODES:
//
//	07c37df… 127.0.0.1:12004@22004,host slave e7d1ee… 0 1426238317239 4 connected
//	67ed2db… 127.0.0.1:12002@22002 myself,master - 0 0 2 connected 5461-10922 [93-<-292f8b…]
func (n *Node) view(ctx context.Context) (view, error) {
	text, err := n.asks.ClusterNodes(ctx).Result()
	if err != nil {
		return nil, err
	}
	var v view
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 {
			return nil, fmt.Errorf("CLUSTER NODES of %s: line %q", n.Addr, line)
		}
		addr, _, _ := strings.Cut(f[1], "@")
		m := member{id: f[0], addr: addr, master: f[3]}
		m.flags = strings.TrimPrefix(f[2], "myself,")
		m.well = f[7] == "connected" && (m.flags == "master" || m.flags == "slave")
		for _, s := range f[8:] {
			if !strings.HasPrefix(s, "[") { // a slot on its way, known to two nodes only
				m.slots = append(m.slots, s)
			}
		}
		v = append(v, m)
	}
	slices.SortFunc(v, func(a, b member) int { return strings.Compare(a.addr, b.addr) })
	return v, nil
}

// String has what nodes must agree on.
func (v view) String() string {
	var b strings.Builder
	for _, m := range v {
		if m.well {
			fmt.Fprintln(&b, m.addr, m.flags, m.master, m.slots)
		}
	}
	return b.String()
}

// owner returns the member that serves slot, the zero member if none does.
func (v view) owner(slot int) member {
	for _, m := range v {
		for _, r := range m.slots {
			first, last, ok := strings.Cut(r, "-")
			if !ok {
				last = first
			}
			a, _ := strconv.Atoi(first) // the server's own numbers
			b, _ := strconv.Atoi(last)
			if a <= slot && slot <= b {
				return m
			}
		}
	}
	return member{}
}

// A Migration is a slot on its way from one master to another.
type Migration struct {
	Slot     int
	From, To *Node

	shards *Shards
	over   bool
}

// Migrate starts to move the slot of key to another master. From now on the
// old one answers ASK for keys of the slot that it does not hold, and TRYAGAIN
// for several keys of which it holds only some.
//
// What the test has not finished is finished when it ends.
func (s *Shards) Migrate(t testing.TB, key string) *Migration {
	t.Helper()
	v, slot, err := s.find(t.Context(), key)
	if err != nil {
		t.Fatalf("redistest: slot of %q: %v", key, err)
	}
	from := v.owner(slot)
	i := slices.IndexFunc(v, func(m member) bool { return len(m.slots) > 0 && m.id != from.id })
	if i < 0 {
		t.Fatalf("redistest: no other master than %s has slots", from.addr)
	}
	to := v[i]
	m := &Migration{Slot: slot, From: s.at(from.addr), To: s.at(to.addr), shards: s}
	m.setSlot(t, m.To, "IMPORTING", from.id)
	t.Cleanup(func() {
		if m.From.process.alive() && m.To.process.alive() {
			m.finish(t, context.Background())
		}
	})
	m.setSlot(t, m.From, "MIGRATING", to.id)
	return m
}

// Move moves keys of the slot; those that do not exist are passed over.
func (m *Migration) Move(t testing.TB, keys ...string) {
	t.Helper()
	if err := m.move(t.Context(), keys); err != nil {
		t.Fatalf("redistest: move %q: %v", keys, err)
	}
}

func (m *Migration) move(ctx context.Context, keys []string) error {
	host, port, err := net.SplitHostPort(m.To.Addr)
	if err != nil {
		return err
	}
	args := []any{"MIGRATE", host, port, "", 0, 5000, "KEYS"}
	for _, key := range keys {
		args = append(args, key)
	}
	return m.From.asks.Do(ctx, args...).Err()
}

// Finish moves what is left of the slot and returns once all nodes know its
// new master. From now on the old one answers MOVED.
func (m *Migration) Finish(t testing.TB) {
	t.Helper()
	m.finish(t, t.Context())
}

func (m *Migration) finish(t testing.TB, ctx context.Context) {
	t.Helper()
	if m.over {
		return
	}
	m.over = true
	for {
		keys, err := m.From.asks.ClusterGetKeysInSlot(ctx, m.Slot, 100).Result()
		if err != nil {
			t.Fatalf("redistest: keys of slot %d: %v", m.Slot, err)
		}
		if len(keys) == 0 {
			break
		}
		if err := m.move(ctx, keys); err != nil {
			t.Fatalf("redistest: move the keys of slot %d: %v", m.Slot, err)
		}
	}
	id, err := m.To.asks.Do(ctx, "CLUSTER", "MYID").Text()
	if err != nil {
		t.Fatalf("redistest: finish the move of slot %d: %v", m.Slot, err)
	}
	// The new master first: were the old one told first and we died, nobody
	// would serve the slot.
	for _, n := range []*Node{m.To, m.From} {
		if err := n.asks.Do(ctx, "CLUSTER", "SETSLOT", m.Slot, "NODE", id).Err(); err != nil {
			t.Fatalf("redistest: give slot %d to %s: %v", m.Slot, m.To.Addr, err)
		}
	}
	err = until(ctx, settleWithin, func() error { return m.shards.settled(ctx) })
	if err != nil {
		t.Fatalf("redistest: after the move of slot %d: %v", m.Slot, err)
	}
}

func (m *Migration) setSlot(t testing.TB, n *Node, state, id string) {
	t.Helper()
	if err := n.asks.Do(t.Context(), "CLUSTER", "SETSLOT", m.Slot, state, id).Err(); err != nil {
		t.Fatalf("redistest: slot %d %s at %s: %v", m.Slot, state, n.Addr, err)
	}
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
