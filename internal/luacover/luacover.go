package luacover

import (
	"bufio"
	"flag"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	to       = flag.String("luacover", "", "write the coverage of Lua to this file")
	coverage luatest.Coverage
)

// Watched returns db, or, in the run that counts, one on its server whose Lua is
// watched.
func Watched(t testing.TB, db *pipectx.DB) *pipectx.DB {
	t.Helper()
	if *to == "" {
		return db
	}
	w := luatest.On(t, db)
	w.Cover(&coverage)
	t.Cleanup(func() { _ = coverage.WriteFile(*to) }) // the last one stays
	return w.DB()
}

// Test runs the tests that a pattern of -test.run chooses once again, and fails
// where they run less than so many percent of the statements of a .lua file in the
// package's folder; spared is what a file may have less.
func Test(t *testing.T, run string, percent float64, spared map[string]float64) {
	t.Helper()
	if *to != "" {
		t.Skip("this is the run that counts")
	}
	profile := filepath.Join(t.TempDir(), "lua.cover")
	out, _ := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run, "-luacover="+profile).CombinedOutput()
	file, err := os.Open(profile)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer file.Close()
	ran, all, missed := map[string]int{}, map[string]int{}, []string(nil)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		place, counts, ok := strings.Cut(lines.Text(), " 1 ")
		if !ok {
			continue
		}
		name, at, _ := strings.Cut(path.Base(place), ":")
		if all[name]++; counts != "0" {
			ran[name]++
		} else {
			missed = append(missed, name+":"+at)
		}
	}
	names, err := filepath.Glob("*.lua")
	if err != nil || len(names) == 0 {
		t.Fatalf("no Lua here: %v", err)
	}
	for _, name := range names {
		share := 100 * float64(ran[name]) / float64(max(1, all[name]))
		report := t.Logf
		if share+spared[name] < percent {
			report = t.Errorf
		}
		report("%s: %.1f %% of %d statements were run", name, share, all[name])
	}
	t.Logf("not run: %s", strings.Join(missed, " "))
}
