package model_test

import (
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// Shelf has fields at the same address and of the same type as others.
type Shelf struct {
	Audit
	ID    string  `redis:"id,key"`
	Box   Box     `redis:"box"`
	Other Box     `redis:"other"`
	Free  string  // not stored
	Link  *string `redis:"link"`
	Far   *Box    `redis:"far"`
	Count int64   `redis:"count,version"`
}

// Box begins with a string, which has the address of the box.
type Box struct{ Label string }

var shelves = model.Define[Shelf, string]("shelf")

var elsewhere = new("elsewhere")

// FieldOf knows a field by its address and its type, those of embedded structs
// too.
func TestFieldOf(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{model.FieldOf(shelves, func(s *Shelf) *Box { return &s.Box }).Name(), "box"},
		{model.FieldOf(shelves, func(s *Shelf) *Box { return &s.Other }).Name(), "other"},
		{model.FieldOf(shelves, func(s *Shelf) **string { return &s.Link }).Name(), "link"},
		{model.FieldOf(shelves, func(s *Shelf) **string { return &s.Editor }).Name(), "editor"},
		{model.FieldOf(shelves, func(s *Shelf) **string { return s.editor() }).Name(), "editor"},
		{owner.Name(), "owner"},
	} {
		if c.got != c.want {
			t.Errorf("the field is %s, want %s", c.got, c.want)
		}
	}
}

func (s *Shelf) editor() **string { return &s.Editor }

// A function that does not return the address of a field that may change is
// found at start-up.
func TestFieldOfRefuses(t *testing.T) {
	for _, c := range []struct {
		reason string
		make   func()
		says   []string
	}{
		{"the id", func() { model.FieldOf(shelves, func(s *Shelf) *string { return &s.ID }) }, []string{"Shelf.ID is the key"}},
		{"the version", func() { model.FieldOf(shelves, func(s *Shelf) *int64 { return &s.Count }) }, []string{"Shelf.Count is the version"}},
		{"not stored", func() { model.FieldOf(shelves, func(s *Shelf) *string { return &s.Free }) }, []string{"stored field", "of type string", "redis:\"name\""}},
		{"a part of a field", func() { model.FieldOf(shelves, func(s *Shelf) *string { return &s.Box.Label }) }, []string{"stored field"}},
		{"all of an embedded struct", func() { model.FieldOf(shelves, func(s *Shelf) *Audit { return &s.Audit }) }, []string{"stored field"}},
		{"what a field points to", func() { model.FieldOf(shelves, func(s *Shelf) *string { return s.Link }) }, []string{"stored field", "`return &r.Field`"}},
		{"through a field that is nil", func() { model.FieldOf(shelves, func(s *Shelf) *string { return &s.Far.Label }) }, []string{"stored field"}},
		{"somewhere else", func() { model.FieldOf(shelves, func(*Shelf) *string { return elsewhere }) }, []string{"stored field"}},
		{"a copy", func() { model.FieldOf(shelves, func(s *Shelf) *Box { b := s.Box; return &b }) }, []string{"stored field"}},
		{"the record", func() { model.FieldOf(shelves, func(s *Shelf) *Shelf { return s }) }, []string{"stored field"}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			says(t, "FieldOf", panics(t, c.make), append(c.says, "field_test.go:", "model: FieldOf: ")...)
		})
	}
}

// A change that cannot be made is refused by Update, which names the field and
// writes nothing.
func TestChangesRefused(t *testing.T) {
	type odd struct {
		ID   string              `redis:"id,key"`
		Rate float64             `redis:"rate"`
		Form field.Optional[Box] `redis:"form"`
		Code int64               `redis:"code,json"`
	}
	odds := model.Define[odd, string]("odd")
	rate := model.FieldOf(odds, func(o *odd) *float64 { return &o.Rate })
	form := model.FieldOf(odds, func(o *odd) *field.Optional[Box] { return &o.Form })
	code := model.FieldOf(odds, func(o *odd) *int64 { return &o.Code })
	inf := 1e308
	inf *= 10

	each(t, func(t *testing.T, p place) {
		on := odds.On(p.db)
		value(t, "Save", on.Save(t.Context(), odd{ID: "a", Rate: 1}))
		before := p.hash(t, "odd{a}")
		for _, c := range []struct {
			reason  string
			changes []model.Change[odd]
			says    string
		}{
			{"the text of an infinity", []model.Change[odd]{rate.Set(inf)}, "rate: +Inf is not storable"},
			{"adding an infinity", []model.Change[odd]{model.Incr(rate, inf)}, "rate: +Inf cannot be added"},
			{"adding to JSON", []model.Change[odd]{model.Incr(code, 1)}, "not stored as a number"},
			{"clearing what is never absent", []model.Change[odd]{rate.Clear()}, "declare the field as a pointer"},
			{"setting to nothing if there is nothing", []model.Change[odd]{form.SetIfAbsent(field.None[Box]())}, "the value is absent"},
			{"two changes of a field", []model.Change[odd]{rate.Set(1), model.Incr(rate, 1)}, "two changes of rate"},
			{"a change that was not made", []model.Change[odd]{{}}, "a Change is empty"},
			{"one bad change of two", []model.Change[odd]{form.Set(field.Some(Box{"x"})), rate.Set(inf)}, "rate"},
		} {
			says(t, c.reason, on.Update(t.Context(), "a", c.changes...).Err(), c.says)
			p.wantHash(t, "odd{a}", before)
		}
	})
}

// Two models of one type share its fields.
func TestFieldsOfTwoModels(t *testing.T) {
	drafts := model.Define[Page, string]("draft")
	each(t, func(t *testing.T, p place) {
		value(t, "Save", drafts.On(p.db).Save(t.Context(), Page{ID: "a"}))
		want(t, "Update", drafts.On(p.db).Update(t.Context(), "a", title.Set("x")), 1)
		draftTitle := model.FieldOf(drafts, func(p *Page) *string { return &p.Title })
		says(t, "both", drafts.On(p.db).Update(t.Context(), "a", title.Set("y"), draftTitle.Set("z")).Err(), "two changes of title")
		p.wantHash(t, "draft{a}", "score=0 title=x views=0")
	})
}
