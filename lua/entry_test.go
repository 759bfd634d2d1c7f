package lua_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// signatures is a module to bind in right and in wrong ways.
const signatures = `local M = {}
function M.plain(a, b) return a end
function M.none() return 1 end
function M._private() end
--- @key src
--- @key dst
--- @arg n int
--- @return int
function M.move(src, dst, n) return redis.call("INCRBY", src, n) end
--- @arg a int
--- @arg b string?
--- @arg c bool?
--- @return string?
function M.optional(a, b, c) return b end
--- @arg n int64
--- @return int64
function M.exact(n) return n end
--- @arg f float
--- @return float
function M.float(f) return f end
--- @arg at time
--- @return time
function M.at(at) return at end
--- @arg t json
--- @return json
function M.table(t) return t end
--- @arg n int
--- @return bool
function M.typed(n) return n > 0 end
function M.one(x) return x end
function M:method(a) return self == M and a end
return M`

type (
	ab struct {
		A int    `lua:"a"`
		B string `lua:"b"`
	}
	onlyA struct {
		A int `lua:"a"`
	}
	misspelt struct {
		A int    `lua:"a"`
		B string `lua:"bb"`
	}
	untagged struct {
		A int `lua:"a"`
		B string
	}
	otherKey struct {
		A int    `lua:"a"`
		B string `Lua:"b"`
	}
	noTags struct {
		A int
		B string
	}
	leftOut struct {
		A    int    `lua:"a"`
		B    string `lua:"b"`
		Note string `lua:"-"`
		own  int    //nolint:unused // it is there to be passed over
	}
	badOption struct {
		A int    `lua:"a,optional"`
		B string `lua:"b"`
	}
	twice struct {
		A int    `lua:"a"`
		B string `lua:"a"`
	}
	moveArgs struct {
		Src string `lua:"src,key"`
		Dst string `lua:"dst,key"`
		N   int    `lua:"n"`
	}
	moveNoKey struct {
		Src string `lua:"src,key"`
		Dst string `lua:"dst"`
		N   int    `lua:"n"`
	}
	moveKeyTooMany struct {
		Src string `lua:"src,key"`
		Dst string `lua:"dst,key"`
		N   int    `lua:"n,key"`
	}
	moveText struct {
		Src string `lua:"src,key"`
		Dst string `lua:"dst,key"`
		N   string `lua:"n"`
	}
	moveOptionalKey struct {
		Src *string `lua:"src,key"`
		Dst string  `lua:"dst,key"`
		N   int     `lua:"n"`
	}
	function struct {
		A func() `lua:"a"`
		B string `lua:"b"`
	}
	resultErr struct {
		Err string `lua:"err"`
	}
	resultKey struct {
		A string `lua:"a,key"`
	}
	resultNested struct {
		A []int `lua:"a"`
	}
)

func try[In, Out any](function string) func(*lua.Mod) error {
	return func(mod *lua.Mod) error {
		_, err := lua.TryBind[In, Out](mod, function)
		return err
	}
}

