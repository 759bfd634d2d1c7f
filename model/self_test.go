package model_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// Zoo has a field of each type that Lua sees, and one of each that it does not.
type Zoo struct {
	ID    string                  `redis:"id,key"`
	Text  string                  `redis:"text"`
	Raw   []byte                  `redis:"raw"`
	Int   int64                   `redis:"int"`
	Small int8                    `redis:"small"`
	Byte  uint8                   `redis:"byte"`
	Rate  float64                 `redis:"rate"`
	Thin  float32                 `redis:"thin"`
	Odd   float64                 `redis:"odd,nan"`
	Yes   bool                    `redis:"yes"`
	Empty bool                    `redis:"empty,emptyfalse"`
	Sec   time.Time               `redis:"sec,unix"`
	Ms    time.Time               `redis:"ms,unixms"`
	Us    *time.Time              `redis:"us,unixus"`
	Name  *string                 `redis:"name"`
	N     field.Optional[int64]   `redis:"n"`
	F     field.Optional[float64] `redis:"f"`
	B     *bool                   `redis:"b"`
	Rule  int64                   `redis:"rule" validate:"gte=0,lte=9"`
	Wait  time.Duration           `redis:"wait"`
	Quote string                  `redis:"quo\"te \x01ü"`
	Who   uuid.UUID               `redis:"who"`
	Code  [4]byte                 `redis:"code"`
	When  time.Time               `redis:"when"`
}

// try runs a Lua body on the record "a" of a Zoo: its result as Lua shows it.
func try(t testing.TB, p place, body string) (string, error) {
	t.Helper()
	m := model.Define[Zoo, string]("zoo", model.Lua(methods("zoo", "--- @return string\nfunction M.f(self)\n"+body+"\nend")))
	f, err := model.TryMethod[struct{}, string](m, "f")
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return f.On(p.db).Call(t.Context(), "a", struct{}{}).Result()
}

// self reads a field as a Lua value of its type: zero where it is missing and
// cannot be absent, nil where it can; what is not of its type is an error.
func TestSelfReads(t *testing.T) { bothWays(t, testSelfReads) }

