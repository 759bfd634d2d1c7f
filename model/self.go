package model

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/lua"
)

// A luaOwner is what a model says of its records to Lua.
type luaOwner struct {
	ttl   string
	id    string // a pattern for the id in the key, behind % where that is escaped; "" for none
	hooks *luaHooks
	with  []string // keyspaces
}

// named are the keyspaces that a function names or may reach, and those of hooks.
func (of luaOwner) named(uses []lua.Use) (names []string) {
	for _, name := range of.with {
		reaches := func(u lua.Use) bool { return u.Field == name && !u.Method || u.Field == "" }
		if slices.ContainsFunc(uses, reaches) || of.hooks != nil && slices.Contains(of.hooks.with, name) {
			names = append(names, name)
		}
	}
	return names
}

// opener makes the Lua expression of a record of a model.
func (s *schema) opener(of luaOwner) lua.Opener {
	var with []*lua.Mod
	if s.hasTables {
		with = append(with, tableModule)
	}
	if of.hooks != nil {
		with = append(with, of.hooks.module)
	}
	return lua.Opener{
		Key:     s.keyInLua(),
		Known:   assumed{of.ttl, of.hooks},
		Support: selfModule,
		With:    with,
		Close:   "__.redmoon_self.close()",
		Beside:  of.named,
		Open: func(keys lua.KeysOf, uses []lua.Use) (string, error) {
			v, err := s.view(uses, of)
			if err != nil {
				return "", err
			}
			v.hook(of.hooks)
			v.beside(keys.Beside)
			return fmt.Sprintf("__.redmoon_self.open(%s,{%s},{%s},%s)", keys.Key, v.types, v.names(), v.about(inScript)), nil
		},
		Inline: func(n int, keys lua.KeysOf, uses []lua.Use) *lua.Inline {
			v, err := s.view(uses, of)
			if err != nil || v.escapes || proxies {
				return nil
			}
			v.hook(of.hooks)
			v.beside(keys.Beside)
			l := newLocals(s, v, n, of.ttl)
			l.beside = keys.Beside
			return l.inline(keys.Key)
		},
	}
}

// keyInLua is the field of a record that is its key, "" where a field of T hides it.
func (s *schema) keyInLua() string {
	if s.byName["key"] != nil {
		return ""
	}
	return "key"
}

// inScript is the module that makes tables, where modules are fields of __.
const inScript = "__.redmoon_table"

// proxies makes all records values: see export_test.go.
var proxies = false

// A view is what a function wants of a record.
type view struct {
	escapes bool     // it uses the record as a value
	asks    bool     // it asks whether there is one
	fields  []string // it names, and the version if they are to be written
	named   int      // how many it names
	fetch   []string // these with the names that they had
	written map[string]bool
	sums    map[string]bool // it adds to them
	hooked  bool            // its model has Lua hooks
	tables  bool            // a field is a table in Lua
	types   string          // of fields, for self.lua
	rest    string          // its version and ttl
	more    []string        // what else self.lua is to know of it
}

// view finds what a function wants, or what is wrong with that.
func (s *schema) view(uses []lua.Use, of luaOwner) (*view, error) {
	fields, err := s.check(uses, of)
	if err != nil {
		return nil, err
	}
	v := &view{fields: fields, named: len(fields), written: map[string]bool{}, sums: map[string]bool{}}
	for _, u := range uses {
		v.escapes = v.escapes || u.Field == "" || u.Method && u.Field == "incr" && u.Arg == ""
		v.asks = v.asks || u.Method
		switch {
		case u.Write || u.Below:
			v.written[u.Field] = true
		case u.Method && u.Field == "incr" && u.Arg != "":
			v.written[u.Arg], v.sums[u.Arg] = true, true
		}
	}
	types := make([]string, 0, len(s.columns))
	var shapes []string
	for _, c := range s.columns {
		if c.lua != "" && (v.escapes || slices.Contains(fields, c.name)) {
			types = append(types, "["+quote(c.name)+"]="+quote(c.lua))
			v.tables = v.tables || c.isTable()
			if c.shape != "" {
				shapes = append(shapes, "["+quote(c.name)+"]="+c.shape)
			}
		}
	}
	if s.version != nil && !slices.Contains(fields, s.version.name) && slices.ContainsFunc(uses, writes) {
		v.fields = append(v.fields, s.version.name) // to be counted up
	}
	v.fetch = v.fields
	for _, name := range v.fields {
		v.fetch = append(v.fetch, s.byName[name].was...)
	}
	version, expiry := "", "0"
	if of.ttl != "" {
		expiry = of.ttl
	}
	if s.version != nil {
		version = s.version.name
	}
	v.types, v.rest, v.more = strings.Join(types, ","), quote(version)+","+expiry, s.more(v)
	isID := func(u lua.Use) bool { return u.Field == s.key.name }
	if id := s.luaID(of); id != "" && (v.escapes || slices.ContainsFunc(uses, isID)) {
		v.types = "[" + quote(s.key.name) + "]=" + quote(s.key.lua) + "," + v.types
		v.more = append(v.more, "id={["+quote(s.key.name)+"]="+quote(id)+"}")
	}
	if shapes != nil {
		v.more = append(v.more, "shapes={"+strings.Join(shapes, ",")+"}")
	}
	return v, nil
}

