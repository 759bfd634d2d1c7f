package lua

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// LoadFS reads a module or a script file from name.lua in fsys, and what it
// requires, includes and calls. Modules may require each other.
//
//	//go:embed *.lua
//	var sources embed.FS
//
//	var Accounts = lua.Must(lua.LoadFS(sources, "accounts"))
//
// A name may have folders, "queue/add"; `require "queue.add"` in Lua. Nothing
// outside of fsys is read. The error lists all that is wrong, each with file,
// line, column and cure.
func LoadFS(fsys fs.FS, name string) (*Mod, error) { return NewCache(fsys).Load(name) }

// LoadManyFS is [LoadFS] of several names.
func LoadManyFS(fsys fs.FS, names ...string) (map[string]*Mod, error) {
	return NewCache(fsys).LoadMany(names...)
}

// LoadAllFS is [LoadFS] of all .lua files in fsys, in folders too. Fragments are
// left out: files that others include and that return nothing themselves.
func LoadAllFS(fsys fs.FS) (map[string]*Mod, error) { return NewCache(fsys).LoadAll() }

// Parse makes a module or a script of a text from memory. Its name is that of
// the file, which messages and tracebacks show, without folders and ".lua". It
// cannot require or include others.
func Parse(file, text string) (*Mod, error) {
	l := loader{mods: map[string]*Mod{}}
	m := l.add(strings.TrimSuffix(path.Base(file), ".lua"), newPiece(file, text), false)
	if err := l.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Read is [Parse] of all that r gives.
func Read(file string, r io.Reader) (*Mod, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("lua: read %s: %w", file, err)
	}
	return Parse(file, string(text))
}

// Cache loads from a file system and reads no file twice: what was loaded once
// is shared by all that ask for it. What cannot be loaded is not kept. It is safe
// for concurrent use.
type Cache struct {
	fsys fs.FS

	mu     sync.Mutex
	mods   map[string]*Mod
	pieces map[string]*piece // by file: those that were included too
}

// NewCache returns an empty cache of a file system.
func NewCache(fsys fs.FS) *Cache {
	return &Cache{fsys: fsys, mods: map[string]*Mod{}, pieces: map[string]*piece{}}
}

// Load is [LoadFS] by way of the cache.
func (c *Cache) Load(name string) (*Mod, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, _, err := c.load(name)
	return m, err
}

// LoadMany loads several names. What can be loaded is kept even where another
// cannot; the error tells of all that cannot.
func (c *Cache) LoadMany(names ...string) (map[string]*Mod, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mods, found := map[string]*Mod{}, Findings(nil)
	for _, name := range names {
		m, _, err := c.load(name)
		if err != nil {
			found = found.with(err)
			continue
		}
		mods[name] = m
	}
	if len(found) > 0 {
		return nil, found
	}
	return mods, nil
}

