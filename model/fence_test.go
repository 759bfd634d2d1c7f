package model_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A ticket is a lease with this token, 0 one that is over.
type ticket int64

var errOver = errors.New("over")

func (t ticket) Fence() (int64, error) {
	if t == 0 {
		return 0, errOver
	}
	return int64(t), nil
}

// fencedWrites are the verbs that a lease guards, on the page "a".
var fencedWrites = []struct {
	verb  string
	write func(ctx context.Context, f model.Fenced[Page, string]) error
}{
	{"Create", func(ctx context.Context, f model.Fenced[Page, string]) error {
		return f.Create(ctx, Page{ID: "a"}).Err()
	}},
	{"Save", func(ctx context.Context, f model.Fenced[Page, string]) error {
		return f.Save(ctx, Page{ID: "a", Title: "T"}).Err()
	}},
	{"Update", func(ctx context.Context, f model.Fenced[Page, string]) error {
		return f.Update(ctx, "a", pageTitle.Set("U")).Err()
	}},
	{"Upsert", func(ctx context.Context, f model.Fenced[Page, string]) error {
		return f.Upsert(ctx, "a", pageTitle.Set("V")).Err()
	}},
	{"Edit", func(ctx context.Context, f model.Fenced[Page, string]) error {
		return f.Edit(ctx, "a", func(p *Page) error { p.Title += "!"; return nil }).Err()
	}},
	{"Delete", func(ctx context.Context, f model.Fenced[Page, string]) error { return f.Delete(ctx, "a").Err() }},
}

var pageTitle = model.FieldOf(pages, func(p *Page) *string { return &p.Title })

// A record that was written under a lease refuses every write under an earlier one, of
// all verbs, also when it is gone; the same lease and later ones write on. What is
// refused has written nothing.
func TestFenced(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		repo, ctx := pages.On(p.db), t.Context()
		for _, w := range fencedWrites {
			if err := w.write(ctx, repo.Fenced(ticket(7))); err != nil {
				t.Errorf("%s, the first lease: %v", w.verb, err)
			}
		}
		ok(t, "a later lease", repo.Fenced(ticket(9)).Save(ctx, Page{ID: "a", Title: "nine"}).Err())
		for _, w := range fencedWrites {
			if w.verb == "Create" {
				continue // it says that the record exists
			}
			fenced := as[*model.FencedError](t, w.verb, w.write(ctx, repo.Fenced(ticket(8))))
			if fenced != nil && (fenced.Stored != 9 || fenced.Token != 8 || !strings.Contains(fenced.Key, "a")) {
				t.Errorf("%s: %+v", w.verb, fenced)
			}
			if err := w.write(ctx, repo.Fenced(ticket(0))); !errors.Is(err, errOver) {
				t.Errorf("%s under a lease that is over: %v", w.verb, err)
			}
		}
		if got, err := repo.Get(ctx, "a").Result(); err != nil || got.Title != "nine" {
			t.Errorf("the record is %+v, %v", got, err)
		}
		ok(t, "delete", repo.Fenced(ticket(9)).Delete(ctx, "a").Err())
		as[*model.FencedError](t, "a record that is gone", repo.Fenced(ticket(8)).Create(ctx, Page{ID: "a"}).Err())
		if there, err := repo.Exists(ctx, "a").Result(); there || err != nil {
			t.Errorf("it is there: %v, %v", there, err)
		}
		if left, err := p.db.Client().TTL(ctx, "page#fence{a}").Result(); err != nil || left < 6*24*time.Hour {
			t.Errorf("the token is kept for %v, %v", left, err)
		}
	})
}

