package arch_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module, and root is where it lies.
const (
	module = "github.com/redmoon-go/redmoon"
	root   = "../.."
)

// A tree is the Go code of a module, as it lies in its folders.
type tree struct {
	fset     *token.FileSet
	packages []*pkg // by path
}

// A pkg is one folder with Go files.
type pkg struct {
	path  string // from the root, "." for the root itself
	files []*file
}

type file struct {
	path   string // from the root
	syntax *ast.File
}

func (f *file) base() string { return path.Base(f.path) }
func (f *file) test() bool   { return strings.HasSuffix(f.path, "_test.go") }

// load reads the module at root. Folders that are modules of their own are
// passed over, and so is what the go command passes over.
func load(t *testing.T, root string) *tree {
	t.Helper()
	tr := &tree{fset: token.NewFileSet()}
	byPath := map[string]*pkg{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (passedOver(d.Name()) || exists(filepath.Join(name, "go.mod"))) {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(rel) != ".go" || passedOver(d.Name()) {
			return nil
		}
		syntax, err := parser.ParseFile(tr.fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(rel)
		p := byPath[dir]
		if p == nil {
			p = &pkg{path: dir}
			byPath[dir] = p
			tr.packages = append(tr.packages, p)
		}
		p.files = append(p.files, &file{path: rel, syntax: syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(tr.packages, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return tr
}

func passedOver(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor"
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// at names a place in a file.
func (tr *tree) at(f *file, pos token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, tr.fset.Position(pos).Line)
}

// imports calls yield for each import of f.
func (f *file) imports(yield func(spec *ast.ImportSpec, path string)) {
	for _, spec := range f.syntax.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil {
			yield(spec, name)
		}
	}
}

// holds fails the test with each finding.
func holds(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// plant writes a module for a test of the tests: path → content.
func plant(t *testing.T, files map[string]string) *tree {
	t.Helper()
	return load(t, plantAt(t, files))
}

func plantAt(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// finds compares findings with the beginnings that are wanted, in any order.
func finds(t *testing.T, findings []string, want ...string) {
	t.Helper()
	for _, w := range want {
		i := slices.IndexFunc(findings, func(f string) bool { return strings.HasPrefix(f, w) })
		if i < 0 {
			t.Errorf("nothing found that begins %q", w)
			continue
		}
		findings = slices.Delete(slices.Clone(findings), i, i+1)
	}
	for _, f := range findings {
		t.Errorf("found, though all is well: %s", f)
	}
}
