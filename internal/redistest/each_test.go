package redistest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

// Each runs once on every server named, and each of them answers under its own
// name.
func TestEach(t *testing.T) {
	var names []string
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		names = append(names, s.Name())
		if !strings.Contains(t.Name(), "/"+s.Name()) { // twice the same gets a #01
			t.Errorf("subtest %s runs on %s", t.Name(), s.Name())
		}
		c := s.Client(t)
		if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
		if s.Embedded() != nil {
			return
		}
		version := strings.ReplaceAll(s.Name(), "-", "_version:")
		if info := c.Info(t.Context(), "server").Val(); !strings.Contains(info, "\n"+version+"\r") {
			t.Errorf("%s does not say %s:\n%s", s.Name(), version, info)
		}
	})
	if len(names) == 0 || names[0] != "embedded" {
		t.Errorf("ran on %v, want the embedded server first", names)
	}
}

// REDMOON_SERVERS names further binaries; one that is not there fails.
func TestFurtherServers(t *testing.T) {
	t.Parallel()
	if os.Getenv(inner) != "" {
		redistest.Each(t, func(t *testing.T, s *redistest.Node) { t.Log("ran on", s.Name()) })
		return
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		redistest.Server(t) // skips
	}
	for _, sep := range []string{":", ","} {
		out, ok := again(t, t.Name(), "REDMOON_SERVERS="+path+sep+path)
		if n := strings.Count(out, "ran on"); !ok || n != 3 {
			t.Errorf("with two further servers separated by %q: ok %v, %d runs, want 3:\n%s", sep, ok, n, out)
		}
	}
	if out, ok := again(t, t.Name(), "REDMOON_SERVERS=/nowhere/redis-server"); ok || !strings.Contains(out, "/nowhere/redis-server") {
		t.Errorf("with a server that is not there: ok %v\n%s", ok, out)
	}
}

// Has tells of the embedded server what it told of real ones.
func TestEmbeddedHas(t *testing.T) {
	s := redistest.Embedded(t)
	if !s.Has("get", "EVALSHA") || s.Has("hgetdel") {
		t.Error("Has does not tell what miniredis has")
	}
}
