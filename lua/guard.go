package lua

import (
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Guarded returns the entry of a receiver with Lua around its function: package model
// keeps fencing tokens by it. before runs first, and returns {err = "CODE text"} where the
// function is not to be called; after runs when it has returned, or has failed behind a
// write. Both have the key and the word of a [Guard] as __g and __n, of which the function
// knows nothing. They are one line each: the author's lines keep their numbers.
func (e *Entry[In, Out]) Guarded(before, after string) *Entry[In, Out] {
	g := *e
	g.script = e.script.guarded(before, after)
	if e.values != nil {
		g.values = e.values.guarded(before, after)
	}
	return &g
}

// A Guard is what a call of an entry that [Entry.Guarded] has made takes along.
type Guard struct {
	Key, Word string
	Fault     func(*pipectx.ServerError) error // reads the error that before returned; nil for others
}

// Guard gives the calls by [BoundEntry.CallOn] their guard.
func (b BoundEntry[In, Out]) Guard(g Guard) BoundEntry[In, Out] {
	b.guard = &g
	return b
}

// guarded is the script with Lua on its second line and on its last, see prelude.go.
func (s *Script) guarded(before, after string) *Script {
	title, rest, _ := strings.Cut(s.Body, "\n")
	body := title + "\nlocal __g,__n=table.remove(KEYS,2),table.remove(ARGV) " + before + " " +
		strings.TrimSuffix(rest, "return r") + `if ok or __p~="" then ` + after + " end return r"
	g := &Script{Script: pipectx.NewScript(body), name: s.name, lines: s.lines, keys: s.keys, undeclared: s.undeclared}
	g.ReadOnly, g.Resend = s.ReadOnly, s.Resend
	g.onError = g.fault
	remember(g)
	return g
}

// finish is Entry.finish for a call with a guard.
func (g *Guard) finish(s *Script, c *pipectx.Command) {
	c.Word(g.Word)
	c.OnError(func(reply *pipectx.ServerError) error {
		if err := g.Fault(reply); err != nil {
			return err
		}
		return s.fault(reply)
	})
}
