package model_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Stock is a record with a field that its Lua hook derives from others.
type Stock struct {
	ID       string  `redis:"id,key"`
	Name     string  `redis:"name"`
	Held     int64   `redis:"held" validate:"gte=0"`
	Reserved int64   `redis:"reserved" validate:"gte=0"`
	Free     int64   `redis:"free" validate:"gte=0"`
	Note     *string `redis:"note"`
	Last     string  `redis:"last"`
	Version  int64   `redis:"version,version"`
}

const stockLua = `
function M.before_save(self)
  if self.name == "forbidden" then
    fail("NAME", self.key .. " is " .. self.name)
  end
  self.free = self.held - self.reserved
  if self.note == "clear" then
    self.note = nil
  end
end

function M.after_save(self)
  if self.held == 13 then
    fail("UNLUCKY", string.format("version %d, free %d", self.version, self.free))
  end
end

function M.before_delete(self)
  if self.reserved > 0 then
    fail("RESERVED", string.format("%d", self.reserved))
  end
end

--- @arg n int
function M.reserve(self, n)
  self.reserved = self.reserved + n
end

--- @arg n int
--- @return int
function M.take(self, n)
  return self:incr("held", -n)
end

local function both(a, b, n)
  a.held, b.held = a.held - n, b.held + n
end

--- @arg n int
function M.move(self, to, n)
  both(self, to, n)
end

function M.clear(self)
  self:delete()
end

function M.look(self)
  self.name = self.name
end
`

type moveStock struct {
	To model.Key[Stock, string] `lua:"to"`
	N  int64                    `lua:"n"`
}

var (
	stocks   = model.Define[Stock, string]("stock", keyspace.OneSlot("stock"), model.Lua(methods("stock", stockLua)))
	held     = model.FieldOf(stocks, func(s *Stock) *int64 { return &s.Held })
	stocked  = model.FieldOf(stocks, func(s *Stock) *string { return &s.Name })
	reserved = model.FieldOf(stocks, func(s *Stock) *int64 { return &s.Reserved })
	noted    = model.FieldOf(stocks, func(s *Stock) **string { return &s.Note })
)

const stockKey = "stock{stock}:a"

// Every verb that changes a record calls before_save in its script, and the field
// that the hook derives is right whoever writes: Go or Lua, one field or all.
func TestLuaHooksOfEveryVerb(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		reserve := model.Method[int64, struct{}](stocks, "reserve")
		take := model.Method[int64, int64](stocks, "take")
		each(t, func(t *testing.T, p place) {
			ctx, repo := t.Context(), stocks.On(p.db)
			p.remove(t, stockKey)
			check := func(verb, stored string) {
				t.Helper()
				if got := p.hash(t, stockKey); got != stored {
					t.Errorf("after %s: stored\n\t%s\nwant\n\t%s", verb, got, stored)
				}
			}
			made := value(t, "Create", repo.Create(ctx, Stock{ID: "a", Held: 9, Reserved: 2}))
			if made.Free != 7 || made.Version != 1 {
				t.Errorf("Create answers %+v, want the field that the hook gave it", made)
			}
			check("Create", "free=7 held=9 last= name= reserved=2 version=1")

			made.Held, made.Note = 10, new("clear")
			saved := value(t, "Save", repo.Save(ctx, made))
			if saved.Free != 8 || saved.Version != 2 || saved.Note != nil || *made.Note != "clear" {
				t.Errorf("Save answers %+v of %+v", saved, made)
			}
			check("Save", "free=8 held=10 last= name= reserved=2 version=2")

			want(t, "Update", repo.Update(ctx, "a", model.Incr(held, 5), noted.Set(new("n"))), 2)
			check("Update", "free=13 held=15 last= name= note=n reserved=2 version=3")
			want(t, "an Update that changes nothing", repo.Update(ctx, "a", held.Set(15)), 0)
			check("an Update that changes nothing", "free=13 held=15 last= name= note=n reserved=2 version=3")

			want(t, "Upsert", repo.Upsert(ctx, "a", reserved.Set(5)), false)
			check("Upsert", "free=10 held=15 last= name= note=n reserved=5 version=4")

			edited := value(t, "Edit", repo.Edit(ctx, "a", func(s *Stock) error { s.Held = 20; return nil }))
			if edited.Free != 15 || edited.Version != 5 {
				t.Errorf("Edit answers %+v", edited)
			}
			check("Edit", "free=15 held=20 last= name= note=n reserved=5 version=5")

			if got := value(t, "Pop", model.Pop(ctx, repo, "a", noted)); got == nil || *got != "n" {
				t.Errorf("Pop answers %v", got)
			}
			p.store(t, stockKey, "held", "20", "reserved", "5", "free", "0", "note", "x", "name", "", "last", "", "version", "6")
			value(t, "Pop", model.Pop(ctx, repo, "a", noted))
			check("Pop", "free=15 held=20 last= name= reserved=5 version=7")

			ok(t, "reserve", reserve.On(p.db).Call(ctx, "a", 1).Err())
			check("a method", "free=14 held=20 last= name= reserved=6 version=8")
			want(t, "take", take.On(p.db).Call(ctx, "a", 4), 16)
			check("a method that adds", "free=10 held=16 last= name= reserved=6 version=9")

			p.remove(t, stockKey)
			want(t, "Upsert", repo.Upsert(ctx, "a", reserved.Set(0), model.Incr(held, 3)), true)
			check("an Upsert that makes it", "free=3 held=3 last= name= reserved=0 version=1")
		})
	})
}

