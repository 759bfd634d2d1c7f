package lua

import (
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Compile compiles the script of a function with the types that its annotations
// say, as [Bind] does for Go types that agree with them. Parameters without an
// annotation are strings; a result without one, or a json, is not sent. It is
// for tools, which have no Go types.
func (m *Mod) Compile(function string) (*Script, error) {
	f, err := m.function(function)
	if err != nil {
		return nil, err
	}
	b := binding{f: f, params: f.sign.Params}
	in := make([]reflect.StructField, len(b.params))
	for i, p := range b.params {
		in[i] = reflect.StructField{Name: fmt.Sprintf("P%d", i), Type: goType(p.Type), Tag: reflect.StructTag(fmt.Sprintf("lua:%q", p.Name))}
		if p.Key {
			in[i].Tag = reflect.StructTag(fmt.Sprintf("lua:%q", p.Name+",key"))
		}
	}
	if err := b.arguments(reflect.StructOf(in)); err != nil {
		return nil, err
	}
	out := goType(f.sign.Returns)
	if base, _ := f.sign.Returns.base(); base == "" || base == "json" {
		out = reflect.TypeFor[struct{}]()
	}
	if err := b.results(out); err != nil {
		return nil, err
	}
	return b.link()
}

// BindPrivate is [TryBind] that takes private functions too, those whose names
// begin with _: for tests. Package lua/luatest calls it.
func BindPrivate[In, Out any](mod *Mod, function string) (*Entry[In, Out], error) {
	if mod == nil || mod.exports[function] == nil || !mod.exports[function].private() {
		return TryBind[In, Out](mod, function)
	}
	return bindTo[In, Out](mod.exports[function], nil)
}

// goTypes are Go's types for those of annotations.
var goTypes = map[Type]reflect.Type{
	"":       reflect.TypeFor[string](),
	"int":    reflect.TypeFor[int64](),
	"int64":  reflect.TypeFor[Exact](),
	"float":  reflect.TypeFor[float64](),
	"string": reflect.TypeFor[string](),
	"bool":   reflect.TypeFor[bool](),
	"time":   reflect.TypeFor[time.Time](),
	"json":   reflect.TypeFor[map[string]any](),
}

func goType(t Type) reflect.Type {
	base, optional := t.base()
	if optional {
		return reflect.PointerTo(goTypes[base])
	}
	return goTypes[base]
}

// Imports are the modules that this one requires or was given by [Import], in
// the order of its text.
func (m *Mod) Imports() []*Mod { return slices.Clone(m.imports) }

// Origin is where a line of the script came from, counted from 1. Lines that
// the compiler added have none.
func (s *Script) Origin(line int) (f Frame, ok bool) { return s.at(line) }
