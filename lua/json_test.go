package lua_test

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A document is free-form: it has all that a JSON may have.
type document struct {
	Name   string            `json:"name"`
	N      int64             `json:"n"`
	Exact  int64             `json:"exact,string"`
	F      float64           `json:"f"`
	OK     bool              `json:"ok"`
	Tags   []string          `json:"tags"`
	Labels map[string]string `json:"labels"`
	Lists  [][]int           `json:"lists"`
	Parts  []document        `json:"parts"`
	Of     map[string][]int  `json:"of"`
	Next   *document         `json:"next,omitempty"`
	Any    any               `json:"any"`
	Pair   [2]float64        `json:"pair"`
	embeddedPart
}

type embeddedPart struct {
	Inner []string `json:"inner"`
}

const freeForm = `local M = {}
--- @arg x json
--- @return json
function M.back(x) return x end
--- @arg x json?
--- @return json?
function M.maybe(x) return x end
--- @return json
function M.nothing() return nil end
--- @return json?
function M.perhaps() return nil end
return M`

// A free-form value comes back from Lua as it was: numbers to the last bit, an
// empty list as a list and an empty map as a map, wherever Go's type tells them
// apart.
func TestFreeForm(t *testing.T) {
	mod := load(t, "m", freeForm)
	full := document{
		Name: "a \"quoted\" {} [] \\ \u2028 ü\n", N: 1 << 53, Exact: math.MaxInt64, F: 0.1 + 0.2, OK: true,
		Tags: []string{}, Labels: map[string]string{"{}": "{}"}, Lists: [][]int{{}, {1, 2}, {}},
		Parts: []document{{Tags: []string{"x"}, Labels: map[string]string{}, Parts: []document{}, Of: map[string][]int{"a": {}, "b": {1}}}},
		Of:    map[string][]int{}, Next: &document{Name: "next", Tags: []string{}, N: -1 << 53, F: math.MaxFloat64},
		Any: map[string]any{"list": []any{1.5, "s", true}, "deep": map[string]any{"n": 1e300}}, Pair: [2]float64{math.SmallestNonzeroFloat64, -0.5},
		embeddedPart: embeddedPart{Inner: []string{}},
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		travel(t, db,
			freeTrip(t, mod, full), freeTrip(t, mod, &full), freeTrip(t, mod, document{}),
			freeTrip(t, mod, map[string]any{}), freeTrip(t, mod, map[string]map[string]int{"a": {}, "b": {"c": 1}}),
			freeTrip(t, mod, [][]int{}), freeTrip(t, mod, [][]int{{}}), freeTrip(t, mod, []map[string]int{{}, {"a": 1}}),
			freeTrip(t, mod, any("text")), freeTrip(t, mod, any(true)), freeTrip(t, mod, any(1e15)), freeTrip(t, mod, any(nil)),
			freeTrip(t, mod, any([]any{"a", []any{1.0}})), freeTrip(t, mod, json.RawMessage(`{"a":[1,2,"x"]}`)))
		ctx := t.Context()
		if got, err := bind[struct{}, map[string]int](t, mod, "nothing").On(db).Call(ctx, struct{}{}).Result(); err != nil || got != nil {
			t.Errorf("nil for a map: %v, %v", got, err)
		}
		if got, err := bind[struct{}, *document](t, mod, "perhaps").On(db).Call(ctx, struct{}{}).Result(); err != nil || got != nil {
			t.Errorf("nil for a pointer: %v, %v", got, err)
		}
		if got, err := bind[struct{}, any](t, mod, "nothing").On(db).Call(ctx, struct{}{}).Result(); err != nil || got != nil {
			t.Errorf("nil for an any: %v, %v", got, err)
		}
	})
}

// freeTrip is the trip of a free-form value, compared as a JSON: nil slices and
// maps are null on the way.
func freeTrip[T any](t testing.TB, mod *lua.Mod, value T) *trip {
	t.Helper()
	name := "back"
	if reflect.TypeFor[T]().Kind() == reflect.Pointer {
		name = "maybe"
	}
	entry := bind[T, T](t, mod, name)
	var ref *pipectx.Ref[T]
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return &trip{string(want),
		func(ctx context.Context, db *pipectx.DB) { ref = entry.On(db).Call(ctx, value) },
		func(t testing.TB) {
			t.Helper()
			got, err := ref.Result()
			if text, _ := json.Marshal(got); err != nil || string(text) != string(want) {
				t.Errorf("%T %s came back as %s, %v", value, want, text, err)
			}
		}}
}

// What has no exact JSON is an error, from Lua to Go and from Go to Lua.
func TestFreeFormLimits(t *testing.T) {
	tests := []struct{ body, says string }{
		{"return {0/0}", "TYPE the result of M.f has NaN or an infinity, for which there is no JSON"},
		{"return {a = -1/0}", "NaN or an infinity"},
		{"return {1, nil, 3}", "a list with holes"},
		{"return {[10] = 1}", "a list with holes"},
		{"return {1, nil, 3, [0] = 0}", "a list with holes"},
		{"return {1, nil, 3, [0.5] = 0}", "a list with holes"},
		{"return {1, a = 2}", "a list and a map"},
		{"return {a = 2, 1}", "a list and a map"},
		{"return {[true] = 1}", "a boolean for a key"},
		{"return {print_ = tostring}", "has a function"},
		{"local t = {} t.t = t return t", "more than 100 levels"},
		{"return setmetatable({}, {__index = function() error('hostile') end})", ""},
		{"return {n = 2^53 + 2}", "cannot unmarshal number"},
		{"return {n = 0.5}", "cannot unmarshal number"},
		{"return {n = 'x'}", "cannot unmarshal string"},
	}
	type numbers struct {
		N int64 `json:"n"`
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		for _, test := range tests {
			mod := lua.Module("M", lua.Func("f", "", test.body))
			_, err := bind[struct{}, map[string]int64](t, mod, "f").On(db).Call(t.Context(), struct{}{}).Result()
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v, want %q", test.body, err, test.says)
			}
		}
		mod := load(t, "m", freeForm)
		for _, value := range []any{numbers{1<<53 + 1}, map[string]uint64{"a": math.MaxUint64}, []any{int64(math.MinInt64)}, []any{json.Number("9007199254740993.0")}} {
			entry := bind[any, struct{}](t, mod, "back")
			says(t, reflect.TypeOf(value).String(), entry.On(db).Call(t.Context(), value).Err(), "beyond 2^53", "make it a string")
		}
		for _, f := range []float64{1 << 53, 1e18, -123456789012345680000, 1e21, 1e300, math.MaxFloat64} {
			got, err := bind[any, map[string]float64](t, mod, "back").On(db).Call(t.Context(), map[string]float64{"x": f}).Result()
			if err != nil || got["x"] != f {
				t.Errorf("the float %v comes back as %v, %v", f, got, err)
			}
		}
		says(t, "NaN", bind[any, struct{}](t, mod, "back").On(db).Call(t.Context(), math.NaN()).Err(), "lua: m.back: argument x")
	})
}
