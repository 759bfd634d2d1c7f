package lua_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// failed returns the *lua.Error in err.
func failed(t testing.TB, what string, err error) *lua.Error {
	t.Helper()
	e, ok := errors.AsType[*lua.Error](err)
	if !ok {
		t.Fatalf("%s: %v, want a *lua.Error", what, err)
	}
	return e
}

// A function that fails answers its code, and the traceback through all modules
// in the author's files and lines: the same text on every server.
func TestTracebackGolden(t *testing.T) {
	mod, err := lua.LoadFS(os.DirFS("testdata"), "failing")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		var all strings.Builder
		for _, name := range mod.Functions() {
			err := bind[string, int](t, mod, name).On(db).Call(t.Context(), "{f}list").Err()
			e := failed(t, name, err)
			if e.Code == "ERR" {
				e.Message = "(Lua's own words, which differ)"
			}
			fmt.Fprintf(&all, "-- %s\n%+v\n\n", name, e)
		}
		golden.Equal(t, "testdata/traces.txt", all.String())
	})
}

// The error of the worked example: the code by which callers branch, the
// message, and where it was raised.
func TestFailure(t *testing.T) {
	entry := transferEntry(t)
	each(t, func(t *testing.T, db *pipectx.DB) {
		pipectx.Do[int64](t.Context(), db, "HSET", "{a}1", "balance", "70")
		e := failed(t, "transfer", entry.On(db).Call(t.Context(), transfer{"{a}1", "{a}2", 300, 1}).Err())
		if e.Code != "FUNDS" || e.Message != "insufficient: have 70, need 300" || e.Script != "accounts.transfer" || len(e.Trace) != 2 {
			t.Errorf("%#v", e)
		}
		if got, want := e.Error(), "lua: accounts.transfer: FUNDS insufficient: have 70, need 300 (audit.lua:15); what it wrote before that stays written"; got != want {
			t.Errorf("Error() = %s, want %s", got, want)
		}
		want := "Lua traceback of accounts.transfer (most recent call last):\n" +
			"  accounts.lua:31 in accounts.transfer\n" +
			"      audit.reject(src, \"insufficient: have \" .. fmt(have), amount)\n" +
			"  audit.lua:15 in audit.reject\n" +
			"      fail(\"FUNDS\", why .. \", need \" .. string.format(\"%.0f\", amount))"
		if e.Traceback() != want || fmt.Sprintf("%+v", e) != e.Error()+"\n"+want || fmt.Sprintf("%v|%s", e, e) != e.Error()+"|"+e.Error() {
			t.Errorf("%+v", e)
		}
		if errors.Is(e, pipectx.ErrNotFound) || !errors.Is(&lua.Error{Code: "NOTFOUND"}, pipectx.ErrNotFound) {
			t.Error("the code NOTFOUND, and no other, is pipectx.ErrNotFound")
		}
	})
}

