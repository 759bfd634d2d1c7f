package lua

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Probe is a script that counts what it runs. Package lua/luatest makes one of
// each script that it sees; nobody else needs them.
type Probe struct {
	Name   string  // stock.take; "" for a script that this package has not made
	Body   string  // statement i of Counts adds 1 to __watch[i+1] when it runs
	Counts []Count // what is counted
	Texts  []*Text // all texts that the script was chosen from
}

// Count is one statement of a text.
type Count struct {
	Text      *Text
	Statement int // of Text.Statements
}

// Text is a Lua text as its author wrote it.
type Text struct {
	File       string // its name in messages
	Source     string
	Statements []Statement
}

// Statement is where a statement stands: a compound one ends with its head,
// and all end where another begins inside. Those that only give names to
// functions are none.
type Statement struct {
	Line, Column       int // from 1, in bytes
	EndLine, EndColumn int // behind it
	Func               string

	start string // how it begins, to know it again in a script
	offset,
	end int
}

// Prelude is the name of the text that this package adds to scripts.
const Prelude = reserved + "prelude"

// NewProbe makes a probe of a script's text. A script that this package has
// linked counts in its authors' texts, any other in its own.
func NewProbe(body string) (*Probe, error) {
	readable := body
	if strings.HasPrefix(body, "#!") { // the server's, not Lua's
		_, rest, _ := strings.Cut(body, "\n")
		readable = "\n" + rest
	}
	chunk, err := lua51.Parse("script", readable)
	if err != nil {
		return nil, err
	}
	p := &Probe{}
	var edits []lua51.Edit
	count := func(at int, text *Text, n int) {
		p.Counts = append(p.Counts, Count{text, n})
		edits = append(edits, lua51.Edit{From: at, To: at, Text: fmt.Sprintf(" __watch[%d]=(__watch[%[1]d] or 0)+1;", len(p.Counts))})
	}
	if s := scriptOf(body); s != nil {
		p.Name = s.name
		s.count(chunk, p, count)
	} else {
		text := &Text{Source: body, Statements: statements(chunk, nil, nil)}
		p.Texts = []*Text{text}
		for i := range text.Statements {
			count(text.Statements[i].offset, text, i)
		}
	}
	p.Body = chunk.Apply(append(edits, untail(chunk)...)...)
	if _, err := lua51.Parse(p.Name, p.Body); err != nil {
		return nil, fmt.Errorf("lua: %s is so near to a limit of Lua's that nothing can be counted in it: %w", p.Name, err)
	}
	return p, nil
}

// untail puts parentheses around the call of `return redis.call(…)`: one that
// luatest watches is no C function, and Lua would forget who called it. It has
// one result either way.
func untail(chunk *lua51.Chunk) (edits []lua51.Edit) {
	lua51.Walk(chunk.Main.Body, func(n lua51.Node) bool {
		ret, ok := n.(*lua51.ReturnStat)
		if !ok || len(ret.Values) != 1 {
			return true
		}
		if call, ok := ret.Values[0].(*lua51.Call); ok {
			if root, _ := call.Callee(); root != nil && root.Local == nil && root.Name == "redis" {
				from, to := call.Pos().Offset, call.End()
				edits = append(edits, lua51.Edit{From: from, To: from, Text: "("}, lua51.Edit{From: to, To: to, Text: ")"})
			}
		}
		return true
	})
	return edits
}

// count finds the authors' statements in the script.
func (s *Script) count(chunk *lua51.Chunk, p *Probe, count func(at int, text *Text, n int)) {
	texts := newTextSet()
	for _, of := range s.lines {
		if of.text != nil {
			texts.add(of.text.mod)
		}
	}
	prelude := preludeText()
	p.Texts = append(texts.all, prelude)

	at, next := 0, 0 // a line of the script, and what may come next of its text
	for _, have := range statements(chunk, nil, nil) {
		text, line := prelude, 0
		if from, n := s.from(have.Line); from != nil {
			text = texts.of[from.origin(n)]
			_, line = from.place(n)
		} else if own := chunk.Line(have.Line); own != "" {
			line = lineOf(prelude.Source, own)
		}
		if have.Line != at {
			at, next = have.Line, text.first(line)
		}
		if have.isNoted(chunk.Src) {
			continue
		}
		for n := next; n < len(text.Statements) && text.Statements[n].Line == line; n++ {
			if have.is(&text.Statements[n]) {
				count(have.offset, text, n)
				next = n + 1
				break
			}
		}
	}
}

// first is the first statement of a line, if it has one.
func (t *Text) first(line int) int {
	n, _ := slices.BinarySearchFunc(t.Statements, line, func(s Statement, line int) int { return s.Line - line })
	return n
}

// isNoted tells whether a statement of a script is one that the compiler put
// around redis.call, see partial.go.
func (s *Statement) isNoted(script string) bool {
	return strings.HasSuffix(script[:s.offset], noteFunc)
}

// is tells whether a statement of a script is that of its author: it begins like
// it, up to where the compiler has put in something.
func (s *Statement) is(author *Statement) bool {
	end := len(s.start)
	for _, mark := range []string{"__", noteFunc} {
		if at := strings.Index(s.start, mark); at >= 0 {
			end = min(end, at)
		}
	}
	if end < len(s.start) {
		return strings.HasPrefix(author.start, s.start[:end])
	}
	return strings.HasPrefix(s.start, author.start)
}

// Texts are those of the module and of all that it imports, with what can be
// counted in them. A text that is put together of several files is theirs.
func (m *Mod) Texts() []*Text {
	texts := newTextSet()
	texts.add(m)
	return texts.all
}

// A textSet finds texts by what they come from: a file, or a text that has none.
type textSet struct {
	all  []*Text
	of   map[any]*Text
	seen map[*Mod]bool
}

