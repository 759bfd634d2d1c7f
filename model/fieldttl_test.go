package model_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Login has fields with a time to live of their own.
type Login struct {
	ID    string                 `redis:"id,key"`
	User  string                 `redis:"user"`
	Token *string                `redis:"token,ttl"`
	Pin   field.Optional[string] `redis:"pin,ttl"`
}

// Visit has one that begins again with each write.
type Visit struct {
	ID   string  `redis:"id,key"`
	Page string  `redis:"page"`
	Seen *int64  `redis:"seen,ttl=30m"`
	From *string `redis:"from,ttl=1h"`
	Note *string `redis:"note"`
}

var (
	logins = model.Define[Login, string]("login", model.Lua(methods("login", `
function M.token(self, token) self.token = token end
function M.user(self, user) self.user = user end`)))
	user     = model.FieldOf(logins, func(l *Login) *string { return &l.User })
	token    = model.FieldOf(logins, func(l *Login) **string { return &l.Token })
	pin      = model.FieldOf(logins, func(l *Login) *field.Optional[string] { return &l.Pin })
	setToken = model.Method[string, struct{}](logins, "token")
	setUser  = model.Method[string, struct{}](logins, "user")

	visits = model.Define[Visit, string]("visit", model.Lua(methods("visit", `
function M.seen(self, n) self.seen = n end
function M.note(self, note) self.note = note end`)))
	seen    = model.FieldOf(visits, func(v *Visit) **int64 { return &v.Seen })
	note    = model.FieldOf(visits, func(v *Visit) **string { return &v.Note })
	setSeen = model.Method[int64, struct{}](visits, "seen")
	setNote = model.Method[string, struct{}](visits, "note")
)

// eachByFieldTTL runs a test on all servers that have times to live of fields,
// or on all that have not.
func eachByFieldTTL(t *testing.T, have bool, test func(t *testing.T, p place)) {
	each(t, func(t *testing.T, p place) {
		if has := livesFields(t, p); has != have {
			t.Skipf("times to live of fields: %v", has)
		}
		test(t, p)
	})
}

// livesFields tells whether the server has times to live of fields.
func livesFields(t *testing.T, p place) bool {
	err := pipectx.Do[any](t.Context(), p.db, "HPEXPIRETIME", "none", "FIELDS", 1, "none").Err()
	return !errors.As(err, new(*pipectx.ServerError)) || !strings.Contains(err.Error(), "unknown")
}

// A field's time to live is set, told and taken away.
func TestFieldTTL(t *testing.T) {
	eachByFieldTTL(t, true, func(t *testing.T, p place) {
		on := logins.On(p.db)
		value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u", Token: new("t")}))
		left := func() time.Duration { return value(t, "FieldTTL", on.FieldTTL(t.Context(), "a", token)).Or(-1) }
		if d := left(); d != -1 {
			t.Errorf("a new field has %v left", d)
		}
		want(t, "PersistField", on.PersistField(t.Context(), "a", token), false)
		want(t, "ExpireField", on.ExpireField(t.Context(), "a", token, time.Hour), true)
		if d := left(); d <= 59*time.Minute || d > time.Hour {
			t.Errorf("%v left of an hour", d)
		}
		want(t, "PersistField", on.PersistField(t.Context(), "a", token), true)
		if d := left(); d != -1 {
			t.Errorf("after PersistField %v left", d)
		}
		want(t, "ExpireFieldAt", on.ExpireFieldAt(t.Context(), "a", token, time.Now().Add(time.Hour)), true)
		want(t, "ExpireFieldAt the past", on.ExpireFieldAt(t.Context(), "a", token, time.Unix(1, 0)), true)
		p.wantHash(t, "login{a}", "user=u")
		want(t, "ExpireField of none", on.ExpireField(t.Context(), "a", token, time.Hour), false)
		want(t, "ExpireField of no record", on.ExpireField(t.Context(), "b", token, time.Hour), false)
		want(t, "PersistField of no record", on.PersistField(t.Context(), "b", token), false)
		for _, id := range []string{"a", "b"} {
			if err := on.FieldTTL(t.Context(), id, token).Err(); !errors.Is(err, pipectx.ErrNotFound) || !strings.Contains(err.Error(), "token") {
				t.Errorf("FieldTTL of %s answers %v", id, err)
			}
		}
		value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u", Token: new("t")}))
		ok(t, "HPEXPIRE", p.client.HPExpire(t.Context(), "login{a}", time.Millisecond, "token").Err())
		for value(t, "Get", on.Get(t.Context(), "a")).Token != nil {
			if t.Context().Err() != nil {
				t.Fatal("it does not end")
			}
		}
	})
}

