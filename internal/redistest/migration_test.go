package redistest_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// While a slot moves, its old master answers ASK for what it has not, the new
// one serves who asks properly; afterwards the old one answers MOVED.
func TestClusterMigrate(t *testing.T) {
	s := redistest.Cluster(t)
	c := s.Client(t)
	ctx := t.Context()
	c.Set(ctx, "{k}1", "v1", 0)
	c.Set(ctx, "{k}2", "v2", 0)

	m := s.Migrate(t, "{k}")
	from := m.From.Client(t)
	if m.From != s.Master(t, "{k}") {
		t.Error("the slot belongs to its new master before the end")
	}
	if err := from.Get(ctx, "{k}none").Err(); !asks(err, m.To.Addr) {
		t.Errorf("a key that is not there: %v, want ASK", err)
	}
	m.Move(t, "{k}1", "{k}none")
	if err := from.Get(ctx, "{k}1").Err(); !asks(err, m.To.Addr) {
		t.Errorf("a key that was moved: %v, want ASK", err)
	}
	if err := from.MGet(ctx, "{k}1", "{k}2").Err(); !redis.IsTryAgainError(err) {
		t.Errorf("keys on both sides: %v, want TRYAGAIN", err)
	}
	if got := c.Get(ctx, "{k}1").Val(); got != "v1" {
		t.Errorf("a client that follows reads %q", got)
	}
	m.Finish(t)
	if addr, ok := redis.IsMovedError(from.Get(ctx, "{k}2").Err()); !ok || addr != m.To.Addr {
		t.Errorf("after the move: redirected to %q, %v; want %s", addr, ok, m.To.Addr)
	}
	if got := c.MGet(ctx, "{k}1", "{k}2").Val(); fmt.Sprint(got) != "[v1 v2]" {
		t.Errorf("after the move: %v", got)
	}

	t.Run("left unfinished", func(t *testing.T) { s.Migrate(t, "{k}") })
	if s.Master(t, "{k}") == m.To {
		t.Error("a migration was not finished with its test")
	}
}

func asks(err error, addr string) bool {
	to, ok := redis.IsAskError(err)
	return ok && to == addr
}

// Tests that share a cluster may move slots at the same time.
func TestClusterMigrateTogether(t *testing.T) {
	t.Parallel()
	s := redistest.NewCluster(t)
	for n := range 3 {
		key := fmt.Sprint("k", n)
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			for range 20 {
				m := s.Migrate(t, key)
				m.Finish(t)
				if s.Master(t, key) != m.To {
					t.Fatalf("it has not moved to %s", m.To.Addr)
				}
			}
		})
	}
}
