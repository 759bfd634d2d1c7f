package main

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
)

// traffic is what all clients have sent and received since the last reset. A round trip
// is a first write behind a read.
var traffic struct{ trips, out, in atomic.Int64 }

// A load is what one call of a side moves.
type load struct{ trips, bytes float64 }

// weigh does work once and tells what that moved.
func weigh(ctx context.Context, run work) (load, error) {
	traffic.trips.Store(0)
	traffic.out.Store(0)
	traffic.in.Store(0)
	err := run(ctx)
	return load{float64(traffic.trips.Load()), float64(traffic.out.Load() + traffic.in.Load())}, err
}

// dialer is a function that dials, as go-redis takes it.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// counting has the connections of a dialer counted.
func counting(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &counted{Conn: conn}, nil
	}
}

// counted is a connection that counts what goes by it.
type counted struct {
	net.Conn
	asked atomic.Bool // the last that was done is a write
}

func (c *counted) Write(b []byte) (int, error) {
	if !c.asked.Swap(true) {
		traffic.trips.Add(1)
	}
	n, err := c.Conn.Write(b)
	traffic.out.Add(int64(n))
	return n, err
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.asked.Store(false)
		traffic.in.Add(int64(n))
	}
	return n, err
}

// SyscallConn lets go-redis look whether the connection is alive, as it does without us.
func (c *counted) SyscallConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn()
}
