package model_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

type Desk struct {
	ID    int64  `redis:"id,key"`
	Owner string `redis:"owner"`
	N     int64  `redis:"n"`
}

type deskArgs struct {
	To  model.Key[Desk, int64]   `lua:"to"`
	All []model.Key[Desk, int64] `lua:"all"`
	Log string                   `lua:"log,key"`
	Tag string                   `lua:"tag"`
}

var (
	deskPlace = keyspace.OneSlot("desks")
	papers    = keyspace.NewList[int64, string]("papers", deskPlace)
)

// deskMethod types a function f of a module that begins with some functions.
func deskMethod(functions string) error {
	lib := methods("lib", `
function M.put(key, x) redis.call("RPUSH", key, x) end
function M.keyOf(record) return record.key end
function M.walk(record) for name in pairs(record) do redis.log(redis.LOG_DEBUG, name) end end`)
	text := "local M = {}\nlocal lib = require 'lib'\n" + functions + "\nreturn M"
	mod, err := lua.TryModule("m", lua.Import(lib), lua.Source("m.lua", text))
	if err != nil {
		return err
	}
	m, err := model.TryDefine[Desk, int64]("desk", deskPlace, model.Lua(mod), model.With("papers", papers))
	if err != nil {
		return err
	}
	_, err = model.TryMethod[deskArgs, any](m, "f")
	return err
}

// A key that a method hands to redis.call is one that goes along declared, and that is
// seen at start-up: no other passes.
func TestMethodKeys(t *testing.T) {
	const head = "function M.f(self, to, all, log, tag)\n"
	for _, c := range []struct{ reason, text, says string }{
		{"a field", head + `redis.call("SET", self.owner, 1) end`, `m.lua:4:19: the key of SET is what the field "owner" holds; use a record's key, a keyspace by model.With`},
		{"a field of another record", head + `redis.call("SET", to.owner, 1) end`, `the key of SET is what the field "owner" holds`},
		{"what a method of the key makes", head + `redis.call("SET", self.key:sub(1), 1) end`, "m.lua:4:19: the key of SET is not seen to be declared"},
		{"a text of a number", head + `redis.call("SET", tostring(self.n), 1) end`, "is not seen to be declared"},
		{"an argument that is no key", head + `redis.call("SET", tag, 1) end`, "is not seen to be declared"},
		{"KEYS beyond those that are given", head + `redis.call("SET", KEYS[7], 1) end`, "the key of SET is not declared: the function is called with 3 keys"},
		{"an element of a table that is not known", head + `local t = cjson.decode(tag) redis.call("SET", t[1], 1) end`, "is not seen to be declared"},
		{"an element of a list of others", head + `local t = {self.key, tag} redis.call("SET", t[1], 1) end`, "is not seen to be declared"},
		{"a list that gets another", head + `local t = {self.key} t[2] = tag redis.call("DEL", unpack(t)) end`, "is among what is not seen to be declared keys alone"},
		{"a list that gets another by table.insert", head + `local t = {self.key} table.insert(t, tag) redis.call("DEL", t[1]) end`, "is not seen to be declared"},
		{"a list that gets another elsewhere", "local function fill(t, x) t[#t + 1] = x end\n" + head + `local t = {self.key} fill(t, tag) redis.call("DEL", t[1]) end`, "is not seen to be declared"},
		{"a list that gets another by its other name", head + `local t = {self.key} local s = t s[1] = tag redis.call("DEL", t[1]) end`, "is not seen to be declared"},
		{"a list that goes somewhere", head + `local t = {self.key} setmetatable(t, {}) redis.call("DEL", t[1]) end`, "is not seen to be declared"},
		{"what a function makes", "local function k() return 'x' end\n" + head + `redis.call("SET", k(), 1) end`, "is not seen to be declared"},
		{"what a function makes in one of two ways", "local function k(r) if r then return r.key end return 'x' end\n" + head + `redis.call("SET", k(self), 1) end`, "is not seen to be declared"},
		{"what Redis answers", head + `redis.call("SET", redis.call("GET", self.papers), 1) end`, "m.lua:4:19: the key of SET is not seen to be declared"},
		{"a second key", head + `redis.call("MSET", self.key, 1, tag, 2) end`, "the key of MSET is not seen to be declared"},
		{"keys among many values", head + `redis.call("MSET", self.key, unpack({1, tag})) end`, "the key of MSET is among what is not seen"},
		{"keys behind a computed number", head + `redis.call("ZUNIONSTORE", self.papers, #all, self.key, tag) end`, "m.lua:4:56: the key of ZUNIONSTORE is not seen to be declared"},
		{"a record for its key", head + `redis.call("DEL", self) end`, "the key of DEL is a record, and not the key of one"},
		{"a computed command", head + `redis.call(tag, self.key) end`, "m.lua:4:12: which command this is cannot be known"},
		{"redis.call as a value", head + `local calls = {redis.call} calls[1]("SET", tag, 1) end`, "m.lua:4:16: which keys this is called with cannot be known"},
		{"a key by pcall", head + `pcall(redis.call, "SET", tag, 1) end`, "the key of SET is not seen to be declared"},
		{"in a function of another module", head + `lib.put(tag, 1) end`, `lib.lua:3:44: the key of RPUSH is not seen to be declared`},
		{"in a function that others call too", head + `lib.put(self.papers, 1) lib.put(tag, 1) end`, `lib.lua:3:44: the key of RPUSH`},
		{"in a function that goes somewhere", head + `local put = {lib.put} put[1](self.papers, 1) end`, `lib.lua:3:44: the key of RPUSH`},
		{"in functions that call each other", "local g\nlocal function h(k, n) if n > 0 then g(k, n - 1) else g(n, 0) end end\nfunction g(k, n) redis.call('DEL', k) h(k, n) end\n" + head + `g(self.key, 5) end`, "m.lua:5:36: the key of DEL is not seen to be declared"},
		{"in a function within", head + `local function g() redis.call("DEL", tag) end g() end`, "is not seen to be declared"},
		{"by a name that changes", head + `local k = self.key k = tag redis.call("DEL", k) end`, "is not seen to be declared"},
		{"by one name for several", head + `local k, l = lib.keyOf(self), tag k, l = l, k redis.call("DEL", k) end`, "is not seen to be declared"},
		{"by a parameter that is assigned", head + `log = log .. "x" redis.call("DEL", log) end`, "is not seen to be declared"},
		{"in a loop over others", head + `for _, k in ipairs({tag}) do redis.call("DEL", k) end end`, "is not seen to be declared"},
		{"the name in a loop", head + `for k in pairs(all) do redis.call("DEL", k) end end`, "is not seen to be declared"},
		{"a script in a script", head + `redis.call("EVAL", "return 1", 1, self.key) end`, "m.lua:4:12: EVAL cannot be called from a script"},
		{"in a hook", "function M.before_save(self) redis.call('SET', self.owner, 1) end\n" + head + "end", `m.lua:3:48: the key of SET is what the field "owner" holds`},
		{"in what a hook calls", "function M.note(k) redis.call('SET', k, 1) end\nfunction M:after_save() M.note(self.owner) end\n" + head + "end", "m.lua:3:38: the key of SET is not seen to be declared"},
	} {
		t.Run(c.reason, func(t *testing.T) { says(t, "Method", deskMethod(c.text), c.says) })
	}
}

