package lua

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A unit is one text of a module: a file, a Source, or a Func, which is dressed
// up as a module of one function. The text of a script is one too.
type unit struct {
	*text
	tree     *tree
	chunk    *lua51.Chunk
	top      []statement
	self     *lua51.Local // the module's table, `local M = {}`
	requires []require

	sites      []site            // calls of redis.call
	undeclared []*lua51.Function // annotated so

	definers map[*lua51.Local][]int // what of top may go where a local is not used
}

// A statement at the top of a unit.
type statement struct {
	lua51.Top
	optional bool       // it may go where nobody needs it
	cut      lua51.Edit // how it goes
	from, to int        // where its lines begin and end
	line     int        // the first of them
}

// A text is what the author wrote, with what we put around it.
type text struct {
	mod    *Mod
	file   string // for messages and tracebacks
	piece  *piece // that file; nil: a text from Go
	text   string
	head   int  // lines of ours before the author's first
	isFunc bool // a Func: it calls modules by their names

	spots []spot // where each of the author's lines came from; nil: from file
}

// A require is `local audit = require "audit"` at the top of a text.
type require struct {
	local *lua51.Local
	call  *lua51.Call
	name  string
}

// A function is one that callers name: M.f.
type function struct {
	name string
	unit *unit
	def  *lua51.Function
	n    int // of the statement at the top that defines it; -1: it is a script
	sign Signature
}

// A place is a statement at the top of a unit, by its number.
type place struct {
	unit *unit
	n    int
}

func (f *function) title() string {
	if f.unit.mod.script != nil {
		return f.unit.mod.name
	}
	return f.unit.mod.name + "." + f.name
}

func (f *function) private() bool { return f.name[0] == '_' }

// isMethod tells whether it is written `function M:f()`, with a hidden self.
func (f *function) isMethod() bool {
	return len(f.def.Params) > 0 && f.def.Params[0].Kind == lua51.Self
}

// at is a place in the function's text for messages: file:line:column.
func (f *function) at(pos lua51.Pos) string {
	file, line := f.unit.place(pos.Line)
	return fmt.Sprintf("%s:%d:%d", file, line, pos.Column)
}

// shape finds the module's table and the modules the text requires.
func (u *unit) shape() (Finding, bool) {
	stats := u.chunk.Main.Body.Stats
	if u.isFunc && len(stats) > 3 { // table, function, return
		return u.finding(stats[2], "the body closes its function", "take out the `end` that is too many"), false
	}
	const form = "begin a module with `local M = {}`, add functions to M, and end it with `return M`"
	var ret *lua51.ReturnStat
	if len(stats) > 0 {
		ret, _ = stats[len(stats)-1].(*lua51.ReturnStat)
	}
	if ret == nil {
		return u.finding(u.chunk.Main, "the text does not return a module", form), false
	}
	var name *lua51.Name
	if len(ret.Values) == 1 {
		name, _ = ret.Values[0].(*lua51.Name)
	}
	if name == nil || name.Local == nil {
		return u.finding(ret, "what it returns is not the local table of a module", form), false
	}
	u.self = name.Local
	if t, ok := u.self.Init.(*lua51.Table); !ok || len(t.Fields) > 0 {
		return u.findingAt(u.self.Pos, fmt.Sprintf("the module's table %s does not begin empty", u.self.Name), form), false
	}
	u.findRequires()
	return Finding{}, true
}

// findRequires finds the modules that the text requires.
func (u *unit) findRequires() {
	for _, s := range u.chunk.Main.Body.Stats {
		local, ok := s.(*lua51.LocalStat)
		if !ok {
			continue
		}
		for i, v := range local.Values {
			if call, name := required(v); call != nil && i < len(local.Locals) {
				u.requires = append(u.requires, require{local.Locals[i], call, name})
			}
		}
	}
}

