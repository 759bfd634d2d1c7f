// Redmoon is the command line of the library: it checks, compiles and shows Lua
// as the library does when a program starts.
//
//	go run github.com/redmoon-go/redmoon/cmd/redmoon lua check ./scripts
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const help = `redmoon checks and compiles the Lua of package lua.

  redmoon lua check [-json] DIR     tell what is wrong with the .lua files in DIR
  redmoon lua build -o OUT DIR      compile each function that Go may call into OUT
  redmoon lua show DIR ENTRY        print the compiled script of one: stock.take
  redmoon lua graph [-dot] DIR      print which module requires which

DIR is the folder that the program gives to lua.LoadFS or LoadAllFS. It needs no
server.

Exit status: 0 all is well, 1 something is wrong with the Lua, 2 with the command
line. In continuous integration:

  go run github.com/redmoon-go/redmoon/cmd/redmoon lua check ./scripts

redmoon lua COMMAND -h tells more of one command.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// A command is one of `redmoon lua`.
type command struct {
	usage string
	about string
	run   func(c *call) error
}

var commands = map[string]command{
	"check": {usage: "check [-json] DIR", about: checkHelp, run: check},
	"build": {usage: "build -o OUT DIR", about: buildHelp, run: build},
	"show":  {usage: "show DIR ENTRY", about: showHelp, run: show},
	"graph": {usage: "graph [-dot] DIR", about: graphHelp, run: graph},
}

// A call is one call of a command.
type call struct {
	command
	flags    *flag.FlagSet
	args     []string // of the command line, not parsed yet
	out, err io.Writer
}

// errFindings is how a command ends that has told what is wrong with the Lua.
var errFindings = errors.New("findings")

// errHelp is how one ends that has only shown its help.
var errHelp = errors.New("help")

// A usageError is what is wrong with the command line, with its cure.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func run(args []string, out, errOut io.Writer) (status int) {
	err := dispatch(args, out, errOut)
	switch {
	case err == nil, errors.Is(err, errHelp):
		return 0
	case errors.Is(err, errFindings):
		return 1
	}
	fmt.Fprintf(errOut, "redmoon: %v\n", err)
	return 2
}

func dispatch(args []string, out, errOut io.Writer) error {
	if len(args) == 0 {
		return usagef("what shall it do? try: redmoon lua check DIR (redmoon -h lists all)")
	}
	if isHelp(args[0]) {
		fmt.Fprint(out, help)
		return errHelp
	}
	if args[0] != "lua" {
		return usagef("unknown command %q; all are of lua: redmoon lua check DIR (redmoon -h lists them)", args[0])
	}
	const list = "check, build, show and graph"
	if len(args) == 1 {
		return usagef("redmoon lua needs a command: %s; try: redmoon lua check DIR", list)
	}
	if isHelp(args[1]) {
		fmt.Fprint(out, help)
		return errHelp
	}
	name := args[1]
	c, ok := commands[name]
	if !ok {
		return usagef("unknown command lua %s; there are %s", name, list)
	}
	return c.run(&call{command: c, flags: flag.NewFlagSet(name, flag.ContinueOnError), args: args[2:], out: out, err: errOut})
}

func isHelp(arg string) bool {
	return arg == "-h" || arg == "-help" || arg == "--help" || arg == "help"
}

// parse reads flags, before and behind the other words of the command line, of
// which there must be those that are named.
func (c *call) parse(names ...string) (words []string, err error) {
	c.flags.SetOutput(io.Discard)
	for rest := c.args; ; {
		if err := c.flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(c.out, "redmoon lua %s\n\n%s", c.usage, c.about)
			return nil, errHelp
		} else if err != nil {
			return nil, usagef("%v; usage: redmoon lua %s", err, c.usage)
		}
		if c.flags.NArg() == 0 {
			break
		}
		words, rest = append(words, c.flags.Arg(0)), c.flags.Args()[1:]
	}
	switch {
	case len(words) < len(names):
		return nil, usagef("missing: %s; usage: redmoon lua %s", strings.Join(names[len(words):], " and "), c.usage)
	case len(words) > len(names):
		return nil, usagef("%q is one word too many; usage: redmoon lua %s", words[len(names)], c.usage)
	}
	return words, nil
}
