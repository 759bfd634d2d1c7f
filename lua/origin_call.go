package lua

import (
	"slices"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// callee is the function that an expression means, where that is certain.
func (o *origins) callee(u *unit, e lua51.Expr) (at *unit, def *lua51.Function) {
	root, path := lua51.PathOf(e)
	if root == nil {
		return nil, nil
	}
	if mod := u.target(root); mod != nil {
		if len(path) != 2 || mod.stores(path[1]) != 1 {
			return nil, nil
		}
		if f := mod.tree().export(path[1]); f != nil {
			return f.unit, f.def
		}
		return nil, nil
	}
	if l := root.Local; l != nil && len(path) == 1 {
		return u, functionOf(u, l)
	}
	return nil, nil
}

// functionOf is the function that a local always is, `local f; f = function() … end`
// among them.
func functionOf(u *unit, l *lua51.Local) *lua51.Function {
	def, _ := l.Init.(*lua51.Function)
	for _, f := range u.chunk.Functions {
		var target lua51.Expr
		switch s := f.Stat.(type) {
		case *lua51.FunctionStat:
			target = s.Target
		case *lua51.AssignStat:
			if len(s.Targets) == 1 && len(s.Values) == 1 {
				target = s.Targets[0]
			}
		}
		if name, ok := target.(*lua51.Name); ok && name.Local == l && l.Init == nil {
			def = f
		}
	}
	writes := 0
	for _, use := range l.Uses {
		if use.Write {
			writes++
		}
	}
	if writes > 1 || writes == 1 && l.Init != nil {
		return nil
	}
	return def
}

// passed is what the calls of a function give a parameter of it.
func (o *origins) passed(u *unit, p *lua51.Local) origin {
	def := p.Func
	n := slices.Index(def.Params, p)
	if path := u.pathOf(def); len(path) == 1 {
		return o.fromModules(u, def, path[0], n)
	}
	l := localOf(u, def)
	if l == nil {
		if def == o.entry {
			return origin{kind: nothing}
		}
		return origin{}
	}
	all := origin{kind: nothing}
	for _, use := range l.Uses {
		if !use.Write {
			all = all.or(o.takes(u, use, n))
		}
	}
	return all
}

// localOf is the local by which alone a function is called.
func localOf(u *unit, def *lua51.Function) (l *lua51.Local) {
	switch s := def.Stat.(type) {
	case *lua51.LocalFunctionStat:
		l = s.Local
	case *lua51.FunctionStat:
		if name, ok := s.Target.(*lua51.Name); ok {
			l = name.Local
		}
	case *lua51.LocalStat:
		if i := slices.Index(s.Values, lua51.Expr(def)); i < len(s.Locals) {
			l = s.Locals[i]
		}
	case *lua51.AssignStat:
		if i := slices.Index(s.Values, lua51.Expr(def)); i < len(s.Targets) {
			if name, ok := s.Targets[i].(*lua51.Name); ok {
				l = name.Local
			}
		}
	}
	if l == nil || functionOf(u, l) != def {
		return nil
	}
	return l
}

// fromModules is what calls by the name of its module give a function's parameter.
func (o *origins) fromModules(at *unit, def *lua51.Function, name string, n int) origin {
	all := origin{kind: nothing}
	for _, m := range o.l.order {
		for _, u := range m.tree().units {
			for _, use := range u.uses() {
				if u.target(use) != at.mod || use.Write || !o.l.reaches(u, use) {
					continue
				}
				member, _, ok := memberOf(use)
				switch {
				case !ok && (use.Store || m.script == nil && u.isReturned(use)):
				case !ok:
					return origin{} // whoever has the module may call all of it
				case member != name || use.Store:
				case use.Escapes(): // M:f(…)
					args := use.Suffix.(*lua51.MethodCall).Args
					if n == 0 {
						return origin{}
					}
					all = all.or(o.nth(u, args, n-1))
				case len(use.Path()) == 1:
					all = all.or(o.takes(u, use, n))
				}
			}
		}
	}
	return all
}

// takes is what one use of a function's name gives its nth parameter.
func (o *origins) takes(u *unit, use *lua51.Name, n int) origin {
	if call, ok := use.Suffix.(*lua51.Call); ok && call.Func == use.Chain {
		return o.nth(u, call.Args, n)
	}
	if arg, ok := o.contextsOf(u).calls[use]; ok && arg.n == 0 && isGlobal(arg.call, "pcall") {
		return o.nth(u, arg.call.Args[1:], n)
	}
	return origin{} // who knows who calls it
}

// nth is the nth of some arguments, from 0.
func (o *origins) nth(u *unit, args []lua51.Expr, n int) origin {
	switch last := len(args) - 1; {
	case n <= last:
		return o.of(u, args[n])
	case last >= 0 && lua51.IsMulti(args[last]):
		return origin{}
	}
	return origin{kind: nothing}
}
