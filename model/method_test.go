package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// bank is the Lua of the accounts below.
const bank = `local M = {}

--- @arg amount int
--- @return int
function M.withdraw(self, amount)
  if self.balance < amount then
    fail("FUNDS", string.format("have %d, need %d", self.balance, amount))
  end
  self.balance = self.balance - amount
  return self.balance
end

local function rename(who, name)
  who.owner = name
end

--- @arg name string
function M.rename(self, name)
  rename(self, name) -- it escapes here, and is still a record
end

function M.move(self, to, amount)
  self.balance = self.balance - amount
  to.balance = to.balance + amount
  return self.balance
end

function M.waver(self, then_fail)
  self.balance = 1
  self.owner = "changed"
  self.email = nil
  if then_fail then error("oops") end
end

--- @return bool
function M.there(self)
  return self:exists()
end

--- @return string
function M.name(self)
  return self.key
end

return M
`

type moveArgs struct {
	To     model.Key[Account, int64] `lua:"to"`
	Amount int64                     `lua:"amount"`
}

var (
	clients = model.Define[Account, int64]("client", keyspace.OneSlot("bank"),
		model.Lua(lua.Must(lua.LoadFS(fstest.MapFS{"account.lua": {Data: []byte(bank)}}, "account"))))
	withdraw = model.Method[int64, int64](clients, "withdraw")
	move     = model.Method[moveArgs, int64](clients, "move")
)

// bothWays runs a test of methods with the fields of records as locals where they
// can be, and with records that are values everywhere: nobody is to notice.
func bothWays(t *testing.T, test func(t *testing.T)) {
	t.Run("locals", test)
	t.Run("values", func(t *testing.T) {
		defer model.Proxies()()
		test(t)
	})
}

// A teller has the methods of the bank.
type teller struct {
	withdraw *model.Operation[int64, int64, int64]
	rename   *model.Operation[int64, string, struct{}]
	move     *model.Operation[int64, moveArgs, int64]
	waver    *model.Operation[int64, bool, struct{}]
	there    *model.Operation[int64, struct{}, bool]
	name     *model.Operation[int64, struct{}, string]
}

// eachWay is each, both ways.
func eachWay(t *testing.T, test func(t *testing.T, p place, with teller)) {
	t.Helper()
	bothWays(t, func(t *testing.T) {
		with := teller{
			model.Method[int64, int64](clients, "withdraw"), model.Method[string, struct{}](clients, "rename"),
			model.Method[moveArgs, int64](clients, "move"), model.Method[bool, struct{}](clients, "waver"),
			model.Method[struct{}, bool](clients, "there"), model.Method[struct{}, string](clients, "name"),
		}
		each(t, func(t *testing.T, p place) { test(t, p, with) })
	})
}

// client stores a client with a balance.
func client(t *testing.T, p place, id, balance int64) {
	t.Helper()
	a := ada()
	a.ID, a.Balance = id, balance
	value(t, "Create", clients.On(p.db).Create(t.Context(), a))
}

// A method reads, checks and writes in one step, and counts the version up.
func TestMethod(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		client(t, p, 7, 100)
		want(t, "withdraw", with.withdraw.On(p.db).Call(t.Context(), 7, 30), 70)
		got := value(t, "Get", clients.On(p.db).Get(t.Context(), 7))
		if got.Balance != 70 || got.Version != 2 || got.Owner != "Ada" {
			t.Errorf("stored %s", show(got))
		}
		want(t, "there", with.there.On(p.db).Call(t.Context(), 7, struct{}{}), true)
		want(t, "there", with.there.On(p.db).Call(t.Context(), 8, struct{}{}), false)
		want(t, "name", with.name.On(p.db).Call(t.Context(), 8, struct{}{}), "client{bank}:8")
		value(t, "rename", with.rename.On(p.db).Call(t.Context(), 7, "Bob"))
		if got := value(t, "Get", clients.On(p.db).Get(t.Context(), 7)); got.Owner != "Bob" || got.Version != 3 {
			t.Errorf("stored %s", show(got))
		}
	})
}