func testSelfReads(t *testing.T) {
	rows := []struct{ reason, field, text, want, fault string }{
		{"a string", "text", "a\r\nb", "string a\r\nb", ""},
		{"a missing string", "text", "-", "string ", ""},
		{"bytes", "raw", "\x00\xff", "string \x00\xff", ""},
		{"an integer", "int", "-42", "number -42", ""},
		{"a missing integer", "int", "-", "number 0", ""},
		{"zeros in front", "int", "007", "number 7", ""},
		{"less than nothing", "int", "-0", "number 0", ""},
		{"all of 2^53", "int", "9007199254740992", "number 9.007199254741e+15", ""},
		{"one more", "int", "9007199254740993", "", "RANGE zoo{a} int: 9007199254740993 is beyond 2^53"},
		{"the last int64", "int", "9223372036854775807", "", "RANGE"},
		{"text", "int", "abc", "", "DECODE zoo{a} int: abc is not an integer"},
		{"an exponent", "int", "1e3", "", "DECODE"},
		{"another base", "int", "0x10", "", "DECODE"},
		{"a space", "int", " 1", "", "DECODE"},
		{"a float", "rate", "0.1", "number 0.1", ""},
		{"a missing float", "rate", "-", "number 0", ""},
		{"with an exponent and no point", "rate", "1e+21", "number 1e+21", ""},
		{"22 digits", "rate", "1000000000000000000000", "number 1e+21", ""},
		{"no float", "rate", "nan", "", "DECODE"},
		{"another base", "rate", "0x1p4", "", "DECODE"},
		{"two points", "rate", "1.2.3", "", "DECODE"},
		{"a float that may be odd", "odd", "NaN", "number nan", ""},
		{"an infinity", "odd", "-Inf", "number -inf", ""},
		{"true", "yes", "1", "boolean true", ""},
		{"true in other words", "yes", "True", "boolean true", ""},
		{"false", "yes", "0", "boolean false", ""},
		{"false in other words", "yes", "off", "boolean false", ""},
		{"a missing boolean", "yes", "-", "boolean false", ""},
		{"neither", "yes", "maybe", "", "DECODE zoo{a} yes: maybe is not a boolean"},
		{"an empty text", "yes", "", "", "DECODE"},
		{"an empty text that is false", "empty", "", "boolean false", ""},
		{"seconds", "sec", "1767323045", "number 1.767323045e+15", ""},
		{"milliseconds", "ms", "1767323045006", "number 1.767323045006e+15", ""},
		{"microseconds", "us", "-1", "number -1", ""},
		{"the zero time, in seconds", "sec", "-62135596800", "number -6.21355968e+16", ""},
		{"the zero time, in milliseconds", "ms", "-62135596800000", "number -6.21355968e+16", ""},
		{"the zero time, in microseconds", "us", "-62135596800000000", "number -6.21355968e+16", ""},
		{"another time of that day", "us", "-62135596799999999", "", "RANGE zoo{a} us: -62135596799999999 is too far from 1970 to be exact as a number of microseconds"},
		{"the farthest seconds", "sec", "576460752303", "number 5.76460752303e+17", ""},
		{"the farthest milliseconds", "ms", "72057594037927", "number 7.2057594037927e+16", ""},
		{"farther ones", "ms", "72057594037928", "", "RANGE zoo{a} ms: 72057594037928 is too far from 1970"},
		{"farther ones", "sec", "-576460752304", "", "RANGE zoo{a} sec: -576460752304 is too far from 1970"},
		{"milliseconds beyond all numbers", "ms", "9223372036854775807", "", "RANGE zoo{a} ms: 9223372036854775807 is too far from 1970"},
		{"a time in words", "when", "2026-01-02T03:04:05.006007008+01:00", "number 1.767319445006e+15", ""},
		{"before 1970", "when", "1969-12-31T23:59:59.9999995Z", "number -1", ""},
		{"the zero time, in words", "when", "0001-01-01T00:00:00Z", "number -6.21355968e+16", ""},
		{"a missing time in words", "when", "-", "number -6.21355968e+16", ""},
		{"no day", "when", "2026-02-29T03:04:05Z", "", "DECODE zoo{a} when: 2026-02-29T03:04:05Z is not a time in RFC 3339"},
		{"no leap day of 1900", "when", "1900-02-29T03:04:05Z", "", "DECODE"},
		{"no day of April", "when", "2026-04-31T03:04:05Z", "", "DECODE"},
		{"no hour", "when", "2026-04-30T24:04:05Z", "", "DECODE"},
		{"no digits behind the point", "when", "2026-04-30T03:04:05.Z", "", "DECODE"},
		{"no minutes of an offset", "when", "2026-04-30T03:04:05+01", "", "DECODE"},
		{"an offset of a day", "when", "2026-04-30T03:04:05+24:00", "", "DECODE"},
		{"a time too far", "when", "1600-01-01T00:00:00Z", "", "RANGE zoo{a} when: 1600-01-01T00:00:00Z is too far from 1970"},
		{"a duration", "wait", "1500000000", "number 1500000000", ""},
		{"an absent string", "name", "-", "nil nil", ""},
		{"an empty string", "name", "", "string ", ""},
		{"an absent integer", "n", "-", "nil nil", ""},
		{"a zero that is there", "n", "0", "number 0", ""},
		{"an absent float", "f", "-", "nil nil", ""},
		{"an absent boolean", "b", "-", "nil nil", ""},
		{"a false that is there", "b", "0", "boolean false", ""},
		{"an absent time", "us", "-", "nil nil", ""},
		{"an odd name", `quo"te ü`, "-", "string ", ""},
	}
	each(t, func(t *testing.T, p place) {
		for _, c := range rows {
			p.store(t, "zoo{a}", "other", "o")
			name := c.field
			if c.field == `quo"te ü` {
				name = "quo\"te \x01ü"
			}
			if c.text != "-" {
				p.client.HSet(t.Context(), "zoo{a}", name, c.text)
			}
			read := fmt.Sprintf(`self["%s"]`, strings.NewReplacer(`"`, `\"`, "\x01", `\001`).Replace(name))
			for how, body := range map[string]string{
				"named":   "local v = " + read + " return type(v)..' '..tostring(v)",
				"escaped": "local function get(s, name) return s[name] end local v = get(self, " + read[5:len(read)-1] + ") return type(v)..' '..tostring(v)",
			} {
				got, err := try(t, p, body)
				if c.fault != "" {
					as[*lua.Error](t, c.reason, err)
					says(t, c.field+": "+c.reason+", "+how, err, c.fault)
					continue
				}
				got = strings.NewReplacer("-nan", "nan", "NaN", "nan", "-Inf", "-inf", "1767323045000000", "1.767323045e+15",
					"1767323045006000", "1.767323045006e+15", "1767319445006007", "1.767319445006e+15", "9007199254740992", "9.007199254741e+15",
					"-62135596800000000", "-6.21355968e+16", "576460752303000000", "5.76460752303e+17",
					"72057594037927000", "7.2057594037927e+16").Replace(got) // servers print numbers each in their way
				if err != nil || got != c.want {
					t.Errorf("%s: %s, %s: %q, want %q; %v", c.field, c.reason, how, got, c.want, err)
				}
			}
		}
	})
}