// A write keeps what a field has left, and ends with the field; what is written
// anew after that has none.
func TestFieldTTLIsKept(t *testing.T) {
	eachByFieldTTL(t, true, func(t *testing.T, p place) {
		on := logins.On(p.db)
		for _, c := range []struct {
			verb string
			do   func() error
		}{
			{"Save", func() error { return on.Save(t.Context(), Login{ID: "a", User: "v", Token: new("t2")}).Err() }},
			{"Update", func() error { return on.Update(t.Context(), "a", token.Set(new("t2"))).Err() }},
			{"Update of another field", func() error { return on.Update(t.Context(), "a", user.Set("w")).Err() }},
			{"Update that changes nothing", func() error { return on.Update(t.Context(), "a", token.Set(new("t"))).Err() }},
			{"Upsert", func() error { return on.Upsert(t.Context(), "a", token.Set(new("t2"))).Err() }},
			{"Edit", func() error {
				return on.Edit(t.Context(), "a", func(l *Login) error { l.Token = new("t2"); return nil }).Err()
			}},
			{"a method", func() error { return setToken.On(p.db).Call(t.Context(), "a", "t2").Err() }},
			{"a method on another field", func() error { return setUser.On(p.db).Call(t.Context(), "a", "t2").Err() }},
		} {
			value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u", Token: new("t"), Pin: field.Some("p")}))
			want(t, "ExpireField", on.ExpireField(t.Context(), "a", token, time.Hour), true)
			ok(t, c.verb, c.do())
			d, there := value(t, c.verb, on.FieldTTL(t.Context(), "a", token)).Get()
			if !there || d <= 59*time.Minute || d > time.Hour {
				t.Errorf("after %s the field has %v left", c.verb, d)
			}
			if c.verb == "Save" {
				continue // it removed the pin
			}
			if d, there := value(t, c.verb, on.FieldTTL(t.Context(), "a", pin)).Get(); there {
				t.Errorf("after %s the other field has %v left", c.verb, d)
			}
		}
		value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u"}))
		value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u", Token: new("t")}))
		if d, there := value(t, "FieldTTL", on.FieldTTL(t.Context(), "a", token)).Get(); there {
			t.Errorf("a field written anew has %v left", d)
		}
	})
}

// A declared time to live begins with each write of its field, also of the same
// value, and with no other.
func TestFieldTTLBegins(t *testing.T) {
	eachByFieldTTL(t, true, func(t *testing.T, p place) {
		on := visits.On(p.db)
		for _, c := range []struct {
			verb string
			do   func() error
			anew bool
		}{
			{"Save", func() error { return on.Save(t.Context(), Visit{ID: "a", Page: "q", Seen: new(int64(5))}).Err() }, true},
			{"Update", func() error { return on.Update(t.Context(), "a", seen.Set(new(int64(6)))).Err() }, true},
			{"Update with the same", func() error { return on.Update(t.Context(), "a", seen.Set(new(int64(5)))).Err() }, true},
			{"Update if absent", func() error { return on.Update(t.Context(), "a", seen.SetIfAbsent(new(int64(6)))).Err() }, false},
			{"Update of another", func() error { return on.Update(t.Context(), "a", note.Set(new("n"))).Err() }, false},
			{"Upsert", func() error { return on.Upsert(t.Context(), "a", seen.Set(new(int64(5)))).Err() }, true},
			{"Edit", func() error {
				return on.Edit(t.Context(), "a", func(v *Visit) error { *v.Seen++; return nil }).Err()
			}, true},
			{"Edit of another", func() error {
				return on.Edit(t.Context(), "a", func(v *Visit) error { v.Page = "r"; return nil }).Err()
			}, false},
			{"Pop of another", func() error { return model.Pop(t.Context(), on, "a", note).Err() }, false},
			{"a method", func() error { return setSeen.On(p.db).Call(t.Context(), "a", 5).Err() }, true},
			{"a method on another", func() error { return setNote.On(p.db).Call(t.Context(), "a", "n").Err() }, false},
		} {
			on.Delete(t.Context(), "a").Err()
			value(t, "Create", on.Create(t.Context(), Visit{ID: "a", Page: "p", Seen: new(int64(5)), From: new("f"), Note: new("m")}))
			for what, d := range map[string]time.Duration{"seen": 30 * time.Minute, "from": time.Hour} {
				if left := p.client.HPTTL(t.Context(), "visit{a}", what).Val()[0]; left <= d.Milliseconds()-60_000 || left > d.Milliseconds() {
					t.Errorf("after Create %s has %d ms left", what, left)
				}
			}
			want(t, "ExpireField", on.ExpireField(t.Context(), "a", seen, time.Minute), true)
			ok(t, c.verb, c.do())
			d := value(t, c.verb, on.FieldTTL(t.Context(), "a", seen)).Or(-1)
			if (d > time.Minute) != c.anew || d <= 0 || d > 30*time.Minute {
				t.Errorf("after %s the field has %v left", c.verb, d)
			}
		}
	})
}

