package arch_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Every package says in doc.go what it promises; a program says it in main.go.
func TestPackagesAreDocumented(t *testing.T) {
	holds(t, undocumentedPackages(load(t, root)))
}

func undocumentedPackages(tr *tree) (findings []string) {
	for _, p := range tr.packages {
		if !slices.ContainsFunc(p.files, func(f *file) bool { return !f.test() }) {
			continue // docs: listings that the guides show
		}
		want := "doc.go"
		if p.files[0].syntax.Name.Name == "main" {
			want = "main.go"
		}
		i := slices.IndexFunc(p.files, func(f *file) bool { return f.base() == want })
		if i < 0 {
			findings = append(findings, fmt.Sprintf("%s: no %s, which says what the package promises", p.path, want))
			continue
		}
		f := p.files[i]
		doc := f.syntax.Doc.Text()
		if name := f.syntax.Name.Name; doc == "" || want == "doc.go" && !strings.HasPrefix(doc, "Package "+name+" ") {
			findings = append(findings, fmt.Sprintf("%s: no package comment%s", f.path,
				map[bool]string{true: fmt.Sprintf(" that begins \"Package %s\"", name)}[want == "doc.go"]))
		}
	}
	return findings
}

// commonMethods mean the same everywhere, and are documented where they are
// declared.
var commonMethods = []string{"Error", "Unwrap", "String"}

// Every name that users can see says what it is for.
func TestExportedNamesAreDocumented(t *testing.T) {
	holds(t, undocumentedNames(load(t, root)))
}

func undocumentedNames(tr *tree) (findings []string) {
	for _, p := range tr.packages {
		if !slices.Contains(public, p.path) && p.path != "lua/luatest" {
			continue
		}
		for _, f := range p.files {
			if f.test() {
				continue
			}
			for _, decl := range f.syntax.Decls {
				for _, id := range undocumented(decl) {
					findings = append(findings, fmt.Sprintf("%s: %s has no comment that says what it is for", tr.at(f, id.Pos()), id.Name))
				}
			}
		}
	}
	return findings
}

// undocumented returns the exported names of a declaration without a comment.
// Constants and variables may share the comment of their group.
func undocumented(decl ast.Decl) (ids []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc.Text() != "" || !d.Name.IsExported() {
			return nil
		}
		if d.Recv != nil && (!receiver(d.Recv.List[0].Type).IsExported() || slices.Contains(commonMethods, d.Name.Name)) {
			return nil
		}
		return []*ast.Ident{d.Name}
	case *ast.GenDecl:
		group := d.Doc.Text() != "" && (d.Tok != token.TYPE || !d.Lparen.IsValid())
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if !group && s.Doc.Text() == "" && s.Name.IsExported() {
					ids = append(ids, s.Name)
				}
			case *ast.ValueSpec:
				if group || s.Doc.Text() != "" || s.Comment.Text() != "" {
					continue
				}
				for _, name := range s.Names {
					if name.IsExported() {
						ids = append(ids, name)
					}
				}
			}
		}
	}
	return ids
}

// receiver finds the name in T, *T, T[K] and *T[K, V].
func receiver(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x
		default:
			return ast.NewIdent("_")
		}
	}
}

// The tests of this file find what they are for.
func TestDocsFindings(t *testing.T) {
	tr := plant(t, map[string]string{
		"field/doc.go":          "// Package field turns.\npackage field\n",
		"lua/doc.go":            "// Some words.\npackage lua\n",
		"lua/x.go":              "// Package lua compiles.\npackage lua\n",
		"model/model.go":        "package model\n",
		"examples/bank/main.go": "// Bank is an essay.\npackage main\n",
		"examples/feed/main.go": "package main\n",
		"cmd/redmoon/redmoon.go": `package main
`,
		"docs/guide_test.go": "package docs_test\n",
		"lock/doc.go":        "// Package lock leases.\npackage lock\n",
		"lock/lock.go": `package lock

type Bare struct{}

// Told is told.
type Told[K any] struct{}

func (Told[K]) Bare()        {}
func (*Told[K]) BareToo()    {}
func (Told[K]) Error() string { return "" }
func (hidden) Exported()     {}

type hidden struct{}

func BareFunc() {}
func quiet()    {}

// Told too.
func ToldFunc() {}

// A group.
const (
	A = iota
	B
)

const (
	C = 1 // said beside it
	D = 2
)

// A group of types says nothing of each.
type (
	E struct{}
	// F is told.
	F struct{}
)

var G, h int
`,
		"lock/lock_test.go":    "package lock\n\nfunc Exported() {}\n",
		"internal/demo/x.go":   "package demo\n\nfunc Exported() {}\n",
		"internal/demo/doc.go": "// Package demo connects.\npackage demo\n",
	})
	finds(t, undocumentedPackages(tr),
		`lua/doc.go: no package comment that begins "Package lua"`,
		"model: no doc.go",
		"examples/feed/main.go: no package comment",
		"cmd/redmoon: no main.go",
	)
	finds(t, undocumentedNames(tr),
		"lock/lock.go:3: Bare ", "lock/lock.go:8: Bare ", "lock/lock.go:9: BareToo ",
		"lock/lock.go:15: BareFunc ", "lock/lock.go:29: D ", "lock/lock.go:34: E ", "lock/lock.go:39: G ",
	)
}
