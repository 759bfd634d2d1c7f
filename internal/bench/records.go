package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-playground/validator/v10"
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

// A strict record is the same with five rules.
type strict struct {
	ID int64 `redis:"id,key"`
	plainStrict
}

type plainStrict struct {
	Name     string    `redis:"name" validate:"required,max=80"`
	Email    string    `redis:"email" validate:"email"`
	Balance  int64     `redis:"balance" validate:"gte=0"`
	Limit    uint32    `redis:"limit" validate:"lte=1000"`
	Rate     float64   `redis:"rate" validate:"gte=0,lt=1"`
	Active   bool      `redis:"active"`
	Opened   time.Time `redis:"opened"`
	Seen     time.Time `redis:"seen"`
	Tags     string    `redis:"tags"`
	Comments string    `redis:"comments"`
}

var (
	records = model.Define[record, int64]("record")
	stricts = model.Define[strict, int64]("record") // the same keys
)

func samples(n int) []record {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	all := make([]record, n)
	for i := range all {
		all[i] = record{int64(i), plain{Name: "Ada Lovelace", Email: "ada@example.org", Balance: 123456 + int64(i), Limit: 500,
			Rate: 0.0375, Active: true, Opened: at, Seen: at.Add(time.Hour), Tags: "analyst,poet", Comments: "wrote the first program"}}
	}
	return all
}

// stricter is the same records under the rules.
func stricter(all []record) []strict {
	with := make([]strict, len(all))
	for i, r := range all {
		with[i] = strict{r.ID, plainStrict(r.plain)}
	}
	return with
}

// records are saved and read n a pipeline, with the server and by the clients
// alone.
func (s *stand) records(n int) []job {
	all := samples(n)
	strict := stricter(all)
	validate := validator.New(validator.WithRequiredStructEnabled())

	save := func(_ *redis.Client, db *pipectx.DB) work { return saving(db, records, all) }
	hset := func(c *redis.Client, _ *pipectx.DB) work {
		return settingHash(c, n, func(i int) (any, error) { return &all[i].plain, nil })
	}
	saveStrict := func(_ *redis.Client, db *pipectx.DB) work { return saving(db, stricts, strict) }
	hsetStrict := func(c *redis.Client, _ *pipectx.DB) work {
		return settingHash(c, n, func(i int) (any, error) {
			return &strict[i].plainStrict, validate.Struct(&strict[i].plainStrict)
		})
	}
	get := func(_ *redis.Client, db *pipectx.DB) work { return loading(db, records, all) }
	getStrict := func(_ *redis.Client, db *pipectx.DB) work { return loading(db, stricts, strict) }
	hgetall := func(c *redis.Client, _ *pipectx.DB) work { return scanningHash(c, all) }

	return []job{
		{name: "save-10-fields", units: n, ours: save(s.goredis, s.plain),
			rivals: []rival{{name: "go-redis", time: 1, allocs: 1, run: hset(s.goredis, s.plain)}}},
		{name: "get-10-fields", units: n, ours: get(s.goredis, s.plain),
			rivals: []rival{{name: "go-redis", time: 1, allocs: 1, run: hgetall(s.goredis, s.plain)}}},
		{name: "client-save-10-fields", units: n, client: true, most: 5, ours: s.taped(save),
			rivals: []rival{{name: "go-redis", time: 0.45, allocs: 1, run: s.taped(hset)}}},
		{name: "client-get-10-fields", units: n, client: true, most: 15, ours: s.taped(get),
			rivals: []rival{{name: "go-redis", time: 0.6, allocs: 1, run: s.taped(hgetall)}}},
		{name: "client-save-10-fields-5-rules", units: n, client: true, ours: s.taped(saveStrict),
			rivals: []rival{
				{name: "go-redis and validator", run: s.taped(hsetStrict)},
				{name: "go-redis", run: s.taped(hset)},
			}},
		{name: "client-get-10-fields-5-rules", units: n, client: true, most: 15, ours: s.taped(getStrict),
			rivals: []rival{{name: "go-redis", time: 0.6, allocs: 1, run: s.taped(hgetall)}}},
	}
}

// saving saves records by a pipeline, settingHash does it as go-redis does.
func saving[T any](db *pipectx.DB, m *model.Model[T, int64], all []T) work {
	repo, refs := m.On(db), make([]*pipectx.Ref[T], len(all))
	return run(db, len(all), func(ctx context.Context, i int) { refs[i] = repo.Save(ctx, all[i]) },
		func(i int) error { return refs[i].Err() })
}

func settingHash(client *redis.Client, n int, row func(i int) (any, error)) work {
	cmds := make([]*redis.IntCmd, n)
	return bare(client, n, func(ctx context.Context, p redis.Pipeliner, i int) {
		fields, err := row(i)
		cmds[i] = p.HSet(ctx, key("record", i), fields)
		if err != nil {
			cmds[i].SetErr(err)
		}
	}, func(i int) error { return cmds[i].Err() })
}

// loading gets records by a pipeline, scanningHash does it as go-redis does.
func loading[T comparable](db *pipectx.DB, m *model.Model[T, int64], all []T) work {
	repo, refs := m.On(db), make([]*pipectx.Ref[T], len(all))
	return run(db, len(all), func(ctx context.Context, i int) { refs[i] = repo.Get(ctx, int64(i)) }, func(i int) error {
		got, err := refs[i].Result()
		return is(err, got, all[i])
	})
}

func scanningHash(client *redis.Client, all []record) work {
	cmds := make([]*redis.MapStringStringCmd, len(all))
	return bare(client, len(all), func(ctx context.Context, p redis.Pipeliner, i int) {
		cmds[i] = p.HGetAll(ctx, key("record", i))
	}, func(i int) error {
		var got plain
		err := cmds[i].Scan(&got)
		return is(err, got, all[i].plain)
	})
}

func is[T comparable](err error, got, want T) error {
	if err == nil && got != want {
		err = fmt.Errorf("read back %+v", got)
	}
	return err
}
