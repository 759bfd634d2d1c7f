package arch_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
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
		for _, f := range functions(p) { // what exported types embed has exported methods too
			text := f.decl.Doc.Text()
			if wrong := unreadable(text); wrong != "" {
				findings = append(findings, fmt.Sprintf("%s: the comment of %s %s", tr.at(f.file, f.decl.Pos()), f.name, wrong))
			}
			if text == "" && f.decl.Recv != nil && !receiver(f.decl.Recv.List[0].Type).IsExported() && !slices.Contains(commonMethods, f.decl.Name.Name) {
				findings = append(findings, fmt.Sprintf("%s: %s has no comment that says what it is for", tr.at(f.file, f.decl.Pos()), f.name))
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
				if s.Name.IsExported() {
					ids = append(ids, undocumentedMembers(s)...)
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

// undocumentedMembers returns the methods of an interface, if there are several, and
// the fields that one sets of Options, without a comment above or beside them. What
// else has members tells of them in its own comment.
func undocumentedMembers(s *ast.TypeSpec) (ids []*ast.Ident) {
	i, is := s.Type.(*ast.InterfaceType)
	if is && len(i.Methods.List) == 1 || !is && !strings.HasSuffix(s.Name.Name, "Options") {
		return nil
	}
	for _, m := range members(s.Type) {
		for _, name := range m.Names {
			if name.IsExported() && m.Doc.Text() == "" && m.Comment.Text() == "" && !slices.Contains(commonMethods, name.Name) {
				ids = append(ids, name)
			}
		}
	}
	return ids
}

// unreadable says what is wrong with a comment for those who read it by go doc: its
// first paragraph is made of sentences.
func unreadable(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n\n")
	if letter, _ := utf8.DecodeRuneInString(first); unicode.IsLower(letter) {
		return "does not begin as a sentence does"
	}
	if first != "" && !strings.ContainsRune(".:?),", rune(first[len(first)-1])) {
		return "does not end as a sentence does, nor leads to code"
	}
	return ""
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

// told, but no sentence.
func Small() {}

// Told without an end
func Endless() {}

// AnyOptions are set.
type AnyOptions struct {
	Told   int // told
	Silent int
	hidden int
}

// Plain tells of its fields itself.
type Plain struct {
	inner
	Silent int
}

type inner struct{}

func (inner) Promoted() {}

// One is told.
type One interface{ Told() }

// Two is told.
type Two interface {
	// Told is told.
	Told()
	Silent()
	String() string
}

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
		"lock/lock.go:15: BareFunc ", "lock/lock.go:63: D ", "lock/lock.go:68: E ", "lock/lock.go:73: G ",
		"lock/lock.go:22: the comment of lock.Small does not begin", "lock/lock.go:25: the comment of lock.Endless does not end",
		"lock/lock.go:30: Silent ", "lock/lock.go:42: lock.inner.Promoted ", "lock/lock.go:51: Silent ",
	)
}
