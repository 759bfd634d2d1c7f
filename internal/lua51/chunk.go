package lua51

import (
	"slices"
	"strings"
)

// A Chunk is a script that was read.
type Chunk struct {
	Name string // as given to Parse
	Src  string

	Main        *Function     // the script itself
	Functions   []*Function   // all others, in the order in which they begin
	Globals     []*Name       // uses of globals
	Calls       []*Call       // f(), in the order in which the arguments begin
	MethodCalls []*MethodCall // x:f()
	Comments    []Comment
	// MaxLevel is how deep syntax is nested at most. Lua's limit is 200.
	MaxLevel int

	lines []int // offsets at which lines begin
}

// Text returns the bytes of n.
func (c *Chunk) Text(n Node) string { return c.Src[n.Pos().Offset:n.End()] }

// Position returns the place of an offset, which may be that of the end.
func (c *Chunk) Position(offset int) Pos {
	line, found := slices.BinarySearch(c.lines, offset)
	if found {
		line++
	}
	return Pos{offset, line, offset - c.lines[line-1] + 1}
}

// Line returns a line, numbered from 1, without its end. Outside of the text
// it is empty.
func (c *Chunk) Line(n int) string {
	if n < 1 || n > len(c.lines) {
		return ""
	}
	line := c.Src[c.lines[n-1]:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	return line
}

// A Top is a statement of the script that is in no block and no function.
type Top struct {
	Stat Stat
	// Locals are the locals it declares. A for loop's are its own business.
	Locals []*Local
	// Targets are the names it assigns to, or to fields of which: of
	// `function M.f()` the use of M, whose Path is ["f"].
	Targets []*Name
	// Pure says that it does nothing but give functions to names: running it
	// changes nothing but Locals and Targets, and it may go if nobody needs
	// those. It holds for `local function`, `function`, and for `local` and
	// assignments with as many values, all of them functions, as names. (A
	// __newindex of a table assigned to is not thought of.)
	Pure bool
}

// Names returns what t declares or assigns to: "audit", "M.f". An element with
// a computed key is not among them.
func (t Top) Names() []string {
	var names []string
	for _, l := range t.Locals {
		names = append(names, l.Name)
	}
	for _, n := range t.Targets {
		if n.Write || n.Store && n.Suffix == nil {
			names = append(names, title(n.Chain, false))
		}
	}
	return names
}

// Top returns the statements of the script itself with what they declare.
func (c *Chunk) Top() []Top {
	tops := make([]Top, len(c.Main.Body.Stats))
	for i, s := range c.Main.Body.Stats {
		t := Top{Stat: s}
		switch s := s.(type) {
		case *LocalFunctionStat:
			t.Locals, t.Pure = []*Local{s.Local}, true
		case *LocalStat:
			t.Locals, t.Pure = s.Locals, areFunctions(s.Values, len(s.Locals))
		case *FunctionStat:
			t.Targets, t.Pure = []*Name{rootOf(s.Target)}, true
		case *AssignStat:
			t.Pure = areFunctions(s.Values, len(s.Targets))
			for _, target := range s.Targets {
				root := rootOf(target)
				if root == nil {
					t.Pure = false // M[k()] = function() end
					root = rootOf(target.(*Index).X)
				}
				if root != nil {
					t.Targets = append(t.Targets, root)
				}
			}
		}
		tops[i] = t
	}
	return tops
}

// areFunctions reports whether values are n functions.
func areFunctions(values []Expr, n int) bool {
	return len(values) == n && !slices.ContainsFunc(values, func(e Expr) bool {
		_, ok := e.(*Function)
		return !ok
	})
}

// An Element is a use of an element of a global array, such as KEYS[1].
type Element struct {
	*Index
	N int
}

// Elements returns the uses of a global array such as KEYS: those of elements
// by a literal integer, and all others, as #KEYS and KEYS[i].
func (c *Chunk) Elements(array string) (literal []Element, others []*Name) {
	for _, use := range c.Globals {
		if use.Name != array {
			continue
		}
		if n, x, ok := elementOf(use); ok {
			literal = append(literal, Element{x, n})
		} else {
			others = append(others, use)
		}
	}
	return literal, others
}

func elementOf(use *Name) (n int, x *Index, ok bool) {
	if x, ok = use.Suffix.(*Index); !ok || use.Chain != use {
		return 0, nil, false
	}
	key, ok := x.Key.(*Number)
	if !ok {
		return 0, nil, false
	}
	n, ok = key.Int()
	return n, x, ok
}
