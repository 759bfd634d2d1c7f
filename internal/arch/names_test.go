package arch_test

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What documents name in backquotes as a package's, `lock.Options.Slot`, is there.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	tr := load(t, root)
	names := exported(tr)
	if len(names) < 500 {
		t.Fatalf("read %d names of the packages", len(names))
	}
	for _, page := range documents(t, root) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, misnamed(filepath.Base(page), string(text), names))
	}
}

var (
	quoted    = regexp.MustCompile("`[^`\n]+`")
	fenced    = regexp.MustCompile("(?s)```.*?```")
	qualified = regexp.MustCompile(`(?:^|[^\w./-])([a-z]\w*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
)

// misnamed finds names in a document that no package has.
func misnamed(page, text string, names map[string]bool) (findings []string) {
	text = fenced.ReplaceAllStringFunc(text, func(block string) string {
		return strings.Repeat("\n", strings.Count(block, "\n"))
	})
	for i, line := range strings.Split(text, "\n") {
		for _, code := range quoted.FindAllString(line, -1) {
			for _, m := range qualified.FindAllStringSubmatch(code, -1) {
				name := m[1] + "." + m[2]
				if m[3] != "" && names[name] {
					name += "." + m[3]
				}
				if names[m[1]] && !names[name] {
					findings = append(findings, fmt.Sprintf("%s:%d: there is no %s", page, i+1, name))
				}
			}
		}
	}
	return findings
}

// exported returns the names of the packages that users import, of what they
// export, and of the fields and methods of that: lock, lock.Options,
// lock.Options.Slot.
func exported(tr *tree) map[string]bool {
	names := map[string]bool{}
	for _, p := range tr.packages {
		if !slices.Contains(public, p.path) && p.path != "lua/luatest" {
			continue
		}
		in := path.Base(p.path)
		names[in] = true
		add := func(of string, ids ...*ast.Ident) {
			for _, id := range ids {
				if id.IsExported() {
					names[of+"."+id.Name] = true
				}
			}
		}
		for _, f := range p.files {
			if f.test() {
				continue
			}
			for _, decl := range f.syntax.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil {
						add(in, d.Name)
					} else {
						add(in+"."+receiver(d.Recv.List[0].Type).Name, d.Name)
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						switch s := spec.(type) {
						case *ast.ValueSpec:
							add(in, s.Names...)
						case *ast.TypeSpec:
							add(in, s.Name)
							for _, member := range members(s.Type) {
								add(in+"."+s.Name.Name, member.Names...)
							}
						}
					}
				}
			}
		}
	}
	return names
}

// members returns the fields of a struct and the methods of an interface.
func members(t ast.Expr) []*ast.Field {
	switch t := t.(type) {
	case *ast.StructType:
		return t.Fields.List
	case *ast.InterfaceType:
		return t.Methods.List
	}
	return nil
}

// The test of this file finds what it is for.
func TestNamesFindings(t *testing.T) {
	names := exported(plant(t, map[string]string{
		"lock/lock.go": "package lock\n\ntype Options struct{ Slot string; hidden int }\n\nfunc New[T any]() {}\n\n" +
			"type Bound[K any] struct{}\n\nfunc (b *Bound[K]) Do() {}\n\nvar ErrLost, errGone error\n\ntype Waiter interface{ Wait() }\n",
		"lock/lock_test.go": "package lock\n\nfunc Tested() {}\n",
	}))
	text := "`lock.New[int]`, `lock.Options.Slot`, `*lock.Bound.Do(ctx)`, `lock.ErrLost`, `lock.Waiter.Wait`, lock.Prose\n" +
		"`lock.Tested` and `errors.Is(err, lock.ErrGone)`\n```go\n`lock.Fenced`\n```\n`lock.Options.TTL`, `redis.Client`, `x/lock.Md`, `lock.go`\n`lock.Gone.Slot`\n"
	finds(t, misnamed("a.md", text, names),
		"a.md:2: there is no lock.Tested", "a.md:2: there is no lock.ErrGone",
		"a.md:6: there is no lock.Options.TTL", "a.md:7: there is no lock.Gone")
}
