package model_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
)

// Gem is JSON with all that a shape may have.
type Gem struct {
	Name   string           `json:"name"`
	Carats float64          `json:"carats,omitempty"`
	Thin   float32          `json:"thin"`
	Cut    *int64           `json:"cut"`
	Tags   []string         `json:"tags"`
	Sides  [2]uint8         `json:"sides"`
	Worth  map[string]int64 `json:"worth,omitempty"`
	Seen   time.Time        `json:"seen"`
	Who    uuid.UUID        `json:"who"`
	Facets []Facet          `json:"facets,omitempty"`
	First  *Facet           `json:",omitempty"`
	Least  *int64           `json:"least,omitempty"`
	Note   *string          `json:"note,omitempty"`
	Sure   *bool            `json:"sure,omitzero"`
	OK     bool
	Skip   string `json:"-"`
	hidden int
}

// Facet is a struct within.
type Facet struct {
	N    int32
	Note string `json:"note,omitempty" validate:"max=3"`
}

// Hoard has two fields of each type that Lua sees as more than a scalar, or writes as
// a text of some form, and some that it may only read.
type Hoard struct {
	ID     string                   `redis:"id,key"`
	Gem    Gem                      `redis:"gem"`
	Gem2   Gem                      `redis:"gem2"`
	Maybe  *Gem                     `redis:"maybe"`
	Maybe2 *Gem                     `redis:"maybe2"`
	Opt    field.Optional[[]string] `redis:"opt"`
	Opt2   field.Optional[[]string] `redis:"opt2"`
	Tags   []string                 `redis:"tags"`
	Tags2  []string                 `redis:"tags2"`
	List   []string                 `redis:"list,list"`
	List2  []string                 `redis:"list2,list"`
	Comma  []string                 `redis:"comma,commas"`
	Comma2 []string                 `redis:"comma2,commas"`
	Table  map[string][]float64     `redis:"table"`
	Table2 map[string][]float64     `redis:"table2"`
	Text   string                   `redis:"text,json"`
	Text2  string                   `redis:"text2,json"`
	Who    uuid.UUID                `redis:"who"`
	Who2   uuid.UUID                `redis:"who2"`
	Code   [4]byte                  `redis:"code"`
	Code2  [4]byte                  `redis:"code2"`
	Free   any                      `redis:"free,json"`
	Addr   netip.Addr               `redis:"addr"`
	Sum    *big.Int                 `redis:"sum"`
}

// swaps is a method that swaps the fields of each pair: what Lua read of one it
// writes as the other.
var swaps = func() string {
	var b strings.Builder
	for _, name := range []string{"gem", "maybe", "opt", "tags", "list", "comma", "table", "text", "who", "code"} {
		b.WriteString("  self." + name + ", self." + name + "2 = self." + name + "2, self." + name + "\n")
	}
	return "function M.swap(self)\n" + b.String() + "end\n"
}()

func anyText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString([]string{"a", "Ž", "\"", "\\", "\n", "\x00", "\x1f", "\x7f", "\u2028", "\u2029", "😀", "</b>", ",", "\ufffd", "\b", "\f", "\t"}[r.IntN(17)])
	}
	return b.String()
}

func anyFloat(r *rand.Rand) float64 {
	switch r.IntN(5) {
	case 0:
		return 0
	case 1:
		return float64(r.Int64N(1<<53)) / 1000
	case 2:
		return []float64{1e21, 1e20, 1e-6, 9.9e-7, 1e-7, -1.5e-9, 123456789012345678, math.MaxFloat64, 5e-324, 1e100, -1e21, 999999999999999900000}[r.IntN(12)]
	}
	for {
		if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	}
}

func anyInt(r *rand.Rand) int64 {
	return []int64{0, -1, 1<<53 - 1, -(1<<53 - 1), 123456789012345, r.Int64N(1<<53 - 1), 1<<53 + 1, math.MaxInt64, math.MinInt64, int64(r.Uint64())}[r.IntN(10)]
}

func anyList(r *rand.Rand) []string {
	if r.IntN(4) == 0 {
		return nil
	}
	list := make([]string, r.IntN(4))
	for i := range list {
		list[i] = anyText(r)
	}
	return list
}