// A hook that fails refuses the write whole, whoever writes and however late it is:
// nothing of any record is stored.
func TestLuaHooksRefuse(t *testing.T) {
	bothWays(t, func(t *testing.T) {
		move := model.Method[moveStock, struct{}](stocks, "move")
		clearing := model.Method[struct{}, struct{}](stocks, "clear")
		each(t, func(t *testing.T, p place) {
			ctx, repo := t.Context(), stocks.On(p.db)
			p.remove(t, stockKey, "stock{stock}:b")
			ok(t, "Create", repo.Create(ctx, Stock{ID: "a", Name: "n", Held: 9, Reserved: 2}).Err())
			ok(t, "Create", repo.Create(ctx, Stock{ID: "b", Held: 8}).Err())
			was, other := p.hash(t, stockKey), p.hash(t, "stock{stock}:b")
			for _, row := range []struct {
				reason, code string
				ref          interface{ Err() error }
			}{
				{"Create", "NAME", repo.Create(ctx, Stock{ID: "c", Name: "forbidden"})},
				{"Save", "NAME", repo.Save(ctx, Stock{ID: "a", Name: "forbidden", Version: 1})},
				{"Update", "NAME", repo.Update(ctx, "a", stocked.Set("forbidden"))},
				{"Upsert", "NAME", repo.Upsert(ctx, "a", stocked.Set("forbidden"))},
				{"Upsert of a new one", "NAME", repo.Upsert(ctx, "c", stocked.Set("forbidden"))},
				{"Edit", "NAME", repo.Edit(ctx, "a", func(s *Stock) error { s.Name = "forbidden"; return nil })},
				{"a sum that only the hook cannot store", "RANGE", repo.Update(ctx, "a", model.Decr(held, 8))},
				{"after_save", "UNLUCKY", repo.Update(ctx, "a", held.Set(13))},
				{"Delete", "RESERVED", repo.Delete(ctx, "a")},
				{"DeleteMany", "RESERVED", repo.DeleteMany(ctx, "a")},
				{"a method that deletes", "RESERVED", clearing.On(p.db).Call(ctx, "a", struct{}{})},
				{"a method, of its second record", "UNLUCKY", move.On(p.db).Call(ctx, "a", moveStock{stocks.Key("b"), 5})},
			} {
				err := row.ref.Err()
				if e := as[*lua.Error](t, row.reason, err); e != nil && (e.Code != row.code || e.Partial) {
					t.Errorf("%s: %v, want the code %s and nothing written", row.reason, err, row.code)
				}
				if now := p.hash(t, stockKey) + p.hash(t, "stock{stock}:b") + p.hash(t, "stock{stock}:c"); now != was+other {
					t.Errorf("%s was refused, and has written: %s", row.reason, now)
				}
			}
			err := repo.Update(ctx, "a", held.Set(13)).Err()
			says(t, "after_save", err, "version 2, free 11", "stock.lua")
			if e := as[*lua.Error](t, "its trace", err); e != nil && (len(e.Trace) == 0 || e.Trace[0].Func != "stock.after_save") {
				t.Errorf("the trace is %+v, want the hook's own line first", e.Trace)
			}

			ok(t, "move", move.On(p.db).Call(ctx, "a", moveStock{stocks.Key("b"), 1}).Err())
			p.wantHash(t, stockKey, "free=6 held=8 last= name=n reserved=2 version=2")
			p.wantHash(t, "stock{stock}:b", "free=9 held=9 last= name= reserved=0 version=2")
			want(t, "Delete", repo.Delete(ctx, "b"), true)
			want(t, "Delete", repo.Delete(ctx, "b"), false)
		})
	})
}

