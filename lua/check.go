package lua

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// globals are what a script may read: what Redis 6.2 to 8 and Valkey all give
// it, and fail, NOW and time, which the compiler adds.
var globals = wordSet(`redis KEYS ARGV cjson cmsgpack struct bit string table math pcall xpcall error assert type
	tostring tonumber ipairs pairs next select unpack rawget rawset rawequal setmetatable getmetatable
	loadstring coroutine _VERSION fail NOW time`)

// missing are globals that Lua has and Redis has not, or not everywhere, with
// what to do instead.
var missing = map[string]string{
	"print":    "it is not there on Redis 7 and later; use redis.log",
	"os":       `only some servers have it; use redis.call("TIME")`,
	"io":       "scripts have no files",
	"getfenv":  "not every server has it",
	"setfenv":  "not every server has it",
	"newproxy": "not every server has it",
	"dofile":   "scripts have no files",
	"require":  "", // see checkRequires
	"server":   "only Valkey has it; use redis",
}

// harmful are functions whose effect outlives the call, or changes what replies
// mean to us.
var harmful = map[string]string{
	"redis.setresp":                 "results are read as RESP2 replies; leave it as it is",
	"cjson.encode_sparse_array":     "it changes cjson for all scripts of the server; fill the array",
	"cjson.encode_max_depth":        "it changes cjson for all scripts of the server",
	"cjson.decode_max_depth":        "it changes cjson for all scripts of the server",
	"cjson.encode_number_precision": "it changes cjson for all scripts of the server; encode numbers with string.format",
	"cjson.encode_keep_buffer":      "it changes cjson for all scripts of the server",
	"cjson.encode_invalid_numbers":  "it changes cjson for all scripts of the server",
	"cjson.decode_invalid_numbers":  "it changes cjson for all scripts of the server",
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// check finds what can be known to go wrong before a server sees the module.
func (m *Mod) check() (found Findings) {
	for _, u := range m.tree().units {
		of := slices.Concat(u.checkTable(), u.checkRequires(), u.checkGlobals(), u.checkModules(), u.checkCalls(), u.checkScripts(),
			u.checkKeys(), u.checkMarked(), u.checkState(), u.checkDigits(), u.checkFlow())
		slices.SortStableFunc(of, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		found = append(found, of...)
	}
	return found
}

// checkTable finds what takes the module's frame apart.
func (u *unit) checkTable() (found Findings) {
	for _, use := range u.self.Uses {
		if use.Write {
			found = append(found, u.finding(use, fmt.Sprintf("the module's table %s is assigned to", use.Name), "add to it, or use another name"))
		}
	}
	for _, f := range slices.Concat(u.chunk.Functions, []*lua51.Function{u.chunk.Main}) {
		for _, l := range f.Locals {
			if l.Name == "__" || l.Name == "__p" || l.Name == "__d" { // see partial.go
				found = append(found, u.findingAt(l.Pos, fmt.Sprintf("the name %s is the compiler's", l.Name), "rename it"))
			}
		}
	}
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		switch n.(type) {
		case *lua51.Function:
			return false
		case *lua51.Vararg:
			found = append(found, u.finding(n, "a module has no arguments `...`", "take them in a function"))
		}
		return true
	})
	return found
}

// libraries are the members of the tables that all servers have, and of time.
// cmsgpack, struct and bit are left out: the embedded server lacks them.
var libraries = func() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for name, members := range map[string]string{
		"string": "byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper",
		"table":  "concat foreach foreachi getn insert maxn remove setn sort",
		"math": `abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min mod modf pi pow rad
			random randomseed sin sinh sqrt tan tanh`,
		"time":      "now midnight second minute hour day",
		"coroutine": "create resume running status wrap yield",
		"redis": `call pcall log sha1hex error_reply status_reply setresp set_repl replicate_commands breakpoint debug
			acl_check_cmd register_function REDIS_VERSION REDIS_VERSION_NUM REPL_ALL REPL_AOF REPL_SLAVE REPL_REPLICA REPL_NONE
			LOG_DEBUG LOG_VERBOSE LOG_NOTICE LOG_WARNING`,
		"cjson": `encode decode new null encode_sparse_array encode_max_depth decode_max_depth encode_number_precision
			encode_keep_buffer encode_invalid_numbers decode_invalid_numbers _NAME _VERSION`,
	} {
		all[name] = wordSet(members)
	}
	return all
}()

