package lua51

// Parse reads a script. The name stands in errors, as in "name:12:7: …"; an
// error is always a [*SyntaxError].
func Parse(name, src string) (c *Chunk, err error) {
	p := &parser{
		lexer: newLexer(name, src),
		scope: make(map[string]*Local),
		chunk: &Chunk{Name: name, Src: src},
	}
	defer catch(&err)
	p.script()
	return p.chunk, nil
}

// maxLevels is how deep syntax may nest: LUAI_MAXCCALLS of Lua less the call
// in which luac itself runs. (A server has one level more. A script that
// needs it had better not.)
const maxLevels = 200 - 1

// A parser reads by recursive descent, one function for each piece of the
// grammar, and resolves names on the way: what a name means depends only on
// what stands before it.
type parser struct {
	*lexer
	tok      Token // the token at hand
	ahead    Token // the one after it, if hasAhead
	hasAhead bool
	prevEnd  int // where the token before tok ended
	prevLine int // and the line the lexer was on then; see args

	level  int // of nested syntax
	frame  *frame
	active []*Local // in scope, innermost last
	scope  map[string]*Local
	chunk  *Chunk
}

// script parses the whole text as the body of a vararg function.
func (p *parser) script() {
	main := &Function{Vararg: true}
	main.pos, main.end = Pos{0, 1, 1}, len(p.src)
	p.frame = &frame{Function: main}
	p.chunk.Main = main
	p.next()
	main.Body = p.block()
	if p.tok.Kind != EOF {
		p.failExpected(EOF)
	}
	p.chunk.Comments, p.chunk.lines = p.comments, p.lines
}

// block parses statements up to a word that ends a block, in a scope of their own.
func (p *parser) block() *Block {
	defer p.close(p.open())
	return p.stats()
}

func (p *parser) stats() *Block {
	p.enter()
	b := &Block{}
	b.pos = p.tok.Pos
	for last := false; !last && !p.atBlockEnd(); p.accept(kSemicolon) {
		var s Stat
		s, last = p.statement()
		b.Stats = append(b.Stats, s)
	}
	b.end = max(b.pos.Offset, p.prevEnd)
	p.level--
	return b
}

func (p *parser) atBlockEnd() bool {
	switch p.tok.Kind {
	case EOF, kEnd, kElse, kElseif, kUntil:
		return true
	}
	return false
}

// statement parses one statement; last says that its block must end after it.
func (p *parser) statement() (s Stat, last bool) {
	at := p.tok.Pos
	switch p.tok.Kind {
	case kIf:
		return p.ifStat(at), false
	case kWhile:
		return p.whileStat(at), false
	case kDo:
		p.next()
		d := &DoStat{Body: p.block()}
		p.closing(kEnd, kDo, at)
		d.span = p.since(at)
		return d, false
	case kFor:
		return p.forStat(at), false
	case kRepeat:
		return p.repeatStat(at), false
	case kFunction:
		return p.functionStat(at), false
	case kLocal:
		p.next()
		if p.tok.Kind == kFunction {
			return p.localFunctionStat(at), false
		}
		return p.localStat(at), false
	case kReturn:
		p.next()
		r := &ReturnStat{}
		if !p.atBlockEnd() && p.tok.Kind != kSemicolon {
			r.Values = p.exprs()
		}
		r.span = p.since(at)
		return r, true
	case kBreak:
		if p.frame.loops == 0 {
			p.fail(at, "no loop to break %s", near(&p.tok))
		}
		p.next()
		b := &BreakStat{}
		b.span = p.since(at)
		return b, true
	}
	return p.exprStat(at), false
}

func (p *parser) ifStat(at Pos) Stat {
	s := &IfStat{}
	for {
		p.next()
		cond := p.expr()
		p.expect(kThen)
		s.Clauses = append(s.Clauses, Clause{cond, p.block()})
		if p.tok.Kind != kElseif {
			break
		}
	}
	if p.accept(kElse) {
		s.Else = p.block()
	}
	p.closing(kEnd, kIf, at)
	s.span = p.since(at)
	return s
}

func (p *parser) whileStat(at Pos) Stat {
	p.next()
	s := &WhileStat{Cond: p.expr()}
	p.expect(kDo)
	s.Body = p.loop()
	p.closing(kEnd, kWhile, at)
	s.span = p.since(at)
	return s
}

func (p *parser) repeatStat(at Pos) Stat {
	p.next()
	scope := p.open()
	p.frame.loops++
	s := &RepeatStat{Body: p.stats()}
	p.frame.loops--
	p.closing(kUntil, kRepeat, at)
	s.Cond = p.expr()
	p.close(scope)
	s.span = p.since(at)
	return s
}

