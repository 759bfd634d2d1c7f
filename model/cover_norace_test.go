//go:build !race

package model_test

import (
	"bufio"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// onlyNew is what runs only where fields have times to live, in percent: on the servers
// of REDMOON_SERVERS, not on the embedded one, nor on Redis 7.0.
var onlyNew = map[string]float64{"write.lua": 15}

// The tests of this package run 95 % of its Lua and more: they run once again, on
// servers whose Lua is watched.
func TestLuaIsCovered(t *testing.T) {
	if *coverTo != "" {
		t.Skip("this is the run that counts")
	}
	t.Parallel()
	where := "embedded"
	if os.Getenv("REDMOON_SERVERS") != "" {
		where, onlyNew = "(embedded|redis-[89].*|valkey-9.*)", nil
	}
	profile := filepath.Join(t.TempDir(), "lua.cover")
	// Tests of commands sent fail when scripts are other ones; what they run counts.
	out, _ := exec.CommandContext(t.Context(), os.Args[0], "-test.run=./^"+where+"$|./^(locals|values)$/^"+where+"$", "-luacover="+profile).CombinedOutput()
	file, err := os.Open(profile)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	defer file.Close()
	run, all := map[string]int{}, map[string]int{}
	var missed []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		place, counts, ok := strings.Cut(lines.Text(), " 1 ")
		if !ok {
			continue
		}
		name, at, _ := strings.Cut(path.Base(place), ":")
		if all[name]++; counts != "0" {
			run[name]++
		} else {
			missed = append(missed, name+":"+at)
		}
	}
	names, err := filepath.Glob("*.lua")
	if err != nil || len(names) == 0 {
		t.Fatalf("no Lua here: %v", err)
	}
	for _, name := range names {
		switch share := 100 * float64(run[name]) / float64(max(1, all[name])); {
		case share+onlyNew[name] < 95:
			t.Errorf("%s: %.1f %% of %d statements were run", name, share, all[name])
		default:
			t.Logf("%s: %.1f %% of %d statements were run", name, share, all[name])
		}
	}
	t.Logf("not run: %s", strings.Join(missed, " "))
}
