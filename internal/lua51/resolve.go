package lua51

import (
	"slices"
	"strings"
)

// A Name is one use of a variable: the word in the text, and what is done
// with it there.
type Name struct {
	exprNode
	Name  string
	Local *Local    // whom it names; nil: a global
	Func  *Function // the innermost function it stands in

	// Chain is the longest run of constant fields that begins here: all of
	// redis.call of `redis.call(x)`, or the Name itself.
	Chain Expr
	// Suffix is what is applied to Chain: the *Call of it, a *MethodCall on
	// it, or an *Index of it whose key is not a constant string. nil: the value
	// is used as it is.
	Suffix Expr

	Write bool // the variable itself is assigned: `x = 1`, `function x()`
	Store bool // a field is: Chain, or the Index in Suffix, is the target
}

// Path returns the constant fields that follow: ["call"] for redis.call.
func (n *Name) Path() []string {
	if n.Chain == n {
		return nil
	}
	_, path := PathOf(n.Chain)
	return path[1:]
}

// Fields returns the nodes of Path, to know where each field stands:
// Fields()[0].Key.Pos().
func (n *Name) Fields() []*Index { return fieldsOf(n.Chain) }

// Escapes reports whether the value itself gets away: it is neither assigned
// nor indexed by a constant string. It escapes into a call of one of its
// methods too, as `self`; Suffix tells which.
func (n *Name) Escapes() bool { return !n.Write && n.Chain == n }

func fieldsOf(e Expr) (fields []*Index) {
	for x, ok := e.(*Index); ok; x, ok = x.X.(*Index) {
		fields = append(fields, x)
	}
	slices.Reverse(fields)
	return fields
}

// A LocalKind says what declares a [Local].
type LocalKind uint8

const (
	Variable      LocalKind = iota // local x
	LocalFunction                  // local function x
	Parameter                      // function(x)
	Self                           // function a:b(), which hides its parameter self
	LoopVariable                   // for x
	Arg                            // function(...), which hides a table called arg
)

// String returns "local", "local function", "parameter", "self", "loop
// variable" or "arg".
func (k LocalKind) String() string {
	return [...]string{"local", "local function", "parameter", "self", "loop variable", "arg"}[k]
}

// A Local is a local variable. One that shadows another is a Local of its own.
type Local struct {
	Name string
	Kind LocalKind
	Pos  Pos       // where it is declared; of Self and Arg: where its function is
	Func *Function // whose local it is
	Decl Node      // the statement that declares it, or its *Function if that does
	// Init is the expression a local statement gives it, and of a local
	// function the *Function. nil: none, or one of several values of a call.
	Init     Expr
	Uses     []*Name // in the order of the text; the declaration is none
	Captured bool    // an inner function uses it: it is an upvalue there

	shadows *Local // while parsing: whom the name meant before
}

// Assigned reports whether the variable is written to after its declaration.
func (l *Local) Assigned() bool {
	return slices.ContainsFunc(l.Uses, func(n *Name) bool { return n.Write })
}

// Lua's limits for one function.
const (
	maxLocals   = 200
	maxUpvalues = 60
)

// A frame is a function while it is parsed.
type frame struct {
	*Function
	outer *frame
	alive int // locals in scope or about to be, hidden ones included
	loops int // loops around the statement at hand
}

// A mark remembers a scope to go back to.
type mark struct{ active, alive int }

// open begins a scope and close ends it: the names declared since then mean
// what they meant before.
//
// One map serves all functions at once, since an inner function sees the names
// of the outer. It is tempting to search the lists of locals backward, as
// Lua does; but then one global in deep nesting costs thousands of steps.
func (p *parser) open() mark { return mark{len(p.active), p.frame.alive} }

func (p *parser) close(m mark) {
	for _, l := range slices.Backward(p.active[m.active:]) {
		p.scope[l.Name] = l.shadows
		l.shadows = nil
	}
	p.active = p.active[:m.active]
	p.frame.alive = m.alive
}

// reserve counts n more locals, the last of them at a place.
func (p *parser) reserve(n int, at Pos) {
	p.frame.alive += n
	if p.frame.alive > maxLocals {
		p.failLimit(at, p.frame.Function, maxLocals, "local variables")
	}
	p.frame.MaxLocals = max(p.frame.MaxLocals, p.frame.alive)
}

// declare makes a local, not yet in scope: `local x = x` reads an outer x.
func (p *parser) declare(name string, at Pos, kind LocalKind, decl Node) *Local {
	p.reserve(1, at)
	l := &Local{Name: name, Kind: kind, Pos: at, Func: p.frame.Function, Decl: decl}
	p.frame.Locals = append(p.frame.Locals, l)
	return l
}

// activate brings locals into scope.
func (p *parser) activate(locals ...*Local) {
	for _, l := range locals {
		l.shadows = p.scope[l.Name]
		p.scope[l.Name] = l
	}
	p.active = append(p.active, locals...)
}

// use resolves the name at hand.
func (p *parser) use() *Name {
	n := &Name{Name: p.tok.Text, Func: p.frame.Function, Local: p.scope[p.tok.Text]}
	n.pos, n.end = p.tok.Pos, p.tok.End
	n.Chain = n
	if l := n.Local; l != nil {
		l.Uses = append(l.Uses, n)
		if l.Func != n.Func {
			p.capture(l)
		}
	} else {
		p.chunk.Globals = append(p.chunk.Globals, n)
	}
	p.next()
	return n
}

// capture makes l an upvalue of the function at hand and of all between it and
// its own. Where one has it already, so have those around it.
func (p *parser) capture(l *Local) {
	l.Captured = true
	for f := p.frame; f.Function != l.Func && !slices.Contains(f.Upvalues, l); f = f.outer {
		if len(f.Upvalues) == maxUpvalues {
			p.failLimit(p.tok.Pos, f.Function, maxUpvalues, "upvalues")
		}
		f.Upvalues = append(f.Upvalues, l)
	}
}

// assign notes at the root of a target that it is written to.
func assign(target Expr) {
	switch t := target.(type) {
	case *Name:
		t.Write = true
	case *Index:
		if root := rootOf(t); root != nil {
			root.Store = true // M.a.b = 1
		} else if root := rootOf(t.X); root != nil && root.Suffix == target {
			root.Store = true // M.a[k] = 1
		}
	}
}

// entitle gives functions the names of what they are assigned to.
func entitle(s Stat, values []Expr, name func(i int) string) {
	for i, v := range values {
		if f, ok := v.(*Function); ok {
			f.Name, f.Stat = name(i), s
		}
	}
}

// title returns the constant path of a target as text, with a colon before
// the name of a method; empty if it is none.
func title(target Expr, method bool) string {
	root, path := PathOf(target)
	if root == nil {
		return ""
	}
	if last := len(path) - 1; method {
		return strings.Join(path[:last], ".") + ":" + path[last]
	}
	return strings.Join(path, ".")
}