// LoadAll loads all .lua files, in folders too, but for fragments: see
// [LoadAllFS].
func (c *Cache) LoadAll() (map[string]*Mod, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var files []string
	err := fs.WalkDir(c.fsys, ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(file) == ".lua" {
			files = append(files, file)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lua: look for .lua files: %w", err)
	}
	mods, faults, included := map[string]*Mod{}, map[string]error{}, map[string]bool{}
	for _, file := range files {
		m, pieces, err := c.load(strings.TrimSuffix(file, ".lua"))
		if err != nil {
			faults[file] = err
		}
		mods[file] = m
		for _, p := range pieces {
			if p.file != file {
				included[p.file] = true
			}
		}
	}
	byName, found := map[string]*Mod{}, Findings(nil)
	for _, file := range files {
		m := mods[file]
		switch fragment := included[file] && !c.pieces[file].returns(); {
		case fragment:
		case m == nil:
			found = found.with(faults[file])
		default:
			byName[m.name] = m
		}
	}
	if len(found) > 0 {
		return nil, found
	}
	return byName, nil
}

// load loads one name; pieces are the files that its text is made of.
func (c *Cache) load(name string) (m *Mod, pieces []*piece, err error) {
	name = strings.TrimSuffix(name, ".lua")
	if m := c.mods[name]; m != nil {
		return m, m.pieces, nil
	}
	l := loader{cache: c, mods: map[string]*Mod{}}
	m = l.load(name, nil)
	if err := l.check(); err != nil {
		return nil, l.pieces, err
	}
	hold(l.trees...)
	for name, m := range l.mods {
		c.mods[name] = m
	}
	return m, m.pieces, nil
}

// with appends what an error found.
func (fs Findings) with(err error) Findings {
	var more Findings
	var one Finding
	switch {
	case errors.As(err, &more):
		for _, f := range more {
			if !slices.Contains(fs, f) { // two names may lead to one fault
				fs = append(fs, f)
			}
		}
		return fs
	case errors.As(err, &one):
		return append(fs, one)
	}
	return append(fs, Finding{Message: err.Error()})
}

// A loader reads what one name leads to.
type loader struct {
	cache  *Cache // nil: a text from memory
	mods   map[string]*Mod
	order  []*Mod
	pieces []*piece // of all that was read
	found  Findings
	trees  []*tree // held until all is checked
}

// A reference is what asks for a module: a place in a text.
type reference struct {
	unit *unit
	node lua51.Node
	kind string // module or script
}

// load reads one name and all that it leads to; by is what asks for it, or nil.
func (l *loader) load(name string, by *reference) *Mod {
	if m, known := l.mods[name]; known {
		return m
	}
	if m := l.cache.mods[name]; m != nil {
		return m
	}
	kind := "module"
	if by != nil {
		kind = by.kind
	}
	fault := func(message, cure string) *Mod {
		l.mods[name] = nil // said once
		message = fmt.Sprintf("%s %q %s", kind, name, message)
		if by != nil {
			l.found = append(l.found, by.unit.finding(by.node, message, cure))
		} else {
			l.found = append(l.found, Finding{File: name + ".lua", Message: message, Cure: cure})
		}
		return nil
	}
	if wrong := badPath(name, kind == "module" && by != nil); wrong != "" {
		message, cure, _ := strings.Cut(wrong, "; ")
		return fault(message, cure)
	}
	p, err := l.cache.read(name + ".lua")
	if err != nil {
		return fault(fmt.Sprintf("cannot be read from %s.lua: %v", name, reason(err)), l.cure(name))
	}
	return l.add(name, p, by != nil && by.kind == "module")
}

// read reads a file for the first time.
func (c *Cache) read(file string) (*piece, error) {
	if p := c.pieces[file]; p != nil {
		return p, nil
	}
	source, err := fs.ReadFile(c.fsys, file)
	if err != nil {
		return nil, err
	}
	p := newPiece(file, string(source))
	c.pieces[file] = p
	return p, nil
}

// add reads a module or a script, and what it leads to.
func (l *loader) add(name string, p *piece, asModule bool) *Mod {
	b := newBuilder(name)
	m := b.mod
	l.trees = append(l.trees, b.tree)
	l.mods[name] = m
	l.order = append(l.order, m)
	a := assembly{taken: map[*piece]bool{}}
	if l.cache != nil {
		a.read = l.cache.read
	}
	a.add(p, nil)
	for in := range a.taken {
		m.pieces = append(m.pieces, in)
	}
	l.pieces = append(l.pieces, m.pieces...)
	if b.found = a.found; len(b.found) == 0 {
		b.readAssembly(p, &a, asModule)
	}
	for in := range a.taken {
		in.chunk = nil
	}
	l.found = append(l.found, b.found...)
	for _, u := range m.tree().units {
		for _, r := range u.requires {
			if l.cache == nil {
				continue // see checkRequires
			}
			if other := l.load(r.path(), &reference{u, r.call, "module"}); other != nil && other != m && !slices.Contains(m.imports, other) {
				m.imports = append(m.imports, other)
			}
		}
		l.calls(u)
	}
	return m
}

// check checks all that was loaded, when all of it is known: modules may call
// each other.
func (l *loader) check() error {
	if len(l.found) == 0 {
		for _, m := range l.order {
			l.found = append(l.found, m.check()...)
		}
	}
	if len(l.found) > 0 {
		return l.found
	}
	return nil
}

// cure tells what to do about a file that is not there.
func (l *loader) cure(name string) string {
	files, _ := fs.Glob(l.cache.fsys, path.Join(path.Dir(name), "*.lua")) // at worst a pattern that finds nothing
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".lua")
	}
	if cure := didYouMean(name, files); cure != "" {
		return cure
	}
	return "put it into the file system given to LoadFS, whose root names begin at (fs.Sub enters a folder)"
}

// badPath says what is wrong with the name of a file, if something is. A module
// that is required needs a Lua name.
func badPath(name string, required bool) string {
	if !fs.ValidPath(name) || name == "." {
		return "is no name of a file; write it without .lua and .., with / between folders"
	}
	if required {
		return badModuleName(path.Base(name))
	}
	return ""
}

// reason is err without the path, which the finding names.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// path is the name of the file that a require means: folders are separated by
// dots, as Lua does, or by slashes.
func (r *require) path() string {
	if strings.Contains(r.name, "/") {
		return r.name
	}
	return strings.ReplaceAll(r.name, ".", "/")
}

// checkRequires finds requires that mean no module, and modules' names that
// stop meaning one.
func (u *unit) checkRequires() (found Findings) {
	calls := map[lua51.Pos]bool{}
	for _, r := range u.requires {
		calls[r.call.Pos()] = true
		switch mod := u.mod.imported(r.path()); {
		case mod == nil:
			found = append(found, u.finding(r.call, fmt.Sprintf("module %q is not known here", r.name), "give the module lua.Import of it, or load both with LoadFS"))
		case mod.script != nil:
			found = append(found, u.finding(r.call, fmt.Sprintf("%q is a script, not a module", r.name), fmt.Sprintf("call it: CALL.%s(keys, args)", strings.ReplaceAll(mod.name, "/", "."))))
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
