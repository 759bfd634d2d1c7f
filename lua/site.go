package lua

import (
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A site is a place in a text where redis.call or redis.pcall is called, by that
// name or by a local that stands for it.
type site struct {
	call    *lua51.Call // nil: the function is used as a value
	value   lua51.Node  // redis.call itself
	n       int         // of the statement at the top that it is in
	command string      // upper case; "" where it is computed
	keys    []lua51.Expr
	reads   bool
}

// findSites finds them. `local call = redis.call` and `local r = redis` are seen
// through; further detours are not.
func (u *unit) findSites() {
	var follow func(use *lua51.Name, path []string)
	follow = func(use *lua51.Name, path []string) {
		path = append(slices.Clone(path), use.Path()...)
		if use.Write || use.Store || len(path) == 0 && use.Suffix != nil {
			return
		}
		if l := u.aliasOf(use); l != nil {
			for _, use := range l.Uses {
				follow(use, path)
			}
			return
		}
		if len(path) != 1 || path[0] != "call" && path[0] != "pcall" {
			return
		}
		s := site{value: use.Chain, n: u.topAt(use.Chain.Pos().Offset)}
		if call, ok := use.Suffix.(*lua51.Call); ok && call.Func == use.Chain {
			s.call = call
			s.read(call.Args)
		}
		u.sites = append(u.sites, s)
	}
	for _, use := range u.chunk.Globals {
		if use.Name == "redis" {
			follow(use, nil)
		}
	}
	slices.SortStableFunc(u.sites, func(a, b site) int { return a.value.Pos().Offset - b.value.Pos().Offset })
}

// aliasOf returns the local that a use gives its value to and that never means
// anything else.
func (u *unit) aliasOf(use *lua51.Name) *lua51.Local {
	i := slices.IndexFunc(use.Func.Locals, func(l *lua51.Local) bool { return l.Init == use.Chain && !l.Assigned() })
	if i < 0 {
		return nil
	}
	return use.Func.Locals[i]
}

// read learns what the arguments say: the command, and which of them are keys.
func (s *site) read(args []lua51.Expr) {
	if len(args) == 0 {
		return
	}
	name, ok := args[0].(*lua51.String)
	if !ok {
		return
	}
	s.command = strings.ToUpper(name.Value)
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = "?"
		switch arg := arg.(type) {
		case *lua51.String:
			words[i] = arg.Value
		case *lua51.Number:
			words[i] = arg.Raw
		}
	}
	keys, reads := pipectx.Keys(words...)
	s.reads = reads
	for _, k := range keys {
		if k == len(args)-1 && lua51.IsMulti(args[k]) {
			continue // unpack(keys)
		}
		s.keys = append(s.keys, args[k])
	}
}

// computed tells whether a key is made in Lua: written out, or put together. what
// says how.
func computed(e lua51.Expr) (what string) {
	switch e := e.(type) {
	case *lua51.Paren:
		return computed(e.X)
	case *lua51.String:
		return "is written out"
	case *lua51.Number:
		return "is written out"
	case *lua51.Binary:
		if e.Op == ".." {
			return "is put together here"
		}
	case *lua51.Call:
		if root, path := e.Callee(); root != nil && root.Local == nil && root.Name == "string" && len(path) == 2 && path[1] == "format" {
			return "is put together here"
		}
	case *lua51.Name:
		if l := e.Local; l != nil && l.Kind == lua51.Variable && l.Init != nil && !l.Assigned() {
			if _, again := l.Init.(*lua51.Name); !again {
				return computed(l.Init)
			}
		}
	}
	return ""
}

// declaresUndeclared tells whether the function that n stands in, or one around
// it, says that it makes keys itself.
func (u *unit) declaresUndeclared(n lua51.Node) bool {
	if u.mod.script != nil && u.mod.script.sign.Undeclared {
		return true
	}
	return slices.ContainsFunc(u.undeclared, func(f *lua51.Function) bool {
		return f.Pos().Offset <= n.Pos().Offset && n.End() <= f.End()
	})
}

// findUndeclared finds the functions that are annotated @undeclared.
func (u *unit) findUndeclared() {
	if !strings.Contains(u.chunk.Src, "undeclared") {
		return
	}
	says := func(c lua51.Comment) bool {
		mark, _, _ := strings.Cut(c.Body(), " ")
		return c.Alone && (mark == "@undeclared" || mark == "%undeclared")
	}
	for _, f := range u.chunk.Functions {
		if slices.ContainsFunc(u.chunk.CommentsAbove(f), says) {
			u.undeclared = append(u.undeclared, f)
		}
	}
	if u.isFunc && slices.ContainsFunc(u.chunk.Comments, says) { // in the body: nothing else of it is the author's
		u.undeclared = append(u.undeclared, u.chunk.Functions[0])
	}
}