func anyGem(r *rand.Rand) Gem {
	g := Gem{
		Name: anyText(r), Carats: anyFloat(r), Thin: float32(r.NormFloat64()), Tags: anyList(r), Sides: [2]uint8{uint8(r.Uint32()), 3},
		Seen: time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC(), Who: uuid.UUID{byte(r.Uint32()), 15: 1}, OK: r.IntN(2) == 0, Skip: "x", hidden: 1,
	}
	if r.IntN(2) == 0 {
		g.Cut, g.First = new(anyInt(r)), &Facet{N: int32(r.Uint32()), Note: "n"}
		g.Least, g.Note, g.Sure = new(anyInt(r)), new(anyText(r)), new(r.IntN(2) == 0)
	}
	if r.IntN(2) == 0 {
		g.Worth = map[string]int64{}
		for range r.IntN(4) {
			g.Worth[anyText(r)] = anyInt(r)
		}
	}
	for range r.IntN(3) {
		g.Facets = append(g.Facets, Facet{N: int32(r.Uint32()), Note: anyText(r)[:0]})
	}
	return g
}

// nullMember is what anyHoard has for a map's element that is null.
var nullMember = regexp.MustCompile(`"z":null,?|,"z":null`)

func anyHoard(r *rand.Rand) Hoard {
	h := Hoard{
		ID: "a", Gem: anyGem(r), Gem2: anyGem(r), Tags: anyList(r), Tags2: anyList(r), List: anyList(r), List2: anyList(r),
		Comma: []string{"a", "b\xff"}[:r.IntN(3)], Comma2: []string{" c"}, Text: anyText(r), Text2: anyText(r),
		Who: uuid.UUID{1: byte(r.Uint32())}, Who2: uuid.UUID{2: byte(r.Uint32())}, Code: [4]byte{byte(r.Uint32())}, Code2: [4]byte{3: byte(r.Uint32())},
		Table2: map[string][]float64{}, Free: map[string]any{"a": []any{nil, 1.5, "x"}}, Addr: netip.MustParseAddr("::1"), Sum: big.NewInt(7),
	}
	if r.IntN(2) == 0 {
		g := anyGem(r)
		h.Maybe, h.Opt2 = &g, field.Some(anyList(r))
	}
	if r.IntN(2) == 0 {
		h.Table = map[string][]float64{anyText(r): {anyFloat(r), anyFloat(r)}, "z": nil, "é": {}}
	}
	return h
}

// What Lua writes of what it read is what Go wrote, byte for byte, for every type
// that it may write: two fields of each change places, and change them again.
func FuzzTablesAreAlike(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	places := []place{at(f, redistest.Shared(f).Client(f)), at(f, redistest.Embedded(f).Client(f))}
	f.Fuzz(func(t *testing.T, seed, seed2 uint64) {
		for _, p := range places {
			alike(t, p, rand.New(rand.NewPCG(seed, seed2)))
		}
	})
}

func TestTablesAreAlike(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for seed := range uint64(60) {
			alike(t, p, rand.New(rand.NewPCG(seed, seed)))
		}
	})
}

var (
	swapped = model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", swaps)))
	swap    = model.Method[struct{}, struct{}](swapped, "swap")
)

