package lua

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Script is a linked script with its line map. It does not change; share it.
type Script struct {
	*pipectx.Script
	name  string
	lines []line // of the body, from line 1

	onError func(*pipectx.ServerError) error // fault, bound once
}

// A line is where a line of a script came from; without a unit it is ours.
type line struct {
	unit *unit
	n    int
}

// emit writes the script.
func (l *linker) emit(what linkage) *Script {
	var w writer
	name, wrapped := what.entry.title(), what.name == ""
	if !wrapped {
		name = what.name
	}
	w.add("-- " + name)
	if wrapped {
		w.add(preludeTrace)
	}
	if l.fail {
		w.add(preludeFail)
	}
	if what.helpers != "" {
		w.add(what.helpers)
	}
	tables := make([]string, len(l.order))
	for i, m := range l.order {
		tables[i] = l.fields[m] + "={}"
	}
	begin := "local __={" + strings.Join(tables, ",") + "}"
	if wrapped {
		begin = "local function __m() " + begin
	}
	w.add(begin)
	for _, m := range l.order {
		for _, u := range m.units {
			if l.keeps(u) {
				w.add("do" + l.locals(u))
				l.emitUnit(&w, u)
				w.add("end")
			}
		}
	}
	w.add(what.call)
	if wrapped {
		w.add("end")
		w.add(preludeRun)
	}
	s := &Script{Script: pipectx.NewScript(strings.Join(w.text, "\n")), name: name, lines: w.lines}
	s.onError = s.fault
	return s
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
	edit := func(e lua51.Edit) {
		e.Text += strings.Repeat("\n", strings.Count(u.chunk.Src[e.From:e.To], "\n"))
		edits = append(edits, e)
	}
	whole := map[int]bool{} // lines that begin or end inside a string
	for _, top := range u.top {
		if l.kept[place{u, top.Stat}] {
			u.longStrings(top.Stat, whole)
		} else {
			edit(u.chunk.Cut(top.Stat))
		}
	}
	edit(u.chunk.Replace(u.self.Init, "__."+l.fields[u.mod]))
	for _, r := range u.requires {
		value := "nil" // nobody uses it
		if field, used := l.fields[u.mod.imported(r.name)]; used {
			value = "__." + field
		}
		edit(u.chunk.Replace(r.call, value))
	}
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
	if f, ok := s.at(syntax.Pos.Line); ok {
		where = fmt.Sprintf("%s:%d: ", f.File, f.Line)
	}
	return fmt.Errorf("lua: %s%s is at a limit of Lua's: %s; split the function or the text", where, s.name, syntax.Msg)
}

// at returns where a line of the script came from, for people. Lines of ours
// have no place, nor have those of modules that support others.
func (s *Script) at(n int) (Frame, bool) {
	if n < 1 || n > len(s.lines) || s.lines[n-1].unit == nil {
		return Frame{}, false
	}
	u, n := s.lines[n-1].unit, s.lines[n-1].n
	if strings.HasPrefix(u.mod.name, reserved) {
		return Frame{}, false
	}
	f := Frame{File: u.file, Line: u.line(n), Source: strings.TrimSpace(u.chunk.Line(n))}
	for _, d := range u.chunk.Functions { // the last that begins before is the innermost
		if d.Name != "" && d.Pos().Line <= n && n <= u.chunk.Position(d.End()).Line {
			f.Func = u.title(d)
		}
	}
	return f, true
}

// reserved begins the names of modules that support others, such as the one
// behind self; tracebacks leave them out: the author's own lines tell more.
const reserved = "redmoon_"
