package lua_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// parse parses a script.
func parse(t testing.TB, text string) *lua.Mod {
	t.Helper()
	mod, err := lua.Parse("script.lua", text)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

type stockArgs struct {
	Item  string `lua:"item,key"`
	Log   string `lua:"log,key"`
	N     int    `lua:"n"`
	Label string `lua:"label"`
}

// stockScript is one script in each form that directives have.
var stockScripts = map[string]string{
	"bare": `%key item
%key log
%arg n int      -- how many
%arg label
%return int
redis.call("RPUSH", log, label)
return redis.call("INCRBY", item, n)`,
	"comments": `--- @key item  what is taken
-- @key log
--- @arg n int
--- @arg label string
--- @return int
redis.call("RPUSH", log, label)
return redis.call("INCRBY", item, n)`,
	"lines that end in CR LF, blanks before": "  %key item\r\n\t%key log\r\n%arg n int\r\n-- %arg label\r\n%return int\r\nredis.call('RPUSH', log, label)\r\nreturn redis.call('INCRBY', item, n)",
	"between statements": `%key item
local before = 1
%key log
%arg n int
if n then
  %arg label
  redis.call("RPUSH", log, label)
end
return redis.call("INCRBY", item, n)`,
	"by number": `%key item
%key log
%arg n int
%arg label
redis.call("RPUSH", KEYS[2], ARGV[2])
return redis.call("INCRBY", KEYS[1], ARGV[1])`,
}

// A script file names its keys and arguments; Go gives them by name, in any
// order.
func TestScriptFile(t *testing.T) {
	each(t, func(t *testing.T, db *pipectx.DB) {
		for form, text := range stockScripts {
			entry := bind[stockArgs, int](t, parse(t, text), "main")
			pipectx.Do[int64](t.Context(), db, "DEL", "{s}item", "{s}log")
			want(t, form, entry.On(db).Call(t.Context(), stockArgs{Item: "{s}item", Log: "{s}log", N: 3, Label: "l"}), 3)
			want(t, form+": KEYS[2]", pipectx.Do[string](t.Context(), db, "LINDEX", "{s}log", 0), "l")
		}
	})
}

// What looks like a directive and is none stays as it is: in a string, in a long
// comment, behind code, as an operator, above a function, whose own it is.
func TestNoDirectives(t *testing.T) {
	mod := parse(t, `local s = [[
%key a
--- @arg b int
%include "nowhere"
]]
--[[
%key c
--- @include "nowhere"
]]
local n = 7 -- @key d
local key = 4
n = n
  %key
n = n + 4
--- @param x int
--- @return int
local function f(x) return x end
--- @see nothing
return s .. f(n) -- %arg e`)
	sign, err := mod.Signature("main")
	if err != nil || len(sign.Params) != 0 || sign.Returns != "" {
		t.Errorf("directives were found: %+v, %v", sign, err)
	}
	want(t, "the result", bind[struct{}, string](t, mod, "main").On(embedded(t)).Call(t.Context(), struct{}{}),
		"%key a\n--- @arg b int\n%include \"nowhere\"\n7")
}

// tree is a folder of scripts that include others.
var tree = fstest.MapFS{
	"main.lua": {Data: []byte(`--- @key first
%include "lib/pair"
--- @include "lib/pair.lua"
%include "lib/pair"
%include 'lib\once'
%include "lib/once"
--- @arg n int
local a = pair(first, second)
return a .. count .. string.format("%d", n)`)},
	"lib/pair.lua":      {Data: []byte("%key second\n%return int\n%include \"sub/words\"\nlocal function pair(a, b) return a .. sep .. b end\nlocal function unused() end")},
	"lib/sub/words.lua": {Data: []byte("local sep = \"-\"\n")},
	"lib/once.lua":      {Data: []byte("%pragma once\n%include \"../top\"\nlocal count = (count or 0) + 1")},
	"top.lua":           {Data: []byte("local count = 1")},
	"README.md":         {Data: []byte("not Lua")},
	"broken/note.txt":   {Data: []byte("%key")},
}

// Includes are inlined in place, from any folder, in the order of the text: their
// keys count on, their locals are seen, a file that says once comes once.
func TestIncludes(t *testing.T) {
	mod, err := lua.LoadFS(tree, "main")
	if err != nil {
		t.Fatal(err)
	}
	type args struct {
		First  string `lua:"first,key"`
		Second string `lua:"second,key"`
		N      int    `lua:"n"`
	}
	entry := bind[args, string](t, mod, "main")
	want(t, "main", entry.On(embedded(t)).Call(t.Context(), args{"{a}1", "{a}2", 7}), "{a}1-{a}227")
	golden.Equal(t, "testdata/include.golden.lua", entry.Script().Body+"\n")
	blanks := load(t, "main", "%include \"lib/two words\"\nreturn n", "lib/two words", "local n = 1")
	want(t, "a name with a blank", bind[struct{}, int](t, blanks, "main").On(embedded(t)).Call(t.Context(), struct{}{}), 1)
}

// LoadAllFS finds every .lua file in every folder, and leaves out what is there
// to be included only.
func TestLoadAllFS(t *testing.T) {
	fsys := maps.Clone(tree)
	fsys["tasks/report.lua"] = &fstest.MapFile{Data: []byte("return 1")}
	fsys["tasks/module.lua"] = &fstest.MapFile{Data: []byte("local M = {} function M.f() return 2 end return M")}
	fsys["tasks/user.lua"] = &fstest.MapFile{Data: []byte("local m = require 'tasks.module'\nreturn m.f()")}
	mods, err := lua.LoadAllFS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(mods)), []string{"main", "tasks/module", "tasks/report", "tasks/user"}; !slices.Equal(got, want) {
		t.Errorf("it found %v, want %v", got, want)
	}
	want(t, "tasks/user", bind[struct{}, int](t, mods["tasks/user"], "main").On(embedded(t)).Call(t.Context(), struct{}{}), 2)
	if name := mods["tasks/user"].Name(); name != "tasks/user" {
		t.Errorf("its name is %q", name)
	}
	some, err := lua.LoadManyFS(fsys, "main", "tasks/report")
	if err != nil || len(some) != 2 || some["tasks/report"] == nil {
		t.Errorf("LoadManyFS: %v, %v", some, err)
	}
	fsys["one.lua"] = &fstest.MapFile{Data: []byte("retrun 1")}
	fsys["tasks/two.lua"] = &fstest.MapFile{Data: []byte("return x")}
	_, err = lua.LoadAllFS(fsys)
	says(t, "faults", err, "one.lua:1:8", `tasks/two.lua:1:8: unknown global "x"`)
	_, err = lua.LoadManyFS(fsys, "main", "one", "none")
	says(t, "faults of many", err, "one.lua:1:8", "none.lua: module \"none\" cannot be read", "did you mean one?")
	_, err = lua.LoadAllFS(broken{})
	says(t, "a file system that fails", err, "look for .lua files: the disk is gone")
}

