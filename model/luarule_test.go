package model_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// Ruled has a field of each kind of rule that Lua holds.
type Ruled struct {
	ID string                  `redis:"id,key"`
	A  string                  `redis:"a" validate:"required,max=3"`
	B  string                  `redis:"b" validate:"omitempty,min=2"`
	C  string                  `redis:"c" validate:"len=2"`
	D  string                  `redis:"d" validate:"oneof=a bb"`
	E  *string                 `redis:"e" validate:"omitempty,min=1"`
	F  *string                 `redis:"f" validate:"required"`
	G  *string                 `redis:"g" validate:"max=2"`
	H  field.Optional[string]  `redis:"h" validate:"omitempty,min=2"`
	I  int                     `redis:"i" validate:"required"`
	J  int                     `redis:"j" validate:"omitempty,oneof=1 3"`
	K  bool                    `redis:"k" validate:"required"`
	L  *int                    `redis:"l" validate:"required,gte=1"`
	M  string                  `redis:"m" validate:"ne=x"`
	N  string                  `redis:"n" validate:"gt=1,lt=4"`
	O  field.Optional[int64]   `redis:"o" validate:"required"`
	P  float64                 `redis:"p" validate:"required,lt=2"`
	Q  string                  `redis:"q" validate:"eq=yes"`
	R  *string                 `redis:"r" validate:"omitempty,oneof=a bb"`
	S  string                  `redis:"s" validate:"omitempty,required"`
	T  *bool                   `redis:"t" validate:"required"`
	U  field.Optional[float64] `redis:"u" validate:"omitempty,gt=1"`
	V  *string                 `redis:"v" validate:"omitempty,required,max=1"`
}

func ruled() Ruled {
	return Ruled{ID: "a", A: "a", B: "bb", C: "cc", D: "a", E: new("e"), F: new("f"), G: new("g"), H: field.Some("hh"), I: 1, J: 1, K: true,
		L: new(1), M: "m", N: "nn", O: field.Some(int64(1)), P: 1, Q: "yes", R: new("a"), S: "s", T: new(true), U: field.Some(2.0), V: new("v")}
}

// What Lua may assign is what Save would store: both refuse the same values.
func TestLuaRules(t *testing.T) { bothWays(t, testLuaRules) }

func testLuaRules(t *testing.T) {
	values := map[reflect.Kind][]any{
		reflect.String:  {nil, "", "a", "x", "bb", "\u00e9\u00e9", "\u00e9\u00e9\u00e9", "yes", "abcd", "a bb"},
		reflect.Int:     {nil, 0, 1, 2, 3, -1},
		reflect.Bool:    {nil, true, false},
		reflect.Float64: {nil, 0.0, 1.0, 1.5, 2.0, 3.5},
	}
	plain := model.Define[Ruled, string]("ruled")
	each(t, func(t *testing.T, p place) {
		for f := range reflect.TypeFor[Ruled]().Fields() {
			if f.Name == "ID" {
				continue
			}
			of, optional := f.Type, true
			switch {
			case of.Kind() == reflect.Pointer:
				of = of.Elem()
			case of.Kind() == reflect.Struct:
				get, _ := of.MethodByName("Get")
				of = get.Type.Out(0)
			default:
				optional = false
			}
			kind := of.Kind()
			if kind == reflect.Int64 {
				kind = reflect.Int
			}
			for _, v := range values[kind] {
				if v == nil && !optional {
					continue
				}
				record := ruled()
				value(t, "Save", plain.On(p.db).Save(t.Context(), record))
				name, text := f.Tag.Get("redis"), fmt.Sprint(v)
				switch {
				case v == nil:
					text = "nil"
				case kind == reflect.String:
					text = "'" + text + "'"
				}
				m := model.Define[Ruled, string]("ruled", model.Lua(methods("ruled", "function M.f(self) self."+name+" = "+text+" end")))
				byLua := model.Method[struct{}, struct{}](m, "f").On(p.db).Call(t.Context(), "a", struct{}{}).Err()

				at := reflect.ValueOf(&record).Elem().FieldByName(f.Name)
				switch {
				case v == nil:
					at.SetZero()
				case at.Kind() == reflect.Pointer:
					to := reflect.New(of)
					to.Elem().Set(reflect.ValueOf(v).Convert(of))
					at.Set(to)
				case at.Kind() == reflect.Struct:
					switch v := v.(type) {
					case string:
						at.Set(reflect.ValueOf(field.Some(v)))
					case int:
						at.Set(reflect.ValueOf(field.Some(int64(v))))
					case float64:
						at.Set(reflect.ValueOf(field.Some(v)))
					}
				default:
					at.Set(reflect.ValueOf(v).Convert(of))
				}
				byGo := plain.On(p.db).Save(t.Context(), record).Err()
				if (byLua == nil) != (byGo == nil) {
					t.Errorf("%s, `%s`, %s: Lua answers %v, Save %v", f.Name, f.Tag.Get("validate"), text, byLua, byGo)
				}
				if byLua != nil {
					if e := as[*lua.Error](t, name, byLua); e != nil && e.Code != "RULE" && e.Code != "RANGE" {
						t.Errorf("%s = %s: the code is %s", name, text, e.Code)
					}
				}
			}
		}
	})
}

