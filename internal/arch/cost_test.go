package arch_test

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every verb says what it costs, in commands and round trips, in the last
// paragraph of its comment.
func TestVerbsSayTheirCost(t *testing.T) {
	holds(t, costless(load(t, root), noVerbs, verbsWithoutContext))
}

// A verb is a function that reaches a server. The rule: users see it, its first
// parameter is a context, and it has something to send by, which may be its
// receiver, a DB, a Ref, or what is bound to a DB. A plain function that is given
// nothing but functions beside its context leaves the sending to them, as After
// does. These lists are what the rule gets wrong, each with the reason.
var (
	noVerbs = map[string]string{
		"pipectx.InAtomic": "it asks the context, not a server",
		"pipectx.Then":     "it keeps the Ref's function for later; what that sends, its own verbs cost",
	}
	verbsWithoutContext = map[string]string{
		"pipectx.Pipeline.Exec": "it sends by the context that Begin was given",
	}
)

func costless(tr *tree, noVerbs, withoutContext map[string]string) (findings []string) {
	var met []string // functions
	total := 0       // verbs
	for _, p := range tr.packages {
		if !imported(p.path) {
			continue
		}
		verbs := 0
		for _, f := range functions(p) {
			at := tr.at(f.file, f.decl.Pos())
			_, excepted := noVerbs[f.name]
			_, added := withoutContext[f.name]
			byRule := sends(f.decl)
			met = append(met, f.name)
			switch wrong := wrongCost(f.decl.Doc.Text()); {
			case excepted && !byRule:
				findings = append(findings, fmt.Sprintf("%s: %s is no verb by the rule: take it out of noVerbs", at, f.name))
			case added && byRule:
				findings = append(findings, fmt.Sprintf("%s: %s is a verb by the rule: take it out of verbsWithoutContext", at, f.name))
			case excepted && wrong != noCost:
				findings = append(findings, fmt.Sprintf("%s: %s says a cost, and is in noVerbs: take it out there or here", at, f.name))
			case wrong == noCost && (excepted || !byRule && !added):
			case wrong != "":
				findings = append(findings, fmt.Sprintf("%s: %s %s", at, f.name, wrong))
				fallthrough
			default:
				verbs++
			}
		}
		if total += verbs; verbs > 0 && !holdsWire(p) {
			findings = append(findings, fmt.Sprintf("%s: no %s in a test file: golden files hold the costs of verbs, and that test finds verbs without one", p.path, wireTest))
		}
	}
	for _, list := range []map[string]string{noVerbs, withoutContext} {
		for name, reason := range list {
			if !slices.Contains(met, name) {
				findings = append(findings, fmt.Sprintf("cost_test.go: users reach no function %s: take it out of the list", name))
			}
			if reason == "" {
				findings = append(findings, fmt.Sprintf("cost_test.go: the list does not say why %s is in it", name))
			}
		}
	}
	if total == 0 {
		findings = append(findings, "no package has a verb: does the rule still find them?")
	}
	return findings
}

// imported tells whether users import a package.
func imported(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !slices.Contains([]string{".", "internal", "examples", "cmd"}, first)
}

// A function is known by its package, the type it is declared on, and its name.
type function struct {
	name string // keyspace.bound.Exists
	file *file
	decl *ast.FuncDecl
}

// functions are those that users reach: exported ones, and exported methods of
// exported types and of what those embed. A method of an embedded type is one,
// however many types embed it.
func functions(p *pkg) (list []function) {
	embeds := map[string][]string{} // type → what it embeds
	for _, f := range p.files {
		if f.test() {
			continue
		}
		for _, d := range f.syntax.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						embeds[s.Name.Name] = embedded(s.Type)
					}
				}
			}
		}
	}
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		if !reached[name] {
			reached[name] = true
			for _, in := range embeds[name] {
				reach(in)
			}
		}
	}
	for name := range embeds {
		if ast.IsExported(name) {
			reach(name)
		}
	}
	for _, f := range p.files {
		if f.test() {
			continue
		}
		for _, d := range f.syntax.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || !d.Name.IsExported() {
				continue
			}
			name := p.path + "." + d.Name.Name
			if d.Recv != nil {
				on := receiver(d.Recv.List[0].Type).Name
				if !reached[on] {
					continue
				}
				name = p.path + "." + on + "." + d.Name.Name
			}
			list = append(list, function{name, f, d})
		}
	}
	return list
}

