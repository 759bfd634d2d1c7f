package lua_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

const sums = `local M = {}

local function half(n)
  return n / 2
end

--- @arg n int
--- @return int
function M.sum(n)
  local sum = 0
  for i = 1, n do
    sum = sum + i
  end
  if sum > 100 then
    fail("BIG", "too much")
  end
  if n < 0 then return half(n) end
  return sum
end

return M
`

// times runs a script with its probe and tells how often each line of a file ran.
func times(t *testing.T, db *pipectx.DB, probe *lua.Probe, file string, arg string) map[int]string {
	t.Helper()
	var counts []string
	text := "local __watch = {}\nlocal function run()\n" + probe.Body + "\nend\nrun()\nlocal all = {}\n" +
		fmt.Sprintf("for i = 1, %d do all[i] = tostring(__watch[i] or 0) end\nreturn all", len(probe.Counts))
	counts, err := pipectx.Do[[]string](t.Context(), db, "EVAL", text, 0, arg).Result()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	lines := map[int]string{}
	for i, c := range probe.Counts {
		if s := c.Text.Statements[c.Statement]; c.Text.File == file {
			lines[s.Line] += counts[i]
		}
	}
	return lines
}

// A probe counts the statements of the authors, where they wrote them: those that ran,
// each as often as it did, and those that did not.
func TestProbe(t *testing.T) {
	mod := load(t, "count", sums)
	type in struct {
		N int `lua:"n"`
	}
	entry := bind[in, int64](t, mod, "sum")
	probe, err := lua.NewProbe(entry.Script().Body)
	if err != nil || probe.Name != entry.Script().Name() {
		t.Fatalf("the probe of %s is called %q, %v", entry.Script().Name(), probe.Name, err)
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		got := times(t, db, probe, mod.Texts()[0].File, "3")
		want := map[int]string{4: "0", 10: "1", 11: "1", 12: "3", 14: "1", 15: "0", 17: "10", 18: "1"}
		if !maps.Equal(got, want) {
			t.Errorf("lines ran %v times, want %v", got, want)
		}
	})
}

// A script that somebody else made counts in its own text, and what is no Lua has no
// probe.
func TestProbeOfOthers(t *testing.T) {
	probe, err := lua.NewProbe("local n = redis.call('INCR', 'n')\nif n > 1 then\n  return n\nend\nreturn redis.call('GET', 'n')")
	if err != nil || probe.Name != "" || len(probe.Texts) != 1 {
		t.Fatalf("%+v, %v", probe, err)
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		want := map[int]string{1: "1", 2: "1", 3: "0", 5: "1"}
		if got := times(t, db, probe, "", ""); !maps.Equal(got, want) {
			t.Errorf("lines ran %v times, want %v", got, want)
		}
	})
	if _, err := lua.NewProbe("return )"); err == nil {
		t.Error("a text that is no Lua has a probe")
	}
	if _, err := lua.NewProbe("#!lua flags=no-writes\nreturn 1"); err != nil {
		t.Errorf("a script with a shebang: %v", err)
	}
}
