package lua

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A binding is an entry in the making.
type binding struct {
	f      *function
	params []Param // those that In fills
	self   *Opener // the first of call is a receiver, which In does not fill
	opens  []received
	first  int          // keys before those of In
	lists  []recordList // their keys come behind all others
	keys   []value
	args   []value
	call   []string // Lua expressions in the order of params

	defaults bool // one of them may be absent and has a default
	plan     resultPlan
}

// fault is an error about the function as a whole.
func (b *binding) fault(format string, args ...any) error {
	return b.faultAt(b.f.def.Pos(), format, args...)
}

// faultAt is an error about a place in its text.
func (b *binding) faultAt(pos lua51.Pos, format string, args ...any) error {
	if pos.Line == 0 { // not annotated
		pos = b.f.def.Pos()
	}
	return fmt.Errorf("lua: %s: %s: %s", b.f.at(pos), b.f.title(), fmt.Sprintf(format, args...))
}

// receive binds the first parameter, which may be a hidden one, to a receiver.
func (b *binding) receive(o *Opener) error {
	what, first := "the record", "self"
	if o.Support == nil {
		what, first = "the key", "key"
	}
	if b.f.sign.ReadOnly && o.Support != nil {
		return b.fault("it is annotated @readonly, which a method of a record cannot be; take the annotation away")
	}
	name := "self"
	if !b.f.isMethod() {
		if len(b.params) == 0 {
			return b.fault("a method takes %s as its first parameter; write function M.%s(%s)", what, b.f.name, first)
		}
		name, b.params = b.params[0].Name, b.params[1:]
	}
	b.self, b.first = o, 1
	expr, err := b.open(*o, name, "KEYS[1]", value{})
	b.call = []string{expr}
	return err
}

// arguments matches the fields of In with the parameters.
func (b *binding) arguments(t reflect.Type) error {
	if t == argsType {
		return b.dynamic()
	}
	fields, err := b.fields(t)
	if err != nil {
		return err
	}
	for i := range b.params {
		p := &b.params[i]
		at := slices.IndexFunc(fields, func(f tagged) bool { return f.name == p.Name })
		if at < 0 {
			if _, optional := p.Type.base(); !optional && p.Default == "" {
				return b.faultAt(p.at, "parameter %s gets no value from Go's %v; add a field tagged `lua:\"%s\"`, or annotate it as one that may be nil: --- @arg %[1]s type?", p.Name, t, p.Name)
			}
			b.call = append(b.call, cmp.Or(p.Default, "nil"))
			continue
		}
		if err := b.argument(p, fields[at]); err != nil {
			return err
		}
	}
	return nil
}

// fields are those of In: one for each parameter, by name.
func (b *binding) fields(t reflect.Type) ([]tagged, error) {
	fields, err := taggedFields(t)
	switch {
	case err != nil:
		return nil, b.fault("%v", err)
	case fields != nil:
		names := paramNames(b.params)
		for _, f := range fields {
			if !slices.Contains(names, f.name) {
				return nil, b.fault("field %s of %v is for a parameter %q, which the function has not; %s", f.field.Name, t, f.name, orTakes(didYouMean(f.name, names), names))
			}
		}
		return fields, nil
	case t == reflect.TypeFor[struct{}]():
		return nil, nil
	case len(b.params) == 1:
		p := b.params[0]
		return []tagged{{name: p.Name, key: p.Key, field: reflect.StructField{Name: "In", Type: t}}}, nil
	}
	return nil, b.fault("%s, and Go's %v is one value; use a struct with a field tagged `lua:\"name\"` for each, or struct{} for none", orTakes("", paramNames(b.params)), t)
}

