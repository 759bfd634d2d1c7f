package lua

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// Inline is a record of which a function only names fields. It needs no table
// then: its fields are locals that the script declares around the function,
//
//	local __1,__2 …                   Locals
//	local function __z(…) … end       the support module, built when it is needed
//	do
//	function M.f(self)                is called with nil
//	  do local __v=(__1 or …) - 1 … __1=__v end
//	end                               Read and Assign, in the author's lines
//	end
//	…                                 Open
//	local r=__.m.f(nil)
//	…                                 Plan, and Flush or Settle
//
// so that an error still names the author's line. What is rare is left to the
// support module: __z(…) calls its function `inline`.
//
// Where a record goes somewhere as a value, where something else calls the
// function too, and where a limit of Lua's would be passed, all records are what
// [Opener.Open] makes.
type Inline struct {
	Locals string // names with commas between; they begin with __, which authors' have not
	Funcs  string // functions that use them
	Adopt  string // tells the support module of the record, when it is built
	Open   string // statements before the call

	Read   func(u Use) string               // a field, as an expression
	Assign func(u Use, value string) string // statements that assign the value of a local to a field

	// Method is a method as the beginning of a call, up to its arguments, or, if it is
	// whole, as an expression instead of the call. Nothing: it needs a record.
	Method func(u Use) (text string, whole bool)

	Plan   string // statements behind the call; they write nothing
	Rare   string // an expression: it takes the support module to write this
	Settle string // statements that hand what was assigned to the support module
	Flush  string // statements that write it
}

// A received is a parameter that an Opener makes.
type received struct {
	opener Opener
	param  string
	keys   KeysOf
	uses   []Use
	at     int  // its place among the arguments, self's first
	list   bool // of such
}

// open is the parameter's expression, that of a record; beside makes a key beside its own.
func (b *binding) open(o Opener, param, key string, beside value) (string, error) {
	r := received{opener: o, param: param, keys: KeysOf{Key: key}, uses: b.f.uses(param), at: len(b.call)}
	if o.Beside != nil {
		for _, name := range o.Beside(r.uses) {
			if r.keys.Beside == nil {
				r.keys.Beside = map[string]string{}
			}
			one := beside
			one.name, one.key, one.record = param, true, &ofRecord{beside: name}
			if beside.record != nil {
				one.record.typ = beside.record.typ
			}
			r.keys.Beside[name] = b.addKey(one)
		}
	}
	b.opens = append(b.opens, r)
	return o.Open(r.keys, r.uses)
}

// given are the entry's parameters that are keys or records, where some are records.
func (b *binding) given() map[string]origin {
	given := map[string]origin{}
	for _, r := range b.opens {
		if r.opener.Support == nil {
			continue
		}
		of := origin{kind: aRecord, list: r.list, keys: slices.Collect(maps.Keys(r.keys.Beside))}
		if r.opener.Key != "" {
			of.keys = append(of.keys, r.opener.Key)
		}
		given[r.param] = of
	}
	if len(given) == 0 {
		return nil
	}
	for _, k := range b.keys {
		if k.record == nil {
			given[k.name] = origin{kind: aKey}
		}
	}
	return given
}

// inlined are all records of an entry as locals.
type inlined struct {
	support *Mod
	close   string // of the support module
	records []*Inline
	edits   []lua51.Edit // of the entry's text
}

// A fieldUse is what a name in the text does with a record.
type fieldUse struct {
	Use
	of *Inline
}

// inline makes all records locals; nil if one of them cannot be.
func (b *binding) inline() *inlined {
	if len(b.opens) == 0 || b.f.unit.mod.script != nil {
		return nil
	}
	for _, f := range b.f.unit.chunk.Functions {
		if slices.ContainsFunc(f.Locals, func(l *lua51.Local) bool { return strings.HasPrefix(l.Name, "__") }) {
			return nil
		}
	}
	in := &inlined{support: b.opens[0].opener.Support, close: b.opens[0].opener.Close}
	of := map[*lua51.Name]fieldUse{}
	for i, r := range b.opens {
		if r.opener.Inline == nil || r.opener.Support != in.support {
			return nil
		}
		one := r.opener.Inline(i+1, r.keys, r.uses)
		if one == nil {
			return nil
		}
		in.records = append(in.records, one)
		for _, u := range r.uses {
			of[u.name] = fieldUse{u, one}
		}
	}
	var ok bool
	if in.edits, ok = b.f.rewrite(of); !ok {
		return nil
	}
	return in
}

// errNotInline tells that the function needs its records as values.
var errNotInline = errors.New("lua: not inline")

