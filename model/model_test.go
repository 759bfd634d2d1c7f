package model_test

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// CityID puts all cities of a country into one slot.
type CityID struct {
	Country string `redis:"country,slot"`
	ID      int64  `redis:"id"`
}

// City has a composite id.
type City struct {
	ID  CityID `redis:"id,key"`
	Pop int64  `redis:"pop"`
}

// Records live where their model's placement says.
func TestKeys(t *testing.T) {
	for _, c := range []struct {
		reason string
		key    func() (string, error)
		want   string
	}{
		{"by default each id has its slot", func() (string, error) { return accounts.KeyOf(-7) }, "account{-7}"},
		{"what means something in keys is escaped", func() (string, error) { return pages.KeyOf("a}b%") }, "page{a%7Db%25}"},
		{"a composite id shares its slot", func() (string, error) {
			return model.Define[City, CityID]("city").KeyOf(CityID{"FR", 5})
		}, "city{FR}:5"},
		{"one slot for all", func() (string, error) {
			return model.Define[Page, string]("page", keyspace.OneSlot("blog")).KeyOf("a:b")
		}, "page{blog}:a%3Ab"},
		{"some slots for all", func() (string, error) {
			return model.Define[Page, string]("page", keyspace.Buckets("blog", 4)).KeyOf("a")
		}, "page{blog.3}:a"},
		{"keys that exist already", func() (string, error) {
			return model.Define[Page, string]("page", keyspace.Template("p:%s")).KeyOf("a")
		}, "p:a"},
	} {
		got, err := c.key()
		ok(t, c.reason, err)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.reason, got, c.want)
		}
	}
	if accounts.Prefix() != "account" {
		t.Errorf("Prefix is %q", accounts.Prefix())
	}
}

// Records with a composite id are loaded with it.
func TestCompositeID(t *testing.T) {
	cities := model.Define[City, CityID]("city")
	each(t, func(t *testing.T, p place) {
		cities := cities.On(p.db)
		paris := City{CityID{"FR", 5}, 100}
		want(t, "Create", cities.Create(t.Context(), paris), paris)
		want(t, "Get", cities.Get(t.Context(), paris.ID), paris)
		p.wantHash(t, "city{FR}:5", "pop=100")
		if err := cities.Get(t.Context(), CityID{Country: "FR"}).Err(); !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("another city of the country answers %v", err)
		}
		if err := cities.Save(t.Context(), City{}).Err(); !errors.Is(err, keyspace.ErrEmptyID) {
			t.Errorf("a city of no country answers %v", err)
		}
	})
}

// A model that declares a connection lives there; on a DB without it every
// verb says so, and nothing is sent anywhere.
func TestConnection(t *testing.T) {
	logs := model.Define[Page, string]("log", keyspace.Connection("logs"), model.Lua(methods("log", `
function M.see(self, other) self.views = self.views + other.views end`)))
	type args struct {
		Other model.Key[Page, string] `lua:"other"`
	}
	see := model.Method[args, struct{}](logs, "see")

	main, other := redistest.Embedded(t).Client(t), redistest.Embedded(t).Client(t)
	db, err := pipectx.New(main, pipectx.Connection("logs", other))
	ok(t, "New", err)
	defer db.Close()
	value(t, "Save", logs.On(db).Save(t.Context(), Page{ID: "a", Views: 2}))
	value(t, "Call", see.On(db).Call(t.Context(), "a", args{logs.Key("a")}))
	if main.DBSize(t.Context()).Val() != 0 || other.HGet(t.Context(), "log{a}", "views").Val() != "4" {
		t.Error("the record is not on its connection")
	}
	says(t, "a record of another connection", see.On(db).Call(t.Context(), "a", args{pages.Key("a")}).Err(), `"logs"`, "one script runs on one server")

	alone := at(t, redis.UniversalClient(main))
	on := logs.On(alone.db)
	for verb, err := range map[string]error{
		"Get":     on.Get(t.Context(), "a").Err(),
		"GetMany": on.GetMany(t.Context(), "a").Err(),
		"Exists":  on.Exists(t.Context(), "a").Err(),
		"Create":  on.Create(t.Context(), Page{ID: "b"}).Err(),
		"Save":    on.Save(t.Context(), Page{ID: "b"}).Err(),
		"Update":  on.Update(t.Context(), "a", views.Set(1)).Err(),
		"Delete":  on.Delete(t.Context(), "a").Err(),
		"Method":  see.On(alone.db).Call(t.Context(), "a", args{logs.Key("a")}).Err(),
	} {
		if !errors.Is(err, pipectx.ErrUnknownConnection) {
			t.Errorf("%s answers %v", verb, err)
		}
	}
	if n := main.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys on the connection without a name", n)
	}
}
