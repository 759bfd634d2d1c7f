package lua51

import (
	"strconv"
	"strings"
)

// number reads a numeral. Lua first takes everything that might belong to one
// and then asks the C library whether it does: `3..2` and `1_000` are
// malformed numbers, not numbers followed by something.
func (l *lexer) number(t *Token) {
	start := l.off
	for l.off < len(l.src) && (classes[l.src[l.off]] == digit || l.src[l.off] == '.') {
		l.off++
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		l.off++
		if c := l.peek(0); c == '+' || c == '-' {
			l.off++
		}
	}
	for l.off < len(l.src) && classes[l.src[l.off]]&(letter|digit) != 0 {
		l.off++
	}
	value, ok := numeral(l.src[start:l.off])
	if !ok {
		l.fail(t.Pos, "malformed number near '%s'", clip(l.src[start:l.off]))
	}
	t.Kind, t.Number = NumberToken, value
}

// numeral returns the value of s as strtod of a C99 library has it: decimal
// with an optional fraction and exponent, or hex with an optional binary
// exponent. What overflows is infinite.
func numeral(s string) (value float64, ok bool) {
	isDecimal := func(c byte) bool { return classes[c] == digit }
	hex := len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x'
	var rest string
	if hex {
		rest = trimLeft(s[2:], func(c byte) bool { return isDecimal(c) || c|0x20 >= 'a' && c|0x20 <= 'f' })
		ok = len(rest) < len(s)-2
	} else {
		rest = trimLeft(s, isDecimal)
		ok = len(rest) < len(s)
		if rest == "" && len(s) <= 15 { // quick, and exact below 2^53
			for i := range len(s) {
				value = value*10 + float64(s[i]-'0')
			}
			return value, ok
		}
		if strings.HasPrefix(rest, ".") {
			fraction := rest[1:]
			rest = trimLeft(fraction, isDecimal)
			ok = ok || len(rest) < len(fraction)
		}
	}
	mark := byte('e')
	if hex {
		mark = 'p'
	}
	if ok && rest != "" && rest[0]|0x20 == mark {
		power := rest[1:]
		if power != "" && (power[0] == '+' || power[0] == '-') {
			power = power[1:]
		}
		rest = trimLeft(power, isDecimal)
		ok = len(rest) < len(power)
	} else if hex {
		s += "p0" // Go wants the exponent that C leaves out
	}
	if !ok || rest != "" {
		return 0, false
	}
	value, _ = strconv.ParseFloat(s, 64) // the only error left is the range
	return value, true
}

// trimLeft returns s without the leading bytes that are in.
func trimLeft(s string, in func(byte) bool) string {
	for s != "" && in(s[0]) {
		s = s[1:]
	}
	return s
}

// quoted reads a string in single or double quotes.
func (l *lexer) quoted(t *Token) {
	end := l.src[l.off]
	l.off++
	from := l.off    // what is not yet in value
	var value []byte // used once there is an escape
	escaped := false // there was one
	for l.off < len(l.src) {
		switch c := l.src[l.off]; c {
		case end:
			t.Kind, t.Value = StringToken, l.src[from:l.off]
			if escaped {
				t.Value = string(append(value, t.Value...))
			}
			l.off++
			return
		case '\\':
			escaped = true
			value = append(value, l.src[from:l.off]...)
			value = l.escape(value)
			from = l.off
		case '\n', '\r':
			l.fail(t.Pos, "unfinished string near '%s'", clip(l.src[t.Pos.Offset:l.off]))
		default:
			l.off++
		}
	}
	l.fail(t.Pos, "unfinished string near '<eof>'")
}

// escape appends the byte that the escape at off stands for. An unknown letter
// stands for itself: `\x41` is "x41" in Lua 5.1.
func (l *lexer) escape(value []byte) []byte {
	at := l.pos()
	l.off++
	if l.off == len(l.src) {
		return value // the caller finds the string unfinished
	}
	c := l.src[l.off]
	switch {
	case c == '\n' || c == '\r':
		l.newline()
		return append(value, '\n')
	case classes[c] == digit:
		code := 0
		for n := 0; n < 3 && classes[l.peek(0)] == digit; n++ {
			code = code*10 + int(l.src[l.off]-'0')
			l.off++
		}
		if code > 255 {
			l.fail(at, "escape sequence too large near '%s'", l.src[at.Offset:l.off])
		}
		return append(value, byte(code))
	}
	l.off++
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		c = "\a\b\f\n\r\t\v"[i]
	}
	return append(value, c)
}

// long reads [[ ]] or [=[ ]=] and returns what is inside, without a newline at
// its very start and with every line end as \n. what names it in errors.
func (l *lexer) long(at Pos, what string) string {
	level := l.level('[')
	if level < 0 {
		l.fail(at, "invalid long string delimiter near '%s'", l.src[at.Offset:l.off-level])
	}
	l.off += level + 2
	if c := l.peek(0); c == '\n' || c == '\r' {
		l.newline()
	}
	start, cr := l.off, false
	for l.off < len(l.src) {
		switch l.src[l.off] {
		case ']':
			if l.level(']') == level {
				text := l.src[start:l.off]
				l.off += level + 2
				if cr {
					text = unixLines(text)
				}
				return text
			}
			l.off++
		case '[':
			if level == 0 && l.peek(1) == '[' {
				l.fail(l.pos(), "nesting of [[...]] is deprecated near '['")
			}
			l.off++
		case '\r':
			cr = true
			l.newline()
		case '\n':
			cr = cr || l.peek(1) == '\r'
			l.newline()
		default:
			l.off++
		}
	}
	l.fail(at, "unfinished long %s near '<eof>'", what)
	return ""
}

// level counts the = between the bracket at off and its like. Without a second
// bracket it is negative: minus the bytes that were looked at.
func (l *lexer) level(bracket byte) int {
	n := 1
	for l.peek(n) == '=' {
		n++
	}
	if l.peek(n) == bracket {
		return n - 1
	}
	return -n
}

// unixLines makes every line end of s a \n.
func unixLines(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '\n' || c == '\r' {
			b.WriteByte('\n')
			if i+1 < len(s) && s[i+1] != c && (s[i+1] == '\n' || s[i+1] == '\r') {
				i++
			}
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
