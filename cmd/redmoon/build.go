package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
)

const buildHelp = `Compiles each function that Go may call, and each script file, with the types of
its annotations, and writes two files for each into the folder OUT, which is made
if need be:

  stock.take.lua   the script, to load by SCRIPT LOAD
  stock.take.json  its SHA1, its keys and arguments in order, and for each line of
                   the script the author's file and line, null for added ones

An argument whose type ends with a question mark may be absent: it goes as an
empty word then, and else as 1 and its text, 15 for 5.

Functions of records, whose first parameter is self, are left out: what they
compile to depends on the Go type. It ends with status 1 if anything is wrong with
the Lua, and writes nothing then.

  -o OUT  where to write
`

// A lineMap is what is written beside a script.
type lineMap struct {
	Name  string   `json:"name"`
	SHA   string   `json:"sha1"`
	Keys  []string `json:"keys"`
	Args  []string `json:"args"` // with their types: "n int", "n int?"
	Lines []*place `json:"lines"`
}

type place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

func build(c *call) error {
	out := c.flags.String("o", "", "")
	words, err := c.parse("DIR")
	if err != nil {
		return err
	}
	if *out == "" {
		return usagef("say where to write: redmoon lua build -o OUT %s", words[0])
	}
	_, all, err := c.sound(words[0])
	if err != nil {
		return err
	}
	from, _ := os.Stat(words[0]) // it was read
	if to, err := os.Stat(*out); err == nil && os.SameFile(from, to) {
		return usagef("%s is where the authors' files are, which would be written over; name another folder behind -o", *out)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return usagef("%v", err)
	}
	for _, e := range all {
		if e.script == nil {
			fmt.Fprintf(c.err, "%s is left out: its self is a record, which only its model knows\n", e.name)
			continue
		}
		if err := e.write(*out); err != nil {
			return usagef("%v", err)
		}
		fmt.Fprintln(c.out, filepath.Join(*out, e.name+".lua"))
	}
	return nil
}

func (e *entry) write(dir string) error {
	m := lineMap{Name: e.name, SHA: e.script.SHA, Keys: []string{}, Args: []string{}}
	for _, p := range e.sign.Params {
		if p.Key {
			m.Keys = append(m.Keys, p.Name)
		} else {
			optional := ""
			if p.Default != "" && !strings.HasSuffix(string(p.Type), "?") {
				optional = "?"
			}
			m.Args = append(m.Args, strings.TrimSpace(p.Name+" "+string(p.Type)+optional))
		}
	}
	for _, at := range places(e.script) {
		if at == nil {
			m.Lines = append(m.Lines, nil)
			continue
		}
		m.Lines = append(m.Lines, &place{at[0].File, at[0].Line})
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, e.name)), 0o755); err != nil { // queue/add
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, e.name+".json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, e.name+".lua"), []byte(e.script.Body), 0o644)
}

// places are those of a script's lines, see lua.Lines; nil for those that were
// added.
func places(s *lua.Script) [][]lua.Place {
	lines := s.Lines()
	all := make([][]lua.Place, lines.Len())
	for i := range all {
		all[i], _ = lines.At(i + 1) // there is such a line
	}
	return all
}

const showHelp = `Prints the script that a function compiles to, each line behind the author's file
and line it came from. ENTRY is module and function, stock.take, or a script file.
`

func show(c *call) error {
	words, err := c.parse("DIR", "ENTRY")
	if err != nil {
		return err
	}
	_, all, err := c.sound(words[0])
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(e entry) bool { return e.name == words[1] })
	if i < 0 {
		var names []string
		for _, e := range all {
			names = append(names, e.name)
		}
		return usagef("there is no %s in %s; there are %s", words[1], words[0], strings.Join(names, ", "))
	}
	if all[i].script == nil {
		return usagef("%s takes a record, which only its model knows: print model.Method(…).Script().Body in Go", words[1])
	}
	s := all[i].script
	var from []string
	width := 0
	for _, at := range places(s) {
		text := ""
		if at != nil {
			text = at[0].String()
		}
		from, width = append(from, text), max(width, len(text))
	}
	for i, line := range strings.Split(s.Body, "\n") {
		fmt.Fprintln(c.out, strings.TrimRight(fmt.Sprintf("%4d %-*s │ %s", i+1, width, from[i], line), " "))
	}
	return nil
}
