package lua

import (
	"fmt"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"
)

// Mod is a module: a named set of Lua functions, parsed and checked. Make it
// with [Module] or [LoadFS]. A script file is a module of one function, main. It
// does not change afterwards: share it freely.
type Mod struct {
	name    string
	field   string          // what scripts call it: its field of __
	imports []*Mod          // in the order of the text
	aliases map[string]*Mod // by ImportAs
	calls   []*Mod          // those, and scripts that CALL names
	scripts map[string]*Mod // by what CALL names them: queue/add
	script  *scriptFile     // nil: a module
	pieces  []*piece        // the files it was read from
	texts   []*text

	mu   sync.Mutex
	kept weak.Pointer[tree] // see tree
}

// Part is what a module is made of: [Func], [Source], [Import].
type Part interface{ addTo(*builder) }

type part func(*builder)

func (p part) addTo(b *builder) { p(b) }

// Func is one function of a module: its name, its parameters as in Lua ("a,
// b, ..."), and its body. It calls other functions of the module, and those of
// imported ones, by the module's name.
//
//	lua.Func("add", "a, b", `return a + b`)
//
// Messages and tracebacks name its text "Module.add" and count the lines of the
// body. Annotations need a [Source] or a file.
func Func(name, params, body string) Part {
	return part(func(b *builder) {
		if !isName(name) {
			b.fault(Finding{File: b.mod.name, Message: fmt.Sprintf("the function name %q is no Lua name", name), Cure: nameCure})
			return
		}
		head := fmt.Sprintf("local %[1]s = {}\nfunction %[1]s.%[2]s(%[3]s)\n", b.mod.name, name, params)
		b.parse(&text{
			file:   b.mod.name + "." + name,
			text:   normal(head + body + "\nend\nreturn " + b.mod.name),
			head:   strings.Count(head, "\n"),
			isFunc: true,
		})
	})
}

// Source is the text of a module: `local M = {}`, functions of M, `return M`.
// Messages and tracebacks name it by file.
func Source(file, source string) Part {
	return part(func(b *builder) { b.parse(&text{file: file, text: normal(source)}) })
}

// Import makes another module known to this one: functions given by [Func]
// call it by its name, and in a [Source] `require "name"` finds it.
func Import(mod *Mod) Part {
	return part(func(b *builder) {
		switch {
		case mod == nil:
			b.fault(Finding{File: b.mod.name, Message: "an imported module is nil", Cure: "declare it as a package variable"})
		case b.mod.imported(mod.name) != nil:
			b.fault(Finding{File: b.mod.name, Message: fmt.Sprintf("two modules here are called %s", mod.name), Cure: "rename one of them"})
		default:
			b.mod.imports = append(b.mod.imports, mod)
		}
	})
}

// ImportAs is [Import] under another name: where two modules are called alike, or
// where a shorter name reads better.
func ImportAs(name string, mod *Mod) Part {
	return part(func(b *builder) {
		switch {
		case mod == nil:
			b.fault(Finding{File: b.mod.name, Message: "an imported module is nil", Cure: "declare it as a package variable"})
		case badModuleName(name) != "":
			b.fault(Finding{File: b.mod.name, Message: fmt.Sprintf("the name %q of an import %s", name, badModuleName(name))})
		case b.mod.imported(name) != nil:
			b.fault(Finding{File: b.mod.name, Message: fmt.Sprintf("two modules here are called %s", name), Cure: "rename one of them"})
		default:
			b.mod.aliases[name] = mod
			b.mod.calls = append(b.mod.calls, mod)
		}
	})
}

// Module returns the module of some parts. It panics, at start-up, with all
// that is wrong with them; [TryModule] returns the error.
//
//	var Counter = lua.Module("Counter",
//		lua.Func("add", "key, n", `return redis.call("INCRBY", key, n)`),
//		lua.Func("twice", "key", `Counter.add(key, 1) return Counter.add(key, 1)`),
//	)
func Module(name string, parts ...Part) *Mod {
	m, err := TryModule(name, parts...)
	if err != nil {
		panic(atCaller(err))
	}
	return m
}

