package lua

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

// Uses lists what the function does with one of its parameters.
func (c Callee) Uses(param string) []Use { return c.f.uses(param) }

// Fault is an error about the function: message and cure at its place in the text.
func (c Callee) Fault(message, cure string) error {
	c.At.Message, c.At.Cure = message, cure
	return Findings{c.At}
}
