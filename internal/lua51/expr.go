package lua51

// expr parses an expression.
func (p *parser) expr() Expr { return p.operation(0) }

// exprs parses expressions with commas between.
func (p *parser) exprs() []Expr {
	list := []Expr{p.expr()}
	for p.accept(kComma) {
		list = append(list, p.expr())
	}
	return list
}

// How tight binary operators bind their left and right operand; what is no
// operator binds at 0, that is, not at all. Where right is less than left the
// operator is right associative: a..b..c is a..(b..c).
var binding = [...]struct{ left, right uint8 }{
	kOr: {1, 1}, kAnd: {2, 2},
	kLess: {3, 3}, kGreater: {3, 3}, kLessEqual: {3, 3}, kGreaterEqual: {3, 3}, kNotEqual: {3, 3}, kEqual: {3, 3},
	kConcat: {5, 4}, kAdd: {6, 6}, kSub: {6, 6}, kMul: {7, 7}, kDiv: {7, 7}, kMod: {7, 7},
	kPow: {10, 9}, // above the unary: -a^b is -(a^b)
	kDot: {},      // the last kind, so that all have a place
}

const unaryBinding = 8

// operation parses operands and those operators between them that bind
// tighter than limit.
func (p *parser) operation(limit uint8) Expr {
	p.enter()
	at := p.tok.Pos
	var e Expr
	switch k := p.tok.Kind; k {
	case kNot, kSub, kLen:
		p.next()
		u := &Unary{Op: k.String(), X: p.operation(unaryBinding)}
		u.span = p.since(at)
		e = u
	default:
		e = p.operand()
	}
	for {
		k := p.tok.Kind
		if b := binding[k]; b.left > limit {
			opAt := p.next()
			o := &Binary{Op: k.String(), OpPos: opAt, X: e, Y: p.operation(b.right)}
			o.span = p.since(at)
			e = o
			continue
		}
		p.level--
		return e
	}
}

// operand parses an expression without operators around it.
func (p *parser) operand() Expr {
	s := exprNode{span{p.tok.Pos, p.tok.End}}
	var e Expr
	switch p.tok.Kind {
	case NumberToken:
		e = &Number{s, p.tok.Number, p.tok.Text}
	case StringToken:
		e = &String{s, p.tok.Value}
	case kNil:
		e = &Nil{s}
	case kTrue:
		e = &True{s}
	case kFalse:
		e = &False{s}
	case kDots:
		if !p.frame.Vararg {
			p.failNear("cannot use '...' outside a vararg function")
		}
		e = &Vararg{s}
	case kOpenBrace:
		return p.table()
	case kFunction:
		return p.function(p.next(), false)
	default:
		return p.suffixed()
	}
	p.next()
	return e
}

// suffixed parses a name or parenthesis and all that is applied to it.
func (p *parser) suffixed() Expr {
	at := p.tok.Pos
	var e Expr
	var root *Name // e is a constant path that begins there; else nil
	switch p.tok.Kind {
	case NameToken:
		root = p.use()
		e = root
	case kOpen:
		p.next()
		in := &Paren{X: p.expr()}
		p.closing(kClose, kOpen, at)
		in.span = p.since(at)
		e = in
	default:
		p.failNear("unexpected symbol")
	}
	for {
		// Applying x to e lengthens the path, or ends it.
		constant := false
		switch p.tok.Kind {
		case kDot:
			p.next()
			x := &Index{X: e, Key: p.word(), Dotted: true}
			x.span = p.since(at)
			e, constant = x, true
		case kOpenBracket:
			p.next()
			x := &Index{X: e, Key: p.expr()}
			p.expect(kCloseBracket)
			x.span = p.since(at)
			e = x
			_, constant = x.Field()
		case kColon:
			p.next()
			x := &MethodCall{X: e, Name: p.word()}
			p.chunk.MethodCalls = append(p.chunk.MethodCalls, x)
			x.Args = p.args()
			x.span = p.since(at)
			e = x
		case kOpen, kOpenBrace, StringToken:
			x := &Call{Func: e}
			p.chunk.Calls = append(p.chunk.Calls, x)
			x.Args = p.args()
			x.span = p.since(at)
			e = x
		default:
			return e
		}
		if root != nil && constant {
			root.Chain = e
		} else if root != nil {
			root.Suffix, root = e, nil
		}
	}
}