// fail is a typed error; a method that fails has changed nothing, whatever it
// assigned before.
func TestMethodFails(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		client(t, p, 7, 100)
		before := p.hash(t, "client{bank}:7")
		e := as[*lua.Error](t, "withdraw", with.withdraw.On(p.db).Call(t.Context(), 7, 101).Err())
		if e != nil && (e.Code != "FUNDS" || e.Message != "have 100, need 101") {
			t.Errorf("%+v", e)
		}
		p.wantHash(t, "client{bank}:7", before)
		e = as[*lua.Error](t, "waver", with.waver.On(p.db).Call(t.Context(), 7, true).Err())
		if e != nil && (e.Trace == nil || e.Trace[0].File != "account.lua" || !strings.Contains(e.Trace[0].Source, "oops")) {
			t.Errorf("the trace is %+v", e.Trace)
		}
		p.wantHash(t, "client{bank}:7", before)
		value(t, "waver", with.waver.On(p.db).Call(t.Context(), 7, false))
		p.wantHash(t, "client{bank}:7", `address={"Street":"Main St","City":"London"} balance=1 opened=2026-01-02T03:04:05.006Z owner=changed version=2`)
	})
}

// A method on a record that does not exist fails, and makes none.
func TestMethodMissing(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		for what, err := range map[string]error{
			"reading":   with.withdraw.On(p.db).Call(t.Context(), 7, 1).Err(),
			"assigning": with.waver.On(p.db).Call(t.Context(), 7, false).Err(),
			"escaped":   with.rename.On(p.db).Call(t.Context(), 7, "Bob").Err(),
		} {
			e := as[*lua.Error](t, what, err)
			if !errors.Is(err, pipectx.ErrNotFound) || e.Code != "NOTFOUND" || len(e.Trace) == 0 || e.Trace[0].File != "account.lua" {
				t.Errorf("%s answers %+v", what, err)
			}
			says(t, what, err, "client{bank}:7 does not exist")
		}
		p.wantHash(t, "client{bank}:7", "")
	})
}

// A method takes further records; the same one twice is one record.
func TestMethodOfTwo(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		client(t, p, 1, 100)
		client(t, p, 2, 0)
		want(t, "move", with.move.On(p.db).Call(t.Context(), 1, moveArgs{clients.Key(2), 40}), 60)
		a, b := value(t, "Get", clients.On(p.db).Get(t.Context(), 1)), value(t, "Get", clients.On(p.db).Get(t.Context(), 2))
		if a.Balance != 60 || b.Balance != 40 || a.Version != 2 || b.Version != 2 {
			t.Errorf("stored %s and %s", show(a), show(b))
		}
		want(t, "move to itself", with.move.On(p.db).Call(t.Context(), 1, moveArgs{clients.Key(1), 10}), 60)
		a = value(t, "Get", clients.On(p.db).Get(t.Context(), 1))
		if a.Balance != 60 || a.Version != 2 {
			t.Errorf("moved to itself: %s", show(a))
		}

		err := with.move.On(p.db).Call(t.Context(), 1, moveArgs{clients.Key(9), 10}).Err()
		if !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("move to nobody answers %v", err)
		}
		if a = value(t, "Get", clients.On(p.db).Get(t.Context(), 1)); a.Balance != 60 {
			t.Errorf("moved to nobody: %s", show(a))
		}
		says(t, "an argument that was not made", with.move.On(p.db).Call(t.Context(), 1, moveArgs{Amount: 1}).Err(), "make it with the model's Key(id)")
	})
}

// Records of two slots cannot meet on a Cluster: that is known before anything
// is sent. Elsewhere they can.
func TestMethodAcrossSlots(t *testing.T) { bothWays(t, testMethodAcrossSlots) }