// Lua hooks and fences meet in one script: each refuses by itself, and the hook's fields
// are written under the lease.
func TestFencedHooks(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		p := at(t, s.Client(t))
		repo, ctx := stocks.On(p.db), t.Context()
		later, earlier := repo.Fenced(ticket(9)), repo.Fenced(ticket(8))
		if got, err := later.Create(ctx, Stock{ID: "f", Held: 5, Reserved: 2}).Result(); err != nil || got.Free != 3 {
			t.Fatalf("%+v, %v", got, err)
		}
		for verb, err := range map[string]error{
			"Save":   earlier.Save(ctx, Stock{ID: "f", Held: 6, Version: 1}).Err(),
			"Update": earlier.Update(ctx, "f", held.Set(6)).Err(),
			"Upsert": earlier.Upsert(ctx, "f", held.Set(6)).Err(),
			"Edit":   earlier.Edit(ctx, "f", func(s *Stock) error { s.Held = 6; return nil }).Err(),
			"Delete": earlier.Delete(ctx, "f").Err(),
		} {
			as[*model.FencedError](t, verb, err)
		}
		if refused := as[*lua.Error](t, "the hook", later.Update(ctx, "f", held.Set(13)).Err()); refused != nil && refused.Code != "UNLUCKY" {
			t.Errorf("the hook: %v", refused)
		}
		if refused := as[*lua.Error](t, "the hook", later.Delete(ctx, "f").Err()); refused != nil && refused.Code != "RESERVED" {
			t.Errorf("the hook: %v", refused)
		}
		if got, err := repo.Get(ctx, "f").Result(); err != nil || got.Held != 5 || got.Free != 3 {
			t.Errorf("the record is %+v, %v", got, err)
		}
	})
}

// Tokens are no records: no scan finds them, whatever the placement.
func TestFencedScan(t *testing.T) {
	db := at(t, redistest.Shared(t).Client(t)).db
	for _, pages := range []*model.Model[Page, string]{pages, model.Define[Page, string]("slotted", keyspace.OneSlot("T"))} {
		repo := pages.On(db)
		ok(t, "save", repo.Fenced(ticket(7)).Save(t.Context(), Page{ID: "a"}).Err())
		if n, err := repo.Count(t.Context()).Result(); n != 1 || err != nil {
			t.Errorf("%s: %d records, %v", pages.Prefix(), n, err)
		}
	}
	adopted := model.Define[Page, string]("adopted", keyspace.Template("adopted:%s")).On(db)
	if err := adopted.Fenced(ticket(7)).Save(t.Context(), Page{ID: "a"}).Err(); err == nil || !strings.Contains(err.Error(), "placement") {
		t.Errorf("a template: %v", err)
	}
}

// A holder that was stopped between its last look at the clock and its write is refused
// by the record: its lock has another holder, who has written.
func TestFencedByLock(t *testing.T) {
	db := at(t, redistest.Shared(t).Client(t)).db
	locks := lock.New("page-lock", lock.Options{TTL: 50 * time.Millisecond, Fixed: true}).On(db)
	first, err := locks.Acquire(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	late, err := first.Fence()
	if err != nil {
		t.Fatal(err)
	}
	second, err := locks.Acquire(t.Context(), "a") // when the first one's time is over
	if err != nil {
		t.Fatal(err)
	}
	repo := pages.On(db)
	ok(t, "the second", repo.Fenced(second).Save(t.Context(), Page{ID: "a", Title: "second"}).Err())
	as[*model.FencedError](t, "the first", repo.Fenced(ticket(late)).Save(t.Context(), Page{ID: "a", Title: "first"}).Err())
	if err := repo.Fenced(first).Save(t.Context(), Page{ID: "a"}).Err(); !errors.Is(err, lock.ErrLost) {
		t.Errorf("the first, that knows: %v", err)
	}
}

// Each verb under a lease sends what the golden file says; in a Run they share a round
// trip.
func TestWireFenced(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := at(t, client).db
	rec := redistest.Record(client)
	repo, have := pages.On(db).Fenced(ticket(7)), map[string]bool{}
	var text strings.Builder
	for _, warm := range []bool{true, false} {
		for _, w := range fencedWrites {
			rec.Reset()
			have[w.verb] = true
			ok(t, w.verb, w.write(t.Context(), repo))
			if !warm {
				text.WriteString("# " + w.verb + "\n" + rec.String())
			}
		}
	}
	value(t, "Create", clients.On(db).Create(t.Context(), ada()))
	for range 2 {
		rec.Reset()
		value(t, "a method", withdraw.On(db).Fenced(ticket(7)).Call(t.Context(), 7, 1))
	}
	text.WriteString("# Call, of a method\n" + rec.String())
	golden.Equal(t, "testdata/wire/fenced.txt", text.String())
	for m := range reflect.TypeOf(repo).Methods() {
		if !have[m.Name] {
			t.Errorf("%s has no row in the golden file", m.Name)
		}
	}
	rec.Reset()
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		repo.Save(ctx, Page{ID: "b"})
		repo.Update(ctx, "b", pageTitle.Set("T"))
		return nil
	})
	if err != nil || rec.RoundTrips() != 1 {
		t.Errorf("%d round trips, %v", rec.RoundTrips(), err)
	}
}