// args parses the arguments of a call.
func (p *parser) args() []Expr {
	switch p.tok.Kind {
	case StringToken, kOpenBrace:
		return []Expr{p.operand()}
	case kOpen:
	default:
		p.failNear("function arguments expected")
	}
	// A parenthesis on a new line might begin a new statement, so Lua refuses
	// it. It compares the lines its lexer was on, not those of the tokens: after
	// a look ahead, as in `{ f⏎(1) }`, it notices nothing, and neither do we.
	if p.prevLine != p.line {
		p.failNear("ambiguous syntax (function call x new statement)")
	}
	at := p.next()
	var list []Expr
	if p.tok.Kind != kClose {
		list = p.exprs()
	}
	p.closing(kClose, kOpen, at)
	return list
}

// table parses a table constructor.
func (p *parser) table() Expr {
	at := p.next()
	t := &Table{}
	for p.tok.Kind != kCloseBrace {
		var f Field
		switch {
		case p.tok.Kind == NameToken && p.peekKind() == kAssign:
			f.Key, f.Named = p.word(), true
			p.next()
		case p.accept(kOpenBracket):
			f.Key = p.expr()
			p.expect(kCloseBracket)
			p.expect(kAssign)
		}
		f.Value = p.expr()
		t.Fields = append(t.Fields, f)
		if !p.accept(kComma) && !p.accept(kSemicolon) {
			break
		}
	}
	p.closing(kCloseBrace, kOpenBrace, at)
	t.span = p.since(at)
	return t
}

// function parses parameters and body; the word before them stands at at.
func (p *parser) function(at Pos, method bool) *Function {
	f := &Function{Parent: p.frame.Function}
	f.pos = at
	p.chunk.Functions = append(p.chunk.Functions, f)
	p.frame = &frame{Function: f, outer: p.frame}
	scope := p.open()

	p.expect(kOpen)
	if method {
		f.Params = append(f.Params, p.declare("self", at, Self, f))
	}
	for more := p.tok.Kind != kClose; more; more = !f.Vararg && p.accept(kComma) {
		switch p.tok.Kind {
		case NameToken:
			name := p.name()
			f.Params = append(f.Params, p.declare(name.Text, name.Pos, Parameter, f))
		case kDots:
			p.next()
			f.Vararg = true
		default:
			p.failNear("<name> or '...' expected")
		}
	}
	p.activate(f.Params...)
	if f.Vararg {
		p.activate(p.declare("arg", at, Arg, f))
	}
	p.expect(kClose)
	f.ParamEnd = p.prevEnd

	f.Body = p.stats()
	p.close(scope)
	p.frame = p.frame.outer
	p.closing(kEnd, kFunction, at)
	f.span = p.since(at)
	return f
}

// The small steps.

// next goes on to the next token and returns where the one left behind stands.
func (p *parser) next() Pos {
	at := p.tok.Pos
	p.prevEnd, p.prevLine = p.tok.End, p.line
	if p.hasAhead {
		p.tok, p.hasAhead = p.ahead, false
	} else {
		p.lexer.next(&p.tok)
	}
	return at
}

// peekKind returns the kind of the token after the one at hand.
func (p *parser) peekKind() Kind {
	if !p.hasAhead {
		p.lexer.next(&p.ahead)
		p.hasAhead = true
	}
	return p.ahead.Kind
}

// accept steps over a token of kind k, if it is at hand.
func (p *parser) accept(k Kind) bool {
	if p.tok.Kind != k {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(k Kind) {
	if !p.accept(k) {
		p.failExpected(k)
	}
}

// closing steps over what closes the opener at a place.
func (p *parser) closing(k, opener Kind, at Pos) {
	if p.accept(k) {
		return
	}
	if at.Line == p.tok.Pos.Line {
		p.failExpected(k)
	}
	p.fail(p.tok.Pos, "'%s' expected (to close '%s' at line %d) %s", k, opener, at.Line, near(&p.tok))
}

// name steps over a name and returns it.
func (p *parser) name() Token {
	t := p.tok
	p.expect(NameToken)
	return t
}

// word parses a name that stands for a string, such as a field.
func (p *parser) word() *String {
	t := p.name()
	return &String{exprNode{span{t.Pos, t.End}}, t.Text}
}

// since returns the span from at to the last token.
func (p *parser) since(at Pos) span { return span{at, p.prevEnd} }

// enter goes one level of syntax deeper. Its twin is p.level--.
func (p *parser) enter() {
	p.level++
	p.chunk.MaxLevel = max(p.chunk.MaxLevel, p.level)
	if p.level > maxLevels {
		p.fail(p.tok.Pos, "chunk has too many syntax levels")
	}
}
