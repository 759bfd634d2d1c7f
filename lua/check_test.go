package lua_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/lua"
)

// mistakes are modules that must not start, one a reason. Each is the file m of
// a folder with a module other beside it.
var mistakes = []struct {
	reason string
	text   string
}{
	{"syntax", "local M = {}\nfunction M.f()\n  if x the\n  end\nend\nreturn M"},
	{"a block that is not closed", "local M = {}\nfunction M.f()\n  while true do\nend\nreturn M"},
	{"no return", "local M = {}\nfunction M.f() end"},
	{"an unknown global, close to a known one", "local M = {}\nfunction M.f() return rdis.call('PING') end\nreturn M"},
	{"an unknown global, close to a parameter", "local M = {}\nfunction M.f(amount) return amonut end\nreturn M"},
	{"an unknown global, close to nothing", "local M = {}\nfunction M.f() return quux end\nreturn M"},
	{"a local used before it is declared", "local M = {}\nfunction M.f() return helper() end\nlocal function helper() end\nreturn M"},
	{"a global written", "local M = {}\nfunction M.f(x)\n\tcount = x\nend\nreturn M"},
	{"a global function", "local M = {}\nfunction helper() end\nreturn M"},
	{"a field of a global written", "local M = {}\nfunction string.trim(s) return s end\nreturn M"},
	{"what only some servers have", "local M = {}\nfunction M.f() print(os.time()) end\nreturn M"},
	{"what changes the server for others", "local M = {}\ncjson.encode_sparse_array(true)\nfunction M.f() redis.setresp(3) end\nreturn M"},
	{"the module by its name", "local M = {}\nfunction M.f() return m.f() end\nreturn M"},
	{"a required module by its name", "local M = {}\nlocal o = require 'other'\nfunction M.f() return other.a() end\nreturn M"},
	{"an unknown function of its own", "local M = {}\nfunction M.account() end\nfunction M.f() M.acount() end\nreturn M"},
	{"an unknown function of another module", "local M = {}\nlocal other = require 'other'\nfunction M.f()\n  return other.rejekt(1)\nend\nreturn M"},
	{"an unknown method", "local M = {}\nlocal other = require 'other'\nfunction M.f() return other:rejekt() end\nreturn M"},
	{"a private function of another module", "local M = {}\nlocal other = require 'other'\nfunction M.f() return other._hidden() end\nreturn M"},
	{"too many arguments to another module", "local M = {}\nlocal other = require 'other'\nfunction M.f() return other.reject(1, 2, 3) end\nreturn M"},
	{"too many arguments to a method", "local M = {}\nfunction M:g(a) end\nfunction M.f() M:g(1, 2) M.g(M, 1) end\nreturn M"},
	{"too many arguments to a local function", "local M = {}\nlocal function g() end\nfunction M.f() g(1) end\nreturn M"},
	{"a function defined twice", "local M = {}\nfunction M.f() end\nM.f = function() end\nreturn M"},
	{"another module changed", "local M = {}\nlocal other = require 'other'\nfunction other.extra() end\nreturn M"},
	{"a module's name assigned to", "local M = {}\nlocal other = require 'other'\nfunction M.f() other = nil end\nreturn M"},
	{"a module that is not there", "local M = {}\nlocal audit = require 'othr'\nreturn M"},
	{"a module under no name", "local M = {}\nlocal audit = require '../audit'\nlocal s = require 'string'\nreturn M"},
	{"require in the middle", "local M = {}\nfunction M.f() return require('other').a() end\nreturn M"},
	{"arguments of the module", "local M = {}\nlocal n = ...\nreturn M"},
	{"the compiler's name", "local M = {}\nlocal __ = 1\nfunction M.f(__p) local __d end\nreturn M"},
	{"an error code that is not one word", "local M = {}\nfunction M.f(a) if a then fail('not enough', 'have 7') end fail() end\nreturn M"},
	{"an annotation of no parameter", "local M = {}\n--- @arg amonut int\nfunction M.f(amount) end\nreturn M"},
	{"an annotation of no parameter, close to none", "local M = {}\n--- @arg why string\nfunction M.f(amount) end\nreturn M"},
	{"an annotation without a name", "local M = {}\n--- @arg\nfunction M.f(amount) end\nreturn M"},
	{"an annotation without a type", "local M = {}\n--- @arg amount\nfunction M.f(amount) end\nreturn M"},
	{"an annotation of an unknown type", "local M = {}\n--- @arg amount integr\n--- @return money\nfunction M.f(amount) end\nreturn M"},
	{"a parameter annotated twice", "local M = {}\n--- @key a\n--- @arg a string\nfunction M.f(a) end\nreturn M"},
	{"two results", "local M = {}\n--- @return int\n--- @return int\nfunction M.f() end\nreturn M"},
	{"a misspelt annotation", "local M = {}\n--- @args amount int\n--- @see nothing\nfunction M.f(amount) end\nreturn M"},
	{"a key that is written out", "local M = {}\nfunction M.f() return redis.call('GET', 'total') end\nreturn M"},
	{"a key that is put together", "local M = {}\nlocal call = redis.call\nfunction M.f(id)\n  local key = 'user:' .. id\n  call('HSET', key, 'a', 1)\n  redis.pcall('MSET', id, 1, string.format('%s:x', id), 2)\nend\nreturn M"},
	{"keys behind a count", "local M = {}\nlocal r = redis\nfunction M.f(a) return r.call('ZUNION', 2, a, 'b') end\nreturn M"},
	{"a script in a script", "local M = {}\nfunction M.f(a) return redis.call('EVALSHA', a, 0) end\nreturn M"},
	{"a local of the module assigned to in a function", "local M = {}\nlocal count = 0\nfunction M.f() count = count + 1 return count end\nreturn M"},
	{"a table of the module filled by table.insert", "local M = {}\nlocal list = {by = {}}\nfunction M.f(k) table.insert(list, k) end\nfunction M.g(k) rawset(list.by, k, 1) end\nreturn M"},
	{"a table of the module filled in a function", "local M = {}\nlocal cache = {}\nfunction M.f(k) cache[k] = redis.call('GET', k) M.last = k end\nreturn M"},
	{"digits that get lost", "local M = {}\n--- @arg n int\n--- @arg at time\nfunction M.f(n, at) return 'n' .. n, tostring(at) end\nreturn M"},
	{"code behind an error", "local M = {}\nfunction M.f()\n  error('x')\n  return 1\nend\nreturn M"},
	{"code behind branches that all leave", "local M = {}\nfunction M.f(x)\n  if x then return 1 elseif x == nil then fail('X') else do return 2 end end\n  return 3\nend\nreturn M"},
	{"code behind an endless loop", "local M = {}\nfunction M.f()\n  while true do for i = 1, 2 do break end end\n  return 3\nend\nreturn M"},
	{"code whose condition never holds", "local M = {}\nfunction M.f(x)\n  if false then x = 1 end\n  while nil do x = 2 end\n  return x\nend\nreturn M"},
	{"too many upvalues", "local M = {}\nlocal " + strings.Join(sixtyOne, ", ") + "\nfunction M.f() return " + strings.Join(sixtyOne, ", ") + " end\nreturn M"},
	{"several findings, in the order of the text", "local M = {}\nlocal other = require 'other'\nfunction M.f()\n  x = other.b(y, quux)\n  return other.reject(1, 2, zzz)\nend\nreturn M"},
	{"tabs and letters of several bytes before the place", "local M = {}\nfunction M.f()\n\tlocal s = 'äöü' .. undefined\nend\nreturn M"},
}

