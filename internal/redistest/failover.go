package redistest

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// Failover hands the slot of key from its master to the replica, in good
// order: no write is lost. It returns the new master once all nodes agree.
//
// Cost: 1 s; more when that replica was a master a moment ago, see rest.
func (s *Shards) Failover(t testing.TB, key string) *Node {
	t.Helper()
	s.changes.Lock()
	defer s.changes.Unlock()
	replica := s.Replica(t, key)
	s.rest(t, replica)
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
	if master := s.Master(t, key); master != replica {
		t.Fatalf("redistest: failover to %s: the others made %s master again", replica.Addr, master.Addr)
	}
	return replica
}

// rest waits until a replica that was elected before may be elected again.
//
// A node asks for votes once in four node timeouts, or in 8 s if these are
// short. Told to take over before, it either does nothing, or counts the votes
// of its last election once more: then it serves with an epoch that has
// passed, is refused by the others, and what was written to it is lost.
func (s *Shards) rest(t testing.TB, replica *Node) {
	t.Helper()
	timeout, err := strconv.Atoi(replica.process.arg("--cluster-node-timeout"))
	if err != nil {
		t.Fatalf("redistest: node timeout of %s: %v", replica.Addr, err)
	}
	pause := 2 * max(2*time.Duration(timeout)*time.Millisecond, 2*time.Second)
	s.mu.Lock()
	again := s.terms[replica.Addr].since.Add(pause)
	s.mu.Unlock()
	Until(t, pause+time.Second, "a replica to be eligible again", func() error {
		if left := time.Until(again); left > 0 {
			return fmt.Errorf("its last election counts for another %v", left)
		}
		return nil
	})
}

// A term is the time for which a node is a master.
type term struct {
	serves bool      // it has not ended
	since  time.Time // its beginning; zero for those who were masters at the start
}

// note keeps whose term has begun.
func (s *Shards) note(v view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terms == nil {
		s.terms = make(map[string]term)
	}
	for _, m := range v {
		last, known := s.terms[m.addr]
		now := term{serves: len(m.slots) > 0, since: last.since}
		if known && now.serves && !last.serves {
			now.since = time.Now()
		}
		s.terms[m.addr] = now
	}
}
