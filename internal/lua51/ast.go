package lua51

import "math"

// A Node is a piece of the syntax tree: a [Block], a [Stat] or an [Expr].
type Node interface {
	Pos() Pos // of its first byte
	End() int // offset after its last byte
}

// A Stat is a statement. Its bytes end before the `;` that may follow it.
type Stat interface {
	Node
	stat()
}

// An Expr is an expression.
type Expr interface {
	Node
	expr()
}

// A span is what all nodes have.
type span struct {
	pos Pos
	end int
}

func (s *span) Pos() Pos { return s.pos }
func (s *span) End() int { return s.end }

type statNode struct{ span }

func (*statNode) stat() {}

type exprNode struct{ span }

func (*exprNode) expr() {}

// A Block is a list of statements with a scope of its own. An empty one ends
// where it begins, at the word that closes it.
type Block struct {
	span
	Stats []Stat
}

// The statements.
type (
	// LocalStat is `local a, b = 1, f()`.
	LocalStat struct {
		statNode
		Locals []*Local
		Values []Expr
	}
	// AssignStat is `a, b.c = 1, f()`. A target is a *Name or an *Index.
	AssignStat struct {
		statNode
		Targets []Expr
		Values  []Expr
	}
	// CallStat is a call used as a statement: a *Call or a *MethodCall.
	CallStat struct {
		statNode
		Call Expr
	}
	// DoStat is `do … end`.
	DoStat struct {
		statNode
		Body *Block
	}
	// WhileStat is `while cond do … end`.
	WhileStat struct {
		statNode
		Cond Expr
		Body *Block
	}
	// RepeatStat is `repeat … until cond`; Cond sees the locals of Body.
	RepeatStat struct {
		statNode
		Body *Block
		Cond Expr
	}
	// IfStat is `if … then … elseif … then … else … end`.
	IfStat struct {
		statNode
		Clauses []Clause // if and each elseif
		Else    *Block   // or nil
	}
	// NumForStat is `for i = from, to, step do … end`.
	NumForStat struct {
		statNode
		Var      *Local
		From, To Expr
		Step     Expr // or nil
		Body     *Block
	}
	// GenForStat is `for k, v in pairs(t) do … end`.
	GenForStat struct {
		statNode
		Vars   []*Local
		Values []Expr
		Body   *Block
	}
	// FunctionStat is `function a.b.c() … end`, or with Method
	// `function a.b:c() … end`. Target is a *Name or a chain of dotted *Index,
	// in which the method's name is the last. See [PathOf]. Func begins at the
	// word function, so Target lies within its bytes.
	FunctionStat struct {
		statNode
		Target Expr
		Method bool
		Func   *Function
	}
	// LocalFunctionStat is `local function f() … end`; the body sees f.
	LocalFunctionStat struct {
		statNode
		Local *Local
		Func  *Function
	}
	// ReturnStat is `return a, b`, always the last of its block.
	ReturnStat struct {
		statNode
		Values []Expr
	}
	// BreakStat is `break`, always the last of its block.
	BreakStat struct{ statNode }
)

// A Clause is a condition and what is done if it holds.
type Clause struct {
	Cond Expr
	Body *Block
}

// The expressions, apart from [Name].
type (
	Nil    struct{ exprNode }
	True   struct{ exprNode }
	False  struct{ exprNode }
	Number struct {
		exprNode
		Value float64
		Raw   string // as written
	}
	// String is a literal, or the constant name in a.name and {name = 1},
	// which has no quotes in the text.
	String struct {
		exprNode
		Value string // escapes decoded
	}
	// Vararg is `...`.
	Vararg struct{ exprNode }
	// Index is `x.key`, which is Dotted, or `x[key]`.
	Index struct {
		exprNode
		X      Expr
		Key    Expr
		Dotted bool
	}
	// Call is `f(a, b)`, `f"text"` or `f{…}`.
	Call struct {
		exprNode
		Func Expr
		Args []Expr
	}
	// MethodCall is `x:name(a, b)`. X is also passed, before Args.
	MethodCall struct {
		exprNode
		X    Expr
		Name *String
		Args []Expr
	}
	// Binary is `x op y`, Op one of + - * / % ^ .. == ~= < <= > >= and or.
	Binary struct {
		exprNode
		Op    string
		OpPos Pos
		X, Y  Expr
	}
	// Unary is `op x`, Op one of - # not.
	Unary struct {
		exprNode
		Op string
		X  Expr
	}
	// Table is `{…}`.
	Table struct {
		exprNode
		Fields []Field
	}
	// Paren is `(x)`, which cuts several values to one.
	Paren struct {
		exprNode
		X Expr
	}
)

