package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A cluster is three masters of our own, and both sides' client of them.
type cluster struct {
	db     *pipectx.DB
	client *redis.ClusterClient
	stop   func()
}

// slots is how many a Cluster has.
const slots = 16384

// form starts the Cluster and stores what jobs read, once.
func (s *stand) form(ctx context.Context) error {
	if s.shards != nil {
		return nil
	}
	c, err := newCluster(ctx)
	if err != nil {
		return err
	}
	s.shards = c
	for i := range 100 {
		if err := c.client.Set(ctx, key("text", i), value, 0).Err(); err != nil {
			return err
		}
	}
	return nil
}

func newCluster(ctx context.Context) (c *cluster, err error) {
	var ends []func()
	c = &cluster{stop: func() {
		if c.client != nil {
			_ = c.client.Close()
		}
		for _, end := range ends {
			end()
		}
	}}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	var addrs []string
	var nodes []*redis.Client
	for range 3 {
		bus, err := freePort()
		if err != nil {
			return nil, err
		}
		addr, end, err := serve("--cluster-enabled", "yes", "--cluster-port", bus)
		if err != nil {
			return nil, err
		}
		node := redis.NewClient(&redis.Options{Addr: addr})
		ends = append(ends, end, func() { _ = node.Close() })
		addrs, nodes = append(addrs, addr), append(nodes, node)
		if err := meet(ctx, node, nodes[0], addr, bus, len(nodes)); err != nil {
			return nil, err
		}
	}
	for _, node := range nodes {
		if err := eventually(ctx, func() error { return whole(ctx, node, len(nodes)) }); err != nil {
			return nil, err
		}
	}
	c.client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, Dialer: counting((&net.Dialer{Timeout: 5 * time.Second}).DialContext)})
	c.db, err = pipectx.New(c.client)
	return c, err
}

// meet gives the nth node of three its slots and tells the first one of it.
func meet(ctx context.Context, node, first *redis.Client, addr, bus string, nth int) error {
	if err := eventually(ctx, func() error { return node.Ping(ctx).Err() }); err != nil {
		return err
	}
	if err := node.ClusterAddSlotsRange(ctx, (nth-1)*slots/3, nth*slots/3-1).Err(); err != nil || node == first {
		return err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	return first.Do(ctx, "CLUSTER", "MEET", host, port, bus).Err()
}

// whole tells whether a node knows of all others and finds the Cluster sound.
func whole(ctx context.Context, node *redis.Client, nodes int) error {
	links, err := node.ClusterLinks(ctx).Result()
	if err != nil {
		return err
	}
	info, err := node.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if peers := len(links) / 2; peers < nodes-1 || !strings.Contains(info, "cluster_state:ok") {
		return fmt.Errorf("the Cluster is not whole: a node has %d peers and says:\n%s", peers, info)
	}
	return nil
}
