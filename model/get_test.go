package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What was saved loads as it was; what is not there is ErrNotFound, which is no
// failure of a Run.
func TestGet(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		made := value(t, "Create", accounts.Create(t.Context(), ada()))
		if got := value(t, "Get", accounts.Get(t.Context(), 7)); show(got) != show(made) {
			t.Errorf("loaded %s, want %s", show(got), show(made))
		}

		var there, missing *pipectx.Ref[Account]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			there, missing = accounts.Get(ctx, 7), accounts.Get(ctx, 8)
			return nil
		})
		ok(t, "Run", err)
		if err := missing.Err(); !errors.Is(err, pipectx.ErrNotFound) || !strings.Contains(err.Error(), "account{8}") {
			t.Errorf("a missing record answers %v", err)
		}
		if got, _ := missing.Result(); got != (Account{}) {
			t.Errorf("a missing record is %s, want a zero one", show(got))
		}
		if got := value(t, "Get", there); got.Owner != "Ada" {
			t.Errorf("the record beside a missing one is %s", show(got))
		}
	})
}

// Fields that are not stored are absent, or zero where they cannot be; what
// else is stored there is left alone.
func TestGetPartly(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "person{a}", "age", "7", "unknown", "u")
		got := value(t, "Get", people.On(p.db).Get(t.Context(), "a"))
		if got.ID != "a" || got.Name != "" || got.Nick != nil || got.Age != field.Some(7) {
			t.Errorf("loaded %+v", got)
		}
		p.store(t, "person{b}", "unknown", "u")
		if err := people.On(p.db).Get(t.Context(), "b").Err(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("a hash of nothing that is declared answers %v", err)
		}
	})
}

// A text that is not a value of its field's type is an error that names key and
// field, and never a zero.
func TestGetUndecodable(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, c := range []struct{ field, text string }{
			{"balance", "abc"},
			{"balance", ""},
			{"balance", "9223372036854775808"},
			{"opened", "yesterday"},
			{"address", "{"},
			{"version", "1.5"},
		} {
			p.store(t, "account{7}", "owner", "Ada", c.field, c.text)
			err := accounts.On(p.db).Get(t.Context(), 7).Err()
			e := as[*field.DecodeError](t, c.text, err)
			if e != nil && (e.Key != "account{7}" || e.Field != c.field || e.Text != c.text) {
				t.Errorf("%q as %s answers %+v", c.text, c.field, *e)
			}
			says(t, c.text, err, "model: field: account{7} "+c.field)
		}
	})
}

// A key of another Redis type is the server's error.
func TestWrongType(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		ok(t, "SET", p.client.Set(t.Context(), "person{s}", "text", 0).Err())
		for verb, err := range map[string]error{
			"Get":    people.Get(t.Context(), "s").Err(),
			"Save":   people.Save(t.Context(), Person{ID: "s", Age: field.Some(1), Nick: new("n")}).Err(),
			"absent": people.Save(t.Context(), Person{ID: "s"}).Err(),
			"Update": people.Update(t.Context(), "s", name.Set("x")).Err(),
		} {
			says(t, verb, err, "WRONGTYPE", "person{s}")
		}
		if err := people.Create(t.Context(), Person{ID: "s"}).Err(); !errors.Is(err, model.ErrExists) {
			t.Errorf("Create answers %v", err)
		}
	})
}

// GetMany answers in the order of its ids, twice what is asked twice, and nil
// where there is nothing; over all nodes of a Cluster; alone and in a Run.
func TestGetMany(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		var ids []string
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			for i := range 20 {
				id := fmt.Sprint("p", i)
				ids = append(ids, id, "no"+id)
				pages.Save(ctx, Page{ID: id, Title: "title of " + id})
			}
			return nil
		})
		ok(t, "Run", err)
		ids = append(ids, "p3")
		check := func(how string, many *pipectx.Ref[[]*Page]) {
			t.Helper()
			all := value(t, how, many)
			if len(all) != len(ids) {
				t.Fatalf("%s: %d records for %d ids", how, len(all), len(ids))
			}
			for i, id := range ids {
				switch page := all[i]; {
				case strings.HasPrefix(id, "no"):
					if page != nil {
						t.Errorf("%s: %s is %v, want nil", how, id, page)
					}
				case page == nil || *page != Page{ID: id, Title: "title of " + id}:
					t.Errorf("%s: %s is %v", how, id, page)
				}
			}
		}
		check("alone", pages.GetMany(t.Context(), ids...))
		var many, none *pipectx.Ref[[]*Page]
		err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			many, none = pages.GetMany(ctx, ids...), pages.GetMany(ctx)
			if _, err := many.Result(); err != pipectx.ErrPending {
				t.Errorf("before the flush: %v", err)
			}
			return nil
		})
		ok(t, "Run", err)
		check("in a Run", many)
		if all := value(t, "of none", none); len(all) != 0 {
			t.Errorf("no ids give %d records", len(all))
		}
	})
}

// One record that cannot be read is the error of all of GetMany; an id that
// cannot be one poisons the Run.
func TestGetManyFails(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		value(t, "Save", pages.Save(t.Context(), Page{ID: "a"}))
		p.store(t, "page{b}", "views", "many")
		e := as[*field.DecodeError](t, "GetMany", pages.GetMany(t.Context(), "a", "b").Err())
		if e != nil && (e.Key != "page{b}" || e.Field != "views") {
			t.Errorf("%+v", *e)
		}
		var beside *pipectx.Ref[Page]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			beside = pages.Get(ctx, "a")
			pages.GetMany(ctx, "a", "")
			return nil
		})
		if !errors.Is(err, keyspace.ErrEmptyID) || !errors.Is(beside.Err(), pipectx.ErrDiscarded) {
			t.Errorf("an empty id: the Run answers %v, what is beside it %v", err, beside.Err())
		}
	})
}

// Exists and Delete tell whether there is a record; Delete leaves none.
func TestExistsDelete(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		want(t, "Exists", pages.Exists(t.Context(), "a"), false)
		want(t, "Delete", pages.Delete(t.Context(), "a"), false)
		value(t, "Save", pages.Save(t.Context(), Page{ID: "a"}))
		want(t, "Exists", pages.Exists(t.Context(), "a"), true)
		want(t, "Delete", pages.Delete(t.Context(), "a"), true)
		want(t, "Exists", pages.Exists(t.Context(), "a"), false)
	})
}
