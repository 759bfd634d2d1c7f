package lua_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// callers is a folder of scripts that call each other.
var callers = fstest.MapFS{
	"main.lua": {Data: []byte(`--- @key a
--- @arg n int
--- @return string
local t = {n = n}
local kind, same, keys, args = CALL.kind({a}, {n, true, t, nil, "s"})
local sum = CALL.math.add({}, {n, 1}) + CALL.math.add({}, {n, 2})
if CALL.math.add({}, {1, 2}) == 3 and (CALL["math"]["add"]({}, {})) == 0 then sum = sum + 100 end
local never = n < 0 and CALL.fails()
local down = CALL.down({}, {5})
-- CALL.unknown({}, {})
local text = "CALL.unknown({}, {})"
return kind .. " " .. tostring(same == t) .. " " .. keys .. args .. " " .. sum .. " " .. down .. " " .. #KEYS .. #ARGV .. #text`)},
	"kind.lua": {Data: []byte(`local kinds = ""
for i = 1, 5 do kinds = kinds .. string.sub(type(ARGV[i]), 1, 2) end
KEYS[2] = "changed"
return kinds, ARGV[3], #KEYS, ARGV[5]`)},
	"math/add.lua":    {Data: []byte("return CALL.plus({}, {ARGV[1] or 0, ARGV[2] or 0})")},
	"math/plus.lua":   {Data: []byte("%arg x\n%arg y\nreturn x + y")},
	"down.lua":        {Data: []byte("if ARGV[1] == 0 then return 'down' end\nreturn CALL.again({}, {ARGV[1] - 1})")},
	"again.lua":       {Data: []byte("local v = CALL.down({}, ARGV)\nreturn v")},
	"fails.lua":       {Data: []byte("fail('NEVER')")},
	"add.lua":         {Data: []byte("fail('OUTER')")},
	"keys.lua":        {Data: []byte("%key a\n%key b\nreturn a .. b")},
	"few.lua":         {Data: []byte("local k = {KEYS[1]}\nlocal v = CALL.keys(k, {})\nreturn v")},
	"value.lua":       {Data: []byte("local f = CALL.keys\nreturn f({'x', 'y'}) .. CALL.counted({'z'})")},
	"counted-1.lua":   {Data: []byte("return KEYS[1]")},
	"module.lua":      {Data: []byte("local M = {}\n--- @key k\nfunction M.f(k) return CALL.counted({k}) .. CALL.keys({k, k}) end\nreturn M")},
	"deep.lua":        {Data: []byte("local v = CALL.deeper({}, {})\nreturn v")},
	"deeper.lua":      {Data: []byte("%include \"part\"\nlocal v = refuse()\nreturn v")},
	"part.lua":        {Data: []byte("local function refuse() fail('DEEP', 'down here') end")},
	"default.lua":     {Data: []byte("return CALL.pair({}, {}) .. CALL.pair({}, {2}) .. CALL.pair({}, {3, 'z'})")},
	"pair.lua":        {Data: []byte("%arg n int = 1\n--- @arg s string = \"a\" -- what it is called\nreturn string.format('%d', n) .. s .. #ARGV .. ' '")},
	"wrong/many.lua":  {Data: []byte("return CALL.x({}, {}, {})")},
	"wrong/x.lua":     {Data: []byte("return 1")},
	"wrong/none.lua":  {Data: []byte("return CALL.nowhere({}, {})")},
	"wrong/bare.lua":  {Data: []byte("return CALL")},
	"wrong/index.lua": {Data: []byte("return CALL[ARGV[1]]({}, {})")},
	"wrong/write.lua": {Data: []byte("CALL = 1")},
	"wrong/mod.lua":   {Data: []byte("return CALL.m({}, {})")},
	"wrong/m.lua":     {Data: []byte("local M = {} function M.f() end return M")},
	"wrong/keys.lua":  {Data: []byte("return CALL.two({KEYS[1]}, {})")},
	"wrong/two.lua":   {Data: []byte("%key a\n%key b\nreturn a")},
}

// A script calls another by name, in any expression, and gives it KEYS and ARGV
// of its own: values keep their types, the caller's lists stay, a script that is
// not called does not run, and circles by name work.
func TestCallScript(t *testing.T) {
	mods, err := lua.LoadManyFS(callers, "main", "value", "module", "few", "deep", "default", "pair")
	if err != nil {
		t.Fatal(err)
	}
	type args struct {
		A string `lua:"a,key"`
		N int    `lua:"n"`
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		want(t, "main", bind[args, string](t, mods["main"], "main").On(db).Call(ctx, args{"{k}", 7}), "nubotanist true 2s 117 down 1120")
		want(t, "as a value", bind[struct{}, string](t, mods["value"], "main").On(db).Call(ctx, struct{}{}), "xyz")
		want(t, "from a module", bind[string, string](t, mods["module"], "f").On(db).Call(ctx, "k"), "kkk")
		want(t, "defaults", bind[struct{}, string](t, mods["default"], "main").On(db).Call(ctx, struct{}{}), "1a0 2a1 3z2 ")
		want(t, "defaults from Go", bind[struct{}, string](t, mods["pair"], "main").On(db).Call(ctx, struct{}{}), "1a0 ")

		few := bind[struct{}, string](t, mods["few"], "main")
		e := failed(t, "too few keys", few.On(db).Raw(ctx, []string{"a"}).Err())
		if e.Code != "ERR" || e.Message != "CALL of keys: it takes 2 keys, here are 1" || e.Trace[0].File != "few.lua" || e.Trace[0].Line != 2 {
			t.Errorf("too few keys: %+v", e)
		}
		deep := failed(t, "deep", bind[struct{}, string](t, mods["deep"], "main").On(db).Call(ctx, struct{}{}).Err())
		const trace = `Lua traceback of deep (most recent call last):
  deep.lua:1 in deep
      local v = CALL.deeper({}, {})
  deeper.lua:2 in deeper
      local v = refuse()
  deeper.lua:1
      %include "part"
  part.lua:1 in refuse (local)
      local function refuse() fail('DEEP', 'down here') end`
		if deep.Traceback() != trace {
			t.Errorf("%+v", deep)
		}
	})
}

