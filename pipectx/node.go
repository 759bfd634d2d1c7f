package pipectx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// A conn is one named connection: a single server or a Cluster.
type conn struct {
	client  redis.UniversalClient
	cluster *redis.ClusterClient // nil for a single server
	single  *node                // of a single server
	met     atomic.Bool          // a node of the Cluster was found: look-ups are in memory

	mu    sync.RWMutex
	nodes map[*redis.Client]*node
	moved map[string]*node // by address: nodes a redirection named before go-redis knew them
}

// A node is one server.
type node struct {
	client *redis.Client
	known  known
	queue  queue // of Coalesce

	told atomic.Pointer[string] // its name and version

	once    sync.Once
	watches chan struct{} // one for each connection that a Watch holds
}

func newConn(client redis.UniversalClient) (*conn, error) {
	c := &conn{client: client, nodes: map[*redis.Client]*node{}, moved: map[string]*node{}}
	switch client := client.(type) {
	case *redis.Client:
		if client == nil {
			return nil, errors.New("pipectx: the client is nil")
		}
		c.single = c.node(client)
	case *redis.ClusterClient:
		if client == nil {
			return nil, errors.New("pipectx: the client is nil")
		}
		c.cluster = client
	case nil:
		return nil, errors.New("pipectx: the client is nil")
	default:
		return nil, fmt.Errorf("pipectx: a %T cannot keep the promises of a pipeline (it splits or resends batches by itself); use a *redis.Client or *redis.ClusterClient", client)
	}
	return c, nil
}

// node returns what we know of a client, and starts to watch its dials: a new
// connection may reach a server that was restarted or replaced.
func (c *conn) node(client *redis.Client) *node {
	c.mu.RLock()
	n := c.nodes[client]
	c.mu.RUnlock()
	if n != nil {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n = c.nodes[client]; n == nil {
		n = &node{client: client}
		c.nodes[client] = n
		client.AddHook(dialHook{n})
	}
	return n
}

// route returns the node that a command goes to.
func (c *conn) route(ctx context.Context, it *item) (*node, error) {
	if c.single != nil {
		return c.single, nil
	}
	if it.goTo != "" {
		return c.at(ctx, it.goTo)
	}
	key := "" // any master
	switch {
	case it.key > 0:
		key = it.word(int(it.key))
	case it.block != nil:
		key = it.block.key
	}
	if !c.met.Load() { // the first look-up asks the network
		key = strings.Clone(key) // it may outlive this call
		return c.watched(ctx, func() (*node, error) { return c.master(ctx, key) })
	}
	return c.master(ctx, key)
}

func (c *conn) master(ctx context.Context, key string) (*node, error) {
	client, err := c.cluster.MasterForKey(ctx, key)
	if err != nil {
		return nil, err
	}
	c.met.Store(true)
	return c.node(client), nil
}

// watched calls find, which may ask the network and does not look at ctx then.
func (c *conn) watched(ctx context.Context, find func() (*node, error)) (*node, error) {
	if ctx.Done() == nil {
		return find()
	}
	type found struct {
		n   *node
		err error
	}
	answer := make(chan found, 1)
	go func() {
		n, err := find()
		answer <- found{n, err}
	}()
	select {
	case f := <-answer:
		return f.n, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// at returns the node of an address that a redirection named. go-redis has no
// look-up by address, so we look through its nodes, and make a client of our own
// for one it has not met yet.
func (c *conn) at(ctx context.Context, addr string) (*node, error) {
	c.mu.RLock()
	n := c.moved[addr]
	c.mu.RUnlock()
	if n != nil {
		return n, nil
	}
	return c.watched(ctx, func() (*node, error) {
		var mu sync.Mutex
		var known *redis.Client
		err := c.cluster.ForEachShard(ctx, func(_ context.Context, client *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			if client.Options().Addr == addr {
				known = client
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if known != nil {
			return c.node(known), nil
		}
		return c.dial(addr), nil
	})
}

// dial makes a client like those of the Cluster's other nodes.
func (c *conn) dial(addr string) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.moved[addr]; n != nil {
		return n
	}
	o := c.cluster.Options()
	client := redis.NewClient(&redis.Options{
		Addr: addr, Dialer: o.Dialer, OnConnect: o.OnConnect, Protocol: o.Protocol, ClientName: o.ClientName,
		Username: o.Username, Password: o.Password, CredentialsProvider: o.CredentialsProvider,
		CredentialsProviderContext: o.CredentialsProviderContext,
		DialTimeout:                o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, TLSConfig: o.TLSConfig,
		DisableIdentity: o.DisableIdentity, MaintNotificationsConfig: o.MaintNotificationsConfig,
	})
	n := &node{client: client}
	client.AddHook(dialHook{n})
	c.moved[addr] = n
	return n
}

// close closes the clients we made ourselves.
func (c *conn) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for addr, n := range c.moved {
		errs = append(errs, n.client.Close())
		delete(c.moved, addr)
	}
	return errors.Join(errs...)
}

// dialHook empties the set of known scripts when a new connection is made. It
// passes commands through untouched, but for those that have a connection of their own.
type dialHook struct{ n *node }

func (h dialHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		h.n.known.forget()
		return next(ctx, network, addr)
	}
}

func (h dialHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if w, ok := cmd.(*waitWire); ok {
			return w.by.Process(ctx, cmd)
		}
		return next(ctx, cmd)
	}
}

func (h dialHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
