package lua_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A module is made of functions, texts and other modules, in any mixture; its
// functions call each other, and those of imported modules, by name.
func TestModule(t *testing.T) {
	words := lua.Module("Words",
		lua.Func("join", "a, b", `return a .. Words._sep() .. b`),
		lua.Func("_sep", "", `return "-" -- private`),
	)
	texts := lua.Module("Texts", lua.Import(words), lua.Source("texts.lua", `local M = {}
local w = require "Words"
function M.twice(s) return w.join(s, s) end
return M`))
	all := lua.Module("All", lua.Import(words), lua.Import(texts),
		lua.Func("main", "s", "return Words.join(Texts.twice(s), All.rest(1, 2))"),
		lua.Func("rest", "...", "local a, b = ... return a + b -- the end"),
	)
	want(t, "All.main", bind[string, string](t, all, "main").On(embedded(t)).Call(t.Context(), "x"), "x-x-3")
	if got := words.Functions(); !slices.Equal(got, []string{"join"}) {
		t.Errorf("Functions lists %v, want those that Go may call", got)
	}
	if words.Name() != "Words" {
		t.Errorf("its name is %q", words.Name())
	}
}

// A module may be imported under another name, so that two of one name serve one
// module.
func TestImportAs(t *testing.T) {
	one := lua.Module("util", lua.Func("f", "", `return "one"`))
	two := lua.Module("util", lua.Func("f", "", `return "two"`))
	all := lua.Module("All", lua.Import(one), lua.ImportAs("other", two), lua.ImportAs("again", two),
		lua.Func("main", "", "return util.f() .. other.f() .. again.f()"),
		lua.Source("all.lua", "local M = {}\nlocal o = require 'other'\nfunction M.text() return o.f() end\nreturn M"))
	db := embedded(t)
	want(t, "All.main", bind[struct{}, string](t, all, "main").On(db).Call(t.Context(), struct{}{}), "onetwotwo")
	want(t, "All.text", bind[struct{}, string](t, all, "text").On(db).Call(t.Context(), struct{}{}), "two")
	if n := strings.Count(bind[struct{}, string](t, all, "main").Script().Body, `return "two"`); n != 1 {
		t.Errorf("a module with two names is in the script %d times", n)
	}
	for reason, test := range map[string]struct {
		part lua.Part
		says string
	}{
		"nil":            {lua.ImportAs("x", nil), "an imported module is nil"},
		"a bad name":     {lua.ImportAs("redis", one), `the name "redis" of an import is a global`},
		"a taken name":   {lua.ImportAs("M", one), "two modules here are called M"},
		"an own unknown": {lua.ImportAs("x", one), `module util has no function "g"`},
	} {
		_, err := lua.TryModule("M", test.part, lua.Func("f", "", "return x.g()"))
		says(t, reason, err, test.says)
	}
}

// Signature tells what annotations say, in canonical words.
func TestSignature(t *testing.T) {
	mod := source(t, `
--- Text.
--- @key account
--- @arg amount integer
--- @arg note   str? a note
--- @return number
function M.f(account, amount, note, ...) end`)
	s, err := mod.Signature("f")
	if err != nil {
		t.Fatal(err)
	}
	var params []string
	for _, p := range s.Params {
		params = append(params, fmt.Sprintf("%s %v %q", p.Name, p.Key, p.Type))
	}
	if want := []string{`account true ""`, `amount false "int"`, `note false "string?"`}; !slices.Equal(params, want) {
		t.Errorf("parameters %q, want %q", params, want)
	}
	if !s.Vararg || s.Returns != "float" {
		t.Errorf("vararg %v, returns %q", s.Vararg, s.Returns)
	}
	_, err = mod.Signature("g")
	says(t, "an unknown function", err, `module m (m.lua) has no function "g"`, "it has f")
}

