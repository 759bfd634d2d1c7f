package model_test

import (
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Pick loads the fields it is given, and tells a record without them from none.
func TestPick(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "Ada", "age", 36, "score", 1)
		p.store(t, "person{old}", "name", "Old")
		for _, c := range []struct {
			reason string
			id     string
			fields []model.AnyField[Person]
			want   Person
		}{
			{"one", "a", []model.AnyField[Person]{name}, Person{ID: "a", Name: "Ada"}},
			{"two", "a", []model.AnyField[Person]{points, age}, Person{ID: "a", Age: field.Some(36), Score: 1}},
			{"one twice", "a", []model.AnyField[Person]{name, name}, Person{ID: "a", Name: "Ada"}},
			{"an absent one", "a", []model.AnyField[Person]{nick}, Person{ID: "a"}},
			{"one that was declared after the record was stored", "old", []model.AnyField[Person]{points, age}, Person{ID: "old"}},
		} {
			want(t, c.reason, people.Pick(t.Context(), c.id, c.fields...), c.want)
		}
		if err := people.Pick(t.Context(), "b", nick).Err(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("a missing record answers %v", err)
		}
		says(t, "no fields", people.Pick(t.Context(), "a").Err(), "model: Pick of no fields; name one")
		p.client.HSet(t.Context(), "person{a}", "age", "old")
		want(t, "beside a wrong text", people.Pick(t.Context(), "a", name), Person{ID: "a", Name: "Ada"})
		d := as[*field.DecodeError](t, "a wrong text", people.Pick(t.Context(), "a", name, age).Err())
		if d != nil && (d.Key != "person{a}" || d.Field != "age" || d.Text != "old") {
			t.Errorf("%+v", *d)
		}
	})
}

// A zero Field says what it is.
func TestZeroField(t *testing.T) {
	p := at(t, redistestEmbedded(t))
	err := panics(t, func() { people.On(p.db).Pick(t.Context(), "a", model.Field[Person, string]{}) })
	says(t, "Pick", err, "a zero Field", "make it with FieldOf")
	for what, change := range map[string]func(){
		"Set":         func() { model.Field[Person, string]{}.Set("x") },
		"SetIfAbsent": func() { model.Field[Person, string]{}.SetIfAbsent("x") },
		"Clear":       func() { model.Field[Person, *string]{}.Clear() },
		"Incr":        func() { model.Incr(model.Field[Person, int64]{}, 1) },
		"Decr":        func() { model.Decr(model.Field[Person, int64]{}, 1) },
		"Name":        func() { _ = model.Field[Person, string]{}.Name() },
	} {
		says(t, what, panics(t, change), "a zero Field", "make it with FieldOf")
	}
}