func newTextSet() *textSet { return &textSet{of: map[any]*Text{}, seen: map[*Mod]bool{}} }

// origin is the file that a line of a text comes from, or the text.
func (t *text) origin(n int) any {
	switch s := t.spot(n); {
	case s != nil:
		return s.in
	case t.piece != nil:
		return t.piece
	}
	return t
}

func (t *textSet) add(m *Mod) {
	if t.seen[m] {
		return
	}
	t.seen[m] = true
	for _, u := range m.tree().units {
		t.addUnit(u)
	}
	for _, other := range m.Imports() {
		t.add(other)
	}
}

// addUnit adds the statements of a unit to the texts they come from, unless
// another unit has: a file may be part of several, and twice of one.
func (t *textSet) addUnit(u *unit) {
	type mark struct {
		text         *Text
		line, column int
	}
	known, fresh := map[mark]bool{}, map[any]bool{}
	note := func(from any, file, source string) {
		if t.of[from] == nil {
			t.of[from] = &Text{File: file, Source: source}
			t.all, fresh[from] = append(t.all, t.of[from]), true
		}
	}
	switch {
	case u.piece != nil:
		note(u.piece, u.file, u.piece.text)
	case u.isFunc:
		note(u.text, u.file, "")
	default:
		note(u.text, u.file, u.text.text)
	}
	says := func(s lua51.Stat) bool { // what the module is
		n := u.topAt(s.Pos().Offset)
		return u.top[n].Stat == s && (u.top[n].optional || u.mod.script == nil && n == len(u.top)-1)
	}
	for _, s := range statements(u.chunk, says, u.title) {
		if s.Line <= u.head {
			continue
		}
		from := u.origin(s.Line)
		if p, ok := from.(*piece); ok {
			note(p, p.file, p.text)
		}
		to := t.of[from]
		_, line := u.place(s.Line)
		at := mark{to, line, s.Column}
		if !fresh[from] || known[at] {
			continue
		}
		known[at] = true
		if u.origin(s.EndLine) != from { // another file is included inside
			s.EndLine, s.EndColumn = s.Line, len(u.chunk.Line(s.Line))+1
		}
		_, s.EndLine = u.place(s.EndLine)
		s.Line = line
		to.Statements = append(to.Statements, s)
	}
}

// statements lists what is counted in a text.
func statements(chunk *lua51.Chunk, skip func(lua51.Stat) bool, title func(*lua51.Function) string) (all []Statement) {
	lua51.Walk(chunk.Main.Body, func(n lua51.Node) bool {
		s, ok := n.(lua51.Stat)
		if !ok || skip != nil && skip(s) || onlyNames(s) {
			return true
		}
		at := s.Pos()
		line := chunk.Line(at.Line)
		start := line[at.Column-1:]
		start = start[:min(len(start), s.End()-at.Offset)]
		for _, c := range chunk.Comments {
			if c.Pos.Line == at.Line && c.Pos.Column > at.Column {
				start = start[:min(len(start), c.Pos.Column-at.Column)]
				break
			}
		}
		all = append(all, Statement{Line: at.Line, Column: at.Column,
			start: strings.TrimRight(start, " \t"), offset: at.Offset, end: headEnd(s)})
		return true
	})
	for i := range all {
		s := &all[i]
		if i+1 < len(all) {
			s.end = min(s.end, all[i+1].offset)
		}
		s.end = s.offset + len(strings.TrimRight(chunk.Src[s.offset:s.end], " \t\n"))
		end := chunk.Position(s.end)
		s.EndLine, s.EndColumn = end.Line, end.Column
		for _, f := range chunk.Functions { // the last that begins before is the innermost
			if title != nil && f.Name != "" && f.Pos().Offset <= s.offset && s.offset < f.End() {
				s.Func = title(f)
			}
		}
	}
	return all
}

// onlyNames tells whether a statement does nothing that could be left undone.
func onlyNames(s lua51.Stat) bool {
	var values []lua51.Expr
	switch s := s.(type) {
	case *lua51.FunctionStat, *lua51.LocalFunctionStat, *lua51.DoStat:
		return true
	case *lua51.LocalStat:
		values = s.Values
	case *lua51.AssignStat:
		values = s.Values
	}
	for _, v := range values {
		if _, ok := v.(*lua51.Function); !ok {
			return false
		}
	}
	return len(values) > 0
}

// headEnd is where a statement ends, a compound one with its head.
func headEnd(s lua51.Stat) int {
	switch s := s.(type) {
	case *lua51.IfStat:
		return s.Clauses[0].Cond.End()
	case *lua51.WhileStat:
		return s.Cond.End()
	case *lua51.RepeatStat:
		return s.Pos().Offset + len("repeat")
	case *lua51.NumForStat:
		if s.Step != nil {
			return s.Step.End()
		}
		return s.To.End()
	case *lua51.GenForStat:
		return s.Values[len(s.Values)-1].End()
	}
	return s.End()
}

// preludeText is what scripts have of ours, in one text.
func preludeText() *Text {
	source := strings.Join([]string{preludeTrace, preludeDone, preludeFail, helperJSON, helperDefault, helperEncode, helperReply, helperResult, preludeNow, preludeRun}, "\n")
	chunk, err := lua51.Parse(Prelude, source)
	if err != nil {
		panic(err) // a test has seen it
	}
	return &Text{File: Prelude, Source: source, Statements: statements(chunk, nil, func(f *lua51.Function) string { return f.Name })}
}

// lineOf is the number of a line in a text, 0 if it has none like it.
func lineOf(text, line string) int {
	for i, have := range strings.Split(text, "\n") {
		if have == line {
			return i + 1
		}
	}
	return 0
}
