package lua51

import (
	"slices"
	"strings"
)

// A Comment is a comment of a script, from its dashes to the end of the line,
// or to the closing bracket of a long one.
type Comment struct {
	Pos     Pos
	End     int    // offset after its last byte; the line end is not part of it
	EndLine int    // the line of its last byte
	Text    string // as written
	Alone   bool   // nothing but blanks before it and after it on its lines
}

// Body returns the text without the marks of a comment and the blanks around:
// "@arg amount int" of "--- @arg amount int".
func (c Comment) Body() string {
	if rest, ok := strings.CutPrefix(c.Text, "--["); ok {
		content := strings.TrimLeft(rest, "=")
		if inside, ok := strings.CutPrefix(content, "["); ok { // --[==[ ]==]
			level := len(rest) - len(content)
			return strings.TrimSpace(inside[:len(inside)-level-2])
		}
	}
	return strings.TrimSpace(strings.TrimLeft(c.Text, "-"))
}

// CommentsAbove returns the run of comments directly above n: each alone on
// its lines, with no line between them and none between the last and n. It is
// empty when n is not the first thing on its line. For the function of a
// statement it returns what stands above the statement.
//
//	-- Not part of the run: a blank line follows.
//
//	--- Moves an amount.
//	--- @arg amount int
//	function M.transfer(src, dst, amount)
func (c *Chunk) CommentsAbove(n Node) []Comment {
	if f, ok := n.(*Function); ok && f.Stat != nil {
		n = f.Stat
	}
	at := n.Pos()
	if strings.TrimLeft(c.Src[at.Offset-at.Column+1:at.Offset], " \t\v\f") != "" {
		return nil
	}
	end, _ := slices.BinarySearchFunc(c.Comments, at.Offset, func(c Comment, off int) int { return c.Pos.Offset - off })
	start, line := end, at.Line
	for start > 0 && c.Comments[start-1].Alone && c.Comments[start-1].EndLine == line-1 {
		start--
		line = c.Comments[start].Pos.Line
	}
	return c.Comments[start:end:end]
}

// comment reads the comment at off and keeps it.
func (l *lexer) comment() {
	c := Comment{Pos: l.pos(), Alone: l.solid <= l.lineStart}
	l.off += 2
	if l.peek(0) == '[' && l.level('[') >= 0 {
		l.long(c.Pos, "comment")
		c.Alone = c.Alone && l.blankAhead()
	} else if n := strings.IndexAny(l.src[l.off:], "\r\n"); n >= 0 {
		l.off += n
	} else {
		l.off = len(l.src)
	}
	c.End, c.EndLine, l.solid = l.off, l.line, l.off
	c.Text = l.src[c.Pos.Offset:c.End]
	if l.comments == nil {
		l.comments = make([]Comment, 0, strings.Count(l.src[c.Pos.Offset:], "--"))
	}
	l.comments = append(l.comments, c)
}

// blankAhead reports whether the rest of the line is blank.
func (l *lexer) blankAhead() bool {
	rest := trimLeft(l.src[l.off:], func(c byte) bool { return classes[c] == blank })
	return rest == "" || rest[0] == '\n' || rest[0] == '\r'
}
