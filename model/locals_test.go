package model_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// Beast has a field of each kind that scripts keep as locals, and of each that
// they do not.
type Beast struct {
	ID    string     `redis:"id,key"`
	Text  string     `redis:"text"`
	Int   int64      `redis:"int" validate:"gte=-100"`
	Small uint8      `redis:"small"`
	Zero  int        `redis:"zero" validate:"omitempty,gte=5"`
	Rate  float64    `redis:"rate" validate:"lte=99.5"`
	Odd   float64    `redis:"odd,nan"`
	Yes   bool       `redis:"yes"`
	Empty bool       `redis:"empty,emptyfalse"`
	Sec   time.Time  `redis:"sec,unix"`
	Ms    *time.Time `redis:"ms,unixms"`
	Name  *string    `redis:"name" validate:"omitempty,min=1,max=4"`
	N     *int64     `redis:"n"`
	B     *bool      `redis:"b" validate:"required"`
	F     *float32   `redis:"f"`
	State string     `redis:"state,oneof=open shut,default=open"`
	Level *int       `redis:"level,oneof=1 2 3" validate:"omitempty,ne=2"`
	New   string     `redis:"new,was=old"`
	Count int64      `redis:"count,version"`
}

var beastFields = strings.Fields("text int small zero rate odd yes empty sec ms name n b f state level new count")

// A poet writes methods at random.
type poet struct {
	*rand.Rand
	depth int
}

func (p *poet) of(words ...string) string { return words[p.IntN(len(words))] }

// value is a Lua value, mostly of the wrong type.
func (p *poet) value() string {
	if p.IntN(3) == 0 {
		return p.of(`"x"`, `""`, `"open"`, `"shut"`, `"7"`, "true", "false", "nil", "{}", "0/0", "1/0", "-1/0", "2^53", "2^60", "1e300", "-0.0", "0.1+0.2", "1e-7")
	}
	return p.of("0", "1", "2", "3", "-1", "5", "7.5", "99", "100", "255", "256", "1767323045006007", "1767323045000000", "self."+p.field(), "self."+p.field(), "x", "x")
}

func (p *poet) field() string { return p.of(beastFields...) }

// statement is something that a method may do.
func (p *poet) statement() string {
	p.depth++
	defer func() { p.depth-- }()
	f, g := p.field(), p.field()
	for f == "count" { // is not assigned
		f = p.field()
	}
	for g == "count" {
		g = p.field()
	}
	choice := p.IntN(17)
	if p.depth > 3 {
		choice = p.IntN(6)
	}
	switch choice {
	case 0, 1:
		return fmt.Sprintf("see(self.%s)", p.field())
	case 2, 3:
		return fmt.Sprintf("self.%s = %s", f, p.value())
	case 4:
		return fmt.Sprintf("x = self.%s", p.field())
	case 5:
		return fmt.Sprintf("self[%q] = self.%[1]s", f)
	case 6:
		return fmt.Sprintf("self.%s, self.%s = %s, %s", f, g, p.value(), p.value())
	case 7: // of `self.f, x = x, 1` the embedded server makes something else
		return fmt.Sprintf("self.%s, x = 3, self.%s", f, p.field())
	case 8:
		return fmt.Sprintf("if self.%s then %s else %s end", p.field(), p.statement(), p.statement())
	case 9:
		return fmt.Sprintf("local ok, why = pcall(function() %s %s end) see(ok) see(why)", p.statement(), p.statement())
	case 10:
		return fmt.Sprintf("do local function inner(x) %s return x end see(inner(%s)) end", p.statement(), p.value())
	case 11:
		return fmt.Sprintf("if %s == self.%s then return show() end", p.value(), p.field())
	case 12, 13:
		return fmt.Sprintf("see(self:incr(%q, %s))", p.of("int", "int", "small", "zero", "n", "n"), p.of("1", "1", "-7", "x", `"5"`, "0.5", "nil", "2^53 - 1", `"9223372036854775806"`))
	case 14:
		return p.of("self:expire(60000)", "self:expire()", "self:expire(0)", "see(self:ttl() ~= nil)", "see(self:ttl() ~= nil)")
	case 15:
		if p.IntN(6) == 0 {
			return "see(self:delete())"
		}
	}
	return "see(self:exists())\nsee(self.key)"
}

