package lua

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Signature is what a function's parameters and the comments above it say:
//
//	--- @key  account
//	--- @arg  amount int
//	--- @arg  note   string?
//	--- @return int
//	function M.withdraw(account, amount, note)
//
// Types are int, int64 (all 64 bits, a string in Lua), float, string, bool,
// time (microseconds since 1970) and json (a table), with a question mark where
// nil is allowed. What is not annotated takes what Go passes. Words behind a type
// are for people.
type Signature struct {
	Params  []Param // without the self of `function M:f()`
	Vararg  bool
	Returns Type // "" when not annotated

	returnsAt lua51.Pos
}

// Param is one parameter of a function.
type Param struct {
	Name string
	Key  bool // annotated by @key: a Redis key
	Type Type // "" when not annotated

	at lua51.Pos // of the annotation
}

// annotated tells whether the parameter has an annotation.
func (p *Param) annotated() bool { return p.at.Line > 0 }

// Type is a type of an annotation, canonical: "int", "string?", "".
type Type string

// types maps the names an annotation may use to canonical ones.
var types = map[string]Type{
	"int": "int", "integer": "int", "int64": "int64", "float": "float", "number": "float",
	"string": "string", "str": "string", "bool": "bool", "boolean": "bool", "time": "time",
	"json": "json", "table": "json", "list": "json", "array": "json", "dict": "json", "dictionary": "json",
}

const typeNames = "the types are int, int64, float, string, bool, time and json, with ? behind one where nil is allowed"

// base is the type without the question mark, and whether it had one.
func (t Type) base() (base Type, optional bool) {
	s, optional := strings.CutSuffix(string(t), "?")
	return Type(s), optional
}

func parseType(s string) (Type, bool) {
	base, optional := Type(s).base()
	t, ok := types[string(base)]
	if optional {
		t += "?"
	}
	return t, ok
}

// directives are what an annotation begins with, behind @ or %.
var directives = []string{"arg", "key", "return"}

// signature reads the directives above a function.
func (u *unit) signature(f *lua51.Function) (s Signature, found Findings) {
	s.Vararg = f.Vararg
	for _, p := range f.Params {
		if p.Kind != lua51.Self {
			s.Params = append(s.Params, Param{Name: p.Name})
		}
	}
	for _, c := range u.chunk.CommentsAbove(f) {
		words := strings.Fields(c.Body())
		if len(words) == 0 || words[0][0] != '@' && words[0][0] != '%' {
			continue
		}
		directive := words[0][1:]
		if !slices.Contains(directives, directive) {
			// Tools know many words of their own; only what is close to one of
			// ours is a mistake.
			for _, known := range directives {
				if distance(directive, known) == 1 {
					found = append(found, u.findingAt(c.Pos, fmt.Sprintf("unknown annotation %s", words[0]), "did you mean "+words[0][:1]+known+"?"))
				}
			}
			continue
		}
		message, cure := s.annotate(directive, words[1:], c.Pos)
		if message != "" {
			found = append(found, u.findingAt(c.Pos, words[0]+message, cure))
		}
	}
	return s, found
}

// annotate adds what one directive says, or tells what is wrong with it.
func (s *Signature) annotate(directive string, words []string, at lua51.Pos) (message, cure string) {
	if directive == "return" {
		if len(words) == 0 {
			return " needs a type", typeNames
		}
		t, ok := parseType(words[0])
		switch {
		case s.Returns != "":
			return " stands twice", "a function has one result"
		case !ok:
			return fmt.Sprintf(": unknown type %q", words[0]), typeNames
		}
		s.Returns, s.returnsAt = t, at
		return "", ""
	}
	if len(words) == 0 {
		return " needs the name of a parameter", "the parameters are " + strings.Join(s.names(), ", ")
	}
	p := s.param(words[0])
	switch {
	case p == nil:
		return fmt.Sprintf(" %s: the function has no such parameter", words[0]), didYouMean(words[0], s.names())
	case p.annotated():
		return fmt.Sprintf(" %s: the parameter is annotated twice", p.Name), "a key is a string and needs no type"
	}
	p.at, p.Key = at, directive == "key"
	if p.Key {
		return "", ""
	}
	if len(words) == 1 {
		return fmt.Sprintf(" %s needs a type", p.Name), typeNames
	}
	var ok bool
	if p.Type, ok = parseType(words[1]); !ok {
		return fmt.Sprintf(" %s: unknown type %q", p.Name, words[1]), typeNames
	}
	return "", ""
}

func (s *Signature) param(name string) *Param {
	i := slices.IndexFunc(s.Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Params[i]
}

func (s *Signature) names() []string { return paramNames(s.Params) }

func paramNames(params []Param) []string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Name
	}
	return names
}