// sixtyOne are more names than a function may have upvalues.
var sixtyOne = func() (names []string) {
	for i := range 61 {
		names = append(names, fmt.Sprintf("x%d", i))
	}
	return names
}()

// unlikeModules are texts that are no modules, and that would be script files if
// they were not given as a Source.
var unlikeModules = []struct {
	reason string
	text   string
}{
	{"no module at all", "return redis.call('PING')"},
	{"a table that does not begin empty", "local M = {limit = 5}\nreturn M"},
	{"a table that is replaced", "local M = {}\nM = setmetatable(M, {})\nreturn M"},
}

const otherModule = `local M = {}
function M.a() end
function M.reject(why, amount) end
function M._hidden() end
return M`

// Ensure that what can be known to go wrong is known at start-up, with the
// place, the line, and the cure. The golden file is what users read.
func TestFindings(t *testing.T) {
	var all strings.Builder
	check := func(reason, text string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: it was taken:\n%s", reason, text)
			return
		}
		finding, ok := errors.AsType[lua.Finding](err)
		if !ok || finding.File != "m.lua" || finding.Line < 1 || finding.Column < 1 {
			t.Errorf("%s: the error has no place: %#v", reason, err)
		}
		fmt.Fprintf(&all, "-- %s\n%v\n\n", reason, err)
	}
	for _, m := range mistakes {
		_, err := lua.LoadFS(files("m", m.text, "other", otherModule), "m")
		check(m.reason, m.text, err)
	}
	for _, m := range unlikeModules {
		_, err := lua.TryModule("m", lua.Source("m.lua", m.text))
		check(m.reason, m.text, err)
	}
	golden.Equal(t, "testdata/findings.txt", all.String())
}

