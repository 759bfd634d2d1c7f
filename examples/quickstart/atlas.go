package main

import (
	"context"
	"embed"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// CityID is a composite id: everything of one country shares a Cluster slot, so
// that its cities can meet in one script.
type CityID struct {
	Country string `redis:"country,slot"`
	ID      int64  `redis:"id"`
}

// City is a record: one Redis hash.
type City struct {
	ID         CityID  `redis:"id,key"`
	Name       string  `redis:"name" validate:"required,max=200"`
	Region     *string `redis:"region"` // a pointer: it may be absent
	Lat        float64 `redis:"lat" validate:"gte=-90,lte=90"`
	Lon        float64 `redis:"lon" validate:"gte=-180,lte=180"`
	Population int64   `redis:"population" validate:"gte=0"`
	Feature    string  `redis:"feature"`
}

// MergeArgs are the arguments of merge in city.lua, by name.
type MergeArgs struct {
	Other model.Key[City, CityID] `lua:"other"`
}

//go:embed city.lua
var sources embed.FS

// What is stored. Definitions hold no connection; a mistake in one of them, or
// in city.lua, ends the program here, before it has begun.
var (
	Cities = model.Define[City, CityID]("quickstart.city", model.Lua(lua.Must(lua.LoadFS(sources, "city")))) // quickstart.city{FR}:2988507
	Merge  = model.Method[MergeArgs, int64](Cities, "merge")
	Dense  = model.Method[float64, float64](Cities, "density")

	Members = keyspace.NewSet[string, int64]("quickstart.cities")           // quickstart.cities{FR}: ids
	Ranking = keyspace.NewSortedSet[string, int64]("quickstart.population") // quickstart.population{FR}: ids by population
	Views   = keyspace.NewString[string, int64]("quickstart.views")         // quickstart.views{FR}: a counter
)

// Atlas is a service on them.
type Atlas struct {
	db      *pipectx.DB
	cities  model.Repo[City, CityID]
	members keyspace.BoundSet[string, int64]
	ranking keyspace.BoundSortedSet[string, int64]
	views   keyspace.BoundString[string, int64]
}

// NewAtlas returns the service on a DB.
func NewAtlas(db *pipectx.DB) *Atlas {
	return &Atlas{db, Cities.On(db), Members.On(db), Ranking.On(db), Views.On(db)}
}

// Store saves a city and files it under its country. Called alone it costs one
// round trip; a thousand of them under one Run cost one as well.
func (a *Atlas) Store(ctx context.Context, c City) error {
	return pipectx.Run(ctx, a.db, func(ctx context.Context) error {
		a.cities.Save(ctx, c)
		a.members.Add(ctx, c.ID.Country, c.ID.ID)
		a.ranking.Add(ctx, c.ID.Country, c.ID.ID, float64(c.Population))
		return nil
	})
}

// Count counts the cities of a country.
func (a *Atlas) Count(ctx context.Context, country string) *pipectx.Ref[int64] {
	return a.members.Card(ctx, country)
}

// View counts one more view of a country's page.
func (a *Atlas) View(ctx context.Context, country string) *pipectx.Ref[int64] {
	return a.views.Incr(ctx, country)
}

// Largest returns the n largest cities of a country, with their records. Which
// they are is known only after a first round trip; the callback then asks for
// the records, and they go out together with whatever other callbacks ask for.
func (a *Atlas) Largest(ctx context.Context, country string, n int64) (*pipectx.Ref[[]*City], error) {
	var cities *pipectx.Ref[[]*City]
	err := pipectx.Run(ctx, a.db, func(ctx context.Context) error {
		var set func([]*City, error)
		cities, set = pipectx.NewRef[[]*City](ctx)
		ids := a.ranking.RevRange(ctx, country, 0, n-1)
		return pipectx.After(ctx, func(ctx context.Context) error {
			largest, err := ids.Result()
			if err != nil {
				return err
			}
			keys := make([]CityID, len(largest))
			for i, id := range largest {
				keys[i] = CityID{country, id}
			}
			found := a.cities.GetMany(ctx, keys...)
			return pipectx.After(ctx, func(context.Context) error {
				set(found.Result())
				return nil
			})
		})
	})
	return cities, err
}

// Page is all that a country's page shows.
type Page struct {
	Country string
	Count   *pipectx.Ref[int64]
	Views   *pipectx.Ref[int64]
	Largest *pipectx.Ref[[]*City]
}

// CountryPage composes the functions above. None of them knows of it, and none
// costs a round trip of its own: the page takes two.
func (a *Atlas) CountryPage(ctx context.Context, country string) (p Page, err error) {
	p.Country = country
	err = pipectx.Run(ctx, a.db, func(ctx context.Context) (err error) {
		p.Count = a.Count(ctx, country)
		p.Views = a.View(ctx, country)
		p.Largest, err = a.Largest(ctx, country, 10)
		return err
	})
	return p, err
}

// Merge moves the people of one city to another of the same country, and keeps
// the ranking right.
func (a *Atlas) Merge(ctx context.Context, into, from CityID) (*pipectx.Ref[int64], error) {
	var people *pipectx.Ref[int64]
	err := pipectx.Run(ctx, a.db, func(ctx context.Context) error {
		people = Merge.On(a.db).Call(ctx, into, MergeArgs{Other: Cities.Key(from)})
		return pipectx.After(ctx, func(ctx context.Context) error {
			if n, err := people.Result(); err == nil { // an error is in Run's already
				a.ranking.Add(ctx, into.Country, into.ID, float64(n))
				a.ranking.Add(ctx, from.Country, from.ID, 0)
			}
			return nil
		})
	})
	return people, err
}
