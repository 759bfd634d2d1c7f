package model_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Edit writes what its function changed, and no more.
func TestEdit(t *testing.T) {
	rows := []struct {
		reason string
		edit   func(*Person)
		want   string
	}{
		{"nothing", func(*Person) {}, "age=36 name=Ada unknown=u"},
		{"a new value", func(p *Person) { p.Name = "Bob" }, "age=36 name=Bob unknown=u"},
		{"a value where there was none", func(p *Person) { p.Nick = new("al") }, "age=36 name=Ada nick=al unknown=u"},
		{"absence", func(p *Person) { p.Age = field.None[int]() }, "name=Ada unknown=u"},
		{"zero where nothing was stored", func(p *Person) { p.Score = 1 }, "age=36 name=Ada score=1 unknown=u"},
		{"all", func(p *Person) { *p = Person{ID: "a", Name: "B", Nick: new(""), Score: -1} }, "name=B nick= score=-1 unknown=u"},
	}
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		for _, c := range rows {
			p.store(t, "person{a}", "name", "Ada", "age", "36", "unknown", "u")
			ok(t, "PEXPIRE", p.client.PExpire(t.Context(), "person{a}", time.Hour).Err())
			var wanted Person
			got := value(t, c.reason, people.Edit(t.Context(), "a", func(p *Person) error {
				c.edit(p)
				wanted = *p
				return nil
			}))
			if got != wanted {
				t.Errorf("%s: Edit answers %+v, want %+v", c.reason, got, wanted)
			}
			if h := p.hash(t, "person{a}"); h != c.want {
				t.Errorf("%s: stored\n\t%s\nwant\n\t%s", c.reason, h, c.want)
			}
			if ttl := p.client.PTTL(t.Context(), "person{a}").Val(); ttl <= 0 {
				t.Errorf("%s: the time to live is %v", c.reason, ttl)
			}
		}
	})
}

// A version is counted up by an Edit that changes something, and only then.
func TestEditVersion(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		value(t, "Create", accounts.Create(t.Context(), ada()))
		got := value(t, "Edit", accounts.Edit(t.Context(), 7, func(*Account) error { return nil }))
		if got.Version != 1 {
			t.Errorf("nothing changed, and the version is %d", got.Version)
		}
		got = value(t, "Edit", accounts.Edit(t.Context(), 7, func(a *Account) error { a.Address.City = "Paris"; return nil }))
		if got.Version != 2 || p.client.HGet(t.Context(), "account{7}", "version").Val() != "2" {
			t.Errorf("the version is %d", got.Version)
		}
		if again := value(t, "Save", accounts.Save(t.Context(), got)); again.Version != 3 {
			t.Errorf("what Edit answers cannot be saved")
		}
		p.client.HDel(t.Context(), "account{7}", "version")
		if got = value(t, "Edit", accounts.Edit(t.Context(), 7, func(a *Account) error { a.Owner = "Bob"; return nil })); got.Version != 1 {
			t.Errorf("the first version is %d", got.Version)
		}
	})
}

