package lua_test

import (
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// An error says, also in its text, whether something was written before it: by any
// form of a call that may write, and only then.
func TestPartial(t *testing.T) {
	const call = `redis.call("RPUSH", k, "x")`
	tests := []struct {
		reason, body string
		partial      bool
	}{
		{"nothing but a failure", `fail("X")`, false},
		{"a read", `redis.call("LLEN", k) fail("X")`, false},
		{"a write behind the failure", `if k then fail("X") end ` + call, false},
		{"a write that failed itself", `redis.call("INCR", k)`, false},
		{"the same as a value", `local n = redis.call("INCR", k)`, false},
		{"a write", call + ` fail("X")`, true},
		{"a write with a semicolon", call + `; fail("X")`, true},
		{"a write as the value of a local", `local n = ` + call + ` fail("X")`, true},
		{"a write that is assigned", `local n n = ` + call + ` fail("X")`, true},
		{"a write in an expression", `local n = 1 + ` + call + ` fail("X")`, true},
		{"a write among several values", `local n, m = ` + call + `, 2 fail("X")`, true},
		{"a write in a condition", `if ` + call + ` > 0 then fail("X") end`, true},
		{"a write in a return", `local function f() return ` + call + ` end f() fail("X")`, true},
		{"a write as an argument", `tostring(` + call + `) fail("X")`, true},
		{"a write within a write's arguments", `redis.call("INCRBY", k, ` + call + `)`, true},
		{"a write by a local name", `local call = redis.call call("RPUSH", k, "x") fail("X")`, true},
		{"a write by a local redis", `local r = redis r.call("RPUSH", k, "x") fail("X")`, true},
		{"a write by a quoted name", `redis["call"]("RPUSH", k, "x") fail("X")`, true},
		{"a write by pcall", `redis.pcall("RPUSH", k, "x") fail("X")`, true},
		{"a write by Lua's pcall", `pcall(redis.call, "RPUSH", k, "x") fail("X")`, true},
		{"a failed write by Lua's pcall", `pcall(redis.call, "INCR", k) fail("X")`, false},
		{"a computed command", `local c = "RPUSH" redis.call(c, k, "x") fail("X")`, true},
		{"a command in a list", `redis.call(unpack({"RPUSH", k, "x"})) fail("X")`, true},
		{"a result that is not one", call + ` return "x"`, true},
		{"a write before a bug", call + ` local t return t.x`, true},
		{"a write before a hostile error", call + ` error(setmetatable({}, {__index = function() error({}) end}))`, true},
		{"a write in a loop, on lines of their own", "for i = 1, 2 do\n" + call + "\nend\n(tostring)(1)\nfail('X')", true},
		{"an error that is returned", call + ` return redis.error_reply("X y")`, true},
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, test := range tests {
			mod := lua.Module("M", lua.Source("m.lua", moduleText("\n--- @key k\nfunction M.f(k) "+test.body+"\nend")))
			pipectx.Do[int64](t.Context(), db, "DEL", "list")
			pipectx.Do[int64](t.Context(), db, "RPUSH", "list", "x")
			e := failed(t, test.reason, bind[string, int](t, mod, "f").On(db).Call(t.Context(), "list").Err())
			if says := strings.HasSuffix(e.Error(), "; what it wrote before that stays written"); e.Partial != test.partial || says != test.partial {
				t.Errorf("%s: Partial is %v: %v", test.reason, e.Partial, e)
			}
		}
	})
}

// What a script writes is what it would write without the notes that it keeps.
func TestPartialChangesNothing(t *testing.T) {
	mod := lua.Module("M", lua.Source("m.lua", moduleText(`
--- @key k
function M.f(k)
		local a, b = redis.call("RPUSH", k, "a"), redis.pcall("INCR", k)
		local function push(x) return redis.call("RPUSH", k, x) end
		local call = redis.call
		return a .. string.match(b.err, "WRONGTYPE") .. push("b") .. call("RPUSH", k, (redis.call("LINDEX", k, 0))) .. table.concat(redis.call("LRANGE", k, 0, -1))
end`)))
	each(t, func(t *testing.T, db *pipectx.DB) {
		got, err := bind[string, string](t, mod, "f").On(db).Call(t.Context(), "list").Result()
		if err != nil || got != "1WRONGTYPE23aba" {
			t.Errorf("%q, %v", got, err)
		}
	})
}
