package lua

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// LoadFS reads the module name from the file name.lua at the root of fsys, and
// the modules it requires from beside it. Modules may require each other.
//
//	//go:embed *.lua
//	var sources embed.FS
//
//	var Accounts = lua.Must(lua.LoadFS(sources, "accounts"))
//
// The error lists all that is wrong, each with file, line, column and cure.
func LoadFS(fsys fs.FS, name string) (*Mod, error) {
	l := loader{fsys: fsys, mods: map[string]*Mod{}}
	m := l.load(name, nil, nil)
	if len(l.found) == 0 {
		for _, mod := range l.order { // when all are known: they may call each other
			l.found = append(l.found, mod.check()...)
		}
	}
	if len(l.found) > 0 {
		return nil, l.found
	}
	return m, nil
}

type loader struct {
	fsys  fs.FS
	mods  map[string]*Mod
	order []*Mod
	found Findings
}

// load reads one module and what it requires; by is the require that asks for
// it, in the text of a unit, or nil.
func (l *loader) load(name string, u *unit, by *require) *Mod {
	if m, known := l.mods[name]; known {
		return m
	}
	fault := func(message, cure string) *Mod {
		l.mods[name] = nil // said once
		message = fmt.Sprintf("module %q %s", name, message)
		if by != nil {
			l.found = append(l.found, u.finding(by.call, message, cure))
		} else {
			l.found = append(l.found, Finding{File: name + ".lua", Message: message, Cure: cure})
		}
		return nil
	}
	if wrong := badModuleName(name); wrong != "" {
		message, cure, _ := strings.Cut(wrong, "; ")
		return fault(message, cure)
	}
	source, err := fs.ReadFile(l.fsys, name+".lua")
	if err != nil {
		return fault(fmt.Sprintf("cannot be read from %s.lua: %v", name, reason(err)), l.cure(name))
	}
	b := newBuilder(name)
	m := b.mod
	l.mods[name] = m
	l.order = append(l.order, m)
	b.read(text{file: name + ".lua", text: string(source)})
	l.found = append(l.found, b.found...)
	for _, u := range m.units {
		for i := range u.requires {
			if other := l.load(u.requires[i].name, u, &u.requires[i]); other != nil && m.imported(other.name) == nil {
				m.imports = append(m.imports, other)
			}
		}
	}
	return m
}

// cure tells what to do about a file that is not there.
func (l *loader) cure(name string) string {
	files, _ := fs.Glob(l.fsys, "*.lua") // the pattern is a good one
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".lua")
	}
	if cure := didYouMean(name, files); cure != "" {
		return cure
	}
	return "put it at the root of the file system given to LoadFS (fs.Sub enters a folder)"
}

// reason is err without the path, which the finding names.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// checkRequires finds requires that mean no module, and modules' names that
// stop meaning one.
func (u *unit) checkRequires() (found Findings) {
	calls := map[lua51.Pos]bool{}
	for _, r := range u.requires {
		calls[r.call.Pos()] = true
		if u.mod.imported(r.name) == nil {
			found = append(found, u.finding(r.call, fmt.Sprintf("module %q is not known here", r.name), "give the module lua.Import of it, or load both with LoadFS"))
		}
		for _, use := range r.local.Uses {
			if use.Write {
				found = append(found, u.finding(use, fmt.Sprintf("%s stands for module %s and is assigned to", use.Name, r.name), "use another name"))
			}
		}
	}
	for _, use := range u.chunk.Globals {
		if use.Name == "require" && !calls[use.Pos()] {
			found = append(found, u.finding(use, "require stands where it cannot be resolved", "write `local name = require \"name\"` at the top of the text"))
		}
	}
	return found
}
