//go:build !race

package model_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// ten is ten fields of mixed types.
type ten struct {
	ID      int64     `redis:"id,key"`
	Name    string    `redis:"name"`
	Email   string    `redis:"email"`
	Balance int64     `redis:"balance"`
	Limit   uint32    `redis:"limit"`
	Rate    float64   `redis:"rate"`
	Active  bool      `redis:"active"`
	Opened  time.Time `redis:"opened"`
	Seen    time.Time `redis:"seen"`
	Tags    string    `redis:"tags"`
	Comment string    `redis:"comment"`
}

// tenMaybe is the same with some that may be absent.
type tenMaybe struct {
	ID      int64                 `redis:"id,key"`
	Name    string                `redis:"name"`
	Email   *string               `redis:"email"`
	Balance int64                 `redis:"balance"`
	Limit   field.Optional[int64] `redis:"limit"`
	Rate    float64               `redis:"rate"`
	Active  bool                  `redis:"active"`
	Opened  time.Time             `redis:"opened"`
	Seen    *time.Time            `redis:"seen"`
	Tags    string                `redis:"tags"`
	Comment *string               `redis:"comment"`
}

var (
	tens   = model.Define[ten, int64]("ten")
	maybes = model.Define[tenMaybe, int64]("maybe")
)

// A record in a pipeline of a hundred costs few allocations: to save it, its Ref
// and the server's reply, and a copy where it cannot stay on the stack; to get it,
// its Ref, what its pointers point to, and the reply, which grows as it is read.
// (go-redis takes 27 either way. Under the race detector pools drop what they
// hold, so it cannot be measured there.)
func TestRecordAllocs(t *testing.T) {
	p := at(t, redistest.Shared(t).Client(t))
	record := ten{Name: "Ada Lovelace", Email: "ada@example.org", Balance: 123456, Limit: 500, Rate: 0.0375, Active: true,
		Opened: opened, Seen: opened.Add(time.Hour), Tags: "analyst,poet", Comment: "wrote the first program"}
	maybe := tenMaybe{Name: record.Name, Email: &record.Email, Balance: record.Balance, Limit: field.Some[int64](500), Rate: record.Rate,
		Opened: opened, Seen: &record.Seen, Tags: record.Tags}
	plain, full := tens.On(p.db), maybes.On(p.db)
	for i := range int64(100) {
		record.ID, maybe.ID = i, i
		value(t, "Save", plain.Save(t.Context(), record))
		value(t, "Save", full.Save(t.Context(), maybe))
	}
	for _, c := range []struct {
		reason string
		most   float64 // for each record
		verb   func(ctx context.Context, id int64)
	}{
		{"Save by HSET", 2, func(ctx context.Context, id int64) {
			record.ID = id
			plain.Save(ctx, record)
		}},
		{"Save by a script", 3, func(ctx context.Context, id int64) {
			maybe.ID = id
			full.Save(ctx, maybe)
		}},
		{"Get", 7, func(ctx context.Context, id int64) { plain.Get(ctx, id) }},
		{"Get of pointers", 9, func(ctx context.Context, id int64) { full.Get(ctx, id) }},
	} {
		const pipeline = 30 // the Run itself, for all of them
		got := leastAllocs(func() {
			err := pipectx.Run(context.Background(), p.db, func(ctx context.Context) error {
				for id := range int64(100) {
					c.verb(ctx, id)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.2f allocations a record", c.reason, got/100)
		if got > 100*c.most+pipeline {
			t.Errorf("%s: %v allocations for 100 records, want %v and the pipeline's own", c.reason, got, 100*c.most)
		}
	}
}

// leastAllocs is how many allocations fn takes when nothing else allocates: the
// count is the whole process's.
func leastAllocs(fn func()) float64 {
	least := math.Inf(1)
	for range 20 {
		least = min(least, testing.AllocsPerRun(5, fn))
	}
	return least
}