// Ensure that Go and Lua agree at start-up, or the error says what does not,
// where, and what to do.
func TestBindRefusals(t *testing.T) {
	mod := load(t, "m", signatures)
	tests := []struct {
		reason string
		bind   func(*lua.Mod) error
		says   []string // nil: it is fine
	}{
		{"a struct for two parameters", try[ab, int]("plain"), nil},
		{"a field that is left out", try[leftOut, int]("plain"), nil},
		{"no parameters", try[struct{}, int]("none"), nil},
		{"keys", try[moveArgs, int64]("move"), nil},
		{"optional parameters without a field", try[int, *string]("optional"), []string{"lua: m.lua:14:1: m.optional: it takes 3 arguments (a, b, c), and Go's int is one value"}},
		{"optional parameters left out", try[onlyA, *string]("optional"), nil},
		{"an integer as float", try[int, float64]("float"), nil},
		{"a map as table", try[map[string]int, ab]("table"), nil},
		{"a struct as table", try[noTags, []string]("table"), nil},
		{"a method of the module", try[string, string]("method"), nil},

		{"no such function", try[ab, int]("plane"), []string{`lua: module m (m.lua) has no function "plane"`, "did you mean plain?"}},
		{"nothing like it", try[ab, int]("zzzzzz"), []string{"it has at, exact, float, method, move"}},
		{"a private function", try[struct{}, int]("_private"), []string{"lua: m.lua:4:1: m._private is private", "rename it"}},
		{"a parameter without a field", try[onlyA, int]("plain"), []string{"lua: m.lua:2:1: m.plain: parameter b gets no value", "add a field tagged `lua:\"b\"`", "--- @arg b type?"}},
		{"a field without a parameter", try[misspelt, int]("plain"), []string{`field B of lua_test.misspelt is for a parameter "bb", which the function has not`, "it takes 2 arguments (a, b)"}},
		{"a field without a tag", try[untagged, int]("plain"), []string{"field B of lua_test.untagged has no lua tag", "`lua:\"-\"`"}},
		{"a tag misspelt", try[otherKey, int]("plain"), []string{"field B of lua_test.otherKey has no lua tag"}},
		{"no tags, two parameters", try[noTags, int]("plain"), []string{"it takes 2 arguments (a, b), and Go's lua_test.noTags is one value", "tagged `lua:\"name\"`"}},
		{"no tags, one parameter", try[noTags, int]("one"), []string{"parameter x gets a table from Go's lua_test.noTags", "tag the fields", "--- @arg x json"}},
		{"a pointer to a struct", try[*onlyA, int]("one"), []string{"parameter x gets a table from Go's lua_test.onlyA"}},
		{"a struct for no parameters", try[onlyA, int]("none"), []string{`a parameter "a", which the function has not`, "it takes no arguments"}},
		{"a value for no parameters", try[int, int]("none"), []string{"it takes no arguments, and Go's int is one value"}},
		{"no value for two parameters", try[struct{}, int]("plain"), []string{"parameter a gets no value from Go's struct {}"}},
		{"an unknown option", try[badOption, int]("plain"), []string{`the lua tag has no option "optional"`, "the only one is key"}},
		{"two fields for one parameter", try[twice, int]("plain"), []string{`two fields of lua_test.twice are tagged "a"`, "rename"}},
		{"an annotated key that is none", try[moveNoKey, int]("move"), []string{"lua: m.lua:6:1: m.move: parameter dst is a key, and Go's field Dst is not", "tag it `lua:\"dst,key\"`"}},
		{"a key that is annotated as an argument", try[moveKeyTooMany, int]("move"), []string{"lua: m.lua:7:1: m.move: parameter n is annotated @arg", "annotate it @key"}},
		{"a key that may be absent", try[moveOptionalKey, int]("move"), []string{"m.lua:5:1", "parameter src is a key, and Go's *string cannot be one", "use a string"}},
		{"an argument of another type", try[moveText, int]("move"), []string{"lua: m.lua:7:1: m.move: parameter n is annotated int, and Go's string is string in Lua", "change one of them"}},
		{"an argument that may be nil", try[*int64, int64]("exact"), []string{"lua: m.lua:15:1: m.exact: parameter n is annotated int64, which is never nil, and Go's *int64 may be", "annotate it int64?"}},
		{"an exact integer as number", try[lua.Exact, bool]("typed"), []string{"annotated int, and Go's lua.Exact is int64 in Lua"}},
		{"a type without a form", try[function, int]("plain"), []string{"parameter a cannot be Go's func()"}},
		{"any, which is free-form", try[any, int]("one"), nil},
		{"a result of another type", try[int, string]("typed"), []string{"lua: m.lua:28:1: m.typed: its result is annotated bool, and Go's string is string in Lua"}},
		{"a result that may be nil", try[onlyA, string]("optional"), nil}, // refused when it is nil
		{"a table result for a scalar", try[int, ab]("typed"), []string{"m.lua:28:1", "its result is annotated bool, and Go's lua_test.ab is a table with fields", "annotate it json"}},
		{"a list result for a scalar", try[int, []int]("typed"), []string{"its result is annotated bool, and Go's []int is a list"}},
		{"a map as result", try[int, map[string]int]("one"), nil},
		{"a struct without tags as result", try[int, noTags]("one"), []string{"its result cannot be Go's lua_test.noTags", "tagged `lua:\"name\"`"}},
		{"a field of a result without a tag", try[int, untagged]("one"), []string{"field B of lua_test.untagged has no lua tag"}},
		{"a list of what may be null", try[int, []*int]("one"), nil},
		{"a list of lists", try[int, [][]int]("one"), nil},
		{"a struct without tags, annotated as free-form", try[any, noTags]("table"), nil},
		{"a result's field called err", try[int, resultErr]("one"), []string{"cannot be called err", "rename it"}},
		{"a result's key", try[int, resultKey]("one"), []string{"the result's field a is tagged as a key"}},
		{"a result's field that is a list", try[int, resultNested]("one"), []string{"the result's field a cannot be a []int", "scalars"}},
		{"a nil module", func(*lua.Mod) error { return try[int, int]("f")(nil) }, []string{"nil module"}},
		{"a receiver without a parameter", func(mod *lua.Mod) error {
			_, err := lua.BindReceiver[struct{}, int](mod, "none", &lua.Opener{Support: mod})
			return err
		}, []string{"takes the record as its first parameter", "write function M.none(self)"}},
		{"a key without a parameter", func(mod *lua.Mod) error {
			_, err := lua.BindReceiver[struct{}, int](mod, "none", &lua.Opener{})
			return err
		}, []string{"takes the key as its first parameter", "write function M.none(key)"}},
	}
	for _, test := range tests {
		switch err := test.bind(mod); {
		case test.says != nil:
			says(t, test.reason, err, test.says...)
		case err != nil:
			t.Errorf("%s: %v", test.reason, err)
		}
	}
}

