package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A record is ten fields of mixed types; plain is the same as go-redis reads it,
// without a key field.
type record struct {
	ID int64 `redis:"id,key"`
	plain
}

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

var records = model.Define[record, int64]("record")

func samples(n int) []record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	all := make([]record, n)
	for i := range all {
		all[i] = record{int64(i), plain{Name: "Ada Lovelace", Email: "ada@example.org", Balance: 123456 + int64(i), Limit: 500,
			Rate: 0.0375, Active: true, Opened: at, Seen: at.Add(time.Hour), Tags: "analyst,poet", Comments: "wrote the first program"}}
	}
	return all
}

// save saves n records a pipeline, load loads them. The same jobs on tapes are
// the clients' time alone.
func (s *stand) save(n int) job {
	return job{
		name: "save-10-fields", units: n, ours: saveOurs(s.plain, n),
		rivals: []rival{{name: "go-redis", time: 1.2, allocs: 1, run: saveBare(s.goredis, n)}},
	}
}

func (s *stand) saveTaped(n int) job {
	client, _, its := s.taped()
	_, db, ours := s.taped()
	return job{
		name: "client-save-10-fields", units: n, client: true, ours: ours.played(saveOurs(db, n)),
		rivals: []rival{{name: "go-redis", time: 0.45, allocs: 1, run: its.played(saveBare(client, n))}},
	}
}

func saveOurs(db *pipectx.DB, n int) func(context.Context) error {
	repo, all, refs := records.On(db), samples(n), make([]*pipectx.Ref[record], n)
	return run(db, n, func(ctx context.Context, i int) { refs[i] = repo.Save(ctx, all[i]) },
		func(i int) error { return refs[i].Err() })
}

func saveBare(client *redis.Client, n int) func(context.Context) error {
	all, cmds := samples(n), make([]*redis.IntCmd, n)
	return bare(client, n, func(ctx context.Context, p redis.Pipeliner, i int) {
		cmds[i] = p.HSet(ctx, key("record", i), &all[i].plain)
	}, func(i int) error { return cmds[i].Err() })
}

func (s *stand) load(n int) job {
	return job{
		name: "get-10-fields", units: n, ours: loadOurs(s.plain, n),
		rivals: []rival{{name: "go-redis", time: 1.2, allocs: 1, run: loadBare(s.goredis, n)}},
	}
}

func (s *stand) loadTaped(n int) job {
	client, _, its := s.taped()
	_, db, ours := s.taped()
	return job{
		name: "client-get-10-fields", units: n, client: true, ours: ours.played(loadOurs(db, n)),
		rivals: []rival{{name: "go-redis", time: 0.6, allocs: 1, run: its.played(loadBare(client, n))}},
	}
}

func loadOurs(db *pipectx.DB, n int) func(context.Context) error {
	repo, all, refs := records.On(db), samples(n), make([]*pipectx.Ref[record], n)
	return run(db, n, func(ctx context.Context, i int) { refs[i] = repo.Get(ctx, int64(i)) }, func(i int) error {
		got, err := refs[i].Result()
		return is(got.plain, all[i].plain, err)
	})
}

func loadBare(client *redis.Client, n int) func(context.Context) error {
	all, cmds := samples(n), make([]*redis.MapStringStringCmd, n)
	return bare(client, n, func(ctx context.Context, p redis.Pipeliner, i int) {
		cmds[i] = p.HGetAll(ctx, key("record", i))
	}, func(i int) error {
		var got plain
		err := cmds[i].Scan(&got)
		return is(got, all[i].plain, err)
	})
}

func is[T comparable](got, want T, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("read back %+v", got)
	}
	return err
}