// luaID is the pattern for the id, "" where Lua has no id.
func (s *schema) luaID(of luaOwner) string {
	if s.key.lua == "" || s.key.isTable() {
		return ""
	}
	return of.id
}

// hook lets self.lua know of the hooks of a record.
func (v *view) hook(hooks *luaHooks) {
	if hooks != nil {
		v.hooked = true
		v.more = append(v.more, "hooks=__."+hooks.module.Name())
	}
}

// beside lets self.lua know of the keys of keyspaces.
func (v *view) beside(keys map[string]string) {
	if keys == nil {
		return
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, "["+quote(name)+"]="+keys[name])
	}
	v.more = append(v.more, "keys={"+strings.Join(all, ",")+"}")
}

// about is what else self.lua is to know: version, ttl and more. tables is an
// expression for the module that makes tables.
func (v *view) about(tables string) string {
	more := v.more
	if v.tables {
		more = append(more[:len(more):len(more)], "tables="+tables)
	}
	if more == nil {
		return v.rest
	}
	return v.rest + ",{" + strings.Join(more, ",") + "}"
}

// names are the fields to fetch, as Lua lists them.
func (v *view) names() string {
	quoted := make([]string, len(v.fetch))
	for i, name := range v.fetch {
		quoted[i] = quote(name)
	}
	return strings.Join(quoted, ",")
}

// more is what else self.lua is to know of the fields, as items of its last argument.
func (s *schema) more(v *view) (items []string) {
	var lives, was, presets, rules string
	for _, c := range s.columns {
		name := ",[" + quote(c.name) + "]="
		if rule := s.luaRuleOf(c).lua(); rule != "" && c.lua != "" && (v.escapes || v.written[c.name]) {
			rules += name + "{" + rule + "}"
		}
		if c.lives {
			lives += name + quote(c.lifeInLua())
		}
		if c.was != nil {
			old := make([]string, len(c.was))
			for i := range old {
				old[i] = quote(c.was[i])
			}
			was += name + "{" + strings.Join(old, ",") + "}"
		}
		if c.preset != "" && c.lua != "" && !c.codec.Optional() {
			presets += name + quote(c.preset)
		}
	}
	for _, table := range []struct{ name, items string }{{"lives", lives}, {"was", was}, {"presets", presets}, {"rules", rules}} {
		if table.items != "" {
			items = append(items, table.name+"={"+table.items[1:]+"}")
		}
	}
	return items
}

// writes tells whether a use may assign a field.
func writes(u lua.Use) bool { return u.Write || u.Field == "" || u.Method && u.Field == "incr" }

// methods are those of a record, with the numbers of their arguments: at least, at
// most.
var methods = map[string][2]int{"exists": {0, 0}, "incr": {2, 2}, "delete": {0, 0}, "ttl": {0, 0}, "expire": {0, 1}}

func isMethod(name string) bool {
	_, is := methods[name]
	return is
}

// checkMethod holds a call of a record's method against the schema, and returns the
// field that it adds to, if it is one and known.
func (s *schema) checkMethod(u lua.Use) (sum string, err error) {
	takes, known := methods[u.Field]
	switch {
	case s.byName[u.Field] != nil:
		return "", u.Fault(fmt.Sprintf("%v has a field %q, which hides the method", s.typ, u.Field), "give the field another name")
	case !known:
		return "", u.Fault(fmt.Sprintf("a record has no method %q", u.Field), suggest(u.Field, slices.Sorted(maps.Keys(methods)), "it has "))
	case u.Args >= 0 && (u.Args < takes[0] || u.Args > takes[1]):
		form := map[string]string{"incr": `write self:incr("field", n)`, "expire": "write self:expire(milliseconds), or self:expire() for no end"}[u.Field]
		return "", u.Fault(fmt.Sprintf("the method %s of a record takes %d arguments, here are %d", u.Field, takes[1], u.Args), form)
	case u.Field != "incr" || u.Arg == "":
		return "", nil
	}
	u.Field, u.Method, u.Write = u.Arg, false, true
	fields, err := s.check([]lua.Use{u}, luaOwner{})
	if err != nil {
		return "", err
	}
	if len(fields) != 1 || s.byName[u.Field].codec.Lua().Kind != field.LuaInt {
		return "", u.Fault(fmt.Sprintf("incr is for integers, and the field %q is none", u.Field), fmt.Sprintf("assign it: self.%s = self.%[1]s + n", u.Field))
	}
	return u.Field, nil
}

