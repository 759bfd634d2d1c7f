package lua

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Script is a linked script with its line map. It does not change; share it.
type Script struct {
	*pipectx.Script
	name  string
	lines []stretch // of the body, in their order

	keys       int  // how many it takes; -1 where it does not say
	undeclared bool // it makes keys itself
	strict     atomic.Pointer[pipectx.Script]

	onError func(*pipectx.ServerError) error // fault, bound once
}

// Name is the function that the script calls: accounts.transfer; of a script file
// the file's name: queue/add.
func (s *Script) Name() string { return s.name }

// A stretch is lines in a row of a script that are lines in a row of a text;
// without a text they are ours.
type stretch struct {
	text     *text
	first, n int32 // the first of them in the text, and how many
}

// emit writes the script.
func (l *linker) emit(what linkage) *Script {
	name := what.entry.title()
	if what.name != "" {
		name = what.name
	}
	body, support := writer{text: make([]string, 0, 64)}, writer{}
	for _, m := range l.order {
		to := &body
		if l.inline != nil && m.reserved() {
			to = &support
		}
		for _, u := range m.tree().units {
			switch {
			case m.script != nil:
				l.emitScript(to, u)
			case l.kept[u] != nil:
				to.add("do" + l.locals(u))
				l.emitUnit(to, u)
				to.add("end")
			}
		}
	}
	w := writer{text: make([]string, 0, 96)}
	w.add("-- " + name)
	if l.wrapped {
		w.add(preludeTrace)
	}
	if l.done {
		w.add(preludeDone)
	}
	if l.fail {
		w.add(preludeFail)
	}
	if what.helpers != "" {
		w.add(what.helpers)
	}
	var tables []string
	for _, m := range l.order {
		if m.script == nil && (l.inline == nil || !m.reserved()) {
			tables = append(tables, l.fields[m]+l.table(m))
		}
	}
	begin := "local __={" + strings.Join(tables, ",") + "}"
	if l.wrapped {
		begin = "local function __m() " + begin
	}
	w.add(begin)
	if l.now {
		w.add(preludeNow)
	}
	if l.time {
		w.add(preludeTime)
	}
	if l.inline != nil {
		head, tail := l.inline.declare(l)
		w.add(head)
		w.append(&support)
		w.add(tail)
	}
	w.append(&body)
	w.add(what.call)
	if l.wrapped {
		w.add("end")
		w.add(preludeRun)
	}
	s := &Script{Script: pipectx.NewScript(strings.Join(w.text, "\n")), lines: slices.Clone(w.lines), undeclared: l.undeclared}
	s.name = s.Body[len("-- "):][:len(name)]
	s.ReadOnly, s.Resend = what.entry.sign.ReadOnly, what.entry.sign.Idempotent
	s.onError = s.fault
	remember(s)
	return s
}

// table is the empty table of a module. It names the functions that come, so
// that Lua makes it of their number at once: to grow it takes as long as to fill
// it.
func (l *linker) table(m *Mod) string {
	var names []string
	for _, f := range m.tree().exports {
		if l.keeps(f.unit, f.n) {
			names = append(names, f.name+"=nil")
		}
	}
	return "={" + strings.Join(names, ",") + "}"
}

// locals declares the modules that a Func calls by name.
func (l *linker) locals(u *unit) string {
	names := slices.Sorted(slices.Values(l.named[u]))
	if len(names) == 0 {
		return ""
	}
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = "__." + l.fields[u.mod.imported(name)]
	}
	return " local " + strings.Join(names, ",") + "=" + strings.Join(values, ",")
}

// emitUnit writes the lines of a unit's kept statements. What is cut or replaced
// leaves its line ends behind, so that all other lines stay where they are.
func (l *linker) emitUnit(w *writer, u *unit) {
	var edits []lua51.Edit
	edit := func(e lua51.Edit) { edits = append(edits, u.keepLines(e)) }
	if u.mod.script == nil {
		edit(u.chunk.Replace(u.self.Init, "__."+l.fields[u.mod]))
	} else {
		edit(lua51.Edit{To: strings.IndexByte(u.chunk.Src, '\n')}) // its parameters
	}
	for _, r := range u.requires {
		value := "nil" // nobody uses it
		if field, used := l.fields[u.mod.imported(r.path())]; used {
			value = "__." + field
		}
		edit(u.chunk.Replace(r.call, value))
	}
	l.emitCalls(u, edit)
	if l.inline != nil && u == l.entry.unit {
		for _, e := range l.inline.edits {
			edit(e)
		}
	}
	l.notes(u, edit)
	whole := map[int]bool{} // lines that begin or end inside a string
	for n := range u.top {
		if l.keeps(u, n) {
			u.longStrings(u.top[n].Stat, whole)
		}
	}
	for _, p := range l.passages(u) {
		n := p.first
		for text := range strings.SplitSeq(u.chunk.ApplyBetween(p.from, p.to, l.editsOf(u, p, edits)...), "\n") {
			if !whole[n] {
				text = strings.TrimRight(text, " \t")
			}
			if n <= p.last && (whole[n] || strings.TrimSpace(text) != "") {
				w.line(text, u.text, n)
			}
			n++
		}
	}
}

// A passage is lines in a row of a text that something is kept of.
type passage struct {
	from, to    int // where the first begins and the last ends
	first, last int
}

