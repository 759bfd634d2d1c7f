package lua51

import "unicode/utf8"

// A Token is a word, number, string or sign of a text.
type Token struct {
	Kind   Kind
	Pos    Pos
	End    int     // offset after its last byte
	Text   string  // as written: the bytes from Pos.Offset to End
	Value  string  // of a StringToken: what it stands for
	Number float64 // of a NumberToken
}

// Tokens returns the tokens and the comments of src in their order. The last
// token is the EOF, which has no text. With a [SyntaxError] it returns what
// stands before the place of the error. Signs unknown to Lua are no error
// here, so that a caller may read a dialect with lines of its own.
func Tokens(name, src string) (tokens []Token, comments []Comment, err error) {
	l := newLexer(name, src)
	defer func() { comments = l.comments }()
	defer catch(&err)
	for {
		var t Token
		l.next(&t)
		tokens = append(tokens, t)
		if t.Kind == EOF {
			return tokens, nil, nil
		}
	}
}

// A lexer cuts a text into tokens. The zero offset is its start; it may be
// started in the middle of a text, at the end of any token.
type lexer struct {
	name, src string
	off       int
	line      int   // number of the line off is in
	lines     []int // where each line begins
	lineStart int   // the last of lines
	solid     int   // where the last token or comment ended
	comments  []Comment
}

func newLexer(name, src string) *lexer {
	return &lexer{name: name, src: src, line: 1, lines: []int{0}}
}

func (l *lexer) pos() Pos { return Pos{l.off, l.line, l.off - l.lineStart + 1} }

// peek returns the byte n after the next, or 0 past the end.
func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

// newline steps over one line end: \n, \r, or the two in either order.
func (l *lexer) newline() {
	c := l.src[l.off]
	l.off++
	if l.off < len(l.src) {
		if d := l.src[l.off]; d != c && (d == '\n' || d == '\r') {
			l.off++
		}
	}
	l.line++
	l.lineStart = l.off
	l.lines = append(l.lines, l.off)
}

// next reads the token after blanks and comments into t.
func (l *lexer) next(t *Token) {
	l.skip()
	*t = Token{Pos: l.pos()}
	start := l.off
	if start < len(l.src) {
		switch c := l.src[start]; classes[c] {
		case letter:
			for l.off < len(l.src) && classes[l.src[l.off]]&(letter|digit) != 0 {
				l.off++
			}
			t.Kind = keyword(l.src[start:l.off])
		case digit:
			l.number(t)
		case quote:
			l.quoted(t)
		default:
			l.sign(t, c)
		}
	}
	t.End, l.solid = l.off, l.off
	t.Text = l.src[start:l.off]
}

// skip steps over blanks and comments.
func (l *lexer) skip() {
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case classes[c] == blank:
			l.off++
		case c == '\n' || c == '\r':
			l.newline()
		case c == '-' && l.peek(1) == '-':
			l.comment()
		default:
			return
		}
	}
}

// sign reads what is neither a word nor begins like a literal, and those
// literals that begin like a sign: `.5` and `[[long]]`.
func (l *lexer) sign(t *Token, c byte) {
	d := l.peek(1)
	size := 1
	switch {
	case c == '.' && classes[d] == digit:
		l.number(t)
		return
	case c == '[' && (d == '[' || d == '='):
		t.Kind = StringToken
		t.Value = l.long(t.Pos, "string")
		return
	case c == '.' && d == '.' && l.peek(2) == '.':
		t.Kind, size = kDots, 3
	case c == '.' && d == '.':
		t.Kind, size = kConcat, 2
	case d == '=' && c == '=':
		t.Kind, size = kEqual, 2
	case d == '=' && c == '~':
		t.Kind, size = kNotEqual, 2
	case d == '=' && c == '<':
		t.Kind, size = kLessEqual, 2
	case d == '=' && c == '>':
		t.Kind, size = kGreaterEqual, 2
	default:
		if t.Kind = signs[c]; t.Kind == Unknown && c >= utf8.RuneSelf {
			// The whole letter, so that a message can show it.
			_, size = utf8.DecodeRuneInString(l.src[l.off:])
		}
	}
	l.off += size
}

// The classes of bytes, as the C locale has them.
const (
	letter = 1 << iota
	digit
	blank
	quote
)

var classes = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] = letter
		case c >= '0' && c <= '9':
			t[c] = digit
		case c == ' ', c == '\t', c == '\v', c == '\f':
			t[c] = blank
		case c == '"', c == '\'':
			t[c] = quote
		}
	}
	return t
}()
