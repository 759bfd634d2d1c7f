package model

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/lua"
)

// A luaRule is what self.lua holds assignments to a field to, beside its type and
// the bounds of a number. A rule that it cannot hold them to is left: Save looks at
// it, a method does not.
type luaRule struct {
	present  bool     // nil is refused
	omit     bool     // zero keeps all of it
	required bool     // zero is refused
	oneof    string   // words, with a blank between
	ne       string   // a text
	eq       string   // likewise
	least    int      // characters
	most     int      // likewise; -1 for any number
	left     []string // rules that Lua does not hold
}

// luaRuleOf reads a column's rules for Lua.
func (s *schema) luaRuleOf(c *column) *luaRule {
	r := &luaRule{most: -1}
	if c.rule == "" || c.rule == "-" {
		return r
	}
	t := base(c.codec.Type())
	_, isOptional := optionalOf(c.codec.Type())
	pointer := c.codec.Optional() && !isOptional
	marshals := reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]())
	kind := c.codec.Lua().Kind
	isText := t.Kind() == reflect.String && !marshals && kind == field.LuaString
	isNumber := kind == field.LuaInt || kind == field.LuaFloat
	isBool := kind == field.LuaBool && t.Kind() == reflect.Bool
	words := strings.Split(c.rule, ",")
	for i, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.Atoi(value)
		isLength := isText && err == nil && n >= 0
		switch {
		case name == "omitempty" || name == "omitzero":
			r.omit = r.omit || !pointer
		case name == "omitnil" || name == "":
		case name == "dive" || strings.Contains(word, "|"):
			r.left = append(r.left, words[i:]...)
			return s.absence(c, r)
		case name == "required" && (isText || isNumber || isBool):
			r.required = !pointer
		case name == "oneof" && (isText || isNumber) && !strings.Contains(value, "'"):
			r.oneof = strings.Join(strings.Fields(value), " ")
		case name == "ne" && isText:
			r.ne = value
		case name == "eq" && isText:
			r.eq = value
		case isLength && (name == "min" || name == "gte"):
			r.least = max(r.least, n)
		case isLength && name == "gt":
			r.least = max(r.least, n+1)
		case isLength && (name == "max" || name == "lte"):
			r.atMost(n)
		case isLength && name == "lt" && n > 0:
			r.atMost(n - 1)
		case isLength && name == "len":
			r.least = max(r.least, n)
			r.atMost(n)
		case isNumber && isBound(name): // see boundsOf
		default:
			r.left = append(r.left, word)
		}
	}
	return s.absence(c, r)
}

// absence finds out whether a field may be nil, from validator itself.
func (s *schema) absence(c *column, r *luaRule) *luaRule {
	if c.codec.Optional() && s.rules != nil && c.besideOther() == "" {
		panicked, err := s.rules.attempt(func() error {
			err := s.rules.engine.Var(reflect.Zero(c.codec.Type()).Interface(), c.rule)
			r.present = err != nil
			return err
		})
		r.present = r.present && !panicked && err == nil
	}
	return r
}

func (r *luaRule) atMost(n int) {
	if r.most < 0 || n < r.most {
		r.most = n
	}
}

func isBound(rule string) bool {
	switch rule {
	case "gte", "min", "gt", "lte", "max", "lt", "eq", "len":
		return true
	}
	return false
}

// lua is the rule as self.lua has it, "" for none.
func (r *luaRule) lua() string {
	var parts []string
	for name, is := range map[string]bool{"omit": r.omit, "present": r.present, "required": r.required} {
		if is {
			parts = append(parts, name+"=true")
		}
	}
	if len(parts) == 1 && r.omit && r.plain() {
		parts = nil // there is nothing to leave out
	}
	for name, text := range map[string]string{"oneof": r.oneof, "ne": r.ne, "eq": r.eq} {
		if text != "" {
			parts = append(parts, name+"="+quote(text))
		}
	}
	if r.least > 0 {
		parts = append(parts, fmt.Sprintf("least=%d", r.least))
	}
	if r.most >= 0 {
		parts = append(parts, fmt.Sprintf("most=%d", r.most))
	}
	slices.Sort(parts) // the same function makes the same script
	return strings.Join(parts, ",")
}

// plain tells whether it says nothing about a value that is there, but for zero.
func (r *luaRule) plain() bool {
	return r.oneof == "" && r.ne == "" && r.eq == "" && r.least == 0 && r.most < 0 && !r.required
}

// odd is a condition that holds wherever a text, the value of a local, may break the
// rule, and perhaps elsewhere: a character is one to four bytes.
func (r *luaRule) odd(v string) (text string) {
	if r.required || r.least == 1 {
		text += " or " + v + `==""`
	}
	if r.least > 1 {
		text += fmt.Sprintf(" or #%s<%d", v, 4*r.least)
	}
	if r.most >= 0 {
		text += fmt.Sprintf(" or #%s>%d", v, r.most)
	}
	if r.oneof != "" {
		text += " or not (" + isWord(v, r.oneof) + ")"
	}
	if r.ne != "" || r.eq != "" {
		text += " or true"
	}
	return text
}

// warnings are the rules that Lua does not hold of fields that a function may assign.
func (s *schema) warnings(uses []lua.Use) (all []string) {
	escapes := slices.ContainsFunc(uses, func(u lua.Use) bool { return u.Field == "" })
	for _, c := range s.columns {
		assigns := func(u lua.Use) bool {
			return u.Field == c.name && (u.Write || u.Below) || u.Method && u.Field == "incr" && u.Arg == c.name
		}
		left := s.luaRuleOf(c).left
		if c.shape != "" && ruledWithin(base(c.codec.Type()), map[reflect.Type]bool{}) {
			left = append(left, "within "+c.codec.Name())
		}
		if left != nil && c.lua != "" && (escapes || slices.ContainsFunc(uses, assigns)) {
			all = append(all, fmt.Sprintf("model: %v: Lua does not hold the field %q to its rules %s, as Save does", s.typ, c.name, strings.Join(left, ",")))
		}
	}
	return all
}

// early are the writes by redis.call of a function of a module that stay when it
// fails, for [Operation.Warnings].
func early(mod *lua.Mod, name string) (all []string) {
	if f, ok := mod.Callee(name); ok {
		for _, found := range f.Early() {
			all = append(all, found.Error())
		}
	}
	return all
}
