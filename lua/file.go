package lua

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A script file is a text that is run as it stands: its directives declare keys
// and arguments, which are locals of it, and it returns its result. To all else it
// is a module of one function, main, which its callers give KEYS and ARGV, and
// behind them what it declares:
//
//	__.transfer=function(KEYS,ARGV,from,to,amount) … end
type scriptFile struct {
	keys int // how many it takes; -1 where it does not say
	sign Signature
}

// entryOfScript is the name of a script's one function.
const entryOfScript = "main"

// readAssembly makes a module or a script of an assembled text.
func (b *builder) readAssembly(p *piece, a *assembly, asModule bool) {
	t := &text{file: p.file, piece: p, text: strings.Join(a.lines, "\n")}
	if t.text == p.text {
		t.text = p.text // one of them is enough
	}
	if len(a.spots) != strings.Count(p.text, "\n")+1 { // it includes others
		t.spots = a.spots
	}
	chunk, err := p.chunk, error(nil)
	if chunk == nil || t.text != p.text {
		chunk, err = lua51.Parse(t.file, t.text)
	}
	if err != nil {
		b.fault(a.syntaxFinding(p, t, err))
		return
	}
	if asModule || isModule(chunk) {
		for _, d := range a.dirs {
			if d.bare {
				b.fault(d.at.in.finding(d.directive, d.mark+" belongs to a script file, and this is a module", "write it above a function, as --- @"+d.word))
			}
		}
		b.take(t, chunk)
		return
	}
	b.addScript(t, a.dirs)
}

// syntaxFinding says where an assembled text is not Lua. An include that is not
// Lua by itself is told first: in the whole text the place may be far from it.
func (a *assembly) syntaxFinding(p *piece, t *text, err error) Finding {
	for _, s := range a.spots {
		if s.in == p || s.line != 1 {
			continue
		}
		own := assembly{read: a.read, taken: map[*piece]bool{}}
		own.add(s.in, nil)
		alone := text{file: s.in.file, text: strings.Join(own.lines, "\n"), spots: own.spots}
		chunk, err := lua51.Parse(alone.file, alone.text)
		if err != nil {
			return alone.syntaxFinding(err)
		}
		if ret := returnOf(chunk); ret != nil && s.via != nil {
			file, line := alone.place(ret.Pos().Line)
			return Finding{File: file, Line: line, Column: ret.Pos().Column, Source: chunk.Line(ret.Pos().Line),
				Message: fmt.Sprintf("a file that %s includes ends with return", s.via.in.file), Cure: "take the return out, or require or CALL the file"}
		}
	}
	return t.syntaxFinding(err)
}

// returnOf is the return that ends a text, or nil.
func returnOf(c *lua51.Chunk) *lua51.ReturnStat {
	stats := c.Main.Body.Stats
	if len(stats) == 0 {
		return nil
	}
	ret, _ := stats[len(stats)-1].(*lua51.ReturnStat)
	return ret
}

// returns tells whether the piece returns something at its end.
func (p *piece) returns() bool {
	a := assembly{taken: map[*piece]bool{}} // includes stay empty
	a.add(p, nil)
	chunk, err := lua51.Parse(p.file, strings.Join(a.lines, "\n"))
	return err == nil && returnOf(chunk) != nil
}

// isModule tells a module from a script: it returns a local table to which it
// adds functions, or nothing at all, or forgets to return it.
func isModule(c *lua51.Chunk) bool {
	var name *lua51.Name
	ret := returnOf(c)
	if ret != nil && len(ret.Values) == 1 {
		name, _ = ret.Values[0].(*lua51.Name)
	}
	tables := map[*lua51.Local]bool{} // that get functions
	for _, f := range c.Functions {
		if s, ok := f.Stat.(*lua51.FunctionStat); ok && f.Parent == c.Main {
			if root, path := lua51.PathOf(s.Target); root != nil && root.Local != nil && len(path) > 1 {
				tables[root.Local] = true
			}
		}
	}
	if ret == nil {
		return len(tables) > 0
	}
	if len(ret.Values) == 1 && holdsFunctions(ret.Values[0]) {
		return true // written in another form, which is told
	}
	if name == nil || name.Local == nil || name.Local.Func != c.Main {
		return false
	}
	table, isTable := name.Local.Init.(*lua51.Table)
	if !isTable {
		return false
	}
	unused := len(name.Local.Uses) == 1 && len(table.Fields) == 0
	return tables[name.Local] || holdsFunctions(table) || definesIn(c, name.Local) || unused
}