// method is a whole method.
func (p *poet) method() string {
	var b strings.Builder
	b.WriteString(`
--- @return string
function M.f(self)
  local x, seen = 1, {}
  local function see(v)
    if type(v) == "number" then v = string.format("%.17g", v) elseif type(v) == "table" then v = v.err or "table" end
    seen[#seen + 1] = tostring(v)
  end
  local function show() return table.concat(seen, "\n") end
`)
	for range 1 + p.IntN(8) {
		b.WriteString("  " + p.statement() + "\n")
	}
	b.WriteString("  return show()\nend")
	return b.String()
}

// texts are a record at random, of texts that fit their fields and some that do not.
func (p *poet) texts() (all []any) {
	for _, f := range beastFields {
		if p.IntN(3) == 0 {
			continue
		}
		text := p.of("0", "1", "2", "3", "7", "42", "-5", "007", "-0", "1.5", "0.25", "1e3", "9007199254740993", "1767323045", "open", "shut", "x", "", "true", "NaN", "5.")
		if p.IntN(4) > 0 {
			text = p.of("1", "2", "3", "0")
		}
		if f == "state" {
			text = p.of("open", "shut", "1")
		}
		if f == "new" && p.IntN(2) == 0 {
			f = "old"
		}
		all = append(all, f, text)
	}
	if p.IntN(12) > 0 {
		all = append(all, "other", "o")
	}
	return all
}

// outcome runs a method on a record of some texts: what it answers, and what is
// stored then.
func outcome(t *testing.T, p place, functions string, texts []any, options ...keyspace.Option) string {
	t.Helper()
	m := model.Define[Beast, string]("beast", append(options, model.Lua(methods("beast", functions)))...)
	f, err := model.TryMethod[struct{}, string](m, "f")
	if err != nil {
		t.Fatalf("%s\n%v", functions, err)
	}
	p.client.Del(t.Context(), "beast{a}")
	if len(texts) > 0 {
		ok(t, "HSet", p.client.HSet(t.Context(), "beast{a}", texts...).Err())
	}
	result, err := f.On(p.db).Call(t.Context(), "a", struct{}{}).Result()
	var e *lua.Error
	if errors.As(err, &e) {
		result = fmt.Sprintf("%s %s at %v, partial %v", e.Code, e.Message, e.Trace, e.Partial)
	} else if err != nil {
		result = err.Error()
	}
	expires := p.client.PTTL(t.Context(), "beast{a}").Val() > 0
	return fmt.Sprintf("%s\nstored: %s, expires: %v", result, p.hash(t, "beast{a}"), expires)
}

// A method does the same whether the fields of its record are locals or the record
// is a value: what it reads, what it is refused, what it writes.
func FuzzLocals(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed)
	}
	places := []place{at(f, redistest.Shared(f).Client(f)), at(f, redistest.Embedded(f).Client(f))}
	f.Fuzz(func(t *testing.T, seed uint64) {
		poet := &poet{Rand: rand.New(rand.NewPCG(seed, 6))}
		functions := poet.method()
		var options []keyspace.Option
		if poet.IntN(4) == 0 {
			options = append(options, keyspace.TTL(time.Hour))
		}
		for range 4 {
			texts, p := poet.texts(), places[poet.IntN(2)]
			locals := outcome(t, p, functions, texts, options...)
			end := model.Proxies()
			values := outcome(t, p, functions, texts, options...)
			end()
			if locals != values {
				t.Fatalf("%s\non %v\nwith locals:\n%s\n\nwith values:\n%s", functions, texts, locals, values)
			}
		}
	})
}