// loop parses a block in which break has something to leave.
func (p *parser) loop() *Block {
	p.frame.loops++
	b := p.block()
	p.frame.loops--
	return b
}

// forStat parses both for loops. Lua keeps three hidden locals in each, which
// count against the limit.
func (p *parser) forStat(at Pos) Stat {
	defer p.close(p.open())
	p.next()
	name := p.name()
	switch p.tok.Kind {
	case kAssign:
		s := &NumForStat{}
		p.reserve(3, name.Pos)
		s.Var = p.declare(name.Text, name.Pos, LoopVariable, s)
		p.next()
		s.From = p.expr()
		p.expect(kComma)
		s.To = p.expr()
		if p.accept(kComma) {
			s.Step = p.expr()
		}
		s.Body = p.forBody(at, s.Var)
		s.span = p.since(at)
		return s
	case kComma, kIn:
		s := &GenForStat{}
		p.reserve(3, name.Pos)
		s.Vars = append(s.Vars, p.declare(name.Text, name.Pos, LoopVariable, s))
		for p.accept(kComma) {
			name = p.name()
			s.Vars = append(s.Vars, p.declare(name.Text, name.Pos, LoopVariable, s))
		}
		p.expect(kIn)
		s.Values = p.exprs()
		s.Body = p.forBody(at, s.Vars...)
		s.span = p.since(at)
		return s
	}
	p.failNear("'=' or 'in' expected")
	return nil
}

func (p *parser) forBody(at Pos, vars ...*Local) *Block {
	p.expect(kDo)
	p.activate(vars...)
	b := p.loop()
	p.closing(kEnd, kFor, at)
	return b
}

func (p *parser) functionStat(at Pos) Stat {
	word := p.next()
	if p.tok.Kind != NameToken {
		p.failExpected(NameToken)
	}
	root := p.use()
	s := &FunctionStat{Target: root}
	for !s.Method && (p.tok.Kind == kDot || p.tok.Kind == kColon) {
		s.Method = p.tok.Kind == kColon
		p.next()
		x := &Index{X: s.Target, Key: p.word(), Dotted: true}
		x.span = p.since(root.pos)
		s.Target, root.Chain = x, x
	}
	assign(s.Target)
	s.Func = p.function(word, s.Method)
	s.Func.Name, s.Func.Stat = title(s.Target, s.Method), s
	s.span = p.since(at)
	return s
}

func (p *parser) localFunctionStat(at Pos) Stat {
	s := &LocalFunctionStat{}
	word := p.next()
	name := p.name()
	s.Local = p.declare(name.Text, name.Pos, LocalFunction, s)
	p.activate(s.Local) // so that the function can call itself
	s.Func = p.function(word, false)
	s.Func.Name, s.Func.Stat = name.Text, s
	s.Local.Init = s.Func
	s.span = p.since(at)
	return s
}

func (p *parser) localStat(at Pos) Stat {
	s := &LocalStat{}
	for {
		name := p.name()
		s.Locals = append(s.Locals, p.declare(name.Text, name.Pos, Variable, s))
		if !p.accept(kComma) {
			break
		}
	}
	if p.accept(kAssign) {
		s.Values = p.exprs()
	}
	for i, l := range s.Locals {
		if i < len(s.Values) && (i < len(s.Values)-1 || i == len(s.Locals)-1 || !IsMulti(s.Values[i])) {
			l.Init = s.Values[i]
		}
	}
	p.activate(s.Locals...)
	entitle(s, s.Values[:min(len(s.Values), len(s.Locals))], func(i int) string { return s.Locals[i].Name })
	s.span = p.since(at)
	return s
}

// exprStat parses what begins with an expression: a call or an assignment.
func (p *parser) exprStat(at Pos) Stat {
	e := p.suffixed()
	switch e.(type) {
	case *Call, *MethodCall:
		s := &CallStat{Call: e}
		s.span = p.since(at)
		return s
	}
	s := &AssignStat{}
	for {
		switch e.(type) {
		case *Name, *Index:
		default:
			p.failNear("syntax error")
		}
		s.Targets = append(s.Targets, e)
		if !p.accept(kComma) {
			break
		}
		e = p.suffixed()
		// Lua recurses once for each further target.
		if limit := maxLevels - p.level; len(s.Targets) > limit {
			p.failLimit(e.Pos(), p.frame.Function, limit, "variables in assignment")
		}
	}
	p.expect(kAssign)
	s.Values = p.exprs()
	for _, t := range s.Targets {
		assign(t)
	}
	entitle(s, s.Values[:min(len(s.Values), len(s.Targets))], func(i int) string { return title(s.Targets[i], false) })
	s.span = p.since(at)
	return s
}
