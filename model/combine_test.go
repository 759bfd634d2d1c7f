package model_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// What tags say of a field holds in every verb: fields that were renamed, that have
// defaults, may be left out, are inline, and those that are not declared. Each row
// begins with the record that an older program has left.
func TestTagsInVerbs(t *testing.T) {
	const old = "holder=O mail=m@example.org key=K colour=red" // no balance, no state, no version
	edit := func(fn func(*Member)) func(context.Context, model.Repo[Member, int64]) error {
		return func(ctx context.Context, repo model.Repo[Member, int64]) error {
			return repo.Edit(ctx, 1, func(m *Member) error { fn(m); return nil }).Err()
		}
	}
	update := func(changes ...model.Change[Member]) func(context.Context, model.Repo[Member, int64]) error {
		return func(ctx context.Context, repo model.Repo[Member, int64]) error {
			return repo.Update(ctx, 1, changes...).Err()
		}
	}
	upsert := func(made bool, changes ...model.Change[Member]) func(context.Context, model.Repo[Member, int64]) error {
		return func(ctx context.Context, repo model.Repo[Member, int64]) error {
			got, err := repo.Upsert(ctx, 1, changes...).Result()
			if err == nil && got != made {
				err = fmt.Errorf("made %v, want %v", got, made)
			}
			return err
		}
	}
	each(t, func(t *testing.T, p place) {
		repo := members.On(p.db)
		for _, c := range []struct {
			reason string
			stored string
			verb   func(context.Context, model.Repo[Member, int64]) error
			want   string // stored
		}{
			{"Upsert moves what it changes, and nothing else", old, upsert(false, memberOwner.Set("N"), memberScore.Set(0)), "colour=red key=K mail=m@example.org owner=N version=1"},
			{"Upsert adds to the old name's value", "sum=5", upsert(false, model.Incr(memberBalance, 2)), "balance=7 version=1"},
			{"Upsert adds to the default of one that is there", old, upsert(false, model.Incr(memberBalance, 2)), "balance=12 colour=red holder=O key=K mail=m@example.org version=1"},
			{"Upsert leaves a value under its old name", old, upsert(false, memberEmail.SetIfAbsent(new("n@example.org"))), "colour=red holder=O key=K mail=m@example.org"},
			{"Upsert makes a record of defaults", "", upsert(true), "balance=10 email=none@example.org owner= state=open version=1"},
			{"its sums begin with them", "", upsert(true, model.Incr(memberBalance, -3), model.Incr(memberScore, 2)), "balance=7 email=none@example.org owner= score=2 state=open version=1"},
			{"it knows better", "", upsert(true, memberEmail.Clear(), memberState.Set("closed"), memberCity.Set("Rome")), "balance=10 home.city=Rome owner= state=closed version=1"},
			{"SetIfAbsent comes before a default", "", upsert(true, memberEmail.SetIfAbsent(new("n@example.org"))), "balance=10 email=n@example.org owner= state=open version=1"},
			{"zero is absent there too", "", upsert(true, memberScore.Set(0), memberCity.Set("")), "balance=10 email=none@example.org owner= state=open version=1"},

			{"Edit moves what it changes, and nothing else", old, edit(func(m *Member) { m.Owner = "N" }), "colour=red key=K mail=m@example.org owner=N version=1"},
			{"Edit of nothing leaves all", old, edit(func(m *Member) {}), "colour=red holder=O key=K mail=m@example.org"},
			{"Edit removes under all names", old, edit(func(m *Member) { m.Email, m.Token = nil, nil }), "colour=red holder=O version=1"},
			{"Edit begins with the default", old, edit(func(m *Member) { m.Balance++ }), "balance=11 colour=red holder=O key=K mail=m@example.org version=1"},
			{"a zero is not stored", "score=4 home.city=Rome owner=O", edit(func(m *Member) { m.Score, m.Home.City = 0, "" }), "owner=O version=1"},
			{"nor rewritten", "score=0 owner=O", edit(func(m *Member) { m.Score = 0 }), "owner=O score=0"},
			{"Edit of inline fields", "owner=O", edit(func(m *Member) { m.Home = Dwelling{"Rome", new("")} }), "home.city=Rome home.zip= owner=O version=1"},
			{"Edit of what is not declared", "owner=O colour=red size=7", edit(func(m *Member) { m.More = map[string]string{"colour": "blue", "x": ""} }), "colour=blue owner=O version=1 x="},
			{"and in place", "owner=O colour=red size=7", edit(func(m *Member) { m.More["colour"], m.More["x"] = "blue", ""; delete(m.More, "size") }), "colour=blue owner=O version=1 x="},
			{"and of that alone", "owner=O colour=red", edit(func(m *Member) { m.More = nil }), "owner=O version=1"},

			{"Update clears under the old name", old, update(memberEmail.Clear(), memberToken.Clear()), "colour=red holder=O version=1"},
			{"Update of inline and left out", old, update(memberCity.Set("Rome"), memberScore.SetIfAbsent(3)), "colour=red holder=O home.city=Rome key=K mail=m@example.org score=3 version=1"},
			{"Pop under the old name", old, func(ctx context.Context, repo model.Repo[Member, int64]) error {
				if got, err := model.Pop(ctx, repo, 1, memberToken).Result(); err != nil || got == nil || *got != "K" {
					return fmt.Errorf("popped %s, %w", pointed(got), err)
				}
				return nil
			}, "colour=red holder=O mail=m@example.org version=1"},
			{"Pop of what may be left out", "score=4 owner=O", func(ctx context.Context, repo model.Repo[Member, int64]) error {
				for _, want := range []int64{4, 0} {
					if got, err := model.Pop(ctx, repo, 1, memberScore).Result(); err != nil || got != want {
						return fmt.Errorf("popped %d, %w", got, err)
					}
				}
				return nil
			}, "owner=O version=1"},
			{"Save of what was loaded writes all anew", old, func(ctx context.Context, repo model.Repo[Member, int64]) error {
				m, err := repo.Get(ctx, 1).Result()
				if err != nil {
					return err
				}
				return repo.Save(ctx, m).Err()
			}, "balance=10 colour=red email=m@example.org owner=O state=open token=K version=1"},
		} {
			p.remove(t, "member{1}")
			var pairs []any
			for _, pair := range strings.Fields(c.stored) {
				name, text, _ := strings.Cut(pair, "=")
				pairs = append(pairs, name, text)
			}
			if pairs != nil {
				p.store(t, "member{1}", pairs...)
			}
			ok(t, c.reason, c.verb(t.Context(), repo))
			if got := p.hash(t, "member{1}"); got != c.want {
				t.Errorf("%s: stored is\n\t%s\nwant\n\t%s", c.reason, got, c.want)
			}
		}
	})
}

