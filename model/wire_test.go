package model_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wireRow is what a golden file holds of a verb.
type wireRow struct {
	verb, about string
	play        func(ctx context.Context, db *pipectx.DB) error
}

// brief is a model whose records expire.
var brief = model.Define[Page, string]("brief", keyspace.TTL(time.Minute))

// wires are the rows of each golden file.
func wires() map[string][]wireRow {
	return map[string][]wireRow{
		"create": {
			{"Create", "a record with a version", func(ctx context.Context, db *pipectx.DB) error { return accounts.On(db).Create(ctx, ada()).Err() }},
			{"Create", "a record without", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Create(ctx, Person{ID: "a", Name: "Ada"}).Err()
			}},
			{"Create", "a record that expires", func(ctx context.Context, db *pipectx.DB) error {
				return brief.On(db).Create(ctx, Page{ID: "a"}).Err()
			}},
			{"Create", "a record whose id is drawn", func(ctx context.Context, db *pipectx.DB) error {
				return orders.On(db).Create(ctx, Order{Item: "pen"}).Err()
			}},
			{"Create", "two of them in one Run", func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					orders.On(db).Create(ctx, Order{Item: "ink"})
					orders.On(db).Create(ctx, Order{Item: "nib"})
					return nil
				})
			}},
		},
		"save": {
			{"Save", "nothing can be absent", func(ctx context.Context, db *pipectx.DB) error {
				return pages.On(db).Save(ctx, Page{ID: "a", Title: "T", Score: 0.5}).Err()
			}},
			{"Save", "nothing is absent", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Save(ctx, Person{ID: "a", Name: "Ada", Nick: new("al"), Age: field.Some(36)}).Err()
			}},
			{"Save", "something is absent", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Save(ctx, Person{ID: "a", Name: "Ada", Nick: new("al")}).Err()
			}},
			{"Save", "a record with a version", func(ctx context.Context, db *pipectx.DB) error {
				a := ada()
				a.ID = 8
				return accounts.On(db).Save(ctx, a).Err()
			}},
			{"Save", "a record with extra fields", func(ctx context.Context, db *pipectx.DB) error {
				return tagged.On(db).Save(ctx, Tagged{ID: 1, Name: "N", More: map[string]string{"colour": "red"}}).Err()
			}},
			{"Save", "a record with a field that was renamed", func(ctx context.Context, db *pipectx.DB) error {
				return looses.On(db).Save(ctx, Loose{ID: "a", Name: "N"}).Err()
			}},
			{"Save", "a record that expires", func(ctx context.Context, db *pipectx.DB) error { return brief.On(db).Save(ctx, Page{ID: "a"}).Err() }},
			{"Save", "a record that is not valid", func(ctx context.Context, db *pipectx.DB) error {
				_ = accounts.On(db).Save(ctx, Account{}).Err()
				return nil
			}},
		},
		"get": {
			{"Get", "one", func(ctx context.Context, db *pipectx.DB) error { return people.On(db).Get(ctx, "a").Err() }},
			{"GetMany", "three", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).GetMany(ctx, "a", "b", "c").Err() }},
			{"Get", "one with its extra fields", func(ctx context.Context, db *pipectx.DB) error { return tagged.On(db).Get(ctx, 1).Err() }},
			{"Get", "one with fields that were renamed", func(ctx context.Context, db *pipectx.DB) error {
				return renamed.On(db).Get(ctx, 1).Err()
			}},
			{"Exists", "one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Exists(ctx, "a").Err() }},
			{"Get", "with GetMany and Exists in one Run", func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					people.On(db).Get(ctx, "a")
					pages.On(db).GetMany(ctx, "a", "b")
					pages.On(db).Exists(ctx, "a")
					return nil
				})
			}},
		},
		"update": {
			{"Update", "nothing", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Update(ctx, "a").Err() }},
			{"Update", "of all sorts", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Update(ctx, "a", name.Set("Bob"), nick.Clear(), age.SetIfAbsent(field.Some(1)), model.Incr(points, 5)).Err()
			}},
			{"Update", "sums within rules", func(ctx context.Context, db *pipectx.DB) error {
				return accounts.On(db).Update(ctx, 7, model.Decr(balance, 5)).Err()
			}},
			{"Update", "of a record that expires", func(ctx context.Context, db *pipectx.DB) error {
				return brief.On(db).Update(ctx, "a", model.Incr(rank, 0.5)).Err()
			}},
		},
		"upsert": {
			{"Upsert", "of one that is there", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Upsert(ctx, "a", name.Set("Bob"), model.Incr(points, 5)).Err()
			}},
			{"Upsert", "of none", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Upsert(ctx, "new", nick.Set(new("n"))).Err()
			}},
			{"Upsert", "of one with defaults, by old names", func(ctx context.Context, db *pipectx.DB) error {
				return members.On(db).Upsert(ctx, 1, memberOwner.Set("N"), model.Incr(memberBalance, 5)).Err()
			}},
			{"Upsert", "that must not make one", func(ctx context.Context, db *pipectx.DB) error {
				return accounts.On(db).Upsert(ctx, 7, model.Incr(balance, 5)).Err()
			}},
		},
		"edit": {
			{"Edit", "of one field", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Edit(ctx, "a", func(p *Person) error { p.Nick = new("al"); return nil }).Err()
			}},
			{"Edit", "of nothing", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Edit(ctx, "a", func(p *Person) error { return nil }).Err()
			}},
			{"Edit", "of a record with a version", func(ctx context.Context, db *pipectx.DB) error {
				return accounts.On(db).Edit(ctx, 7, func(a *Account) error { a.Balance++; a.Email = nil; return nil }).Err()
			}},
			{"Edit", "of a record with all sorts of fields", func(ctx context.Context, db *pipectx.DB) error {
				return members.On(db).Edit(ctx, 1, func(m *Member) error {
					m.Owner, m.Email, m.Home.City, m.More = "N", nil, "Rome", map[string]string{"size": "7"}
					return nil
				}).Err()
			}},
			{"Edit", "two in one Run", func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					pages.On(db).Edit(ctx, "a", func(p *Page) error { p.Views++; return nil })
					brief.On(db).Edit(ctx, "a", func(p *Page) error { p.Views++; return nil })
					return nil
				})
			}},
		},
		"pick": {
			{"Pick", "two fields", func(ctx context.Context, db *pipectx.DB) error { return people.On(db).Pick(ctx, "a", name, age).Err() }},
			{"Pick", "fields that were renamed", func(ctx context.Context, db *pipectx.DB) error {
				return members.On(db).Pick(ctx, 1, memberOwner, memberCity).Err()
			}},
			{"Pop", "of a string", func(ctx context.Context, db *pipectx.DB) error { return model.Pop(ctx, people.On(db), "a", nick).Err() }},
			{"Pop", "of an absent number", func(ctx context.Context, db *pipectx.DB) error { return model.Pop(ctx, people.On(db), "a", age).Err() }},
			{"Pop", "of a number", func(ctx context.Context, db *pipectx.DB) error {
				_ = people.On(db).Update(ctx, "a", age.Set(field.Some(7))).Err()
				return model.Pop(ctx, people.On(db), "a", age).Err()
			}},
		},
		"iterate": {
			{"Each", "of 300 ids", func(ctx context.Context, db *pipectx.DB) error {
				n := 0
				for _, err := range pages.On(db).Each(ctx, slices.Values(slices.Repeat([]string{"a"}, 300))) {
					if n++; err != nil {
						return err
					}
				}
				return nil
			}},
			{"Scan", "of few", func(ctx context.Context, db *pipectx.DB) error {
				for _, err := range pages.On(db).Scan(ctx) {
					return err
				}
				return nil
			}},
			{"ScanIDs", "of few", func(ctx context.Context, db *pipectx.DB) error {
				for _, err := range pages.On(db).ScanIDs(ctx) {
					return err
				}
				return nil
			}},
			{"Count", "of few", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Count(ctx).Err() }},
		},
		"life": {
			{"Expire", "one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Expire(ctx, "a", time.Hour).Err() }},
			{"ExpireAt", "one", func(ctx context.Context, db *pipectx.DB) error {
				return pages.On(db).ExpireAt(ctx, "a", time.UnixMilli(4e12)).Err()
			}},
			{"TTL", "one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).TTL(ctx, "a").Err() }},
			{"Persist", "one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Persist(ctx, "a").Err() }},
			{"ExpireField", "one", func(ctx context.Context, db *pipectx.DB) error {
				return unlessUnsupported(logins.On(db).ExpireField(ctx, "a", token, time.Hour).Err())
			}},
			{"ExpireFieldAt", "one", func(ctx context.Context, db *pipectx.DB) error {
				return unlessUnsupported(logins.On(db).ExpireFieldAt(ctx, "a", token, time.UnixMilli(4e12)).Err())
			}},
			{"FieldTTL", "one", func(ctx context.Context, db *pipectx.DB) error {
				return unlessUnsupported(logins.On(db).FieldTTL(ctx, "a", token).Err())
			}},
			{"ExpireField", "one that was renamed", func(ctx context.Context, db *pipectx.DB) error {
				return unlessUnsupported(members.On(db).ExpireField(ctx, 1, memberToken, time.Hour).Err())
			}},
			{"PersistField", "one", func(ctx context.Context, db *pipectx.DB) error {
				return unlessUnsupported(logins.On(db).PersistField(ctx, "a", token).Err())
			}},
			{"Save", "fields that may have a time to live", func(ctx context.Context, db *pipectx.DB) error {
				return logins.On(db).Save(ctx, Login{ID: "a", Token: new("t")}).Err()
			}},
		},
		"delete": {
			{"DeleteMany", "three", func(ctx context.Context, db *pipectx.DB) error {
				return pages.On(db).DeleteMany(ctx, "a", "b", "c").Err()
			}},
			{"Delete", "one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Delete(ctx, "a").Err() }},
		},
		"method": {
			{"Call", "on one record", func(ctx context.Context, db *pipectx.DB) error { return withdraw.On(db).Call(ctx, 1, 5).Err() }},
			{"Call", "with a further record", func(ctx context.Context, db *pipectx.DB) error {
				return move.On(db).Call(ctx, 1, moveArgs{clients.Key(2), 5}).Err()
			}},
		},
		"hooked": {
			{"Create", "a record with Lua hooks", func(ctx context.Context, db *pipectx.DB) error {
				return stocks.On(db).Create(ctx, Stock{ID: "a", Held: 9}).Err()
			}},
			{"Save", "a record with Lua hooks", func(ctx context.Context, db *pipectx.DB) error {
				return stocks.On(db).Save(ctx, Stock{ID: "b"}).Err()
			}},
			{"Update", "a record with Lua hooks", func(ctx context.Context, db *pipectx.DB) error {
				return stocks.On(db).Update(ctx, "a", model.Incr(held, 5)).Err()
			}},
			{"Delete", "a record with Lua hooks", func(ctx context.Context, db *pipectx.DB) error {
				return stocks.On(db).Delete(ctx, "a").Err()
			}},
		},
	}
}

// unlessUnsupported passes what the server cannot do: what is sent is the same.
func unlessUnsupported(err error) error {
	if errors.Is(err, pipectx.ErrUnsupported) || errors.Is(err, pipectx.ErrNotFound) {
		return nil
	}
	return err
}

// What each verb sends is what its doc says it costs: one round trip a line. A
// script goes with its text for the first time.
func TestWire(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		rec := redistest.Record(p.client)
		prepare := func() {
			client(t, p, 1, 100)
			client(t, p, 2, 0)
			value(t, "Create", accounts.On(p.db).Create(t.Context(), ada()))
			value(t, "Create", people.On(p.db).Create(t.Context(), Person{ID: "a", Nick: new("n")}))
			value(t, "Create", brief.On(p.db).Create(t.Context(), Page{ID: "a"}))
			value(t, "Save", pages.On(p.db).Save(t.Context(), Page{ID: "a"}))
			value(t, "Save", tagged.On(p.db).Save(t.Context(), Tagged{ID: 1}))
			p.store(t, "renamed{1}", "label", "L")
			p.store(t, "member{1}", "holder", "O", "mail", "m@example.org", "colour", "red")
		}
		files := wires()
		_ = logins.On(p.db).ExpireField(t.Context(), "a", token, time.Hour).Err() // as that takes a connection
		for _, file := range []string{"create", "save", "get", "update", "upsert", "edit", "pick", "iterate", "life", "delete", "method", "hooked"} {
			var text strings.Builder
			first := make([]string, len(files[file]))
			for _, known := range []bool{false, true} {
				ok(t, "FLUSHDB", p.client.FlushDB(t.Context()).Err())
				if file != "create" {
					prepare()
				}
				for i, row := range files[file] {
					title := row.verb + ": " + row.about
					rec.Reset()
					ok(t, title, row.play(t.Context(), p.db))
					sent := strings.ReplaceAll(rec.String(), "INFO server\n", "") // asked of one that lacks a command
					if !known {
						first[i] = sent
						continue
					}
					if first[i] != sent {
						text.WriteString("# " + title + ", the first time\n" + first[i])
					}
					text.WriteString("# " + title + "\n" + sent)
				}
			}
			golden.Equal(t, "testdata/wire/"+file+".txt", text.String())
		}
	})
}