// What is fine must pass: a check that cries wolf is switched off.
func TestNoFindings(t *testing.T) {
	tests := []struct{ reason, text string }{
		{"fewer arguments than parameters are nil", "function M.g(a, b) end function M.f() M.g() M.g(1) end"},
		{"a call as the last argument may give nothing", "function M.g(a) end function M.f() M.g(1, M.g()) end"},
		{"a vararg function takes any number", "function M.g(...) end function M.f(...) M.g(1, 2, ...) end"},
		{"a function that is assigned may be another one", "function M.g() end M.h = M.g\nlocal k = M.g\nif KEYS[1] then k = redis.call end function M.f() M.h() k(1) end"},
		{"a local with a module's name", "function M.f(other) return other.anything, other:anything() end"},
		{"a value of the module", "M.limit = 5 function M.f() return M.limit end"},
		{"functions stored under computed names", "local n = 'g' M[n] = function() end function M.f() return M.g() end"},
		{"a module with a metatable", "setmetatable(M, {__index = function() end}) function M.f() return M.g() end"},
		{"KEYS and ARGV belong to the script", "function M.f() KEYS[1], ARGV.n = nil, 1 return #KEYS end"},
		{"a shadowed global", "local print = redis.log function M.f() print(redis.LOG_DEBUG, 'x') end"},
		{"fail with a computed code", "function M.f(c) if c == 'a' then fail(c, 'm') elseif c then fail('X' .. c) end fail('CODE') end"},
		{"fail of one's own", "local function fail(a, b, c) return a end function M.f() return fail('not a code', 2, 3) end"},
		{"comments of tools", "--- Text.\n--- @see this\n--- @field x\n--- 100% sure\n--- @return int how many\nfunction M.f() end"},
		{"keys that were passed", "function M.f(a, t) redis.call('MSET', a, 'b', t[1], 'c') redis.call('DEL', unpack(KEYS)) redis.call('SET', a, 'x' .. a) end"},
		{"a key chosen among those passed", "function M.f(a, b) local k = a or b return redis.call('GET', k), redis.call('GET', a == '' and b or a) end"},
		{"keys of a function that says so", "\n--- Text.\n--- @undeclared\nfunction M.f(id) local function g() return redis.call('GET', 'x' .. id) end return g() end"},
		{"commands without keys", "function M.f() return redis.call('TIME'), redis.call('PUBLISH', 'channel', 'x'), redis.call('PING') end"},
		{"a local that is assigned may be any key", "function M.f(a) local k = 'x' k = a return redis.call('GET', k) end"},
		{"state of the function's own, by table.insert", "local order = {'b', 'a'} table.sort(order) function M.f(x) local t = {} table.insert(t, order[1]) table.sort(t) rawset(x, 1, order) return t end"},
		{"state of the function's own", "function M.f() local n, t = 0, {} for i = 1, 3 do n = n + i t[i] = n end return n end"},
		{"a local declared first and filled at the top", "local f, t = nil, {} f = function() end t.f = f function M.g() return f, t end"},
		{"digits of what may be large, written whole", "--- @arg n int\n--- @arg s string\n--- @arg e int64\nfunction M.f(n, s, e) return s .. string.format('%.0f', n) .. e .. tostring(s) end"},
		{"a parameter that is assigned", "--- @arg n int\nfunction M.f(n) n = string.format('%d', n) return 'n' .. n end"},
		{"a name that shadows one", "--- @arg n int\nfunction M.f(n) local function g(n) return 'n' .. n end return g('x') .. string.format('%d', n) end"},
		{"ends that are reached", "function M.f(x) while true do if x then break end end if x then return 1 end repeat return 2 until x end"},
		{"an error of one's own", "local function error(...) end function M.f() error('x') return 1 end"},
		{"an annotation with words behind it", "--- @arg a int? how many, nil for all\nfunction M.f(a) end"},
	}
	for _, test := range tests {
		if _, err := lua.TryModule("m", lua.Source("m.lua", moduleText(test.text))); err != nil {
			t.Errorf("%s: %v", test.reason, err)
		}
	}
	if _, err := lua.TryModule("m", lua.Source("m.lua", "\ufeff"+moduleText(""))); err != nil {
		t.Errorf("a byte order mark: %v", err)
	}
}

// A function that a library of the servers does not have is found at start-up,
// with the one that was meant; members that all have, and those of tables that
// not all servers have, pass.
func TestFindingsInLibraries(t *testing.T) {
	for call, says := range map[string]string{
		`string.fromat("%d", 1)`: `string has no "fromat"; did you mean format?`,
		`redis.cal("PING")`:      `redis has no "cal"; did you mean call?`,
		`math.quux`:              "math has no \"quux\"; it has abs, acos, ",
		`cjson.encoed({})`:       `cjson has no "encoed"; did you mean encode?`,
		`string.format("%d", 1)`: "",
		`math.huge`:              "",
		`cmsgpack.pack(1)`:       "",
		`redis.LOG_WARNING`:      "",
	} {
		_, err := lua.TryModule("M", lua.Func("f", "", "return "+call))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", call, err, says)
		}
	}
}
