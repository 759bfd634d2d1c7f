package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// batch is how many commands or records a pipeline carries.
const batch = 100

// record is ten fields of mixed types. go-redis stores the same struct.
type record struct {
	ID       int64     `redis:"id,key"`
	Name     string    `redis:"name"`
	Email    string    `redis:"email"`
	Balance  int64     `redis:"balance"`
	Limit    uint32    `redis:"limit"`
	Rate     float64   `redis:"rate"`
	Active   bool      `redis:"active"`
	Opened   time.Time `redis:"opened"`
	Seen     time.Time `redis:"seen"`
	Tags     string    `redis:"tags"`
	Comments string    `redis:"comments"`
}

// plain is record as go-redis reads it: it has no key field.
type plain struct {
	Name     string    `redis:"name"`
	Email    string    `redis:"email"`
	Balance  int64     `redis:"balance"`
	Limit    uint32    `redis:"limit"`
	Rate     float64   `redis:"rate"`
	Active   bool      `redis:"active"`
	Opened   time.Time `redis:"opened"`
	Seen     time.Time `redis:"seen"`
	Tags     string    `redis:"tags"`
	Comments string    `redis:"comments"`
}

var records = model.Define[record, int64]("bench")

func sample(id int64) record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	return record{ID: id, Name: "Ada Lovelace", Email: "ada@example.org", Balance: 123456 + id, Limit: 500, Rate: 0.0375,
		Active: true, Opened: at, Seen: at.Add(time.Hour), Tags: "analyst,poet", Comments: "wrote the first program"}
}

func pairs(db *pipectx.DB, client *redis.Client) []pair {
	repo := records.On(db)
	all := make([]record, batch)
	plains := make([]plain, batch)
	for i := range all {
		r := sample(int64(i))
		all[i] = r
		plains[i] = plain{r.Name, r.Email, r.Balance, r.Limit, r.Rate, r.Active, r.Opened, r.Seen, r.Tags, r.Comments}
	}
	run := func(queue func(ctx context.Context, i int)) func(context.Context) error {
		return func(ctx context.Context) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				for i := range batch {
					queue(ctx, i)
				}
				return nil
			})
		}
	}
	bare := func(queue func(ctx context.Context, p redis.Pipeliner, i int)) func(context.Context) error {
		return func(ctx context.Context) error {
			p := client.Pipeline()
			for i := range batch {
				queue(ctx, p, i)
			}
			_, err := p.Exec(ctx)
			return err
		}
	}
	name := func(prefix string, i int) string { return prefix + "{" + strconv.Itoa(i) + "}" }
	gets := make([]*pipectx.Ref[string], batch)
	bareGets := make([]*redis.StringCmd, batch)
	loaded := make([]*pipectx.Ref[record], batch)
	scanned := make([]*redis.MapStringStringCmd, batch)

	return []pair{
		{name: "run-100-set", units: batch, time: 1.2, allocs: 1.2,
			ours: run(func(ctx context.Context, i int) {
				pipectx.Do[struct{}](ctx, db, "SET", name("bench.s", i), "some value of a usual length")
			}),
			goredis: bare(func(ctx context.Context, p redis.Pipeliner, i int) {
				p.Set(ctx, name("bench.s", i), "some value of a usual length", 0)
			}),
		},
		{name: "run-100-get", units: batch, time: 1.2, allocs: 1.2,
			ours: reading(run(func(ctx context.Context, i int) {
				gets[i] = pipectx.Do[string](ctx, db, "GET", name("bench.s", i))
			}), func(i int) error { return gets[i].Err() }),
			goredis: reading(bare(func(ctx context.Context, p redis.Pipeliner, i int) {
				bareGets[i] = p.Get(ctx, name("bench.s", i))
			}), func(i int) error { return bareGets[i].Err() }),
		},
		{name: "run-100-mixed", units: batch, time: 1.2, allocs: 1.2,
			ours: run(func(ctx context.Context, i int) {
				switch i % 3 {
				case 0:
					pipectx.Do[struct{}](ctx, db, "SET", name("bench.s", i), "some value")
				case 1:
					pipectx.Do[int64](ctx, db, "INCRBY", name("bench.n", i), 2)
				default:
					pipectx.Do[int64](ctx, db, "HSET", name("bench.h", i), "field", "value", "other", i)
				}
			}),
			goredis: bare(func(ctx context.Context, p redis.Pipeliner, i int) {
				switch i % 3 {
				case 0:
					p.Set(ctx, name("bench.s", i), "some value", 0)
				case 1:
					p.IncrBy(ctx, name("bench.n", i), 2)
				default:
					p.HSet(ctx, name("bench.h", i), "field", "value", "other", i)
				}
			}),
		},
		{name: "save-10-fields", units: batch, time: 1.2, allocs: 1,
			ours: run(func(ctx context.Context, i int) { repo.Save(ctx, all[i]) }),
			goredis: bare(func(ctx context.Context, p redis.Pipeliner, i int) {
				p.HSet(ctx, name("bench", i), &plains[i])
			}),
		},
		{name: "get-10-fields", units: batch, time: 1.2, allocs: 1,
			ours: reading(run(func(ctx context.Context, i int) { loaded[i] = repo.Get(ctx, int64(i)) }),
				func(i int) error {
					got, err := loaded[i].Result()
					if err == nil && got.Balance != all[i].Balance {
						err = fmt.Errorf("read back %+v", got)
					}
					return err
				}),
			goredis: reading(bare(func(ctx context.Context, p redis.Pipeliner, i int) {
				scanned[i] = p.HGetAll(ctx, name("bench", i))
			}), func(i int) error {
				var got plain
				err := scanned[i].Scan(&got)
				if err == nil && got.Balance != plains[i].Balance {
					err = fmt.Errorf("read back %+v", got)
				}
				return err
			}),
		},
	}
}

// reading does a job and then reads each of its results.
func reading(job func(context.Context) error, read func(i int) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := job(ctx); err != nil {
			return err
		}
		for i := range batch {
			if err := read(i); err != nil {
				return err
			}
		}
		return nil
	}
}