// argument binds one parameter to a field.
func (b *binding) argument(p *Param, f tagged) error {
	t := f.field.Type
	if r, ok := reflect.New(t).Interface().(Record); ok {
		return b.record(p, f, r)
	}
	if t.Kind() == reflect.Slice {
		if r, ok := reflect.New(t.Elem()).Interface().(Record); ok {
			return b.recordList(p, f, r)
		}
	}
	switch {
	case p.Key && !f.key:
		return b.faultAt(p.at, "parameter %s is a key, and Go's field %s is not; tag it `lua:\"%s,key\"`", p.Name, f.field.Name, p.Name)
	case f.key && p.annotated() && !p.Key:
		return b.faultAt(p.at, "parameter %s is annotated @arg, and Go's field %s is tagged as a key; annotate it @key", p.Name, f.field.Name)
	}
	declared := p.Type
	if base, _ := declared.base(); p.Default != "" {
		declared = base + "?"
	}
	v, err := newValue(p.Name, t, declared)
	if err != nil {
		return b.faultAt(p.at, "parameter %s %v", p.Name, err)
	}
	v.offset, v.key = uint32(f.field.Offset), f.key
	kind := v.codec.Lua().Kind
	if f.key {
		if v.codec.Optional() || kind == field.LuaJSON {
			return b.faultAt(p.at, "parameter %s is a key, and Go's %v cannot be one; use a string", p.Name, t)
		}
		b.call = append(b.call, b.addKey(v))
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if kind == field.LuaJSON && t.Kind() == reflect.Struct && p.Type == "" {
		return b.fault("parameter %s gets a table from Go's %v: tag the fields that are parameters as `lua:\"name\"`, or annotate it: --- @arg %s json", p.Name, t, p.Name)
	}
	b.args = append(b.args, v)
	expr := v.expr(fmt.Sprintf("ARGV[%d]", len(b.args)))
	if p.Default != "" && v.codec.Optional() {
		expr, b.defaults = fmt.Sprintf("__o(%s,%s)", expr, p.Default), true
	}
	b.call = append(b.call, expr)
	return nil
}

// addKey adds a key and returns its Lua expression.
func (b *binding) addKey(v value) string {
	b.keys = append(b.keys, v)
	return fmt.Sprintf("KEYS[%d]", b.first+len(b.keys))
}

// record binds a parameter to an argument that is a stored record.
func (b *binding) record(p *Param, f tagged, r Record) error {
	o := r.LuaOpener(b.self)
	v := value{name: p.Name, key: true, offset: uint32(f.field.Offset), record: &ofRecord{typ: f.field.Type, known: o.Known}}
	expr, err := b.open(o, p.Name, b.addKey(v), v)
	b.call = append(b.call, expr)
	return err
}

// compile links the entry's script, with its records inline where they can be,
// and then a second one for calls in which two of them are the same.
func (b *binding) compile() (script, values *Script, err error) {
	if given := b.given(); given != nil {
		if err := b.f.undeclared(given, b.first+len(b.keys)); err != nil {
			return nil, nil, err
		}
	}
	b.openLists()
	if in := b.inline(); in != nil {
		script, err = b.link(in)
		if err == nil && len(b.opens) > 1 {
			values, err = b.link(nil)
		}
		if !errors.Is(err, errNotInline) {
			return script, values, err
		}
	}
	script, err = b.link(nil)
	return script, nil, err
}

// link makes a script; in is nil for records that are values.
func (b *binding) link(in *inlined) (*Script, error) {
	what := linkage{entry: b.f, inline: in}
	module := "__." + b.f.unit.mod.field
	name, args := module+"."+b.f.name, slices.Clone(b.call)
	var call strings.Builder
	if in != nil {
		for _, o := range b.opens {
			args[o.at] = "nil"
		}
		call.WriteString(in.before() + "\n")
	}
	switch {
	case b.f.unit.mod.script != nil:
		name, args = module, append([]string{"KEYS", "ARGV"}, args...)
	case b.f.isMethod() && b.self == nil:
		args = append([]string{module}, args...)
	}
	fmt.Fprintf(&call, "local r=%s(%s)\n", name, strings.Join(args, ","))
	call.WriteString("local type=type if type(r)==\"table\" and rawget(r,\"err\") and type(rawget(r,\"err\"))==\"string\" then error(r) end\n")
	call.WriteString(b.plan.lua(b.f.title()))
	if in != nil {
		call.WriteString("\n" + in.after())
	}
	for _, o := range b.opens {
		if o.opener.Support != nil && !slices.Contains(what.support, o.opener.Support) {
			what.support = append(what.support, o.opener.Support)
			if in == nil {
				call.WriteString("\n" + o.opener.Close)
			}
		}
		for _, mod := range o.opener.With {
			if !slices.Contains(what.support, mod) {
				what.support = append(what.support, mod)
			}
		}
	}
	call.WriteString("\nreturn r")
	what.call, what.helpers = call.String(), b.helpers()
	s, err := link(what)
	if err != nil {
		return nil, err
	}
	if s.keys = b.first + len(b.keys); b.lists != nil {
		s.keys = -1
	} else if s.keys == 0 { // it may read KEYS itself
		s.keys = -1
		if file := b.f.unit.mod.script; file != nil {
			s.keys = file.keys
		}
	}
	return s, nil
}

// helpers is Lua of ours that the call uses.
func (b *binding) helpers() string {
	var helpers []string
	if slices.ContainsFunc(b.args, func(v value) bool { return v.codec.Lua().Kind == field.LuaJSON }) {
		helpers = append(helpers, helperJSON)
	}
	if b.defaults {
		helpers = append(helpers, helperDefault)
	}
	if b.lists != nil {
		helpers = append(helpers, helperRecords)
	}
	switch b.plan.kind {
	case ignored:
	case rawResult:
		helpers = append(helpers, helperReply)
	case freeForm:
		helpers = append(helpers, helperEncode)
	default:
		helpers = append(helpers, helperResult)
	}
	return strings.Join(helpers, "\n")
}

// tagged is a field with a lua tag.
type tagged struct {
	name  string
	key   bool
	field reflect.StructField
}

// taggedFields returns the fields of a struct that has lua tags, nil for all
// else. One exported field without a tag is a mistake among others with: what is
// meant to go along must not be left behind in silence.
func taggedFields(t reflect.Type) (fields []tagged, err error) {
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	bare := ""
	for f := range t.Fields() {
		tag, ok := f.Tag.Lookup("lua")
		if !ok {
			if f.IsExported() && bare == "" {
				bare = f.Name
			}
			continue
		}
		if tag == "-" {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		if option != "" && option != "key" {
			return nil, fmt.Errorf("field %s of %v: the lua tag has no option %q; the only one is key", f.Name, t, option)
		}
		if slices.ContainsFunc(fields, func(have tagged) bool { return have.name == name }) {
			return nil, fmt.Errorf("two fields of %v are tagged %q; rename one of them", t, name)
		}
		fields = append(fields, tagged{name, option == "key", f})
	}
	if bare != "" && fields != nil {
		return nil, fmt.Errorf("field %s of %v has no lua tag; tag it with a name, or `lua:\"-\"` if it is not for Lua", bare, t)
	}
	return fields, nil
}

// orTakes is a cure, or what the function takes.
func orTakes(cure string, names []string) string {
	switch {
	case cure != "":
		return cure
	case len(names) == 0:
		return "it takes no arguments"
	}
	return fmt.Sprintf("it takes %s (%s)", count(len(names), "argument"), strings.Join(names, ", "))
}
