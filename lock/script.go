package lock

import (
	"embed"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// luaFiles are the scripts of the verbs, one a file, and what they share.
//
//go:embed *.lua
var luaFiles embed.FS

var stateModule = module("redmoon_lock", "state.lua")

// Numbers go to redis.call as they are: microseconds have 16 digits, and the servers
// write 17.
var (
	takeScript    = script("take")
	giveScript    = script("give")
	acquireScript = script("acquire")
	extendScript  = script("extend")
	releaseScript = script("release")
	windowScript  = script("window")
	bucketScript  = script("bucket")
)

func module(name, file string, imports ...*lua.Mod) *lua.Mod {
	text, err := luaFiles.ReadFile(file)
	if err != nil {
		panic(err)
	}
	parts := []lua.Part{lua.Source(file, string(text))}
	for _, mod := range imports {
		parts = append(parts, lua.Import(mod))
	}
	return lua.Must(lua.TryModule(name, parts...))
}

// script compiles a verb's file with what it uses of the shared module.
func script(verb string) *lua.Script {
	return lua.Must(lua.Link(module(verb, verb+".lua", stateModule), verb, "lock."+verb))
}

// An answer is what acquire.lua returns.
type answer struct {
	held   int   // locks
	now    int64 // the server's time, µs
	fence  int64 // if all are held
	rest   int64 // else the µs after which the first that is not may be free
	before int64 // and how many wait before this one
}

// elsewhere is what the scripts for most calls answer to all others.
const elsewhere = -1

func readAnswer(r pipectx.Reply) (a answer, err error) {
	if r.IsNil() { // take.lua leaves it to acquire.lua
		return answer{held: elsewhere}, nil
	}
	n, err := integers(r)
	if err != nil {
		return a, err
	}
	return answer{held: int(n[0]), now: n[1], fence: n[2], rest: n[2], before: n[3]}, nil
}

// integers reads a reply of four integers.
func integers(r pipectx.Reply) (n [4]int64, err error) {
	items, err := r.Items()
	if err != nil {
		return n, err
	}
	for i := 0; i < len(n) && items.Next(); i++ {
		if n[i], err = items.Reply().Int(); err != nil {
			return n, err
		}
	}
	return n, nil
}
