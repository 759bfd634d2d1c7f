package lua51_test

import (
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Walk visits all nodes in the order of the text.
func TestWalk(t *testing.T) {
	c := parse(t, `local a = b while c do d = e, f end repeat g() until h if i then j() elseif k then l() else m() end
for n = o, p, q do r() end for s in t, u do v() end function w.x:y() return z end local function A() end
do B{C, D = E, [F] = G} end return H(I)[J]:K(L), M + N, not O, (P)`)
	var got strings.Builder
	lua51.Walk(c.Main, func(n lua51.Node) bool {
		switch n := n.(type) {
		case *lua51.Name:
			got.WriteString(n.Name)
		case *lua51.String:
			got.WriteString(n.Value)
		}
		return true
	})
	equal(t, "names", got.String(), "bcdefghijklmopqrtuvwxyzBCDEFGHIJKLMNOP")
}

// Walk goes no deeper where it is told not to.
func TestWalkStops(t *testing.T) {
	c := parse(t, "a(function() b() end) c()")
	var got []string
	lua51.Walk(c.Main.Body, func(n lua51.Node) bool {
		if n, ok := n.(*lua51.Name); ok {
			got = append(got, n.Name)
		}
		_, ok := n.(*lua51.Function)
		return !ok
	})
	equal(t, "names", strings.Join(got, " "), "a c")
}

// Every node lies inside of the node around it, after the one before it, and
// its bytes are what it says it is.
func TestSpans(t *testing.T) {
	for name, src := range corpus(t) {
		c := parse(t, src)
		lua51.Walk(c.Main, func(n lua51.Node) bool {
			text := c.Text(n)
			if n.Pos() != c.Position(n.Pos().Offset) {
				t.Errorf("%s: %T at %v, which is %v", name, n, n.Pos(), c.Position(n.Pos().Offset))
			}
			if f, ok := n.(*lua51.FunctionStat); ok {
				equal(t, name, text, c.Text(f.Func)) // which holds the Target too
				return true
			}
			last := n.Pos().Offset
			lua51.Walk(n, func(child lua51.Node) bool {
				if child == n {
					return true
				}
				if child.Pos().Offset < last || child.End() > n.End() {
					t.Errorf("%s: %T %v outside of %T %v", name, child, child.Pos(), n, n.Pos())
				}
				last = child.End()
				return false
			})
			switch n := n.(type) {
			case *lua51.Name:
				equal(t, name, text, n.Name)
			case *lua51.Number:
				equal(t, name, text, n.Raw)
			case *lua51.Binary:
				equal(t, name, src[n.OpPos.Offset:n.OpPos.Offset+len(n.Op)], n.Op)
			case *lua51.Function:
				if n != c.Main && (!strings.HasPrefix(text, "function") || !strings.HasSuffix(text, "end")) {
					t.Errorf("%s: a function is %q", name, text)
				}
				if n != c.Main {
					equal(t, name, src[n.ParamEnd-1], byte(')'))
				}
			case *lua51.Call:
				if !strings.ContainsAny(text[len(text)-1:], `)}"'].`) {
					t.Errorf("%s: a call is %q", name, text)
				}
			}
			return true
		})
	}
}
