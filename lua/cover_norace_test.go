//go:build !race

package lua_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

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
