package luatest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// WriteFile writes the coverage as a Go cover profile, which is shown by:
//
//	go tool cover -html=lua.cover
//
// Texts are found by what they say: a module is shown in the .lua file below
// Root that holds just its text. Functions and modules that are written in Go
// files are not in the profile; String shows them.
//
// Files beside Go files are named by the import path of their package, as in
// Go's own profiles, so that the tool finds them on another machine too; others
// by their absolute path, since it knows of no folder without Go files.
func (c *Coverage) WriteFile(name string) error {
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return fmt.Errorf("luatest: %w", err)
	}
	files, err := luaFiles(root)
	if err != nil {
		return fmt.Errorf("luatest: find the .lua files below %s: %w", root, err)
	}
	var b strings.Builder
	b.WriteString("mode: count\n")
	found := false
	for _, t := range c.sorted() {
		file, ok := files[plain(t.Source)]
		if t.Source == "" || !ok {
			continue
		}
		found = true
		shown := showName(file)
		for i, s := range t.Statements {
			fmt.Fprintf(&b, "%s:%d.%d,%d.%d 1 %d\n", shown, s.Line, s.Column, s.EndLine, s.EndColumn, t.counts[i])
		}
	}
	if !found {
		return fmt.Errorf("luatest: no .lua file below %s holds a text that was run; set Coverage.Root to where they lie", root)
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("luatest: %w", err)
	}
	return nil
}

// luaFiles maps the texts of .lua files to their paths.
func luaFiles(root string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != root && (strings.HasPrefix(name, ".") || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".lua" {
			return nil
		}
		text, err := os.ReadFile(file)
		if err == nil && files[plain(string(text))] == "" {
			files[plain(string(text))] = file
		}
		return err
	})
	return files, err
}

// plain is a text as package lua reads it.
func plain(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// showName is the name of a file in a profile.
func showName(file string) string {
	if beside, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*.go")); beside == nil {
		return file
	}
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil {
			rest, _ := filepath.Rel(dir, file) // it lies below
			return path.Join(modulePath(string(text)), filepath.ToSlash(rest))
		}
		if dir == filepath.Dir(dir) || !errors.Is(err, fs.ErrNotExist) {
			return file
		}
	}
}

// modulePath is the module that a go.mod declares.
func modulePath(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	return ""
}