// rewrite makes fields of records locals in the function's text; false where one
// is used in a form for which that is not worth its trouble.
func (f *function) rewrite(of map[*lua51.Name]fieldUse) (edits []lua51.Edit, ok bool) {
	src := f.unit.chunk.Src
	assigned := map[*lua51.Name]bool{}
	begins := map[int]bool{} // where statements do: a parenthesis there would call what stands before it
	ok = true
	lua51.Walk(f.def.Body, func(n lua51.Node) bool {
		if s, is := n.(lua51.Stat); is {
			begins[s.Pos().Offset] = true
		}
		if s, is := n.(*lua51.AssignStat); is && assignsField(s, of) {
			e, can := assignment(s, of, assigned)
			edits, ok = append(edits, e...), ok && can
		}
		return true
	})
	for name, u := range of {
		at := name.Pos().Offset
		var text string
		end := 0
		if call, method := name.Suffix.(*lua51.MethodCall); method && name.Escapes() {
			var whole bool
			text, whole = u.of.Method(u.Use)
			end = call.End()
			if !whole && text != "" {
				paren := call.Name.End() + strings.IndexFunc(src[call.Name.End():], func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
				ok = ok && src[paren] == '('
				end = paren + 1
				if len(call.Args) > 0 && !strings.HasSuffix(text, "(") {
					text += ","
				}
			}
		} else if fields := name.Fields(); len(fields) > 0 && !assigned[name] && !(name.Store && len(fields) == 1 && name.Suffix == nil) {
			text, end = u.of.Read(u.Use), fields[0].End()
		} else if assigned[name] {
			continue
		}
		if text == "" || text[0] == '(' && begins[at] || !ok {
			return nil, false
		}
		edits = append(edits, lua51.Edit{From: at, To: end, Text: text})
	}
	return edits, ok
}

// fieldOf is the record whose field a target is.
func fieldOf(target lua51.Expr, of map[*lua51.Name]fieldUse) (*lua51.Name, fieldUse) {
	root, path := lua51.PathOf(target)
	if u, ok := of[root]; ok && len(path) == 2 {
		return root, u
	}
	return nil, fieldUse{}
}

func assignsField(s *lua51.AssignStat, of map[*lua51.Name]fieldUse) bool {
	return slices.ContainsFunc(s.Targets, func(t lua51.Expr) bool { root, _ := fieldOf(t, of); return root != nil })
}

// assignment takes an assignment apart: `self.a, b = x, y` becomes
// `do local __v,__v2=x, y b=__v2 … __1=__v end`, from the right as Lua does it.
func assignment(s *lua51.AssignStat, of map[*lua51.Name]fieldUse, done map[*lua51.Name]bool) ([]lua51.Edit, bool) {
	const value = "__v"
	var names, to []string
	for i, t := range s.Targets {
		v := value + strings.Repeat("_", i)
		names = append(names, v)
		root, u := fieldOf(t, of)
		switch name, plain := t.(*lua51.Name); {
		case root != nil:
			done[root] = true
			to = append(to, u.of.Assign(u.Use, v))
		case plain:
			to = append(to, name.Name+"="+v)
		default:
			return nil, false // what it indexes would be evaluated too late
		}
	}
	slices.Reverse(to)
	return []lua51.Edit{
		{From: s.Pos().Offset, To: s.Values[0].Pos().Offset, Text: "do local " + strings.Join(names, ",") + "="},
		{From: s.End(), To: s.End(), Text: " " + strings.Join(to, " ") + " end"},
	}, true
}

// declare is what stands before the modules: the locals, and the support modules
// in a function of their own.
func (in *inlined) declare(l *linker) (head, tail string) {
	support := "__." + l.fields[in.support]
	var locals, adopt, tables []string
	funcs := ""
	for _, r := range in.records {
		locals, adopt, funcs = append(locals, r.Locals), append(adopt, r.Adopt), funcs+r.Funcs
	}
	for _, m := range l.order {
		if m.reserved() {
			tables = append(tables, "__."+l.fields[m]+l.table(m))
		}
	}
	head = "local " + strings.Join(locals, ",") + "\nlocal function __z(...) if not " + support + " then\n" + strings.Join(tables, " ")
	tail = strings.Join(adopt, "\n") + "\nend return " + support + ".inline(...) end" + funcs
	return head, tail
}

// before are the statements before the call.
func (in *inlined) before() string {
	var all []string
	for _, r := range in.records {
		all = append(all, r.Open)
	}
	return strings.Join(all, "\n")
}

// after are those behind it.
func (in *inlined) after() string {
	plan, rare, settle, flush := "", "", "", ""
	for _, r := range in.records {
		plan += r.Plan
		settle += r.Settle
		flush += r.Flush
		if r.Rare != "" {
			rare += " or " + r.Rare
		}
	}
	if settle == "" {
		return "if __." + in.support.field + " then\n" + in.close + "\nend"
	}
	return plan + "if __." + in.support.field + rare + " then\n" + settle + in.close + "\nelse\n" + flush + "end"
}

// reserved tells whether a module supports others.
func (m *Mod) reserved() bool { return strings.HasPrefix(m.name, reserved) }
