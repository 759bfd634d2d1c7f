package lua_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/lua"
)

// The line map knows, of every line of a compiled script, the line of the file
// and the includes that it came by; and of every line of a file, where it went.
func TestLines(t *testing.T) {
	fsys := fstest.MapFS{
		"main.lua":  {Data: []byte("%key k\n\nlocal a = 1\n%include \"x\"\nlocal b = 2\n%include \"x\"\nreturn a + b + y")},
		"x.lua":     {Data: []byte("-- text\nlocal x = 1\n  %include \"lib/y\"\nx = x + 1")},
		"lib/y.lua": {Data: []byte("\nlocal y = x")},
	}
	mod, err := lua.LoadFS(fsys, "main")
	if err != nil {
		t.Fatal(err)
	}
	script := bind[string, int](t, mod, "main").Script()
	lines, body := script.Lines(), strings.Split(script.Body, "\n")
	if lines.Len() != len(body) {
		t.Errorf("%d lines, want %d", lines.Len(), len(body))
	}
	var got []string
	for n := 1; n <= lines.Len(); n++ {
		places, err := lines.At(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(places) == 0 {
			continue
		}
		got = append(got, fmt.Sprintf("%s %v", strings.TrimSpace(body[n-1]), places))
		if back := lines.Of(places[0]); !slices.Contains(back, n) {
			t.Errorf("line %d came from %v, which went to %v", n, places[0], back)
		}
	}
	want := []string{
		"local a = 1 [main.lua:3]",
		"local x = 1 [x.lua:2 main.lua:4]",
		"local y = x [lib/y.lua:2 x.lua:3 main.lua:4]",
		"x = x + 1 [x.lua:4 main.lua:4]",
		"local b = 2 [main.lua:5]",
		"local x = 1 [x.lua:2 main.lua:6]",
		"local y = x [lib/y.lua:2 x.lua:3 main.lua:6]",
		"x = x + 1 [x.lua:4 main.lua:6]",
		"return a + b + y [main.lua:7]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, n := range []int{0, -1, lines.Len() + 1} {
		_, err := lines.At(n)
		says(t, "out of range", err, fmt.Sprintf("lua: main has %d lines, no line %d", lines.Len(), n))
	}
	if lines.Of(lua.Place{File: "main.lua", Line: 1}) != nil || lines.Of(lua.Place{File: "none.lua", Line: 1}) != nil {
		t.Error("a line that went nowhere has lines")
	}
}

// Lines keep their numbers in files that are included, as in all others.
func TestLinesOfIncludes(t *testing.T) {
	part, numbers := here(strings.ReplaceAll("local function f(n)\n  local s = [[\n\n%include \"none\"\n]]\n  HERE\n  return s\nend\n-- x\n\nlocal function g(n) HERE return f(n) end", "HERE_NOT", ""))
	mod, err := lua.LoadFS(fstest.MapFS{
		"m.lua":    {Data: []byte("%arg n int\n--[[\n]]\n%include \"part\"\nlocal s = g(n)\nreturn n")},
		"part.lua": {Data: []byte(part)},
	}, "m")
	if err != nil {
		t.Fatal(err)
	}
	entry := bind[int, int](t, mod, "main")
	db := embedded(t)
	for _, n := range numbers {
		checkLine(t, "an include", entry.On(db), "part.lua", n)
	}
	want(t, "without an error", entry.On(db).Call(t.Context(), 0), 0)
}
