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
// are for people, but for a default: `--- @arg n int = 5` is 5 where Go passes
// none.
//
// Three more say how the function may be called. @readonly: it writes nothing, so
// it goes by EVALSHA_RO (Redis 7) and may be sent again when its answer was lost.
// @idempotent: to run it twice is to run it once, so it may be sent again too.
// @undeclared: it makes keys itself; a Cluster cannot route it, and it is refused
// there.
type Signature struct {
	Params     []Param // without the self of `function M:f()`
	Vararg     bool
	Returns    Type // "" when not annotated
	ReadOnly   bool
	Idempotent bool
	Undeclared bool

	returnsAt lua51.Pos
}

// Param is one parameter of a function.
type Param struct {
	Name string
	Key  bool // annotated by @key: a Redis key
	Type Type // "" when not annotated
	// Default is a literal of Lua's, for where Go passes nothing: "5".
	Default string

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

// annotations are what one begins with, behind @ or %.
var annotations = []string{"arg", "key", "return", "readonly", "idempotent", "undeclared"}

// signature reads the directives above a function.
func (u *unit) signature(f *lua51.Function) (s Signature, found Findings) {
	s.Vararg = f.Vararg
	for _, p := range f.Params {
		if p.Kind != lua51.Self {
			s.Params = append(s.Params, Param{Name: p.Name})
		}
	}
	for _, c := range u.chunk.CommentsAbove(f) {
		mark, rest := cutMark(c.Body())
		if mark == "" || mark[0] != '@' && mark[0] != '%' {
			continue
		}
		directive := mark[1:]
		if !slices.Contains(annotations, directive) {
			// Tools know many words of their own; only what is close to one of
			// ours is a mistake.
			for _, known := range annotations {
				if len(known) < 7 && distance(directive, known) == 1 || len(known) >= 7 && distance(directive, known) <= 2 {
					found = append(found, u.findingAt(c.Pos, fmt.Sprintf("unknown annotation %s", mark), "did you mean "+mark[:1]+known+"?"))
				}
			}
			continue
		}
		message, cure := s.annotate(directive, false, rest, c.Pos)
		if message != "" {
			found = append(found, u.findingAt(c.Pos, mark+message, cure))
		}
	}
	return s, found
}

// annotate adds what one directive says, or tells what is wrong with it.
func (s *Signature) annotate(directive string, bare bool, rest string, at lua51.Pos) (message, cure string) {
	words := strings.Fields(rest)
	switch directive {
	case "readonly":
		s.ReadOnly = true
		return "", ""
	case "idempotent":
		s.Idempotent = true
		return "", ""
	case "undeclared":
		s.Undeclared = true
		return "", ""
	case "return":
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
		return fmt.Sprintf(" %s: the function has no such parameter", words[0]), oneOf(words[0], s.names())
	case p.annotated():
		return fmt.Sprintf(" %s: the parameter is annotated twice", p.Name), "a key is a string and needs no type"
	}
	p.at, p.Key = at, directive == "key"
	if p.Key {
		return "", ""
	}
	if len(words) == 1 {
		if bare { // of a script file: what is passed, as it is
			return "", ""
		}
		return fmt.Sprintf(" %s needs a type", p.Name), typeNames
	}
	var ok bool
	if p.Type, ok = parseType(words[1]); !ok {
		return fmt.Sprintf(" %s: unknown type %q", p.Name, words[1]), typeNames
	}
	if len(words) > 2 && words[2] == "=" {
		_, text, _ := strings.Cut(rest, "=")
		p.Default = strings.TrimSpace(text)
		if wrong := p.badDefault(); wrong != "" {
			return fmt.Sprintf(" %s: its default %s %s", p.Name, p.Default, wrong), p.defaultCure()
		}
	}
	return "", ""
}

// badDefault says what is wrong with the default of a parameter, and keeps its
// literal alone.
func (p *Param) badDefault() string {
	chunk, err := lua51.Parse("", "return "+p.Default)
	if err != nil || returnOf(chunk) == nil || len(returnOf(chunk).Values) != 1 {
		return "is no value of Lua's"
	}
	value := returnOf(chunk).Values[0]
	p.Default = chunk.Text(value) // without a comment behind it
	if minus, ok := value.(*lua51.Unary); ok && minus.Op == "-" {
		value = minus.X
	}
	kind, fits := "no literal", ""
	switch v := value.(type) {
	case *lua51.Number:
		kind, fits = "a number", "float"
		if _, whole := v.Int(); whole {
			fits = "float int time"
		}
	case *lua51.String:
		kind, fits = "a string", "string int64"
	case *lua51.True, *lua51.False:
		kind, fits = "a bool", "bool"
	}
	if base, _ := p.Type.base(); !slices.Contains(strings.Fields(fits), string(base)) {
		return fmt.Sprintf("is %s, not %s", kind, base)
	}
	return ""
}

// defaultCure tells how a default of the parameter is written.
func (p *Param) defaultCure() string {
	base, _ := p.Type.base()
	literal := map[Type]string{"int": "5", "int64": `"5"`, "float": "0.5", "string": `"text"`, "bool": "true", "time": "0"}[base]
	if literal == "" {
		return fmt.Sprintf("%s has no literal; annotate it %[1]s? and test for nil", base)
	}
	return "write a literal of its type, as in = " + literal
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
