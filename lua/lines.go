package lua

import "fmt"

// A Place is a line of a file.
type Place struct {
	File string
	Line int
}

// String is the place as messages write it: audit.lua:15.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Lines is the line map of a compiled script.
type Lines struct{ script *Script }

// Lines returns the script's line map.
func (s *Script) Lines() Lines { return Lines{s} }

// Len is how many lines the compiled script has.
func (l Lines) Len() (n int) {
	for _, of := range l.script.lines {
		n += int(of.n)
	}
	return n
}

// At returns where a line of the compiled script came from, numbered from 1: the
// place of the line itself, and behind it those of the includes that brought it
// in, innermost first. A line that the compiler wrote has no place.
func (l Lines) At(n int) ([]Place, error) {
	if n < 1 || n > l.Len() {
		return nil, fmt.Errorf("lua: %s has %s, no line %d", l.script.name, count(l.Len(), "line"), n)
	}
	t, n := l.script.from(n)
	if t == nil {
		return nil, nil
	}
	var at Place
	at.File, at.Line = t.place(n)
	places := []Place{at}
	if spot := t.spot(n); spot != nil {
		for via := spot.via; via != nil; via = via.via {
			places = append(places, Place{via.in.file, via.line})
		}
	}
	return places, nil
}

// Of returns the lines of the compiled script that a place went to: several for a
// file that is included several times, none for a line that was cut.
func (l Lines) Of(p Place) (lines []int) {
	for i := range l.Len() {
		t, n := l.script.from(i + 1)
		if t == nil {
			continue
		}
		if file, n := t.place(n); file == p.File && n == p.Line {
			lines = append(lines, i+1)
		}
	}
	return lines
}