func testMethodAcrossSlots(t *testing.T) {
	type args struct {
		Other model.Key[Page, string] `lua:"other"`
	}
	apart := model.Define[Page, string]("apart", model.Lua(methods("apart", `
function M.take(self, other) self.views = self.views + other.views end`)))
	take := model.Method[args, struct{}](apart, "take")
	each(t, func(t *testing.T, p place) {
		value(t, "Save", apart.On(p.db).Save(t.Context(), Page{ID: "a", Views: 1}))
		value(t, "Save", apart.On(p.db).Save(t.Context(), Page{ID: "b", Views: 2}))
		err := take.On(p.db).Call(t.Context(), "a", args{apart.Key("b")}).Err()
		if !p.db.Cluster() {
			ok(t, "take", err)
			return
		}
		e := as[*pipectx.CrossSlotError](t, "take", err)
		if e != nil && (e.Key1 != "apart{a}" || e.Key2 != "apart{b}") {
			t.Errorf("%+v", *e)
		}
	})
}

// A record goes through functions of other modules and through tables, and is
// still a record; it is one argument, or one of several.
func TestMethodEscapes(t *testing.T) { bothWays(t, testMethodEscapes) }

func testMethodEscapes(t *testing.T) {
	counter := methods("counter", `
function M.add(list, n) for _, record in ipairs(list) do record.views = record.views + n end end`)
	module := lua.Must(lua.TryModule("pages", lua.Import(counter), lua.Source("pages.lua", `local M = {}
local counter = require "counter"
function M.both(self, other)
  counter.add({self, other}, 5)
  return self.views + other.views
end
return M`)))
	books := model.Define[Page, string]("leaf", keyspace.OneSlot("leaf"), model.Lua(module))
	both := model.Method[model.Key[Page, string], int64](books, "both")
	each(t, func(t *testing.T, p place) {
		value(t, "Save", books.On(p.db).Save(t.Context(), Page{ID: "a", Views: 1}))
		value(t, "Save", books.On(p.db).Save(t.Context(), Page{ID: "b", Views: 2}))
		want(t, "both", both.On(p.db).Call(t.Context(), "a", books.Key("b")), 13)
		want(t, "both the same", both.On(p.db).Call(t.Context(), "a", books.Key("a")), 32)
		p.wantHash(t, "leaf{leaf}:a", "score=0 title= views=16")
		p.wantHash(t, "leaf{leaf}:b", "score=0 title= views=7")
	})
}

// A record whose model has a time to live is an argument like others: what is written
// begins it again, and what is not does not. Records of another model of the same types
// are refused.
func TestMethodOfExpiring(t *testing.T) { bothWays(t, testMethodOfExpiring) }

func testMethodOfExpiring(t *testing.T) {
	brief := model.Define[Account, int64]("brief", keyspace.OneSlot("bank"), keyspace.TTL(time.Minute), model.Lua(methods("brief", `
function M.send(self, to, amount) to.balance = to.balance + amount return self.balance end`)))
	type Desk struct {
		ID int64 `redis:"id,key"`
		N  int64 `redis:"n"`
	}
	type Note struct {
		ID int64 `redis:"id,key"`
		N  int64 `redis:"n"`
	}
	notes := model.Define[Note, int64]("note", keyspace.OneSlot("bank"), keyspace.TTL(time.Minute))
	desks := model.Define[Desk, int64]("desk", keyspace.OneSlot("bank"), model.Lua(methods("desk", `
function M.count(self, to) to.n = to.n + 1 self.n = to.n end`)))
	send := model.Method[moveArgs, int64](brief, "send")
	count := model.Method[model.Key[Note, int64], struct{}](desks, "count")
	move := model.Method[moveArgs, int64](clients, "move")
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		lives := func(key string, want time.Duration) {
			t.Helper()
			if left := p.client.PTTL(ctx, key).Val(); left > want || left < want-30*time.Second {
				t.Errorf("%s lives for %v, want %v", key, left, want)
			}
		}
		for id := range int64(2) {
			a := ada()
			a.ID = id
			ok(t, "Save", brief.On(p.db).Save(ctx, a).Err())
			p.client.PExpire(ctx, fmt.Sprintf("brief{bank}:%d", id), time.Hour)
		}
		ok(t, "send", send.On(p.db).Call(ctx, 0, moveArgs{brief.Key(1), 5}).Err())
		lives("brief{bank}:0", time.Hour)
		lives("brief{bank}:1", time.Minute)

		ok(t, "Save", notes.On(p.db).Save(ctx, Note{ID: 1}).Err())
		ok(t, "Save", desks.On(p.db).Save(ctx, Desk{ID: 1}).Err())
		p.client.PExpire(ctx, "note{bank}:1", time.Hour)
		ok(t, "count", count.On(p.db).Call(ctx, 1, notes.Key(1)).Err())
		lives("note{bank}:1", time.Minute)
		if left := p.client.PTTL(ctx, "desk{bank}:1").Val(); left != -1 {
			t.Errorf("the desk, of a model without one, lives for %v", left)
		}
		client(t, p, 1, 100)
		says(t, "move", move.On(p.db).Call(ctx, 1, moveArgs{brief.Key(1), 1}).Err(), "another time to live than the method knows", "define the model before the method")
	})
}