// What ends an Edit has written nothing, and is the answer.
func TestEditRefuses(t *testing.T) {
	ours := errors.New("ours")
	rows := []struct {
		reason string
		id     int64
		edit   func(*Account) error
		says   []string
		is     error
	}{
		{"its function fails", 7, func(a *Account) error { a.Owner = "x"; return ours }, []string{"ours"}, ours},
		{"the record is not valid", 7, func(a *Account) error { a.Balance = -1; return nil }, []string{"balance breaks the rule gte=0"}, nil},
		{"an id never changes", 7, func(a *Account) error { a.ID = 8; return nil }, []string{"edit account{7}: its id was changed", "Create another"}, nil},
		{"nor is a version assigned", 7, func(a *Account) error { a.Version = 5; return nil }, []string{"its version was changed from 1 to 5"}, nil},
		{"what cannot be written", 7, func(a *Account) error { a.Opened = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC); return nil }, []string{"account{7} opened"}, nil},
		{"there is no record", 9, func(*Account) error { panic("called") }, []string{"edit account{9}: not found", "Create, Save and Upsert make them"}, pipectx.ErrNotFound},
	}
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		value(t, "Create", accounts.Create(t.Context(), ada()))
		before := p.hash(t, "account{7}")
		for _, c := range rows {
			err := accounts.Edit(t.Context(), c.id, c.edit).Err()
			says(t, c.reason, err, c.says...)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: %v", c.reason, err)
			}
			p.wantHash(t, "account{7}", before)

			var good *pipectx.Ref[Account]
			err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				accounts.Edit(ctx, c.id, c.edit)
				good = accounts.Edit(ctx, 7, func(a *Account) error { return nil })
				return nil
			})
			says(t, c.reason+", in a Run", err, c.says...)
			ok(t, c.reason+": the Edit behind it", good.Err())
			ok(t, c.reason+", handled", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
				pipectx.Handled(accounts.Edit(ctx, c.id, c.edit))
				return nil
			}))
		}
		if err := pipectx.Atomic(t.Context(), p.db, func(ctx context.Context) error {
			accounts.Edit(ctx, 7, func(*Account) error { return nil })
			return nil
		}); err == nil || !strings.Contains(err.Error(), "model: Edit inside Atomic") {
			t.Errorf("inside Atomic: %v", err)
		}
		if n := p.client.Exists(t.Context(), "account{8}", "account{9}"); p.db.Cluster() == false && n.Val() != 0 {
			t.Errorf("%d further records", n.Val())
		}
	})
}

// Somebody who changes any loaded field between load and store has Edit begin
// again, with what is stored then: a value, its absence, and what was absent; a
// field that the struct does not declare is nobody's business.
func TestEditConflicts(t *testing.T) {
	meanwhile := []struct {
		reason string
		do     func(p place, ctx context.Context) error
		calls  int
		want   string
	}{
		{"nobody", func(p place, ctx context.Context) error { return nil }, 1, "age=36 name=ADA score=1"},
		{"another value", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "name", "bob").Err() }, 2, "age=36 name=BOB score=1"},
		{"another value of another field", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "age", "37").Err() }, 2, "age=37 name=ADA score=1"},
		{"another text of the same value", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "age", "+36").Err() }, 2, "age=+36 name=ADA score=1"},
		{"absence of a value", func(p place, ctx context.Context) error { return p.client.HDel(ctx, "person{a}", "age").Err() }, 2, "name=ADA score=1"},
		{"a value where none was", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "nick", "").Err() }, 2, "age=36 name=ADA nick= score=1"},
		{"the same value", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "name", "ada").Err() }, 1, "age=36 name=ADA score=1"},
		{"a foreign field", func(p place, ctx context.Context) error { return p.client.HSet(ctx, "person{a}", "more", "m").Err() }, 1, "age=36 more=m name=ADA score=1"},
	}
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		for _, c := range meanwhile {
			p.store(t, "person{a}", "name", "ada", "age", "36", "score", "1")
			calls := 0
			upper := func(r *Person) error {
				if calls++; calls == 1 {
					ok(t, c.reason, c.do(p, context.Background()))
				}
				r.Name = strings.ToUpper(r.Name)
				return nil
			}
			value(t, c.reason, people.Edit(t.Context(), "a", upper))
			if h := p.hash(t, "person{a}"); h != c.want || calls != c.calls {
				t.Errorf("%s: %d calls, stored\n\t%s\nwant %d and\n\t%s", c.reason, calls, h, c.calls, c.want)
			}
		}
		p.store(t, "person{a}", "name", "ada")
		err := people.Edit(t.Context(), "a", func(r *Person) error {
			r.Name = "x"
			return p.client.Del(context.Background(), "person{a}").Err()
		}).Err()
		if !errors.Is(err, pipectx.ErrNotFound) {
			t.Errorf("deleted meanwhile: %v", err)
		}
		want(t, "Exists", people.Exists(t.Context(), "a"), false)
	})
}

