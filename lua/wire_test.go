package lua_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// echo is a module whose functions give back what they get.
const echo = `local M = {}
function M.any(x) return x end
--- @arg x int64
--- @return int64
function M.exact(x) return x end
--- @arg x int64?
--- @return int64?
function M.maybe_exact(x) return x end
--- @return string
function M.kind(x) return type(x) .. " " .. tostring(x) end
--- @arg x json?
--- @return string
function M.json(x) return cjson.encode(x) end
return M`

// A trip is a value on its way to Lua and back: it is queued by go, and check
// looks at what came back.
type trip struct {
	what  string
	start func(context.Context, *pipectx.DB)
	check func(testing.TB)
}

// there is the trip of a value through a function of echo.
func there[T any](t testing.TB, mod *lua.Mod, function string, value T) *trip {
	t.Helper()
	entry := bind[T, T](t, mod, function)
	var ref *pipectx.Ref[T]
	what := fmt.Sprintf("%T %#v by %s", value, value, function)
	return &trip{what,
		func(ctx context.Context, db *pipectx.DB) { ref = entry.On(db).Call(ctx, value) },
		func(t testing.TB) {
			t.Helper()
			if got, err := ref.Result(); err != nil || !same(got, value) {
				t.Errorf("%s came back as %#v, %v", what, got, err)
			}
		}}
}

// same is equality to the last bit: -0 is not 0.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		return math.Float64bits(a) == math.Float64bits(b.(float64))
	case float32:
		return math.Float32bits(a) == math.Float32bits(b.(float32))
	case time.Time:
		return a.Equal(b.(time.Time))
	case *time.Time:
		other := b.(*time.Time)
		return a == nil && other == nil || a != nil && other != nil && a.Equal(*other)
	case *float64:
		other := b.(*float64)
		return a == nil && other == nil || a != nil && other != nil && same(*a, *other)
	}
	return reflect.DeepEqual(a, b)
}

// travel sends all trips in one round trip and checks them.
func travel(t testing.TB, db *pipectx.DB, trips ...*trip) {
	t.Helper()
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for _, trip := range trips {
			trip.start(ctx, db)
		}
		return nil
	})
	for _, trip := range trips {
		trip.check(t)
	}
	if err != nil && !t.Failed() {
		t.Error(err)
	}
}

type (
	named   string
	level   int8
	maybe   = field.Optional[int]
	moments = field.Optional[time.Time]
)

