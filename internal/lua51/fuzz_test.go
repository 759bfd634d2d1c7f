package lua51_test

import (
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// No text makes the parser panic or hang. Tokens and comments are in order,
// apart, and the bytes they say they are; what is between is blank. What is
// accepted can be walked, and any statement of it cut.
func FuzzParse(f *testing.F) {
	for _, src := range corpus(f) {
		f.Add(src)
	}
	for _, src := range []string{"", "#", "f\n(1)", "[[a[[b]]", "x='\\300'", "1e", "0x", "--[==[", "a.b:c{...}", "\r\n\r", "goto x", "{f\n(1)}", "é\xff\x00"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tokens, comments, lexErr := lua51.Tokens("t", src)
		last := 0
		for i, tok := range tokens {
			for len(comments) > 0 && comments[0].Pos.Offset < tok.Pos.Offset {
				c := comments[0]
				if c.Pos.Offset < last || c.End > tok.Pos.Offset || c.Text != src[c.Pos.Offset:c.End] {
					t.Fatalf("comment %+v after %d", c, last)
				}
				last, comments = c.End, comments[1:]
			}
			if tok.Pos.Offset < last || tok.End < tok.Pos.Offset || tok.Text != src[tok.Pos.Offset:tok.End] {
				t.Fatalf("token %d %+v after %d", i, tok, last)
			}
			if (tok.Text == "") != (tok.Kind == lua51.EOF) {
				t.Fatalf("token %d is empty: %+v", i, tok)
			}
			last = tok.End
		}
		if lexErr == nil && (len(tokens) == 0 || tokens[len(tokens)-1].Kind != lua51.EOF) {
			t.Fatal("no end")
		}

		c, err := lua51.Parse("t", src)
		if err != nil {
			var syntax *lua51.SyntaxError
			if !errors.As(err, &syntax) || syntax.Pos.Offset > len(src) || syntax.Pos.Line < 1 || syntax.Pos.Column < 1 {
				t.Fatalf("%#v", err)
			}
			return
		}
		if lexErr != nil {
			t.Fatalf("parsed, but %v", lexErr)
		}
		var stats []lua51.Stat
		lua51.Walk(c.Main, func(n lua51.Node) bool {
			if n.Pos() != c.Position(n.Pos().Offset) || n.End() < n.Pos().Offset || n.End() > len(src) {
				t.Fatalf("%T at %v to %d", n, n.Pos(), n.End())
			}
			if s, ok := n.(lua51.Stat); ok {
				stats = append(stats, s)
				c.CommentsAbove(s)
			}
			if n, ok := n.(*lua51.Name); ok && n.Local == nil && len(c.Globals) == 0 {
				t.Fatalf("%s is lost", n.Name)
			}
			return true
		})
		for _, s := range stats[:min(len(stats), 20)] {
			if cut := c.Apply(c.Cut(s)); cut != "" {
				if _, err := lua51.Parse("t", cut); err != nil {
					t.Fatalf("%v without the statement at %v: %q", err, s.Pos(), cut)
				}
			}
		}
		c.Top()
		c.Elements("KEYS")
	})
}
