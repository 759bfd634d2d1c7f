package model_test

import (
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// What incr adds is checked where its field is known at run time only.
func TestRecordIncrRefuses(t *testing.T) {
	m := model.Define[Account, int64]("account", model.Lua(methods("account", `
local function add(record, name, n) return record:incr(name, n) end
function M.version(self) add(self, "version", 1) end
function M.owner(self) add(self, "owner", 1) end
function M.least(self) add(self, "balance", -2^53) end
function M.most(self) add(self, "balance", 2^53) end
function M.part(self) add(self, "balance", 0.5) end
function M.text(self) add(self, "balance", "1x") end`)))
	each(t, func(t *testing.T, p place) {
		value(t, "Create", m.On(p.db).Create(t.Context(), ada()))
		before := p.hash(t, "account{7}")
		for name, fault := range map[string]string{
			"version": "TYPE account{7} version is nothing that incr adds to",
			"owner":   "TYPE account{7} owner is nothing that incr adds to",
			"least":   "TYPE account{7} balance: incr adds an integer within 2^53",
			"most":    "TYPE account{7} balance: incr adds an integer within 2^53",
			"part":    "TYPE account{7} balance: incr adds an integer",
			"text":    "TYPE account{7} balance: incr adds an integer",
		} {
			f := model.Method[struct{}, struct{}](m, name)
			says(t, name, f.On(p.db).Call(t.Context(), 7, struct{}{}).Err(), fault)
		}
		p.wantHash(t, "account{7}", before)
	})
}

// Sums of many digits carry where they have to.
func TestRecordIncrCarries(t *testing.T) {
	m := model.Define[Account, int64]("account", model.Lua(methods("account", `
--- @arg n int64
function M.add(self, n) self:incr("balance", n) end`)))
	add := model.Method[lua.Exact, struct{}](m, "add")
	each(t, func(t *testing.T, p place) {
		value(t, "Create", m.On(p.db).Create(t.Context(), ada()))
		for _, c := range []struct {
			text string
			n    lua.Exact
			want string
		}{
			{"9007199254000000001", 999999999, "9007199255000000000"},
			{"9007199254000000001", 999999998, "9007199254999999999"},
			{"9007199255000000000", -1, "9007199254999999999"},
			{"9007199255000000000", -9007199255000000000, "0"},
			{"9007199255000000001", -9007199254000000002, "999999999"},
			{"9223372036854775806", 1, "9223372036854775807"},
		} {
			p.client.HSet(t.Context(), "account{7}", "balance", c.text)
			ok(t, c.text, add.On(p.db).Call(t.Context(), 7, c.n).Err())
			if got := p.client.HGet(t.Context(), "account{7}", "balance").Val(); got != c.want {
				t.Errorf("%s and %d is %s, want %s", c.text, c.n, got, c.want)
			}
		}
	})
}

// An assignment begins the record's time to live again though it changes nothing, also
// where another field needs more than a local.
func TestRecordRenews(t *testing.T) {
	type visit struct {
		ID   string   `redis:"id,key"`
		N    int64    `redis:"n"`
		Tags []string `redis:"tags"`
	}
	m := model.Define[visit, string]("visit", keyspace.TTL(time.Minute), model.Lua(methods("visit", `
function M.f(self) self.n = #self.tags end`)))
	bothWays(t, func(t *testing.T) {
		f := model.Method[struct{}, struct{}](m, "f")
		each(t, func(t *testing.T, p place) {
			p.store(t, "visit{a}", "n", "1", "tags", `["x"]`)
			ok(t, "f", f.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
			if left := p.client.PTTL(t.Context(), "visit{a}").Val(); left <= 0 || left > time.Minute {
				t.Errorf("it lives for %v", left)
			}
		})
	})
}

// after_save sees what is stored, and not what was assigned: a time in its unit.
func TestRecordAfterSave(t *testing.T) {
	type event struct {
		ID string    `redis:"id,key"`
		At time.Time `redis:"at,unixms"`
		No *string   `redis:"no"`
	}
	m := model.Define[event, string]("event", model.Lua(methods("event", `
function M.after_save(self) fail("SEEN", string.format("%.0f %s", self.at, tostring(self.no))) end
function M.f(self) self.at, self.no = 1234567, nil end`)))
	f := model.Method[struct{}, struct{}](m, "f")
	each(t, func(t *testing.T, p place) {
		p.store(t, "event{a}", "at", "5", "no", "x")
		e := as[*lua.Error](t, "f", f.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
		if e != nil && e.Message != "1234000 nil" {
			t.Errorf("after_save sees %v", e)
		}
		p.wantHash(t, "event{a}", "at=5 no=x")
	})
}

// A record that a function walks without its being seen holds no field, and is no JSON.
func TestRecordIsNoTable(t *testing.T) {
	m := model.Define[Account, int64]("account", model.Lua(methods("account", `
local hidden = {of = function(record) return {record} end}
--- @return json
function M.result(self) return hidden.of(self) end
--- @return string
function M.text(self) return cjson.encode(hidden.of(self)) end
--- @return string
function M.walk(self)
  local found = ""
  for _, record in ipairs(hidden.of(self)) do
    for name in pairs(record) do found = found .. name end
  end
  return found
end`)))
	each(t, func(t *testing.T, p place) {
		value(t, "Create", m.On(p.db).Create(t.Context(), ada()))
		says(t, "result", model.Method[struct{}, any](m, "result").On(p.db).Call(t.Context(), 7, struct{}{}).Err(), "TYPE the result of account.result has a record instead of its fields")
		as[*lua.Error](t, "text", model.Method[struct{}, string](m, "text").On(p.db).Call(t.Context(), 7, struct{}{}).Err())
		want(t, "walk", model.Method[struct{}, string](m, "walk").On(p.db).Call(t.Context(), 7, struct{}{}), "no table: name its fields")
	})
}

// before_save is for what changes: a method that assigns what is stored calls none. In
// that of a new record its time to live is the one it is to have.
func TestRecordBeforeSave(t *testing.T) {
	type visit struct {
		ID string `redis:"id,key"`
		N  int64  `redis:"n"`
	}
	m := model.Define[visit, string]("visit", keyspace.TTL(time.Minute), model.Lua(methods("visit", `
function M.before_save(self) fail("SEEN", tostring(self:ttl())) end
--- @arg n int
function M.f(self, n) self.n = n end`)))
	bothWays(t, func(t *testing.T) {
		f := model.Method[int64, struct{}](m, "f")
		each(t, func(t *testing.T, p place) {
			p.store(t, "visit{a}", "n", "5")
			ok(t, "f of what is stored", f.On(p.db).Call(t.Context(), "a", 5).Err())
			says(t, "f", f.On(p.db).Call(t.Context(), "a", 6).Err(), "SEEN")
			p.remove(t, "visit{a}")
			says(t, "Save", m.On(p.db).Save(t.Context(), visit{ID: "a"}).Err(), "SEEN 60000")
		})
	})
}

// What before_save puts into a table is written, by verbs and methods alike.
func TestRecordHookFillsTables(t *testing.T) {
	type note struct {
		ID   string   `redis:"id,key"`
		N    int64    `redis:"n"`
		Tags []string `redis:"tags"`
	}
	m := model.Define[note, string]("note", model.Lua(methods("note", `
function M.before_save(self) self.tags[#self.tags + 1] = string.format("%d", self.n) end
--- @arg n int
function M.f(self, n) self.n = n end`)))
	f := model.Method[int64, struct{}](m, "f")
	each(t, func(t *testing.T, p place) {
		p.remove(t, "note{a}")
		ok(t, "Save", m.On(p.db).Save(t.Context(), note{ID: "a", N: 1}).Err())
		p.wantHash(t, "note{a}", `n=1 tags=["1"]`)
		ok(t, "f", f.On(p.db).Call(t.Context(), "a", 2).Err())
		p.wantHash(t, "note{a}", `n=2 tags=["1","2"]`)
	})
}