// Ensure that a value of every type comes back from Lua as the value it was, to
// the last bit, on every server.
func TestRoundTrips(t *testing.T) {
	mod := load(t, "echo", echo)
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	at := time.Date(2026, 3, 1, 12, 30, 15, 123456000, time.UTC)
	trips := []*trip{
		there(t, mod, "any", ""), there(t, mod, "any", "x"), there(t, mod, "any", "1"), there(t, mod, "any", string(bytes)),
		there(t, mod, "any", strings.Repeat("long ", 100_000)), there(t, mod, "any", named("n")), there(t, mod, "any", bytes),
		there(t, mod, "any", true), there(t, mod, "any", false),
		there(t, mod, "any", 0), there(t, mod, "any", -1), there(t, mod, "any", 1<<53), there(t, mod, "any", -1<<53), there(t, mod, "any", 1<<53-1),
		there(t, mod, "any", int8(-128)), there(t, mod, "any", int16(-1<<15)), there(t, mod, "any", int32(-1<<31)), there(t, mod, "any", level(7)),
		there(t, mod, "any", uint8(255)), there(t, mod, "any", uint16(1<<16-1)), there(t, mod, "any", uint32(1<<32-1)), there(t, mod, "any", uint64(1<<53)),
		there(t, mod, "any", lua.Exact(math.MaxInt64)), there(t, mod, "any", lua.Exact(math.MinInt64)), there(t, mod, "any", lua.Exact(0)),
		there(t, mod, "exact", int64(math.MaxInt64)), there(t, mod, "exact", int64(math.MinInt64)), there(t, mod, "exact", uint64(math.MaxUint64)), there(t, mod, "exact", 1<<53+1),
		there(t, mod, "maybe_exact", new(int64(1<<53+1))), there(t, mod, "maybe_exact", (*uint64)(nil)), there(t, mod, "any", field.Some(lua.Exact(1<<60+1))),
		there(t, mod, "any", at), there(t, mod, "any", time.UnixMicro(1<<53)), there(t, mod, "any", time.UnixMicro(-1<<53)), there(t, mod, "any", &at), there(t, mod, "any", (*time.Time)(nil)),
		there(t, mod, "any", field.Some(at)), there(t, mod, "any", moments{}),
		there(t, mod, "any", 90*time.Second), there(t, mod, "any", -time.Nanosecond),
		there(t, mod, "any", new("")), there(t, mod, "any", new("x")), there(t, mod, "any", (*string)(nil)),
		there(t, mod, "any", new(0)), there(t, mod, "any", (*int)(nil)), there(t, mod, "any", new(true)), there(t, mod, "any", new(false)), there(t, mod, "any", (*bool)(nil)),
		there(t, mod, "any", new(-0.5)), there(t, mod, "any", (*float64)(nil)), there(t, mod, "any", field.Some(0)), there(t, mod, "any", maybe{}),
		there(t, mod, "any", uuid.MustParse("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")), there(t, mod, "any", netip.MustParseAddr("::1")), there(t, mod, "any", *big.NewInt(0).Exp(big.NewInt(7), big.NewInt(99), nil)),
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 0.1, 3, -3, 1.0 / 3, 1e21, -1e21, 1e22, 1e100, 1e-7, 5e-324, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 1<<53 + 2, 1 << 62, 123456789012345678, 1e17, 1e18} {
		trips = append(trips, there(t, mod, "any", f), there(t, mod, "any", float32(max(-math.MaxFloat32, min(f, math.MaxFloat32)))))
	}
	each(t, func(t *testing.T, db *pipectx.DB) { travel(t, db, trips...) })
}

// FuzzRoundTrip holds, for scalars of any value, that Go → Lua → Go is the
// identity, on a real server and on the embedded one; and that what has no
// exact form in Lua is refused, and never rounded.
func FuzzRoundTrip(f *testing.F) {
	for _, n := range []int64{0, 1, -1, 1 << 53, 1<<53 + 1, -1 << 53, -1<<53 - 1, math.MaxInt64, math.MinInt64, 1721480123456789} {
		f.Add(n, math.Float64bits(float64(n)/3), fmt.Sprint(n))
	}
	f.Add(int64(7), math.Float64bits(math.Copysign(0, -1)), "")
	f.Add(int64(7), uint64(1), "\x00\xff\r\n\"\\")
	f.Add(int64(-3), math.Float64bits(math.MaxFloat64), "1e5")
	f.Add(int64(7), math.Float64bits(math.NaN()), "false")
	mod := load(f, "echo", echo)
	dbs := []*pipectx.DB{embedded(f), newDB(f, redistest.Server(f))}
	f.Fuzz(func(t *testing.T, n int64, bits uint64, s string) {
		float := math.Float64frombits(bits)
		for _, db := range dbs {
			travel(t, db,
				there(t, mod, "any", s), there(t, mod, "any", []byte(s)), there(t, mod, "any", &s), there(t, mod, "any", n > 0),
				there(t, mod, "any", lua.Exact(n)), there(t, mod, "exact", n), there(t, mod, "exact", uint64(n)), there(t, mod, "maybe_exact", &n),
				there(t, mod, "any", int32(n)), there(t, mod, "any", uint16(n)), there(t, mod, "any", field.Some(int8(n))))
			small := -1<<53 <= n && n <= 1<<53
			guarded(t, db, there(t, mod, "any", n), small)
			guarded(t, db, there(t, mod, "any", uint64(n)), small && n >= 0)
			guarded(t, db, there(t, mod, "any", time.Duration(n)), small)
			guarded(t, db, there(t, mod, "any", time.UnixMicro(n)), small)
			guarded(t, db, there(t, mod, "any", float), !math.IsNaN(float) && !math.IsInf(float, 0))
			single := math.Float32frombits(uint32(bits))
			guarded(t, db, there(t, mod, "any", single), single-single == 0)
		}
	})
}

