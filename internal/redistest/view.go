package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Settle waits until the living nodes agree and all slots are served: after
// [Node.Kill] of a master, until its replica has taken over.
func (s *Shards) Settle(t testing.TB) {
	t.Helper()
	Until(t, settleWithin, "the cluster to agree", func() error { return s.settled(t.Context()) })
}

// settled answers nil when every living node says that all is well, all say
// the same, and what they say is true.
func (s *Shards) settled(ctx context.Context) error {
	var (
		agreed string
		last   view
	)
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
		last = v
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
	s.note(last)
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
	epoch           string // of its claim to the slots: the greater one wins
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
		m := member{id: f[0], addr: addr, master: f[3], epoch: f[6]}
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
//
// The epochs of masters belong to it. A master that is given a slot raises its
// epoch above all it knows; one that has not yet heard of another's last raise
// claims the slot with an epoch too small, and loses it to a master that has
// given it away: then each of the two sends clients to the other, for ever.
func (v view) String() string {
	var b strings.Builder
	for _, m := range v {
		switch {
		case !m.well:
		case m.flags == "master":
			fmt.Fprintln(&b, m.addr, "master of", m.slots, "since epoch", m.epoch)
		default:
			fmt.Fprintln(&b, m.addr, "replica of", m.master)
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
