package model_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A record's time to live is set, told, taken away, and kept by writes.
func TestLife(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "Ada", "score", 1)
		left := func() time.Duration { return value(t, "TTL", people.TTL(t.Context(), "a")).Or(-1) }
		if d := left(); d != -1 {
			t.Errorf("TTL of a new record is %v", d)
		}
		want(t, "Persist", people.Persist(t.Context(), "a"), false)
		want(t, "Expire", people.Expire(t.Context(), "a", time.Hour), true)
		for what, write := range map[string]func() error{
			"Save":   func() error { return people.Save(t.Context(), Person{ID: "a", Nick: new("n")}).Err() },
			"Update": func() error { return people.Update(t.Context(), "a", name.Set(time.Now().String())).Err() },
			"Upsert": func() error { return people.Upsert(t.Context(), "a", model.Incr(points, 1)).Err() },
			"Edit": func() error {
				return people.Edit(t.Context(), "a", func(p *Person) error { p.Score++; return nil }).Err()
			},
			"Pop": func() error { return model.Pop(t.Context(), people, "a", nick).Err() },
		} {
			ok(t, what, write())
			if d := left(); d <= 59*time.Minute || d > time.Hour {
				t.Errorf("after %s the time to live is %v", what, d)
			}
		}
		want(t, "Persist", people.Persist(t.Context(), "a"), true)
		if d := left(); d != -1 {
			t.Errorf("TTL after Persist is %v", d)
		}
		want(t, "ExpireAt", people.ExpireAt(t.Context(), "a", time.Now().Add(time.Hour)), true)
		want(t, "ExpireAt the past", people.ExpireAt(t.Context(), "a", time.Unix(1, 0)), true)
		want(t, "Exists", people.Exists(t.Context(), "a"), false)
		want(t, "Expire of none", people.Expire(t.Context(), "a", time.Hour), false)
		if err := people.TTL(t.Context(), "a").Err(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("TTL of none answers %v", err)
		}
		says(t, "Expire at once", people.Expire(t.Context(), "a", 0).Err(), "person{a}", "at least one")
	})
}

// DeleteMany removes records of any slots and answers how many there were.
func TestDeleteMany(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		for _, id := range []string{"a", "b", "c"} {
			value(t, "Save", pages.Save(t.Context(), Page{ID: id}))
		}
		want(t, "DeleteMany", pages.DeleteMany(t.Context(), "a", "x", "c"), 2)
		want(t, "DeleteMany of none", pages.DeleteMany(t.Context()), 0)
		want(t, "Exists", pages.Exists(t.Context(), "b"), true)
	})
}

// Hash is the record's Redis hash, with the verbs of package keyspace.
func TestHash(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		value(t, "Save", pages.On(p.db).Save(t.Context(), Page{ID: "a}b", Title: "T"}))
		hash := pages.On(p.db).Hash("a}b")
		want(t, "Get", hash.Get(t.Context(), "title"), "T")
		want(t, "Set", hash.Set(t.Context(), "more", "m"), true)
		p.wantHash(t, "page{a%7Db}", "more=m score=0 title=T views=0")
		if hash.String() != "page{a%7Db}" {
			t.Errorf("its key is %s", hash)
		}
	})
}

// What was not bound to a DB says so, and how to.
func TestUnbound(t *testing.T) {
	for what, use := range map[string]func(){
		"a nil DB":          func() { people.On(nil) },
		"a zero Repo: Get":  func() { model.Repo[Person, string]{}.Get(t.Context(), "a") },
		"Save":              func() { model.Repo[Person, string]{}.Save(t.Context(), Person{}) },
		"Create":            func() { model.Repo[Person, string]{}.Create(t.Context(), Person{}) },
		"Update":            func() { model.Repo[Person, string]{}.Update(t.Context(), "a") },
		"Upsert":            func() { model.Repo[Person, string]{}.Upsert(t.Context(), "a") },
		"Edit":              func() { model.Repo[Person, string]{}.Edit(t.Context(), "a", nil) },
		"Pick":              func() { model.Repo[Person, string]{}.Pick(t.Context(), "a", name) },
		"Pop":               func() { model.Pop(t.Context(), model.Repo[Person, string]{}, "a", nick) },
		"GetMany":           func() { model.Repo[Person, string]{}.GetMany(t.Context()) },
		"DeleteMany":        func() { model.Repo[Person, string]{}.DeleteMany(t.Context()) },
		"Each":              func() { model.Repo[Person, string]{}.Each(t.Context(), nil) },
		"Scan":              func() { model.Repo[Person, string]{}.Scan(t.Context()) },
		"ScanIDs":           func() { model.Repo[Person, string]{}.ScanIDs(t.Context()) },
		"Count":             func() { model.Repo[Person, string]{}.Count(t.Context()) },
		"TTL":               func() { model.Repo[Person, string]{}.TTL(t.Context(), "a") },
		"FieldTTL":          func() { model.Repo[Person, string]{}.FieldTTL(t.Context(), "a", nick) },
		"a nil DB, method":  func() { withdraw.On(nil) },
		"a zero Bound":      func() { model.BoundOperation[int64, int64, int64]{}.Call(t.Context(), 1, 1) },
		"Exists and Delete": func() { model.Repo[Person, string]{}.Delete(t.Context(), "a") },
	} {
		says(t, what, panics(t, use), "model: ", " DB")
	}
}
