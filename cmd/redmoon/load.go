package main

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
)

// A folder is what LoadAllFS makes of a directory: its modules and scripts, in
// the order of their names, and what is wrong.
type folder struct {
	dir      string
	mods     []*lua.Mod
	findings []finding
}

// A finding is one thing that is wrong, as -json prints it.
type finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Cure    string `json:"cure,omitempty"`
	Source  string `json:"source,omitempty"`
}

// load reads all modules of a directory.
func load(dir string) (*folder, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usagef("there is no folder %s; name the one with the .lua files", dir)
	case err != nil:
		return nil, usagef("%v", err)
	case !info.IsDir():
		return nil, usagef("%s is a file; name the folder it is in, %s", dir, filepath.Dir(dir))
	}
	fsys := os.DirFS(dir)
	f := &folder{dir: dir}
	mods, err := lua.LoadAllFS(fsys)
	if err != nil {
		f.find(err)
		return f, nil
	}
	if len(mods) == 0 {
		return nil, usagef("no .lua file in %s; name the folder that has them", dir)
	}
	for _, name := range slices.Sorted(maps.Keys(mods)) {
		f.mods = append(f.mods, mods[name])
	}
	return f, nil
}

// find adds what an error tells, unless another module told it.
func (f *folder) find(err error) {
	var all []finding
	var findings lua.Findings
	if errors.As(err, &findings) {
		for _, one := range findings {
			all = append(all, finding{one.File, one.Line, one.Column, one.Message, one.Cure, one.Source})
		}
	} else if at := placed.FindStringSubmatch(err.Error()); at != nil {
		line, _ := strconv.Atoi(at[2])
		column, _ := strconv.Atoi(at[3])
		all = append(all, finding{File: at[1], Line: line, Column: column, Message: at[4]})
	} else {
		all = append(all, finding{Message: strings.TrimPrefix(err.Error(), "lua: ")})
	}
	for _, one := range all {
		if one.File != "" {
			one.File = filepath.Join(f.dir, one.File)
		}
		if !slices.Contains(f.findings, one) {
			f.findings = append(f.findings, one)
		}
	}
	slices.SortStableFunc(f.findings, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// placed is an error about a place.
var placed = regexp.MustCompile(`(?s)^lua: (\S+?):(\d+):(?:(\d+):)? (.*)$`)

// An entry is a function that Go may call.
type entry struct {
	name   string // stock.take
	sign   lua.Signature
	script *lua.Script // nil: it takes a record, which only its model knows
}

// entries compiles all of them, sorted by module and name.
func (f *folder) entries() (all []entry) {
	for _, mod := range f.mods {
		for _, name := range mod.Functions() {
			sign, err := mod.Signature(name)
			if err != nil {
				f.find(err)
				continue
			}
			bound, err := lua.TryBind[lua.Args, any](mod, name)
			if err != nil {
				f.find(err)
				continue
			}
			e := entry{name: bound.Script().Name(), sign: sign}
			if len(sign.Params) == 0 || sign.Params[0].Name != "self" {
				e.script = bound.Script()
			}
			all = append(all, e)
		}
	}
	return all
}

// sound returns the entries of a directory in which nothing is wrong; otherwise
// it tells what is.
func (c *call) sound(dir string) (*folder, []entry, error) {
	f, err := load(dir)
	if err != nil {
		return nil, nil, err
	}
	all := f.entries()
	if len(f.findings) > 0 {
		f.print(c.err)
		return nil, nil, errFindings
	}
	return f, all, nil
}
