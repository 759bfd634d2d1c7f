package lua

import "github.com/redmoon-go/redmoon/internal/lua51"

// Callee is a function of a module that nobody types by [Bind]: package model calls
// those that have the names of its hooks, from the scripts of all its verbs.
type Callee struct {
	Name   string
	Params []string // without the self of `function M:f()`
	Method bool     // it is written so
	Vararg bool
	Sign   Signature
	At     Finding // where it begins
	f      *function
}

// Callee finds an exported function by its name.
func (m *Mod) Callee(name string) (c Callee, ok bool) {
	f := m.tree().export(name)
	if f == nil || f.private() {
		return Callee{}, false
	}
	c = Callee{Name: name, Method: f.isMethod(), Vararg: f.sign.Vararg, Sign: f.sign, At: f.unit.finding(f.def, "", ""), f: f}
	c.Params = paramNames(f.sign.Params)
	return c, true
}

// Assigned tells where a name of the module is given something that is no function as
// it is written there: what it is shows only when the module runs.
func (m *Mod) Assigned(name string) (at Finding, ok bool) {
	for _, u := range m.tree().units {
		if u.self == nil {
			continue
		}
		for _, use := range u.self.Uses {
			if path := use.Path(); use.Store && len(path) == 1 && path[0] == name {
				return u.finding(use, "", ""), true
			}
		}
	}
	return at, false
}

// Uses lists what the function does with one of its parameters.
func (c Callee) Uses(param string) []Use { return c.f.uses(param) }

// Undeclared finds keys for redis.call that are not seen to be declared, and uses of
// the record as a table. The parameter is a record whose fields are keys.
func (c Callee) Undeclared(param string, keys []string) error {
	return c.f.undeclared(map[string]origin{param: {kind: aRecord, keys: keys}}, 1)
}

// Fault is an error about the function: message and cure at its place in the text.
func (c Callee) Fault(message, cure string) error {
	c.At.Message, c.At.Cure = message, cure
	return Findings{c.At}
}

// Early are the writes by redis.call that stand before the function's last fail: when
// it fails they stay written, and [Error].Partial is true.
func (c Callee) Early() (found []Finding) {
	u, def := c.f.unit, c.f.def
	within := func(n lua51.Node) bool { return n.Pos().Offset >= def.Pos().Offset && n.End() <= def.End() }
	last := -1
	for _, use := range u.chunk.Globals {
		if _, called := use.Suffix.(*lua51.Call); called && use.Name == "fail" && within(use) {
			last = max(last, use.Pos().Offset)
		}
	}
	for i := range u.sites {
		s := &u.sites[i]
		if s.call != nil && s.reads || !within(s.value) || s.value.Pos().Offset > last {
			continue
		}
		what := "a computed command"
		if s.command != "" {
			what = s.command
		}
		found = append(found, u.finding(s.value, what+" stands before the function's last fail: it stays written when that fails", "check first, write then"))
	}
	return found
}