// TryModule is [Module] with the error returned.
func TryModule(name string, parts ...Part) (*Mod, error) {
	if fault := badModuleName(name); fault != "" {
		return nil, fmt.Errorf("lua: the module name %q %s", name, fault)
	}
	b := newBuilder(name)
	for _, p := range parts {
		if p != nil {
			p.addTo(b)
		}
	}
	if len(b.mod.texts) == 0 && len(b.found) == 0 {
		b.fault(Finding{File: name, Message: "the module is empty", Cure: "give it a Func or a Source"})
	}
	if len(b.found) == 0 {
		b.found = b.mod.check()
	}
	if len(b.found) > 0 {
		return nil, b.found
	}
	return b.mod, nil
}

// Must returns v, and panics with err if there is one: for package variables.
//
//	var Accounts = lua.Must(lua.LoadFS(sources, "accounts"))
func Must[T any](v T, err error) T {
	if err != nil {
		panic(atCaller(err))
	}
	return v
}

// atCaller puts the place of the declaration in front of an error: a panic at
// start-up shows only the runtime's init otherwise.
func atCaller(err error) error {
	if _, file, line, ok := runtime.Caller(2); ok {
		return fmt.Errorf("%s:%d: %w", path.Base(file), line, err)
	}
	return err
}

// Name is the module's name, with its folders: queue/add.
func (m *Mod) Name() string { return m.name }

// Imports are the modules that this one requires or was given by [Import], in
// the order of its text, and behind them those of [ImportAs] and the scripts that
// it calls.
func (m *Mod) Imports() []*Mod { return slices.Concat(m.imports, m.calls) }

// Functions lists the functions that Go may call, sorted: those of the module
// whose names do not begin with _.
func (m *Mod) Functions() []string {
	var names []string
	for _, f := range m.tree().exports {
		if !f.private() {
			names = append(names, f.name)
		}
	}
	return names
}

// Signature returns what a function's annotations say.
func (m *Mod) Signature(name string) (Signature, error) {
	f, err := m.function(name)
	if err != nil {
		return Signature{}, err
	}
	return f.sign, nil
}

// function finds a function that Go may call.
func (m *Mod) function(name string) (*function, error) {
	if m == nil {
		return nil, fmt.Errorf("lua: function %q of a nil module; declare the module as a package variable", name)
	}
	f := m.tree().export(name)
	if f == nil {
		where := ""
		if t := m.texts[0]; !t.isFunc {
			where = " (" + t.file + ")"
		}
		return nil, fmt.Errorf("lua: module %s%s has no function %q; %s", m.name, where, name, oneOf(name, m.Functions()))
	}
	if f.private() {
		return nil, fmt.Errorf("lua: %s: %s is private: its name begins with _; rename it to call it from Go", f.at(f.def.Pos()), f.title())
	}
	return f, nil
}

// imported returns the module that a name of this module means, itself
// included.
func (m *Mod) imported(name string) *Mod {
	if name == m.name {
		return m
	}
	if other := m.aliases[name]; other != nil {
		return other
	}
	for _, other := range m.imports {
		if other.name == name {
			return other
		}
	}
	return nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const nameCure = "use letters, digits and _, and no word of Lua's own"

// isName tells whether s may name a variable: no keyword, for one.
func isName(s string) bool {
	return identifier.MatchString(s) && !keywords[s]
}

var keywords = wordSet(`and break do else elseif end false for function if in local nil not or repeat return then true
	until while`)

// badModuleName says what is wrong with a module's name, if something is.
func badModuleName(name string) string {
	_, elsewhere := missing[name]
	switch {
	case !isName(name):
		return "is no Lua name; " + nameCure
	case globals[name] || elsewhere:
		return "is a global of Lua's; choose another"
	}
	return ""
}
