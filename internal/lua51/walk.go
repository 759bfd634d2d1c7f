package lua51

import "slices"

// Walk calls visit for n and all nodes below it, in the order of the text.
// Where visit returns false it goes no deeper.
//
// The names that `local`, `for` and parameters declare are no nodes: see
// [Local]. Field names of a.b and {b = 1} are visited as *String.
//
// Walk keeps its own stack: `a+a+a…` makes a tree as deep as the text is long.
func Walk(n Node, visit func(Node) bool) {
	var room [64]Node
	stack := append(room[:0], n)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if visit(n) {
			top := len(stack)
			stack = appendChildren(stack, n)
			slices.Reverse(stack[top:])
		}
	}
}

// appendChildren appends what is directly below n.
func appendChildren(to []Node, n Node) []Node {
	switch n := n.(type) {
	case *Block:
		to = appendNodes(to, n.Stats)

	case *LocalStat:
		to = appendNodes(to, n.Values)
	case *AssignStat:
		to = appendNodes(appendNodes(to, n.Targets), n.Values)
	case *CallStat:
		to = append(to, n.Call)
	case *DoStat:
		to = append(to, n.Body)
	case *WhileStat:
		to = append(to, n.Cond, n.Body)
	case *RepeatStat:
		to = append(to, n.Body, n.Cond)
	case *IfStat:
		for _, c := range n.Clauses {
			to = append(to, c.Cond, c.Body)
		}
		if n.Else != nil {
			to = append(to, n.Else)
		}
	case *NumForStat:
		to = append(to, n.From, n.To)
		if n.Step != nil {
			to = append(to, n.Step)
		}
		to = append(to, n.Body)
	case *GenForStat:
		to = append(appendNodes(to, n.Values), n.Body)
	case *FunctionStat:
		to = append(to, n.Target, n.Func)
	case *LocalFunctionStat:
		to = append(to, n.Func)
	case *ReturnStat:
		to = appendNodes(to, n.Values)

	case *Function:
		to = append(to, n.Body)
	case *Index:
		to = append(to, n.X, n.Key)
	case *Call:
		to = appendNodes(append(to, n.Func), n.Args)
	case *MethodCall:
		to = appendNodes(append(to, n.X, n.Name), n.Args)
	case *Binary:
		to = append(to, n.X, n.Y)
	case *Unary:
		to = append(to, n.X)
	case *Table:
		for _, f := range n.Fields {
			if f.Key != nil {
				to = append(to, f.Key)
			}
			to = append(to, f.Value)
		}
	case *Paren:
		to = append(to, n.X)
	}
	return to
}

func appendNodes[N Node](to []Node, list []N) []Node {
	for _, n := range list {
		to = append(to, n)
	}
	return to
}