// required returns the call and the name of `require "name"`.
func required(e lua51.Expr) (*lua51.Call, string) {
	call, ok := e.(*lua51.Call)
	if !ok || len(call.Args) != 1 {
		return nil, ""
	}
	name, ok := call.Func.(*lua51.Name)
	arg, isString := call.Args[0].(*lua51.String)
	if !ok || !isString || name.Name != "require" || name.Local != nil {
		return nil, ""
	}
	return call, arg.Value
}

// declarations sorts the statements at the top into those that always run, and
// those that may go where nothing of what they declare is used: functions, the
// module's table, and requires.
func (u *unit) declarations() {
	u.definers = map[*lua51.Local][]int{}
	tops := u.chunk.Top()
	u.top = make([]statement, len(tops))
	for n, top := range tops {
		s := &u.top[n]
		s.Top, s.cut, s.line = top, u.keepLines(u.chunk.Cut(top.Stat)), top.Stat.Pos().Line
		s.from, s.to = u.linesOf(top.Stat.Pos().Offset, s.cut.To)
		if s.optional = top.Pure || u.isRequires(top.Stat); !s.optional {
			continue
		}
		for _, l := range top.Locals {
			u.definers[l] = append(u.definers[l], n)
		}
		for _, target := range top.Targets {
			switch path := target.Path(); {
			case target.Local == u.self && len(path) > 0:
				u.tree.defines[path[0]] = append(u.tree.defines[path[0]], place{u, n})
			case target.Local != nil:
				u.definers[target.Local] = append(u.definers[target.Local], n)
			}
		}
	}
}

// linesOf is where the lines begin and end that some bytes stand on.
func (u *unit) linesOf(from, to int) (first, last int) {
	first = strings.LastIndexByte(u.chunk.Src[:from], '\n') + 1
	if n := strings.IndexByte(u.chunk.Src[to:], '\n'); n >= 0 {
		return first, to + n
	}
	return first, len(u.chunk.Src)
}

// topAt is the statement at the top that a byte of it belongs to, -1 before the
// first.
func (u *unit) topAt(offset int) int {
	n, found := slices.BinarySearchFunc(u.top, offset, func(s statement, offset int) int { return s.Stat.Pos().Offset - offset })
	if !found {
		n-- // the last that begins before it
	}
	return n
}

// isRequires tells whether s does nothing but name modules: `local M = {}`,
// `local audit = require "audit"`.
func (u *unit) isRequires(s lua51.Stat) bool {
	local, ok := s.(*lua51.LocalStat)
	if !ok || len(local.Values) == 0 || len(local.Values) != len(local.Locals) {
		return false
	}
	for _, l := range local.Locals {
		if l != u.self && u.alias(l) == nil {
			return false
		}
	}
	return true
}

// alias returns the require that names a module by l.
func (u *unit) alias(l *lua51.Local) *require {
	i := slices.IndexFunc(u.requires, func(r require) bool { return r.local == l })
	if i < 0 {
		return nil
	}
	return &u.requires[i]
}

// target returns the module that a use of a name means: its own table, a
// required module, or, in a Func, one called by its name.
func (u *unit) target(use *lua51.Name) *Mod {
	switch {
	case use.Local == nil && u.isFunc:
		return u.mod.imported(use.Name)
	case use.Local == nil:
		return nil
	case use.Local == u.self:
		return u.mod
	}
	if r := u.alias(use.Local); r != nil {
		return u.mod.imported(r.path())
	}
	return nil
}

// export collects the functions of the module's table.
func (u *unit) export() (found Findings) {
	for _, def := range u.chunk.Functions {
		name, ok := u.exported(def)
		if !ok {
			continue
		}
		sign, faults := u.signature(def)
		found = append(found, faults...)
		if old := u.tree.export(name); old != nil {
			found = append(found, u.finding(def, fmt.Sprintf("function %s is defined twice, first at %s", old.title(), old.at(old.def.Pos())), "rename one of them"))
			continue
		}
		u.tree.add(&function{name: name, unit: u, def: def, sign: sign})
	}
	return found
}