// Codes and messages, of every way to fail. Where servers word a message
// differently, only the code is held.
func TestErrorCodes(t *testing.T) {
	tests := []struct {
		reason, body  string
		code, message string
	}{
		{"fail", `fail("FUNDS", "have 7")`, "FUNDS", "have 7"},
		{"fail without a message", `fail("FUNDS")`, "FUNDS", ""},
		{"fail with other values", `fail("N", 7)`, "N", "7"},
		{"a table with err", `error({err = "FUNDS have 7"})`, "FUNDS", "have 7"},
		{"a table with one word", `error({err = "FUNDS"})`, "FUNDS", ""},
		{"a table with an empty err", `error({err = ""})`, "ERR", ""},
		{"a table that begins with a blank", `error({err = " x"})`, "ERR", "x"},
		{"an error reply returned", `return redis.error_reply("FUNDS have 7")`, "FUNDS", "have 7"},
		{"the same by hand", `return {err = "FUNDS have 7"}`, "FUNDS", "have 7"},
		{"a returned code that would have a command sent again", `redis.call("RPUSH", key, "y") return redis.error_reply("LOADING " .. redis.call("LLEN", key))`, "LOADING", "2"},
		{"what redis.pcall returned", `return redis.pcall("INCR", key)`, "WRONGTYPE", "Operation against a key holding the wrong kind of value"},
		{"redis.call", `return redis.call("INCR", key)`, "WRONGTYPE", "Operation against a key holding the wrong kind of value"},
		{"redis.call with a code of ERR", `redis.call("DEL", key) redis.call("SET", key, "x") return redis.call("INCR", key)`, "ERR", "value is not an integer or out of range"},
		{"redis.call, caught and raised again", `local ok, e = pcall(redis.call, "INCR", key) error(e, 0)`, "WRONGTYPE", "Operation against a key holding the wrong kind of value"},
		{"caught and raised again with a position", `local ok, e = pcall(redis.call, "INCR", key) error(e)`, "WRONGTYPE", "Operation against a key holding the wrong kind of value"},
		{"an unknown command", `redis.call("NOSUCH")`, "ERR", "*"},
		{"a string", `error("boom")`, "ERR", "boom"},
		{"a string without a position", `error("boom", 0)`, "ERR", "boom"},
		{"a number", `error(42)`, "ERR", "42"},
		{"nil", `error(nil)`, "ERR", "nil"},
		{"nothing", `error()`, "ERR", "*"},
		{"a boolean", `error(true)`, "ERR", "true"},
		{"a function", `error(error)`, "ERR", "*"},
		{"a userdata", `error(cjson.null)`, "ERR", "*"},
		{"a bug", `local x return x.y`, "ERR", "*"},
		{"an empty table", `error({})`, "ERR", "*"},
		{"a table of other things", `error({code = 7})`, "ERR", `error object: {"code":7}`},
		{"an err that is no string", `error({err = 42})`, "ERR", `error object: {"err":42}`},
		{"an err that is a table", `error({err = {}})`, "ERR", "*"},
		{"an err that is inherited", `error(setmetatable({}, {__index = {err = "FUNDS x"}}))`, "FUNDS", "x"},
		{"a table that contains itself", `local t = {} t.t = t error(t)`, "ERR", "error object: table"},
		{"a hostile table", `error(setmetatable({}, {__index = function() error("a") end, __tostring = function() error("b") end}))`, "ERR", "*"},
		{"a hostile table that fails with a table", `error(setmetatable({}, {__index = function() error({}) end}))`, "ERR", "*"},
		{"recursion without end", `local function f(n) return 1 + f(n + 1) end return f(1)`, "ERR", "*"},
		{"recursion without end through C", `local function f(s) return (string.gsub(s, ".", f)) end return f("aa")`, "ERR", "*"},
		{"recursion without end through pcall", `local function f(n) local ok, e = pcall(f, n + 1) if not ok then error(e, 0) end return 1 end return f(1)`, "ERR", "*"},
		{"recursion without end through a metatable", `local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. "x"] end return t.a`, "ERR", "*"},
		{"an error in the author's own handler", `xpcall(function() error("a") end, function() error({}) end) error(select(2, xpcall(function() error("a") end, function() error({}) end)))`, "ERR", "*"},
		{"a handler that returns a table", `local _, e = xpcall(function() error("a") end, function() return {} end) error(e)`, "ERR", "*"},
		{"an error while an error is caught", `pcall(function() error({}) end) pcall(error, {}) error({err = {}})`, "ERR", "*"},
		{"a table with a hostile __tostring", `error(setmetatable({}, {__tostring = function() error({}) end}))`, "ERR", "*"},
		{"a hostile err of a result", `return setmetatable({}, {__index = function(_, k) error({}) end})`, "TYPE", "*"},
		{"a hostile table that is concatenated", `return 1 .. setmetatable({}, {__concat = function() error({}) end})`, "ERR", "*"},
		{"a hostile table that is compared", `local m = {__eq = function() error({}) end} return setmetatable({}, m) == setmetatable({}, m) and 1`, "ERR", "*"},
		{"recursion without end in a handler", `local function f() return 1 + f() end local _, e = xpcall(function() error("a") end, f) error(e)`, "ERR", "*"},
		{"a string without end", `local s = "x" for i = 1, 16 do s = s .. s end error(s)`, "ERR", "*"},
		{"an error in a coroutine that is a table", `local _, e = coroutine.resume(coroutine.create(function() error({}) end)) error(e)`, "ERR", "*"},
		{"an error in a sort", `table.sort({3, 2, 1}, function() error({}) end)`, "ERR", "*"},
		{"an error in a chunk of its own", `loadstring("error({})")()`, "ERR", "*"},
		{"a table without err that is returned", `return {code = 1}`, "TYPE", "*"},
		{"lines in a message, which would end the reply", `fail("X", "a\r\n+OK\r\nb")`, "X", "a  +OK  b"},
		{"a zero byte, which would cut it", `fail("X", "a\0b")`, "X", "a b"},
		{"a message that ends like ours", `fail("X", "{lua 1 2}")`, "X", "{lua 1 2}"},
		{"a coroutine", `coroutine.wrap(function() fail("X", "y") end)()`, "X", "y"},
		{"a result of another type", `return "abc"`, "TYPE", "the result of M.f is string, not an int"},
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, test := range tests {
			mod := lua.Module("M", lua.Func("f", "key", test.body))
			pipectx.Do[int64](t.Context(), db, "DEL", "list")
			pipectx.Do[int64](t.Context(), db, "RPUSH", "list", "x")
			e := failed(t, test.reason, bind[listKey, int](t, mod, "f").On(db).Call(t.Context(), listKey{"list"}).Err())
			if e.Code != test.code || e.Message != test.message && test.message != "*" {
				t.Errorf("%s: code %q, message %q, want %q, %q", test.reason, e.Code, e.Message, test.code, test.message)
			}
		}
		want(t, "the server lives", pipectx.Do[string](t.Context(), db, "PING"), "PONG")
	})
}