// What is wrong with a call of a script is known at start-up.
func TestCallScriptRefusals(t *testing.T) {
	for name, parts := range map[string][]string{
		"many":  {"wrong/many.lua:1:8: CALL.x takes a list of keys and one of arguments, here are 3", "CALL.name({keys}, {arguments})"},
		"none":  {`wrong/none.lua:1:8: script "wrong/nowhere" cannot be read from wrong/nowhere.lua`},
		"bare":  {"wrong/bare.lua:1:8: CALL stands without the name of a script"},
		"index": {"wrong/index.lua:1:8: CALL stands without the name of a script"},
		"write": {`wrong/write.lua:1:1: assignment to the global "CALL"`},
		"mod":   {"wrong/mod.lua:1:8: CALL.m is a module, not a script", `require "wrong/m"`},
		"keys":  {"wrong/keys.lua:1:8: CALL.two takes 2 keys, here are 1", "wrong/two.lua"},
	} {
		_, err := lua.LoadFS(callers, "wrong/"+name)
		says(t, name, err, parts...)
	}
}

// Modules declared in Go call scripts that they import.
func TestCallImported(t *testing.T) {
	script := lua.Must(lua.Parse("double.lua", "return ARGV[1] * 2"))
	mod := lua.Module("M", lua.Import(script), lua.Func("f", "n", "return CALL.double({}, {n})"))
	want(t, "M.f", bind[int, int](t, mod, "f").On(embedded(t)).Call(t.Context(), 4), 8)
}

// An argument of Raw that may be absent arrives as it is, of whatever type.
func TestRawOptional(t *testing.T) {
	mod := parse(t, `%key k
%arg n int?
%arg s string = "none"
%arg f float?
%arg b bool?
%arg x str?
return string.format("%d %s %.2f %s %s", n or -1, s, f or -1, tostring(b), tostring(x))`)
	entry := bind[lua.Args, string](t, mod, "main")
	each(t, func(t *testing.T, db *pipectx.DB) {
		raw := func(argv ...any) *pipectx.Ref[string] { return entry.On(db).Raw(t.Context(), []string{"k"}, argv...) }
		want(t, "all", raw(5, "hello", 1.5, false, []byte("x")), "5 hello 1.50 false x")
		want(t, "of other types", raw(uint8(5), "", 1, true, ""), "5  1.00 true ")
		want(t, "none", raw(nil, nil, nil, nil, nil), "-1 none -1.00 nil nil")
		says(t, "no plain text", raw([]int{1}, nil, nil, nil, nil).Err(), "cannot send a []int")
	})
}

// Raw calls with plain KEYS and ARGV.
func TestRaw(t *testing.T) {
	script := bind[struct{}, any](t, parse(t, "return {#KEYS, KEYS[1], ARGV[1], ARGV[2], false}"), "main")
	typed := bind[moveArgs, int64](t, load(t, "m", signatures), "move")
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		got, err := script.On(db).Raw(ctx, []string{"{a}1", "{a}2"}, 5, []byte("b")).Result()
		if err != nil || !same(got, []any{int64(2), "{a}1", "5", "b", nil}) {
			t.Errorf("a script: %#v, %v", got, err)
		}
		want(t, "a function", typed.On(db).Raw(ctx, []string{"{a}1", "{a}2"}, 5), 5)
		says(t, "too few keys", typed.On(db).Raw(ctx, []string{"{a}1"}, 5).Err(), "lua: m.move takes 2 keys, here are 1")
		says(t, "too many arguments", typed.On(db).Raw(ctx, []string{"{a}1", "{a}2"}, 5, 6).Err(), "lua: m.move takes 1 argument, here are 2")
		says(t, "no plain text", script.On(db).Raw(ctx, nil, []int{1}).Err(), "cannot send a []int")
		err = pipectx.Run(ctx, db, func(ctx context.Context) error {
			typed.On(db).Raw(ctx, []string{"{a}1", "{a}2"}, 1)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		want(t, "in a Run", pipectx.Do[int64](ctx, db, "GET", "{a}1"), 6)
	})
}
