package lua_test

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Every name that a type has passes its values by name, and they arrive as what
// they are.
func TestArgsByType(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	tests := []struct {
		names  string // of the type
		values []any
		lua    string // true where x is the value
	}{
		{"int integer", []any{7, int8(7), int64(7), uint8(7), uint64(7)}, "x == 7"},
		{"int", []any{1 << 53}, "x == 9007199254740992"},
		{"int64", []any{int64(math.MaxInt64), lua.Exact(math.MaxInt64)}, `x == "9223372036854775807"`},
		{"float number", []any{0.5, float32(0.5)}, "x == 0.5"},
		{"float number", []any{2, uint16(2)}, "x == 2"},
		{"str string", []any{"a b", []byte("a b"), named("a b")}, `x == "a b"`},
		{"", []any{"a b", []byte("a b")}, `x == "a b"`},
		{"string", []any{netip.MustParseAddr("::1")}, `x == "::1"`},
		{"bool boolean", []any{true}, "x == true"},
		{"bool boolean", []any{false}, "x == false"},
		{"time", []any{at}, "x == 1767323045000006"},
		{"list array json table", []any{[]int{1, 2}, [2]int{1, 2}, []any{1, 2}}, "x[1] == 1 and x[2] == 2 and #x == 2"},
		{"dict dictionary json", []any{map[string]any{"a": nil, "b": 1}, struct {
			B int `json:"b"`
		}{1}}, "x.b == 1 and x.a == nil"},
		{"list", []any{nil}, "x == nil"},
		{"int? float? bool? string? time? json?", []any{nil}, "x == nil"},
		{"bool?", []any{false}, "x == false"},
		{"str?", []any{""}, `x == ""`},
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, test := range tests {
			for _, name := range append(strings.Fields(test.names), "") {
				if (name == "") != (test.names == "") {
					continue
				}
				for _, value := range test.values {
					text := "%arg x " + name + "\n%return bool\nreturn " + test.lua
					want(t, text, lua.Run[bool](t.Context(), db, text, lua.Args{"x": value}), true)
				}
			}
		}
	})
}

// A result that is an any is what the annotation says, and without one the reply
// as it is.
func TestArgsResults(t *testing.T) {
	tests := []struct {
		returns, body string
		want          any
	}{
		{"int", "return 7", int64(7)},
		{"integer", "return 2^53", int64(1 << 53)},
		{"int64", "return '9223372036854775807'", int64(math.MaxInt64)},
		{"float", "return 7", 7.0},
		{"str", "return 'x'", "x"},
		{"bool", "return false", false},
		{"time", "return 1000000", time.Unix(1, 0).UTC()},
		{"list", "return {1, 'x', {}}", []any{1.0, "x", map[string]any{}}},
		{"dict", "return {a = {1}}", map[string]any{"a": []any{1.0}}},
		{"int?", "return nil", nil},
		{"int?", "return 0", int64(0)},
		{"str?", "return false", nil},
		{"json?", "return nil", nil},
		{"", "return 7.9", int64(7)},
		{"", "return {1, 'x', {false}}", []any{int64(1), "x", []any{nil}}},
		{"", "return nil", nil},
		{"", "return redis.status_reply('FINE')", "FINE"},
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, test := range tests {
			text := test.body
			if test.returns != "" {
				text = "%return " + test.returns + "\n" + text
			}
			got, err := lua.Run[any](t.Context(), db, text, nil).Result()
			if at, ok := got.(time.Time); ok {
				got = at.UTC()
			}
			if err != nil || !same(got, test.want) {
				t.Errorf("%s: %#v, %v, want %#v", text, got, err, test.want)
			}
		}
	})
}

// A name that is unknown, a key that is missing, an argument that is missing, or
// of another type, is an error before anything is sent.
func TestArgsRefusals(t *testing.T) {
	client := redistest.Server(t).Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	sent := redistest.Record(client)
	script := bind[lua.Args, any](t, parse(t, "%key item\n%key log\n%arg n int\n%arg note str?\nreturn n"), "main").On(db)
	all := func(change lua.Args) lua.Args {
		args := lua.Args{"item": "{a}1", "log": "{a}2", "n": 1}
		for name, value := range change {
			if args[name] = value; value == nil {
				delete(args, name)
			}
		}
		return args
	}
	tests := []struct {
		reason string
		args   lua.Args
		says   string
	}{
		{"an unknown name", all(lua.Args{"m": 1}), `lua: script takes no "m"; it takes item, log, n, note`},
		{"a missing key, told before a missing argument", all(lua.Args{"log": nil, "n": nil}), "lua: script: the key log is missing; it takes item, log, n, note"},
		{"a missing argument", all(lua.Args{"n": nil}), "lua: script: the argument n is missing"},
		{"a string for an int", all(lua.Args{"n": "1"}), "lua: script: argument n cannot be Go's string 1"},
		{"a float for an int", all(lua.Args{"n": 1.0}), "argument n cannot be Go's float64 1"},
		{"an int too large", all(lua.Args{"n": uint64(math.MaxUint64)}), "argument n is 18446744073709551615, beyond 64 bits"},
		{"an int beyond 2^53", all(lua.Args{"n": 1<<53 + 1}), "beyond 2^53"},
		{"an int for a string", all(lua.Args{"note": 1}), "argument note cannot be Go's int 1"},
		{"an int for a key", all(lua.Args{"item": 1}), "argument item cannot be Go's int 1"},
		{"text that cannot be made", all(lua.Args{"note": badText{}}), "argument note no text"},
	}
	for _, test := range tests {
		says(t, test.reason, script.Call(t.Context(), test.args).Err(), test.says)
	}
	says(t, "no annotated type", lua.Run[int](t.Context(), db, "%arg x y\nreturn 1", nil).Err(), `unknown type "y"`)
	says(t, "no Lua", lua.Run[int](t.Context(), db, "retrun 1", nil).Err(), "text.lua:1:8")
	says(t, "a script that takes nothing", lua.Run[int](t.Context(), db, "return 1", lua.Args{"x": 1}).Err(), `text takes no "x"; it takes nothing`)
	if sent.Commands() != 0 {
		t.Errorf("it was sent:\n%s", sent)
	}
	want(t, "all is well", script.Call(t.Context(), all(nil)), any(int64(1)))
}

type badText struct{}

func (badText) MarshalText() ([]byte, error) { return nil, errors.New("no text") }

// A text that is run in a pipeline queues like any call.
func TestRunInRun(t *testing.T) {
	db := embedded(t)
	var a, b *pipectx.Ref[int]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		a = lua.Run[int](ctx, db, "%key k\nreturn redis.call('INCR', k)", lua.Args{"k": "n"})
		b = lua.Run[int](ctx, db, "%key k\nreturn redis.call('INCR', k)", lua.Args{"k": "n"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the first", a, 1)
	want(t, "the second", b, 2)
}
