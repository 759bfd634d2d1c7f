package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// A Group is a master with two replicas, and the three sentinels that watch
// them.
type Group struct {
	Name      string  // by which the sentinels know the master
	Nodes     []*Node // the master first, as it was at the start
	Sentinels []*Node
}

// Sentinel starts a group of the test's own. Args are given to the master and
// its replicas. A dead master is replaced after 1 s.
//
// Cost: 0.5 s, and 4 s for each failover.
func Sentinel(t testing.TB, args ...string) *Group {
	t.Helper()
	g := &Group{Name: "redmoon"}
	t.Cleanup(g.end)
	if err := g.form(t.Context(), needServer(t), args); err != nil {
		t.Fatalf("redistest: sentinel: %v", err)
	}
	return g
}

func (g *Group) form(ctx context.Context, path string, args []string) error {
	master, err := startServer(path, args...)
	if err != nil {
		return err
	}
	g.Nodes = []*Node{newNode(master)}
	replicas, err := startNodes(2, func(int) (*process, error) {
		return startServer(path, slices.Concat(args, []string{"--replicaof", "127.0.0.1 " + strconv.Itoa(master.port)})...)
	})
	g.Nodes = append(g.Nodes, replicas...)
	if err != nil {
		return err
	}

	// Sentinels learn of replicas from the master, at once if they are already
	// there when the sentinels come.
	err = until(ctx, settleWithin, func() error {
		info, err := g.Nodes[0].replication(ctx)
		if err != nil || info["connected_slaves"] != "2" {
			return fmt.Errorf("the master has %s replicas, %v", info["connected_slaves"], err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.Sentinels, err = startNodes(3, func(i int) (*process, error) { return startSentinel(path, g.Name, master, i) })
	if err != nil {
		return err
	}
	// Sentinels tell each other of themselves every 2 s and ask for roles every
	// 10 s. Before Redis 7.0 that cannot be changed: then they are slow. On a
	// busy machine they also notice that time jumps, and would do nothing for
	// half a minute.
	//
	// It is tempting to leave them in a hurry, but what they wait for follows
	// from their periods: an unannounced master becomes a replica again after
	// four times the publish period, and a replica that has not told its state
	// for three times the info period cannot be promoted.
	g.hurry(ctx, "PUBLISH-PERIOD", 100, "INFO-PERIOD", 100, "ASK-PERIOD", 100,
		"TILT-TRIGGER", 10_000, "TILT-PERIOD", 1000)
	if err := until(ctx, settleWithin, func() error { return g.settled(ctx) }); err != nil {
		return err
	}
	g.hurry(ctx, "PUBLISH-PERIOD", 500, "INFO-PERIOD", 1000)
	return nil
}

func (g *Group) hurry(ctx context.Context, periods ...any) {
	for _, s := range g.Sentinels {
		_ = s.asks.Do(ctx, append([]any{"SENTINEL", "DEBUG"}, periods...)...).Err() // old ones refuse
	}
}

// startSentinel starts a sentinel that watches master. It keeps what it learns
// in its configuration, so that this must be a file.
//
// Three sentinels that see a death at the same time vote for themselves, and
// try again some seconds later. So each is more patient than the one before,
// and one that sees it is enough: the first is elected before the others look.
func startSentinel(path, name string, master *process, i int) (*process, error) {
	return start(path, func(dir string, port int) ([]string, error) {
		lines := []string{
			fmt.Sprintf("port %d", port),
			"bind 127.0.0.1",
			fmt.Sprintf("dir %s", dir),
			fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 1", name, master.port),
			fmt.Sprintf("sentinel down-after-milliseconds %s %d", name, 1000+500*i),
			fmt.Sprintf("sentinel failover-timeout %s 3000", name),
			fmt.Sprintf("sentinel parallel-syncs %s 2", name),
		}
		if master.password != "" {
			lines = append(lines, fmt.Sprintf("sentinel auth-pass %s %s", name, master.password))
		}
		file := filepath.Join(dir, "sentinel.conf")
		err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
		return []string{file, "--sentinel"}, err
	})
}

// Addrs returns the addresses of the sentinels.
func (g *Group) Addrs() []string { return addrs(g.Sentinels) }

// Client returns a client that follows the master and is closed when the test
// ends.
func (g *Group) Client(t testing.TB, change ...func(*redis.FailoverOptions)) *redis.Client {
	t.Helper()
	o := &redis.FailoverOptions{
		MasterName:    g.Name,
		SentinelAddrs: g.Addrs(),
		Password:      g.Nodes[0].process.password,
	}
	for _, f := range change {
		f(o)
	}
	c := redis.NewFailoverClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// Master returns the master as the sentinels see it.
func (g *Group) Master(t testing.TB) *Node {
	t.Helper()
	_, master := g.seen(t)
	return master
}

// seen returns a living sentinel and the master it sees.
func (g *Group) seen(t testing.TB) (sentinel, master *Node) {
	t.Helper()
	for _, sentinel = range g.Sentinels {
		if sentinel.process.alive() {
			master, err := g.master(t.Context(), sentinel)
			if err != nil {
				t.Fatalf("redistest: sentinel: %v", err)
			}
			return sentinel, master
		}
	}
	t.Fatal("redistest: no sentinel is alive")
	return nil, nil
}

func (g *Group) master(ctx context.Context, sentinel *Node) (*Node, error) {
	addr, err := sentinel.asks.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", g.Name).StringSlice()
	if err != nil {
		return nil, err
	}
	for _, n := range g.Nodes {
		if len(addr) == 2 && n.Addr == net.JoinHostPort(addr[0], addr[1]) {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%s says the master is at %v", sentinel.Addr, addr)
}

// Failover has a replica take the master's place, the old master becoming its
// replica, and returns the new master once all agree.
func (g *Group) Failover(t testing.TB) *Node {
	t.Helper()
	sentinel, old := g.seen(t)
	Until(t, settleWithin, "another master", func() error {
		if now, err := g.master(t.Context(), sentinel); err == nil && now != old {
			return nil
		}
		// It refuses while it is at it, or not sure of a replica; and it may
		// have given up. So we ask again.
		answer := sentinel.asks.Do(t.Context(), "SENTINEL", "FAILOVER", g.Name).Err()
		return fmt.Errorf("it is still %s, and %s answers %v", old.Addr, sentinel.Addr, answer)
	})
	g.Settle(t)
	return g.Master(t)
}

// Settle waits until all that live agree on a living master: after [Node.Kill]
// of the master, until a replica has taken over.
func (g *Group) Settle(t testing.TB) {
	t.Helper()
	Until(t, settleWithin, "the sentinels to agree", func() error { return g.settled(t.Context()) })
}

// settled answers nil when every living sentinel knows every other and every
// replica, all have the same living master, and its replicas are in step.
func (g *Group) settled(ctx context.Context) error {
	var agreed *Node
	for _, s := range g.Sentinels {
		if !s.process.alive() {
			continue
		}
		master, err := g.master(ctx, s)
		if err != nil {
			return err
		}
		if agreed == nil {
			agreed = master
		}
		if master != agreed || !master.process.alive() {
			return fmt.Errorf("%s says the master is %s, others say %s", s.Addr, master.Addr, agreed.Addr)
		}
		if err := g.knows(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.Addr, err)
		}
	}
	if agreed == nil {
		return errors.New("no sentinel is alive")
	}
	_, port, err := net.SplitHostPort(agreed.Addr)
	if err != nil {
		return err
	}
	for _, n := range g.Nodes {
		if !n.process.alive() {
			continue
		}
		info, err := n.replication(ctx)
		switch {
		case err != nil:
			return err
		case n == agreed && info["role"] != "master":
			return fmt.Errorf("%s is to be master and is %s", n.Addr, info["role"])
		case n != agreed && info["master_port"] != port:
			return fmt.Errorf("%s follows port %s, the master is %s", n.Addr, info["master_port"], agreed.Addr)
		}
		if err := inStep(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// knows answers nil when sentinel s knows its fellows, and every node for what
// it is.
func (g *Group) knows(ctx context.Context, s *Node) error {
	master, err := pairs(s.asks.Do(ctx, "SENTINEL", "MASTER", g.Name).Result())
	if err != nil {
		return err
	}
	if master["flags"] != "master" || master["num-other-sentinels"] != strconv.Itoa(len(g.Sentinels)-1) {
		return fmt.Errorf("master flags %s, other sentinels %s", master["flags"], master["num-other-sentinels"])
	}
	replies, err := s.asks.Do(ctx, "SENTINEL", "REPLICAS", g.Name).Slice()
	if err != nil {
		return err
	}
	if len(replies) != len(g.Nodes)-1 {
		return fmt.Errorf("knows %d replicas", len(replies))
	}
	for _, reply := range replies {
		replica, err := pairs(reply, nil)
		if err != nil {
			return err
		}
		addr := net.JoinHostPort(replica["ip"], replica["port"])
		for _, n := range g.Nodes {
			if n.Addr == addr && n.process.alive() && (replica["flags"] != "slave" || replica["master-link-status"] != "ok") {
				return fmt.Errorf("replica %s: flags %s, link %s", addr, replica["flags"], replica["master-link-status"])
			}
		}
	}
	return nil
}

// pairs reads a map, which is a flat list in RESP2.
func pairs(reply any, err error) (map[string]string, error) {
	m := make(map[string]string)
	switch reply := reply.(type) {
	case map[any]any:
		for k, v := range reply {
			m[fmt.Sprint(k)] = fmt.Sprint(v)
		}
	case []any:
		for i := 0; i+1 < len(reply); i += 2 {
			m[fmt.Sprint(reply[i])] = fmt.Sprint(reply[i+1])
		}
	default:
		if err == nil {
			err = fmt.Errorf("a reply of type %T", reply)
		}
	}
	return m, err
}

func (g *Group) end() {
	for _, n := range slices.Concat(g.Sentinels, g.Nodes) {
		n.asks.Close()
		n.process.remove()
	}
}
