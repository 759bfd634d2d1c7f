package model_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Upsert changes a record as Update does, and makes a whole one where there is
// none.
func TestUpsert(t *testing.T) {
	rows := []struct {
		reason  string
		changes []model.Change[Person]
		made    string // where there was none
		changed string // of name=Ada age=36 score=1
	}{
		{"nothing", nil, "name= score=0", "age=36 name=Ada score=1"},
		{"a value", []model.Change[Person]{name.Set("Bob")}, "name=Bob score=0", "age=36 name=Bob score=1"},
		{"an absent field", []model.Change[Person]{nick.Set(new("b"))}, "name= nick=b score=0", "age=36 name=Ada nick=b score=1"},
		{"absence", []model.Change[Person]{age.Clear()}, "name= score=0", "name=Ada score=1"},
		{"a sum", []model.Change[Person]{model.Incr(points, 5)}, "name= score=5", "age=36 name=Ada score=6"},
		{"if absent", []model.Change[Person]{name.SetIfAbsent("Bob"), age.SetIfAbsent(field.Some(7))}, "age=7 name=Bob score=0", "age=36 name=Ada score=1"},
	}
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		for _, c := range rows {
			people.Delete(t.Context(), "a").Err()
			want(t, c.reason+", new", people.Upsert(t.Context(), "a", c.changes...), true)
			if h := p.hash(t, "person{a}"); h != c.made {
				t.Errorf("%s: made\n\t%s\nwant\n\t%s", c.reason, h, c.made)
			}
			p.store(t, "person{a}", "name", "Ada", "age", 36, "score", 1)
			want(t, c.reason+", there", people.Upsert(t.Context(), "a", c.changes...), false)
			if h := p.hash(t, "person{a}"); h != c.changed {
				t.Errorf("%s: changed to\n\t%s\nwant\n\t%s", c.reason, h, c.changed)
			}
		}
	})
}

// The version of a record that Upsert makes is 1, and one more with each Upsert
// that changes something.
func TestUpsertVersion(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		version := func() string { return p.client.HGet(t.Context(), "account{7}", "version").Val() }
		for _, c := range []struct {
			reason  string
			changes []model.Change[Account]
			made    bool
			version string
		}{
			{"made", []model.Change[Account]{owner.Set("Ada"), model.Incr(balance, 3)}, true, "1"},
			{"changed", []model.Change[Account]{owner.Set("Ada"), model.Incr(balance, 3)}, false, "2"},
			{"not changed", []model.Change[Account]{owner.Set("Ada")}, false, "2"},
		} {
			want(t, c.reason, accounts.Upsert(t.Context(), 7, c.changes...), c.made)
			if v := version(); v != c.version {
				t.Errorf("%s: the version is %s, want %s", c.reason, v, c.version)
			}
		}
		got := value(t, "Get", accounts.Get(t.Context(), 7))
		if got.Owner != "Ada" || got.Balance != 6 || got.Email != nil || !got.Opened.IsZero() {
			t.Errorf("loaded %s", show(got))
		}
		value(t, "Save", accounts.Save(t.Context(), got))
	})
}