// What a record keeps beside its fields holds with hooks too: a stale version is a
// conflict, a duplicate is refused, and a record that is missing is not made.
func TestLuaHooksLeaveVerbsAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		ctx, repo := t.Context(), stocks.On(p.db)
		p.remove(t, stockKey)
		ok(t, "Create", repo.Create(ctx, Stock{ID: "a"}).Err())
		if err := repo.Create(ctx, Stock{ID: "a"}).Err(); !errors.Is(err, model.ErrExists) {
			t.Errorf("Create again: %v", err)
		}
		as[*model.ConflictError](t, "a stale Save", repo.Save(ctx, Stock{ID: "a", Version: 5}).Err())
		as[*model.SumError](t, "a sum", repo.Update(ctx, "a", model.Decr(held, 1)).Err())
		for what, ref := range map[string]interface{ Err() error }{
			"Update": repo.Update(ctx, "b", held.Set(1)), "Edit": repo.Edit(ctx, "b", func(*Stock) error { return nil }), "Pop": model.Pop(ctx, repo, "b", noted),
		} {
			if !errors.Is(ref.Err(), pipectx.ErrNotFound) {
				t.Errorf("%s of none: %v", what, ref.Err())
			}
		}
		err := pipectx.Atomic(ctx, p.db, func(ctx context.Context) error {
			repo.Update(ctx, "a", held.Set(4))
			repo.Save(ctx, Stock{ID: "a", Held: 5, Version: 2})
			return nil
		})
		ok(t, "Atomic", err)
		p.wantHash(t, stockKey, "free=5 held=5 last= name= reserved=0 version=3")
	})
}

// Hooked is a record with all that a write may have to care for.
type Hooked struct {
	ID    string                 `redis:"id,key"`
	Name  string                 `redis:"name,was=title"`
	Count int64                  `redis:"count,default=3"`
	Seen  int64                  `redis:"seen"`
	Left  field.Optional[string] `redis:"left,ttl"`
	More  map[string]string      `redis:",extra"`
}

// Hooks read what is stored under former names, defaults and what Go does not declare
// as it is; and a time to live of the model begins again.
func TestLuaHooksSeeTheRecord(t *testing.T) {
	lived := model.Define[Hooked, string]("hooked", keyspace.TTL(time.Hour), model.Lua(methods("lived", `
function M.before_save(self)
  self.seen = self.seen + 1
  self.left = self.name .. " " .. string.format("%d", self.count)
end`)))
	counted := model.FieldOf(lived, func(l *Hooked) *int64 { return &l.Count })
	each(t, func(t *testing.T, p place) {
		ctx, repo := t.Context(), lived.On(p.db)
		p.store(t, "hooked{a}", "title", "old", "seen", "1", "else", "kept")
		want(t, "Update", repo.Update(ctx, "a", model.Incr(counted, 1)), 1)
		p.wantHash(t, "hooked{a}", "count=4 else=kept left=old 4 seen=2 title=old")
		ok(t, "Save", repo.Save(ctx, Hooked{ID: "a", Name: "new", Count: 4, Seen: 7, More: map[string]string{"x": "y"}}).Err())
		p.wantHash(t, "hooked{a}", "count=4 else=kept left=new 4 name=new seen=8 x=y")
		if left, lives := value(t, "TTL", repo.TTL(ctx, "a")).Get(); !lives || left > time.Hour || left < time.Hour/2 {
			t.Errorf("its time to live is %v, want the model's", left)
		}
	})
}

