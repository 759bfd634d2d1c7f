// Package lua compiles modules of Lua functions into single scripts and calls
// them with Go types.
//
// A function is ordinary Lua 5.1 in an ordinary module. A call of it is one
// command that runs atomically on the server, takes named and typed arguments,
// and answers a typed result, or an error with the traceback in the author's
// files and lines. What is wrong with a module, or with the Go types it is bound
// to, is known when the program starts.
//
//	-- stock.lua
//	local M = {}
//	local audit = require "audit"
//
//	--- @key item
//	--- @arg n int
//	--- @return int
//	function M.take(item, n)
//	  local have = tonumber(redis.call("GET", item)) or 0
//	  if have < n then
//	    fail("SOLD_OUT", string.format("have %d, want %d", have, n))
//	  end
//	  audit.note(item, n)
//	  return redis.call("DECRBY", item, n)
//	end
//
//	return M
//
// And in Go:
//
//	//go:embed *.lua
//	var sources embed.FS
//
//	type Take struct {
//		Item string `lua:"item,key"`
//		N    int    `lua:"n"`
//	}
//
//	var (
//		Stock    = lua.Must(lua.LoadFS(sources, "stock"))
//		TakeItem = lua.Bind[Take, int](Stock, "take")
//	)
//
//	left, err := TakeItem.On(db).Call(ctx, Take{"item{7}", 2}).Result()
//	if refused, ok := errors.AsType[*lua.Error](err); ok && refused.Code == "SOLD_OUT" {
//		…
//	}
//
// [Module] makes the same of functions written in Go files. A module is a local
// table that begins empty, gets functions, and is returned. It names others by
// `local x = require "x"` at the top; they may require each other. Functions whose
// names begin with _ are private. fail(code, message) refuses.
//
// # How values cross
//
// By their Go types, one word each, without an envelope:
//
//	Go                        argument in Lua                  result from Lua
//	string, []byte            string                           string, or a status reply's text
//	integers                  number, guarded at ±2^53         number, whole and within ±2^53
//	  annotated int64; Exact  string of digits, all 64 bits    string of digits, or such a number
//	float32, float64          number                           number, written with 17 digits
//	bool                      boolean                          boolean
//	time.Time                 number, µs since 1970            the same; in UTC
//	text marshalers, uuid     string                           string
//	*T, field.Optional[T]     nil where absent                 nil, or a missing value of redis.call
//	structs, maps, slices     table, by way of JSON            –
//	[]T of the scalars above  table, by way of JSON            table of its elements, none of them nil
//	struct with lua tags      its fields are parameters        table with these fields
//	struct{}                  no arguments                     anything; it is not sent
//
// NaN and infinities are refused. So is an integer beyond 2^53 anywhere in JSON;
// null in JSON is nil. A result that is not of its type fails with the code TYPE.
//
// # Annotations
//
// Comments directly above a function may say the types of its parameters and of
// its result; [Signature] tells how. They are checked against the Go types, and
// decide two things: a parameter with a question mark may be left out, and int64
// passes all 64 bits as a string.
//
// # Guarantees
//
//   - A call is one command of one script, and atomic. The script holds what is
//     reachable from the function, as it was written; the same texts make the
//     same script, byte by byte.
//   - At start-up are found, with file, line, column and cure: syntax, unknown
//     and assigned globals, unknown and private functions of modules, too many
//     arguments, missing modules, wrong annotations, and whatever of In and Out
//     does not fit the function.
//   - What has no exact form in Lua is an error and is not sent. What comes back
//     is the value that Lua had, or an error; nothing is rounded or cut.
//   - Whatever a function raises is an error reply, a table without a text and
//     runaway recursion too, on which a bare script ends or upsets some servers.
//   - Keys are declared: they go by KEYS, and on a Cluster two slots in one call
//     are refused before anything is sent.
//   - Modules, entries and scripts do not change, and goroutines may share them.
//
// # Not guaranteed
//
//   - There is no rollback: what a function wrote by redis.call before it failed
//     stays written. Validate first, write after. The same holds where its result
//     is not of the declared type.
//   - Lua's own conversions lose digits: `..`, tostring and cjson.encode print 14
//     of them on real servers, all on the embedded one. Write integers above that
//     by string.format("%.0f", n), or pass them as int64.
//   - What a function reads of KEYS and ARGV, and keys that it makes itself, are
//     not checked. A key that goes along as an ordinary argument is not declared.
//   - A line that called by `return f(x)` is not in the traceback, and recursion
//     on one line shows once: Lua keeps no more. The words of Lua's own messages
//     differ between servers, as do those of unknown commands; codes do not.
//   - The embedded server has no bit, struct, cmsgpack; its stack is smaller.
//   - Functions that code hides from a reader (loadstring, _G) are not seen by the
//     checks.
//
// # Errors
//
// [*Error] is a function that failed, or a server that refused the script;
// [Findings] and [Finding] are what is wrong with a text; all others are about the
// types at hand, and say so. Those of a lost connection are package pipectx's.
//
// # Compatibility
//
// Redis 6.2 to 8, Valkey 8 and 9, and miniredis. Scripts may change between
// versions of this package; functions and their wire format do not.
package lua