func alike(t *testing.T, p place, r *rand.Rand) {
	t.Helper()
	h := anyHoard(r)
	other := h
	other.Gem, other.Gem2, other.Maybe, other.Maybe2, other.Opt, other.Opt2 = h.Gem2, h.Gem, h.Maybe2, h.Maybe, h.Opt2, h.Opt
	other.Tags, other.Tags2, other.List, other.List2, other.Comma, other.Comma2 = h.Tags2, h.Tags, h.List2, h.List, h.Comma2, h.Comma
	other.Table, other.Table2, other.Text, other.Text2 = h.Table2, h.Table, h.Text2, h.Text
	other.Who, other.Who2, other.Code, other.Code2 = h.Who2, h.Who, h.Code2, h.Code
	hoards := swapped.On(p.db)
	p.remove(t, "hoard{a}")
	ok(t, "Save", hoards.Save(t.Context(), other).Err())
	back := p.client.HGetAll(t.Context(), "hoard{a}").Val()
	ok(t, "Save", hoards.Save(t.Context(), h).Err())
	first := p.client.HGetAll(t.Context(), "hoard{a}").Val()
	embedded := !strings.Contains(p.client.Info(t.Context(), "server").Val(), "run_id")
	for _, want := range []map[string]string{back, first} {
		ok(t, "swap", swap.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
		stored := p.client.HGetAll(t.Context(), "hoard{a}").Val()
		for name := range want {
			// A nil list of the option list is an empty one in Lua, and the embedded
			// server's cjson leaves null out of an object.
			got, want := strings.TrimPrefix(stored[name], `\n`), strings.TrimPrefix(want[name], `\n`)
			if embedded {
				want = nullMember.ReplaceAllString(want, "")
			}
			if got != want {
				t.Errorf("%s is %q by Lua, and %q by Go", name, got, want)
			}
		}
		if len(stored) != len(want) {
			t.Errorf("stored are %d fields, want %d", len(stored), len(want))
		}
	}
}

// Lists and JSON are tables: what a function changes inside of them is written, and
// what it only reads is not, however it is written.
func TestTables(t *testing.T) {
	hoards := model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", `
function M.look(self)
  local n = #self.tags + #self.list + #self.comma + self.gem.carats + #self.gem.tags
  self.gem.carats = self.gem.carats + 1
  self.gem.carats = self.gem.carats - 1
end

function M.change(self)
  self.gem.tags[1] = "ruby"
  self.gem.worth = {usd = 123456789012345}
  self.tags[#self.tags + 1] = "new"
  self.maybe = self.gem
  table.insert(self.list, "a,b")
  self.comma = {}
  self.gem.sides[2] = 7
  self.gem.who = "ABCDEFAB-0000-0000-0000-000000000000"
  self.who = self.gem.who
end

--- @return string
function M.read(self)
  return self.addr .. " " .. self.sum .. " " .. self.free.a .. " " .. self.who .. " " .. tostring(self.maybe) .. " " .. self.gem.seen
end`)))
	look := model.Method[struct{}, struct{}](hoards, "look")
	change := model.Method[struct{}, struct{}](hoards, "change")
	read := model.Method[struct{}, string](hoards, "read")
	const gem = ` { "Tags":["x"], "name":"n", "unknown":1, "cut":null } `
	each(t, func(t *testing.T, p place) {
		p.store(t, "hoard{a}", "gem", gem, "tags", "[ ]", "list", `\n`, "comma", ",,x,", "addr", "::1", "sum", "12345678901234567890", "free", `{"a":"b"}`)
		ok(t, "look", look.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
		for name, text := range map[string]string{"gem": gem, "tags": "[ ]", "list": `\n`, "comma": ",,x,"} {
			if got := p.client.HGet(t.Context(), "hoard{a}", name).Val(); got != text {
				t.Errorf("%s was only read, and is %q by now", name, got)
			}
		}
		want(t, "read", read.On(p.db).Call(t.Context(), "a", struct{}{}), "::1 12345678901234567890 b 00000000-0000-0000-0000-000000000000 nil 0001-01-01T00:00:00Z")
		ok(t, "change", change.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
		const changed = `{"name":"n","thin":0,"cut":null,"tags":["ruby"],"sides":[0,7],"worth":{"usd":123456789012345},"seen":"0001-01-01T00:00:00Z","who":"abcdefab-0000-0000-0000-000000000000","OK":false}`
		for name, text := range map[string]string{"who": "abcdefab-0000-0000-0000-000000000000", "gem": changed, "maybe": changed, "tags": `["new"]`, "list": `a\,b`, "comma": ""} {
			if got := p.client.HGet(t.Context(), "hoard{a}", name).Val(); got != text {
				t.Errorf("%s is stored as\n\t%s\nwant\n\t%s", name, got, text)
			}
		}
	})
}

// What a table must not hold is refused with the place in it, and nothing is written;
// what Lua cannot hold is refused where it is read.
func TestTablesRefuse(t *testing.T) {
	rows := []struct{ reason, name, text, does, fault string }{
		{"a member there is none", "", "", `self.gem.carat = 1`, "TYPE hoard{a} gem has no member carat"},
		{"another type", "", "", `self.gem = {name = 1}`, "TYPE hoard{a} gem.name is a string, not a number"},
		{"a member that is missing", "", "", `self.gem = {name = "x"}`, "TYPE hoard{a} gem.thin is a number, not a nil"},
		{"a fraction", "", "", `self.gem.facets = {{N = 1.5}}`, "TYPE hoard{a} gem.facets[1].N is an integer"},
		{"out of bounds", "", "", `self.gem.sides[1] = 256`, "RANGE hoard{a} gem.sides[1] is 256, above 255"},
		{"more than a float32", "", "", `self.gem.thin = 1e39`, "RANGE hoard{a} gem.thin is 1e+39, above 3.4"},
		{"less than a float32", "", "", `self.gem.thin = -3.5e38`, "RANGE hoard{a} gem.thin is -3.5e+38, below -3.4"},
		{"too many", "", "", `self.gem.sides[3] = 1`, "TYPE hoard{a} gem.sides is a list of 2, and has an element 3"},
		{"an element in front of the first", "", "", `self.gem.tags[0] = "x"`, "TYPE hoard{a} gem.tags is a list, and has an element 0"},
		{"a fraction that is stored", "gem", `{"sides":[1.5,2]}`, `local x = self.gem`, "DECODE hoard{a} gem.sides[1] is not an integer"},
		{"a hole", "", "", `self.tags = {"a", nil, "b"}`, "TYPE hoard{a} tags"},
		{"a map for a list", "", "", `self.tags = {a = "b"}`, "TYPE hoard{a} tags is a list"},
		{"a list for a map", "", "", `self.table = {{1}}`, "TYPE hoard{a} table is a map with strings as keys"},
		{"no number", "", "", `self.table = {a = {0/0}}`, "RANGE hoard{a} table.a[1] must be finite"},
		{"no UTF-8", "", "", `self.tags = {"\255"}`, "RANGE hoard{a} tags[1] is not UTF-8"},
		{"half of a pair", "", "", `self.tags = {"\237\160\128"}`, "is not UTF-8"},
		{"a time that is none", "", "", `self.gem.seen = "today"`, "RANGE hoard{a} gem.seen is a time in RFC 3339, not today"},
		{"an id that is none", "", "", `self.who = "7"`, "RANGE hoard{a} who: 7 is not a UUID"},
		{"bytes of another number", "", "", `self.code = "abc"`, "RANGE hoard{a} code is of 4 bytes, not 3"},
		{"an element that is none", "", "", `self.list = {1}`, "TYPE hoard{a} list is a list of strings"},
		{"no list", "", "", `self.list = "a"`, "TYPE hoard{a} list is a list, not a string"},
		{"a comma", "", "", `self.comma = {"a,b"}`, "RANGE hoard{a} comma has an element that is empty or has a comma"},
		{"a change of what may only be read", "", "", `local f = self.free f.x = 1`, "TYPE hoard{a} free is JSON that only Go can write, and was changed"},
		{"integers beyond 64 bits", "gem", `{"worth":{"x":9223372036854775808}}`, `local x = self.gem`, "DECODE hoard{a} gem.worth.x is no integer of its type: the sum would be 9223372036854775808, above"},
		{"a long integer that is no text", "gem", `{"name":12345678901234567890}`, `local x = self.gem`, "DECODE hoard{a} gem.name is not a string"},
		{"an integer that was rounded", "", "", `self.gem.worth = {x = 2^53}`, "RANGE hoard{a} gem.worth.x has 9007199254740992, beyond 2^53"},
		{"digits beyond 64 bits", "", "", `self.gem.worth = {x = "9223372036854775808"}`, "RANGE hoard{a} gem.worth.x cannot be 9223372036854775808: "},
		{"a text that is no integer", "", "", `self.gem.worth = {x = "1.5"}`, "TYPE hoard{a} gem.worth.x is an integer, not a string"},
		{"the same of any type", "free", `[1e300]`, `local x = self.free`, "RANGE hoard{a} free has"},
		{"a member of another type", "maybe2", `{"name":1}`, `local x = self.maybe2`, "DECODE hoard{a} maybe2.name is not a string"},
		{"no JSON", "tags", `["a"`, `local x = self.tags`, "DECODE hoard{a} tags is not JSON"},
		{"no UUID", "who", `x`, `local x = self.who`, "DECODE hoard{a} who: x is not a UUID"},
		{"too few bytes", "code", `x`, `local x = self.code`, "DECODE hoard{a} code: x is not of 4 bytes"},
	}
	each(t, func(t *testing.T, p place) {
		for _, row := range rows {
			hoards := model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", "function M.f(self)\n"+row.does+"\nend")))
			ok(t, "Save", hoards.On(p.db).Save(t.Context(), Hoard{ID: "a", Free: map[string]int{"y": 1}}).Err())
			if row.name != "" {
				ok(t, "HSET", p.client.HSet(t.Context(), "hoard{a}", row.name, row.text).Err())
			}
			before := p.hash(t, "hoard{a}")
			f := model.Method[struct{}, struct{}](hoards, "f")
			says(t, row.reason, f.On(p.db).Call(t.Context(), "a", struct{}{}).Err(), row.fault)
			p.wantHash(t, "hoard{a}", before)
		}
	})
}

// What Lua could not write as Go does is read there, and its assignment refused at
// start-up, with the reason and the cure. So is a field that is no table.
func TestTablesAreChecked(t *testing.T) {
	type self struct {
		N    int
		Next *self
	}
	type odd struct {
		ID     string             `redis:"id,key"`
		Self   self               `redis:"self"`
		Bytes  struct{ B []byte } `redis:"bytes"`
		Keys   map[int]string     `redis:"keys"`
		Embeds struct{ Facet }    `redis:"embeds"`
		Words  struct {
			N int `json:",string"`
		} `redis:"words"`
		Any  struct{ A any } `redis:"any"`
		Addr netip.Addr      `redis:"addr"`
		N    int64           `redis:"n"`
	}
	for _, row := range []struct{ does, says string }{
		{"self.self.N = 1", "contains itself"},
		{"self.bytes = {}", "is base64 in JSON"},
		{"self.keys = {}", "the keys of map[int]string are no strings"},
		{"self.embeds.N = 1", "embeds model_test.Facet"},
		{"self.words.N = 1", "has the option string"},
		{"self.any.A = 1", "what a interface {} holds is not known"},
		{"self.addr = '::1'", "only Go knows its texts"},
		{"self.n.x = 1", "is no table in Lua; assign the field: self.n"},
	} {
		odds := model.Define[odd, string]("odd", model.Lua(methods("odd", "function M.f(self) "+row.does+" end\nfunction M.g(self) return self.self, self.bytes, self.keys, self.embeds, self.words, self.any, self.addr end")))
		_, err := model.TryMethod[struct{}, struct{}](odds, "f")
		says(t, row.does, err, "odd.lua:2:", row.says)
		_, err = model.TryMethod[struct{}, struct{}](odds, "g")
		ok(t, "reading", err)
	}
	hoards := model.Define[Hoard, string]("hoard", model.Lua(methods("hoard", "function M.f(self) self.gem.name = 'x' end")))
	if w := model.Method[struct{}, struct{}](hoards, "f").Warnings(); len(w) != 1 || !strings.Contains(w[0], `"gem"`) {
		t.Errorf("the warnings are %q, want one of the rules within gem", w)
	}
}

// self.id is the id as Go has it, whatever the placement makes of it in the key.
func TestSelfID(t *testing.T) {
	type Numbered struct {
		ID int64  `redis:"id,key"`
		N  string `redis:"n"`
	}
	text := methods("m", "--- @return string\nfunction M.f(self) return type(self.id) .. ' ' .. self.id end\nlocal function g(r) r.id = 1 end\nfunction M.g(self) g(self) end\nfunction M.h(self) self.id = 1 end")
	bothWays(t, func(t *testing.T) {
		each(t, func(t *testing.T, p place) {
			for _, placed := range []keyspace.Option{keyspace.Placement{}, keyspace.OneSlot("s"), keyspace.Buckets("b", 9), keyspace.Template("t.x:%s:y")} {
				pages := model.Define[Page, string]("page", model.Lua(text), placed)
				f := model.Method[struct{}, string](pages, "f")
				for _, id := range []string{"a", "a:b{c}%25", "{", "}:", "ž"} {
					want(t, id, f.On(p.db).Call(t.Context(), id, struct{}{}), "string "+id)
				}
				numbered := model.Define[Numbered, int64]("numbered", model.Lua(text), placed)
				want(t, "a number", model.Method[struct{}, string](numbered, "f").On(p.db).Call(t.Context(), 42, struct{}{}), "number 42")
				says(t, "an assignment", model.Method[struct{}, struct{}](pages, "g").On(p.db).Call(t.Context(), "a", struct{}{}).Err(), "id is the id, which never changes")
				_, err := model.TryMethod[struct{}, struct{}](pages, "h")
				says(t, "an assignment", err, "the id of a record never changes")
			}
		})
	})
}
