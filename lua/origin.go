package lua

import (
	"slices"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// What a method hands to redis.call as a key must go along declared, and that is
// proved from the text alone: a value is followed back through locals, parameters and
// the calls that give them, results and tables, to what the call itself was given.
//
//	local function book(account, amount)      account is what all calls of book give it
//	  local log = account.history             log is a key if all of those are records
//	  redis.call("ZADD", log, amount, "x")
//	end
//
// What cannot be followed so is unknown. See
// docs/decisions/0021-keys-of-methods-are-proved.md.

// An origin is what is known of a value.
type origin struct {
	kind kind
	list bool     // of such
	keys []string // of a record: the fields that are keys
}

type kind uint8

const (
	unknown kind = iota
	nothing      // nil, or never reached: it may be one with any other
	aKey
	aRecord
)

// or is the origin of a value that has one or the other.
func (o origin) or(other origin) origin {
	switch {
	case o.kind == nothing && !o.list:
		return other
	case other.kind == nothing && !other.list:
		return o
	case o.list != other.list:
		return origin{}
	case o.kind == nothing:
		return other
	case other.kind == nothing:
		return o
	case o.kind != other.kind:
		return origin{}
	}
	o.keys = slices.DeleteFunc(slices.Clone(o.keys), func(name string) bool { return !slices.Contains(other.keys, name) })
	return o
}

// listOf is a list of what has an origin.
func (o origin) listOf() origin {
	if o.list || o.kind == unknown {
		return origin{}
	}
	o.list = true
	return o
}

// element is what a list consists of.
func (o origin) element() origin {
	if !o.list {
		return origin{}
	}
	o.list = false
	return o
}

// origins follows the values of one entry.
type origins struct {
	l     *linker // what is reachable
	entry *lua51.Function
	given map[string]origin // the entry's parameters
	keys  origin            // KEYS
	count int               // of them, without those of lists of records

	contexts map[*unit]*contexts
	known    map[any]origin // of a *lua51.Local, or of the results of a *lua51.Function
	asked    map[any]bool   // those that are being found
	guessed  bool           // one of these was asked for: what follows from it holds only if it does
	steps    int
}

// manySteps bounds the work on functions that all call each other.
const manySteps = 20000

// contexts are what is done with names of a unit, beside what they know themselves.
type contexts struct {
	values map[*lua51.Name]lua51.Expr // that targets are assigned; nil is unknown
	calls  map[*lua51.Name]argument   // that names are arguments of
	takes  map[*lua51.Name]bool       // that lose nothing of a list: #t
	alias  map[*lua51.Name]*lua51.Local
}

type argument struct {
	call *lua51.Call
	n    int
}

func (o *origins) contextsOf(u *unit) *contexts {
	if c := o.contexts[u]; c != nil {
		return c
	}
	c := &contexts{map[*lua51.Name]lua51.Expr{}, map[*lua51.Name]argument{}, map[*lua51.Name]bool{}, map[*lua51.Name]*lua51.Local{}}
	o.contexts[u] = c
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		switch n := n.(type) {
		case *lua51.AssignStat:
			for i, target := range n.Targets {
				name := targetOf(target)
				if name != nil && i < len(n.Values) && (i < len(n.Values)-1 || len(n.Values) == len(n.Targets)) {
					c.values[name] = n.Values[i]
				}
			}
		case *lua51.LocalStat:
			for i, v := range n.Values {
				if name, ok := v.(*lua51.Name); ok && i < len(n.Locals) {
					c.alias[name] = n.Locals[i]
				}
			}
		case *lua51.Call:
			for i, arg := range n.Args {
				if name, _ := lua51.PathOf(arg); name != nil {
					c.calls[name] = argument{n, i}
				}
			}
		case *lua51.Unary:
			if name, ok := n.X.(*lua51.Name); ok && n.Op == "#" {
				c.takes[name] = true
			}
		}
		return true
	})
	return c
}

// targetOf is the name that is assigned to, or of which an element or a field is.
func targetOf(target lua51.Expr) *lua51.Name {
	if index, ok := target.(*lua51.Index); ok {
		target = index.X
	}
	name, _ := target.(*lua51.Name)
	return name
}

// find keeps what was found, unless it hangs on a guess.
func (o *origins) find(what any, by func() origin) origin {
	if found, ok := o.known[what]; ok {
		return found
	}
	if o.asked[what] {
		o.guessed = true
		return origin{kind: nothing}
	}
	if o.steps++; o.steps > manySteps {
		return origin{}
	}
	o.asked[what] = true
	found := by()
	delete(o.asked, what)
	if len(o.asked) == 0 {
		o.guessed = false
	}
	if !o.guessed {
		o.known[what] = found
	}
	return found
}