// In a pipeline a method runs in its order, and its failure spoils no other.
func TestMethodInRun(t *testing.T) {
	eachWay(t, func(t *testing.T, p place, with teller) {
		var first, second *pipectx.Ref[int64]
		var read *pipectx.Ref[Account]
		a := ada()
		a.ID = 7
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			clients.On(p.db).Create(ctx, a)
			first = with.withdraw.On(p.db).Call(ctx, 7, 60)
			second = pipectx.Handled(with.withdraw.On(p.db).Call(ctx, 7, 60))
			read = clients.On(p.db).Get(ctx, 7)
			return nil
		})
		ok(t, "Run", err)
		want(t, "first", first, 40)
		as[*lua.Error](t, "second", second.Err())
		if got := value(t, "Get", read); got.Balance != 40 {
			t.Errorf("read %s", show(got))
		}

		poisoned := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			with.withdraw.On(p.db).Call(ctx, 7, 1)
			with.withdraw.On(p.db).Call(ctx, 7, 1<<53+1)
			return nil
		})
		says(t, "an argument that Lua would round", poisoned, "2^53")
		if got := value(t, "Get", clients.On(p.db).Get(t.Context(), 7)); got.Balance != 40 {
			t.Errorf("read %s", show(got))
		}
	})
}

// What is wrong between Lua and Go is found at start-up, in the author's line.
func TestMethodRefuses(t *testing.T) { bothWays(t, testMethodRefuses) }

