package model_test

import (
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// Till is a record with a history beside it, in a keyspace of its own.
type Till struct {
	ID   int64 `redis:"id,key"`
	Coin int64 `redis:"coin" validate:"gte=0"`
}

type tillArgs struct {
	To model.Key[Till, int64] `lua:"to"`
	N  int64                  `lua:"n"`
}

var (
	tillPlace = keyspace.OneSlot("tills")
	entries   = keyspace.NewSortedSet[int64, string]("entries", tillPlace)
	audits    = keyspace.NewString[int64, int64]("audits", tillPlace)
	tills     = model.Define[Till, int64]("till", tillPlace, model.With("entries", entries), model.With("audits", audits), model.Lua(methods("till", `
function M.before_delete(self)
  if redis.call("ZCARD", self.entries) > 2 then
    fail("HISTORY", self.entries)
  end
end

function M.after_save(self)
  redis.call("INCR", self.audits)
end

--- @arg n int
function M.move(self, to, n)
  self.coin, to.coin = self.coin - n, to.coin + n
  redis.call("ZADD", self.entries, n, "to " .. to.key)
  redis.call("ZADD", to.entries, n, "from " .. self.key)
end

local function escape(r) return r.entries .. " " .. r.audits end

--- @return string
function M.names(self)
  return escape(self)
end`)))
)

// A keyspace of the same ids and placement is a field in Lua, of self and of records
// among the arguments: its key, which goes along declared. Hooks have it too, in verbs
// and methods.
func TestWith(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		moving := model.Method[tillArgs, struct{}](tills, "move")
		names := model.Method[struct{}, string](tills, "names")
		each(t, func(t *testing.T, p place) {
			ctx := t.Context()
			p.remove(t, "till{tills}:1", "till{tills}:2", "entries{tills}:1", "entries{tills}:2", "audits{tills}:1", "audits{tills}:2")
			for id := range int64(2) {
				ok(t, "Create", tills.On(p.db).Create(ctx, Till{ID: id + 1, Coin: 10}).Err())
			}
			for range 2 {
				ok(t, "move", moving.On(p.db).Call(ctx, 1, tillArgs{tills.Key(2), 3}).Err())
			}
			p.wantHash(t, "till{tills}:1", "coin=4")
			p.wantHash(t, "till{tills}:2", "coin=16")
			want(t, "entries", entries.On(p.db).Card(ctx, 1), 1)
			want(t, "audits", audits.On(p.db).Get(ctx, 1), 3)
			want(t, "audits", audits.On(p.db).Get(ctx, 2), 3)
			want(t, "names", names.On(p.db).Call(ctx, 1, struct{}{}), "entries{tills}:1 audits{tills}:1")
			ok(t, "move to itself", moving.On(p.db).Call(ctx, 1, tillArgs{tills.Key(1), 3}).Err())
			p.wantHash(t, "till{tills}:1", "coin=1") // Lua assigns the left one last
			want(t, "entries", entries.On(p.db).Card(ctx, 1), 3)
			err := tills.On(p.db).Delete(ctx, 1).Err()
			if e := as[*lua.Error](t, "Delete", err); e != nil && e.Message != "entries{tills}:1" {
				t.Errorf("Delete: %v", err)
			}
			want(t, "Delete", tills.On(p.db).Delete(ctx, 2), true)
		})
	})
}

// A keyspace that Lua could not reach by a record's id and slot is refused when the
// model is defined, and an assignment to it when the method is typed.
func TestWithIsChecked(t *testing.T) {
	text := model.Lua(methods("m", "function M.f(self) self.entries = 1 end"))
	var missing *keyspace.SortedSet[int64, string]
	for _, row := range []struct {
		reason  string
		options []keyspace.Option
		says    string
	}{
		{"other ids", []keyspace.Option{text, model.With("x", keyspace.NewSet[string, string]("x"))}, "has other ids than int64"},
		{"another slot", []keyspace.Option{text, model.With("x", entries)}, "placed otherwise than the records"},
		{"another connection", []keyspace.Option{text, model.With("x", keyspace.NewSet[int64, string]("x", keyspace.Connection("c")))}, "lives on another connection"},
		{"a field of that name", []keyspace.Option{text, tillPlace, model.With("coin", entries)}, "records have that already"},
		{"a method of that name", []keyspace.Option{text, tillPlace, model.With("incr", entries)}, "records have that already"},
		{"two of a name", []keyspace.Option{text, tillPlace, model.With("x", entries), model.With("x", entries)}, `With("x") twice`},
		{"none", []keyspace.Option{text, model.With("x", missing)}, "is nil"},
		{"no module", []keyspace.Option{tillPlace, model.With("x", entries)}, "has no Lua module"},
	} {
		_, err := model.TryDefine[Till, int64]("till", row.options...)
		says(t, row.reason, err, row.says)
	}
	bad := model.Define[Till, int64]("till", text, tillPlace, model.With("entries", entries))
	_, err := model.TryMethod[struct{}, struct{}](bad, "f")
	says(t, "an assignment", err, "m.lua:2:25", `"entries" is a keyspace`)
}

// The modules of two models require each other, and each has its hooks.
func TestModulesOfModelsRequireEachOther(t *testing.T) {
	sources := sourcesOf("left", `local M = {}
local right = require "right"
M.limit = 5
function M.before_save(self) self.coin = math.min(self.coin, right.most()) end
function M.half(self) return self.coin / 2 end
return M`, "right", `local M = {}
local left = require "left"
function M.most() return 7 end
--- @return float
function M.f(self) return left.half(self) end
return M`)
	left := model.Define[Till, int64]("left", model.Lua(lua.Must(lua.LoadFS(sources, "left"))))
	right := model.Define[Till, int64]("right", model.Lua(lua.Must(lua.LoadFS(sources, "right"))))
	half := model.Method[struct{}, float64](right, "f")
	each(t, func(t *testing.T, p place) {
		ok(t, "Save", left.On(p.db).Save(t.Context(), Till{ID: 1, Coin: 9}).Err())
		p.wantHash(t, "left{1}", "coin=7")
		ok(t, "Save", right.On(p.db).Save(t.Context(), Till{ID: 1, Coin: 9}).Err())
		want(t, "half", half.On(p.db).Call(t.Context(), 1, struct{}{}), 4.5)
	})
}

// sourcesOf is a file system of modules: name, text, …
func sourcesOf(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i < len(texts); i += 2 {
		files[texts[i]+".lua"] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return files
}