// What can be proved to be declared passes, whichever way it goes; and what says that
// it makes keys itself.
func TestMethodKeysThatAreDeclared(t *testing.T) {
	const head = "function M.f(self, to, all, log, tag)\n"
	for reason, text := range map[string]string{
		"the key":                        head + `redis.call("EXPIRE", self.key, 5) redis.call("DEL", to["key"]) end`,
		"a keyspace":                     head + `redis.call("RPUSH", self.papers, self.owner) redis.call("DEL", to.papers) end`,
		"an argument that is a key":      head + `redis.call("SET", log, tag) end`,
		"KEYS":                           head + `redis.call("GET", KEYS[1]) for _, k in ipairs(KEYS) do redis.call("TYPE", k) end end`,
		"all KEYS":                       head + `redis.call("DEL", unpack(KEYS)) end`,
		"one of two":                     head + `local k = tag == "" and self.key or to.key redis.call("DEL", k) end`,
		"by a name given later":          head + `local k if tag == "" then k = self.key else k = log end redis.call("DEL", k) end`,
		"by names for both":              head + `local call, key = redis.call, self.key call("DEL", key) end`,
		"by another name of the record":  head + `local me = self redis.call("DEL", me.key) end`,
		"by pcall":                       head + `pcall(redis.call, "DEL", self.key) end`,
		"in a local function":            "local function put(r, x) redis.call('RPUSH', r.papers, x) end\n" + head + `put(self, 1) put(to, 2) pcall(put, self, 3) end`,
		"in a function that is a value":  "local put = function(k) redis.call('DEL', k) end\n" + head + `put(self.key) end`,
		"in a function declared before":  "local put\nput = function(k) redis.call('DEL', k) end\n" + head + `put(self.key) end`,
		"in one of the module":           "function M.put(k) redis.call('DEL', k) end\n" + head + `M.put(self.key) pcall(M.put, log) end`,
		"in a method of the module":      "function M:put(k) redis.call('DEL', k) end\n" + head + `M:put(self.key) M:put(log) end`,
		"in another module":              head + `lib.put(self.papers, 1) lib.put(log, 1) end`,
		"by a function":                  head + `redis.call("DEL", lib.keyOf(self), lib.keyOf(to)) end`,
		"in functions that call another": "local g\nlocal function h(k) return g(k) end\nfunction g(k) redis.call('DEL', k) return h(k) end\n" + head + `g(self.key) end`,
		"in a function within":           head + `local function g() redis.call("DEL", self.key) end pcall(g) pcall(function() redis.call("DEL", log) end) end`,
		"each of a list":                 head + `for _, r in ipairs(all) do redis.call("DEL", r.key) end redis.call("DEL", all[1].key) end`,
		"each of a list of one's own":    head + `for _, r in ipairs({self, to}) do redis.call("DEL", r.key) end end`,
		"a list of keys":                 "local function add(t, k) t[#t + 1] = k end\n" + head + `local t = {} for i, r in ipairs(all) do t[i] = r.key end table.insert(t, 1, log) add(t, self.key) redis.call("DEL", unpack(t)) end`,
		"keys by their names":            head + `local k = {log = log, own = self.key} redis.call("DEL", k.log, k.own) end`,
		"a number of keys":               head + `local t = {self.key, to.key} redis.call("ZUNIONSTORE", self.papers, #t, unpack(t)) end`,
		"a key among values":             head + `redis.call("RPUSH", self.papers, unpack({tag})) redis.call("SET", self.papers, tag .. "x") end`,
		"none":                           head + `redis.call("PUBLISH", "channel", tag) redis.call("TIME") end`,
		"one that says so":               "--- @undeclared\n" + head + `redis.call("SET", self.owner, 1) redis.call(tag, tag) end`,
		"in a function that says so":     "--- @undeclared\nlocal function g(k) redis.call('SET', k, 1) end\n" + head + `g(tag) end`,
		"in a hook":                      "function M.before_save(self) redis.call('RPUSH', self.papers, self.key) end\n" + head + `self.n = 1 end`,
		"in another function":            "function M.g(key) redis.call('SET', key, 1) end\n" + head + `end`,
	} {
		t.Run(reason, func(t *testing.T) { ok(t, "Method", deskMethod(text)) })
	}
}

