package main

import (
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
)

const graphHelp = `Prints a line for each module and script file in DIR. Behind the arrow stand the
modules it requires, the scripts it calls, and the files it includes, which end
with .lua.

  -dot  print it for Graphviz: redmoon lua graph -dot DIR | dot -Tsvg > graph.svg
`

func graph(c *call) error {
	dot := c.flags.Bool("dot", false, "")
	words, err := c.parse("DIR")
	if err != nil {
		return err
	}
	f, _, err := c.sound(words[0])
	if err != nil {
		return err
	}
	if *dot {
		fmt.Fprintln(c.out, "digraph lua {")
	}
	for _, mod := range f.mods {
		needs := append(names(mod.Imports()), included(mod)...)
		switch {
		case *dot:
			fmt.Fprintf(c.out, "\t%q\n", mod.Name())
			for _, name := range needs {
				fmt.Fprintf(c.out, "\t%q -> %q\n", mod.Name(), name)
			}
		case len(needs) == 0:
			fmt.Fprintln(c.out, mod.Name())
		default:
			fmt.Fprintf(c.out, "%s → %s\n", mod.Name(), strings.Join(needs, ", "))
		}
	}
	if *dot {
		fmt.Fprintln(c.out, "}")
	}
	return nil
}

// included are the files that a module is made of beside its own.
func included(mod *lua.Mod) (files []string) {
	others := map[string]bool{}
	for _, other := range mod.Imports() {
		for _, text := range other.Texts() {
			others[text.File] = true
		}
	}
	for _, text := range mod.Texts()[1:] {
		if !others[text.File] {
			files = append(files, text.File)
		}
	}
	return files
}

func names(mods []*lua.Mod) []string {
	all := make([]string, len(mods))
	for i, mod := range mods {
		all[i] = mod.Name()
	}
	return all
}