// What is wrong with a hook is found when the model is defined, with its place and
// the cure.
func TestLuaHooksAreChecked(t *testing.T) {
	for _, row := range []struct {
		reason, text string
		says         []string
	}{
		{"another parameter", "function M.before_save(self, other) end", []string{"bad.lua:2:1: before_save is a hook, which takes the record and nothing else; write function M.before_save(self)"}},
		{"none", "function M.after_save() end", []string{"bad.lua:2:1", "after_save is a hook", "M.after_save(self)"}},
		{"any number", "function M.before_delete(...) end", []string{"bad.lua:2:1", "before_delete is a hook"}},
		{"a result", "--- @return int\nfunction M.before_save(self) return 1 end", []string{"bad.lua:3:1", "nobody takes what it returns"}},
		{"read-only", "--- @readonly\nfunction M.before_save(self) end", []string{"annotated @readonly"}},
		{"another function under its name", "local function hook(self) fail(\"NO\") end\nM.before_save = hook", []string{"bad.lua:3:1", "is not seen to be a function", "write function M.before_save(self)"}},
		{"no function at all", "M.before_delete = 5", []string{"bad.lua:2:1", "before_delete is the name of a hook"}},
		{"no such field", "function M.before_save(self) self.fre = 1 end", []string{"bad.lua:2:35", `has no field "fre"; did you mean free?`}},
		{"the version", "function M.before_save(self) self.version = 1 end", []string{"the version is not assigned"}},
		{"a change when all stands", "function M.after_save(self) self.free = 1 end", []string{"bad.lua:2:34", "the hook after_save changes the record", "before_save"}},
		{"a sum there", `function M.after_save(self) self:incr("free", 1) end`, []string{"bad.lua:2", "the hook after_save changes the record"}},
		{"a change of what goes", "function M.before_delete(self) self.free = 1 end", []string{"the hook before_delete changes the record"}},
		{"a deletion", "function M.before_save(self) self:delete() end", []string{"bad.lua:2", "a hook does not delete its record"}},
	} {
		_, err := model.TryDefine[Stock, string]("bad", model.Lua(methods("bad", row.text)))
		says(t, row.reason, err, row.says...)
	}
	_, err := model.TryMethod[struct{}, struct{}](stocks, "before_save")
	says(t, "a hook as a method", err, "before_save", "is a hook, which the verbs call")
}

// What cannot be seen at start-up is refused when it happens: a hook whose self goes
// elsewhere changes no more than another.
func TestLuaHooksThatEscape(t *testing.T) {
	define := func(hook, does string) *model.Model[Stock, string] {
		return model.Define[Stock, string]("escaping", model.Lua(methods("escaping", "local function go(r) "+does+" end\nfunction M."+hook+"(self) go(self) end")))
	}
	each(t, func(t *testing.T, p place) {
		for _, row := range []struct{ hook, does, says string }{
			{"before_save", "r.free = 42", ""},
			{"before_save", "r:delete()", "HOOK escaping{a}: the hook before_save deletes its record"},
			{"after_save", "r.free = 1", "HOOK escaping{a}: the hook after_save assigns free; before_save may"},
			{"after_save", `r:incr("free", 1)`, "HOOK escaping{a}: the hook after_save adds to a field"},
			{"after_save", "r:expire(5)", "HOOK escaping{a}: the hook after_save sets a time to live"},
			{"after_save", "r.nothing = r.nothing", "FIELD escaping{a} has no field nothing"},
		} {
			p.remove(t, "escaping{a}")
			err := define(row.hook, row.does).On(p.db).Save(t.Context(), Stock{ID: "a"}).Err()
			if row.says == "" {
				ok(t, row.does, err)
				if got := p.hash(t, "escaping{a}"); !strings.Contains(got, "free=42") {
					t.Errorf("%s: stored %s", row.does, got)
				}
				continue
			}
			says(t, row.does, err, row.says)
			p.wantHash(t, "escaping{a}", "")
		}
	})
}

