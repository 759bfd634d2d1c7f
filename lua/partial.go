package lua

import (
	"slices"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Error.Partial tells that something was written before a script failed. The
// script itself keeps note of it, behind each call that may write: by an
// assignment where the call is a statement of its own or the value of one, else
// by a function around it. A command that is not written out counts as a write.
//
//	redis.call("SET", k, v)           redis.call("SET", k, v) __p="+"
//	if redis.call("DEL", k) == 1      if __d(redis.call("DEL", k)) == 1
//	pcall(redis.call, "INCR", k)      pcall(function(...)return __d(redis.call(...)) end, "INCR", k)
const (
	notePartial = ` __p="+"`
	noteFunc    = `function(...)return ` // its blank is missing: authors write one

	preludeDone = `local function __d(v) __p="+" return v end`
)

// notes edits the calls of a unit that may write.
func (l *linker) notes(u *unit, edit func(lua51.Edit)) {
	if !l.wrapped { // nobody asks
		return
	}
	writes := func(s *site) bool { return l.keeps(u, s.n) && (s.call == nil || !s.reads) }
	if !slices.ContainsFunc(u.sites, func(s site) bool { return writes(&s) }) {
		return
	}
	ends := map[*lua51.Call]int{} // of statements that consist of a call
	insert := func(at int, text string) { edit(lua51.Edit{From: at, To: at, Text: text}) }
	note := func(e lua51.Expr, s lua51.Stat) {
		if call, ok := e.(*lua51.Call); ok {
			ends[call] = s.End()
		}
	}
	for n := range u.top {
		if !l.keeps(u, n) {
			continue
		}
		lua51.Walk(u.top[n].Stat, func(n lua51.Node) bool {
			switch s := n.(type) {
			case *lua51.CallStat:
				note(s.Call, s)
			case *lua51.LocalStat:
				if len(s.Values) == 1 {
					note(s.Values[0], s)
				}
			case *lua51.AssignStat:
				if len(s.Values) == 1 {
					note(s.Values[0], s)
				}
			}
			return true
		})
	}
	for i := range u.sites {
		s := &u.sites[i]
		if !writes(s) {
			continue
		}
		switch end, whole := ends[s.call]; {
		case s.call == nil:
			l.done = true
			insert(s.value.Pos().Offset, noteFunc+"__d(")
			insert(s.value.End(), "(...)) end")
		case whole:
			insert(end, notePartial)
		default:
			l.done = true
			insert(s.call.Pos().Offset, "__d(")
			insert(s.call.End(), ")")
		}
	}
}
