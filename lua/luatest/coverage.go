package luatest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/redmoon-go/redmoon/lua"
)

// Coverage counts the statements that watched scripts run, in their authors'
// files, over as many tests as [Watch.Cover] adds to it. The zero value is ready.
// Safe for concurrent use.
//
//	var coverage luatest.Coverage
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		if err := coverage.WriteFile("lua.cover"); err != nil {
//			log.Fatal(err)
//		}
//		fmt.Print(&coverage)
//		os.Exit(code)
//	}
//
// Counted are whole modules, with the functions that nobody called, as soon as
// one of them is. Statements that only give a function its name are not counted.
type Coverage struct {
	// Root is the folder below which the .lua files lie. Default: that of the
	// package under test.
	Root string

	mu    sync.Mutex
	texts map[textID]*covered
}

// A textID tells texts of one name apart.
type textID struct {
	file, source string
	statements   int
}

// covered is a text with how often each statement of it was run.
type covered struct {
	*lua.Text
	counts []int
}

// Add adds modules, and those they import, of which perhaps no function is
// called at all.
func (c *Coverage) Add(mods ...*lua.Mod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, mod := range mods {
		for _, t := range mod.Texts() {
			c.text(t)
		}
	}
}

// add adds what a script ran.
func (c *Coverage) add(p *lua.Probe, counts []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range p.Texts {
		c.text(t)
	}
	for i, n := range counts {
		at := p.Counts[i]
		c.text(at.Text).counts[at.Statement] += n
	}
}

func (c *Coverage) text(t *lua.Text) *covered {
	id := textID{t.File, t.Source, len(t.Statements)}
	if t.Source == "" && len(t.Statements) > 0 { // of a Func
		id.source = fmt.Sprint(t.Statements)
	}
	if c.texts == nil {
		c.texts = map[textID]*covered{}
	}
	if c.texts[id] == nil {
		c.texts[id] = &covered{t, make([]int, len(t.Statements))}
	}
	return c.texts[id]
}

// Share is how much of the statements was run, from 0 to 1: of all that String
// shows, or of the texts with these names.
func (c *Coverage) Share(files ...string) float64 {
	run, all := 0, 0
	for _, t := range c.chosen(files) {
		r, a := t.share(t.functions()...)
		run, all = run+r, all+a
	}
	if all == 0 {
		return 0
	}
	return float64(run) / float64(all)
}

// Missed lists the statements that were not run, as in "stock.lua:33:3".
func (c *Coverage) Missed(files ...string) (places []string) {
	for _, t := range c.chosen(files) {
		for i, s := range t.Statements {
			if t.counts[i] == 0 {
				places = append(places, fmt.Sprintf("%s:%d:%d", t.File, s.Line, s.Column))
			}
		}
	}
	return places
}

// chosen are the texts with these names, or those of the user.
func (c *Coverage) chosen(files []string) []*covered {
	return slices.DeleteFunc(c.sorted(), func(t *covered) bool {
		if len(files) > 0 {
			return !slices.Contains(files, t.File)
		}
		return t.File == "" || strings.HasPrefix(t.File, "redmoon_") // a script by hand; this library's
	})
}

// String shows each function with its share, as go tool cover -func does, which
// itself can only read Go.
func (c *Coverage) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 1, 8, 1, '\t', 0)
	run, all := 0, 0
	for _, t := range c.chosen(nil) {
		for _, f := range t.functions() {
			r, a := t.share(f)
			run, all = run+r, all+a
			line := t.Statements[slices.IndexFunc(t.Statements, func(s lua.Statement) bool { return s.Func == f })].Line
			fmt.Fprintf(w, "%s:%d:\t%s\t%.1f%%\n", t.File, line, cmp.Or(f, "(the module)"), percent(r, a))
		}
	}
	fmt.Fprintf(w, "total:\t(statements)\t%.1f%%\n", percent(run, all))
	_ = w.Flush() // into memory
	return b.String()
}

// sorted are the texts, in the order of their names.
func (c *Coverage) sorted() []*covered {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Values(c.texts), func(a, b *covered) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Source, b.Source))
	})
}

// functions are those that have statements, in the order of the text.
func (t *covered) functions() (names []string) {
	for _, s := range t.Statements {
		if !slices.Contains(names, s.Func) {
			names = append(names, s.Func)
		}
	}
	return names
}

// share counts the statements of functions: those that were run, and all.
func (t *covered) share(functions ...string) (run, all int) {
	for i, s := range t.Statements {
		if slices.Contains(functions, s.Func) {
			all++
			if t.counts[i] > 0 {
				run++
			}
		}
	}
	return run, all
}

func percent(run, all int) float64 {
	if all == 0 {
		return 100
	}
	return 100 * float64(run) / float64(all)
}