// counting counts the files that are read.
type counting struct {
	fs.FS
	read map[string]int
}

func (c counting) Open(name string) (fs.File, error) {
	c.read[name]++
	return c.FS.Open(name)
}

// A cache reads a file once, whoever asks for it, and keeps what could be loaded
// where something else could not.
func TestCache(t *testing.T) {
	fsys := counting{fstest.MapFS{
		"a.lua":     {Data: []byte("local b = require 'b'\n%include \"part\"\nreturn b.f() + part")},
		"b.lua":     {Data: []byte("local M = {}\n%include \"part\"\nfunction M.f() return part end\nreturn M")},
		"part.lua":  {Data: []byte("local part = 1")},
		"wrong.lua": {Data: []byte("local b = require 'b'\nreturn x")},
	}, map[string]int{}}
	cache := lua.NewCache(fsys)
	_, err := cache.LoadMany("a", "wrong")
	says(t, "wrong", err, `wrong.lua:2:8: unknown global "x"`)
	a, err := cache.Load("a")
	if err != nil {
		t.Fatal(err)
	}
	again, err := cache.Load("a.lua")
	if err != nil || again != a {
		t.Errorf("another module: %v, %v", again, err)
	}
	all, err := cache.LoadMany("a", "b")
	if err != nil || all["a"] != a {
		t.Errorf("LoadMany: %v, %v", all, err)
	}
	for name, n := range fsys.read {
		if n != 1 {
			t.Errorf("%s was read %d times", name, n)
		}
	}
}

