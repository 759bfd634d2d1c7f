package main

import (
	"encoding/json"
	"fmt"
	"io"
)

const checkHelp = `Loads all .lua files in DIR as lua.LoadAllFS does, and if they are sound compiles
each function that Go may call. It prints one line for each thing that is wrong,

  scripts/stock.lua:3:16: unknown global "rdis"; did you mean redis?

and ends with status 1 if there is any. What only Go's types can tell, such as
fields of a record that do not exist, is checked when the program starts.

  -json  print a list of objects with file, line, column, message, cure, source
`

func check(c *call) error {
	asJSON := c.flags.Bool("json", false, "")
	words, err := c.parse("DIR")
	if err != nil {
		return err
	}
	f, err := load(words[0])
	if err != nil {
		return err
	}
	f.entries()
	if *asJSON {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(append([]finding{}, f.findings...)); err != nil {
			return err
		}
	} else {
		f.print(c.out)
	}
	if len(f.findings) > 0 {
		return errFindings
	}
	return nil
}

// print writes a line for each finding.
func (f *folder) print(w io.Writer) {
	for _, one := range f.findings {
		text := one.Message
		if one.Cure != "" {
			text += "; " + one.Cure
		}
		switch {
		case one.File == "":
			fmt.Fprintln(w, text)
		case one.Line == 0:
			fmt.Fprintf(w, "%s: %s\n", one.File, text)
		default:
			fmt.Fprintf(w, "%s:%d:%d: %s\n", one.File, one.Line, one.Column, text)
		}
	}
}
