package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
)

// Fields of a record as locals of a script: what a hand-written script would do,
// for texts and values that are plain. All else goes to self.lua, which so decides
// alone what is refused, and with which words:
//
//	__t1=call("HMGET",__k1,"balance","version")        texts
//	__e1=__t1[1] or __t1[2]                            the record exists
//	t=__t1[1] __1_1=t and (… and t+0) or nil           nil: not plain, or absent
//	__1_1o=__1_1                                       what it was first
//	(__1_1 or __z(1,"get","balance"))                  a read
//	if not __e1 or … then __z(1,"set","balance",__v) end __1_1=__v
//	local d1=__1_1~=__1_1o                             is anything to be written?
//	call("HSET",__k1,"balance",format("%.0f",__1_1+0),…)
//
// Fields of few types, and such as write.lua has more to do for than to set them, are
// no locals, but stay with self.lua.

// locals are a record's fields in one script.
type locals struct {
	schema  *schema
	view    *view
	n       int // of the record
	ttl     string
	fields  []*local
	beside  map[string]string // keys of keyspaces, as expressions
	version int               // its place among the texts, 0 if nothing counts
}

// A local is one field.
type local struct {
	*column
	record  int
	place   int    // among the texts
	name    string // of the local; with o behind it, what it was first, and with u, of one that may be absent, that self.lua keeps it
	written bool
	kind    byte   // the letter of self.lua, in lower case
	more    string // what goes with it
	maybe   bool   // it may be absent
	plain   bool   // it is a local
	rule    *luaRule
	renews  bool // an assignment begins the record's time to live anew, even of what is there
}

// manyFields is how many fields are locals at most: a call has room for some 200
// arguments.
const manyFields = 60

func newLocals(s *schema, v *view, n int, ttl string) *locals {
	l := &locals{schema: s, view: v, n: n, ttl: ttl}
	for i, name := range v.fields {
		c := s.byName[name]
		if c == s.version && len(v.written) > 0 {
			l.version = i + 1
		}
		if i >= v.named || c.lua == "" {
			continue
		}
		letter := c.lua[:1]
		lower := strings.ToLower(letter)
		f := &local{
			column: c, record: n, place: i + 1, name: fmt.Sprintf("__%d_%d", n, i+1), written: v.written[name],
			renews: ttl != "", rule: s.luaRuleOf(c), kind: lower[0], more: strings.TrimPrefix(c.lua[1:], " "), maybe: letter != lower,
		}
		f.plain = c.was == nil && !c.lives && strings.ContainsRune("sifbetw", rune(f.kind))
		l.fields = append(l.fields, f)
	}
	return l
}

// named is the local of a field that a function names.
func (l *locals) named(name string) *local {
	return l.fields[slices.IndexFunc(l.fields, func(f *local) bool { return f.column.name == name })]
}

// inline is the record for the compiler.
func (l *locals) inline(key string) *lua.Inline {
	if len(l.view.fetch) > manyFields {
		return nil
	}
	names := []string{l.own("__k"), l.own("__t"), l.own("__e")}
	if l.ttl != "" {
		names = append(names, l.own("__w"))
	}
	for _, f := range l.fields {
		if f.plain {
			names = append(names, f.name, f.name+"o")
			if f.maybe {
				names = append(names, f.name+"u")
			}
		}
	}
	in := &lua.Inline{
		Locals: strings.Join(names, ","),
		Adopt: fmt.Sprintf("__.redmoon_self.adopt(%d,%s,{%s},{%s},%s,%s)",
			l.n, l.own("__k"), l.view.types, l.view.names(), l.own("__t"), l.view.about(inScript)),
		Open: l.open(key),
		Read: func(u lua.Use) string {
			if u.Field == "key" && l.schema.byName["key"] == nil {
				return l.own("__k")
			}
			if key := l.beside[u.Field]; key != "" {
				return key
			}
			if u.Field == l.schema.key.name {
				return fmt.Sprintf("__z(%d,\"get\",%s)", l.n, quote(u.Field))
			}
			return l.named(u.Field).read()
		},
		Assign: func(u lua.Use, value string) string { return l.named(u.Field).assign(value) },
		Method: l.method,
	}
	for _, f := range l.fields {
		if f.plain && l.view.sums[f.column.name] {
			in.Funcs += f.incr()
		}
	}
	l.write(in)
	return in
}

