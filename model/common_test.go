package model_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/luacover"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// Account is a record with all that a record may have.
type Account struct {
	ID      int64     `redis:"id,key"`
	Owner   string    `redis:"owner" validate:"required,max=80"`
	Email   *string   `redis:"email" validate:"omitempty,email"`
	Balance int64     `redis:"balance" validate:"gte=0"`
	Opened  time.Time `redis:"opened"`
	Address Address   `redis:"address"`
	Version int64     `redis:"version,version"`
}

// Address is stored as JSON.
type Address struct {
	Street string `validate:"max=20"`
	City   string
}

// Page is a record without absent fields and versions: it is saved by HSET.
type Page struct {
	ID    string  `redis:"id,key"`
	Title string  `redis:"title"`
	Views int64   `redis:"views"`
	Score float64 `redis:"score"`
}

// Person is a record with absent fields and without a version.
type Person struct {
	ID    string              `redis:"id,key"`
	Name  string              `redis:"name"`
	Nick  *string             `redis:"nick"`
	Age   field.Optional[int] `redis:"age" validate:"omitempty,gte=0,lte=150"`
	Score int64               `redis:"score"`
}

var (
	accounts = model.Define[Account, int64]("account")
	owner    = model.FieldOf(accounts, func(a *Account) *string { return &a.Owner })
	email    = model.FieldOf(accounts, func(a *Account) **string { return &a.Email })
	balance  = model.FieldOf(accounts, func(a *Account) *int64 { return &a.Balance })

	pages = model.Define[Page, string]("page")
	title = model.FieldOf(pages, func(p *Page) *string { return &p.Title })
	views = model.FieldOf(pages, func(p *Page) *int64 { return &p.Views })
	rank  = model.FieldOf(pages, func(p *Page) *float64 { return &p.Score })

	people = model.Define[Person, string]("person")
	name   = model.FieldOf(people, func(p *Person) *string { return &p.Name })
	nick   = model.FieldOf(people, func(p *Person) **string { return &p.Nick })
	age    = model.FieldOf(people, func(p *Person) *field.Optional[int] { return &p.Age })
	points = model.FieldOf(people, func(p *Person) *int64 { return &p.Score })
)

var opened = time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)

// ada is a valid account, ready to be created.
func ada() Account {
	return Account{ID: 7, Owner: "Ada", Email: new("ada@example.org"), Balance: 100, Opened: opened, Address: Address{"Main St", "London"}}
}

// A place is a server of some kind that a test runs on.
type place struct {
	db     *pipectx.DB
	client redis.UniversalClient
}

// each runs a test on the embedded server, on every real one at hand, and on a
// Cluster: the same program must do the same on all.
func each(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		patient := func(o *redis.Options) { o.ReadTimeout = 30 * time.Second } // Lua is slow where the race detector sees it
		test(t, at(t, s.Client(t, patient)))
	})
	t.Run("cluster", func(t *testing.T) { test(t, at(t, redistest.Cluster(t).Client(t))) })
}

func at(t testing.TB, client redis.UniversalClient) place {
	t.Helper()
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return place{luacover.Watched(t, db), client}
}

// hash is what is stored under a key, "name=text name=text", sorted.
func (p place) hash(t testing.TB, key string) string {
	t.Helper()
	all, err := p.client.HGetAll(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, name+"="+all[name])
	}
	return strings.Join(texts, " ")
}

// store stores a hash as some other program would.
func (p place) store(t testing.TB, key string, pairs ...any) {
	t.Helper()
	ok(t, "store "+key, p.client.Del(t.Context(), key).Err())
	ok(t, "store "+key, p.client.HSet(t.Context(), key, pairs...).Err())
}

// remove removes keys, which may live in different slots.
func (p place) remove(t testing.TB, keys ...string) {
	t.Helper()
	for _, key := range keys {
		ok(t, "remove "+key, p.client.Del(t.Context(), key).Err())
	}
}

func (p place) wantHash(t testing.TB, key, want string) {
	t.Helper()
	if got := p.hash(t, key); got != want {
		t.Errorf("stored under %s:\n\t%s\nwant\n\t%s", key, got, want)
	}
}

func ok(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// value returns what a Ref answers, which must be no error.
func value[T any](t testing.TB, what string, ref *pipectx.Ref[T]) T {
	t.Helper()
	v, err := ref.Result()
	ok(t, what, err)
	return v
}

// want fails the test unless the Ref answers v.
func want[T comparable](t testing.TB, what string, ref *pipectx.Ref[T], v T) {
	t.Helper()
	if got := value(t, what, ref); got != v {
		t.Errorf("%s = %v, want %v", what, got, v)
	}
}

// says fails the test unless err's text contains each of parts.
func says(t testing.TB, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one that says %q", what, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error is\n\t%v\nand does not say %q", what, err, part)
		}
	}
}

// as fails the test unless err is an E, and returns it.
func as[E error](t testing.TB, what string, err error) (e E) {
	t.Helper()
	if !errors.As(err, &e) {
		t.Errorf("%s: %v (%T), want a %T", what, err, err, e)
	}
	return e
}

// panics returns what f panics with, which must be an error.
func panics(t testing.TB, f func()) (err error) {
	t.Helper()
	defer func() {
		t.Helper()
		switch p := recover().(type) {
		case nil:
			t.Error("no panic")
		case error:
			err = p
		default:
			t.Errorf("panic with a %T, want an error: %v", p, p)
		}
	}()
	f()
	return nil
}

// module is a Lua module of one text.
func module(name, text string) *lua.Mod {
	return lua.Must(lua.TryModule(name, lua.Source(name+".lua", text)))
}

// methods is a module of functions, without its first and last line.
func methods(name, functions string) *lua.Mod {
	return module(name, "local M = {}\n"+functions+"\nreturn M")
}

// show writes a record with what its pointers point to.
func show(a Account) string {
	mail := "none"
	if a.Email != nil {
		mail = *a.Email
	}
	return fmt.Sprintf("%d %s %s %d %s %v v%d", a.ID, a.Owner, mail, a.Balance, a.Opened.Format(time.RFC3339Nano), a.Address, a.Version)
}

// exampleDB returns a DB on an embedded server.
func exampleDB() (db *pipectx.DB, end func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}