// GetMany on a Cluster goes to each node once.
func TestWireCluster(t *testing.T) {
	p := at(t, redistest.Cluster(t).Client(t))
	sent := redistest.Record(p.client)
	value(t, "GetMany", pages.On(p.db).GetMany(t.Context(), "a", "b", "c", "d", "e"))
	golden.Equal(t, "testdata/wire/cluster.txt", "# GetMany: five\n"+strings.Join(sent.Sorted(), "\n")+"\n")
}

// All verbs of one Run are one round trip.
func TestRunIsOneRoundTrip(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		rec := redistest.Record(p.client)
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			accounts := accounts.On(p.db)
			accounts.Create(ctx, ada())
			accounts.Update(ctx, 7, model.Incr(balance, 5))
			accounts.Get(ctx, 7)
			a := ada()
			a.Version = 2
			accounts.Save(ctx, a)
			accounts.GetMany(ctx, 7, 8)
			accounts.Exists(ctx, 7)
			accounts.Delete(ctx, 7)
			return nil
		})
		ok(t, "Run", err)
		if n := rec.RoundTrips(); n != 1 {
			t.Errorf("%d round trips:\n%s", n, rec)
		}
	})
}

// Every verb has a row in the wire table.
func TestEveryVerbHasItsWire(t *testing.T) {
	have := map[string]bool{}
	for _, rows := range wires() {
		for _, row := range rows {
			have[row.verb] = true
		}
	}
	for _, on := range []reflect.Type{reflect.TypeFor[model.Repo[Account, int64]](), reflect.TypeFor[model.BoundOperation[int64, int64, int64]]()} {
		for m := range on.Methods() {
			if verb := m.Type.NumIn() > 1 && m.Type.In(1) == reflect.TypeFor[context.Context](); verb && !have[m.Name] {
				t.Errorf("%v: %s has no row in the wire table", on, m.Name)
			}
		}
	}
}