func embedded(t ast.Expr) (names []string) {
	if s, ok := t.(*ast.StructType); ok {
		for _, field := range s.Fields.List {
			if field.Names == nil {
				names = append(names, receiver(field.Type).Name)
			}
		}
	}
	return names
}

// sends is the rule: a context, and something to send by.
func sends(d *ast.FuncDecl) bool {
	params := d.Type.Params.List
	if len(params) == 0 {
		return false
	}
	first, ok := params[0].Type.(*ast.SelectorExpr)
	if !ok || receiver(first.X).Name != "context" || first.Sel.Name != "Context" {
		return false
	}
	return d.Recv != nil || slices.ContainsFunc(params[1:], func(p *ast.Field) bool {
		_, callback := p.Type.(*ast.FuncType)
		return !callback
	})
}

const noCost = `does not say its cost; end its comment with a paragraph such as "Cost: GET; 1 command; 1 round trip outside Run, none of its own inside."`

var (
	ofCommands   = regexp.MustCompile(`\bcommands?\b`)
	ofRoundTrips = regexp.MustCompile(`\bround trips?\b`)
)

// wrongCost says what is wrong with the cost that a comment tells.
func wrongCost(text string) string {
	var parser comment.Parser
	content := parser.Parse(text).Content
	at := slices.IndexFunc(content, func(b comment.Block) bool { return strings.HasPrefix(plain(b), "Cost:") })
	switch {
	case at < 0:
		return noCost
	case at < len(content)-1:
		return "says its cost before the end; make it the last paragraph, and one"
	}
	switch cost := plain(content[at]); {
	case !ofCommands.MatchString(cost):
		return `does not say how many commands it costs; add "1 command", or "no command"`
	case !ofRoundTrips.MatchString(cost):
		return `does not say how many round trips it costs; add "1 round trip outside Run, none of its own inside", or "no round trip"`
	}
	return ""
}

// plain is the text of a paragraph on one line; "" for code, lists, headings.
func plain(b comment.Block) string {
	if _, ok := b.(*comment.Paragraph); !ok {
		return ""
	}
	var printer comment.Printer
	return strings.Join(strings.Fields(string(printer.Text(&comment.Doc{Content: []comment.Block{b}}))), " ")
}

// wireTest is the test that each package with verbs has.
const wireTest = "TestEveryVerbHasItsWire"

func holdsWire(p *pkg) bool {
	return slices.ContainsFunc(p.files, func(f *file) bool {
		return f.test() && slices.ContainsFunc(f.syntax.Decls, func(d ast.Decl) bool {
			test, ok := d.(*ast.FuncDecl)
			return ok && test.Recv == nil && test.Name.Name == wireTest
		})
	})
}

