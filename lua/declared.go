package lua

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
	"github.com/redmoon-go/redmoon/pipectx"
)

const declaredCure = "use a record's key, a keyspace by model.With, or an argument that is a key; or annotate the function --- @undeclared, which a Cluster refuses"

// undeclared finds what a method, or a hook, does that its records do not allow: keys
// for redis.call that are not seen to go along declared, and records that are used as
// the tables they are not.
func (f *function) undeclared(given map[string]origin, count int) error {
	l := newLinker(f)
	l.reach(nil)
	o := &origins{
		l: l, entry: f.def, given: given, keys: origin{kind: aKey, list: true}, count: count,
		contexts: map[*unit]*contexts{}, known: map[any]origin{}, asked: map[any]bool{},
	}
	var units []*unit
	for _, m := range l.order {
		if !m.reserved() && m.script == nil { // a script declares its keys itself
			units = append(units, m.tree().units...)
		}
	}
	for _, u := range units {
		if slices.ContainsFunc(u.chunk.Globals, func(use *lua51.Name) bool { return use.Name == "KEYS" && use.Store }) {
			o.keys = origin{}
		}
	}
	var found Findings
	for _, u := range units {
		of := o.tables(u)
		for i := range u.sites {
			if s := &u.sites[i]; l.keeps(u, s.n) && !u.declaresUndeclared(s.value) {
				of = append(of, o.site(u, s)...)
			}
		}
		for _, use := range u.chunk.Globals {
			if call, ok := use.Suffix.(*lua51.Call); ok && use.Name == "CALL" && len(call.Args) > 0 && l.reaches(u, use) && !u.declaresUndeclared(use) {
				if keys := o.of(u, call.Args[0]); !keys.list || keys.kind == aRecord {
					of = append(of, u.finding(call.Args[0], "the keys of CALL are not seen to be declared", declaredCure))
				}
			}
		}
		slices.SortStableFunc(of, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		found = append(found, of...)
	}
	if found != nil {
		return found
	}
	return nil
}

// site finds the keys of a call that are not seen to be declared.
func (o *origins) site(u *unit, s *site) (found Findings) {
	args := []lua51.Expr(nil)
	if s.call != nil {
		args = s.call.Args
	} else if name, ok := rootName(s.value); ok {
		if in := o.contextsOf(u).calls[name]; in.call != nil && in.n == 0 && isGlobal(in.call, "pcall") {
			args = in.call.Args[1:]
		}
	}
	if len(args) == 0 {
		return Findings{u.finding(s.value, "which keys this is called with cannot be known", "call it where they are; or annotate the function --- @undeclared, which a Cluster refuses")}
	}
	command, keys := keysAmong(args)
	if command == "" {
		return Findings{u.finding(args[0], "which command this is cannot be known, nor which of its arguments are keys", "write the command out; or annotate the function --- @undeclared, which a Cluster refuses")}
	}
	for _, key := range keys {
		if what := o.undeclared(u, key); what != "" {
			found = append(found, u.finding(key, fmt.Sprintf("the key of %s %s", command, what), declaredCure))
		}
	}
	return found
}

func rootName(n lua51.Node) (name *lua51.Name, ok bool) {
	e, _ := n.(lua51.Expr)
	name, _ = lua51.PathOf(e)
	return name, name != nil
}

// keysAmong are the command that some arguments are, and the arguments that are its
// keys. Behind a number of keys that is not written out all are.
func keysAmong(args []lua51.Expr) (command string, keys []lua51.Expr) {
	words := make([]string, len(args), len(args)+hidden)
	for i, arg := range args {
		words[i] = "?"
		switch arg := arg.(type) {
		case *lua51.String:
			words[i] = arg.Value
		case *lua51.Number:
			words[i] = arg.Raw
		}
	}
	if _, ok := args[0].(*lua51.String); !ok {
		return "", nil
	}
	last := len(args) - 1
	if lua51.IsMulti(args[last]) { // it may be more than one
		words = append(words, strings.Split(strings.Repeat("?", hidden), "")...)
	}
	at, _ := pipectx.Keys(words...)
	for i := 1; i < len(args); i++ {
		if words[i] == "?" {
			counted := slices.Clone(words)
			counted[i] = strconv.Itoa(len(words) - 1 - i)
			if more, _ := pipectx.Keys(counted...); len(more) > len(at) {
				at = more
			}
		}
	}
	for _, i := range at {
		if i = min(i, last); !slices.Contains(keys, args[i]) {
			keys = append(keys, args[i])
		}
	}
	return strings.ToUpper(words[0]), keys
}

// hidden is how many words an argument is taken for that stands for any number of them.
const hidden = 6

// undeclared says what is wrong with a key, "" if it is declared.
func (o *origins) undeclared(u *unit, key lua51.Expr) string {
	if call, ok := key.(*lua51.Call); ok && isGlobal(call, "unpack") && len(call.Args) > 0 {
		if all := o.of(u, call.Args[0]); all.list && all.kind != aRecord {
			return ""
		}
		return "is among what is not seen to be declared keys alone"
	}
	if what := computed(key); what != "" {
		return what
	}
	of := o.of(u, key)
	if !of.list && (of.kind == aKey || of.kind == nothing) {
		return ""
	}
	index, ok := key.(*lua51.Index)
	switch {
	case of.kind == aRecord && !of.list:
		return "is a record, and not the key of one"
	case ok && isBeyond(index, o.count):
		return fmt.Sprintf("is not declared: the function is called with %s", count(o.count, "key"))
	case ok:
		if name, is := index.Field(); is && o.of(u, index.X).kind == aRecord {
			return fmt.Sprintf("is what the field %q holds", name)
		}
	}
	return "is not seen to be declared"
}

// isBeyond tells whether a number of KEYS is none of the first so many.
func isBeyond(index *lua51.Index, count int) bool {
	keys, ok := index.X.(*lua51.Name)
	number, is := index.Key.(*lua51.Number)
	if !ok || !is || keys.Name != "KEYS" || keys.Local != nil {
		return false
	}
	n, whole := number.Int()
	return !whole || n < 1 || n > count
}

// tables finds records that are used as tables: they have no elements, and their
// fields are found by asking for them.
func (o *origins) tables(u *unit) (found Findings) {
	const cure = "name the fields that you want, as in {balance = self.balance}"
	isRecord := func(e lua51.Expr) bool { of := o.of(u, e); return of.kind == aRecord && !of.list }
	for _, call := range u.chunk.Calls {
		if len(call.Args) == 0 || !o.l.reaches(u, call) || !isRecord(call.Args[0]) {
			continue
		}
		switch {
		case isGlobal(call, walkers...):
			_, path := call.Callee()
			found = append(found, u.finding(call.Args[0], fmt.Sprintf("a record is no table, and %s finds nothing in it", strings.Join(path, ".")), cure))
		case isGlobal(call, "setmetatable"): // it would be a plain table from then on, and nothing assigned to it written
			found = append(found, u.finding(call.Args[0], "a record has a metatable, which is what reads and writes its fields", "give a table of your own another one"))
		}
	}
	lua51.Walk(u.chunk.Main.Body, func(n lua51.Node) bool {
		switch n := n.(type) {
		case *lua51.Unary:
			if n.Op == "#" && o.l.reaches(u, n) && isRecord(n.X) {
				found = append(found, u.finding(n.X, "a record is no list, and has no length", cure))
			}
		case *lua51.Function:
			if n == o.entry {
				found = append(found, o.returned(u, cure)...)
			}
		}
		return true
	})
	return found
}

// walkers are functions that want a table as their first argument.
var walkers = []string{
	"pairs", "ipairs", "next", "unpack", "rawget", "rawset", "cjson.encode", "cmsgpack.pack",
	"table.concat", "table.foreach", "table.foreachi", "table.getn", "table.insert", "table.maxn", "table.remove", "table.sort",
}

// returned finds records that the entry returns.
func (o *origins) returned(u *unit, cure string) (found Findings) {
	lua51.Walk(o.entry.Body, func(n lua51.Node) bool {
		if ret, ok := n.(*lua51.ReturnStat); ok && len(ret.Values) > 0 && o.of(u, ret.Values[0]).kind == aRecord {
			found = append(found, u.finding(ret.Values[0], "a record is no result", cure))
		}
		_, isFunction := n.(*lua51.Function)
		return !isFunction
	})
	return found
}