// guarded travels if the value is fine, else it has to be refused.
func guarded(t testing.TB, db *pipectx.DB, trip *trip, fine bool) {
	t.Helper()
	if fine {
		travel(t, db, trip)
		return
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		trip.start(ctx, db)
		return nil
	})
	says(t, trip.what, err, "lua: echo.any: argument x: ")
}

// What Lua sees: the type and value of each kind of argument.
func TestArgumentsInLua(t *testing.T) {
	mod := load(t, "echo", echo)
	each(t, func(t *testing.T, db *pipectx.DB) {
		tests := []struct {
			got  *pipectx.Ref[string]
			want string
		}{
			{kind(t, db, mod, 5), "number 5"},
			{kind(t, db, mod, "5"), "string 5"},
			{kind(t, db, mod, lua.Exact(5)), "string 5"},
			{kind(t, db, mod, 5.5), "number 5.5"},
			{kind(t, db, mod, true), "boolean true"},
			{kind(t, db, mod, false), "boolean false"},
			{kind(t, db, mod, new(false)), "boolean false"},
			{kind(t, db, mod, (*bool)(nil)), "nil nil"},
			{kind(t, db, mod, (*string)(nil)), "nil nil"},
			{kind(t, db, mod, new("")), "string "},
			{kind(t, db, mod, time.Unix(5, 0)), "number 5000000"},
			{kind(t, db, mod, []byte("b")), "string b"},
			{kind(t, db, mod, uuid.Nil), "string 00000000-0000-0000-0000-000000000000"},
			{kind(t, db, mod, map[string]int(nil)), "nil nil"},
			{kind(t, db, mod, (*[]int)(nil)), "nil nil"},
			{encoded(t, db, mod, []string{"a", "b"}), `["a","b"]`},
			{encoded(t, db, mod, noTags{1, "x"}), `{"A":1,"B":"x"}`},
			{encoded(t, db, mod, map[string]any{"a": nil, "b": map[string]any{"c": nil, "d": 1}}), `{"b":{"d":1}}`},
			{encoded(t, db, mod, map[string]string{"a": "null"}), `{"a":"null"}`},
			{encoded(t, db, mod, &noTags{1, "x"}), `{"A":1,"B":"x"}`},
		}
		for _, test := range tests {
			got, err := test.got.Result()
			if err == nil && test.want[0] == '{' { // the order of members is the server's
				got = sortedMembers(got)
			}
			if err != nil || got != test.want {
				t.Errorf("%s, %v, want %s", got, err, test.want)
			}
		}
	})
}

func kind[T any](t testing.TB, db *pipectx.DB, mod *lua.Mod, value T) *pipectx.Ref[string] {
	return bind[T, string](t, mod, "kind").On(db).Call(t.Context(), value)
}

func encoded[T any](t testing.TB, db *pipectx.DB, mod *lua.Mod, value T) *pipectx.Ref[string] {
	return bind[T, string](t, mod, "json").On(db).Call(t.Context(), value)
}

// sortedMembers sorts the members of a flat JSON object.
func sortedMembers(object string) string {
	members := strings.Split(strings.Trim(object, "{}"), ",")
	if strings.Contains(object[1:], "{") {
		return object
	}
	slices.Sort(members)
	return "{" + strings.Join(members, ",") + "}"
}

