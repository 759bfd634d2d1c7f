package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Order has a number that its model counts.
type Order struct {
	ID      int64    `redis:"id,key" validate:"gt=0"`
	Item    string   `redis:"item" validate:"required"`
	Tags    []string `redis:"tags,default=[\"new\"]"`
	Version int64    `redis:"version,version"`
}

// Small has room for few numbers.
type Small struct {
	ID   uint8  `redis:"id,key"`
	Name string `redis:"name"`
}

var (
	orders = model.Define[Order, int64]("order", model.Counter())
	smalls = model.Define[Small, uint8]("small", model.Counter(), keyspace.OneSlot("S"))
)

// Create gives a record without an id the next number of the model's counter,
// and answers it; a record with an id keeps that.
func TestCounter(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := orders.On(p.db)
		p.remove(t, "order#counter", "order{1}", "order{2}", "order{3}", "order{7}")
		for id := range int64(2) {
			got := value(t, "Create", repo.Create(t.Context(), Order{Item: "pen"}))
			if got.ID != id+1 || got.Version != 1 || !slices.Equal(got.Tags, []string{"new"}) {
				t.Errorf("created %+v, want id %d", got, id+1)
			}
		}
		p.wantHash(t, "order{2}", `item=pen tags=["new"] version=1`)
		if got := value(t, "Create", repo.Create(t.Context(), Order{ID: 7, Item: "ink"})); got.ID != 7 {
			t.Errorf("a given id became %d", got.ID)
		}
		if last := p.client.Get(t.Context(), "order#counter").Val(); last != "2" {
			t.Errorf("the counter is at %s", last)
		}
		value(t, "Save", repo.Save(t.Context(), Order{ID: 3, Item: "by hand"}))
		if err := repo.Create(t.Context(), Order{Item: "late"}).Err(); !errors.Is(err, model.ErrExists) {
			t.Errorf("a number that is taken: %v", err)
		}
		p.wantHash(t, "order{3}", `item=by hand tags=null version=1`)
	})
}

// Inside a Run numbers are drawn in its one round trip, and records stored in
// the next: two, however many records.
func TestCounterInRun(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := orders.On(p.db)
		p.remove(t, "order#counter", "order{1}", "order{2}", "order{3}")
		rec := redistest.Record(p.client)
		given := Order{Item: "pen", Tags: []string{"a"}}
		var refs []*pipectx.Ref[Order]
		ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			for range 3 {
				refs = append(refs, repo.Create(ctx, given))
			}
			given.Tags[0] = "changed" // a snapshot was taken
			if !errors.Is(refs[0].Err(), pipectx.ErrPending) {
				t.Error("a Ref is not pending")
			}
			return nil
		}))
		if _, many := p.client.(*redis.ClusterClient); rec.RoundTrips() != 2 && !many {
			t.Errorf("%d round trips:\n%s", rec.RoundTrips(), rec)
		}
		for i, ref := range refs {
			if got := value(t, "Create", ref); got.ID != int64(i+1) || got.Item != "pen" {
				t.Errorf("record %d is %+v", i, got)
			}
			p.wantHash(t, fmt.Sprintf("order{%d}", i+1), `item=pen tags=["a"] version=1`)
		}

		// A Run that fails draws nothing.
		ref := refs[0]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			ref = repo.Create(ctx, given)
			return errors.New("no")
		})
		if !errors.Is(ref.Err(), pipectx.ErrDiscarded) || err.Error() != "no" {
			t.Errorf("discarded: %v, %v", ref.Err(), err)
		}
		if last := p.client.Get(t.Context(), "order#counter").Val(); last != "3" {
			t.Errorf("the counter is at %s", last)
		}

		// A number that is taken is the Run's error and the Ref's.
		value(t, "Save", repo.Save(t.Context(), Order{ID: 4, Item: "by hand"}))
		err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			ref = repo.Create(ctx, given)
			return nil
		})
		if !errors.Is(ref.Err(), model.ErrExists) || !errors.Is(err, model.ErrExists) {
			t.Errorf("a number that is taken: %v, %v", ref.Err(), err)
		}
		p.remove(t, "order{4}")
	})
}

// What is wrong with a record is told at the call, and no number is lost to it.
func TestCounterRefuses(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		p.remove(t, "order#counter", "small#counter")
		repo := orders.On(p.db)
		as[*model.ValidationError](t, "Create", repo.Create(t.Context(), Order{}).Err())
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			as[*model.ValidationError](t, "Create in a Run", repo.Create(ctx, Order{}).Err())
			return nil
		})
		as[*model.ValidationError](t, "Run", err)
		err = pipectx.Atomic(t.Context(), p.db, func(ctx context.Context) error {
			says(t, "Create", repo.Create(ctx, Order{Item: "pen"}).Err(), "inside Atomic", "call it outside, or give the record an id")
			return nil
		})
		says(t, "Atomic", err, "inside Atomic")
		ok(t, "Atomic", pipectx.Atomic(t.Context(), p.db, func(ctx context.Context) error {
			repo.Create(ctx, Order{ID: 8, Item: "pen"})
			return nil
		}))
		p.remove(t, "order{8}")
		if n := p.client.Exists(t.Context(), "order#counter").Val(); n != 0 {
			t.Error("a number was drawn")
		}

		ok(t, "SET", p.client.Set(t.Context(), "small#counter", 254, 0).Err())
		if got := value(t, "Create", smalls.On(p.db).Create(t.Context(), Small{})); got.ID != 255 {
			t.Errorf("created %+v", got)
		}
		for range 2 {
			says(t, "Create", smalls.On(p.db).Create(t.Context(), Small{}).Err(), "small#counter counts 25", "no id", "uint8")
		}
		ok(t, "SET", p.client.Set(t.Context(), "small#counter", -8, 0).Err())
		says(t, "Create", smalls.On(p.db).Create(t.Context(), Small{}).Err(), "counts -7")
		ok(t, "SET", p.client.Set(t.Context(), "small#counter", "x", 0).Err())
		says(t, "Create", smalls.On(p.db).Create(t.Context(), Small{}).Err(), "small#counter", "not an integer")
		p.remove(t, "small#counter", "small{S}:255")
	})
}

// Many who create at once get numbers of their own.
func TestCounterAtOnce(t *testing.T) {
	p := at(t, redistest.Shared(t).Client(t))
	repo := orders.On(p.db)
	p.remove(t, "order#counter")
	var ids sync.Map
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				got, err := repo.Create(t.Context(), Order{Item: "pen"}).Result()
				if _, twice := ids.LoadOrStore(got.ID, true); twice || err != nil {
					t.Errorf("id %d: twice %v, %v", got.ID, twice, err)
				}
			}
		})
	}
	wait.Wait()
	for id := range int64(160) {
		if _, drawn := ids.Load(id + 1); !drawn {
			t.Errorf("nobody has the id %d", id+1)
		}
		p.remove(t, fmt.Sprintf("order{%d}", id+1))
	}
}