// All verbs that read see the same record.
func TestTagsInReads(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := members.On(p.db)
		p.store(t, "member{1}", "name", "N", "holder", "H", "sum", "5", "key", "K", "home.zip", "z", "colour", "red")
		want := Member{ID: 1, Owner: "H", Balance: 5, State: "open", Token: new("K"), Home: Dwelling{Zip: new("z")}, More: map[string]string{"colour": "red"}}
		same := func(verb string, got Member) {
			t.Helper()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s answers\n\t%s\nwant\n\t%s", verb, showMember(got), showMember(want))
			}
		}
		same("Get", value(t, "Get", repo.Get(t.Context(), 1)))
		same("GetMany", *value(t, "GetMany", repo.GetMany(t.Context(), 1))[0])
		for got, err := range repo.Each(t.Context(), slices.Values([]int64{1, 2, 1})) {
			ok(t, "Each", err)
			same("Each", got)
		}
		n := 0
		for got, err := range repo.Scan(t.Context()) {
			ok(t, "Scan", err)
			same("Scan", got)
			n++
		}
		if n == 0 {
			t.Error("Scan sees nothing")
		}
		value(t, "Edit", repo.Edit(t.Context(), 1, func(m *Member) error { same("Edit", *m); return nil }))
		want = Member{ID: 1, Owner: "H", Balance: 5, State: "open", Token: new("K")}
		same("Pick", value(t, "Pick", repo.Pick(t.Context(), 1, memberOwner, memberBalance, memberState, memberScore, memberCity, memberToken)))
	})
}

