package lua

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// checkFlow finds statements that are never reached: behind one that always
// leaves, or in a branch that is never taken.
func (u *unit) checkFlow() (found Findings) {
	never := func(n lua51.Node, why string) {
		found = append(found, u.finding(n, "this is never reached: "+why, "take it out"))
	}
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		switch n := n.(type) {
		case *lua51.Block:
			for i, s := range n.Stats[:max(len(n.Stats)-1, 0)] {
				if why := u.leaves(s); why != "" {
					never(n.Stats[i+1], why)
					break
				}
			}
		case *lua51.IfStat:
			for _, c := range n.Clauses {
				if isFalse(c.Cond) && len(c.Body.Stats) > 0 {
					never(c.Body.Stats[0], "its condition is never true")
				}
			}
		case *lua51.WhileStat:
			if isFalse(n.Cond) && len(n.Body.Stats) > 0 {
				never(n.Body.Stats[0], "its condition is never true")
			}
		}
		return true
	})
	return found
}

// leaves says how a statement always leaves its block, or "".
func (u *unit) leaves(s lua51.Stat) string {
	switch s := s.(type) {
	case *lua51.ReturnStat, *lua51.BreakStat:
		_, line := u.place(s.Pos().Line)
		return fmt.Sprintf("line %d leaves", line)
	case *lua51.DoStat:
		return u.leavesAtEnd(s.Body)
	case *lua51.IfStat:
		if s.Else == nil || u.leavesAtEnd(s.Else) == "" {
			return ""
		}
		for _, c := range s.Clauses {
			if u.leavesAtEnd(c.Body) == "" {
				return ""
			}
		}
		return "all branches above leave"
	case *lua51.WhileStat:
		if _, forever := s.Cond.(*lua51.True); forever && !breaks(s.Body) {
			return "the loop above has no end"
		}
	case *lua51.CallStat:
		call, ok := s.Call.(*lua51.Call)
		if !ok {
			return ""
		}
		root, path := call.Callee()
		if root != nil && root.Local == nil && len(path) == 1 && (path[0] == "error" || path[0] == "fail") {
			return path[0] + " does not return"
		}
	}
	return ""
}

func (u *unit) leavesAtEnd(b *lua51.Block) string {
	if len(b.Stats) == 0 {
		return ""
	}
	return u.leaves(b.Stats[len(b.Stats)-1])
}

// breaks tells whether a loop is left by a break of its own.
func breaks(body *lua51.Block) bool {
	found := false
	lua51.Walk(body, func(n lua51.Node) bool {
		switch n.(type) {
		case *lua51.BreakStat:
			found = true
		case *lua51.Function, *lua51.WhileStat, *lua51.RepeatStat, *lua51.NumForStat, *lua51.GenForStat:
			return false // a break in there is not ours
		}
		return true
	})
	return found
}

func isFalse(e lua51.Expr) bool {
	switch e.(type) {
	case *lua51.False, *lua51.Nil:
		return true
	}
	return false
}

// checkState finds what a module keeps from call to call: functions that assign
// to its locals or to tables of it. By EVAL such a state lives for one call, as a
// library of functions for many, on one node, unseen by replicas.
func (u *unit) checkState() (found Findings) {
	if u.mod.script != nil || strings.HasPrefix(u.mod.name, reserved) {
		return nil
	}
	const cure = "pass it as an argument and return it, or store it in Redis"
	filled := u.filled()
	for _, l := range u.chunk.Main.Locals {
		_, isTable := l.Init.(*lua51.Table)
		for _, use := range l.Uses {
			if use.Func == u.chunk.Main {
				continue
			}
			switch {
			case use.Write && l != u.self && u.alias(l) == nil:
				found = append(found, u.finding(use, fmt.Sprintf("the module's local %s is assigned to in a function: that is state, which one call may leave to another", l.Name), cure))
			case (use.Store || filled[use]) && (isTable || l == u.self):
				found = append(found, u.finding(use, fmt.Sprintf("the module's table %s is changed in a function: that is state, which one call may leave to another", l.Name), cure))
			}
		}
	}
	return found
}

// filled are the uses of tables as what table.insert and its like change.
func (u *unit) filled() map[*lua51.Name]bool {
	uses := map[*lua51.Name]bool{}
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		call, ok := n.(*lua51.Call)
		if !ok || len(call.Args) == 0 {
			return true
		}
		root, path := call.Callee()
		if root == nil || root.Local != nil {
			return true
		}
		switch strings.Join(path, ".") {
		case "table.insert", "table.remove", "table.sort", "rawset":
			if use, _ := lua51.PathOf(call.Args[0]); use != nil {
				uses[use] = true
			}
		}
		return true
	})
	return uses
}

// checkDigits finds integers that are made texts of by `..` or tostring, which
// write 14 digits on real servers: parameters that are annotated so, and never
// assigned to.
func (u *unit) checkDigits() (found Findings) {
	ints := map[*lua51.Local]Type{}
	for _, f := range u.tree.exports {
		if f.unit != u {
			continue
		}
		for _, p := range f.sign.Params {
			if base, _ := p.Type.base(); base == "int" || base == "time" {
				if l := f.param(p.Name); l != nil && !l.Assigned() {
					ints[l] = base
				}
			}
		}
	}
	if len(ints) == 0 {
		return nil
	}
	check := func(e lua51.Expr, what string) {
		name, ok := e.(*lua51.Name)
		if !ok || ints[name.Local] == "" {
			return
		}
		found = append(found, u.finding(name, fmt.Sprintf("%s writes 14 digits of %s, which is annotated %s", what, name.Name, ints[name.Local]),
			fmt.Sprintf(`write string.format("%%.0f", %s), or annotate it int64`, name.Name)))
	}
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		switch n := n.(type) {
		case *lua51.Binary:
			if n.Op == ".." {
				check(n.X, "`..`")
				check(n.Y, "`..`")
			}
		case *lua51.Call:
			root, path := n.Callee()
			if root != nil && root.Local == nil && slices.Equal(path, []string{"tostring"}) && len(n.Args) > 0 {
				check(n.Args[0], "tostring")
			}
		}
		return true
	})
	return found
}