// A record has no elements: what would find nothing in it, in silence, is refused.
func TestMethodRecordIsNoTable(t *testing.T) {
	const head = "function M.f(self, to, all, log, tag)\n"
	for text, want := range map[string]string{
		"return self":                                    "m.lua:4:8: a record is no result; name the fields that you want, as in {balance = self.balance}",
		"local me = self return me":                      "m.lua:4:24: a record is no result",
		"return {self, to}":                              "a record is no result",
		"for k, v in pairs(self) do return v end":        "m.lua:4:19: a record is no table, and pairs finds nothing in it",
		"return ipairs(to)":                              "ipairs finds nothing in it",
		"return next(self)":                              "next finds nothing in it",
		"return unpack(self)":                            "unpack finds nothing in it",
		"return rawget(self, 'n')":                       "rawget finds nothing in it",
		"rawset(self, 'n', 1)":                           "rawset finds nothing in it",
		"setmetatable(self, {}) self.n = 1":              "m.lua:4:14: a record has a metatable, which is what reads and writes its fields; give a table of your own another one",
		"self.n = setmetatable({}, {__index = self}).n":  "",
		"return cjson.encode(self)":                      "cjson.encode finds nothing in it",
		"table.insert(self, 1)":                          "table.insert finds nothing in it",
		"return #self":                                   "m.lua:4:9: a record is no list, and has no length",
		"for _, r in ipairs(all) do next(r) end":         "next finds nothing in it",
		"lib.walk(self)":                                 "lib.lua:5:43: a record is no table",
		"for _, r in ipairs(all) do r.n = #all end":      "",
		"return {n = self.n, owner = to.owner}":          "",
		"return type(self) == 'table' and self ~= to":    "",
		"local t = {self, to} return #t + t[1].n":        "",
		"local function g(r) return r end g(self).n = 1": "",
	} {
		err := deskMethod(head + text + "\nend")
		if want == "" {
			ok(t, text, err)
		} else {
			says(t, text, err, want)
		}
	}
	says(t, "a hook", deskMethod("function M.before_save(self) for k in pairs(self) do self.owner = k end end\n"+head+"end"), "m.lua:3:45: a record is no table")
}