// Where fields have no time to live, fields that could have one are written as
// others are; a declared one is refused before anything is written, and the error
// names the server.
func TestFieldTTLUnsupported(t *testing.T) {
	eachByFieldTTL(t, false, func(t *testing.T, p place) {
		on := logins.On(p.db)
		value(t, "Create", on.Create(t.Context(), Login{ID: "a", User: "u", Token: new("t")}))
		value(t, "Save", on.Save(t.Context(), Login{ID: "a", User: "u", Token: new("t")}))
		want(t, "Update", on.Update(t.Context(), "a", token.Set(new("t2"))), 1)
		value(t, "Edit", on.Edit(t.Context(), "a", func(l *Login) error { l.Token = new("t3"); return nil }))
		value(t, "Call", setToken.On(p.db).Call(t.Context(), "a", "t4"))
		p.wantHash(t, "login{a}", "token=t4 user=u")

		p.store(t, "visit{a}", "page", "p", "seen", 4)
		for verb, err := range map[string]error{
			"Create":        visits.On(p.db).Create(t.Context(), Visit{ID: "b", Seen: new(int64(1))}).Err(),
			"Save":          visits.On(p.db).Save(t.Context(), Visit{ID: "a", Seen: new(int64(1))}).Err(),
			"Update":        visits.On(p.db).Update(t.Context(), "a", note.Set(new("n")), seen.Set(new(int64(5)))).Err(),
			"Upsert":        visits.On(p.db).Upsert(t.Context(), "b", seen.Set(new(int64(5)))).Err(),
			"Edit":          visits.On(p.db).Edit(t.Context(), "a", func(v *Visit) error { v.Page = "q"; *v.Seen++; return nil }).Err(),
			"ExpireFieldAt": visits.On(p.db).ExpireFieldAt(t.Context(), "a", seen, time.Now().Add(time.Hour)).Err(),
			"a method":      setSeen.On(p.db).Call(t.Context(), "a", 5).Err(),
		} {
			if !errors.Is(err, pipectx.ErrUnsupported) {
				t.Errorf("%s answers %v", verb, err)
			}
			says(t, verb, err, "Redis 7.4 or Valkey 9")
		}
		p.wantHash(t, "visit{a}", "page=p seen=4")
		want(t, "Exists", visits.On(p.db).Exists(t.Context(), "b"), false)
		value(t, "Save without it", visits.On(p.db).Save(t.Context(), Visit{ID: "b", Page: "p"}))

		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			visits.On(p.db).ExpireField(ctx, "a", seen, time.Hour)
			return nil
		})
		unsupported := as[*pipectx.UnsupportedError](t, "ExpireField", err)
		if unsupported != nil && strings.HasPrefix(t.Name(), "TestFieldTTLUnsupported/redis-") && !strings.HasPrefix(unsupported.Server, "Redis ") {
			t.Errorf("%+v", *unsupported)
		}
	})
}

// The option ttl is for fields that may be absent, and the verbs for fields that
// have it.
func TestFieldTTLRefuses(t *testing.T) {
	type plain struct {
		ID string `redis:"id,key"`
		N  int    `redis:"n,ttl"`
	}
	type version struct {
		ID string `redis:"id,key"`
		V  int64  `redis:"v,version,ttl"`
	}
	type never struct {
		ID string  `redis:"id,key"`
		S  string  `redis:"s"`
		N  *string `redis:"n,ttl=0s"`
	}
	type word struct {
		ID string  `redis:"id,key"`
		S  string  `redis:"s"`
		N  *string `redis:"n,ttl=soon"`
	}
	for _, c := range []struct {
		reason string
		define func() error
		says   []string
	}{
		{"a plain field", func() error { _, err := model.TryDefine[plain, string]("p"); return err }, []string{"field N", "option ttl", "make it a pointer or field.Optional"}},
		{"a version", func() error { _, err := model.TryDefine[version, string]("p"); return err }, []string{"field V", "version goes with no other, and there is ttl"}},
		{"no time at all", func() error { _, err := model.TryDefine[never, string]("p"); return err }, []string{"option ttl=0s", "is not a time to live", "write `ttl=30m`"}},
		{"a word", func() error { _, err := model.TryDefine[word, string]("p"); return err }, []string{"option ttl=soon", "is not a time to live"}},
	} {
		says(t, c.reason, c.define(), c.says...)
	}
	p := at(t, redistestEmbedded(t))
	says(t, "ExpireField", people.On(p.db).ExpireField(t.Context(), "a", nick, time.Hour).Err(), "field Nick of", "is not tagged `ttl`", "redis:\"nick,ttl\"")
	says(t, "ExpireField", logins.On(p.db).ExpireField(t.Context(), "a", token, 0).Err(), "give at least one")
	says(t, "ExpireFieldAt", logins.On(p.db).ExpireFieldAt(t.Context(), "a", token, time.Time{}).Err(), "zero Time")
	if err := logins.On(p.db).FieldTTL(t.Context(), "", token).Err(); !errors.Is(err, keyspace.ErrEmptyID) {
		t.Errorf("an empty id answers %v", err)
	}
}
