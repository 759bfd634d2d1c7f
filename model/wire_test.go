package model_test

import (
	"context"
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

// What each verb sends is what its doc says it costs: one round trip a line.
func TestWire(t *testing.T) {
	brief := model.Define[Page, string]("brief", keyspace.TTL(time.Minute))
	type step struct {
		about string
		do    func(ctx context.Context, db *pipectx.DB) error
	}
	files := map[string][]step{
		"create": {
			{"a record with a version", func(ctx context.Context, db *pipectx.DB) error { return accounts.On(db).Create(ctx, ada()).Err() }},
			{"a record without", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Create(ctx, Person{ID: "a", Name: "Ada"}).Err()
			}},
			{"a record that expires", func(ctx context.Context, db *pipectx.DB) error {
				return brief.On(db).Create(ctx, Page{ID: "a"}).Err()
			}},
		},
		"save": {
			{"nothing can be absent", func(ctx context.Context, db *pipectx.DB) error {
				return pages.On(db).Save(ctx, Page{ID: "a", Title: "T", Score: 0.5}).Err()
			}},
			{"nothing is absent", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Save(ctx, Person{ID: "a", Name: "Ada", Nick: new("al"), Age: field.Some(36)}).Err()
			}},
			{"something is absent", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Save(ctx, Person{ID: "a", Name: "Ada", Nick: new("al")}).Err()
			}},
			{"a record with a version", func(ctx context.Context, db *pipectx.DB) error {
				a := ada()
				a.ID = 8
				return accounts.On(db).Save(ctx, a).Err()
			}},
			{"a record that expires", func(ctx context.Context, db *pipectx.DB) error { return brief.On(db).Save(ctx, Page{ID: "a"}).Err() }},
			{"a record that is not valid", func(ctx context.Context, db *pipectx.DB) error {
				_ = accounts.On(db).Save(ctx, Account{}).Err()
				return nil
			}},
		},
		"get": {
			{"one", func(ctx context.Context, db *pipectx.DB) error { return people.On(db).Get(ctx, "a").Err() }},
			{"many", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).GetMany(ctx, "a", "b", "c").Err() }},
			{"whether there is one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Exists(ctx, "a").Err() }},
			{"all in one Run", func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					people.On(db).Get(ctx, "a")
					pages.On(db).GetMany(ctx, "a", "b")
					pages.On(db).Exists(ctx, "a")
					return nil
				})
			}},
		},
		"update": {
			{"nothing", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Update(ctx, "a").Err() }},
			{"of all sorts", func(ctx context.Context, db *pipectx.DB) error {
				return people.On(db).Update(ctx, "a", name.Set("Bob"), nick.Clear(), age.SetIfAbsent(field.Some(1)), model.Incr(points, 5)).Err()
			}},
			{"sums within rules", func(ctx context.Context, db *pipectx.DB) error {
				return accounts.On(db).Update(ctx, 7, model.Decr(balance, 5)).Err()
			}},
			{"of a record that expires", func(ctx context.Context, db *pipectx.DB) error {
				return brief.On(db).Update(ctx, "a", model.Incr(rank, 0.5)).Err()
			}},
		},
		"delete": {
			{"one", func(ctx context.Context, db *pipectx.DB) error { return pages.On(db).Delete(ctx, "a").Err() }},
		},
		"method": {
			{"on one record", func(ctx context.Context, db *pipectx.DB) error { return withdraw.On(db).Call(ctx, 1, 5).Err() }},
			{"with a further record", func(ctx context.Context, db *pipectx.DB) error {
				return move.On(db).Call(ctx, 1, moveArgs{clients.Key(2), 5}).Err()
			}},
		},
	}
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		rec := redistest.Record(p.client)
		prepare := func() {
			client(t, p, 1, 100)
			client(t, p, 2, 0)
			value(t, "Create", accounts.On(p.db).Create(t.Context(), ada()))
			value(t, "Create", people.On(p.db).Create(t.Context(), Person{ID: "a"}))
			value(t, "Create", brief.On(p.db).Create(t.Context(), Page{ID: "a"}))
			value(t, "Save", pages.On(p.db).Save(t.Context(), Page{ID: "a"}))
		}
		for _, verb := range []string{"create", "save", "get", "update", "delete", "method"} {
			var text strings.Builder
			for _, known := range []bool{false, true} { // a script goes with its text for the first time
				ok(t, "FLUSHDB", p.client.FlushDB(t.Context()).Err())
				if verb != "create" {
					prepare()
				}
				for _, step := range files[verb] {
					rec.Reset()
					ok(t, verb+" "+step.about, step.do(t.Context(), p.db))
					if known {
						text.WriteString("# " + step.about + "\n" + rec.String())
					}
				}
			}
			golden.Equal(t, "testdata/wire/"+verb+".txt", text.String())
		}
	})
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