// Ensure that a module that is declared wrongly does not come to be, and that
// the error names the part and the cure.
func TestModuleRefusals(t *testing.T) {
	one := func(name string) *lua.Mod { return lua.Module(name, lua.Func("f", "", "return 1")) }
	tests := []struct {
		reason string
		name   string
		parts  []lua.Part
		says   []string
	}{
		{"no name", "", nil, []string{`the module name "" is no Lua name`, "use letters, digits and _"}},
		{"a keyword", "end", nil, []string{`the module name "end" is no Lua name`, "no word of Lua's own"}},
		{"a global", "redis", nil, []string{`the module name "redis" is a global`, "choose another"}},
		{"nothing in it", "M", nil, []string{"lua: M: the module is empty", "give it a Func or a Source"}},
		{"a function without a Lua name", "M", []lua.Part{lua.Func("a-b", "", "")}, []string{`function name "a-b" is no Lua name`, "use letters"}},
		{"a dot in a name", "M", []lua.Part{lua.Func("a.b", "", "")}, []string{`function name "a.b" is no Lua name`, "use letters"}},
		{"a function called by a keyword", "M", []lua.Part{lua.Func("end", "", "")}, []string{`function name "end"`}},
		{"parameters that are none", "M", []lua.Part{lua.Func("f", "a, 1", "")}, []string{"M.f:1:", "expected near '1'"}},
		{"a body with an end too many", "M", []lua.Part{lua.Func("f", "", "return 1 end\nfunction M.g() return 2")},
			[]string{"lua: M.f:2:1: the body closes its function", "take out the `end`"}},
		{"a body with an end too few", "M", []lua.Part{lua.Func("f", "", "if x then\nreturn 1")},
			[]string{"lua: M.f:2:9: 'end' expected", "\n\treturn 1\n"}},
		{"a syntax error, told in the lines of the body", "M", []lua.Part{lua.Func("f", "", "local a = 1\nif a then\nb c\nend")},
			[]string{"lua: M.f:3:3: '=' expected near 'c'"}},
		{"a line within a message", "M", []lua.Part{lua.Func("f", "", "\nfor i = 1, 2 do\nreturn 1\n2 end")}, []string{"M.f:4:1", "'end' expected (to close 'for' at line 2)"}},
		{"two functions of one name", "M", []lua.Part{lua.Func("f", "", ""), lua.Func("f", "", "")}, []string{"function M.f is defined twice, first at M.f:1:1", "rename"}},
		{"two modules of one name", "M", []lua.Part{lua.Import(one("X")), lua.Import(one("X"))}, []string{"two modules here are called X", "rename"}},
		{"itself", "M", []lua.Part{lua.Import(one("M")), lua.Func("f", "", "")}, []string{"two modules here are called M"}},
		{"an import before its declaration", "M", []lua.Part{lua.Import(nil), lua.Func("f", "", "")}, []string{"an imported module is nil", "package variable"}},
		{"a module that is not imported", "M", []lua.Part{lua.Func("f", "", "return X.f()")}, []string{`M.f:1:8: unknown global "X"`}},
		{"a module of an import's own", "M", []lua.Part{lua.Import(lua.Module("Y", lua.Import(one("X")), lua.Func("f", "", "return X.f()"))), lua.Func("f", "", "return Y.f() + X.f()")},
			[]string{`M.f:1:16: unknown global "X"`}},
		{"a text that requires what is not imported", "M", []lua.Part{lua.Source("m.lua", "local M = {}\nlocal x = require 'X'\nreturn M")},
			[]string{`m.lua:2:11: module "X" is not known here`, "lua.Import"}},
		{"an imported name assigned to", "M", []lua.Part{lua.Import(one("X")), lua.Func("f", "", "X = 1")}, []string{`assignment to the global "X"`}},
		{"all that is wrong at once", "M", []lua.Part{lua.Func("f", "", "retrun 1"), lua.Func("g", "", "return 1 1")}, []string{"M.f:1:8", "M.g:1:10"}},
	}
	for _, test := range tests {
		_, err := lua.TryModule(test.name, test.parts...)
		says(t, test.reason, err, test.says...)
	}
}

// A declaration that panics names the line of the user's own file: the trace of
// a panic at start-up shows little else.
func TestPanicsNameTheDeclaration(t *testing.T) {
	mod := lua.Module("M", lua.Func("f", "", "return 1"))
	tests := []struct {
		name string
		fn   func()
	}{
		{"Module", func() { lua.Module("M", lua.Func("f", "", "retrun")) }},
		{"Must", func() { lua.Must(lua.LoadFS(files(), "gone")) }},
		{"Bind", func() { lua.Bind[int, int](mod, "f") }},
	}
	for _, test := range tests {
		func() {
			defer func() {
				err, _ := recover().(error)
				says(t, test.name, err, "module_test.go:", ": lua: ")
			}()
			test.fn()
		}()
	}
}

// Ensure that a module serves goroutines: entries are bound, and scripts
// linked, at the same time.
func TestModuleIsShared(t *testing.T) {
	mod := lua.Module("M", lua.Func("f", "a", "return M.g(a)"), lua.Func("g", "a", "return a"))
	entry := bind[int, int](t, mod, "f")
	db := embedded(t)
	errs := make(chan error)
	const goroutines = 16
	for i := range goroutines {
		go func() {
			own, err := lua.TryBind[int, int](mod, "f")
			if err == nil && own.Script().SHA != entry.Script().SHA {
				err = errors.New("another script")
			}
			if err == nil {
				var got int
				if got, err = entry.On(db).Call(t.Context(), i).Result(); err == nil && got != i {
					err = fmt.Errorf("got %d, want %d", got, i)
				}
			}
			if err == nil {
				_, err = lua.TryModule("N", lua.Import(mod), lua.Func("f", "", "return M.f(1)"))
			}
			errs <- err
		}()
	}
	for range goroutines {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A body may end in a comment, have lines of its own, and be empty.
func TestFuncBodies(t *testing.T) {
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, body := range []string{"return 7 -- seven", "\n\n  return 7\n", "return 7;", "return (7) --[[ ]]"} {
			mod := lua.Module("M", lua.Func("f", "", body))
			want(t, strings.TrimSpace(body), bind[struct{}, int](t, mod, "f").On(db).Call(t.Context(), struct{}{}), 7)
		}
		mod := lua.Module("M", lua.Func("f", "a, ...", ""))
		want(t, "an empty body", bind[int, struct{}](t, mod, "f").On(db).Call(t.Context(), 1), struct{}{})
	})
}