// Results of every shape: lists, long ones, tables with fields, statuses.
func TestResults(t *testing.T) {
	mod := load(t, "m", `local M = {}
function M.list(n) local t = {} for i = 1, n do t[i] = i end return t end
function M.strings() return {"a", "", "c\0d"} end
function M.floats() return {0.1, -0.5, 1e300} end
function M.bools() return {true, false} end
function M.members(key) redis.call("SADD", key, "x") return redis.call("SMEMBERS", key) end
function M.table() return {src = 1, dst = 2, ratio = 0.1, ok = false, note = "n", more = {}} end
function M.status(key) return redis.call("SET", key, "v") end
function M.missing(key) return redis.call("HGET", key, "none") end
function M.several() return 1, 2, 3 end
return M`)
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		for _, n := range []int{0, 1, 5000, 20_000} { // more than unpack takes
			got, err := bind[int, []int](t, mod, "list").On(db).Call(ctx, n).Result()
			if err != nil || got == nil || len(got) != n || n > 0 && got[n-1] != n {
				t.Errorf("a list of %d: %d, %v", n, len(got), err)
			}
		}
		list(t, "strings", bind[struct{}, []string](t, mod, "strings").On(db).Call(ctx, struct{}{}), "a", "", "c\x00d")
		list(t, "floats", bind[struct{}, []float64](t, mod, "floats").On(db).Call(ctx, struct{}{}), 0.1, -0.5, 1e300)
		list(t, "bools", bind[struct{}, []bool](t, mod, "bools").On(db).Call(ctx, struct{}{}), true, false)
		list(t, "members", bind[listKey, []string](t, mod, "members").On(db).Call(ctx, listKey{"set"}), "x")
		got, err := bind[struct{}, summary](t, mod, "table").On(db).Call(ctx, struct{}{}).Result()
		if err != nil || got.Src != 1 || got.Ratio != 0.1 || got.OK || got.Note == nil || *got.Note != "n" {
			t.Errorf("table: %v, %v", got, err)
		}
		want(t, "status", bind[listKey, string](t, mod, "status").On(db).Call(ctx, listKey{"k"}), "OK")
		want(t, "nobody wants it", bind[listKey, struct{}](t, mod, "status").On(db).Call(ctx, listKey{"k"}), struct{}{})
		want(t, "missing", bind[listKey, *string](t, mod, "missing").On(db).Call(ctx, listKey{"none"}), nil)
		want(t, "the first of several", bind[struct{}, int](t, mod, "several").On(db).Call(ctx, struct{}{}), 1)
	})
}

func list[T comparable](t testing.TB, what string, ref *pipectx.Ref[[]T], items ...T) {
	t.Helper()
	if got, err := ref.Result(); err != nil || !slices.Equal(got, items) {
		t.Errorf("%s: %v, %v, want %v", what, got, err, items)
	}
}

// Keys are text: no number's form is guarded, and they reach the server as they
// are.
func TestKeys(t *testing.T) {
	mod := lua.Module("M", lua.Func("f", "a, b", `return a .. " " .. b .. " " .. #KEYS .. " " .. #ARGV`))
	type keys struct {
		A string `lua:"a,key"`
		B int64  `lua:"b,key"`
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		want(t, "keys", bind[keys, string](t, mod, "f").On(db).Call(t.Context(), keys{"a b", 1<<53 + 1}), "a b 9007199254740993 2 0")
	})
}

// A wireRow is what a golden file holds of a verb.
type wireRow struct {
	verb, about string
	play        func(ctx context.Context, db *pipectx.DB) error
}

