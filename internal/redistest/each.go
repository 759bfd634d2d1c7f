package redistest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Each runs a subtest on every server at hand: redis-server, and those that
// REDMOON_SERVERS names. Subtests are named after their server, redis-7.0.15,
// and get a database of their own as from [Shared].
func Each(t *testing.T, test func(t *testing.T, s *Node)) {
	t.Helper()
	if path, err := exec.LookPath("redis-server"); err == nil {
		onServer(t, path, test)
	} else {
		t.Run("redis-server", func(t *testing.T) { needServer(t) })
	}
	for _, path := range furtherServers() {
		onServer(t, path, test)
	}
}

// EachWithEmbedded is Each with one more server before the others, miniredis,
// whose subtest is named embedded.
func EachWithEmbedded(t *testing.T, test func(t *testing.T, s *Node)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, Embedded(t)) })
	Each(t, test)
}

// Embedded starts a miniredis of the test's own. It needs no redis-server.
func Embedded(t testing.TB) *Node {
	t.Helper()
	m := miniredis.RunT(t)
	return &Node{Addr: m.Addr(), embedded: m}
}

// Example starts a miniredis for an Example function, which has no test around
// it: end closes the client and the server.
func Example() (client *redis.Client, end func()) {
	m, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	client = redis.NewClient(&redis.Options{Addr: m.Addr()})
	return client, func() {
		_ = client.Close()
		m.Close()
	}
}

func onServer(t *testing.T, path string, test func(t *testing.T, s *Node)) {
	t.Helper()
	t.Run(nameOf(path), func(t *testing.T) { test(t, sharedAt(t, path)) })
}

// furtherServers returns the paths that REDMOON_SERVERS names.
func furtherServers() []string {
	return strings.FieldsFunc(os.Getenv("REDMOON_SERVERS"), func(r rune) bool {
		return r == ':' || r == ','
	})
}
