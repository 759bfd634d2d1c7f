package lua51

import (
	"fmt"
	"unicode/utf8"
)

// A Pos is a place in a text.
type Pos struct {
	Offset int // bytes from the start of the text
	Line   int // from 1
	Column int // from 1, in bytes
}

// String returns "line:column".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// A SyntaxError says why a text is not Lua 5.1. It is the only error of this
// package; the cure is to mend the text at Pos.
//
// Pos is the token Lua names after "near". An unfinished string or comment is
// reported where it begins, since the end of the text tells the author nothing.
type SyntaxError struct {
	Name string // of the chunk, as given to Parse
	Pos  Pos
	Msg  string // in Lua's words, without a position
}

// Error returns "name:line:column: message".
func (e *SyntaxError) Error() string { return e.Name + ":" + e.Pos.String() + ": " + e.Msg }

// fail ends lexing or parsing. The panic is caught by [catch] at every
// exported door; it saves an error check after each of the thousand small
// steps of a recursive parser.
func (l *lexer) fail(at Pos, format string, args ...any) {
	panic(&SyntaxError{Name: l.name, Pos: at, Msg: fmt.Sprintf(format, args...)})
}

// failNear fails at the token at hand.
func (p *parser) failNear(msg string) { p.fail(p.tok.Pos, "%s %s", msg, near(&p.tok)) }

func (p *parser) failExpected(k Kind) { p.failNear("'" + k.String() + "' expected") }

// failLimit fails when a function has too many of something.
func (p *parser) failLimit(at Pos, f *Function, n int, what string) {
	if f.Parent == nil {
		p.fail(at, "main function has more than %d %s", n, what)
	}
	p.fail(at, "function at line %d has more than %d %s", f.pos.Line, n, what)
}

// catch turns the panic of fail into an error and lets all others pass.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *SyntaxError:
		*err = r
	default:
		panic(r)
	}
}

// longestNear bounds the token quoted in a message: a long string may be the
// whole script.
const longestNear = 40

// near quotes a token the way Lua does.
func near(t *Token) string {
	text := t.Text
	switch r, size := utf8.DecodeRuneInString(text); {
	case t.Kind == EOF:
		return "near '<eof>'"
	case t.Kind == Unknown && (r < ' ' || r == 0x7f || r == utf8.RuneError && size <= 1):
		return fmt.Sprintf("near 'char(%d)'", text[0])
	}
	return "near '" + clip(text) + "'"
}

// clip cuts s to its first line and to longestNear bytes, between runes.
func clip(s string) string {
	for i := range s {
		if i >= longestNear || s[i] == '\n' || s[i] == '\r' {
			return s[:i] + "..."
		}
	}
	return s
}