// method is a method of the record, see lua.Inline.
func (l *locals) method(u lua.Use) (text string, whole bool) {
	switch u.Field {
	case "exists":
		return fmt.Sprintf("(not not %s or __z(%d,%q))", l.own("__e"), l.n, "exists"), true
	case "delete":
		return "", false // there would be no locals from then on
	case "incr":
		if f := l.named(u.Arg); f.plain {
			return f.name + "i(", false
		}
	}
	return fmt.Sprintf("__z(%d,%q", l.n, u.Field), false
}

// own is a name with the record's number.
func (l *locals) own(name string) string { return name + strconv.Itoa(l.n) }

// open fetches the texts and reads those that are plain.
func (l *locals) open(key string) string {
	var b strings.Builder
	if l.n == 1 {
		b.WriteString("local call,find,format=redis.call,string.find,string.format\n")
	}
	fmt.Fprintf(&b, "%s=%s", l.own("__k"), key)
	if len(l.view.fetch) == 0 {
		if l.view.asks {
			fmt.Fprintf(&b, " %s=call(\"EXISTS\",%s)==1", l.own("__e"), l.own("__k"))
		}
		return b.String()
	}
	texts := l.own("__t")
	fmt.Fprintf(&b, " %s=call(\"HMGET\",%s,%s)\n%s=%s[1]", texts, l.own("__k"), l.view.names(), l.own("__e"), texts)
	for i := range l.view.fetch[1:] {
		fmt.Fprintf(&b, " or %s[%d]", texts, i+2)
	}
	b.WriteString("\ndo local t")
	for _, f := range l.fields {
		if f.plain {
			fmt.Fprintf(&b, "\nt=%s[%d] %s", texts, f.place, f.decode())
		}
	}
	b.WriteString("\nend")
	return b.String()
}

// read is the field as an expression.
func (f *local) read() string {
	get := fmt.Sprintf("__z(%d,\"get\",%s)", f.record, quote(f.column.name))
	switch isBool := f.kind == 'b' || f.kind == 'e'; {
	case !f.plain:
		return get
	case isBool:
		return fmt.Sprintf("(%[1]s or %[1]s==nil and %s)", f.name, get)
	case f.maybe:
		return fmt.Sprintf("(%[1]s or %[1]su and %s)", f.name, get)
	}
	return fmt.Sprintf("(%s or %s)", f.name, get)
}

// assign gives the field a value, if self.lua does not refuse it.
func (f *local) assign(value string) string {
	set := fmt.Sprintf("__z(%d,\"set\",%s,%s)", f.record, quote(f.column.name), value)
	if !f.plain {
		return set
	}
	odd := f.odd(value)
	if f.maybe {
		absent := "%su or %s~=nil and (%s)"
		if f.rule.present { // self.lua refuses nil
			absent = "%su or %s==nil or %s"
		}
		odd = fmt.Sprintf(absent, f.name, value, odd)
		set += " " + f.name + "u=true"
	}
	text := fmt.Sprintf("if not __e%d or %s then %s end %s=%s", f.record, odd, set, f.name, value)
	if f.renews {
		text += fmt.Sprintf(" __w%d=true", f.record)
	}
	return text
}

// incr is the function that adds to the field.
func (f *local) incr() string {
	plain, kept := f.name, ""
	if f.maybe {
		plain, kept = "not "+f.name+"u and "+f.name, " "+f.name+"u=true"
	}
	if f.renews {
		kept += fmt.Sprintf(" __w%d=true", f.record)
	}
	rare := fmt.Sprintf("if %[1]s then __z(%[2]d,\"settle\",name,%[3]s,%[3]so) end v=__z(%[2]d,\"incr\",name,n)%[4]s %[3]s=type(v)==\"number\" and v or nil",
		plain, f.record, f.name, kept)
	renew := ""
	if f.renews {
		renew = fmt.Sprintf(" __w%d=true", f.record)
	}
	return fmt.Sprintf("\nlocal function %[1]si(name,n) local v=%[2]s and type(n)==\"number\" and %[1]s+n or nil if not __e%[3]d or %[4]s then %[5]s else %[1]s=v%[6]s end return v end",
		f.name, plain, f.record, f.odd("v"), rare, renew)
}