// Texts come from memory too, and what they lack there is told.
func TestParse(t *testing.T) {
	db := embedded(t)
	mod, err := lua.Read("some/where.lua", strings.NewReader("%arg n int\nreturn n + 1"))
	if err != nil {
		t.Fatal(err)
	}
	type n struct {
		N int `lua:"n"`
	}
	want(t, "Read", bind[n, int](t, mod, "main").On(db).Call(t.Context(), n{1}), 2)
	want(t, "one value", bind[int, int](t, mod, "main").On(db).Call(t.Context(), 5), 6)
	if mod.Name() != "where" || !slices.Equal(mod.Functions(), []string{"main"}) {
		t.Errorf("it is %q with %v", mod.Name(), mod.Functions())
	}
	module, err := lua.Parse("m.lua", "local M = {} function M.f() return 3 end return M")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "a module", bind[struct{}, int](t, module, "f").On(db).Call(t.Context(), struct{}{}), 3)
	_, err = lua.Read("x.lua", failingReader{})
	says(t, "a reader that fails", err, "lua: read x.lua: the disk is gone")
	_, err = lua.Parse("x.lua", `%include "y"`)
	says(t, "an include", err, "x.lua:1:1: a text from memory has no files to include", "LoadFS")
	_, err = lua.Parse("x.lua", `local y = require "y" return CALL.z()`)
	says(t, "a require and a CALL", err, `module "y" is not known here`, "CALL.z is no script that is known here")
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, diskGone{} }

// wrongScripts are files that must not load, one a reason; main.lua is loaded.
var wrongScripts = []struct {
	reason string
	files  []string // name, text, …
}{
	{"two keys of one name", []string{"main", "%key a\n%key a\nreturn a"}},
	{"two arguments of one name", []string{"main", "%arg a int\nlocal b\n%arg a int\nreturn a"}},
	{"a key and an argument of one name", []string{"main", "%key a\n--- @arg a int\nreturn a"}},
	{"a key of one name in an include", []string{"main", "%key a\n%include \"x\"\nreturn a", "x", "\n%key a"}},
	{"two results", []string{"main", "%return int\n--- @return int\nreturn 1"}},
	{"an unknown type", []string{"main", "%arg n integr\nreturn n"}},
	{"an unknown type of the result", []string{"main", "%return money\nreturn 1"}},
	{"a key without a name", []string{"main", "%key\nreturn 1"}},
	{"a name that is none", []string{"main", "%key a-b\n%arg end int\n%arg KEYS\nreturn 1"}},
	{"a default of another type", []string{"main", "%arg n int = 1.5\n%arg s string = 7\n%arg b bool = f()\nreturn n"}},
	{"defaults that have another form", []string{"main", "%arg n int64 = 5\n%arg t table = {}\nreturn n"}},
	{"a directive in capitals", []string{"main", "%KEY a\nreturn 1"}},
	{"a misspelt directive", []string{"main", "%key a\n  %agr b int\nreturn 1"}},
	{"a directive there is not", []string{"main", "%weather\nreturn 1"}},
	{"a shebang", []string{"main", "#!lua flags=no-writes\nreturn 1"}},
	{"a table of functions", []string{"main", "local M = {f = function() return 1 end}\nreturn M"}},
	{"a table of functions without a name", []string{"main", "return {f = function() return 1 end}"}},
	{"an include that is not there", []string{"main", "return 1\n--- @include \"lib/none\""}},
	{"an include without a name", []string{"main", "%include\n%include \"open"}},
	{"an include outside of the root", []string{"main", "%include \"lib/x\"", "lib/x", "\n%include \"../../x\"\n%include \"/etc/passwd\""}},
	{"a circle of includes", []string{"main", "%include \"x\"", "x", "%include \"y\"", "y", "local a\n--- @include \"main\""}},
	{"a file that includes itself", []string{"main", "%include \"main\""}},
	{"an unknown pragma", []string{"main", "%pragma twice\nreturn 1"}},
	{"an include that is not Lua", []string{"main", "%include \"x\"\nreturn 1", "x", "local a = 1\nfor x"}},
	{"an include whose block is open", []string{"main", "%include \"x\"\nreturn 1", "x", "if KEYS[1] then"}},
	{"an include that returns", []string{"main", "%include \"x\"\nreturn 1", "x", "local x = 1\nreturn x"}},
	{"an unknown name in an include", []string{"main", "%include \"x\"\nreturn f()", "x", "local function f()\n  return nothing\nend"}},
	{"a directive in a module", []string{"main", "%key a\nlocal M = {}\nfunction M.f(a) end\nreturn M"}},
	{"a script that is required", []string{"main", "local x = require 'x'\nreturn x", "x", "return 1"}},
	{"too many locals", []string{"main", "%key a\n" + strings.Repeat("local x\n", 199) + "return a"}},
	{"KEYS beyond those declared", []string{"main", "%key a\nreturn redis.call('GET', KEYS[2])"}},
	{"KEYS that are computed", []string{"main", "%key a\nlocal i = 1\nreturn redis.call('GET', KEYS[i])"}},
	{"an argument by number that may be absent", []string{"main", "%key k\n%arg a int\n%arg b int?\n%arg c str = 'c'\nreturn ARGV[1] + ARGV[2] .. ARGV[3] .. #ARGV"}},
	{"KEYS beyond those of the name", []string{"main", "return CALL.x({}, {})", "x-1", "return redis.call('GET', KEYS[2])"}},
}