// Edit compares a field under all its names, and what is not declared: what somebody
// else wrote meanwhile is never lost, and what does not touch it is no conflict.
func TestEditComparesAllNames(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := members.On(p.db)
		mine := func(m *Member) { m.Home.City, m.More = "Rome", maps.Clone(m.More); m.More["size"] = "7" }
		for _, c := range []struct {
			reason    string
			meanwhile func() error
			calls     int
			want      string
		}{
			{"nothing", func() error { return nil }, 1, "colour=red holder=O home.city=Rome size=7 version=1"},
			{"a field leaves its old name", func() error {
				return repo.Update(t.Context(), 1, memberOwner.Set("N")).Err()
			}, 2, "colour=red home.city=Rome owner=N size=7 version=2"},
			{"the old name's text changes", func() error {
				return p.client.HSet(t.Context(), "member{1}", "holder", "P").Err()
			}, 2, "colour=red holder=P home.city=Rome size=7 version=1"},
			{"a still older name, which nobody reads", func() error {
				return p.client.HSet(t.Context(), "member{1}", "name", "P").Err()
			}, 2, "colour=red holder=O home.city=Rome name=P size=7 version=1"},
			{"a default is stored", func() error {
				return p.client.HSet(t.Context(), "member{1}", "balance", "10").Err()
			}, 2, "balance=10 colour=red holder=O home.city=Rome size=7 version=1"},
			{"what was loaded and is not declared changes", func() error {
				return p.client.HSet(t.Context(), "member{1}", "colour", "blue").Err()
			}, 2, "colour=blue holder=O home.city=Rome size=7 version=1"},
			{"what is to be written appears", func() error {
				return p.client.HSet(t.Context(), "member{1}", "size", "6").Err()
			}, 2, "colour=red holder=O home.city=Rome size=7 version=1"},
			{"something else appears", func() error {
				return p.client.HSet(t.Context(), "member{1}", "shape", "round").Err()
			}, 1, "colour=red holder=O home.city=Rome shape=round size=7 version=1"},
		} {
			p.store(t, "member{1}", "holder", "O", "colour", "red")
			calls := 0
			value(t, c.reason, repo.Edit(t.Context(), 1, func(m *Member) error {
				mine(m)
				if calls++; calls == 1 {
					return c.meanwhile()
				}
				return nil
			}))
			if calls != c.calls {
				t.Errorf("%s: %d calls, want %d", c.reason, calls, c.calls)
			}
			p.wantHash(t, "member{1}", c.want)
		}

		// A conflict names the field, not the name that it had.
		p.store(t, "member{1}", "holder", "O")
		n := 0
		err := repo.Edit(t.Context(), 1, func(m *Member) error {
			n++
			m.Balance++
			return p.client.HSet(t.Context(), "member{1}", "holder", fmt.Sprint(n), "other", fmt.Sprint(n)).Err()
		}).Err()
		if conflict := as[*model.ConflictError](t, "Edit", err); !slices.Contains(conflict.Fields, "owner") || slices.Contains(conflict.Fields, "holder") || conflict.Missing {
			t.Errorf("conflict of %q", conflict.Fields)
		}
		says(t, "a name that is taken", repo.Edit(t.Context(), 1, func(m *Member) error {
			m.More = map[string]string{"name": "x"}
			return nil
		}).Err(), `More["name"]`, "the field Owner")
	})
}

// A hash with more than a script can compare is read, and not edited.
func TestEditOfTooMuch(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		var pairs []any
		for i := range 3*model.Most + 1 {
			pairs = append(pairs, fmt.Sprint(i), "")
		}
		p.store(t, "member{1}", append(pairs, "owner", "O")...)
		repo := members.On(p.db)
		if got := value(t, "Get", repo.Get(t.Context(), 1)); len(got.More) != 3*model.Most+1 {
			t.Errorf("loaded %d fields", len(got.More))
		}
		says(t, "Edit", repo.Edit(t.Context(), 1, func(m *Member) error { m.Owner, m.More = "N", nil; return nil }).Err(),
			"edit member{1}", "more fields than the 2000", "write them by Hash")
		want(t, "Update", repo.Update(t.Context(), 1, memberOwner.Set("N")), 1)
	})
}

// State has a zero that cannot be stored.
type State struct {
	ID    int64  `redis:"id,key"`
	Name  string `redis:"name"`
	State string `redis:"state,oneof=open closed"`
}

var (
	states    = model.Define[State, int64]("state")
	stateName = model.FieldOf(states, func(s *State) *string { return &s.Name })
	stateIs   = model.FieldOf(states, func(s *State) *string { return &s.State })
)

// An enum without a default must be given a value by who makes a record; a stored
// record that lacks it can still be changed.
func TestEnumWithoutDefault(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := states.On(p.db)
		p.store(t, "state{1}", "name", "N")
		want(t, "Upsert", repo.Upsert(t.Context(), 1, stateName.Set("M")), false)
		p.wantHash(t, "state{1}", "name=M")
		value(t, "Edit", repo.Edit(t.Context(), 1, func(s *State) error { s.State = "open"; return nil }))
		p.wantHash(t, "state{1}", "name=M state=open")

		p.store(t, "state{1}", "name", "N")
		as[*field.EncodeError](t, "Edit", repo.Edit(t.Context(), 1, func(s *State) error { s.Name = "M"; return nil }).Err())
		p.wantHash(t, "state{1}", "name=N")
		p.remove(t, "state{1}")
		as[*field.EncodeError](t, "Upsert", repo.Upsert(t.Context(), 1, stateName.Set("M")).Err())
		want(t, "Exists", repo.Exists(t.Context(), 1), false)
		want(t, "Upsert", repo.Upsert(t.Context(), 1, stateIs.Set("open")), true)
		p.wantHash(t, "state{1}", "name= state=open")
	})
}

// Short is a record of plain fields that Save would write by HSET, but for one that
// was renamed.
type Short struct {
	ID   int64  `redis:"id,key"`
	Name string `redis:"name,was=title"`
}

// Save of plain fields removes the names that they had.
func TestSaveOfPlainRenamed(t *testing.T) {
	shorts := model.Define[Short, int64]("short")
	each(t, func(t *testing.T, p place) {
		p.store(t, "short{1}", "title", "T", "other", "o")
		value(t, "Save", shorts.On(p.db).Save(t.Context(), Short{1, "N"}))
		p.wantHash(t, "short{1}", "name=N other=o")
	})
}