// When others are faster each time, the answer is a conflict that names what
// they changed.
func TestEditGivesUp(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		people := people.On(p.db)
		p.store(t, "person{a}", "name", "ada", "score", "1")
		calls := 0
		err := people.Edit(t.Context(), "a", func(r *Person) error {
			r.Name = "x"
			calls++
			return p.client.HIncrBy(context.Background(), "person{a}", "score", 1).Err()
		}).Err()
		c := as[*model.ConflictError](t, "Edit", err)
		if c == nil || calls != 32 || c.Key != "person{a}" || !slices.Equal(c.Fields, []string{"score"}) || c.Stored != "33" || c.Missing || !errors.Is(err, pipectx.ErrConflict) {
			t.Errorf("after %d calls: %+v", calls, c)
		}
		says(t, "Edit", err, "model: edit person{a}: conflict: others were faster each of 32 times, at last with score")
		p.wantHash(t, "person{a}", "name=ada score=33")
	})
}

// When ctx ends between two tries, Edit does.
func TestEditEnds(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.store(t, "person{a}", "name", "ada", "score", "1")
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		err := people.On(p.db).Edit(ctx, "a", func(r *Person) error {
			r.Name = "x"
			if calls++; calls == 2 {
				defer cancel()
			}
			return p.client.HIncrBy(context.Background(), "person{a}", "score", 1).Err()
		}).Err()
		if !errors.Is(err, context.Canceled) || calls != 2 {
			t.Errorf("after %d calls: %v", calls, err)
		}
		p.wantHash(t, "person{a}", "name=ada score=3")
	})
}

// In a Run, Edits read in one wave and write in the next, all together; reads
// beside them see the records as they were.
func TestEditInRun(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		pages := pages.On(p.db)
		for _, id := range []string{"a", "b", "c"} {
			value(t, "Save", pages.Save(t.Context(), Page{ID: id}))
		}
		var edits []*pipectx.Ref[Page]
		var beside, after *pipectx.Ref[Page]
		ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			for i, id := range []string{"a", "b", "c"} {
				edits = append(edits, pages.Edit(ctx, id, func(r *Page) error { r.Views += int64(i); r.Title = "t"; return nil }))
			}
			beside = pages.Get(ctx, "c")
			if err := edits[0].Err(); err != pipectx.ErrPending {
				t.Errorf("inside the Run the Ref answers %v", err)
			}
			return pipectx.After(ctx, func(ctx context.Context) error {
				return pipectx.After(ctx, func(ctx context.Context) error {
					after = pages.Get(ctx, "c")
					return nil
				})
			})
		}))
		want(t, "Edit a", edits[0], Page{ID: "a", Title: "t"})
		want(t, "Edit c", edits[2], Page{ID: "c", Title: "t", Views: 2})
		want(t, "Get beside it", beside, Page{ID: "c"})
		want(t, "Get after it", after, Page{ID: "c", Title: "t", Views: 2})

		var dropped *pipectx.Ref[Page]
		_ = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			dropped = pages.Edit(ctx, "a", func(r *Page) error { r.Title = "no"; return nil })
			return errors.New("ours")
		})
		if !errors.Is(dropped.Err(), pipectx.ErrDiscarded) {
			t.Errorf("the Edit of a Run that failed answers %v", dropped.Err())
		}
		want(t, "Get", pages.Get(t.Context(), "a"), Page{ID: "a", Title: "t"})
	})
}

// Of many Edits of one record in one Run each wave stores one. Between two waves there
// is one pause, not one for each of them; and no Await gets their answers sooner.
func TestEditsOfOneInRun(t *testing.T) {
	p := at(t, redistest.Shared(t).Client(t))
	pages := pages.On(p.db)
	value(t, "Save", pages.Save(t.Context(), Page{ID: "a"}))
	const edits = 30
	begin := time.Now()
	ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
		for range edits - 1 {
			pages.Edit(ctx, "a", func(r *Page) error { r.Views++; return nil })
		}
		_, err := pipectx.Await(ctx, pages.Edit(ctx, "a", func(r *Page) error { r.Views++; return nil }))
		if !errors.Is(err, pipectx.ErrPending) {
			t.Errorf("Await answers %v", err)
		}
		says(t, "Await", err, "set by a callback when the outermost Run ends", "Detach")
		return nil
	}))
	want(t, "Get", pages.Get(t.Context(), "a"), Page{ID: "a", Views: edits})
	// Pauses are of 64 ms at most: one after the other they would be some 10 s.
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%d edits took %v", edits, took)
	}
}

