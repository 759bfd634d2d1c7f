package keyspace_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

const (
	batch   = 100  // commands in a pipeline
	benchID = 4242 // whose keys they are about
)

// A pair is a pipeline of batch commands written with go-redis alone
// and with the verbs of this package.
type pair struct {
	name    string
	goredis func(ctx context.Context, p redis.Pipeliner, i int)
	ours    func(ctx context.Context, i int)
}

func pairs(db *pipectx.DB) []pair {
	visits, stock, names := Visits.On(db), Stock.On(db), Names.On(db)
	fields := make([]string, batch)
	for i := range fields {
		fields[i] = "field" + strconv.Itoa(i)
	}
	return []pair{
		{"ZADD",
			func(ctx context.Context, p redis.Pipeliner, i int) {
				p.ZAdd(ctx, "visits{"+strconv.Itoa(benchID)+"}", redis.Z{Member: fields[i], Score: float64(i)})
			},
			func(ctx context.Context, i int) { visits.Add(ctx, benchID, fields[i], float64(i)) }},
		{"HGET",
			func(ctx context.Context, p redis.Pipeliner, i int) {
				p.HGet(ctx, "stock{"+strconv.Itoa(benchID)+"}", fields[i])
			},
			func(ctx context.Context, i int) { stock.Get(ctx, benchID, fields[i]) }},
		{"GET",
			func(ctx context.Context, p redis.Pipeliner, i int) { p.Get(ctx, "name{"+strconv.Itoa(benchID)+"}") },
			func(ctx context.Context, i int) { names.Get(ctx, benchID) }},
		{"SET",
			func(ctx context.Context, p redis.Pipeliner, i int) {
				p.Set(ctx, "name{"+strconv.Itoa(benchID)+"}", fields[i], 0)
			},
			func(ctx context.Context, i int) { names.Set(ctx, benchID, fields[i]) }},
	}
}

func runGoRedis(ctx context.Context, client *redis.Client, p pair) error {
	pipe := client.Pipeline()
	for i := range batch {
		p.goredis(ctx, pipe, i)
	}
	_, err := pipe.Exec(ctx)
	return err
}

func runOurs(ctx context.Context, db *pipectx.DB, p pair) error {
	return pipectx.Run(ctx, db, func(ctx context.Context) error {
		for i := range batch {
			p.ours(ctx, i)
		}
		return nil
	})
}

// benched returns a server that holds what the pairs ask for.
func benched(t testing.TB) (*redis.Client, *pipectx.DB) {
	t.Helper()
	client := redistest.Shared(t).Client(t)
	db := newDB(t, client)
	done(t, "Set", Names.On(db).Set(t.Context(), benchID, "Ada Lovelace"))
	stock := map[string]int64{}
	for i := range batch {
		stock["field"+strconv.Itoa(i)] = 1000 + int64(i)
	}
	done(t, "SetMany", Stock.On(db).SetMany(t.Context(), benchID, stock))
	return client, db
}

// Pipelines of 100 commands, go-redis alone beside our verbs. Run it by
// go test -bench Pipeline ./keyspace.
func BenchmarkPipeline(b *testing.B) {
	client, db := benched(b)
	ctx := context.Background()
	for _, p := range pairs(db) {
		b.Run(p.name+"/goredis", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := runGoRedis(ctx, client, p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(p.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := runOurs(ctx, db, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Making a key costs its own memory and nothing else.
func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Visits.KeyOf(42); err != nil {
			b.Fatal(err)
		}
	}
}
