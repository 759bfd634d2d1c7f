package lua_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	coverTo  = flag.String("luacover", "", "write the share of the prelude that is run to this file")
	coverage luatest.Coverage
)

// watched returns a DB whose Lua counts for the coverage, if it is asked for.
func watched(t testing.TB, db *pipectx.DB) *pipectx.DB {
	t.Helper()
	if *coverTo == "" {
		return db
	}
	w := luatest.On(t, db)
	w.Cover(&coverage)
	t.Cleanup(func() { // the last one stays
		_ = os.WriteFile(*coverTo, fmt.Appendln(nil, coverage.Share(lua.Prelude), coverage.Missed(lua.Prelude)), 0o600)
	})
	return w.DB()
}

// The tests of this package run 95 % of the Lua that it adds to scripts, and
// more: they run once again, with scripts that are watched.
func TestPreludeIsCovered(t *testing.T) {
	if *coverTo != "" {
		t.Skip("this is the run that counts")
	}
	t.Parallel()
	file := filepath.Join(t.TempDir(), "share")
	// Tests of commands sent fail when scripts are other ones; what they run counts.
	out, _ := exec.CommandContext(t.Context(), os.Args[0], "-test.run=./^(embedded|redis-.*)$", "-luacover="+file).CombinedOutput()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var share float64
	if _, err := fmt.Sscan(string(text), &share); err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f %% of the prelude's statements were run; share and the places missed: %s", 100*share, text)
	if share < 0.95 {
		t.Errorf("%.1f %% of the prelude's statements were run, want 95", 100*share)
	}
}
