package lua

import (
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A tree is what the parser knows of a module's texts. It is many times as large
// as they are, and needed to check and to link alone: a program that has started
// keeps texts and scripts. Nobody but who is at work holds a tree, so the collector
// takes it; whoever asks again has it made again, just alike. See
// docs/decisions/0011-texts-are-kept-not-trees.md.
type tree struct {
	units   []*unit            // one a text, in their order
	exports []*function        // sorted by name, private ones included
	defines map[string][]place // the statements that put functions under a field

	arranging sync.Once
	arranged  []*Mod // see order
}

func newTree() *tree { return &tree{defines: map[string][]place{}} }

// tree returns the module's tree. It is the same one, with the same nodes, for as
// long as somebody holds it or one of its units.
func (m *Mod) tree() *tree {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.kept.Value(); t != nil {
		return t
	}
	b := builder{mod: m, tree: newTree()}
	for _, t := range m.texts {
		chunk, err := lua51.Parse(t.file, t.text)
		if err != nil {
			panic(err) // it was sound the first time
		}
		b.add(t, chunk)
	}
	m.kept = weak.Make(b.tree)
	hold(b.tree)
	return b.tree
}

// held are the trees of a program that starts: between the loading of a module and
// the binding of its functions the collector would take them in vain.
var held struct {
	sync.Mutex
	trees []*tree
}

// hold keeps trees for a second.
func hold(trees ...*tree) {
	held.Lock()
	defer held.Unlock()
	if held.trees == nil {
		time.AfterFunc(time.Second, func() {
			held.Lock()
			defer held.Unlock()
			held.trees = nil
		})
	}
	held.trees = append(held.trees, trees...)
}

// export is the function of a name, or nil.
func (t *tree) export(name string) *function {
	n, found := t.find(name)
	if !found {
		return nil
	}
	return t.exports[n]
}

func (t *tree) find(name string) (n int, found bool) {
	return slices.BinarySearchFunc(t.exports, name, func(f *function, name string) int { return strings.Compare(f.name, name) })
}

// add adds a function.
func (t *tree) add(f *function) {
	f.n = -1
	if s := f.def.Stat; s != nil {
		f.n = f.unit.topAt(s.Pos().Offset)
	}
	n, _ := t.find(f.name)
	t.exports = slices.Insert(t.exports, n, f)
}

// order lists the module and all that it leads to, each behind those it requires,
// so that what runs when it is built finds them built; in a circle the one asked
// for last comes first, as with Lua's require.
func (m *Mod) order() []*Mod {
	t := m.tree()
	t.arranging.Do(func() {
		seen := map[*Mod]bool{}
		var arrange func(m *Mod)
		arrange = func(m *Mod) {
			if seen[m] {
				return
			}
			seen[m] = true
			for _, other := range m.imports {
				arrange(other)
			}
			for _, other := range m.calls {
				arrange(other)
			}
			t.arranged = append(t.arranged, m)
		}
		arrange(m)
	})
	return t.arranged
}

// unitOf is the unit of one of the module's texts.
func (t *tree) unitOf(of *text) *unit {
	for _, u := range t.units {
		if u.text == of {
			return u
		}
	}
	return nil
}

// A builder reads the parts of a module.
type builder struct {
	mod   *Mod
	tree  *tree
	found Findings
}

// newBuilder begins a module. It holds the tree until it is gone itself.
func newBuilder(name string) *builder {
	b := &builder{mod: &Mod{name: name, field: fieldName(name), aliases: map[string]*Mod{}}, tree: newTree()}
	b.mod.kept = weak.Make(b.tree)
	return b
}

func (b *builder) fault(f Finding) { b.found = append(b.found, f) }

// parse takes a text into the module.
func (b *builder) parse(t *text) {
	chunk, err := lua51.Parse(t.file, t.text)
	if err != nil { // of a script: more locals than Lua takes
		b.fault(t.syntaxFinding(err))
		return
	}
	b.take(t, chunk)
}

func (b *builder) take(t *text, chunk *lua51.Chunk) {
	t.mod = b.mod
	b.mod.texts = append(b.mod.texts, t)
	b.add(t, chunk)
}

// add finds what a text declares.
func (b *builder) add(t *text, chunk *lua51.Chunk) {
	u := &unit{text: t, tree: b.tree, chunk: chunk}
	b.tree.units = append(b.tree.units, u)
	if b.mod.script != nil {
		u.self = &lua51.Local{} // it has no table
		u.findRequires()
	} else if f, ok := u.shape(); !ok {
		b.fault(f)
		return
	}
	u.declarations()
	u.findSites()
	u.findUndeclared()
	if s := b.mod.script; s != nil {
		b.tree.add(&function{name: entryOfScript, unit: u, def: chunk.Main, sign: s.sign})
		return
	}
	b.found = append(b.found, u.export()...)
}
