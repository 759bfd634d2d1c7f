package lua

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"weak"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/pipectx"
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
	texts := map[*unit]*Text{}
	for _, l := range s.lines {
		if l.unit != nil {
			p.Texts = l.unit.mod.texts(p.Texts, texts)
		}
	}
	prelude := preludeText()
	p.Texts = append(p.Texts, prelude)

	next := map[*Text]map[int]int{} // the statement to look at, by line
	for _, at := range statements(chunk, nil, nil) {
		l := s.lines[at.Line-1]
		text, line := texts[l.unit], 0
		if text != nil {
			line = l.unit.line(l.n)
		} else if text = prelude; chunk.Line(at.Line) != "" {
			line = lineOf(prelude.Source, chunk.Line(at.Line))
		}
		if next[text] == nil {
			next[text] = firsts(text.Statements)
		}
		n, ok := next[text][line]
		for ok && n < len(text.Statements) && text.Statements[n].Line == line {
			n++
			if strings.HasPrefix(at.start, text.Statements[n-1].start) {
				count(at.offset, text, n-1)
				next[text][line] = n
				break
			}
		}
	}
}

// firsts are the first statements of lines.
func firsts(all []Statement) map[int]int {
	first := map[int]int{}
	for i, s := range all {
		if _, ok := first[s.Line]; !ok {
			first[s.Line] = i
		}
	}
	return first
}

// Texts are those of the module and of all that it imports, with what can be
// counted in them.
func (m *Mod) Texts() []*Text { return m.texts(nil, map[*unit]*Text{}) }

func (m *Mod) texts(all []*Text, known map[*unit]*Text) []*Text {
	for _, u := range m.units {
		if known[u] != nil {
			return all
		}
		t := &Text{File: u.file, Source: u.text.text, Statements: statements(u.chunk, u.optional, u.title)}
		if u.isFunc {
			t.Source = ""
		}
		for i := range t.Statements {
			s := &t.Statements[i]
			s.Line, s.EndLine = u.line(s.Line), u.line(s.EndLine)
		}
		known[u] = t
		all = append(all, t)
	}
	for _, other := range m.imports {
		all = other.texts(all, known)
	}
	return all
}

// statements lists what is counted in a text; skip are statements at its top
// that say what the module is, as does its last, the return.
func statements(chunk *lua51.Chunk, skip map[lua51.Stat]bool, title func(*lua51.Function) string) (all []Statement) {
	var last lua51.Stat
	if top := chunk.Main.Body.Stats; skip != nil && len(top) > 0 {
		last = top[len(top)-1]
	}
	lua51.Walk(chunk.Main.Body, func(n lua51.Node) bool {
		s, ok := n.(lua51.Stat)
		if !ok || skip[s] || s == last || onlyNames(s) {
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
	source := strings.Join([]string{preludeTrace, preludeFail, helperJSON, helperResult, preludeRun}, "\n")
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

// linked finds the scripts of this process by SHA. It keeps none alive.
var linked struct {
	sync.Mutex
	scripts map[string]weak.Pointer[Script]
	most    int // entries at which those of scripts that are gone go
}

func remember(s *Script) {
	linked.Lock()
	defer linked.Unlock()
	if linked.scripts == nil {
		linked.scripts = map[string]weak.Pointer[Script]{}
	}
	linked.scripts[s.SHA] = weak.Make(s)
	if len(linked.scripts) < linked.most {
		return
	}
	maps.DeleteFunc(linked.scripts, func(_ string, p weak.Pointer[Script]) bool { return p.Value() == nil })
	linked.most = 2*len(linked.scripts) + 1000
}

func scriptOf(body string) *Script {
	linked.Lock()
	defer linked.Unlock()
	return linked.scripts[pipectx.NewScript(body).SHA].Value()
}