func testMethodRefuses(t *testing.T) {
	type args struct {
		Amount string `lua:"amount"`
	}
	type loose struct {
		Who model.Key[Address, int64] `lua:"who"`
	}
	type hiding struct {
		ID     string `redis:"id,key"`
		Exists bool   `redis:"exists"`
	}
	plain := model.Define[Account, int64]("plain")
	with := func(functions string) *model.Model[Account, int64] {
		return model.Define[Account, int64]("m", model.Lua(methods("m", functions)))
	}
	try := func(functions string) func() error {
		return func() error {
			_, err := model.TryMethod[struct{}, struct{}](with(functions), "f")
			return err
		}
	}
	for _, c := range []struct {
		reason string
		try    func() error
		says   []string
	}{
		{"a model without a module", func() error {
			_, err := model.TryMethod[struct{}, struct{}](plain, "f")
			return err
		}, []string{`Method "f" of model_test.Account`, "no Lua module", "model.Lua(module)"}},
		{"a name that was misspelt", func() error {
			_, err := model.TryMethod[int64, int64](clients, "withdrew")
			return err
		}, []string{`no function "withdrew"`, "did you mean withdraw?"}},
		{"a private function", func() error {
			_, err := model.TryMethod[struct{}, struct{}](with("function M._f(self) end"), "_f")
			return err
		}, []string{"private"}},
		{"no parameter for the record", try("function M.f() end"), []string{"m.lua:2:", "first parameter", "(self)"}},
		{"a field that was misspelt", try("function M.f(self)\n  return self.blance\nend"), []string{"m.lua:3:15", `no field "blance"`, "did you mean balance?"}},
		{"a field that nothing resembles", try("function M.f(self)\n  self.colour = 1\nend"), []string{"m.lua:3:8", `no field "colour"`, "it has owner, email, balance"}},
		{"the id", try("function M.f(self) self.id = 1 end"), []string{"m.lua:2:25", "the id of a record never changes"}},
		{"assigning the version", try("function M.f(self) self.version = 1 end"), []string{"the version is not assigned", "counts it up"}},
		{"assigning the key", try("function M.f(self) self.key = '' end"), []string{"never changes"}},
		{"a method there is not", try("function M.f(self) self:save() end"), []string{`no method "save"`, "it has delete, exists, expire, incr, ttl"}},
		{"a method that was misspelt", try("function M.f(self) self:incre('balance', 1) end"), []string{"m.lua:2:", `no method "incre"`, "did you mean incr?"}},
		{"a method with an argument too few", try("function M.f(self) self:incr('balance') end"), []string{"m.lua:2:", "incr of a record takes 2 arguments, here are 1", `self:incr("field", n)`}},
		{"a method with one too many", try("function M.f(self) self:exists(1) end"), []string{"takes 0 arguments, here are 1"}},
		{"adding to a field that was misspelt", try("function M.f(self) self:incr('blance', 1) end"), []string{`no field "blance"`, "did you mean balance?"}},
		{"adding to the version", try("function M.f(self) self:incr('version', 1) end"), []string{"the version is not assigned"}},
		{"adding to a string", try("function M.f(self) self:incr('owner', 1) end"), []string{"incr is for integers", "self.owner = self.owner + n"}},
		{"adding to the key", try("function M.f(self) self:incr('key', 1) end"), []string{"never changes"}},
		{"a method that a field hides", func() error {
			m := model.Define[hiding, string]("h", model.Lua(methods("h", "function M.f(self) return self:exists() end")))
			_, err := model.TryMethod[struct{}, struct{}](m, "f")
			return err
		}, []string{`field "exists", which hides the method`}},
		{"an argument too many", func() error {
			_, err := model.TryMethod[int64, struct{}](with("function M.f(self) end"), "f")
			return err
		}, []string{"m.lua:2:", "int64", "struct{} for none"}},
		{"an argument too few", func() error {
			_, err := model.TryMethod[struct{}, struct{}](clients, "withdraw")
			return err
		}, []string{"account.lua:", "amount"}},
		{"an argument of another type", func() error {
			_, err := model.TryMethod[args, int64](clients, "withdraw")
			return err
		}, []string{"account.lua:", "parameter amount", "int", "string"}},
		{"a result of another type", func() error {
			_, err := model.TryMethod[int64, string](clients, "withdraw")
			return err
		}, []string{"account.lua:", "its result", "int", "string"}},
		{"a method called with a dot", try("function M.f(self)\n if self.exists() then fail('X', 'x') end\nend"),
			[]string{"m.lua:3:10", `has no field "exists": that is a method of a record; call it with a colon, self:exists(…)`}},
		{"a further record that is none", func() error {
			_, err := model.TryMethod[loose, struct{}](with("function M.f(self, who) end"), "f")
			return err
		}, []string{"Address has no key"}},
		{"a field of a further record", func() error {
			type args struct {
				Who model.Key[Page, string] `lua:"who"`
			}
			_, err := model.TryMethod[args, struct{}](with("function M.f(self, who)\n who.titel = 'x'\nend"), "f")
			return err
		}, []string{"m.lua:3:6", `model_test.Page has no field "titel"`, "did you mean title?"}},
	} {
		t.Run(c.reason, func(t *testing.T) { says(t, "Method", c.try(), c.says...) })
	}
	err := panics(t, func() { model.Method[struct{}, struct{}](plain, "f") })
	says(t, "Method", err, "method_test.go:", "model: Method")
}

// incr adds exactly to all 64 bits, and answers digits where a number would not be
// exact; it is written with the rest, or not at all.
func TestMethodIncr(t *testing.T) { bothWays(t, testMethodIncr) }

