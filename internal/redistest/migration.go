package redistest

import (
	"context"
	"net"
	"slices"
	"testing"
)

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
	m.shards.changes.Lock()
	defer m.shards.changes.Unlock()
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