func (u *unit) checkGlobals() (found Findings) {
	for _, use := range u.chunk.Globals {
		path := use.Path()
		fault := func(message, cure string) { found = append(found, u.finding(use, message, cure)) }
		switch cure, absent := missing[use.Name]; {
		case use.Write:
			fault(fmt.Sprintf("assignment to the global %q", use.Name), "Redis refuses it; make it a local")
		case u.target(use) != nil: // see checkModules
		case use.Name == "require", use.Name == "CALL": // see checkRequires, checkScripts
		case absent:
			fault(use.Name+" must not be used", cure)
		case !globals[use.Name]:
			fault(fmt.Sprintf("unknown global %q", use.Name), u.knownAs(use))
		case use.Store && use.Name != "KEYS" && use.Name != "ARGV":
			fault(fmt.Sprintf("assignment to a field of the global %q", use.Name), "Redis refuses it; make it a local")
		case len(path) > 0 && harmful[use.Name+"."+path[0]] != "":
			fault(fmt.Sprintf("%s.%s must not be used", use.Name, path[0]), harmful[use.Name+"."+path[0]])
		case len(path) > 0 && libraries[use.Name] != nil && !libraries[use.Name][path[0]]:
			found = append(found, u.findingAt(use.Fields()[0].Key.Pos(), fmt.Sprintf("%s has no %q", use.Name, path[0]),
				oneOf(path[0], slices.Sorted(maps.Keys(libraries[use.Name])))))
		}
	}
	return found
}

// knownAs tells what an unknown name may mean.
func (u *unit) knownAs(use *lua51.Name) string {
	if !u.isFunc && u.mod.imported(use.Name) != nil {
		if use.Name == u.mod.name {
			return fmt.Sprintf("the module is called %s here", u.self.Name)
		}
		return fmt.Sprintf("write `local %[1]s = require \"%[1]s\"` at the top", use.Name)
	}
	var names []string
	for name := range globals {
		names = append(names, name)
	}
	for _, mod := range u.mod.imports {
		names = append(names, mod.name)
	}
	for f := use.Func; f != nil; f = f.Parent {
		for _, l := range f.Locals {
			if l.Name == use.Name {
				_, line := u.place(l.Pos.Line)
				return fmt.Sprintf("the local of line %d is not in sight here; declare it above, outside of blocks", line)
			}
			names = append(names, l.Name)
		}
	}
	return cmp.Or(didYouMean(use.Name, names), "declare it as a local, or pass it as an argument")
}

// uses are all uses of names that may mean a module.
func (u *unit) uses() []*lua51.Name {
	uses := slices.Concat(u.chunk.Globals, u.self.Uses)
	for _, r := range u.requires {
		uses = append(uses, r.local.Uses...)
	}
	return uses
}

// checkModules checks the uses of modules: M.f, audit.f, audit:f().
func (u *unit) checkModules() (found Findings) {
	for _, use := range u.uses() {
		mod := u.target(use)
		if mod == nil || use.Write {
			continue
		}
		name, at, ok := memberOf(use)
		switch {
		case use.Store && mod != u.mod:
			found = append(found, u.finding(use, fmt.Sprintf("module %s is changed from outside", mod.name), "only its own text may add to it"))
		case use.Store, !ok:
		case mod.tree().export(name) == nil && !mod.maySet(name):
			found = append(found, u.finding(at, fmt.Sprintf("module %s has no function %q", mod.name, name), oneOf(name, mod.visible(u.mod))))
		case mod != u.mod && name[0] == '_':
			found = append(found, u.finding(at, fmt.Sprintf("%s.%s is private to its module", mod.name, name), "drop the _ from its name"))
		}
	}
	return found
}