// check holds what a function does with a record against the schema, and
// returns the fields that it names: they are fetched together.
func (s *schema) check(uses []lua.Use, of luaOwner) (fetch []string, err error) {
	for _, u := range uses {
		c := s.byName[u.Field]
		switch {
		case u.Field == "":
			// It goes somewhere as a value: fields are checked when they are used.
		case u.Method:
			sum, err := s.checkMethod(u)
			if err != nil {
				return nil, err
			}
			if sum != "" && !slices.Contains(fetch, sum) {
				fetch = append(fetch, sum)
			}
		case c == nil && slices.Contains(of.with, u.Field) && (u.Write || u.Below):
			return nil, u.Fault(fmt.Sprintf("%q is a keyspace, and self.%[1]s the key of the record's", u.Field), "write to it by redis.call")
		case c == nil && slices.Contains(of.with, u.Field):
		case u.Field == "key" && c == nil && !u.Write:
		case u.Field == "key" && c == nil:
			return nil, u.Fault("the key of a record never changes", "")
		case u.Field == s.key.name && (u.Write || u.Below):
			return nil, u.Fault("the id of a record never changes", "")
		case u.Field == s.key.name && s.luaID(of) != "":
		case u.Field == s.key.name:
			return nil, u.Fault(fmt.Sprintf("%v keeps its id in the Redis key, and here Lua cannot tell %q from it", s.typ, u.Field), "use self.key, or pass the id as an argument")
		case c == nil && isMethod(u.Field):
			return nil, u.Fault(fmt.Sprintf("%v has no field %q: that is a method of a record", s.typ, u.Field), fmt.Sprintf("call it with a colon, self:%s(…)", u.Field))
		case c == nil:
			cure := suggest(u.Field, s.names(), "it has ")
			inline := func(c *column) bool { return strings.HasPrefix(c.name, u.Field+".") }
			if i := slices.IndexFunc(s.columns, inline); i >= 0 {
				cure = fmt.Sprintf("its fields are the record's: self[%q]", s.columns[i].name)
			}
			return nil, u.Fault(fmt.Sprintf("%v has no field %q", s.typ, u.Field), cure)
		case c == s.version && u.Write:
			return nil, u.Fault("the version is not assigned", "every change counts it up")
		case c.lua == "":
			cure := "pass it as an argument, or store it as a scalar"
			return nil, u.Fault(fmt.Sprintf("the field %q, a %s, has no form in Lua", u.Field, c.codec.Name()), cure)
		case u.Below && !c.isTable():
			return nil, u.Fault(fmt.Sprintf("the field %q, a %s, is no table in Lua", u.Field, c.codec.Name()), fmt.Sprintf("assign the field: self.%s = …", u.Field))
		case (u.Write || u.Below) && c.readOnly != "":
			return nil, u.Fault(fmt.Sprintf("the field %q, a %s, can only be read in Lua: %s", u.Field, c.codec.Name(), c.readOnly), "write it in Go, by Update or Edit")
		case !slices.Contains(fetch, u.Field):
			fetch = append(fetch, u.Field)
		}
	}
	return fetch, nil
}

// luaType is the type of a column in self.lua, "" for those without one.
func luaType(c *column, t tag) string {
	view := c.codec.Lua()
	text := ""
	switch view.Kind {
	case field.LuaInt:
		text = "i " + c.bounds
	case field.LuaTime:
		text = "r "
		if view.Unit != 0 {
			text = "t " + strconv.Itoa(int(view.Unit/time.Microsecond))
		}
	case field.LuaFloat:
		text = "f " + c.bounds
		if slices.Contains(t.codec, "nan") {
			text = "n " + c.bounds
		}
	case field.LuaBool:
		text = "b"
		if slices.Contains(t.codec, "emptyfalse") {
			text = "e"
		}
	case field.LuaString:
		text = "s"
	case field.LuaBytes, field.LuaOpaque:
		if text = luaTextType(c, t); text == "o" {
			c.readOnly = "only Go knows its texts"
		}
	case field.LuaJSON:
		text = "j"
		c.shape, c.readOnly = shapeOf(base(c.codec.Type()))
		if c.readOnly != "" {
			c.shape = ""
		}
	}
	if words := c.codec.OneOf(); words != nil {
		text = "w " + strings.Join(words, " ")
		if view.Kind == field.LuaInt {
			text = "x " + strings.Join(words, " ")
		}
	}
	if view.Optional && text != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

// base is the type of a value that may be absent.
func base(t reflect.Type) reflect.Type {
	if value, ok := optionalOf(t); ok {
		return value
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// quote writes a string as Lua reads it: Go's \u and \x are not for Lua 5.1.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