// What a script keeps as locals, and where the record must be a value.
func TestLocalsWhere(t *testing.T) {
	for _, c := range []struct {
		reason, functions string
		locals            bool
	}{
		{"it names fields", "function M.f(self) self.balance = self.balance + 1 end", true},
		{"as a method", "function M:f() self.balance = self.balance + 1 end", true},
		{"in brackets", `function M.f(self) self["balance"] = 1 end`, true},
		{"in a function within", "function M.f(self) local function g() self.balance = 1 end g() end", true},
		{"two at once", "function M.f(self) local x self.balance, x = 1, 2 end", true},
		{"in a loop", "function M.f(self) for i = 1, self.balance do self.owner = self.owner .. i end end", true},
		{"it adds", "function M.f(self) return self:incr('balance', 1) end", true},
		{"it has an end", "function M.f(self) self:expire(self:ttl()) end", true},
		{"it adds to a computed field", "function M.f(self) local n = 'balance' self:incr(n, 1) end", false},
		{"it catches errors, where the embedded server loses upvalues", "function M.f(self) pcall(function() self.balance = 1 end) end", false},
		{"it deletes", "function M.f(self) self:delete() end", false},
		{"it asks whether there is one", "function M.f(self) if self:exists() then self.balance = 1 end end", true},
		{"nothing is used", "function M.f(self) end", true},
		{"a helper takes it", "local function g(r) r.balance = 1 end function M.f(self) g(self) end", false},
		{"it is in a table", "function M.f(self) local t = {self} t[1].balance = 1 end", false},
		{"its field is computed", "function M.f(self) local n = 'balance' self[n] = 1 end", false},
		{"it is assigned to", "function M.f(self) self = {} end", false},
		{"another function calls it", "function M.f(self) if self.balance > 1 then M.g(self) end end function M.g(self) M.f(self) end", false},
		{"it calls itself", "function M.f(self) self.balance = self.balance - 1 if self.balance > 0 then M.f(nil) end end", false},
		{"an assignment beside it has a place to compute", "function M.f(self) local t = {} self.balance, t[1] = 1, 2 end", false},
		{"upvalues are too many", "function M.f(self) local " + names("v", 58) +
			" = 1 return function() self.balance, self.owner = 1, '' return " + strings.ReplaceAll(names("v", 58), ",", "+") + " end end", false},
		{"a name of ours is taken", "function M.f(self) local __v = 1 self.balance = __v end", false},
	} {
		m := model.Define[Account, int64]("account", model.Lua(methods("account", c.functions)))
		f, err := model.TryMethod[struct{}, struct{}](m, "f")
		if err != nil {
			t.Errorf("%s: %v", c.reason, err)
			continue
		}
		if got := strings.Contains(f.Script().Body, "local function __z"); got != c.locals {
			t.Errorf("%s: locals %v, want %v:\n%s", c.reason, got, c.locals, f.Script().Body)
		}
	}
}

// names are n names, with commas between.
func names(prefix string, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(prefix, i)
	}
	return strings.Join(all, ",")
}

// What is common stays with the locals: to build what does the rest costs five
// times as much as the whole call.
func TestLocalsArePlain(t *testing.T) {
	p := at(t, redistest.Shared(t).Client(t))
	texts := []any{"text", "t", "int", "-42", "small", "255", "zero", "7", "rate", "-0.25", "yes", "1", "empty", "0", "sec", "1767323045",
		"ms", "1767323045006", "name", "", "n", "0", "b", "0", "f", "2.5", "state", "shut", "count", "41"}
	for _, c := range []struct{ reason, body, want string }{
		{"reads", `return self.text .. self.int .. self.small .. self.rate .. tostring(self.yes) .. tostring(self.empty) .. self.state .. self.name .. tostring(self.b)`, "t-42255-0.25truefalseshutfalse"},
		{"times", `return string.format("%.0f %.0f", self.sec, self.ms)`, "1767323045000000 1767323045006000"},
		{"is it there", `return tostring(self:exists())`, "true"},
		{"a string", `self.text = "b" return ''`, ""},
		{"integers", `self.int = self.int + 1 self.small = 0 return self.int .. ''`, "-41"},
		{"a zero beside its bounds is rare, others are not", `self.zero = 5 return ''`, ""},
		{"floats", `self.rate = self.rate * 3 self.f = 0.125 return self.rate .. ''`, "-0.75"},
		{"booleans", `self.yes = not self.yes self.b = true return ''`, ""},
		{"times are assigned", `self.sec = self.sec + 1000000 self.ms = self.ms + 1500 return ''`, ""},
		{"absent from now on", `self.name = nil self.n = nil self.f = nil return tostring(self.name)`, "nil"},
		{"one of its words", `self.state = "open" return self.state`, "open"},
		{"a sum", `return self:incr("int", 2) + self:incr("int", 1) .. ''`, "-79"},
		{"several returns", `if self.int < 0 then self.int = 1 return 'a' end return 'b'`, "a"},
	} {
		m := model.Define[Beast, string]("beast", keyspace.TTL(time.Hour), model.Lua(methods("beast", "function M.f(self)\n"+c.body+"\nend")))
		body := model.Method[struct{}, any](m, "f").Script().Body
		without := strings.Replace(body, "local function __z(...)", `local function __z(n, what, name) error("it takes the module to " .. what .. " " .. tostring(name)) end local function __other(...)`, 1)
		p.client.Del(t.Context(), "beast{a}")
		ok(t, "HSet", p.client.HSet(t.Context(), "beast{a}", texts...).Err())
		got, err := p.client.Eval(t.Context(), without, []string{"beast{a}"}).Text()
		if err != nil || got != c.want || without == body {
			t.Errorf("%s: %q, want %q; %v", c.reason, got, c.want, err)
		}
	}
}
