package faults_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
)

// A strike is a fault: do brings it about, and returns when it is over. The next
// one of its kind comes after a pause between least and most.
type strike struct {
	name        string
	do          func(t *testing.T, p *place, rng *rand.Rand)
	least, most time.Duration
}

func (s strike) pause(rng *rand.Rand) time.Duration { return between(rng, s.least, s.most) }

// between picks a duration from the seed. A sleep for so long is the length of a
// fault, or the time until the next one: what is tested, and nothing that a test
// waits for. How far the workload gets meanwhile is any machine's own affair.
func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

var (
	// flushScripts has every server forget its scripts.
	flushScripts = strike{"SCRIPT FLUSH", func(t *testing.T, p *place, _ *rand.Rand) {
		for _, n := range p.nodes {
			_ = n.ScriptFlush(t.Context()).Err() // a server that is gone has forgotten them too
		}
	}, time.Millisecond, 10 * time.Millisecond}

	// restart kills the server, as a power cut would, and starts it again.
	restart = strike{"kill and restart", func(t *testing.T, p *place, rng *rand.Rand) {
		p.server.Kill()
		time.Sleep(between(rng, 0, 150*time.Millisecond)) // it is dead for so long
		p.server.Restart(t)
	}, 50 * time.Millisecond, 600 * time.Millisecond}

	// pause stops a server for less or for longer than clients wait.
	pause = strike{"pause", func(t *testing.T, p *place, rng *rand.Rand) {
		n := p.master(t, rng)
		n.Pause(t)
		time.Sleep(between(rng, 10*time.Millisecond, 700*time.Millisecond)) // it stands still for so long
		n.Resume(t)
	}, 20 * time.Millisecond, 300 * time.Millisecond}

	// cut closes all connections at once.
	cut = strike{"cut", func(_ *testing.T, p *place, _ *rand.Rand) { p.proxy.Cut() },
		5 * time.Millisecond, 120 * time.Millisecond}

	// refuseDials also lets no new ones come.
	refuseDials = strike{"dials refused", func(_ *testing.T, p *place, rng *rand.Rand) {
		p.deaf.Store(true)
		p.proxy.Cut()
		time.Sleep(between(rng, 5*time.Millisecond, 120*time.Millisecond)) // it is out of reach for so long
		p.deaf.Store(false)
	}, 50 * time.Millisecond, 500 * time.Millisecond}

	// kick has the server close some connections of the workload.
	kick = strike{"CLIENT KILL", func(t *testing.T, p *place, rng *rand.Rand) {
		for _, n := range p.nodes {
			list, _ := n.ClientList(t.Context()).Result() // none of a server that is gone
			for line := range strings.Lines(list) {
				var id int64
				_, err := fmt.Sscanf(line, "id=%d", &id)
				if err == nil && strings.Contains(line, " name="+clientName+" ") && rng.IntN(2) == 0 {
					n.ClientKillByFilter(t.Context(), "ID", fmt.Sprint(id))
				}
			}
		}
	}, 5 * time.Millisecond, 100 * time.Millisecond}

	// fill has the server refuse what needs memory.
	fill = strike{"OOM", func(t *testing.T, p *place, rng *rand.Rand) {
		for _, n := range p.nodes {
			n.ConfigSet(t.Context(), "maxmemory", "1")
		}
		time.Sleep(between(rng, time.Millisecond, 40*time.Millisecond)) // it has no memory for so long
		redistest.Until(t, 10*time.Second, "memory for all", func() error {
			for _, n := range p.nodes {
				if err := n.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}, 20 * time.Millisecond, 200 * time.Millisecond}

	// reshard moves the slot of a tag to another master, key by key.
	reshard = strike{"reshard", func(t *testing.T, p *place, rng *rand.Rand) {
		tag := p.tags[rng.IntN(len(p.tags))]
		m := p.shards.Migrate(t, key("hits", tag))
		names := []string{"hits", "balance", "ledger", "journal", "events", "fields", "tally", "stock", "deliveries"}
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names[:rng.IntN(len(names)+1)] {
			time.Sleep(between(rng, 0, 15*time.Millisecond)) // the slot is on both sides for so long
			m.Move(t, key(name, tag))
		}
		m.Finish(t)
	}, 0, 30 * time.Millisecond}

	// failover gives the place of a master to its replica, in good order.
	failover = strike{"failover", func(t *testing.T, p *place, rng *rand.Rand) {
		if p.shards != nil {
			p.shards.Failover(t, key("hits", p.tags[rng.IntN(len(p.tags))]))
			return
		}
		p.promote(t)
	}, 50 * time.Millisecond, 500 * time.Millisecond}

	// murder kills a master. Another one takes its place, and it comes back as a
	// replica. Replication is asynchronous: what it had acknowledged last is lost.
	murder = strike{"master killed", func(t *testing.T, p *place, rng *rand.Rand) {
		master := p.master(t, rng)
		master.Kill()
		if p.shards != nil {
			p.shards.Settle(t)
			master.Restart(t)
			p.shards.Settle(t)
			return
		}
		p.group.Settle(t)
		master.Restart(t)
		p.group.Settle(t)
	}, 50 * time.Millisecond, 500 * time.Millisecond}
)

// master returns a server that the workload writes to.
func (p *place) master(t *testing.T, rng *rand.Rand) *redistest.Node {
	switch {
	case p.shards != nil:
		return p.shards.Master(t, key("hits", p.tags[rng.IntN(len(p.tags))]))
	case p.group != nil:
		return p.group.Master(t)
	}
	return p.server
}

// promote has the sentinels replace the master without losing a write: it is held
// up until its replicas have all it has, and until it is a replica itself. (Left
// alone, SENTINEL FAILOVER of Redis 7 has the old master go on acknowledging writes
// that its replicas never see.)
func (p *place) promote(t *testing.T) {
	old := p.group.Master(t).Client(t)
	if err := old.Do(t.Context(), "CLIENT", "PAUSE", 60_000, "WRITE").Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, 30*time.Second, "the replicas to have it all", func() error { return p.inStep(t.Context(), old) })
	ctx, cancel := context.WithCancel(t.Context())
	released := make(chan struct{})
	go func() {
		defer close(released)
		for ctx.Err() == nil && !p.demote(ctx, old) {
			time.Sleep(5 * time.Millisecond) // between two looks at a state that no reply tells of
		}
	}()
	p.group.Failover(t)
	cancel()
	<-released
}

// demote makes the old master a replica of the new one, as soon as there is one:
// the sentinels' own command waits behind a message of theirs, which is held up.
func (p *place) demote(ctx context.Context, old *redis.Client) bool {
	for _, n := range p.nodes {
		role, err := n.Do(ctx, "ROLE").Slice()
		if addr := n.Options().Addr; err == nil && role[0] == "master" && addr != old.Options().Addr {
			host, port, _ := strings.Cut(addr, ":")
			return old.ReplicaOf(ctx, host, port).Err() == nil && old.Do(ctx, "CLIENT", "UNPAUSE").Err() == nil
		}
	}
	return false
}

// inStep answers nil when all replicas have what the master has.
func (p *place) inStep(ctx context.Context, master *redis.Client) error {
	at, err := offset(ctx, master)
	if err != nil {
		return err
	}
	for _, n := range p.nodes {
		if n.Options().Addr == master.Options().Addr {
			continue
		}
		if have, err := offset(ctx, n); err != nil || have < at {
			return fmt.Errorf("%s has %d of %d, %v", n.Options().Addr, have, at, err)
		}
	}
	return nil
}

// offset is how far a server is in the stream of writes.
func offset(ctx context.Context, c *redis.Client) (n int64, err error) {
	info, err := c.Info(ctx, "replication").Result()
	if err != nil {
		return 0, err
	}
	name := "master_repl_offset:"
	if strings.Contains(info, "role:slave") {
		name = "slave_repl_offset:"
	}
	_, rest, _ := strings.Cut(info, name)
	_, err = fmt.Sscan(rest, &n)
	return n, err
}

// unreliable has the proxy lose, tear and withhold replies, and refuse requests,
// one in some hundred.
func unreliable(p *place, c *counts, rng *rand.Rand) {
	p.proxy.On(func(redistest.Request) redistest.Fate {
		n := rng.IntN(5000)
		if n < 30 {
			c.faults.Add(1)
		}
		switch {
		case n < 12:
			return redistest.Lose()
		case n < 18:
			return redistest.Tear(1 + rng.IntN(1<<rng.IntN(11)))
		case n < 28:
			return redistest.Refuse()
		case n < 30:
			return redistest.Hold(nil)
		}
		return redistest.Pass()
	})
	p.proxy.OnHandshake(func(redistest.Request) redistest.Fate {
		if rng.IntN(50) == 0 {
			c.faults.Add(1)
			return redistest.Lose()
		}
		return redistest.Pass()
	})
}
