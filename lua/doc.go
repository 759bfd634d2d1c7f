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
// names begin with _ are private. fail(code, message) refuses. NOW is the server's
// time in seconds, read once a call where it is used. time.now() is the same in
// microseconds, as times cross; time.second, time.minute, time.hour and time.day are so
// many, and time.midnight(at) is when the UTC day of a time began.
//
// # Script files
//
// A file that is no module is a script: it is run as it stands. Directives name
// its keys and arguments, which are locals then. They stand on lines of their own,
// bare or in comments, which other tools of Lua's pass over:
//
//	-- report.lua
//	%include "lib/words"           --- @include "lib/words"
//	%key item                      --- @key item
//	%arg n int = 5                 --- @arg n int = 5
//	%return string                 --- @return string
//	%pragma once                   --- @pragma once
//	local total = redis.call("INCRBY", item, n)
//	return words(total)
//
// An include is inlined in place, with a path relative to its file, and never from
// outside the file system; its keys and arguments count on. A bare one comes each
// time it is named, unless it says %pragma once; one in a comment comes once. In
// Go the script is a module with the function main:
//
//	var Report = lua.Bind[ReportArgs, string](lua.Must(lua.LoadFS(sources, "report")), "main")
//	text, err := Report.On(db).Call(ctx, ReportArgs{"item{7}", 2}).Result()
//
// CALL.folder.name(keys, args), from any text, calls another script by the path of
// its file, and CALL.name(keys, args) the one beside it, with a KEYS and an ARGV
// of its own; values keep their types. [Args] passes values by name, [Run] calls a
// text once, [BoundEntry.Raw] passes plain KEYS and ARGV. [LoadAllFS] reads a tree,
// a [Cache] reads each file once.
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
//	time.Time                 number, µs since 1970            the same; in UTC; what is less than a µs is cut off
//	text marshalers, uuid     string                           string
//	*T, field.Optional[T]     nil where absent                 nil, or a missing value of redis.call
//	[]T of the scalars above  table, by way of JSON            table of its elements, none of them nil
//	struct with lua tags      its fields are parameters        table with these fields
//	other structs, maps,      table, by way of JSON            table, string, number, boolean or nil, by way of JSON;
//	  slices, any, json types                                    a struct where annotated @return json
//	struct{}                  no arguments                     anything; it is not sent
//
// NaN and infinities are refused. A result that is not of its type fails with the
// code TYPE.
//
// # Free form
//
// What goes by way of JSON is exact or refused:
//
//   - An integer beyond 2^53 is refused both ways. As a string it crosses whole:
//     `json:",string"`.
//   - null is nil, so a table has no entry for it: a list with null in the middle
//     is one with a hole, and cannot come back.
//   - Lua has one empty table. It is an empty list where Go's type is a list there,
//     else an empty map; in an any it is a map.
//   - A list with holes, a table that is list and map in one, keys that are neither
//     strings nor 1 to n, functions, and more than 100 levels have no JSON: TYPE.
//
// # Annotations
//
// Comments directly above a function may say the types of its parameters and of
// its result; [Signature] tells how. They are checked against the Go types, and
// decide two things: a parameter with a question mark or a default may be left out,
// and int64 passes all 64 bits as a string. @readonly, @idempotent and @undeclared
// say how a function may be called.
//
// # Guarantees
//
//   - A call is one command of one script, and atomic. The script holds what is
//     reachable from the function, as it was written; the same texts make the
//     same script, byte by byte.
//   - At start-up are found, with file, line, column and cure: syntax and Lua's
//     limits, unknown and assigned globals, unknown and private functions of modules,
//     too many arguments, missing modules, includes that are missing, circular or
//     outside of the root, wrong annotations, keys that a text makes itself, KEYS
//     beyond those declared, state that a module would keep from call to call, code
//     that is never reached, `..` and tostring of what is annotated int, and whatever
//     of In and Out does not fit the function.
//   - What has no exact form in Lua is an error and is not sent. What comes back
//     is the value that Lua had, or an error; nothing is rounded or cut.
//   - Whatever a function raises is an error reply, a table without a text and
//     runaway recursion too, on which a bare script ends or upsets some servers.
//   - Keys are declared: they go by KEYS, and on a Cluster two slots in one call
//     are refused before anything is sent. A function that makes keys itself is
//     annotated @undeclared, and refused on a Cluster. [Strict] has servers check too.
//   - A call whose answer was lost is sent again only where its function is
//     annotated @readonly or @idempotent, or by pipectx.Resend.
//   - Modules, entries and scripts do not change, and goroutines may share them.
//
// # Not guaranteed
//
//   - There is no rollback: what a function wrote by redis.call before it failed
//     stays written, and [Error] says so: Partial. Validate first, write after. The
//     same holds where its result is not of the declared type.
//   - Lua's own conversions lose digits: `..`, tostring and cjson.encode print 14
//     of them on real servers, all on the embedded one. Write integers above that
//     by string.format("%.0f", n), or pass them as int64.
//   - What a module's function reads of KEYS and ARGV is not checked. A key that goes
//     along as an ordinary argument is not declared, and keys that a text makes by
//     detours are not seen.
//   - A line that called by `return f(x)` is not in the traceback, and recursion
//     on one line shows once: Lua keeps no more. The words of Lua's own messages
//     differ between servers, as do those of unknown commands; codes do not.
//   - The embedded server has no bit, struct, cmsgpack; its stack is smaller. It knows
//     no [Strict]. @readonly needs Redis 7 or Valkey.
//   - Read-only calls go to masters, as all commands of package pipectx do.
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
