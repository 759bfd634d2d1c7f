package lua

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// CALL.queue.add(keys, args) calls the script queue/add.lua from any text of the
// same file system, by the name's folders; CALL.add(keys, args) is the script
// beside the caller. It is an ordinary expression, and the script an ordinary
// function with a KEYS and an ARGV of its own: values keep their types, the
// caller's stay as they are, an argument that is missing has its default, and
// scripts may call each other in a circle.

// calls loads the scripts that a text calls.
func (l *loader) calls(u *unit) {
	if l.cache == nil {
		return
	}
	for _, use := range u.chunk.Globals {
		words := use.Path()
		if use.Name != "CALL" || len(words) == 0 {
			continue
		}
		name := strings.Join(words, "/")
		if len(words) == 1 {
			name = path.Join(u.mod.folder(), name)
		}
		if m := l.load(l.scriptName(name), &reference{u, use.Chain, "script"}); m != nil {
			if u.mod.scripts == nil {
				u.mod.scripts = map[string]*Mod{}
			}
			u.mod.scripts[strings.Join(words, "/")] = m
			if m != u.mod && !slices.Contains(u.mod.calls, m) {
				u.mod.calls = append(u.mod.calls, m)
			}
		}
	}
}

// scriptName finds add-9 for add, if that is the only one.
func (l *loader) scriptName(name string) string {
	if l.mods[name] != nil {
		return name
	}
	if _, err := l.cache.read(name + ".lua"); errors.Is(err, fs.ErrNotExist) {
		files, _ := fs.Glob(l.cache.fsys, name+"-*.lua")
		if len(files) == 1 && keysInName.MatchString(strings.TrimSuffix(files[0], ".lua")) {
			return strings.TrimSuffix(files[0], ".lua")
		}
	}
	return name
}

// callee is the script that a use of CALL means, or nil.
func (u *unit) callee(use *lua51.Name) *Mod {
	name := strings.Join(use.Path(), "/")
	m := u.mod.scripts[name]
	if m == nil {
		m = u.mod.imported(name)
	}
	if m == nil || m.script == nil {
		return nil
	}
	return m
}

// checkScripts checks the calls of scripts.
func (u *unit) checkScripts() (found Findings) {
	const form = "write CALL.name({keys}, {arguments}), or CALL.folder.name for a script elsewhere"
	for _, use := range u.chunk.Globals {
		if use.Name != "CALL" || use.Write {
			continue
		}
		m, loaded := u.callee(use), u.mod.scripts[strings.Join(use.Path(), "/")]
		name := "CALL." + strings.Join(use.Path(), ".")
		switch {
		case len(use.Path()) == 0:
			found = append(found, u.finding(use, "CALL stands without the name of a script", form))
			continue
		case loaded != nil && m == nil:
			found = append(found, u.finding(use, name+" is a module, not a script", fmt.Sprintf("require %q", loaded.name)))
			continue
		case m == nil:
			found = append(found, u.finding(use, name+" is no script that is known here", "load both by LoadFS, or give the module lua.Import of it"))
			continue
		}
		call, ok := use.Suffix.(*lua51.Call)
		if !ok || call.Func != use.Chain {
			continue
		}
		if len(call.Args) > 2 {
			found = append(found, u.finding(call, fmt.Sprintf("%s takes a list of keys and one of arguments, here are %d", name, len(call.Args)), form))
		}
		if n := m.script.keys; n >= 0 {
			given, known := 0, len(call.Args) == 0
			if !known {
				given, known = literalLen(call.Args[0])
			}
			if known && given != n {
				found = append(found, u.finding(call, fmt.Sprintf("%s takes %s, here are %d", name, count(n, "key"), given), "it is "+m.pieceName()))
			}
		}
	}
	return found
}

// literalLen is how many elements a table has that is written out.
func literalLen(e lua51.Expr) (n int, ok bool) {
	t, ok := e.(*lua51.Table)
	if !ok {
		return 0, false
	}
	for i, f := range t.Fields {
		if f.Key != nil || i == len(t.Fields)-1 && lua51.IsMulti(f.Value) {
			return 0, false
		}
	}
	return len(t.Fields), true
}

// pieceName is the file of a module, for messages.
func (m *Mod) pieceName() string { return m.texts[0].file }

// emitScript writes a script file as a function, and, if it is called from Lua,
// one more that takes KEYS and ARGV alone.
func (l *linker) emitScript(w *writer, u *unit) {
	params := u.mod.script.sign.Params
	names := append([]string{"KEYS", "ARGV"}, paramNames(params)...)
	w.add(fmt.Sprintf("__.%s=function(%s)", l.fields[u.mod], strings.Join(names, ",")))
	l.emitUnit(w, u)
	w.add("end")
	if !l.calls[u.mod] {
		return
	}
	args, key, arg, defaults := []string{"KEYS", "ARGV"}, 0, 0, ""
	for _, p := range params {
		if p.Key {
			key++
			args = append(args, fmt.Sprintf("KEYS[%d]", key))
			continue
		}
		arg++
		value := fmt.Sprintf("ARGV[%d]", arg)
		if p.Default != "" {
			local := fmt.Sprintf("a%d", arg)
			defaults += fmt.Sprintf("local %[1]s=%[2]s if %[1]s==nil then %[1]s=%[3]s end ", local, value, p.Default)
			value = local
		}
		args = append(args, value)
	}
	check := ""
	if n := u.mod.script.keys; n >= 0 {
		check = fmt.Sprintf("if #KEYS~=%d then error({err=%s..#KEYS}) end ", n, quote(fmt.Sprintf("ERR CALL of %s: it takes %s, here are ", u.mod.name, count(n, "key"))))
	}
	w.add(fmt.Sprintf("__.%s=function(KEYS,ARGV) KEYS,ARGV=KEYS or {},ARGV or {} %s%sreturn __.%s(%s) end",
		l.callField(u.mod), check, defaults, l.fields[u.mod], strings.Join(args, ",")))
}

// callField is the field of __ by which Lua calls a script.
func (l *linker) callField(m *Mod) string {
	field := "CALL_" + l.fields[m]
	for slices.ContainsFunc(l.order, func(other *Mod) bool { return l.fields[other] == field }) {
		field += "_"
	}
	return field
}

// emitCalls puts the functions of scripts in place of CALL.name.
func (l *linker) emitCalls(u *unit, edit func(lua51.Edit)) {
	for _, use := range u.chunk.Globals {
		if use.Name != "CALL" {
			continue
		}
		if m := u.callee(use); m != nil && l.calls[m] {
			edit(u.chunk.Replace(use.Chain, "__."+l.callField(m)))
		}
	}
}