// wireRows are played in order: the server knows at the end what it was told at
// the beginning, until it forgets.
func wireRows(t *testing.T, forget func()) []wireRow {
	t.Helper()
	move := bind[moveArgs, int64](t, load(t, "m", signatures), "move")
	args := moveArgs{"{k}1", "{k}2", 5}
	appending := lua.Must(lua.BindReceiver[string, string](source(t, "function M:append(s) self.value = self.value .. s return self.value end"), "append", opener(new([]string))))
	read := bind[string, int](t, source(t, "\n--- @readonly\n--- @key k\nfunction M.read(k) return tonumber(redis.call('GET', k)) end"), "read")
	preloaded := bind[string, int](t, load(t, "wire", "local M = {}\n--- @key k\nfunction M.incr(k) return redis.call('INCR', k) end\nreturn M"), "incr")
	return []wireRow{
		{"Call", "the first time", func(ctx context.Context, db *pipectx.DB) error { return move.On(db).Call(ctx, args).Err() }},
		{"Call", "a known script", func(ctx context.Context, db *pipectx.DB) error { return move.On(db).Call(ctx, args).Err() }},
		{"CallOn", "the first time", func(ctx context.Context, db *pipectx.DB) error {
			return appending.On(db).CallOn(ctx, "{k}3", "x").Err()
		}},
		{"CallOn", "a known script", func(ctx context.Context, db *pipectx.DB) error {
			return appending.On(db).CallOn(ctx, "{k}3", "x").Err()
		}},
		{"Call", "with CallOn in one Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				move.On(db).Call(ctx, args)
				appending.On(db).CallOn(ctx, "{k}3", "x")
				return nil
			})
		}},
		{"Raw", "a known script", func(ctx context.Context, db *pipectx.DB) error {
			return move.On(db).Raw(ctx, []string{"{k}1", "{k}2"}, 5).Err()
		}},
		{"Run", "the first time", func(ctx context.Context, db *pipectx.DB) error {
			return lua.Run[int](ctx, db, "-- text\n%key a\nreturn redis.call('INCR', a)", lua.Args{"a": "{k}1"}).Err()
		}},
		{"Run", "a known text", func(ctx context.Context, db *pipectx.DB) error {
			return lua.Run[int](ctx, db, "-- text\n%key a\nreturn redis.call('INCR', a)", lua.Args{"a": "{k}1"}).Err()
		}},
		{"Call", "what is annotated @readonly", func(ctx context.Context, db *pipectx.DB) error {
			return read.On(db).Call(ctx, "{k}1").Err()
		}},
		{"Call", "what is annotated @readonly, known", func(ctx context.Context, db *pipectx.DB) error {
			return read.On(db).Call(ctx, "{k}1").Err()
		}},
		{"Preload", "one script", func(ctx context.Context, db *pipectx.DB) error {
			n, err := lua.Preload(ctx, db, "wire.")
			if err == nil && n != 1 {
				err = fmt.Errorf("it loaded %d", n)
			}
			return err
		}},
		{"Call", "a script that was loaded ahead", func(ctx context.Context, db *pipectx.DB) error {
			return preloaded.On(db).Call(ctx, "{k}1").Err()
		}},
		{"Call", "a script that the server has forgotten", func(ctx context.Context, db *pipectx.DB) error {
			forget()
			return move.On(db).Call(ctx, args).Err()
		}},
		{"Call", "what has no form in Lua", func(ctx context.Context, db *pipectx.DB) error {
			_ = move.On(db).Call(ctx, moveArgs{"{k}1", "{k}2", 1<<53 + 1}).Err()
			return nil
		}},
	}
}

// What a verb sends is what its doc says it costs: one round trip a line.
func TestWire(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client, other := s.Client(t), s.Client(t)
		db, err := pipectx.New(client)
		if err != nil {
			t.Fatal(err)
		}
		sent := redistest.Record(client)
		var out strings.Builder
		for _, row := range wireRows(t, func() {
			if err := other.ScriptFlush(t.Context()).Err(); err != nil {
				t.Error(err)
			}
		}) {
			sent.Reset()
			if err := row.play(t.Context(), db); err != nil {
				t.Errorf("%s: %s: %v", row.verb, row.about, err)
			}
			fmt.Fprintf(&out, "# %s: %s\n%s", row.verb, row.about, sent)
		}
		golden.Equal(t, "testdata/wire/call.txt", out.String())
	})
}

// Every verb has a row in the wire table.
func TestEveryVerbHasItsWire(t *testing.T) {
	have := map[string]bool{}
	for _, row := range wireRows(t, nil) {
		have[row.verb] = true
	}
	on := reflect.TypeFor[lua.BoundEntry[moveArgs, int64]]()
	for m := range on.Methods() {
		if verb := m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context](); verb && !have[m.Name] {
			t.Errorf("%v: %s has no row in the wire table", on, m.Name)
		}
	}
}