// passages finds those of a unit.
func (l *linker) passages(u *unit) (all []passage) {
	for n := range u.top {
		s := &u.top[n]
		from, to := s.from, s.to
		switch {
		case l.keeps(u, n):
		case strings.Contains(s.cut.Text, "do end"): // keeps its neighbours apart
			_, to = u.linesOf(s.cut.From, s.cut.From)
		default:
			continue
		}
		if last := len(all) - 1; last >= 0 && from <= all[last].to+1 {
			all[last].to = max(all[last].to, to)
		} else {
			all = append(all, passage{from: from, to: to, first: s.line})
		}
	}
	for i := range all {
		all[i].last = u.chunk.Position(all[i].to).Line
	}
	return all
}

// editsOf are the edits of a passage: those that are given, and what cuts the
// statements and comments that stand on its lines.
func (l *linker) editsOf(u *unit, p passage, given []lua51.Edit) []lua51.Edit {
	edits := slices.Clone(given)
	for n := range u.top {
		if s := &u.top[n]; !l.keeps(u, n) && s.from <= p.to && p.from <= s.to {
			edits = append(edits, s.cut)
		}
	}
	comments := u.chunk.Comments
	first, _ := slices.BinarySearchFunc(comments, p.from, func(c lua51.Comment, from int) int { return c.End - from })
	for _, c := range comments[first:] {
		if c.Pos.Offset > p.to {
			break
		}
		edits = append(edits, u.keepLines(lua51.Edit{From: c.Pos.Offset, To: c.End, Text: " "}))
	}
	return edits
}

// keepLines gives an edit the line ends that it takes away, and keeps words apart.
func (u *unit) keepLines(e lua51.Edit) lua51.Edit {
	if isWord(e.Text, len(e.Text)-1) && isWord(u.chunk.Src, e.To) {
		e.Text += " " // `local M={}local x` needs none
	}
	e.Text += strings.Repeat("\n", strings.Count(u.chunk.Src[e.From:e.To], "\n"))
	return e
}

// isWord tells whether a byte of a text may belong to a name.
func isWord(text string, i int) bool {
	return i >= 0 && i < len(text) && (text[i] == '_' || text[i] >= '0' && text[i] <= '9' || text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z')
}

// longStrings marks the lines of the strings that span several.
func (u *unit) longStrings(s lua51.Stat, lines map[int]bool) {
	lua51.Walk(s, func(n lua51.Node) bool {
		if s, ok := n.(*lua51.String); ok {
			first, last := s.Pos().Line, u.chunk.Position(s.End()).Line
			for at := first; at <= last && first != last; at++ {
				lines[at] = true
			}
		}
		return true
	})
}

// A writer collects the lines of a script.
type writer struct {
	text  []string
	lines []stretch
}

// line writes a line that came from line n of a text.
func (w *writer) line(line string, from *text, n int) {
	w.text = append(w.text, line)
	if last := len(w.lines) - 1; last >= 0 && w.lines[last].text == from && (from == nil || int(w.lines[last].first+w.lines[last].n) == n) {
		w.lines[last].n++
		return
	}
	w.lines = append(w.lines, stretch{from, int32(n), 1})
}

// add writes text of ours.
func (w *writer) add(text string) {
	for t := range strings.SplitSeq(text, "\n") {
		w.line(t, nil, 0)
	}
}

// append writes what another has.
func (w *writer) append(other *writer) {
	w.text, w.lines = append(w.text, other.text...), append(w.lines, other.lines...)
}

// from is where a line of the script came from, numbered from 1: a line of a
// text; nil where it is ours, or none of the script.
func (s *Script) from(n int) (t *text, line int) {
	for _, of := range s.lines {
		if n <= int(of.n) {
			return of.text, int(of.first) + n - 1
		}
		n -= int(of.n)
	}
	return nil, 0
}

// tooMuch is the error of a script that Lua does not take though it takes its
// parts: the frame around them has a few locals and levels of its own.
func (s *Script) tooMuch(err error) error {
	var syntax *lua51.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	where := ""
	if frames := s.at(syntax.Pos.Line); len(frames) > 0 {
		where = fmt.Sprintf("%s:%d: ", frames[0].File, frames[0].Line)
	}
	return fmt.Errorf("lua: %s%s is at a limit of Lua's: %s; split the function or the text", where, s.name, syntax.Msg)
}

// at returns where a line of the script came from, for people: the line, and
// behind it the includes that brought it in, innermost first. Lines of ours have
// no place, nor have those of modules that support others.
func (s *Script) at(n int) []Frame {
	t, n := s.from(n)
	if t == nil || t.mod.reserved() {
		return nil
	}
	u := t.mod.tree().unitOf(t)
	f := Frame{Source: strings.TrimSpace(u.source(n))}
	f.File, f.Line = u.place(n)
	if u.mod.script != nil {
		f.Func = u.mod.name
	}
	for _, d := range u.chunk.Functions { // the last that begins before is the innermost
		if d.Name != "" && d.Pos().Line <= n && n <= u.chunk.Position(d.End()).Line {
			f.Func = u.title(d)
		}
	}
	frames := []Frame{f}
	if at := u.spot(n); at != nil {
		for via := at.via; via != nil; via = via.via {
			frames = append(frames, Frame{File: via.in.file, Line: via.line, Source: strings.TrimSpace(via.in.lineAt(via.line))})
		}
	}
	return frames
}

// reserved begins the names of modules that support others, such as the one
// behind self; tracebacks leave them out: the author's own lines tell more.
const reserved = "redmoon_"
