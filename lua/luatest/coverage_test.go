package luatest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// cover runs two tests on one coverage.
func cover(t *testing.T) *luatest.Coverage {
	t.Helper()
	var c luatest.Coverage
	for range 2 {
		w := luatest.New(t)
		w.Cover(&c)
		if err := pipectx.Do[string](t.Context(), w.DB(), "SET", "item{7}", 5).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := luatest.Call[int](w, stock, "take", take{"item{7}", 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := luatest.Call[int](w, stock, "take", take{"item{7}", 9}); err == nil {
			t.Fatal("nine were taken of five")
		}
	}
	return &c
}

// The profile counts statements of the authors' files over several tests, those
// of failed calls and of functions that nobody called among them.
func TestProfile(t *testing.T) {
	c := cover(t)
	file := filepath.Join(t.TempDir(), "lua.cover")
	if err := c.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	profile, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/profile.txt", strings.ReplaceAll(string(profile), here, "…"))
	golden.Equal(t, "testdata/functions.txt", c.String())
	if share := c.Share("stock.lua"); share != 7./9 {
		t.Errorf("the share of stock.lua is %v", share)
	}
	if share := c.Share("audit.lua"); share != 2./3 {
		t.Errorf("the share of audit.lua is %v", share)
	}
}

// go tool cover shows the profile: it finds the files by their names in it.
func TestGoToolCover(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lua.cover")
	if err := cover(t).WriteFile(file); err != nil {
		t.Fatal(err)
	}
	html := filepath.Join(dir, "lua.html")
	if out, err := exec.Command("go", "tool", "cover", "-html="+file, "-o", html).CombinedOutput(); err != nil {
		t.Fatalf("go tool cover: %v\n%s", err, out)
	}
	page, err := os.ReadFile(html)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"lua/luatest/testdata/stock.lua (77.8%)",
		`<span class="cov0" title="0">redis.call("SET", item, 0)</span>`,
		`<span class="cov4" title="2">return redis.call("DECRBY", item, n)</span>`,
	} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page does not show %s", part)
		}
	}
}

// Files beside Go files have names that go tool cover knows on any machine.
func TestProfileNames(t *testing.T) {
	c := luatest.Coverage{Root: "../../examples/quickstart"}
	c.Add(lua.Must(lua.LoadFS(os.DirFS(c.Root), "city")))
	file := filepath.Join(t.TempDir(), "lua.cover")
	if err := c.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	profile, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(profile), "\ngithub.com/redmoon-go/redmoon/examples/quickstart/city.lua:") {
		t.Errorf("the profile is %v\n%s", err, profile)
	}
	if out, err := exec.Command("go", "tool", "cover", "-html="+file, "-o", file+".html").CombinedOutput(); err != nil {
		t.Errorf("go tool cover: %v\n%s", err, out)
	}
}

// What no test has reached counts when its module was added.
func TestAdd(t *testing.T) {
	var c luatest.Coverage
	c.Add(stock)
	if share := c.Share(); share != 0 || !strings.Contains(c.String(), "audit.clear") {
		t.Errorf("of nothing run the share is %v:\n%s", share, &c)
	}
}

// Functions in Go files are told of, though they have no file of their own.
func TestFuncs(t *testing.T) {
	mod := lua.Module("Counter",
		lua.Func("add", "key, n", "if n == 0 then\n  return 0\nend\nreturn redis.call('INCRBY', key, n)"),
		lua.Func("sub", "key, n", "return Counter.add(key, -n)"))
	type in struct {
		Key string `lua:"key,key"`
		N   int    `lua:"n"`
	}
	w, c := luatest.New(t), &luatest.Coverage{}
	w.Cover(c)
	if _, err := luatest.Call[int](w, mod, "add", in{"k", 1}); err != nil {
		t.Fatal(err)
	}
	const want = "Counter.add:1:\tCounter.add\t66.7%\nCounter.sub:1:\tCounter.sub\t0.0%\ntotal:\t\t(statements)\t50.0%\n"
	if got := c.String(); got != want {
		t.Errorf("the functions are\n%q, want\n%q", got, want)
	}
	if err := c.WriteFile(filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "set Coverage.Root") {
		t.Errorf("a profile of no files: %v", err)
	}
}

// What a script file includes counts as that file: also where it comes twice, and
// where the compiler has put something into its lines.
func TestIncludes(t *testing.T) {
	report := lua.Must(lua.LoadFS(os.DirFS("testdata"), "report"))
	w, c := luatest.New(t), &luatest.Coverage{}
	w.Cover(c)
	if text, err := luatest.Call[string](w, report, "main", "item{7}"); text != "there" || err != nil {
		t.Fatalf("report = %q, %v", text, err)
	}
	if missed, want := c.Missed(), []string{"lib/gone.lua:2:39", "report.lua:4:3"}; !slices.Equal(missed, want) {
		t.Errorf("not run were %q, want %q", missed, want)
	}
	file := filepath.Join(t.TempDir(), "lua.cover")
	if err := c.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	profile, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(profile), "testdata/lib/note.lua:1.1,1.38 1 2\n") {
		t.Errorf("the profile is %v\n%s", err, profile)
	}
}
