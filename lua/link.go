package lua

import (
	"fmt"
	"slices"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A script is linked from one call and the functions that are reachable from
// it, each as its author wrote it:
//
//	-- accounts.transfer            names the script in monitoring
//	local function __t(e) …         the traceback, see prelude.go
//	local function __m()
//	local __={audit={},accounts={}} one table a module, there before any body
//	do                              a scope a text: its locals stay its own
//	local M = __.accounts
//	function M.transfer(…) … end    functions that are not reachable are cut
//	end
//	do … end
//	__.report=function(KEYS,ARGV,…) a script file is a function
//	…
//	end
//	return …                        the call
//	end
//	local ok,r=xpcall(__m,__t) …
//
// Tables come first so that modules may call each other in a circle. Modules
// stand in the order in which Lua's require would have run them. Nothing is
// renamed and no value is pasted into the text: the same functions make the same
// script, whatever it is called with. Comments and empty lines go, since the
// text is hashed and sent; a line map keeps the author's lines.
//
// What is reachable is found from the names that are used, by these rules:
//
//  1. A module that is used at all keeps the statements at the top of its texts
//     that do more than define functions: they run whenever it is built.
//  2. M.f keeps all statements that put a function under f, or below it as in
//     M.f.g.
//  3. M as a value (passed on, indexed by an expression, M:f()) keeps all of
//     the module's functions: who has it may call any.
//  4. A local at the top keeps the statements that give it a function.
//
// A function stored in a way that rules 2 and 4 do not see, as M[name] = f or in
// a block, is a statement of rule 1.

// A linkage is what a script is made of.
type linkage struct {
	entry   *function
	support []*Mod // modules that call uses, with all their functions
	call    string // the Lua block that calls the entry; modules are fields of __
	helpers string // Lua of ours that call uses
	name    string // of the script, where that is not the entry's
	plain   bool   // it has no wrapper, see Link
	inline  *inlined
}

// A linker finds what is reachable.
type linker struct {
	used  map[*Mod]bool
	whole map[*Mod]bool    // used as a value
	kept  map[*unit][]bool // by the number of the statement
	queue []place
	named map[*unit][]string // the modules that a Func calls by name
	calls map[*Mod]bool      // scripts that CALL names
	fail  bool               // the global fail is used
	now   bool               // the global NOW is
	time  bool               // the global time is
	done  bool               // __d is

	entry   *function
	called  bool     // the entry is, by others than the script
	catches bool     // something catches errors; the embedded server loses what is assigned to upvalues then
	inline  *inlined // nil: records are values

	wrapped    bool // in what catches errors, as all but those of Link are
	undeclared bool // something reachable makes keys itself

	order  []*Mod          // in which they are built
	fields map[*Mod]string // of __
	trees  []*tree         // held while it is at work
}

// link makes the script.
func link(what linkage) (*Script, error) {
	l := newLinker(what.entry)
	l.inline, l.wrapped = what.inline, !what.plain
	l.reach(what.support)
	if found := l.early(); len(found) > 0 {
		return nil, found
	}
	if found := l.annotated(what.entry); len(found) > 0 {
		return nil, found
	}
	if err := l.nameFields(l.roots(what.support)); err != nil {
		return nil, err
	}
	if l.inline != nil && (l.called || l.catches) {
		return nil, errNotInline
	}
	s := l.emit(what)
	if l.inline != nil {
		if _, err := lua51.Parse(s.name, s.Body); err != nil { // it has many locals more
			return nil, errNotInline
		}
	} else if l.tight() {
		if _, err := lua51.Parse(s.name, s.Body); err != nil {
			return nil, s.tooMuch(err)
		}
	}
	return s, nil
}

func newLinker(entry *function) *linker {
	return &linker{entry: entry, used: map[*Mod]bool{}, whole: map[*Mod]bool{}, kept: map[*unit][]bool{}, named: map[*unit][]string{}, calls: map[*Mod]bool{}}
}

// reach keeps what the entry needs, and all functions of support, and finds the order
// of the modules.
func (l *linker) reach(support []*Mod) {
	l.use(l.entry.unit.mod)
	if l.entry.n >= 0 { // a script's function is all that always runs
		l.keep(l.entry.unit, l.entry.n)
	}
	for _, mod := range support {
		l.useWhole(mod)
	}
	for len(l.queue) > 0 {
		p := l.queue[0]
		l.queue = l.queue[1:]
		l.follow(p.unit, p.unit.top[p.n].Stat)
	}
	for _, mod := range l.roots(support) {
		for _, m := range mod.order() {
			if l.used[m] && !slices.Contains(l.order, m) {
				l.order = append(l.order, m)
			}
		}
	}
}

// roots are the modules that the call of the script names.
func (l *linker) roots(support []*Mod) []*Mod { return append([]*Mod{l.entry.unit.mod}, support...) }

// tight tells whether a text comes near to a limit of Lua's, so that the frame
// around it may be what is too much: a few levels, locals and upvalues. Of all
// others is known that they are Lua, and a start is short where thousands of
// scripts are not read again.
func (l *linker) tight() bool {
	const frame = 12
	for _, m := range l.order {
		for _, u := range m.tree().units {
			main := u.chunk.Main
			if u.chunk.MaxLevel > 200-frame || main.MaxLocals+len(l.named[u]) > 200-frame {
				return true
			}
			for _, f := range u.chunk.Functions {
				if len(f.Upvalues)+len(l.named[u]) > 60-frame {
					return true
				}
			}
		}
	}
	return false
}

// use keeps what a module always runs.
func (l *linker) use(m *Mod) {
	if l.used[m] {
		return
	}
	l.used[m] = true
	t := m.tree()
	l.trees = append(l.trees, t)
	for _, u := range t.units {
		for n := range u.top {
			if _, ends := u.top[n].Stat.(*lua51.ReturnStat); (!ends || m.script != nil) && !u.top[n].optional {
				l.keep(u, n)
			}
		}
	}
}

// useWhole keeps all functions of a module.
func (l *linker) useWhole(m *Mod) {
	l.use(m)
	if l.whole[m] {
		return
	}
	l.whole[m] = true
	for name := range m.tree().defines { // into a set: the order does not matter
		l.keepField(m, name)
	}
}

func (l *linker) keepField(m *Mod, name string) {
	for _, p := range m.tree().defines[name] {
		l.keep(p.unit, p.n)
	}
}

func (l *linker) keep(u *unit, n int) {
	kept := l.kept[u]
	if kept == nil {
		kept = make([]bool, len(u.top))
		l.kept[u] = kept
	}
	if !kept[n] {
		kept[n] = true
		l.queue = append(l.queue, place{u, n})
	}
}

// keeps tells whether a statement is kept.
func (l *linker) keeps(u *unit, n int) bool {
	kept := l.kept[u]
	return n >= 0 && kept != nil && kept[n]
}

// follow keeps what a kept statement refers to.
func (l *linker) follow(u *unit, s lua51.Stat) {
	lua51.Walk(s, func(n lua51.Node) bool {
		use, ok := n.(*lua51.Name)
		if !ok {
			return true
		}
		if use.Local != nil {
			for _, definer := range u.definers[use.Local] {
				l.keep(u, definer)
			}
		}
		switch mod := u.target(use); {
		case mod != nil:
			if use.Local == nil && !slices.Contains(l.named[u], use.Name) {
				l.named[u] = append(l.named[u], use.Name)
			}
			l.refer(mod, use)
		case use.Local != nil:
		case use.Name == "fail":
			l.fail = true
		case use.Name == "NOW":
			l.now = true
		case use.Name == "time":
			l.time = true
		case use.Name == "pcall", use.Name == "xpcall":
			l.catches = l.catches || !u.mod.reserved()
		case use.Name == "CALL":
			if mod := u.callee(use); mod != nil {
				l.use(mod)
				l.calls[mod] = true
			}
		}
		return true
	})
}

// refer keeps what a use of a module means.
func (l *linker) refer(mod *Mod, use *lua51.Name) {
	l.use(mod)
	path := use.Path()
	if mod == l.entry.unit.mod && !use.Store && (len(path) == 0 || path[0] == l.entry.name) {
		l.called = true
	}
	switch {
	case len(path) > 0:
		l.keepField(mod, path[0])
	case !use.Store: // M[k] = v reads nothing
		l.useWhole(mod)
	}
}

// early finds functions of modules that are used before they are there.
func (l *linker) early() (found Findings) {
	for i, m := range l.order {
		later := l.order[i+1:]
		for _, u := range m.tree().units {
			for n := range u.top {
				if !l.keeps(u, n) {
					continue
				}
				lua51.Walk(u.top[n].Stat, func(n lua51.Node) bool {
					if _, isFunction := n.(*lua51.Function); isFunction {
						return false
					}
					use, ok := n.(*lua51.Name)
					if !ok {
						return true
					}
					if mod := u.target(use); mod != nil && slices.Contains(later, mod) {
						if name, at, ok := memberOf(use); ok {
							found = append(found, u.finding(at, fmt.Sprintf("%s.%s is not there yet: %s and %s require each other, and %[2]s, asked for first, is built last",
								mod.name, name, mod.name, m.name), "use it inside a function"))
						}
					}
					return true
				})
			}
		}
	}
	return found
}

// nameFields gives each module its field of __: its name, with a number where
// two are called alike. The call of the script knows the roots by their names.
func (l *linker) nameFields(roots []*Mod) error {
	l.fields = map[*Mod]string{}
	taken := map[string]bool{}
	for _, m := range roots {
		name := m.field
		if _, again := l.fields[m]; taken[name] && !again {
			return fmt.Errorf("lua: the module name %q is taken; rename yours", m.name)
		}
		l.fields[m], taken[name] = name, true
	}
	for _, m := range l.order {
		if _, known := l.fields[m]; known {
			continue
		}
		field := m.field
		for n := 2; taken[field]; n++ {
			field = fmt.Sprintf("%s_%d", m.field, n)
		}
		l.fields[m], taken[field] = field, true
	}
	return nil
}

// annotated sees what is reachable in the light of what the entry says of
// itself.
func (l *linker) annotated(entry *function) (found Findings) {
	for _, m := range l.order {
		for _, u := range m.tree().units {
			if m.script != nil && m.script.sign.Undeclared {
				l.undeclared = true
			}
			for _, f := range u.undeclared {
				l.undeclared = l.undeclared || l.reaches(u, f)
			}
			if !entry.sign.ReadOnly {
				continue
			}
			for _, s := range u.sites {
				if !l.keeps(u, s.n) || s.call != nil && s.reads {
					continue
				}
				what := "a computed command"
				if s.command != "" {
					what = s.command
				}
				found = append(found, u.finding(s.value, fmt.Sprintf("%s is annotated @readonly, and %s may write", entry.title(), what), "take the annotation away, or the write"))
			}
		}
	}
	return found
}

// reaches tells whether a node of a unit is in the script.
func (l *linker) reaches(u *unit, n lua51.Node) bool { return l.keeps(u, u.topAt(n.Pos().Offset)) }
