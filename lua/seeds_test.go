package lua_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What the documents of the libraries that redmoon grew from show, told in its
// own words: each is a program of theirs, translated.

// After redis-lua: a script with a key, an argument and a result by name; its
// values in any order; an include with a helper; a shared cache; text run once.
func TestAfterRedisLua(t *testing.T) {
	scripts := fstest.MapFS{
		"multiply.lua": {Data: []byte(`%include "lib/number"
%key factor
%arg by integer
%return integer
local product = number(factor) * by
redis.call("SET", factor, product)
return product`)},
		"merge.lua": {Data: []byte(`%key target
%arg changes dict
%arg drop list
%return dict
for field, value in pairs(changes) do redis.call("HSET", target, field, value) end
for _, field in ipairs(drop) do redis.call("HDEL", target, field) end
local all, flat = {}, redis.call("HGETALL", target)
for i = 1, #flat, 2 do all[flat[i]] = flat[i + 1] end
return all`)},
		"lib/number.lua": {Data: []byte("%pragma once\nlocal function number(key) return tonumber(redis.call('GET', key)) or 0 end")},
	}
	mods, err := lua.LoadAllFS(scripts)
	if err != nil {
		t.Fatal(err)
	}
	multiply := bind[lua.Args, int64](t, mods["multiply"], "main")
	merge := bind[lua.Args, map[string]string](t, mods["merge"], "main")
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		pipectx.Do[string](ctx, db, "SET", "n", 3)
		want(t, "multiply", multiply.On(db).Call(ctx, lua.Args{"by": 5, "factor": "n"}), 15)
		got, err := merge.On(db).Call(ctx, lua.Args{"target": "h", "changes": map[string]string{"a": "1", "b": "2"}, "drop": []string{"a"}}).Result()
		if err != nil || len(got) != 1 || got["b"] != "2" {
			t.Errorf("merge: %v, %v", got, err)
		}
		var a, b *pipectx.Ref[int64]
		err = pipectx.Run(ctx, db, func(ctx context.Context) error {
			a = multiply.On(db).Call(ctx, lua.Args{"factor": "n", "by": 2})
			b = multiply.On(db).Call(ctx, lua.Args{"factor": "n", "by": 2})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "queued first", a, 30)
		want(t, "queued second", b, 60)
		want(t, "text", lua.Run[int64](ctx, db, "%arg a int\n%arg b int\nreturn a + b", lua.Args{"a": 1, "b": 2}), 3)
		says(t, "an unknown name", multiply.On(db).Call(ctx, lua.Args{"factor": "n", "by": 2, "per": 1}).Err(), `takes no "per"`)
	})
}

// After redis_luamodules: modules of functions that call themselves, each other
// and private ones; an import, an alias, a circle; a call with fewer arguments; a
// pipeline; the time.
func TestAfterLuaModules(t *testing.T) {
	text := lua.Module("Text",
		lua.Func("_pad", "s, n", `return string.rep(" ", n - #s) .. s`),
		lua.Func("right", "s, n", `return Text._pad(s, n or 5)`),
	)
	sums := lua.Module("Sums", lua.ImportAs("T", text),
		lua.Func("total", "...", `
			local sum = 0
			for _, n in ipairs({...}) do sum = sum + n end
			return sum`),
		lua.Func("fib", "n", `if n < 2 then return n end return Sums.fib(n - 1) + Sums.fib(n - 2)`),
		lua.Source("sums.lua", `local M = {}
local T = require "T"
--- @arg s string
--- @arg n int?
function M.shown(s, n) return T.right(s, n) end
function M.all() return M.total(1, 2, 3) + M.fib(10) end
return M`),
	)
	circle := load(t, "even", `local M = {}
local odd = require "odd"
function M.is(n) if n == 0 then return true end return odd.is(n - 1) end
return M`, "odd", `local M = {}
local even = require "even"
function M.is(n) if n == 0 then return false end return even.is(n - 1) end
return M`)
	type shown struct {
		S string `lua:"s"`
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		want(t, "all", bind[struct{}, int](t, sums, "all").On(db).Call(ctx, struct{}{}), 61)
		want(t, "fib", bind[int, int](t, sums, "fib").On(db).Call(ctx, 15), 610)
		want(t, "fewer arguments", bind[shown, string](t, sums, "shown").On(db).Call(ctx, shown{"x"}), "    x")
		want(t, "a circle", bind[int, bool](t, circle, "is").On(db).Call(ctx, 7), false)
	})
}

// After lua_call: scripts that call scripts, in a circle too; and a transfer that
// may be sent twice: the second time says that it was sent, and too little credit
// changes nothing.
func TestAfterLuaCall(t *testing.T) {
	scripts := fstest.MapFS{
		"bank/credit.lua": {Data: []byte("return tonumber(redis.call('HGET', KEYS[1], 'credit')) or 0")},
		"bank/move.lua": {Data: []byte(`redis.call("HINCRBY", KEYS[1], "credit", string.format("%.0f", -ARGV[1]))
redis.call("HINCRBY", KEYS[2], "credit", string.format("%.0f", ARGV[1]))
return CALL.credit({KEYS[1]}, {})`)},
		"bank/transfer.lua": {Data: []byte(`--- @key from
--- @key to
--- @key sent
--- @arg id string
--- @arg amount int
--- @return string
--- @idempotent
if redis.call("HEXISTS", sent, id) == 1 then return "already sent" end
if CALL.credit({from}, {}) < amount then return "not enough credit" end
local left = CALL.bank.move({from, to}, {amount})
redis.call("HSET", sent, id, left)
return "sent, left " .. left`)},
		"main.lua": {Data: []byte("return CALL.bank.credit({KEYS[1]}, {}) + CALL.bank.credit({KEYS[2]}, {})")},
	}
	mods, err := lua.LoadAllFS(scripts)
	if err != nil {
		t.Fatal(err)
	}
	type transfer struct {
		From   string `lua:"from,key"`
		To     string `lua:"to,key"`
		Sent   string `lua:"sent,key"`
		ID     string `lua:"id"`
		Amount int    `lua:"amount"`
	}
	move := bind[transfer, string](t, mods["bank/transfer"], "main")
	both := bind[struct{}, int](t, mods["main"], "main")
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		pipectx.Do[int64](ctx, db, "HSET", "{b}ann", "credit", 50)
		send := func(id string, amount int) *pipectx.Ref[string] {
			return move.On(db).Call(ctx, transfer{"{b}ann", "{b}bob", "{b}sent", id, amount})
		}
		want(t, "first", send("t1", 30), "sent, left 20")
		want(t, "again", send("t1", 30), "already sent")
		want(t, "too much", send("t2", 30), "not enough credit")
		want(t, "less", send("t2", 20), "sent, left 0")
		want(t, "both", both.On(db).Raw(ctx, []string{"{b}ann", "{b}bob"}), 50)
	})
}