// Compressed, JSON and other texts are compared as they are stored: an Edit that
// leaves them alone does not write them, whoever wrote them.
func TestEditLeavesTextsAlone(t *testing.T) {
	type doc struct {
		ID   string         `redis:"id,key"`
		Body string         `redis:"body,gzip"`
		Map  map[string]int `redis:"map"`
		On   bool           `redis:"on"`
		Made time.Time      `redis:"made"`
		N    int            `redis:"n"`
	}
	docs := model.Define[doc, string]("doc")
	each(t, func(t *testing.T, p place) {
		on := docs.On(p.db)
		value(t, "Save", on.Save(t.Context(), doc{ID: "a", Body: strings.Repeat("long ", 1000), Map: map[string]int{"b": 1, "a": 2}, Made: opened}))
		p.client.HSet(t.Context(), "doc{a}", "map", `{ "b": 1, "a": 2 }`, "on", "yes")
		before := p.hash(t, "doc{a}")
		value(t, "Edit", on.Edit(t.Context(), "a", func(d *doc) error { d.N = 5; return nil }))
		if got := p.hash(t, "doc{a}"); got != strings.Replace(before, "n=0", "n=5", 1) {
			t.Errorf("stored\n\t%.400s\nwant n=5 instead in\n\t%.400s", got, before)
		}
		value(t, "Edit", on.Edit(t.Context(), "a", func(d *doc) error { d.Map["b"]++; d.Body += "!"; return nil }))
		got := value(t, "Get", on.Get(t.Context(), "a"))
		if got.Map["b"] != 2 || !strings.HasSuffix(got.Body, "!") || !got.On {
			t.Errorf("%.200v", got)
		}
	})
}

// Of three ways to count on one record none loses a count: Edit, a version with
// Save again on conflict, and Incr.
func TestPoliciesOfConcurrency(t *testing.T) {
	const goroutines, times = 64, 5
	ways := []struct {
		name string
		once func(ctx context.Context, r model.Repo[Account, int64]) error
	}{
		{"Edit", func(ctx context.Context, r model.Repo[Account, int64]) error {
			return r.Edit(ctx, 7, func(a *Account) error { a.Balance++; return nil }).Err()
		}},
		{"Get and Save", func(ctx context.Context, r model.Repo[Account, int64]) error {
			a, err := r.Get(ctx, 7).Result()
			if err != nil {
				return err
			}
			a.Balance++
			return r.Save(ctx, a).Err()
		}},
		{"Incr", func(ctx context.Context, r model.Repo[Account, int64]) error {
			return r.Update(ctx, 7, model.Incr(balance, 1)).Err()
		}},
	}
	each(t, func(t *testing.T, p place) {
		accounts := accounts.On(p.db)
		for _, way := range ways {
			a := ada()
			a.Balance = 0
			accounts.Delete(t.Context(), 7).Err()
			value(t, "Create", accounts.Create(t.Context(), a))
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() {
					for range times {
						err := pipectx.ErrConflict
						for errors.Is(err, pipectx.ErrConflict) {
							err = way.once(t.Context(), accounts)
						}
						if err != nil {
							t.Errorf("%s: %v", way.name, err)
						}
					}
				})
			}
			wg.Wait()
			got := value(t, way.name, accounts.Get(t.Context(), 7))
			if got.Balance != goroutines*times || got.Version != goroutines*times+1 {
				t.Errorf("%s: balance %d, version %d; want %d and one more", way.name, got.Balance, got.Version, goroutines*times)
			}
		}
	})
}
