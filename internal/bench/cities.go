package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A city is a row of a file of cities; place is the same as go-redis reads it.
type city struct {
	ID int64 `redis:"id,key"`
	place
}

type place struct {
	Name       string  `redis:"name"`
	Country    string  `redis:"country"`
	Region     string  `redis:"region"`
	Lat        float64 `redis:"lat"`
	Lon        float64 `redis:"lon"`
	Population int64   `redis:"population"`
	Feature    string  `redis:"feature"`
}

var cities = model.Define[city, int64]("city")

// someCities is the part that the quick start has; its README says whose data
// that is. The benchmarks are meant for all of them.
const someCities = "../../examples/quickstart/data/cities15000.csv.gz"

// readCities reads a gzipped CSV file with the columns of someCities.
func readCities(name string) (all []city, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rows, err := csv.NewReader(unzipped).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for n, row := range rows {
		if n == 0 {
			continue // the header
		}
		var errs [4]error
		c := city{place: place{Name: row[1], Country: row[2], Region: row[3], Feature: row[7]}}
		c.ID, errs[0] = strconv.ParseInt(row[0], 10, 64)
		c.Lat, errs[1] = strconv.ParseFloat(row[4], 64)
		c.Lon, errs[2] = strconv.ParseFloat(row[5], 64)
		c.Population, errs[3] = strconv.ParseInt(row[6], 10, 64)
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("%s: row %d: %w", name, n+1, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// cities are saved and read a thousand a pipeline: each is a record of its own,
// and the server's time is part of it.
func (s *stand) cities(all []city) []job {
	ours, its := cities.On(s.plain), s.goredis
	name := func(c *city) string { return key("city", int(c.ID)) }
	get := func(ctx context.Context) error {
		refs := make([]*pipectx.Ref[city], chunk)
		return chunks(all, func(part []city) error {
			return run(s.plain, len(part), func(ctx context.Context, i int) { refs[i] = ours.Get(ctx, part[i].ID) }, func(i int) error {
				got, err := refs[i].Result()
				return is(err, got, part[i])
			})(ctx)
		})
	}
	hgetall := func(ctx context.Context) error {
		cmds := make([]*redis.MapStringStringCmd, chunk)
		return chunks(all, func(part []city) error {
			return bare(its, len(part), func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.HGetAll(ctx, name(&part[i]))
			}, func(i int) error {
				var got place
				err := cmds[i].Scan(&got)
				return is(err, got, part[i].place)
			})(ctx)
		})
	}
	save := func(ctx context.Context) error {
		refs := make([]*pipectx.Ref[city], chunk)
		return chunks(all, func(part []city) error {
			return run(s.plain, len(part), func(ctx context.Context, i int) { refs[i] = ours.Save(ctx, part[i]) },
				func(i int) error { return refs[i].Err() })(ctx)
		})
	}
	hset := func(ctx context.Context) error {
		cmds := make([]*redis.IntCmd, chunk)
		return chunks(all, func(part []city) error {
			return bare(its, len(part), func(ctx context.Context, p redis.Pipeliner, i int) {
				cmds[i] = p.HSet(ctx, name(&part[i]), &part[i].place)
			}, func(i int) error { return cmds[i].Err() })(ctx)
		})
	}
	return []job{
		{name: "cities-save", units: len(all), wide: true, ours: save, rivals: []rival{{name: "go-redis", time: 1 / 1.3, allocs: 1, run: hset}}},
		{name: "cities-get", units: len(all), wide: true, before: save, ours: get, rivals: []rival{{name: "go-redis", time: 1 / 1.7, allocs: 1, run: hgetall}}},
	}
}

// chunks calls do with a chunk of all at a time.
func chunks[T any](all []T, do func(part []T) error) error {
	for from := 0; from < len(all); from += chunk {
		if err := do(all[from:min(from+chunk, len(all))]); err != nil {
			return err
		}
	}
	return nil
}