// holdsFunctions tells whether e is a table with functions: {f = function() … end}.
func holdsFunctions(e lua51.Expr) bool {
	table, ok := e.(*lua51.Table)
	return ok && slices.ContainsFunc(table.Fields, func(f lua51.Field) bool {
		_, ok := f.Value.(*lua51.Function)
		return ok
	})
}

// definesIn tells whether a statement gives a field of l a function: M.f =
// function() … end.
func definesIn(c *lua51.Chunk, l *lua51.Local) bool {
	return slices.ContainsFunc(c.Functions, func(f *lua51.Function) bool {
		s, ok := f.Stat.(*lua51.AssignStat)
		return ok && f.Parent == c.Main && slices.ContainsFunc(s.Targets, func(e lua51.Expr) bool {
			root, _ := lua51.PathOf(e)
			return root != nil && root.Local == l
		})
	})
}

// keysInName is how BullMQ's scripts say how many keys they take: addJob-9.
var keysInName = regexp.MustCompile(`-(\d{1,4})$`)

// addScript takes the text of a script.
func (b *builder) addScript(t *text, dirs []placedDirective) {
	sign, found := declared(dirs)
	if b.found = append(b.found, found...); len(found) > 0 {
		return
	}
	file := &scriptFile{keys: -1, sign: sign}
	if n := keysInName.FindStringSubmatch(b.mod.name); n != nil {
		file.keys, _ = strconv.Atoi(n[1])
	}
	if len(sign.Params) > 0 {
		file.keys = len(keysOf(sign.Params))
	}
	b.mod.script = file
	t.text = "local " + strings.Join(append([]string{"KEYS", "ARGV"}, sign.names()...), ",") + "\n" + t.text
	t.head = 1
	b.parse(t)
}

// declared reads the directives of a script. Those of files that it includes
// declare keys and arguments too, in the order of the whole text; what they say
// of a result is theirs.
func declared(dirs []placedDirective) (s Signature, found Findings) {
	for _, d := range dirs {
		fault := func(message, cure string) { found = append(found, d.at.in.finding(d.directive, message, cure)) }
		words := strings.Fields(d.rest)
		at := lua51.Pos{Line: d.n + 1, Column: d.col} // behind the head
		switch d.word {
		case "key", "arg":
			if len(words) == 0 {
				fault(d.mark+" needs a name", "write "+d.mark+" name")
				continue
			}
			name := words[0]
			if !isName(name) || name == "KEYS" || name == "ARGV" || name == "__" {
				fault(fmt.Sprintf("%s %s: that is no name for a local", d.mark, name), nameCure)
				continue
			}
			if have := s.param(name); have != nil {
				first := dirs[slices.IndexFunc(dirs, func(o placedDirective) bool { return o.n+1 == have.at.Line })]
				again := first.at.in == d.at.in && first.at.line == d.at.line
				if !again { // a file that is included twice declares its own once
					fault(sameName(have, name, d.word == "key"), fmt.Sprintf("it is declared at %s:%d first; rename one of them", first.at.in.file, first.at.line))
				}
				continue
			}
			s.Params = append(s.Params, Param{Name: name})
		case "return":
			if d.at.via != nil {
				continue
			}
		}
		if message, cure := s.annotate(d.word, true, d.rest, at); message != "" {
			fault(d.mark+message, cure)
		}
	}
	return s, found
}

// sameName says what two directives of one name are.
func sameName(have *Param, name string, key bool) string {
	switch {
	case have.Key && key:
		return fmt.Sprintf("two keys are called %s", name)
	case have.Key || key:
		return fmt.Sprintf("a key and an argument are called %s", name)
	}
	return fmt.Sprintf("two arguments are called %s", name)
}

func keysOf(params []Param) (keys []Param) {
	for _, p := range params {
		if p.Key {
			keys = append(keys, p)
		}
	}
	return keys
}

// fieldName is a module's name as a field of __: words that are none of Lua's
// names get underscores.
func fieldName(name string) string {
	if isName(name) {
		return name
	}
	return "_" + strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			return r
		}
		return '_'
	}, name)
}

// folder is where the module's file is.
func (m *Mod) folder() string { return path.Dir(m.name) }