// Assigning writes the text that Go would write, and refuses what the field's
// Go type cannot hold or its rules forbid; then nothing is written.
func TestSelfAssigns(t *testing.T) { bothWays(t, testSelfAssigns) }

func testSelfAssigns(t *testing.T) {
	rows := []struct{ reason, field, value, want, fault string }{
		{"a string", "text", `"a\0b"`, "a\x00b", ""},
		{"a number is no string", "text", "1", "", "TYPE zoo{a} text is a string, not a number"},
		{"nil is no string", "text", "nil", "", "TYPE zoo{a} text is never absent"},
		{"an integer", "int", "-42", "-42", ""},
		{"less than nothing", "int", "0 * -1", "0", ""},
		{"a large integer", "int", "2^53 - 1", "9007199254740991", ""},
		{"one that may have been rounded", "int", "2^53 - 1 + 2", "", "RANGE zoo{a} int: 9007199254740992 is beyond 2^53"},
		{"a fraction", "int", "1.5", "", "TYPE zoo{a} int is an integer, not 1.5"},
		{"a string is no integer", "int", `"1"`, "", "TYPE zoo{a} int is an integer, not a string"},
		{"not a number", "int", "0/0", "", "RANGE zoo{a} int must be finite"},
		{"an infinity", "int", "1/0", "", "RANGE"},
		{"the last int8", "small", "127", "127", ""},
		{"one more", "small", "128", "", "RANGE zoo{a} small: 128 is above 127"},
		{"the first int8", "small", "-128", "-128", ""},
		{"one less", "small", "-129", "", "below -128"},
		{"unsigned", "byte", "-1", "", "below 0"},
		{"a float", "rate", "0.1", "0.1", ""},
		{"a whole float", "rate", "3", "3", ""},
		{"a large float", "rate", "1e21", "1.0e+21", ""},
		{"a float of 17 digits", "rate", "0.1 + 0.2", "0.30000000000000004", ""},
		{"a float must be finite", "rate", "1/0", "", "RANGE zoo{a} rate must be finite"},
		{"a float must be a number", "rate", "0/0", "", "must be finite"},
		{"true is no float", "rate", "true", "", "TYPE zoo{a} rate is a float, not a boolean"},
		{"a float32 has its size", "thin", "1e39", "", "RANGE"},
		{"a float that may be odd", "odd", "0/0", "NaN", ""},
		{"an infinity that may be", "odd", "-1/0", "-Inf", ""},
		{"an odd one that is not", "odd", "2.5", "2.5", ""},
		{"a boolean", "yes", "true", "1", ""},
		{"false", "yes", "1 > 2", "0", ""},
		{"1 is no boolean", "yes", "1", "", "TYPE zoo{a} yes is a boolean, not a number"},
		{"seconds", "sec", "1767323045006007", "1767323045", ""},
		{"seconds toward the past", "sec", "-1", "-1", ""},
		{"milliseconds", "ms", "1767323045006007", "1767323045006", ""},
		{"microseconds", "us", "1767323045006007", "1767323045006007", ""},
		{"a time in words", "when", "1767323045006007", "2026-01-02T03:04:05.006007Z", ""},
		{"on the second", "when", "1767323045000000", "2026-01-02T03:04:05Z", ""},
		{"before 1970", "when", "-1", "1969-12-31T23:59:59.999999Z", ""},
		{"Go's zero time", "when", "-62135596800000000", "0001-01-01T00:00:00Z", ""},
		{"a time too far", "when", "-62135596700000000", "", "RANGE zoo{a} when"},
		{"a string is no time, in words", "when", `"now"`, "", "TYPE"},
		{"a string is no time", "ms", `"now"`, "", "TYPE"},
		{"absent", "name", "nil", "-", ""},
		{"present", "name", `""`, "", ""},
		{"an absent integer", "n", "nil", "-", ""},
		{"an absent boolean", "b", "nil", "-", ""},
		{"false is not absent", "b", "false", "0", ""},
		{"a rule", "rule", "10", "", "RANGE zoo{a} rule: 10 is above 9"},
		{"and its other side", "rule", "-1", "", "below 0"},
	}
	each(t, func(t *testing.T, p place) {
		for _, c := range rows {
			p.store(t, "zoo{a}", "rule", "5", "text", "t", "name", "n", "n", "1", "b", "1")
			before := p.hash(t, "zoo{a}")
			_, err := try(t, p, fmt.Sprintf("self.int = 1 self.%s = %s return ''", c.field, c.value))
			what := c.field + ": " + c.reason
			if c.fault != "" {
				as[*lua.Error](t, what, err)
				says(t, what, err, c.fault)
				p.wantHash(t, "zoo{a}", before)
				continue
			}
			ok(t, what, err)
			got, err := p.client.HGet(t.Context(), "zoo{a}", c.field).Result()
			if absent := c.want == "-"; absent != (err != nil) || !absent && got != c.want {
				t.Errorf("%s: stored %q, want %q; %v", what, got, c.want, err)
			}
			if _, err := model.Define[Zoo, string]("zoo").On(p.db).Get(t.Context(), "a").Result(); err != nil {
				t.Errorf("%s: Go reads %v", what, err)
			}
		}
	})
}

