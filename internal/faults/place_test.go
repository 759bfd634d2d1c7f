package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
)

// clientName is that of the workload's connections, by which servers tell them
// from those of the suite itself.
const clientName = "workload"

// A place is where a scenario happens: servers, and the workload's way to them.
type place struct {
	client redis.UniversalClient // the workload's
	direct redis.UniversalClient // past all faults, to read what is there
	nodes  []*redis.Client       // each server, likewise

	server *redistest.Node // one of these three
	shards *redistest.Shards
	group  *redistest.Group

	proxy *redistest.Proxy // nil without one
	deaf  atomic.Bool      // dials fail
	tags  []string
}

// dial goes through the proxy, if there is one.
func (p *place) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if p.deaf.Load() {
		return nil, errors.New("connection refused")
	}
	if p.proxy != nil {
		return p.proxy.Dial(ctx, network, addr)
	}
	return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, addr)
}

// settings are those of the workload's client.
type settings struct {
	protocol    int
	readTimeout time.Duration
	proxied     bool
}

func (p *place) through(t *testing.T, s settings) {
	if s.proxied {
		p.proxy = redistest.NewProxy(t)
	}
}

// standalone is one server. It writes all to disk before it answers, so that what
// it has acknowledged survives its death.
func standalone(t *testing.T, s settings, _ *redistest.Shards) *place {
	p := &place{server: redistest.Server(t, "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")}
	p.through(t, s)
	p.client = p.server.Client(t, func(o *redis.Options) {
		o.ClientName, o.Protocol, o.ReadTimeout, o.Dialer = clientName, s.protocol, s.readTimeout, p.dial
		o.DialerRetries = 1
	})
	direct := p.server.Client(t)
	p.direct, p.nodes = direct, []*redis.Client{direct}
	return p
}

// patientCluster is three masters with their replicas, whose nodes do not take each
// other for dead because they answer late: the scenarios of a group share it.
func patientCluster(t *testing.T) *redistest.Shards {
	return redistest.NewCluster(t, "--cluster-node-timeout", fmt.Sprint(nodeTimeout.Milliseconds()))
}

const nodeTimeout = 4 * time.Second

// cluster is that of the group.
func cluster(t *testing.T, s settings, shared *redistest.Shards) *place {
	return onShards(t, s, shared)
}

// mortal is a cluster whose nodes may die.
func mortal(t *testing.T, s settings, _ *redistest.Shards) *place {
	return onShards(t, s, redistest.NewCluster(t, "--cluster-node-timeout", "1000"))
}

func onShards(t *testing.T, s settings, shards *redistest.Shards) *place {
	p := &place{shards: shards}
	p.through(t, s)
	p.client = shards.Client(t, func(o *redis.ClusterOptions) {
		o.ClientName, o.Protocol, o.ReadTimeout, o.Dialer = clientName, s.protocol, s.readTimeout, p.dial
		o.DialerRetries = 1
	})
	p.direct = shards.Client(t)
	for _, n := range shards.Nodes {
		p.nodes = append(p.nodes, n.Client(t))
	}
	return p
}

// sentinel is a master with two replicas, and sentinels that replace it when they
// are told to, but not because it answers late.
func sentinel(t *testing.T, s settings, _ *redistest.Shards) *place {
	p := watched(t, s, nil)
	for _, n := range p.group.Sentinels {
		if err := n.Client(t).Do(t.Context(), "SENTINEL", "SET", p.group.Name, "down-after-milliseconds", 10_000).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// watched is one whose sentinels replace a dead master.
func watched(t *testing.T, s settings, _ *redistest.Shards) *place {
	p := &place{group: redistest.Sentinel(t)}
	p.through(t, s)
	p.client = p.group.Client(t, func(o *redis.FailoverOptions) {
		o.ClientName, o.Protocol, o.ReadTimeout, o.Dialer = clientName, s.protocol, s.readTimeout, p.dial
		o.DialerRetries = 1
	})
	p.direct = p.group.Client(t)
	for _, n := range p.group.Nodes {
		p.nodes = append(p.nodes, n.Client(t))
	}
	return p
}

// names gives the scenario tags of its own, in slots all over a Cluster.
func (p *place) names(scenario string, n int) {
	for i := range n {
		p.tags = append(p.tags, fmt.Sprintf("%s.%d", scenario, i))
	}
}

// still waits until no server holds a connection of the workload: then nothing
// that was sent is still to be executed.
func (p *place) still(t *testing.T) {
	if p.proxy != nil {
		p.proxy.On(nil)
		p.proxy.OnHandshake(nil)
	}
	redistest.Until(t, 30*time.Second, "the workload's connections to end", func() error {
		for _, n := range p.nodes {
			list, err := n.ClientList(t.Context()).Result()
			if err != nil {
				return err
			}
			if strings.Contains(list, " name="+clientName+" ") {
				return fmt.Errorf("%s still has one of\n%s", n.Options().Addr, list)
			}
		}
		return nil
	})
}

// read returns the books of all tags.
func (p *place) read(t *testing.T, workers int) map[string]*book {
	all := map[string]*book{}
	for _, tag := range p.tags {
		b, err := readBook(t.Context(), p.direct, tag, workers)
		if err != nil {
			t.Fatalf("read the books of %s: %v", tag, err)
		}
		all[tag] = b
	}
	return all
}

func readBook(ctx context.Context, c redis.UniversalClient, tag string, workers int) (*book, error) {
	b := &book{accounts: map[kind]account{}, tally: map[string]float64{}, boxes: map[int]string{}}
	var errs []error
	note := func(err error) {
		if err != nil && !errors.Is(err, redis.Nil) {
			errs = append(errs, err)
		}
	}
	var err error
	b.hits, err = c.Get(ctx, key("hits", tag)).Int64()
	note(err)
	b.journal, err = c.LRange(ctx, key("journal", tag), 0, -1).Result()
	note(err)
	b.fields, err = c.HGetAll(ctx, key("fields", tag)).Result()
	note(err)
	for k, names := range ledgerOf {
		account := account{ledger: map[string]int64{}}
		account.counter, err = c.Get(ctx, key(names.counter, tag)).Int64()
		note(err)
		entries, err := c.HGetAll(ctx, key(names.ledger, tag)).Result()
		note(err)
		for id, text := range entries {
			amount, err := strconv.ParseInt(text, 10, 64)
			note(err)
			account.ledger[id] = amount
		}
		b.accounts[k] = account
	}
	stream, err := c.XRange(ctx, key("events", tag), "-", "+").Result()
	note(err)
	for _, m := range stream {
		b.events = append(b.events, streamed{m.ID, fmt.Sprint(m.Values["op"])})
	}
	scores, err := c.ZRangeWithScores(ctx, key("tally", tag), 0, -1).Result()
	note(err)
	for _, z := range scores {
		b.tally[fmt.Sprint(z.Member)] = z.Score
	}
	for n := range workers {
		v, err := c.Get(ctx, boxKey(tag, n)).Result()
		note(err)
		if err == nil {
			b.boxes[n] = v
		}
	}
	return b, errors.Join(errs...)
}

// goroutines returns the stacks of those that were started under a label, which
// the goroutines that they start inherit.
func goroutines(label string) (stacks []string) {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return []string{err.Error()}
	}
	for block := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(block, `"scenario":"`+label+`"`) {
			stacks = append(stacks, block)
		}
	}
	return stacks
}
