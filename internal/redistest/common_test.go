package redistest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
)

func TestMain(m *testing.M) {
	if os.Getenv(inner) != "" {
		redistest.Main(m)
	}
	redistest.Main(m, redistest.WithCluster)
}

// inner is set for a test that runs in a test process of its own.
const inner = "REDISTEST_INNER"

// again runs one test of this binary in a process of its own, with more
// environment, and returns what it prints.
func again(t *testing.T, test string, env ...string) (output string, ok bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+test+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	cmd.Env = append(cmd.Env, inner+"=1")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// A machine without redis-server skips tests and says what to do; under CI the
// same tests fail.
func TestMissingServer(t *testing.T) {
	t.Parallel()
	if os.Getenv(inner) != "" {
		redistest.Server(t)
		return
	}
	out, ok := again(t, t.Name(), "PATH=/nowhere", "CI=")
	if !ok || !strings.Contains(out, "--- SKIP") || !strings.Contains(out, "make redis") {
		t.Errorf("at home: ok %v, want a skip with a cure:\n%s", ok, out)
	}
	out, ok = again(t, t.Name(), "PATH=/nowhere", "CI=true")
	if ok || !strings.Contains(out, "--- FAIL") || !strings.Contains(out, "make redis") {
		t.Errorf("under CI: ok %v, want a failure with a cure:\n%s", ok, out)
	}
}

// A shared server outlives the test that asked for it first, and is replaced
// when a test has killed it.
func TestSharedServerLives(t *testing.T) {
	var first, second *redistest.Node
	t.Run("first", func(t *testing.T) { first = redistest.Shared(t) })
	t.Run("second", func(t *testing.T) { second = redistest.Shared(t) })
	if first.PID() != second.PID() {
		t.Errorf("two tests got servers %d and %d, want one", first.PID(), second.PID())
	}
	t.Run("kill", func(t *testing.T) {
		s := redistest.Shared(t)
		c := s.Client(t, impatient)
		s.Kill()
		if err := c.Ping(t.Context()).Err(); err == nil {
			t.Error("a killed server answers")
		}
	})
	t.Run("replaced", func(t *testing.T) {
		s := redistest.Shared(t)
		if err := s.Client(t).Ping(t.Context()).Err(); err != nil {
			t.Errorf("after a test killed the shared server: %v", err)
		}
	})
}
