package model_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Ten is ten fields of mixed types, which go-redis stores too.
type Ten struct {
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

// plainTen is Ten without its id, which is in the key.
type plainTen struct {
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

var tens = model.Define[Ten, int64]("ten")

const batch = 100

func ten(id int64) Ten {
	return Ten{ID: id, Name: "Ada Lovelace", Email: "ada@example.org", Balance: 123456 + id, Limit: 500, Rate: 0.0375, Active: true,
		Opened: opened, Seen: opened.Add(time.Hour), Tags: "analyst,poet", Comment: "wrote the first program"}
}

func (r Ten) plain() plainTen {
	return plainTen{r.Name, r.Email, r.Balance, r.Limit, r.Rate, r.Active, r.Opened, r.Seen, r.Tags, r.Comment}
}

func tenKeys() (keys [batch]string) {
	for i := range keys {
		keys[i], _ = tens.KeyOf(int64(i))
	}
	return keys
}

// benchmarks run against a server over the loopback, a pipeline of 100 records
// an iteration: allocs/op is that of 100.
func benchServer(b *testing.B) (place, *redis.Client) {
	c := redistest.Shared(b).Client(b)
	return at(b, c), c
}

func BenchmarkSave(b *testing.B) {
	p, c := benchServer(b)
	b.Run("goredis", func(b *testing.B) {
		keys := tenKeys()
		b.ReportAllocs()
		for b.Loop() {
			pipe := c.Pipeline()
			for i := range batch {
				record := ten(int64(i)).plain()
				pipe.HSet(b.Context(), keys[i], &record)
			}
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		repo := tens.On(p.db)
		b.ReportAllocs()
		for b.Loop() {
			err := pipectx.Run(b.Context(), p.db, func(ctx context.Context) error {
				for i := range batch {
					repo.Save(ctx, ten(int64(i)))
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	p, c := benchServer(b)
	for i := range batch {
		value(b, "Save", tens.On(p.db).Save(b.Context(), ten(int64(i))))
	}
	b.Run("goredis", func(b *testing.B) {
		keys := tenKeys()
		cmds := make([]*redis.MapStringStringCmd, batch)
		b.ReportAllocs()
		for b.Loop() {
			pipe := c.Pipeline()
			for i := range batch {
				cmds[i] = pipe.HGetAll(b.Context(), keys[i])
			}
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
			for _, cmd := range cmds {
				var r plainTen
				if err := cmd.Scan(&r); err != nil || r.Limit != 500 {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		repo := tens.On(p.db)
		refs := make([]*pipectx.Ref[Ten], batch)
		b.ReportAllocs()
		for b.Loop() {
			err := pipectx.Run(b.Context(), p.db, func(ctx context.Context) error {
				for i := range batch {
					refs[i] = repo.Get(ctx, int64(i))
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			for _, ref := range refs {
				if r, err := ref.Result(); err != nil || r.Limit != 500 {
					b.Fatal(err)
				}
			}
		}
	})
}
