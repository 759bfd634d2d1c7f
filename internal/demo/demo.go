package demo

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Open returns a DB on the server that the environment variable REDIS_URL
// names, or on an embedded one, and a line that says which. The server has
// answered. Call stop at the end.
func Open(ctx context.Context, options ...pipectx.Option) (db *pipectx.DB, about string, stop func(), err error) {
	url := os.Getenv("REDIS_URL")
	if url == "" {
		return embedded(options)
	}
	redis.SetLogger(silence{}) // what it tells of comes back as an error
	db, err = pipectx.Open(url, options...)
	if err != nil {
		return nil, "", nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	stop = func() { _ = db.Close() }
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer within %v", patience))
	defer cancel()
	if err := db.Ping(ctx); err != nil {
		stop()
		return nil, "", nil, fmt.Errorf("REDIS_URL: %w (unset REDIS_URL for the embedded server)", err)
	}
	about = "one server"
	if db.Cluster() {
		about = "a Cluster"
	}
	return db, about + ", by REDIS_URL", stop, nil
}

// patience is how long a server may take to answer for the first time.
const patience = 10 * time.Second

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// embedded starts a server in this process. Its clock stands still by itself,
// so it is moved on here: what expires must expire.
func embedded(options []pipectx.Option) (*pipectx.DB, string, func(), error) {
	server, err := miniredis.Run()
	if err != nil {
		return nil, "", nil, fmt.Errorf("embedded server: %w", err)
	}
	db, err := pipectx.Open("redis://"+server.Addr(), options...)
	if err != nil {
		server.Close()
		return nil, "", nil, err
	}
	const tick = 100 * time.Millisecond
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				server.FastForward(tick)
			case <-done:
				return
			}
		}
	}()
	return db, "the embedded server; set REDIS_URL for another", func() {
		close(done)
		_ = db.Close()
		server.Close()
	}, nil
}
