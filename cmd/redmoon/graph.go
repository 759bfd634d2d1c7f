package main

import (
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
)

const graphHelp = `Prints a line for each module and script file in DIR, with the modules it requires
and the scripts it calls behind the arrow.

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
		needs := names(mod.Imports())
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

func names(mods []*lua.Mod) []string {
	all := make([]string, len(mods))
	for i, mod := range mods {
		all[i] = mod.Name()
	}
	return all
}