// A record that got away from analysis is checked as it is used.
func TestSelfEscaped(t *testing.T) { bothWays(t, testSelfEscaped) }

func testSelfEscaped(t *testing.T) {
	m := model.Define[Account, int64]("account", model.Lua(methods("account", `
local function set(record, name, value) record[name] = value end
--- @arg name string
function M.f(self, name) set(self, name, 1) end`)))
	f := model.Method[string, struct{}](m, "f")
	each(t, func(t *testing.T, p place) {
		value(t, "Create", m.On(p.db).Create(t.Context(), ada()))
		before := p.hash(t, "account{7}")
		for name, fault := range map[string]string{
			"blance":  "FIELD account{7} has no field blance",
			"version": "FIELD account{7} version counts the changes",
			"id":      "FIELD account{7} id is the id, which never changes",
			"key":     "FIELD account{7} has no field key",
			"address": "TYPE account{7} address is a struct, not a number",
			"owner":   "TYPE account{7} owner is a string",
		} {
			says(t, name, f.On(p.db).Call(t.Context(), 7, name).Err(), fault)
		}
		p.wantHash(t, "account{7}", before)
	})
}

// What is assigned and says what is stored is not written, however it was
// written; and the version stays.
func TestSelfUnchanged(t *testing.T) { bothWays(t, testSelfUnchanged) }

func testSelfUnchanged(t *testing.T) {
	m := model.Define[Zoo, string]("zoo", model.Lua(methods("zoo", `
local function copy(record, names) for _, name in ipairs(names) do record[name] = record[name] end end
function M.f(self)
  self.int = self.int self.rate = self.rate self.yes = self.yes self.ms = self.ms self.odd = self.odd
  self.when = self.when + 1 self.when = self.when - 1
  copy(self, {"thin", "small", "name", "n"})
end`)))
	f := model.Method[struct{}, struct{}](m, "f")
	each(t, func(t *testing.T, p place) {
		p.store(t, "zoo{a}", "int", "007", "rate", "1e-1", "yes", "True", "ms", "1500", "odd", "NaN", "thin", "0.10", "small", "+5", "when", "2026-01-02T03:04:05.006007008+01:00")
		before := p.hash(t, "zoo{a}")
		value(t, "f", f.On(p.db).Call(t.Context(), "a", struct{}{}))
		p.wantHash(t, "zoo{a}", before)
	})
	same := model.Define[Account, int64]("account", model.Lua(methods("account", `
function M.f(self) self.balance = self.balance + 1 self.balance = self.balance - 1 self.owner = "Ada" end`)))
	g := model.Method[struct{}, struct{}](same, "f")
	each(t, func(t *testing.T, p place) {
		value(t, "Create", same.On(p.db).Create(t.Context(), ada()))
		before := p.hash(t, "account{7}")
		value(t, "f", g.On(p.db).Call(t.Context(), 7, struct{}{}))
		p.wantHash(t, "account{7}", before)
	})
}

// A version that is none is found before anything is written.
func TestSelfBadVersion(t *testing.T) { bothWays(t, testSelfBadVersion) }

func testSelfBadVersion(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		client(t, p, 1, 100)
		client(t, p, 2, 0)
		p.client.HSet(t.Context(), "client{bank}:2", "version", "two")
		before := p.hash(t, "client{bank}:1") + p.hash(t, "client{bank}:2")
		move := model.Method[moveArgs, int64](clients, "move")
		says(t, "move", move.On(p.db).Call(t.Context(), 1, moveArgs{clients.Key(2), 40}).Err(), "DECODE", "version (two) cannot be counted up")
		if after := p.hash(t, "client{bank}:1") + p.hash(t, "client{bank}:2"); after != before {
			t.Errorf("stored %s, want %s", after, before)
		}
	})
}