// exported returns the name under which a statement puts f into the module's
// table.
func (u *unit) exported(f *lua51.Function) (string, bool) {
	path := u.pathOf(f)
	if f.Parent != u.chunk.Main || len(path) != 1 || !isName(path[0]) {
		return "", false
	}
	return path[0], true
}

// pathOf is the field of the module's table that a statement gives f to: f, or
// limits.max; nil for other functions.
func (u *unit) pathOf(f *lua51.Function) []string {
	var target lua51.Expr
	switch s := f.Stat.(type) {
	case *lua51.FunctionStat:
		target = s.Target
	case *lua51.AssignStat:
		if i := slices.Index(s.Values, lua51.Expr(f)); i >= 0 && i < len(s.Targets) {
			target = s.Targets[i]
		}
	}
	if target == nil {
		return nil
	}
	root, path := lua51.PathOf(target)
	if root == nil || root.Local == nil || root.Local != u.self {
		return nil
	}
	return path[1:]
}

// title is a function's name for people: M.f is accounts.f.
func (u *unit) title(f *lua51.Function) string {
	if path := u.pathOf(f); len(path) > 0 {
		return u.mod.name + "." + strings.Join(path, ".")
	}
	return f.Name + " (local)"
}

// line is the author's number of a line: 1 for what stands in the head.
func (t *text) line(n int) int { return max(n-t.head, 1) }

// place is the file and the line that its author knows a line by.
func (t *text) place(n int) (file string, line int) {
	if s := t.spot(n); s != nil {
		return s.in.file, s.line
	}
	return t.file, t.line(n)
}

// spot is where a line of a text of several files came from.
func (t *text) spot(n int) *spot {
	if len(t.spots) == 0 {
		return nil
	}
	return &t.spots[min(t.line(n), len(t.spots))-1]
}

// finding makes a finding at a node, in the author's lines.
func (u *unit) finding(n lua51.Node, message, cure string) Finding {
	return u.findingAt(n.Pos(), message, cure)
}

func (u *unit) findingAt(pos lua51.Pos, message, cure string) Finding {
	file, line := u.place(pos.Line)
	return Finding{File: file, Line: line, Column: pos.Column,
		Source: u.source(pos.Line), Message: message, Cure: cure}
}

// source is a line as its author wrote it.
func (u *unit) source(n int) string {
	if s := u.spot(n); s != nil {
		return s.in.lineAt(s.line)
	}
	return u.chunk.Line(n)
}

var lineNumber = regexp.MustCompile(`\bline (\d+)`)

// syntaxFinding says where a text is not Lua, in the author's lines. What Lua
// finds behind a Func's body, where only our `end` stands, is said of its end.
func (t *text) syntaxFinding(err error) Finding {
	var syntax *lua51.SyntaxError
	if !errors.As(err, &syntax) {
		return Finding{File: t.file, Message: err.Error()}
	}
	lines := strings.Split(t.text, "\n")
	line, column, message := syntax.Pos.Line, syntax.Pos.Column, syntax.Msg
	if last := len(lines) - 2; t.isFunc {
		if line > last {
			line, column = last, len(lines[last-1])+1
		}
	}
	message = lineNumber.ReplaceAllStringFunc(message, func(s string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(s, "line "))
		_, n = t.place(n)
		return fmt.Sprintf("line %d", n)
	})
	file, at := t.place(line)
	cure := ""
	switch text := strings.TrimSpace(lines[line-1]); {
	case strings.Contains(message, "has more than"):
		cure = "split it, or keep values in a table"
	case strings.HasPrefix(text, "#!"):
		cure = "take the line out: --- @readonly says no-writes, and lua.Strict adds a shebang for tests"
	case strings.HasPrefix(text, "%") && strings.HasSuffix(message, "near '%'"):
		word, _ := cutMark(text[1:])
		cure = cmp.Or(didYouMean(word, directiveWords), "the directives are "+strings.Join(directiveWords, ", "))
	}
	return Finding{File: file, Line: at, Column: column, Source: lines[line-1], Message: message, Cure: cure}
}