// Arguments go by name, keys by KEYS, and what is not given is nil.
func TestCall(t *testing.T) {
	mod := load(t, "m", signatures)
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		want(t, "move", bind[moveArgs, int64](t, mod, "move").On(db).Call(ctx, moveArgs{"{k}1", "{k}2", 5}), 5)
		want(t, "the key", pipectx.Do[int64](ctx, db, "GET", "{k}1"), 5)
		want(t, "method", bind[string, string](t, mod, "method").On(db).Call(ctx, "x"), "x")
		type all struct {
			A int     `lua:"a"`
			C *bool   `lua:"c"`
			B *string `lua:"b"`
		}
		if got, err := bind[all, *string](t, mod, "optional").On(db).Call(ctx, all{A: 1, B: new("x")}).Result(); err != nil || *got != "x" {
			t.Errorf("optional: %v, %v", got, err)
		}
		if got, err := bind[onlyA, *string](t, mod, "optional").On(db).Call(ctx, onlyA{1}).Result(); err != nil || got != nil {
			t.Errorf("optional, left out: %v, %v", got, err)
		}
		err := bind[onlyA, string](t, mod, "optional").On(db).Call(ctx, onlyA{1}).Err()
		says(t, "a nil that is not expected", err, "TYPE the result of m.optional is nil, not a string")
	})
}

// In a Run, a function that fails is its own Ref's *Error and part of Run's;
// the calls beside it have run.
func TestCallInRun(t *testing.T) {
	mod := lua.Module("R", lua.Func("pass", "key", `return redis.call("INCR", key)`), lua.Func("refuse", "key", `fail("NO", "not today")`))
	type onKey struct {
		Key string `lua:"key,key"`
	}
	pass, refuse := lua.Bind[onKey, int64](mod, "pass"), lua.Bind[onKey, int64](mod, "refuse")
	each(t, func(t *testing.T, db *pipectx.DB) {
		var before, failed, after *pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			before = pass.On(db).Call(ctx, onKey{"{r}n"})
			failed = refuse.On(db).Call(ctx, onKey{"{r}n"})
			after = pass.On(db).Call(ctx, onKey{"{r}n"})
			return nil
		})
		for what, err := range map[string]error{"Run": err, "the Ref": failed.Err()} {
			var refused *lua.Error
			if !errors.As(err, &refused) || refused.Code != "NO" || refused.Message != "not today" {
				t.Errorf("%s answers %v, want the refusal", what, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "R.refuse {r}n") {
			t.Errorf("Run answers %v, want the function and its key named", err)
		}
		want(t, "before", before, 1)
		want(t, "after", after, 2)
	})
}

