package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/pipectx"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "redmoon")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "redmoon")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	// What the command reads is read here too: the cache of test results knows
	// what a test has opened, not what a command has.
	files, _ := filepath.Glob("testdata/*/*.lua")
	included, _ := filepath.Glob("testdata/*/*/*.lua")
	for _, file := range slices.Concat(files, included) {
		if _, err := os.ReadFile(file); err != nil {
			panic(err)
		}
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// redmoon runs the command.
func redmoon(t *testing.T, args ...string) (out, errOut string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// Each command prints what its golden file says, and ends with its status.
func TestOutput(t *testing.T) {
	for _, c := range []struct {
		golden string
		args   string
		status int
	}{
		{"help", "-h", 0},
		{"help-check", "lua check -h", 0},
		{"help-build", "lua build -h", 0},
		{"help-show", "lua show -h", 0},
		{"help-graph", "lua graph -h", 0},
		{"check-sound", "lua check testdata/shop", 0},
		{"check", "lua check testdata/broken", 1},
		{"check-json", "lua check -json testdata/broken", 1},
		{"check-json-sound", "lua check testdata/shop -json", 0},
		{"show", "lua show testdata/shop stock.take", 0},
		{"show-script", "lua show testdata/shop report", 0},
		{"show-broken", "lua show testdata/broken stock.take", 1},
		{"graph", "lua graph testdata/shop", 0},
		{"graph-dot", "lua graph -dot testdata/shop", 0},
		{"graph-broken", "lua graph testdata/broken", 1},
	} {
		out, errOut, status := redmoon(t, strings.Fields(c.args)...)
		if status != c.status {
			t.Errorf("redmoon %s ends with %d, want %d", c.args, status, c.status)
		}
		golden.Equal(t, "testdata/golden/"+c.golden+".txt", authors(out)+errOut)
		if status == 0 && errOut != "" {
			t.Errorf("redmoon %s succeeds and complains: %s", c.args, errOut)
		}
	}
}

// authors leaves out of what show prints the lines that the compiler adds, and
// the numbers: those change with the library.
func authors(out string) string {
	var kept []string
	for line := range strings.SplitAfterSeq(out, "\n") {
		place, text, isShown := strings.Cut(line, " │ ")
		switch words := strings.Fields(place); {
		case !isShown:
			kept = append(kept, line)
		case len(words) == 2:
			kept = append(kept, words[1]+" │ "+text)
		}
	}
	return strings.Join(kept, "")
}

// A wrong command line ends with status 2 and says what to write instead.
func TestUsage(t *testing.T) {
	for args, says := range map[string]string{
		"":                                        "try: redmoon lua check DIR",
		"check testdata/shop":                     `unknown command "check"; all are of lua: redmoon lua check DIR`,
		"lua":                                     "needs a command: check, build, show and graph",
		"lua chek":                                "unknown command lua chek; there are check, build, show and graph",
		"lua check":                               "missing: DIR; usage: redmoon lua check [-json] DIR",
		"lua check testdata/shop more":            `"more" is one word too many`,
		"lua check -jsn testdata/shop":            "flag provided but not defined: -jsn; usage: redmoon lua check [-json] DIR",
		"lua check testdata/nowhere":              "there is no folder testdata/nowhere",
		"lua check testdata/empty":                "no .lua file in testdata/empty",
		"lua check testdata/shop/stock.lua":       "is a file; name the folder it is in, testdata/shop",
		"lua build testdata/shop":                 "say where to write: redmoon lua build -o OUT testdata/shop",
		"lua build -o main.go testdata/shop":      "main.go",
		"lua show testdata/shop":                  "missing: ENTRY; usage: redmoon lua show DIR ENTRY",
		"lua show":                                "missing: DIR and ENTRY; usage",
		"lua show testdata/shop stock.tak":        "there is no stock.tak in testdata/shop; there are account.withdraw, audit.clear,",
		"lua show testdata/shop account.withdraw": "takes a record",
	} {
		out, errOut, status := redmoon(t, strings.Fields(args)...)
		if status != 2 || out != "" || !strings.HasPrefix(errOut, "redmoon: ") || !strings.Contains(errOut, says) {
			t.Errorf("redmoon %s ends with %d and says %q%q, want 2 and %q", args, status, out, errOut, says)
		}
	}
}

// build writes each entry with its line map, and nothing if anything is wrong.
func TestBuild(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	out, errOut, status := redmoon(t, "lua", "build", "-o", dir, "testdata/shop")
	if status != 0 {
		t.Fatalf("build ends with %d: %s", status, errOut)
	}
	golden.Equal(t, "testdata/golden/build.txt", strings.ReplaceAll(out, dir, "OUT")+errOut)
	body, err := os.ReadFile(filepath.Join(dir, "stock.take.lua"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "stock.take.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Name       string
		SHA        string `json:"sha1"`
		Keys, Args []string
		Lines      []*struct {
			File string
			Line int
		}
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if m.Name != "stock.take" || !slices.Equal(m.Keys, []string{"item"}) || !slices.Equal(m.Args, []string{"n int"}) {
		t.Errorf("beside the script stands %s", text)
	}
	if want := pipectx.NewScript(string(body)).SHA; m.SHA != want {
		t.Errorf("the SHA1 is %s, that of the file %s", m.SHA, want)
	}
	lines := strings.Split(string(body), "\n")
	if len(m.Lines) != len(lines) {
		t.Fatalf("the map has %d lines, the script %d", len(m.Lines), len(lines))
	}
	at := slices.Index(lines, `  return __d(redis.call("DECRBY", item, n))`)
	if at < 0 || m.Lines[at] == nil || m.Lines[at].File != "stock.lua" || m.Lines[at].Line != 27 || m.Lines[0] != nil {
		t.Errorf("line %d is mapped wrongly: %s", at+1, text)
	}

	small := t.TempDir()
	if err := os.WriteFile(filepath.Join(small, "next.lua"), []byte("%arg n int = 5\n%arg s str?\nreturn n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errOut, status := redmoon(t, "lua", "build", "-o", small+"/.", small); status != 2 || !strings.Contains(errOut, "written over") {
		t.Errorf("build onto the authors' files ends with %d: %s", status, errOut)
	}
	if _, errOut, status := redmoon(t, "lua", "build", "-o", filepath.Join(dir, "small"), small); status != 0 {
		t.Fatalf("build ends with %d: %s", status, errOut)
	}
	if text, err = os.ReadFile(filepath.Join(dir, "small", "next.json")); err != nil || !strings.Contains(string(text), `"args":["n int?","s string?"]`) {
		t.Errorf("arguments that may be absent are told as %s, %v", text, err)
	}

	none := filepath.Join(t.TempDir(), "out")
	if _, _, status := redmoon(t, "lua", "build", "-o", none, "testdata/broken"); status != 1 {
		t.Errorf("build of what is broken ends with %d", status)
	}
	if _, err := os.Stat(none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("build of what is broken has written: %v", err)
	}
}