// The test of this file finds what it is for.
func TestCostFindings(t *testing.T) {
	const wire = "package x_test\n\nfunc TestEveryVerbHasItsWire(t *testing.T) {}\n"
	tr := plant(t, map[string]string{
		"lock/wire_test.go": wire,
		"lock/verbs.go": `package lock

import "context"

// Told tells.
//
// Cost: SET NX; 1 command; 1 round
// trip outside Run, none of its own inside.
func Told(ctx context.Context, db *DB) {}

// Bare has no cost.
func Bare(ctx context.Context, db *DB) error { return nil }

func Silent[T any](ctx context.Context, ref *Ref[T]) {}

// Early is early.
//
// Cost: 1 command; 1 round trip.
//
// More.
func Early(ctx context.Context, key string) {}

// Twice tells twice.
//
// Cost: 1 command; 1 round trip.
//
// Cost: 2 commands; 1 round trip.
func Twice(ctx context.Context, key string) {}

// Vague is as vague.
//
// Cost: as Told.
func Vague(ctx context.Context, key string) {}

// Half says half.
//
// Cost: 1 command.
func Half(ctx context.Context, key string) {}

// Inline does not end with a paragraph of its own.
// Cost: 1 command; 1 round trip.
func Inline(ctx context.Context, key string) {}

// Later leaves the sending to fn.
func Later(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

// Step steps out.
func Step(ctx context.Context) context.Context { return ctx }

// Excepted is in the list.
func Excepted(ctx context.Context, ref *Ref[int]) {}

// Told and yet excepted.
//
// Cost: 1 command; 1 round trip.
func ExceptedToo(ctx context.Context, ref *Ref[int]) {}

// New has no context.
func New(key string) *Held { return nil }

// Free need not say a cost, and says it wrongly.
//
// Cost: nothing.
func Free() {}

func hidden(ctx context.Context, db *DB) {}
`,
		"lock/types.go": `package lock

import "context"

// Held is held.
type Held struct {
	*inner[int]
	name string
}

type inner[K any] struct{ deepest }

type deepest struct{ context.Context }

type apart struct{}

// A Watcher is the user's.
type Watcher interface{ Seen(ctx context.Context) }

func (*inner[K]) Renew(ctx context.Context) {}
func (d deepest) End(ctx context.Context)   {}
func (apart) End(ctx context.Context)       {}
func (Held) quiet(ctx context.Context)      {}

// Exec has no context.
func (*Held) Exec() error { return nil }

// Release has one.
//
// Cost: 1 command; 1 round trip.
func (Held) Release(ctx context.Context) {}
`,
		"cache/cache.go":       "package cache\n\nimport \"context\"\n\n// Get gets.\n//\n// Cost: 1 command; 1 round trip.\nfunc Get(ctx context.Context, db any) {}\n",
		"field/field.go":       "package field\n\nfunc For() {}\n",
		"internal/demo/x.go":   "package demo\n\nimport \"context\"\n\nfunc Fill(ctx context.Context, db any) {}\n",
		"examples/bank/x.go":   "package main\n\nimport \"context\"\n\nfunc Fill(ctx context.Context, db any) {}\n",
		"lock/helpers_test.go": "package lock\n\nimport \"context\"\n\nfunc Fill(ctx context.Context, db any) {}\n",
	})
	finds(t, costless(tr,
		map[string]string{"lock.Excepted": "a reason", "lock.ExceptedToo": "a reason", "lock.Later": "a reason", "lock.Gone": "a reason"},
		map[string]string{"lock.Held.Exec": "", "lock.Held.Release": "a reason", "lock.hidden": "a reason"},
	),
		"lock/verbs.go:12: lock.Bare does not say its cost; end its comment",
		"lock/verbs.go:14: lock.Silent does not say its cost",
		"lock/verbs.go:21: lock.Early says its cost before the end",
		"lock/verbs.go:28: lock.Twice says its cost before the end",
		"lock/verbs.go:33: lock.Vague does not say how many commands",
		"lock/verbs.go:38: lock.Half does not say how many round trips",
		"lock/verbs.go:42: lock.Inline does not say its cost",
		"lock/verbs.go:45: lock.Later is no verb by the rule",
		"lock/verbs.go:56: lock.ExceptedToo says a cost, and is in noVerbs",
		"lock/verbs.go:64: lock.Free does not say how many commands",
		"lock/types.go:20: lock.inner.Renew does not say its cost",
		"lock/types.go:21: lock.deepest.End does not say its cost",
		"lock/types.go:26: lock.Held.Exec does not say its cost",
		"lock/types.go:31: lock.Held.Release is a verb by the rule",
		"cost_test.go: users reach no function lock.Gone",
		"cost_test.go: users reach no function lock.hidden",
		"cost_test.go: the list does not say why lock.Held.Exec",
		"cache: no TestEveryVerbHasItsWire in a test file",
	)
	finds(t, costless(plant(t, map[string]string{"field/field.go": "package field\n"}), nil, nil), "no package has a verb")
}