// A call costs what its doc says: one command, and one round trip of its own
// only outside of Run. The body goes along once.
func TestCallCosts(t *testing.T) {
	s := redistest.Server(t)
	client := s.Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	record := redistest.Record(client)
	move := bind[moveArgs, int64](t, load(t, "m", signatures), "move").On(db)
	args := moveArgs{"{k}1", "{k}2", 5}
	move.Call(t.Context(), args)
	move.Call(t.Context(), args)
	var pending *pipectx.Ref[int64]
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		pending = move.Call(ctx, args)
		args.N = 1000 // it has been taken already
		if err := pending.Err(); !errors.Is(err, pipectx.ErrPending) {
			t.Errorf("in Run: %v, want ErrPending", err)
		}
		move.Call(ctx, moveArgs{"{k}1", "{k}2", 1})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	want(t, "the third call", pending, 15)
	const lines = "EVAL <m.move> 2 {k}1 {k}2 5\n" +
		"EVALSHA <m.move> 2 {k}1 {k}2 5\n" +
		"EVALSHA <m.move> 2 {k}1 {k}2 5 | EVALSHA <m.move> 2 {k}1 {k}2 1\n"
	if got := record.String(); got != lines {
		t.Errorf("sent\n%s\nwant\n%s", got, lines)
	}
}

// An argument without an exact form in Lua is refused before anything is sent.
func TestArgumentsAreRefusedBeforeTheWire(t *testing.T) {
	s := redistest.Embedded(t)
	client := s.Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	record := redistest.Record(client)
	mod := load(t, "m", signatures)
	tests := []struct {
		call func(testing.TB, *pipectx.DB, *lua.Mod) error
		says []string
	}{
		{one(int64(1<<53 + 1)), []string{"lua: m.one: argument x: 9007199254740993 is beyond 2^53", "annotate it int64", "lua.Exact"}},
		{one(int64(-1<<53 - 1)), []string{"-9007199254740993 is beyond 2^53"}},
		{one(uint64(1<<64 - 1)), []string{"18446744073709551615 is beyond 2^53"}},
		{one(math.Inf(1)), []string{"argument x: ", "NaN and infinities"}},
		{one(time.Time{}), []string{"between the years 1684 and 2255", "use a pointer"}},
		{one(map[string]any{"a": []any{map[string]any{"id": int64(1<<53 + 1)}}}), []string{"argument x: 9007199254740993, in its JSON, is beyond 2^53", "make it a string"}},
		{one(map[string]any{"a": func() {}}), []string{"argument x: "}},
	}
	for _, test := range tests {
		says(t, test.says[0], test.call(t, db, mod), test.says...)
	}
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		pipectx.Do[string](ctx, db, "SET", "k", "v")
		bind[int64, int64](t, mod, "one").On(db).Call(ctx, 1<<60)
		return nil
	})
	says(t, "in Run", err, "lua: m.one: argument x: 1152921504606846976 is beyond 2^53")
	if record.Commands() != 0 {
		t.Errorf("sent\n%s", record)
	}
	for _, fine := range []func(testing.TB, *pipectx.DB, *lua.Mod) error{
		one(int64(1 << 53)), one(int64(-1 << 53)), one(map[string]any{"a": "9007199254740993", "b\"\\": 1.5e300, "c": -1 << 53}),
	} {
		if err := fine(t, db, mod); err != nil {
			t.Error(err)
		}
	}
}

// Keys of two slots of a Cluster are refused before anything is sent, both
// named: here there is no Cluster to send to.
func TestKeysOfTwoSlots(t *testing.T) {
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer client.Close()
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	move := bind[moveArgs, int64](t, load(t, "m", signatures), "move").On(db)
	err = move.Call(t.Context(), moveArgs{"{a}1", "{b}2", 5}).Err()
	if _, ok := errors.AsType[*pipectx.CrossSlotError](err); !ok {
		t.Errorf("the error is %v", err)
	}
	says(t, "two slots", err, "m.move", `"{a}1"`, `"{b}2"`)
}

// one calls the function one with an argument.
func one[In any](in In) func(testing.TB, *pipectx.DB, *lua.Mod) error {
	return func(t testing.TB, db *pipectx.DB, mod *lua.Mod) error {
		return bind[In, struct{}](t, mod, "one").On(db).Call(t.Context(), in).Err()
	}
}