// memberOf is the field of a module that a use means: f of M.f and of M:f().
func memberOf(use *lua51.Name) (name string, at lua51.Node, ok bool) {
	if fields := use.Fields(); len(fields) > 0 {
		return use.Path()[0], fields[0].Key, true
	}
	if call, isMethod := use.Suffix.(*lua51.MethodCall); isMethod {
		return call.Name.Value, call.Name, true
	}
	return "", nil, false
}

// visible are the functions that another module, or m itself, may name.
func (m *Mod) visible(from *Mod) []string {
	if from != m {
		return m.Functions()
	}
	var names []string
	for _, f := range m.tree().exports {
		names = append(names, f.name)
	}
	return names
}

// maySet tells whether the module may hold something under a name that is no
// function of a known text: `M.limit = 5`, `M[name] = f`, `setmetatable(M, …)`.
func (m *Mod) maySet(name string) bool {
	return m.stores(name) > 0 || slices.ContainsFunc(m.tree().units, func(u *unit) bool {
		return slices.ContainsFunc(u.self.Uses, func(use *lua51.Name) bool {
			_, isCall := use.Suffix.(*lua51.MethodCall)
			escapes := use.Func == u.chunk.Main && use.Escapes() && !isCall && !u.isReturned(use)
			return escapes || use.Store && len(use.Path()) == 0
		})
	})
}

// isReturned tells whether use is that of the last line, `return M`.
func (u *unit) isReturned(use *lua51.Name) bool {
	ret := u.top[len(u.top)-1].Stat
	return use.Pos().Offset >= ret.Pos().Offset
}

// stores counts the assignments to a field of the module's table.
func (m *Mod) stores(name string) (n int) {
	for _, u := range m.tree().units {
		for _, use := range u.self.Uses {
			if path := use.Path(); use.Store && len(path) > 0 && path[0] == name {
				n++
			}
		}
	}
	return n
}

// checkCalls counts the arguments of calls whose function is known.
func (u *unit) checkCalls() (found Findings) {
	tooMany := func(at lua51.Node, title string, def *lua51.Function, hidden, n int, multi bool, defined string) {
		most := len(def.Params) - hidden
		if def.Vararg || n <= most || n == most+1 && multi {
			return
		}
		found = append(found, u.finding(at, fmt.Sprintf("%s takes %s, here are %d", title, count(most, "argument"), n), "it is defined at "+defined))
	}
	known := func(root *lua51.Name, path ...string) *function {
		if mod := u.target(root); mod != nil && len(path) == 1 && mod.stores(path[0]) == 1 {
			return mod.tree().export(path[0])
		}
		return nil
	}
	for _, call := range u.chunk.Calls {
		root, path := call.Callee()
		if root == nil {
			continue
		}
		if f := known(root, path[1:]...); f != nil {
			tooMany(call, f.title(), f.def, 0, len(call.Args), call.Multi(), f.at(f.def.Pos()))
			continue
		}
		if l := root.Local; l != nil && len(path) == 1 && !l.Assigned() {
			if def, ok := l.Init.(*lua51.Function); ok {
				tooMany(call, l.Name, def, 0, len(call.Args), call.Multi(), (&function{unit: u}).at(def.Pos()))
			}
			continue
		}
		if root.Local == nil && root.Name == "fail" && len(path) == 1 {
			found = append(found, u.checkFail(call)...)
		}
	}
	for _, call := range u.chunk.MethodCalls {
		if root, ok := call.X.(*lua51.Name); ok {
			if f := known(root, call.Name.Value); f != nil {
				tooMany(call, f.unit.mod.name+":"+f.name, f.def, 1, len(call.Args), call.Multi(), f.at(f.def.Pos()))
			}
		}
	}
	return found
}

// checkFail checks fail(code, message): the code is the error's first word.
func (u *unit) checkFail(call *lua51.Call) Findings {
	const cure = `write fail("CODE", "message")`
	if n := len(call.Args); n == 0 || n > 2 && !call.Multi() {
		return Findings{u.finding(call, "fail takes a code and a message", cure)}
	}
	if code, ok := call.Args[0].(*lua51.String); ok && len(strings.Fields(code.Value)) != 1 {
		return Findings{u.finding(code, fmt.Sprintf("the code %q is not one word", code.Value), cure)}
	}
	return nil
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