// Ensure that what is wrong with a script file is told with the place in the
// author's own file, whatever includes it.
func TestScriptFindings(t *testing.T) {
	var all strings.Builder
	for _, w := range wrongScripts {
		_, err := lua.LoadFS(files(w.files...), "main")
		finding, ok := errors.AsType[lua.Finding](err)
		if !ok || finding.Line < 1 || finding.Column < 1 {
			t.Errorf("%s: %v, want an error with a place", w.reason, err)
		}
		fmt.Fprintf(&all, "-- %s\n%v\n\n", w.reason, err)
	}
	golden.Equal(t, "testdata/script_findings.txt", all.String())
}

// A default stands in where Go passes nothing.
func TestDefaults(t *testing.T) {
	type some struct {
		N *int  `lua:"n"`
		B *bool `lua:"b"`
		X int   `lua:"x"`
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		text := parse(t, "%arg n int = 5\n%arg s string = \"a b\"\n%arg f float = -0.5\n%arg b bool = true\n--- @arg x int? = 3\nreturn string.format('%d %s %s %s %d', n, s, f, tostring(b), x)")
		want(t, "none", bind[struct{}, string](t, text, "main").On(db).Call(t.Context(), struct{}{}), "5 a b -0.5 true 3")
		blanks := parse(t, "%arg a string = \"a  b\"\n--- @arg b string = 'c\t\td = e'\nreturn a .. b")
		want(t, "blanks", bind[struct{}, string](t, blanks, "main").On(db).Call(t.Context(), struct{}{}), "a  bc\t\td = e")
		want(t, "some", bind[some, string](t, text, "main").On(db).Call(t.Context(), some{new(1), new(false), 9}), "1 a b -0.5 false 9")
		want(t, "absent ones", bind[some, string](t, text, "main").On(db).Call(t.Context(), some{X: 9}), "5 a b -0.5 true 9")
		want(t, "Args", bind[lua.Args, string](t, text, "main").On(db).Call(t.Context(), lua.Args{"b": false, "n": nil}), "5 a b -0.5 false 3")
	})
}