// A result that is not what was declared is an error that names it, and never a
// value cut to fit.
func TestResultsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, db *pipectx.DB) {
		tests := []struct {
			body string
			call func(testing.TB, *pipectx.DB, *lua.Mod) error
			says string
		}{
			{"return 1.5", result[int], "TYPE the result of M.f is 1.5, not an int"},
			{"return 2^53 + 2", result[int], "TYPE the result of M.f is 9007199254740994, not an int"},
			{"return -2^53 - 2", result[int], "not an int"},
			{"return 0/0", result[int], "not an int"},
			{"return math.huge", result[int], "not an int"},
			{"return '5'", result[int], "is string, not an int"},
			{"return nil", result[int], "is nil, not an int"},
			{"return", result[int], "is nil, not an int"},
			{"return false", result[int], "is false, not an int"},
			{"return {}", result[int], "is table, not an int"},
			{"return 300", result[int8], "the result of M.f: field: \"300\" is not an int8: out of range"},
			{"return 5", result[string], "is 5, not a string"},
			{"return true", result[string], "is true, not a string"},
			{"--- @undeclared\nreturn redis.call('GET', 'none')", result[string], "is false, not a string"},
			{"return 1", result[bool], "is 1, not a bool"},
			{"return nil", result[bool], "is nil, not a bool"},
			{"return 'x'", result[float64], "is string, not a float"},
			{"return 0/0", result[float64], "the result of M.f: field: "},
			{"return 1/0", result[float64], "the result of M.f: field: "},
			{"return '1x'", result[lua.Exact], "is string, not an int64"},
			{"return '9223372036854775808'", result[lua.Exact], "the result of M.f: field: "},
			{"return 1.5", result[time.Time], "is 1.5, not a time"},
			{"return 'x'", result[[]int], "is string, not a table"},
			{"return {1, 'x'}", result[[]int], "an element of the result of M.f is string, not an int"},
			{"return {a = 1, b = 2}", result[[]int], "the result of M.f has other keys than 1 to 0, which a list has not"},
			{"return {1, 2, n = 2}", result[[]int], "has other keys than 1 to 2"},
			{"return {1, 2, [0] = 0}", result[[]int], "has other keys than 1 to 2"},
			{"return {[1] = 1, [3] = 3}", result[[]int], "TYPE"},
			{"return type", result[any], "TYPE the result of M.f has a function, which is no reply"},
			{"return {1, {coroutine.create(function() end)}}", result[any], "has a thread, which is no reply"},
			{"local t = {} t[1] = t return t", result[any], "has tables in more than 60 levels"},
			{"return 'x'", result[ab], "is string, not a table"},
			{"return {a = 'x', b = 'x'}", result[ab], "the field a of the result of M.f is string, not an int"},
			{"return {a = 1}", result[ab], "the field b of the result of M.f is nil, not a string"},
		}
		for _, test := range tests {
			mod := lua.Module("M", lua.Func("f", "", test.body))
			says(t, test.body, test.call(t, db, mod), test.says)
		}
	})
}

// A reply that is taken as it is has what the table itself has, whatever its
// metatable says, and as many levels as a reply may have.
func TestRawResults(t *testing.T) {
	endless := source(t, "function M.f() return {'a', setmetatable({'b'}, {__index = function() return 'more' end})} end")
	deep := source(t, "function M.f() local v = 'x' for i = 1, 60 do v = {v} end return v end")
	each(t, func(t *testing.T, db *pipectx.DB) {
		got, err := bind[struct{}, any](t, endless, "f").On(db).Call(t.Context(), struct{}{}).Result()
		if err != nil || !same(got, []any{"a", []any{"b"}}) {
			t.Errorf("a hostile table came as %v, %v", got, err)
		}
		got, err = bind[struct{}, any](t, deep, "f").On(db).Call(t.Context(), struct{}{}).Result()
		for range 60 {
			list, _ := got.([]any)
			if len(list) != 1 {
				t.Fatalf("it is %v, %v", got, err)
			}
			got = list[0]
		}
		if got != "x" {
			t.Errorf("60 levels down is %v", got)
		}
	})
}

// result calls the function f for a result.
func result[Out any](t testing.TB, db *pipectx.DB, mod *lua.Mod) error {
	return bind[struct{}, Out](t, mod, "f").On(db).Call(t.Context(), struct{}{}).Err()
}
