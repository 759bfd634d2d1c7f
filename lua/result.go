package lua

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// resultPlan is how a function's first result becomes Out.
type resultPlan struct {
	kind   resultKind
	values []value // one for a scalar, the element for a list, the fields for a record
	typ    reflect.Type
	boxed  bool // a scalar in an any
}

type resultKind int

const (
	ignored resultKind = iota
	scalar
	listing
	record
	freeForm  // JSON
	rawResult // the reply, in an any
)

// results plans the result, and checks the annotation.
func (b *binding) results(t reflect.Type) error {
	returns, at := b.f.sign.Returns, b.f.sign.returnsAt
	b.plan.typ = t
	if t == reflect.TypeFor[struct{}]() {
		return nil
	}
	if t == reflect.TypeFor[any]() {
		return b.anyResult(returns)
	}
	fields, err := taggedFields(t)
	switch {
	case err != nil:
		return b.fault("%v", err)
	case fields != nil:
		if returns != "" && returns != "json" {
			return b.faultAt(at, "its result is annotated %s, and Go's %v is a table with fields; annotate it json", returns, t)
		}
		b.plan.kind = record
		for _, f := range fields {
			v, err := newValue(f.name, f.field.Type, "")
			switch {
			case err != nil:
				return b.fault("the result's field %s %v", f.name, err)
			case f.key:
				return b.fault("the result's field %s is tagged as a key; drop that, results have none", f.name)
			case f.name == "err":
				return b.fault("a result's field cannot be called err, which marks an error reply; rename it")
			case v.codec.Lua().Kind == field.LuaJSON:
				return b.fault("the result's field %s cannot be a %v; a result's fields are scalars", f.name, f.field.Type)
			}
			v.offset = uint32(f.field.Offset)
			b.plan.values = append(b.plan.values, v)
		}
		return nil
	}
	v, err := newValue("", t, returns)
	if err == nil && v.codec.Lua().Kind != field.LuaJSON {
		b.plan.kind, b.plan.values = scalar, []value{v}
		return nil
	}
	if returns != "" && returns != "json" && returns != "json?" && t.Kind() == reflect.Slice {
		return b.faultAt(at, "its result is annotated %s, and Go's %v is a list; annotate it json", returns, t)
	}
	if t.Kind() == reflect.Slice && !reflect.PointerTo(t).Implements(unmarshaler) {
		if elem, err := newValue("", t.Elem(), ""); err == nil && elem.codec.Lua().Kind != field.LuaJSON && !elem.codec.Optional() {
			b.plan.kind, b.plan.values = listing, []value{elem}
			return nil
		}
	}
	if err != nil {
		return b.faultAt(at, "its result %v", err)
	}
	if t.Kind() == reflect.Struct && returns == "" { // forgotten tags are likelier
		return b.fault("its result cannot be Go's %v; use a struct whose fields are tagged `lua:\"name\"`, or annotate the function --- @return json for a free form", t)
	}
	b.plan.kind, b.plan.values = freeForm, []value{v}
	return nil
}

// lua is the statement that makes r the reply. What is of its type passes without
// a call; all else is left to __r, which converts it or faults.
func (p *resultPlan) lua(title string) string {
	result := "the result of " + title
	isTable := "if type(r)~=\"table\" then __r(r,\"l\",false," + quote(result) + ") end\n"
	switch p.kind {
	case scalar:
		return p.values[0].check("r", result)
	case listing:
		return isTable + "local list={} for i=1,#r do local v=r[i] " + p.values[0].check("v", "an element of "+result) + " list[i]=v end\n" +
			"local n=0 for _ in next,r do n=n+1 end if n~=#list then error({err=\"TYPE \".." + quote(result) + "..\" has other keys than 1 to \"..#list..\", which a list has not\"}) end r=list"
	case freeForm:
		return "r=__e(r," + quote(result) + ")"
	case rawResult:
		return "if type(r)==\"table\" or type(r)==\"function\" or type(r)==\"thread\" then r=__w(r," + quote(result) + ",0) end"
	case record:
		var b strings.Builder
		b.WriteString(isTable + "local o,v={0" + strings.Repeat(",0", len(p.values)-1) + "}") // of its size at once
		for i := range p.values {
			v := &p.values[i]
			fmt.Fprintf(&b, "\nv=r[%s] %s o[%d]=v", quote(v.name), v.check("v", "the field "+v.name+" of "+result), i+1)
		}
		b.WriteString("\nr=o")
		return b.String()
	}
	return "r=1"
}

