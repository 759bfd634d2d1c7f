package arch_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A shape is one of keys.md: a text in which some words stand for something else.
type shape struct {
	section string // the package that writes it
	text    string // P{id}
	typ     string // as TYPE says it
	forms   []form
	met     map[string]bool // the texts of forms that keys had
}

// A form is a shape with a placement.
type form struct {
	text string
	is   *regexp.Regexp
}

var (
	section      = regexp.MustCompile(`(?m)^## (\w+)$`)
	shapeRow     = regexp.MustCompile("(?m)^\\| (`[^|]+`) \\| ([a-z ]+) \\|")
	placementRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| `P([^|]+)` \\| `")
	word         = regexp.MustCompile(`[A-Za-z]+|[0-9]+`)
)

// variables are the words that stand for something else. What somebody declares
// must be in the source of the package whose suite writes the key, so it has a
// name here.
var variables = map[string]string{
	"P": `(?P<P>[^{}#]+)`, "T": `(?P<T>[^{}]+?)`, "R": `(?P<R>[^{}]+?)`, "F": `(?P<F>[^{}]+)`,
	"id": `[^{}]+`, "rest": `[^{}]+`, "slot": `[^{}]+`, "name": `[^{}]+`, "A": `(?s:.*)`, "b": `\d+`, "20060102": `\d{8}`,
}

// shapesOf reads the tables of a page. In the sections of keyspace and model {id}
// stands for what any of the placements makes of an id.
func shapesOf(page string) (all []*shape, err error) {
	var tails []string
	for _, row := range placementRow.FindAllStringSubmatch(page, -1) {
		tails = append(tails, row[1])
	}
	sections := section.FindAllStringSubmatchIndex(page, -1)
	for i, at := range sections {
		end := len(page)
		if i+1 < len(sections) {
			end = sections[i+1][0]
		}
		of, before := page[at[2]:at[3]], len(all)
		for _, row := range shapeRow.FindAllStringSubmatch(page[at[1]:end], -1) {
			for _, text := range quoted.FindAllString(row[1], -1) {
				s := &shape{section: of, text: strings.Trim(text, "`"), typ: map[string]string{"sorted set": "zset"}[row[2]], met: map[string]bool{}}
				if s.typ == "" {
					s.typ = row[2]
				}
				forms := []string{s.text}
				if head, ok := strings.CutSuffix(s.text, "{id}"); ok && (of == "keyspace" || of == "model") {
					forms = nil
					for _, tail := range tails {
						forms = append(forms, head+tail)
					}
				}
				for _, text := range forms {
					s.forms = append(s.forms, form{text, pattern(text)})
				}
				if !slices.ContainsFunc(all, func(o *shape) bool { return o.section == of && o.text == s.text && o.typ == s.typ }) {
					all = append(all, s) // else it is another content of such keys
				}
			}
		}
		if len(all) == before {
			return nil, fmt.Errorf("docs/keys.md: no table of shapes and types under %s", of)
		}
	}
	if len(all) == 0 || len(tails) == 0 {
		return nil, errors.New("docs/keys.md: no section of a package, or no placements")
	}
	return all, nil
}

func pattern(form string) *regexp.Regexp {
	var b strings.Builder
	at := 0
	for _, m := range word.FindAllStringIndex(form, -1) {
		b.WriteString(regexp.QuoteMeta(form[at:m[0]]))
		w := form[m[0]:m[1]]
		if v, ok := variables[w]; ok {
			w = v
		}
		b.WriteString(w)
		at = m[1]
	}
	return regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(form[at:]) + "$")
}

// is tells whether a key has the shape, and notes it, where declared are the texts
// in the source of who wrote it.
func (s *shape) is(key string, declared map[string]bool) (found bool) {
	for _, f := range s.forms {
		m := f.is.FindStringSubmatch(key)
		if m == nil {
			continue
		}
		known := true
		for i, name := range f.is.SubexpNames() {
			counted := strings.TrimRight(m[i], "0123456789") + "%d" // fmt.Sprintf makes it
			known = known && (name == "" || declared[m[i]] || declared[counted])
		}
		if known {
			s.met[f.text], found = true, true
		}
	}
	return found
}

// writes returns the sections of shapes whose package p is, or imports, in its
// tests too.
func (p *pkg) writes(shapes []*shape) (sections []string) {
	for _, s := range shapes {
		if !slices.Contains(sections, s.section) && (p.path == s.section || p.uses(module+"/"+s.section)) {
			sections = append(sections, s.section)
		}
	}
	return sections
}

func (p *pkg) uses(path string) (found bool) {
	for _, f := range p.files {
		f.imports(func(_ *ast.ImportSpec, imported string) { found = found || imported == path })
	}
	return found
}

// literals returns the texts in the source of p, and those of Template as what
// tells whether a key is of it.
func (p *pkg) literals() (all map[string]bool, templates []func(key string) bool) {
	all = map[string]bool{}
	for _, f := range p.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					all[text] = true
				}
			case *ast.CallExpr:
				if len(n.Args) == 1 && strings.HasSuffix(called(n.Fun), "Template") {
					if lit, ok := n.Args[0].(*ast.BasicLit); ok {
						text, _ := strconv.Unquote(lit.Value) // it compiles
						before, after, _ := strings.Cut(text, "%s")
						templates = append(templates, func(key string) bool {
							return before+after != "" && strings.HasPrefix(key, before) && strings.HasSuffix(key, after)
						})
					}
				}
			}
			return true
		})
	}
	return all, templates
}

func called(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}