// A Field is an entry of a [Table]: `value` (Key is nil), `key = value` (Named;
// Key is a *String) or `[key] = value`.
type Field struct {
	Key   Expr
	Value Expr
	Named bool
}

// A Function is a function, or the script itself: [Chunk.Main].
type Function struct {
	exprNode
	// Name is how Stat names it: "f", "M.f", "M:f"; empty without a constant
	// path.
	Name string
	// Stat is the statement that defines it: a *FunctionStat or
	// *LocalFunctionStat, or the *LocalStat or *AssignStat of which it is a
	// value. nil: it is part of some other expression.
	Stat Stat

	Params   []*Local // with self first, if it is a method
	Vararg   bool
	ParamEnd int // offset after the `)` that ends its parameters
	Body     *Block

	Parent   *Function // nil for the script
	Upvalues []*Local  // locals of outer functions it or those within it use
	Locals   []*Local  // all it declares, Params and the hidden arg among them
	// MaxLocals is how many are alive at once at most, with the three that
	// Lua hides in each for loop. Lua's limit is 200.
	MaxLocals int
}

// Param returns the parameter called name, or nil.
func (f *Function) Param(name string) *Local {
	for _, p := range f.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Int returns the value if it is an integer that an int and a float64 hold.
func (n *Number) Int() (int, bool) {
	if n.Value != math.Trunc(n.Value) || math.Abs(n.Value) > 1<<53 {
		return 0, false
	}
	return int(n.Value), true
}

// Field returns the key of `x.key` or `x["key"]`.
func (x *Index) Field() (key string, ok bool) {
	s, ok := x.Key.(*String)
	if !ok {
		return "", false
	}
	return s.Value, true
}

// PathOf returns the name that e begins with and the constant path that e is:
// M and ["M", "limits", "max"] for M.limits.max. For anything else, a
// parenthesis or a computed key among it, root is nil.
func PathOf(e Expr) (root *Name, path []string) {
	if root = rootOf(e); root == nil {
		return nil, nil
	}
	fields := fieldsOf(e)
	path = make([]string, 0, len(fields)+1)
	path = append(path, root.Name)
	for _, x := range fields {
		key, _ := x.Field()
		path = append(path, key)
	}
	return root, path
}

// rootOf returns the name a constant path begins with, or nil.
func rootOf(e Expr) *Name {
	for {
		switch x := e.(type) {
		case *Name:
			return x
		case *Index:
			if _, ok := x.Field(); !ok {
				return nil
			}
			e = x.X
		default:
			return nil
		}
	}
}

// Callee returns the constant path that is called: of M.f(1), the use of M and
// ["M", "f"]. See [PathOf].
func (c *Call) Callee() (root *Name, path []string) { return PathOf(c.Func) }

// Multi reports whether the number of arguments is open: see [IsMulti].
func (c *Call) Multi() bool { return lastIsMulti(c.Args) }

// Multi reports whether the number of arguments is open: see [IsMulti].
func (c *MethodCall) Multi() bool { return lastIsMulti(c.Args) }

func lastIsMulti(list []Expr) bool { return len(list) > 0 && IsMulti(list[len(list)-1]) }

// IsMulti reports whether e, as the last of a list, stands for any number of
// values: a call or `...`.
func IsMulti(e Expr) bool {
	switch e.(type) {
	case *Call, *MethodCall, *Vararg:
		return true
	}
	return false
}