type listKey struct {
	Key string `lua:"key,key"`
}

// A module that fails while it is built, before any function is called, ends
// in an error reply too.
func TestModuleBodyFails(t *testing.T) {
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, body := range []string{"if KEYS then error({}) end", "local x = nil + 1", "if KEYS then fail('CODE', 'x') end"} {
			mod := load(t, "m", "local M = {}\n"+body+"\nfunction M.f() return 1 end\nreturn M")
			e := failed(t, body, bind[struct{}, int](t, mod, "f").On(db).Call(t.Context(), struct{}{}).Err())
			if len(e.Trace) != 1 || e.Trace[0].Line != 2 || e.Trace[0].Func != "" {
				t.Errorf("%s: %+v", body, e)
			}
		}
		want(t, "the server lives", pipectx.Do[string](t.Context(), db, "PING"), "PONG")
	})
}

// Lua's positions inside a message are told in the author's lines.
func TestPositionsInsideMessages(t *testing.T) {
	mod := load(t, "m", "local M = {}\n\n\nfunction M.f()\n  local ok, e = pcall(function()\n    error('inner')\n  end)\n  error('outer: ' .. e)\nend\nreturn M")
	each(t, func(t *testing.T, db *pipectx.DB) {
		e := failed(t, "f", bind[struct{}, int](t, mod, "f").On(db).Call(t.Context(), struct{}{}).Err())
		if t.Name() == "TestPositionsInsideMessages/embedded" {
			return // it has no name for the script to know its lines by
		}
		if e.Message != "outer: m.lua:6: inner" {
			t.Errorf("the message is %q", e.Message)
		}
	})
}

// What failed before the script had begun has no traceback, and the server's
// own code.
func TestErrorOfTheServer(t *testing.T) {
	s := redistest.Server(t)
	err := s.Client(t).Do(t.Context(), "ACL", "SETUSER", "weak", "on", "nopass", "~*", "+@all", "-@scripting").Err()
	if err != nil {
		t.Fatal(err)
	}
	db, err := pipectx.New(s.Client(t, func(o *redis.Options) { o.Username, o.Password = "weak", "any" }))
	if err != nil {
		t.Fatal(err)
	}
	mod := lua.Module("M", lua.Func("f", "", "return 1"))
	e := failed(t, "f", bind[struct{}, int](t, mod, "f").On(db).Call(t.Context(), struct{}{}).Err())
	if e.Code != "NOPERM" || e.Script != "M.f" || e.Trace != nil {
		t.Errorf("%#v", e)
	}
}
