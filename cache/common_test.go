package cache_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/luacover"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// newDB returns a DB on client that is closed with the test.
func newDB(t testing.TB, client redis.UniversalClient, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return luacover.Watched(t, db)
}

// everywhere runs a subtest on every kind of server. Each begins empty.
func everywhere(t *testing.T, test func(t *testing.T, client redis.UniversalClient, db *pipectx.DB)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		test(t, client, newDB(t, client))
	})
	t.Run("cluster", func(t *testing.T) {
		client := redistest.Cluster(t).Client(t)
		test(t, client, newDB(t, client))
	})
}

var regions atomic.Int64

// region declares a region of the test's own.
func region(t testing.TB, o cache.Options) *cache.Region {
	t.Helper()
	r, err := cache.TryNewRegion(fmt.Sprintf("region%d", regions.Add(1)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A loader counts its loads, and answers what it is told to.
type loader struct {
	loads atomic.Int64
	next  func(n int64, arg string) (string, error) // of load n
}

func (l *loader) load(_ context.Context, arg string) (string, error) {
	n := l.loads.Add(1)
	if l.next != nil {
		return l.next(n, arg)
	}
	return fmt.Sprintf("%s %d", arg, n), nil
}

var errOurs = errors.New("ours")

func want[T comparable](t testing.TB, what string, ref *pipectx.Ref[T], value T) {
	t.Helper()
	if got, err := ref.Result(); err != nil || got != value {
		t.Errorf("%s: %v, %v; want %v", what, got, err, value)
	}
}

func wantErr[T any](t testing.TB, what string, ref *pipectx.Ref[T], target error) {
	t.Helper()
	if got, err := ref.Result(); !errors.Is(err, target) {
		t.Errorf("%s: %v, %v; want %v", what, got, err, target)
	}
}

func wantLoads(t testing.TB, l *loader, n int64) {
	t.Helper()
	if got := l.loads.Load(); got != n {
		t.Errorf("%d loads, want %d", got, n)
	}
}
