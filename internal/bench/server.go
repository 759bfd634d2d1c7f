package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A stand is one server, and everybody's client of it.
type stand struct {
	plain   *pipectx.DB // ours
	shared  *pipectx.DB // ours, with Coalesce
	goredis *redis.Client
	rueidis rueidis.Client
	clients []*redis.Client // of tapes
	shards  *cluster        // nil until a job wants it
	pid     int             // of a server that is ours, else 0
	stop    func()
}

// start returns a stand on REDIS_URL's server, or on a private one.
func start(ctx context.Context) (*stand, error) {
	if url := os.Getenv("REDIS_URL"); url != "" {
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, err
		}
		return connect(ctx, o, func() {})
	}
	addr, end, err := serve()
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, &redis.Options{Network: "tcp", Addr: addr}, end)
	if err != nil {
		return nil, err
	}
	s.pid, err = strconv.Atoi(s.goredis.InfoMap(ctx, "server").Item("Server", "process_id"))
	return s, err
}

// embedded returns a stand on the server that tests and demos use.
func embedded(ctx context.Context) (*stand, error) {
	m, err := miniredis.Run()
	if err != nil {
		return nil, err
	}
	return connect(ctx, &redis.Options{Network: "tcp", Addr: m.Addr()}, m.Close)
}

// serve starts a server of our own, which ends with us at the latest.
func serve(args ...string) (addr string, end func(), err error) {
	dir, err := os.MkdirTemp("", "redmoon-bench")
	if err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command("redis-server", append([]string{"--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", dir}, args...)...)
	cmd.SysProcAttr = endsWithUs
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the kernel takes the end of this thread for ours
		started <- cmd.Start()
		_ = cmd.Wait()
		close(ended)
	}()
	if err := <-started; err != nil {
		return "", nil, errors.Join(fmt.Errorf("%w (make redis installs it, or set REDIS_URL)", err), os.RemoveAll(dir))
	}
	return net.JoinHostPort("127.0.0.1", port), func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = os.RemoveAll(dir)
	}, nil
}

// freePort is a port of the loopback that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// connect makes the clients when the server answers. end ends the server.
func connect(ctx context.Context, o *redis.Options, end func()) (_ *stand, err error) {
	counted := *o
	counted.Dialer = counting(redis.NewDialer(o))
	s := &stand{goredis: redis.NewClient(&counted)}
	s.stop = func() {
		if s.rueidis != nil {
			s.rueidis.Close()
		}
		for _, c := range append(s.clients, s.goredis) {
			_ = c.Close()
		}
		if s.shards != nil {
			s.shards.stop()
		}
		end()
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if err = eventually(ctx, func() error { return s.goredis.Ping(ctx).Err() }); err != nil {
		return nil, err
	}
	if s.plain, err = pipectx.New(s.goredis); err != nil {
		return nil, err
	}
	if s.shared, err = pipectx.New(s.goredis, pipectx.Coalesce()); err != nil {
		return nil, err
	}
	s.rueidis, err = rueidis.NewClient(rueidis.ClientOption{
		DisableCache: true, // the embedded server knows no tracking, and no job reads twice
		InitAddress:  []string{o.Addr}, SelectDB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		DialCtxFn: func(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return counting(func(ctx context.Context, network, addr string) (net.Conn, error) {
				if o.TLSConfig != nil {
					return (&tls.Dialer{NetDialer: d, Config: o.TLSConfig}).DialContext(ctx, network, addr)
				}
				return d.DialContext(ctx, network, addr)
			})(ctx, o.Network, addr)
		},
	})
	if err != nil {
		return nil, err
	}
	return s, s.store(ctx)
}

// eventually waits until a server is as it should be.
func eventually(ctx context.Context, check func() error) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := check()
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
	}
}

// store stores what jobs read: any of them may be the first, or the only one.
func (s *stand) store(ctx context.Context) error {
	for i := range 1000 {
		if err := s.goredis.Set(ctx, key("text", i), value, 0).Err(); err != nil {
			return err
		}
	}
	return saving(s.plain, records, samples(100))(ctx)
}