// write is what is done with the locals behind the call.
func (l *locals) write(in *lua.Inline) {
	var changed []string
	var written []*local
	for _, f := range l.fields {
		if f.written && f.plain {
			changed, written = append(changed, f.changed()), append(written, f)
			settled := f.name + "==nil"
			if f.maybe {
				settled = f.name + "u"
			}
			in.Settle += fmt.Sprintf("if not (%s) then __z(%d,\"settle\",%s,%[4]s,%[4]so) end\n", settled, l.n, quote(f.column.name), f.name)
		}
	}
	if written == nil {
		return
	}
	expire := ""
	if l.ttl != "" {
		expire = fmt.Sprintf("if %s then call(\"PEXPIRE\",%s,%s) end\n", l.own("__w"), l.own("__k"), l.ttl)
		in.Settle += fmt.Sprintf("if %s then __z(%d,\"renew\") end\n", l.own("__w"), l.n)
	}
	d, v := l.own("d"), l.own("v")
	in.Plan = fmt.Sprintf("local %s=%s\n", d, strings.Join(changed, " or "))
	if l.version > 0 {
		// In two steps: the embedded server is wrong on `v=v and (… and …)`.
		in.Plan += fmt.Sprintf("local %[1]st=%[2]s and (%[3]s[%[4]d] or \"0\") local %[1]s=%[1]st and (%[1]st==\"0\" and 1 or #%[1]st<=15 and find(%[1]st,\"^[1-9]%%d*$\") and %[1]st+1)\n",
			v, d, l.own("__t"), l.version)
		in.Rare = fmt.Sprintf("%s and not %s", d, v)
	}
	if l.view.hooked {
		in.Rare, in.Flush = d, expire
		return
	}
	in.Flush = fmt.Sprintf("if %s then\n%s\nend\n%s", d, l.flush(written), expire)
}

// flush writes the fields that have changed.
func (l *locals) flush(written []*local) string {
	key := l.own("__k")
	version := ""
	if l.version > 0 {
		version = fmt.Sprintf(",%s,format(\"%%.0f\",%s)", quote(l.schema.version.name), l.own("v"))
	}
	if f := written[0]; len(written) == 1 && !f.maybe && f.kind != 'f' {
		return fmt.Sprintf("call(\"HSET\",%s,%s,%s%s) __p=\"+\"", key, quote(f.column.name), f.text(), version)
	}
	var b strings.Builder
	b.WriteString("local set,n,gone,m={},0,{},0")
	for _, f := range written {
		name := quote(f.column.name)
		fmt.Fprintf(&b, "\nif %s then ", f.changed())
		if f.maybe {
			fmt.Fprintf(&b, "if %s==nil then m=m+1 gone[m]=%s else ", f.name, name)
		}
		text := f.text()
		if f.kind == 'f' { // 15 digits without an exponent are written alike everywhere
			text = "x"
			fmt.Fprintf(&b, `local x=format("%%.15g",%[1]s) if %[1]s==0 or tonumber(x)~=%[1]s or find(x,"e",1,true) then x=__z(0,"write",%[1]s) end `, f.name)
		}
		fmt.Fprintf(&b, "set[n+1],set[n+2]=%s,%s n=n+2 end", name, text)
		if f.maybe {
			b.WriteString(" end")
		}
	}
	if version != "" {
		fmt.Fprintf(&b, "\nset[n+1],set[n+2]=%s n=n+2", version[1:])
	}
	fmt.Fprintf(&b, "\nif n>0 then call(\"HSET\",%[1]s,unpack(set,1,n)) __p=\"+\" end if m>0 then call(\"HDEL\",%[1]s,unpack(gone,1,m)) __p=\"+\" end", key)
	return b.String()
}
