package lua_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

// box is a support module: it opens a key as a table with a value, and writes
// the values at the end.
var box = lua.Module("redmoon_box", lua.Source("box.lua", `local M = {}
local opened = {}
function M.open(key)
  local b = {key = key, value = redis.call("GET", key) or ""}
  opened[#opened + 1] = b
  return b
end
function M.close()
  for _, b in ipairs(opened) do redis.call("SET", b.key, b.value) end
end
return M`))

// opener opens boxes and remembers what functions do with them.
func opener(seen *[]string) *lua.Opener {
	return &lua.Opener{
		Support: box,
		Close:   "__.redmoon_box.close()",
		Open: func(keys lua.KeysOf, uses []lua.Use) (string, error) {
			for _, u := range uses {
				*seen = append(*seen, fmt.Sprintf("%s write=%v method=%v %d:%d", u.Field, u.Write, u.Method, u.At.Line, u.At.Column))
				if u.Field == "valu" {
					return "", u.Fault("a box has no valu", "did you mean value?")
				}
			}
			return "__.redmoon_box.open(" + keys.Key + ")", nil
		},
	}
}

// A boxKey is an argument that Lua gets as a box.
type boxKey string

func (boxKey) LuaOpener(*lua.Opener) lua.Opener { return *opener(new([]string)) }

func (k boxKey) AppendKey(dst []byte) ([]byte, error) {
	if k == "" {
		return dst, errors.New("an empty box")
	}
	return append(dst, k...), nil
}

// A function gets what an Opener makes of the call's key, as its first
// parameter or its hidden self, and of arguments that are Records.
func TestReceiver(t *testing.T) {
	mod := load(t, "m", `local M = {}
function M.join(self, other, sep)
  self.value = self.value .. sep .. other.value
  other:forget()
  return self.value
end
function M:append(what)
  local f = function() return self.value .. what end
  self.value = f()
  return self.value
end
function M.refuse(self) self.value = "lost" return redis.error_reply("NO way") end
function M.mistyped(self) self.value = "lost" return 1 end
return M`)
	type args struct {
		Other boxKey `lua:"other"`
		Sep   string `lua:"sep"`
	}
	var seen []string
	_, err := lua.BindReceiver[args, string](mod, "join", opener(&seen))
	if err != nil {
		t.Fatal(err)
	}
	uses := []string{"value write=true method=false 3:8", "value write=false method=false 3:21", "value write=false method=false 5:15"}
	if !slices.Equal(seen, uses) {
		t.Errorf("it sees the uses\n%q, want\n%q", seen, uses)
	}
	seen = nil
	join := lua.Must(lua.BindReceiver[args, string](load(t, "m", `local M = {}
function M.join(self, other, sep)
  self.value = self.value .. sep .. other.value
  return self.value
end
return M`), "join", opener(&seen)))
	method := lua.Must(lua.BindReceiver[string, string](mod, "append", opener(&seen)))
	refuse := lua.Must(lua.BindReceiver[struct{}, int](mod, "refuse", opener(&seen)))
	mistyped := lua.Must(lua.BindReceiver[struct{}, string](mod, "mistyped", opener(&seen)))
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		pipectx.Do[string](ctx, db, "MSET", "{b}1", "one", "{b}2", "two")
		want(t, "join", join.On(db).CallOn(ctx, "{b}1", args{"{b}2", "+"}), "one+two")
		want(t, "append", method.On(db).CallOn(ctx, "{b}1", "!"), "one+two!")
		want(t, "what is stored", pipectx.Do[string](ctx, db, "GET", "{b}1"), "one+two!")
		if e := failed(t, "refuse", refuse.On(db).CallOn(ctx, "{b}1", struct{}{}).Err()); e.Code != "NO" {
			t.Errorf("refuse: %v", e)
		}
		if e := failed(t, "mistyped", mistyped.On(db).CallOn(ctx, "{b}1", struct{}{}).Err()); e.Code != "TYPE" {
			t.Errorf("mistyped: %v", e)
		}
		want(t, "what is stored after refusals", pipectx.Do[string](ctx, db, "GET", "{b}1"), "one+two!")
		says(t, "an argument that cannot be encoded", join.On(db).CallOn(ctx, "{b}1", args{"", "+"}).Err(), "lua: m.join: argument other: an empty box")
	})
}

// What an Opener refuses is told at the place of the use; support code is not
// part of tracebacks.
func TestReceiverRefusals(t *testing.T) {
	mod := load(t, "m", "local M = {}\nfunction M.f(self)\n  return self.valu\nend\nfunction M.g(self)\n  self.value = {}\nend\nreturn M")
	_, err := lua.BindReceiver[struct{}, string](mod, "f", opener(new([]string)))
	says(t, "f", err, "lua: m.lua:3:15: a box has no valu; did you mean value?", "return self.valu\n")

	g := lua.Must(lua.BindReceiver[struct{}, struct{}](mod, "g", opener(new([]string))))
	e := failed(t, "g", g.On(embedded(t)).CallOn(t.Context(), "b", struct{}{}).Err())
	if len(e.Trace) != 0 {
		t.Errorf("the trace has %v", e.Trace)
	}
	says(t, "a call without a record", g.On(embedded(t)).Call(t.Context(), struct{}{}).Err(), "lua: m.g needs the key of its record", "CallOn")
	plain := bind[string, struct{}](t, mod, "f")
	says(t, "a record for a plain function", plain.On(embedded(t)).CallOn(t.Context(), "k", "x").Err(), "lua: m.f has no record", "by Call")

	_, err = lua.BindReceiver[struct{}, int](source(t, "\n--- @readonly\nfunction M.f(self) return 1 end"), "f", opener(new([]string)))
	says(t, "a method that reads only", err, "m.f: it is annotated @readonly, which a method of a record cannot be")

	taken := lua.Module("redmoon_box", lua.Func("f", "self", "return 1"))
	_, err = lua.BindReceiver[struct{}, int](taken, "f", opener(new([]string)))
	says(t, "a module called like the support", err, `the module name "redmoon_box" is taken`, "rename yours")
}