// of is the origin of an expression's first value.
func (o *origins) of(u *unit, e lua51.Expr) origin {
	switch e := e.(type) {
	case *lua51.Paren:
		return o.of(u, e.X)
	case *lua51.Nil, *lua51.False:
		return origin{kind: nothing}
	case *lua51.Name:
		switch {
		case e.Local != nil:
			return o.find(e.Local, func() origin { return o.local(u, e.Local) })
		case e.Name == "KEYS":
			return o.keys
		}
	case *lua51.Index:
		if isBeyond(e, o.count) {
			return origin{}
		}
		of := o.of(u, e.X)
		if of.list {
			return of.element()
		}
		if name, ok := e.Field(); ok && of.kind == aRecord && slices.Contains(of.keys, name) {
			return origin{kind: aKey}
		}
	case *lua51.Binary:
		switch e.Op {
		case "and":
			return o.of(u, e.Y)
		case "or":
			return o.of(u, e.X).or(o.of(u, e.Y))
		}
	case *lua51.Table:
		all := origin{kind: nothing}
		for i, f := range e.Fields {
			if i == len(e.Fields)-1 && f.Key == nil && lua51.IsMulti(f.Value) {
				return origin{}
			}
			all = all.or(o.of(u, f.Value))
		}
		return all.listOf()
	case *lua51.Call:
		if at, def := o.callee(u, e.Func); def != nil {
			return o.find(def, func() origin { return o.result(at, def) })
		}
	}
	return origin{}
}

// result is what a function returns first.
func (o *origins) result(u *unit, def *lua51.Function) origin {
	all := origin{kind: nothing}
	lua51.Walk(def.Body, func(n lua51.Node) bool {
		if ret, ok := n.(*lua51.ReturnStat); ok && len(ret.Values) > 0 {
			all = all.or(o.of(u, ret.Values[0]))
		}
		_, isFunction := n.(*lua51.Function)
		return !isFunction
	})
	return all
}

// local is what a local may be.
func (o *origins) local(u *unit, l *lua51.Local) origin {
	all := origin{kind: nothing}
	switch l.Kind {
	case lua51.Variable:
		s, ok := l.Decl.(*lua51.LocalStat)
		switch {
		case l.Init != nil:
			all = o.of(u, l.Init)
		case !ok || len(s.Values) > 0 && lua51.IsMulti(s.Values[len(s.Values)-1]):
			return origin{}
		}
	case lua51.Parameter, lua51.Self:
		if l.Func == o.entry {
			all = o.given[l.Name]
		}
		all = all.or(o.passed(u, l))
	case lua51.LoopVariable:
		loop, ok := l.Decl.(*lua51.GenForStat)
		if !ok || len(loop.Vars) < 2 || loop.Vars[1] != l || len(loop.Values) != 1 {
			return origin{}
		}
		call, ok := loop.Values[0].(*lua51.Call)
		if !ok || len(call.Args) != 1 || !isGlobal(call, "ipairs", "pairs") {
			return origin{}
		}
		all = o.of(u, call.Args[0]).element()
	default:
		return origin{}
	}
	c := o.contextsOf(u)
	for _, use := range l.Uses {
		if use.Write {
			v := c.values[use]
			if v == nil {
				return origin{}
			}
			all = all.or(o.of(u, v))
		}
	}
	if all.list {
		all = o.filled(u, l, all, map[*lua51.Local]bool{})
	}
	return all
}

// filled is what a list holds after all that is done with it by a name, and by the
// names of functions that it is passed to.
func (o *origins) filled(u *unit, l *lua51.Local, all origin, seen map[*lua51.Local]bool) origin {
	if seen[l] {
		return all
	}
	seen[l] = true
	c := o.contextsOf(u)
	for _, use := range l.Uses {
		arg, isArg := c.calls[use]
		switch {
		case use.Write:
		case use.Store:
			v := c.values[use]
			if v == nil {
				return origin{}
			}
			all = all.or(o.of(u, v).listOf())
		case !use.Escapes() || c.takes[use] || use.Suffix != nil:
		case c.alias[use] != nil:
			all = o.filled(u, c.alias[use], all, seen)
		case isArg && isGlobal(arg.call, "table.insert") && arg.n == 0:
			all = all.or(o.of(u, arg.call.Args[len(arg.call.Args)-1]).listOf())
		case isArg && isGlobal(arg.call, "ipairs", "pairs", "unpack", "next", "table.concat", "table.sort", "table.remove", "table.getn"):
		case isArg:
			at, def := o.callee(u, arg.call.Func)
			if def == nil || arg.n >= len(def.Params) || isMethodDef(def) {
				return origin{}
			}
			all = o.filled(at, def.Params[arg.n], all, seen)
		default:
			return origin{}
		}
	}
	return all
}

func isMethodDef(f *lua51.Function) bool { return len(f.Params) > 0 && f.Params[0].Kind == lua51.Self }

// isGlobal tells whether one of some globals is called.
func isGlobal(call *lua51.Call, names ...string) bool {
	root, path := call.Callee()
	if root == nil || root.Local != nil {
		return false
	}
	name := path[0]
	for _, field := range path[1:] {
		name += "." + field
	}
	return slices.Contains(names, name)
}
