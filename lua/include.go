package lua

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A piece is one file as its author wrote it, of which a text is put together.
type piece struct {
	file string
	text string
	dirs []directive
	once bool // %pragma once

	chunk *lua51.Chunk // what it is by itself, until it is part of a module; or nil
}

// A spot is where a line of a text came from.
type spot struct {
	in   *piece
	line int
	via  *spot // the include that brought it in
}

// line is a line of the piece, numbered from 1.
func (p *piece) lineAt(n int) string {
	lines := strings.Split(p.text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func (p *piece) finding(d directive, message, cure string) Finding {
	return Finding{File: p.file, Line: d.line, Column: d.col, Source: p.lineAt(d.line), Message: message, Cure: cure}
}

// A placed directive is one that the compiler still has to read, with the line
// of the whole text that it stands on.
type placedDirective struct {
	directive
	at spot
	n  int // of the whole text
}

// An assembly puts a text together of a file and what it includes. Directives
// leave an empty line behind; an include leaves the lines of its file.
type assembly struct {
	read  func(file string) (*piece, error) // from the file system
	lines []string
	spots []spot
	dirs  []placedDirective
	stack []*piece
	taken map[*piece]bool
	found Findings
}

// newPiece reads the directives of a text.
func newPiece(file, text string) *piece {
	p := &piece{file: file, text: normal(text)}
	p.dirs, p.chunk = directives(file, p.text)
	for _, d := range p.dirs {
		if d.word == "pragma" {
			p.once = p.once || d.rest == "once"
		}
	}
	return p
}

// normal is a text with one form of line ends, and without the mark that some
// editors begin it with.
func normal(text string) string {
	text = strings.TrimPrefix(text, "\ufeff")
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// add appends the lines of a piece.
//
// A comment's `@include` brings a file in once, at its first place; a bare
// `%include` does so each time, unless the file says `%pragma once`.
func (a *assembly) add(p *piece, via *spot) {
	a.taken[p] = true
	a.stack = append(a.stack, p)
	dirs := p.dirs
	lines := strings.Split(p.text, "\n")
	a.lines, a.spots = slices.Grow(a.lines, len(lines)), slices.Grow(a.spots, len(lines))
	for i, line := range lines {
		at := spot{p, i + 1, via}
		for len(dirs) > 0 && dirs[0].line == i+1 {
			d := dirs[0]
			dirs = dirs[1:]
			if d.bare || d.word == "include" {
				line = ""
			}
			switch d.word {
			case "include":
				a.include(p, d, at)
			case "pragma":
				if d.rest != "once" {
					a.found = append(a.found, p.finding(d, fmt.Sprintf("%s %s means nothing", d.mark, d.rest), "the only one is "+d.mark+" once"))
				}
			default:
				a.dirs = append(a.dirs, placedDirective{d, at, len(a.lines) + 1})
			}
		}
		a.lines = append(a.lines, line)
		a.spots = append(a.spots, at)
	}
	a.stack = a.stack[:len(a.stack)-1]
}

// include appends the lines of the file that a directive names.
func (a *assembly) include(p *piece, d directive, at spot) {
	fault := func(message, cure string) {
		if len(a.found) < 16 {
			a.found = append(a.found, p.finding(d, message, cure))
		}
	}
	if a.read == nil {
		fault("a text from memory has no files to include", "load it by LoadFS from an fs.FS")
		return
	}
	name, ok := includeName(d.rest)
	if !ok {
		fault(d.mark+" needs the name of a file in quotes", fmt.Sprintf("write %s \"name\"", d.mark))
		return
	}
	file := path.Join(path.Dir(p.file), name)
	if path.IsAbs(name) || file == ".." || strings.HasPrefix(file, "../") {
		fault(fmt.Sprintf("the include %q leaves the root of the file system", name), "give LoadFS a file system that holds both files")
		return
	}
	if path.Ext(file) != ".lua" {
		file += ".lua"
	}
	other, err := a.read(file)
	if err != nil {
		fault(fmt.Sprintf("%s cannot be read: %v", file, reason(err)), "an include is relative to the folder of its file, "+path.Dir(p.file))
		return
	}
	if i := slices.Index(a.stack, other); i >= 0 {
		var chain []string
		for _, in := range append(a.stack[i:len(a.stack):len(a.stack)], other) {
			chain = append(chain, in.file)
		}
		fault("the include closes a circle: "+strings.Join(chain, " -> "), "move what both need into a file of its own")
		return
	}
	if a.taken[other] && (other.once || !d.bare) {
		return
	}
	if len(a.lines) > mostLines {
		fault("the includes make a text of more than a million lines", "a file that is included by several others says %pragma once")
		return
	}
	a.add(other, &at)
}

// mostLines ends what would not end soon: files that include each other twice.
const mostLines = 1_000_000

// includeName is the name in `"name"`, 'name' or, with a semicolon behind or
// not, name itself.
func includeName(rest string) (string, bool) {
	rest = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ";"))
	if n := len(rest); n >= 2 && (rest[0] == '"' || rest[0] == '\'') {
		end := strings.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return "", false
		}
		name := strings.ReplaceAll(rest[1:end+1], `\`, "/")
		return name, name != ""
	}
	rest = strings.ReplaceAll(rest, `\`, "/")
	return rest, rest != "" && !strings.ContainsAny(rest, "\"' \t")
}