// A method calls the hooks of records of other models among its arguments, and
// refuses one whose hooks it does not know.
func TestLuaHooksOfArguments(t *testing.T) {
	type args struct {
		To model.Key[Stock, string] `lua:"to"`
	}
	type Shop struct {
		ID string `redis:"id,key"`
		N  int64  `redis:"n"`
	}
	shops := model.Define[Shop, string]("shop", keyspace.OneSlot("stock"), model.Lua(methods("shop", `
function M.sell(self, to)
  to.held = to.held - 1
  self.n = self.n + 1
end`)))
	last := model.Define[Stock, string]("stock", keyspace.OneSlot("stock"), model.Lua(methods("stock", stockLua)))
	sell := model.Method[args, struct{}](shops, "sell")
	bare := model.Define[Stock, string]("bare", keyspace.OneSlot("stock"))
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		p.remove(t, stockKey)
		ok(t, "Create", last.On(p.db).Create(ctx, Stock{ID: "a", Held: 9}).Err())
		ok(t, "Save", shops.On(p.db).Save(ctx, Shop{ID: "s"}).Err())
		ok(t, "sell", sell.On(p.db).Call(ctx, "s", args{last.Key("a")}).Err())
		p.wantHash(t, stockKey, "free=8 held=8 last= name= reserved=0 version=2")
		err := sell.On(p.db).Call(ctx, "s", args{bare.Key("a")}).Err()
		says(t, "a record without these hooks", err, "other Lua hooks than the method knows")
	})
}

// What refuses the write of any record is found before the first after_save, whose
// redis.call would stay.
func TestLuaHooksAfterAllIsSound(t *testing.T) {
	type Log struct {
		ID int64 `redis:"id,key"`
		N  int64 `redis:"n"`
	}
	type Book struct {
		ID      int64 `redis:"id,key"`
		N       int64 `redis:"n"`
		Version int64 `redis:"version,version"`
	}
	type args struct {
		To model.Key[Log, int64] `lua:"to"`
	}
	place1 := keyspace.OneSlot("logs")
	saved := keyspace.NewString[int64, int64]("saved", place1)
	logs := model.Define[Log, int64]("log", place1, model.With("saved", saved), model.Lua(methods("log", `
function M.after_save(self) redis.call("INCR", self.saved) end`)))
	books := model.Define[Book, int64]("ledger", place1, model.Lua(methods("ledger", `
function M.book(self, to)
  to.n = to.n + 1
  self.n = self.n + 1
end`)))
	bothWays(t, func(t *testing.T) {
		book := model.Method[args, struct{}](books, "book")
		each(t, func(t *testing.T, p place) {
			ctx := t.Context()
			p.remove(t, "saved{logs}:1")
			p.store(t, "log{logs}:1", "n", "1")
			p.store(t, "ledger{logs}:1", "n", "1", "version", "two")
			e := as[*lua.Error](t, "book", book.On(p.db).Call(ctx, 1, args{logs.Key(1)}).Err())
			if e.Code != "DECODE" || e.Partial {
				t.Errorf("book: %v, partial %v", e, e.Partial)
			}
			want(t, "exists", saved.On(p.db).Exists(ctx, 1), false)
			p.wantHash(t, "log{logs}:1", "n=1")
			p.store(t, "ledger{logs}:1", "n", "1", "version", "2")
			ok(t, "book", book.On(p.db).Call(ctx, 1, args{logs.Key(1)}).Err())
			want(t, "saved", saved.On(p.db).Get(ctx, 1), 1)
			p.wantHash(t, "ledger{logs}:1", "n=2 version=3")
		})
	})
}
