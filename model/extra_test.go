package model_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"testing"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Loose is a record that keeps what it does not declare.
type Loose struct {
	ID   string            `redis:"id,key"`
	Name string            `redis:"name,was=title"`
	Nick *string           `redis:"nick"`
	More map[string]string `redis:",extra"`
}

// Tagged is one without absent fields.
type Tagged struct {
	ID   int64             `redis:"id,key"`
	Name string            `redis:"name"`
	More map[string]string `redis:",extra"`
}

var tagged = model.Define[Tagged, int64]("tagged")

var looses = model.Define[Loose, string]("loose")

// A field tagged extra holds the hash fields that the struct does not declare:
// Get reads them, Save writes those in the map and leaves others alone.
func TestExtra(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := looses.On(p.db)
		p.store(t, "loose{a}", "name", "N", "colour", "red", "\x00", "\xff", "id", "theirs", "", "empty")
		got := value(t, "Get", repo.Get(t.Context(), "a"))
		if all := (map[string]string{"colour": "red", "\x00": "\xff", "id": "theirs", "": "empty"}); got.Name != "N" || got.Nick != nil || !maps.Equal(got.More, all) {
			t.Errorf("loaded %+v", got)
		}
		got.More = map[string]string{"colour": "blue", "size": "7"}
		got.Nick = new("n")
		value(t, "Save", repo.Save(t.Context(), got))
		p.wantHash(t, "loose{a}", "=empty \x00=\xff colour=blue id=theirs name=N nick=n size=7")
		got.Nick, got.More = nil, nil
		value(t, "Save", repo.Save(t.Context(), got))
		p.wantHash(t, "loose{a}", "=empty \x00=\xff colour=blue id=theirs name=N size=7")

		value(t, "Create", repo.Create(t.Context(), Loose{ID: "b", Name: "B", More: map[string]string{"x": "y"}}))
		p.wantHash(t, "loose{b}", "name=B x=y")
		many := value(t, "GetMany", repo.GetMany(t.Context(), "b", "c"))
		if !reflect.DeepEqual(many[0], &Loose{ID: "b", Name: "B", More: map[string]string{"x": "y"}}) || many[1] != nil {
			t.Errorf("GetMany: %+v", many)
		}
		value(t, "Create", repo.Create(t.Context(), Loose{ID: "plain"}))
		if got := value(t, "Get", repo.Get(t.Context(), "plain")); got.More != nil {
			t.Errorf("a record without others has %v", got.More)
		}
	})
}

// A hash without a declared field is no record, whatever else it has.
func TestExtraAlone(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "loose{a}", "colour", "red")
		if got, err := looses.On(p.db).Get(t.Context(), "a").Result(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("loaded %+v, %v", got, err)
		}
		p.client.Del(t.Context(), "loose{a}")
		ok(t, "RPUSH", p.client.RPush(t.Context(), "loose{a}", "x").Err())
		says(t, "Get of a list", looses.On(p.db).Get(t.Context(), "a").Err(), "WRONGTYPE")
	})
}

// A name in the map that a field of the struct has, or had, is refused before
// anything is sent, and so is more than a script can pass on.
func TestExtraRefused(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := looses.On(p.db)
		p.client.Del(t.Context(), "loose{a}")
		for name, owner := range map[string]string{"name": "Name", "nick": "Nick", "title": "Name"} {
			given := Loose{ID: "a", Nick: new("n"), More: map[string]string{name: "x"}}
			for verb, err := range map[string]error{
				"Save":   repo.Save(t.Context(), given).Err(),
				"Create": repo.Create(t.Context(), given).Err(),
				"Map":    second(looses.Map(given)),
			} {
				says(t, verb, err, fmt.Sprintf("model_test.Loose.More[%q]", name), "the field "+owner, "set that one")
			}
		}
		many := map[string]string{}
		for i := range model.Most {
			many[fmt.Sprint(i)] = ""
		}
		says(t, "Save", repo.Save(t.Context(), Loose{ID: "a", More: many}).Err(), "More makes 2002 stored fields", "may have 2000")
		delete(many, "0")
		delete(many, "1")
		value(t, "Create", repo.Create(t.Context(), Loose{ID: "a", More: many}))
		if got := value(t, "Get", repo.Get(t.Context(), "a")); !maps.Equal(got.More, many) {
			t.Errorf("%d of %d extra fields came back", len(got.More), len(many))
		}
		if n := p.client.Exists(t.Context(), "loose{a}").Val(); n != 1 {
			t.Error("there is no record")
		}
	})
}

// Map is what is stored of a record, by name.
func TestMap(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		person := Person{ID: "a", Name: "Ada", Age: field.Some(36)}
		all, err := people.Map(person)
		ok(t, "Map", err)
		if want := map[string]string{"name": "Ada", "age": "36", "score": "0"}; !maps.Equal(all, want) {
			t.Errorf("Map = %v, want %v", all, want)
		}
		value(t, "Save", people.On(p.db).Save(t.Context(), person))
		if stored := p.client.HGetAll(t.Context(), "person{a}").Val(); !maps.Equal(all, stored) {
			t.Errorf("Map = %v, stored is %v", all, stored)
		}
	})
	all, err := looses.Map(Loose{Name: "N", More: map[string]string{"x": "y"}})
	if want := map[string]string{"name": "N", "x": "y"}; err != nil || !maps.Equal(all, want) {
		t.Errorf("Map = %v, %v, want %v", all, err, want)
	}
	_, err = people.Map(Person{Age: field.Some(200)})
	as[*model.ValidationError](t, "Map", err)
	_, err = model.Define[Page, string]("page").Map(Page{Score: math.NaN()})
	as[*field.EncodeError](t, "Map", err)
}

func second[A any](_ A, err error) error { return err }