// A record that would break a rule is not made; one that is there is only
// validated in what changes. A refused Upsert has written nothing.
func TestUpsertRefuses(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		err := accounts.Upsert(t.Context(), 7, model.Incr(balance, 5)).Err()
		as[*model.ValidationError](t, "without its owner", err)
		says(t, "without its owner", err, "model: upsert account{7}", "owner breaks the rule required")
		err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			accounts.Upsert(ctx, 7, model.Incr(balance, 5))
			return nil
		})
		as[*model.ValidationError](t, "in a Run", err)
		want(t, "Exists", accounts.Exists(t.Context(), 7), false)
		says(t, "below zero", accounts.Upsert(t.Context(), 7, owner.Set("Ada"), model.Decr(balance, 1)).Err(), "balance breaks the rule gte=0")
		want(t, "Exists", accounts.Exists(t.Context(), 7), false)

		p.store(t, "account{7}", "balance", 3)
		want(t, "there without its owner", accounts.Upsert(t.Context(), 7, model.Incr(balance, 5)), false)
		before := p.hash(t, "account{7}")
		as[*model.SumError](t, "below zero, there", accounts.Upsert(t.Context(), 7, owner.Set("B"), model.Decr(balance, 9)).Err())
		p.wantHash(t, "account{7}", before)

		tanks := tanks.On(p.db)
		as[*model.ValidationError](t, "another rule", tanks.Upsert(t.Context(), "a", model.Incr(small, 1)).Err())
		for _, c := range []struct {
			reason  string
			changes []model.Change[Page]
			says    string
		}{
			{"two of one field", []model.Change[Page]{title.Set("a"), title.Set("b")}, "model: Upsert: two changes of title"},
			{"an empty one", []model.Change[Page]{{}}, "model: Upsert: a Change is empty"},
			{"no text", []model.Change[Page]{rank.Set(math.NaN())}, "NaN"},
		} {
			says(t, c.reason, pages.On(p.db).Upsert(t.Context(), "a", c.changes...).Err(), c.says)
		}
		if err := pages.On(p.db).Upsert(t.Context(), "").Err(); !errors.Is(err, keyspace.ErrEmptyID) {
			t.Errorf("an empty id answers %v", err)
		}
	})
}

// Sums of a new record are as exact as those of one that is there.
func TestUpsertSums(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		type sums struct {
			ID  string  `redis:"id,key"`
			Big int64   `redis:"big" validate:"gte=-1"`
			Max uint64  `redis:"max"`
			F   float64 `redis:"f"`
			I8  int8    `redis:"i8"`
		}
		m := model.Define[sums, string]("sums")
		big := model.FieldOf(m, func(s *sums) *int64 { return &s.Big })
		most := model.FieldOf(m, func(s *sums) *uint64 { return &s.Max })
		f := model.FieldOf(m, func(s *sums) *float64 { return &s.F })
		want(t, "Upsert", m.On(p.db).Upsert(t.Context(), "a", model.Incr(big, math.MaxInt64), model.Incr(most, math.MaxUint64), model.Incr(f, 0.1)), true)
		p.wantHash(t, "sums{a}", "big=9223372036854775807 f=0.1 i8=0 max=18446744073709551615")
		as[*model.SumError](t, "below zero", m.On(p.db).Upsert(t.Context(), "b", model.Decr(most, 1)).Err())
		want(t, "Exists", m.On(p.db).Exists(t.Context(), "b"), false)
	})
}

// Lua finds a record that Upsert made in order, and its time to live begins with
// each Upsert.
func TestUpsertForOthers(t *testing.T) {
	type session struct {
		ID   string  `redis:"id,key"`
		User string  `redis:"user"`
		Hits int64   `redis:"hits" validate:"gte=0"`
		Rate float64 `redis:"rate"`
		On   bool    `redis:"on"`
	}
	sessions := model.Define[session, string]("session", keyspace.TTL(time.Hour), model.Lua(methods("sessions", `
--- @return string
function M.all(self) return self.user .. "," .. self.hits .. "," .. self.rate .. "," .. tostring(self.on) end`)))
	all := model.Method[struct{}, string](sessions, "all")
	user := model.FieldOf(sessions, func(s *session) *string { return &s.User })
	each(t, func(t *testing.T, p place) {
		want(t, "Upsert", sessions.On(p.db).Upsert(t.Context(), "a", user.Set("u")), true)
		want(t, "all", all.On(p.db).Call(t.Context(), "a", struct{}{}), "u,0,0,false")
		for range 2 {
			if ttl := p.client.PTTL(t.Context(), "session{a}").Val(); ttl <= 59*time.Minute || ttl > time.Hour {
				t.Errorf("time to live %v", ttl)
			}
			p.client.PExpire(t.Context(), "session{a}", time.Minute)
			want(t, "Upsert", sessions.On(p.db).Upsert(t.Context(), "a", user.Set("u")), false)
		}
	})
}
