package lua

import "github.com/redmoon-go/redmoon/internal/lua51"

// Opener makes a parameter that is more than a value: package model uses it to
// give functions records.
type Opener struct {
	Support *Mod   // the module whose functions Open and Close call; nil for none, and no Close, where a key is all
	With    []*Mod // more modules that Open names, as fields of __, with all their functions

	// Key is the field that is the record's Redis key, "" where it has none. It and the
	// keys beside are what the function may hand to redis.call as keys, where it has a
	// record at all.
	Key string

	// Owner is whose records it opens, for a [Record] among the arguments of a
	// function whose receiver it makes.
	Owner any

	// Known is what it takes for granted of the record, which a [Fitting] one of the call
	// is held against.
	Known any

	// Beside names further keys that go along with the parameter's own; nil for
	// none. Whoever gives its key gives them too: CallOn, or a [KeysBeside].
	Beside func(uses []Use) []string

	// Open returns the Lua expression of the parameter, given the expressions
	// of its keys and what the function does with it; or what is wrong with
	// that. Modules are fields of __.
	Open func(keys KeysOf, uses []Use) (string, error)

	Close string // Lua statement after the call, once for all that were opened

	// Inline returns the parameter as locals, the nth of the call; nil where it
	// must be a value. It is called behind Open, and may be nil itself.
	Inline func(n int, keys KeysOf, uses []Use) *Inline
}

// KeysOf are the Lua expressions of a parameter's key and of those beside it.
type KeysOf struct {
	Key    string
	Beside map[string]string
}

// KeysBeside is a [Record] with further keys.
type KeysBeside interface {
	// AppendBeside appends the key that stands beside the record by that name.
	AppendBeside(dst []byte, name string) ([]byte, error)
}

// Fitting is a [Record] that Lua may take for what it is not.
type Fitting interface {
	Fits(known any) error
}

// Record is the type of an argument that an [Opener] makes from a key.
type Record interface {
	// LuaOpener makes the record; receiver is how the function gets its first
	// parameter, nil where that is no record.
	LuaOpener(receiver *Opener) Opener
	// AppendKey appends the key of the record.
	AppendKey(dst []byte) ([]byte, error)
}

// Use is one thing that a function does with a parameter.
type Use struct {
	Field  string // self.balance: balance; "" where the parameter is used as a value
	Write  bool   // the field is assigned to
	Below  bool   // something in the field is: self.tags[1] = "a"
	Method bool   // self:exists(): exists
	Arg    string // of a method: its first argument, if that is a constant string
	Args   int    // of a method: how many arguments; -1 where that is open
	At     Finding

	name *lua51.Name
}

// Fault is the use as an error: message and cure at its place in the text.
func (u Use) Fault(message, cure string) error {
	u.At.Message, u.At.Cure = message, cure
	return Findings{u.At}
}

// uses lists what the function does with one of its parameters.
func (f *function) uses(param string) []Use {
	p := f.param(param)
	if p == nil {
		return nil
	}
	var uses []Use
	for _, use := range p.Uses {
		u := Use{At: f.unit.finding(use, "", ""), name: use}
		if call, ok := use.Suffix.(*lua51.MethodCall); ok && use.Escapes() {
			u.Field, u.Method = call.Name.Value, true
			u.At = f.unit.finding(call.Name, "", "")
			if u.Args = len(call.Args); call.Multi() {
				u.Args = -1
			}
			if len(call.Args) > 0 {
				if arg, is := call.Args[0].(*lua51.String); is {
					u.Arg = arg.Value
				}
			}
		} else if fields := use.Fields(); len(fields) > 0 {
			u.Field, u.Write = use.Path()[0], use.Store && len(fields) == 1 && use.Suffix == nil
			u.Below = use.Store && !u.Write
			u.At = f.unit.finding(fields[0].Key, "", "")
		}
		uses = append(uses, u)
	}
	return uses
}

// param is the local that a parameter is; of a script, one of its head.
func (f *function) param(name string) *lua51.Local {
	if f.unit.mod.script == nil {
		return f.def.Param(name)
	}
	for _, l := range f.def.Locals {
		if l.Name == name && l.Pos.Line == 1 {
			return l
		}
	}
	return nil
}
