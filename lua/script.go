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
	lines []line // of the body, from line 1

	keys       int  // how many it takes; -1 where it does not say
	undeclared bool // it makes keys itself
	strict     atomic.Pointer[pipectx.Script]

	onError func(*pipectx.ServerError) error // fault, bound once
}

// Name is the function that the script calls: accounts.transfer; of a script file
// the file's name: queue/add.
func (s *Script) Name() string { return s.name }

// A line is where a line of a script came from; without a unit it is ours.
type line struct {
	unit *unit
	n    int
}

// emit writes the script.
func (l *linker) emit(what linkage) *Script {
	name := what.entry.title()
	if !l.wrapped {
		name = what.name
	}
	var body writer
	for _, m := range l.order {
		for _, u := range m.units {
			switch {
			case m.script != nil:
				l.emitScript(&body, u)
			case l.keeps(u):
				body.add("do" + l.locals(u))
				l.emitUnit(&body, u)
				body.add("end")
			}
		}
	}
	var w writer
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
		if m.script == nil {
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
	w.text, w.lines = append(w.text, body.text...), append(w.lines, body.lines...)
	w.add(what.call)
	if l.wrapped {
		w.add("end")
		w.add(preludeRun)
	}
	s := &Script{Script: pipectx.NewScript(strings.Join(w.text, "\n")), name: name, lines: w.lines, undeclared: l.undeclared}
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
	for _, f := range sorted(m.exports) {
		if l.kept[place{f.unit, f.def.Stat}] {
			names = append(names, f.name+"=nil")
		}
	}
	return "={" + strings.Join(names, ",") + "}"
}

// keeps tells whether anything of a unit is left.
func (l *linker) keeps(u *unit) bool {
	return slices.ContainsFunc(u.top, func(top lua51.Top) bool { return l.kept[place{u, top.Stat}] })
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

// emitUnit writes the kept lines of a unit. What is cut or replaced leaves its
// line ends behind, so that all other lines stay where they are.
func (l *linker) emitUnit(w *writer, u *unit) {
	var edits []lua51.Edit
	edit := func(e lua51.Edit) { edits = append(edits, u.keepLines(e)) }
	whole := map[int]bool{} // lines that begin or end inside a string
	for _, top := range u.top {
		if l.kept[place{u, top.Stat}] {
			u.longStrings(top.Stat, whole)
		} else {
			edits = append(edits, u.cut(top.Stat))
		}
	}
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
	l.notes(u, edit)
	for _, c := range u.chunk.Comments {
		edit(lua51.Edit{From: c.Pos.Offset, To: c.End, Text: " "})
	}
	for i, text := range strings.Split(u.chunk.Apply(edits...), "\n") {
		n := i + 1
		if !whole[n] {
			if text = strings.TrimRight(text, " \t"); strings.TrimSpace(text) == "" {
				continue
			}
		}
		w.text = append(w.text, text)
		w.lines = append(w.lines, line{u, n})
	}
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

// cut is the edit that takes a statement at the top out: for those that every
// script may do without it was made once.
func (u *unit) cut(s lua51.Stat) lua51.Edit {
	if e, ok := u.cuts[s]; ok {
		return e
	}
	return u.keepLines(u.chunk.Cut(s))
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

type writer struct {
	text  []string
	lines []line
}

// add writes text of ours.
func (w *writer) add(text string) {
	for t := range strings.SplitSeq(text, "\n") {
		w.text = append(w.text, t)
		w.lines = append(w.lines, line{})
	}
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
	if n < 1 || n > len(s.lines) || s.lines[n-1].unit == nil {
		return nil
	}
	u, n := s.lines[n-1].unit, s.lines[n-1].n
	if strings.HasPrefix(u.mod.name, reserved) {
		return nil
	}
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