// Rules that Lua does not hold are told, of the fields that a method assigns.
func TestMethodWarnings(t *testing.T) {
	for _, c := range []struct {
		reason, body string
		want         []string
	}{
		{"a rule for addresses", "self.email = 'x'", []string{"email"}},
		{"nothing is assigned", "return self.email", nil},
		{"one that is held", "self.owner = 'x' self.balance = 1", nil},
		{"any field may be", "local f = function(r) r.owner = '' end f(self)", []string{"email"}},
	} {
		type Mailed struct {
			ID      int64  `redis:"id,key"`
			Owner   string `redis:"owner" validate:"required,max=80"`
			Email   string `redis:"email" validate:"required,email,max=80"`
			Balance int64  `redis:"balance" validate:"gte=0"`
		}
		m := model.Define[Mailed, int64]("mailed", model.Lua(methods("mailed", "function M.f(self) "+c.body+" end")))
		var got []string
		for _, w := range model.Method[struct{}, any](m, "f").Warnings() {
			got = append(got, strings.Split(w, `"`)[1])
			if !strings.HasSuffix(w, "to its rules email, as Save does") {
				t.Errorf("%s: %s", c.reason, w)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: warned of %v, want %v", c.reason, got, c.want)
		}
	}
}

// A write by redis.call before the last fail is a warning, with its line: a method, or
// a hook, that fails then has written. Behind it, and in reads, there is nothing to warn of.
func TestWarningsOfEarlyWrites(t *testing.T) {
	m := model.Define[Page, string]("page", model.Lua(methods("early", `
function M.after_save(self)
  redis.call("SADD", self.key, 1)
  if self.views > 5 then fail("MANY") end
end

function M.f(self)
  local n = redis.call("HLEN", self.key)
  redis.call("HDEL", self.key, "x")
  if n > 5 then
    fail("FULL", "it is")
  end
  redis.call("HSET", self.key, "y", 1)
end

function M.g(self)
  redis.call("HSET", self.key, "y", 1)
end`)))
	for name, wants := range map[string][]string{
		"f": {"early.lua:10:3: HDEL stands before the function's last fail: it stays written when that fails; check first", "early.lua:4:3: SADD"},
		"g": {"early.lua:4:3: SADD"},
	} {
		got := model.Method[struct{}, struct{}](m, name).Warnings()
		if len(got) != len(wants) {
			t.Fatalf("%s: the warnings are %q, want %d", name, got, len(wants))
		}
		for i, want := range wants {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: warning %d is %q, and does not say %q", name, i+1, got[i], want)
			}
		}
	}
}
