package lua

import (
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Link compiles a function that is called with KEYS and ARGV as they are, two
// tables, and whose result is the reply as it is. It is for packages whose verbs
// are scripts: they give and read plain words, and see to it themselves that a
// failure is returned, as {err = "CODE text"}, and not raised. All others have
// [Bind].
//
//	-- name
//	local __={…}
//	…
//	return __.module.function(KEYS,ARGV)
func Link(mod *Mod, function, name string) (*Script, error) {
	return linkPlain(mod, function, linkage{name: name, plain: true})
}

// LinkGuarded is [Link] for verbs that call functions of authors too: what is raised
// there, or by fail, is an error reply that [Script.Fault] reads.
func LinkGuarded(mod *Mod, function, name string) (*Script, error) {
	return linkPlain(mod, function, linkage{name: name})
}

func linkPlain(mod *Mod, function string, what linkage) (*Script, error) {
	f, err := mod.function(function)
	if err != nil {
		return nil, err
	}
	if n := len(f.sign.Params); n != 2 || f.isMethod() {
		return nil, fmt.Errorf("lua: %s: %s is linked with KEYS and ARGV; it takes two parameters", f.at(f.def.Pos()), f.title())
	}
	what.entry, what.call = f, fmt.Sprintf("return __.%s.%s(KEYS,ARGV)", f.unit.mod.field, f.name)
	return link(what)
}

// Fault reads an error reply of a script of [LinkGuarded]: it is an [*Error], with
// the lines of its authors.
func (s *Script) Fault(reply *pipectx.ServerError) error { return s.fault(reply) }