func testMethodIncr(t *testing.T) {
	m := model.Define[Zoo, string]("zoo", model.Lua(methods("zoo", `
--- @arg n int64
--- @return string
function M.add(self, n) return tostring(self:incr("int", n)) end

--- @return string
function M.twice(self)
  self.int = 5
  self:incr("int", 2)
  local sum = self:incr("int", 3)
  self:incr("n", 1)
  return sum .. " " .. self.int .. " " .. self.n
end

function M.refused(self) self:incr("n", 1) self:incr("small", 100) end

function M.read(self) self:incr("int", 1) return self.int end`)))
	add, twice := model.Method[lua.Exact, string](m, "add"), model.Method[struct{}, string](m, "twice")
	refused, read := model.Method[struct{}, struct{}](m, "refused"), model.Method[struct{}, any](m, "read")
	each(t, func(t *testing.T, p place) {
		p.store(t, "zoo{a}", "int", "9007199254740993")
		want(t, "add", add.On(p.db).Call(t.Context(), "a", 9214364837600034814), "9223372036854775807")
		p.wantHash(t, "zoo{a}", "int=9223372036854775807")
		says(t, "one more", add.On(p.db).Call(t.Context(), "a", 1).Err(), "RANGE zoo{a} int: 9223372036854775807 and 1 cannot be added", "9223372036854775808, above")
		want(t, "back", add.On(p.db).Call(t.Context(), "a", -9223372036854775800), "7")
		want(t, "twice", twice.On(p.db).Call(t.Context(), "a", struct{}{}), "10 10 1")
		p.wantHash(t, "zoo{a}", "int=10 n=1")
		p.store(t, "zoo{a}", "small", "100", "n", "1")
		says(t, "refused", refused.On(p.db).Call(t.Context(), "a", struct{}{}).Err(), "small: 100 and 100", "above 127")
		p.wantHash(t, "zoo{a}", "n=1 small=100")
		p.store(t, "zoo{a}", "int", "9007199254740993")
		says(t, "to read what is not exact", read.On(p.db).Call(t.Context(), "a", struct{}{}).Err(), "RANGE", "9007199254740994 is beyond 2^53")
		says(t, "nobody", add.On(p.db).Call(t.Context(), "b", 1).Err(), "NOTFOUND")
	})
}

// A method ends its record's life, now or later; what it does to it afterwards finds
// none.
func TestMethodLife(t *testing.T) { bothWays(t, testMethodLife) }

func testMethodLife(t *testing.T) {
	m := model.Define[Page, string]("page", model.Lua(methods("page", `
--- @return string
function M.life(self)
  local before = self:ttl()
  self:expire(60000)
  local held = self:ttl()
  self.views = self.views + 1
  return tostring(before) .. " " .. tostring(held)
end

function M.stay(self) self:expire() end

--- @return string
function M.drop(self)
  self.title = "gone"
  local was, again = self:delete(), self:delete()
  return tostring(was) .. " " .. tostring(again) .. " " .. tostring(self:exists())
end

function M.dropAndRead(self) self:delete() return self.title end
function M.dropAndFail(self) self:delete() fail("NO") end`)))
	life, drop := model.Method[struct{}, string](m, "life"), model.Method[struct{}, string](m, "drop")
	stay, read, failing := model.Method[struct{}, struct{}](m, "stay"), model.Method[struct{}, struct{}](m, "dropAndRead"), model.Method[struct{}, struct{}](m, "dropAndFail")
	each(t, func(t *testing.T, p place) {
		p.store(t, "page{a}", "title", "T", "views", "1")
		want(t, "life", life.On(p.db).Call(t.Context(), "a", struct{}{}), "nil 60000")
		if left := p.client.PTTL(t.Context(), "page{a}").Val(); left <= 0 || left > time.Minute {
			t.Errorf("it lives for %v", left)
		}
		value(t, "stay", stay.On(p.db).Call(t.Context(), "a", struct{}{}))
		if left := p.client.PTTL(t.Context(), "page{a}").Val(); left > 0 {
			t.Errorf("it lives for %v", left)
		}
		for what, op := range map[string]*model.Operation[string, struct{}, struct{}]{"read": read, "fail": failing} {
			as[*lua.Error](t, what, op.On(p.db).Call(t.Context(), "a", struct{}{}).Err())
		}
		p.wantHash(t, "page{a}", "title=T views=2")
		want(t, "drop", drop.On(p.db).Call(t.Context(), "a", struct{}{}), "true false false")
		p.wantHash(t, "page{a}", "")
		says(t, "drop nobody", drop.On(p.db).Call(t.Context(), "a", struct{}{}).Err(), "NOTFOUND")
	})
}
