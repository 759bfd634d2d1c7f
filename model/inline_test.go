package model_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// Site is a record with structs inline, two deep, and one of them twice.
type Site struct {
	ID   int64  `redis:"id,key"`
	Name string `redis:"name"`
	Bill Street `redis:"bill,inline"`
	Ship Street `redis:"ship,inline"`
}

// Street is part of a Site.
type Street struct {
	City  string               `redis:"city" validate:"max=8"`
	Zip   field.Optional[int]  `redis:"zip" validate:"omitempty,gte=100"`
	Place Spot                 `redis:"place,inline"`
	Notes map[string]string    // neither stored nor looked at
	Paid  field.Optional[bool] `redis:"-"`
}

// Spot is part of a Street.
type Spot struct {
	Level
	X int64 `redis:"x" validate:"lte=9"`
}

// Level is embedded in a Spot: its field is the Spot's.
type Level struct {
	Floor int8 `redis:"floor"`
}

var (
	sites    = model.Define[Site, int64]("site", model.Lua(methods("site", siteLua)))
	shipCity = model.FieldOf(sites, func(s *Site) *string { return &s.Ship.City })
	shipX    = model.FieldOf(sites, func(s *Site) *int64 { return &s.Ship.Place.X })
	billZip  = model.FieldOf(sites, func(s *Site) *field.Optional[int] { return &s.Bill.Zip })
	shift    = model.Method[int64, string](sites, "shift")
)

const siteLua = `
--- @arg by int
--- @return string
function M.shift(self, by)
  self["ship.place.x"] = self["ship.place.x"] + by
  return self["ship.city"]
end`

// The fields of a struct that is inline are fields of the record, under its
// name, at any depth: for verbs, changes, rules and Lua.
func TestInline(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := sites.On(p.db)
		site := Site{ID: 1, Name: "S", Bill: Street{City: "Rome", Zip: field.Some(100)}, Ship: Street{City: "Oslo", Place: Spot{Level{-1}, 5}}}
		value(t, "Save", repo.Save(t.Context(), site))
		p.wantHash(t, "site{1}", "bill.city=Rome bill.place.floor=0 bill.place.x=0 bill.zip=100 name=S ship.city=Oslo ship.place.floor=-1 ship.place.x=5")
		if got := value(t, "Get", repo.Get(t.Context(), 1)); !reflect.DeepEqual(got, site) {
			t.Errorf("loaded %+v, want %+v", got, site)
		}

		want(t, "Update", repo.Update(t.Context(), 1, shipCity.Set("Bern"), model.Incr(shipX, 2), billZip.Clear()), 3)
		p.wantHash(t, "site{1}", "bill.city=Rome bill.place.floor=0 bill.place.x=0 name=S ship.city=Bern ship.place.floor=-1 ship.place.x=7")
		want(t, "Call", shift.On(p.db).Call(t.Context(), 1, 2), "Bern")
		p.wantHash(t, "site{1}", "bill.city=Rome bill.place.floor=0 bill.place.x=0 name=S ship.city=Bern ship.place.floor=-1 ship.place.x=9")

		says(t, "Call", shift.On(p.db).Call(t.Context(), 1, 1).Err(), "RANGE", "ship.place.x", "above 9")
		says(t, "Update", repo.Update(t.Context(), 1, model.Incr(shipX, 1)).Err(), "ship.place.x", "above 9")
		says(t, "Update", repo.Update(t.Context(), 1, shipCity.Set("Reykjavik")).Err(), "ship.city breaks the rule max=8")
		site.Bill.Zip = field.Some(1)
		says(t, "Save", repo.Save(t.Context(), site).Err(), "bill.zip breaks the rule gte=100")
	})
	if name := shipX.Name(); name != "ship.place.x" {
		t.Errorf("the name of an inline field is %s", name)
	}
}

// A struct that is inline is no field by itself, in Go or in Lua, and whoever
// takes it for one is told.
func TestInlineIsNoField(t *testing.T) {
	err := panics(t, func() { model.FieldOf(sites, func(s *Site) *Street { return &s.Ship }) })
	says(t, "FieldOf", err, "stored field of model_test.Site of type model_test.Street")
	m := model.Define[Site, int64]("site", model.Lua(methods("site", "function M.f(self) return self.ship end\nfunction M.g(self) return self.ship.city end")))
	for _, f := range []string{"f", "g"} {
		_, err = model.TryMethod[struct{}, string](m, f)
		says(t, fmt.Sprint("Method ", f), err, `no field "ship"`, `self["ship.city"]`)
	}
}