// A float has one text, whether Go or Lua wrote it, on every server.
func TestFloatsAreWrittenAlike(t *testing.T) { bothWays(t, testFloatsAreWrittenAlike) }

func testFloatsAreWrittenAlike(t *testing.T) {
	type line struct {
		ID string  `redis:"id,key"`
		F  float64 `redis:"f"`
	}
	m := model.Define[line, string]("line", model.Lua(methods("line", `
--- @arg f float
function M.g(self, f) self.f = f end`)))
	set := model.Method[float64, struct{}](m, "g")
	floats := []float64{0, 1, -1, 0.1, 1.0 / 3, 2.0 / 3, 1e-6, 9.999999e-7, 1e17, 1e18, 999999999999999872, 1e21, -1e21, 123456789012345680,
		1e22, 1e23, 5e-324, 1.5e-323, 4.4501477170144023e-308, 2.2250738585072014e-308, math.MaxFloat64, math.SmallestNonzeroFloat64,
		9007199254740993, 0.30000000000000004, 100, 1e15, 1e16, 123456.789e3, math.Pi, math.E * 1e-10, 1 << 60, 1.0 / (1 << 30)}
	random := rand.New(rand.NewPCG(7, 7))
	for len(floats) < 300 {
		f := math.Float64frombits(random.Uint64())
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			floats = append(floats, f, math.Round(random.NormFloat64()*1e6)/100)
		}
	}
	each(t, func(t *testing.T, p place) {
		p.store(t, "line{a}", "f", "7777.5")
		for _, f := range floats {
			ok(t, strconv.FormatFloat(f, 'g', -1, 64), set.On(p.db).Call(t.Context(), "a", f).Err())
			byLua := p.client.HGet(t.Context(), "line{a}", "f").Val()
			byGo, err := field.MustFor[float64]().Append(nil, f)
			ok(t, byLua, err)
			if !bytes.Equal(byGo, []byte(byLua)) {
				t.Errorf("%v is %s by Lua, %s by Go", f, byLua, byGo)
			}
		}
	})
}

// A time in words is for Lua what it is for Go, and what Lua writes is what Go does.
func FuzzTimesAreAlike(f *testing.F) {
	for _, µs := range []int64{0, -1, 1, 1767323045006007, 951782400000000, 951868799999999, -2203891200000000, 1<<53 - 1, -(1<<53 - 1)} {
		f.Add(µs, 0, 0)
		f.Add(µs, 999, -90)
	}
	type event struct {
		ID   string    `redis:"id,key"`
		N    int64     `redis:"n"`
		When time.Time `redis:"when"`
	}
	m := model.Define[event, string]("event", model.Lua(methods("event", `
--- @arg at int
--- @return int
function M.f(self, at)
  local was = self.when
  self.when = at
  self.n = was
  self.when = was
  self.when = at
  return was
end`)))
	set := model.Method[int64, int64](m, "f")
	places := []place{at(f, redistest.Shared(f).Client(f)), at(f, redistest.Embedded(f).Client(f))}
	f.Fuzz(func(t *testing.T, µs int64, ns, minutes int) {
		µs %= 1<<53 - 1
		minutes %= 1440
		then := time.UnixMicro(µs).Add(time.Duration(uint(ns) % 1000)).In(time.FixedZone("", 60*minutes))
		for _, p := range places {
			before := value(t, "Save", m.On(p.db).Save(t.Context(), event{ID: "a", When: then}))
			want(t, "f", set.On(p.db).Call(t.Context(), "a", µs), µs)
			after := p.client.HGet(t.Context(), "event{a}", "when").Val()
			codec, err := field.MustFor[time.Time]().Append(nil, before.When)
			ok(t, "Append", err)
			if after != string(codec) {
				t.Errorf("unchanged, %s became %s", codec, after)
			}
			want(t, "f", set.On(p.db).Call(t.Context(), "a", -µs+1), µs)
			codec, err = field.MustFor[time.Time]().Append(nil, time.UnixMicro(-µs+1).UTC())
			ok(t, "Append", err)
			if after = p.client.HGet(t.Context(), "event{a}", "when").Val(); after != string(codec) {
				t.Errorf("Lua wrote %s, Go %s", after, codec)
			}
		}
	})
}
