package lua

import (
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// calling are the commands that call scripts, which no server lets a script do.
var calling = wordSet("EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO SCRIPT")

// checkKeys finds keys that are not declared: made in Lua, where nobody can route
// them, and KEYS beyond those that a script names.
func (u *unit) checkKeys() (found Findings) {
	if strings.HasPrefix(u.mod.name, reserved) {
		return nil
	}
	for _, s := range u.sites {
		if calling[s.command] {
			found = append(found, u.finding(s.call.Args[0], s.command+" cannot be called from a script", "write it as a function and call that, or CALL the script"))
			continue
		}
		if u.declaresUndeclared(s.value) {
			continue
		}
		for _, key := range s.keys {
			if what := computed(key); what != "" {
				found = append(found, u.finding(key, fmt.Sprintf("the key of %s %s", s.command, what), "declare it, --- @key name, and pass it from Go; or annotate --- @undeclared, which a Cluster refuses"))
			}
		}
	}
	if u.mod.script == nil || u.mod.script.keys < 0 {
		return found
	}
	sign := u.mod.script.sign
	for _, index := range u.indexed("KEYS") {
		number, ok := index.Key.(*lua51.Number)
		switch {
		case !ok && len(sign.Params) > 0:
			found = append(found, u.finding(index, "which of the KEYS this is cannot be known", "use the names of --- @key"))
		case ok:
			if n, whole := number.Int(); !whole || n < 1 || n > u.mod.script.keys {
				found = append(found, u.finding(index, fmt.Sprintf("KEYS[%s] is not declared: the script takes %s", number.Raw, count(u.mod.script.keys, "key")), "declare it: --- @key name"))
			}
		}
	}
	return found
}

// indexed are the places where a script indexes its KEYS or ARGV.
func (u *unit) indexed(name string) (all []*lua51.Index) {
	for _, l := range u.chunk.Main.Locals {
		if l.Name != name || l.Pos.Line != 1 {
			continue
		}
		for _, use := range l.Uses {
			if index, ok := use.Suffix.(*lua51.Index); ok && use.Chain == use {
				all = append(all, index)
			}
		}
	}
	return all
}

// checkMarked finds arguments that a script reads by their numbers though they
// may be absent: a mark begins their words, which only their names are without.
func (u *unit) checkMarked() (found Findings) {
	if u.mod.script == nil {
		return nil
	}
	var args []Param
	for _, p := range u.mod.script.sign.Params {
		if !p.Key {
			args = append(args, p)
		}
	}
	for _, index := range u.indexed("ARGV") {
		number, ok := index.Key.(*lua51.Number)
		if !ok {
			continue
		}
		n, whole := number.Int()
		if !whole || n < 1 || n > len(args) {
			continue
		}
		if _, optional := args[n-1].Type.base(); optional || args[n-1].Default != "" {
			found = append(found, u.finding(index, fmt.Sprintf("ARGV[%d] may be absent, and begins with a mark where it is not", n), "use its name, "+args[n-1].Name))
		}
	}
	return found
}
