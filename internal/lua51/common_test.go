package lua51_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

func parse(t testing.TB, src string) *lua51.Chunk {
	t.Helper()
	c, err := lua51.Parse("test.lua", src)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	return c
}

// find returns the nodes of type N below n.
func find[N lua51.Node](n lua51.Node) (found []N) {
	lua51.Walk(n, func(n lua51.Node) bool {
		if n, ok := n.(N); ok {
			found = append(found, n)
		}
		return true
	})
	return found
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// sketch writes an expression with all its parentheses.
func sketch(e lua51.Expr) string {
	list := func(es []lua51.Expr) string {
		var parts []string
		for _, e := range es {
			parts = append(parts, sketch(e))
		}
		return strings.Join(parts, ", ")
	}
	switch e := e.(type) {
	case *lua51.Name:
		return e.Name
	case *lua51.Number:
		return fmt.Sprint(e.Value)
	case *lua51.String:
		return fmt.Sprintf("%q", e.Value)
	case *lua51.Nil:
		return "nil"
	case *lua51.True:
		return "true"
	case *lua51.False:
		return "false"
	case *lua51.Vararg:
		return "..."
	case *lua51.Function:
		return "function"
	case *lua51.Binary:
		return "(" + sketch(e.X) + " " + e.Op + " " + sketch(e.Y) + ")"
	case *lua51.Unary:
		return "(" + e.Op + " " + sketch(e.X) + ")"
	case *lua51.Paren:
		return "paren(" + sketch(e.X) + ")"
	case *lua51.Index:
		if e.Dotted {
			key, _ := e.Field()
			return sketch(e.X) + "." + key
		}
		return sketch(e.X) + "[" + sketch(e.Key) + "]"
	case *lua51.Call:
		return sketch(e.Func) + "(" + list(e.Args) + ")"
	case *lua51.MethodCall:
		return sketch(e.X) + ":" + e.Name.Value + "(" + list(e.Args) + ")"
	case *lua51.Table:
		var parts []string
		for _, f := range e.Fields {
			switch {
			case f.Key == nil:
				parts = append(parts, sketch(f.Value))
			case f.Named:
				parts = append(parts, f.Key.(*lua51.String).Value+" = "+sketch(f.Value))
			default:
				parts = append(parts, "["+sketch(f.Key)+"] = "+sketch(f.Value))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprintf("?%T", e)
}
