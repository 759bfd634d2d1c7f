package lua51

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// An Edit puts Text in place of the bytes from From to To.
type Edit struct {
	From, To int
	Text     string
}

// Replace returns the edit that puts text in place of n.
func (c *Chunk) Replace(n Node, text string) Edit { return Edit{n.Pos().Offset, n.End(), text} }

// Cut returns the edit that takes a statement out, with the `;` after it: left
// alone that would be an error, for Lua 5.1 has no empty statement.
//
// What stands around must not grow together. Cut from
//
//	a = b
//	function f() end
//	(g or h)()
//
// the function would turn `b` into something to call. A parenthesis gets a
// `do end` before it, which is harmless wherever a statement may stand; a `;`
// would not be. Words get a blank between them.
func (c *Chunk) Cut(s Stat) Edit {
	e := Edit{From: s.Pos().Offset, To: s.End()}
	l := newLexer(c.Name, c.Src)
	l.off = e.To
	var t Token
	if l.next(&t); t.Kind == kSemicolon {
		e.To = t.End
		l.next(&t)
	}
	if t.Kind == kOpen {
		e.Text = "do end"
	}
	isWord := func(off int) bool {
		return off >= 0 && off < len(c.Src) && classes[c.Src[off]]&(letter|digit) != 0
	}
	if isWord(e.From-1) && (e.Text != "" || isWord(e.To)) {
		e.Text = " " + e.Text
	}
	return e
}

// Apply returns the text with edits made, in any order. An edit that begins
// inside an earlier one is left out: a place in a function that is cut needs
// no change.
func (c *Chunk) Apply(edits ...Edit) string { return c.ApplyBetween(0, len(c.Src), edits...) }

// ApplyBetween is Apply to the bytes from one offset to another. An edit that
// begins before them leaves no text, one that ends behind them is made as it is.
func (c *Chunk) ApplyBetween(from, to int, edits ...Edit) string {
	edits = slices.Clone(edits)
	weight := func(e Edit) int { // insertions first, then the one around the other
		if e.From == e.To {
			return math.MinInt
		}
		return e.From - e.To
	}
	slices.SortStableFunc(edits, func(a, b Edit) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(weight(a), weight(b)))
	})
	var b strings.Builder
	done := 0
	for _, e := range edits {
		if e.From < done || e.From > to {
			continue
		}
		if e.From >= from {
			b.WriteString(c.Src[max(done, from):e.From])
			b.WriteString(e.Text)
		}
		done = e.To
	}
	if done = max(done, from); done < to {
		b.WriteString(c.Src[done:to])
	}
	return b.String()
}