// check is the statement that makes the value of a local ready for the reply.
func (v *value) check(name, what string) string {
	letter := v.letter()
	call := fmt.Sprintf("%s=__r(%[1]s,%q,%t,%s)", name, letter, v.codec.Optional(), quote(what))
	form := "if type(%[1]s)~=\"string\" then %[2]s end"
	switch letter {
	case "i", "t":
		form = "if type(%[1]s)~=\"number\" or %[1]s%%1~=0 or %[1]s<-9007199254740992 or %[1]s>9007199254740992 then %[2]s end"
	case "f":
		form = "if type(%[1]s)==\"number\" then %[1]s=string.format(\"%%.17g\",%[1]s) else %[2]s end"
	case "b":
		form = "if %[1]s==true then %[1]s=1 elseif %[1]s==false then %[1]s=0 else %[2]s end"
	case "x":
		return call
	}
	return fmt.Sprintf(form, name, call)
}

// letter is the value's type for __r.
func (v *value) letter() string {
	switch kind := v.codec.Lua().Kind; {
	case v.exact:
		return "x"
	case kind == field.LuaInt:
		return "i"
	case kind == field.LuaTime:
		return "t"
	case kind == field.LuaFloat:
		return "f"
	case kind == field.LuaBool:
		return "b"
	}
	return "s"
}

// quote writes a string as Lua reads it, on one line.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, "\\%03d", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// decode reads the reply into *out, a value of the plan's type.
func (p *resultPlan) decode(r pipectx.Reply, out unsafe.Pointer) error {
	if p.kind == ignored {
		return nil
	}
	switch {
	case p.boxed:
		return p.decodeAny(r, out)
	case p.kind == scalar:
		return p.values[0].decode(r, out)
	case p.kind == freeForm:
		return p.decodeJSON(r, out)
	case p.kind == rawResult:
		if r.IsNil() {
			return nil
		}
		x, err := r.Any()
		*(*any)(out) = x
		return err
	}
	items, err := r.Items()
	if err != nil {
		return err
	}
	n := items.Len()
	if p.kind == record {
		if n != len(p.values) {
			return fmt.Errorf("it has %d fields, not %d", n, len(p.values))
		}
		for i := range p.values {
			v := &p.values[i]
			items.Next()
			if err := v.decode(items.Reply(), unsafe.Add(out, uintptr(v.offset))); err != nil {
				return err
			}
		}
		return nil
	}
	all := reflect.MakeSlice(p.typ, n, n)
	for i := range n {
		items.Next()
		if err := p.values[0].decode(items.Reply(), all.Index(i).Addr().UnsafePointer()); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	reflect.NewAt(p.typ, out).Elem().Set(all)
	return nil
}

// decodeJSON reads a free-form result.
func (p *resultPlan) decodeJSON(r pipectx.Reply, out unsafe.Pointer) error {
	text, err := r.Bytes()
	if err != nil {
		return err
	}
	v := &p.values[0]
	if v.codec.Optional() && string(text) == "null" {
		v.codec.Clear(out)
		return nil
	}
	return v.codec.Parse(reconcile(text, p.typ), out)
}

// decode reads a reply into *p.
func (v *value) decode(r pipectx.Reply, p unsafe.Pointer) error {
	if r.IsNil() && v.codec.Optional() {
		v.codec.Clear(p)
		return nil
	}
	text, err := r.Bytes()
	if err != nil {
		return err
	}
	if err := v.codec.Parse(text, p); err != nil {
		if bad, ok := errors.AsType[*field.DecodeError](err); ok && bad.Field == "" {
			bad.Field = v.name
		}
		return err
	}
	return nil
}

// resultError says whose result cannot be read. The function has run.
func (s *Script) resultError(err error) error {
	return fmt.Errorf("lua: the result of %s: %w", s.name, err)
}
