// Quickstart loads the cities of the world into Redis and builds a country's
// page from them: records, typed keyspaces, nested pipelines and a Lua method,
// in one short program. It runs on an embedded server, or on the one that
// REDIS_URL names:
//
//	go run ./examples/quickstart
//	REDIS_URL=redis://localhost:6379 go run ./examples/quickstart
//	REDIS_URL=redis+cluster://localhost:7000,localhost:7001 go run ./examples/quickstart
//
// atlas.go declares what is stored and the functions on it, load.go reads the
// file, city.lua holds the atomic steps.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

func main() {
	path := flag.String("cities", "", "a CSV file to load instead of the one that comes with the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *path); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context, path string) error {
	meter := &demo.Meter{}
	db, about, closeDB, err := demo.Open(ctx, pipectx.Observe(meter))
	if err != nil {
		return err
	}
	defer closeDB()
	fmt.Println("on", about)

	name := "cities15000.csv.gz"
	file, err := shipped()
	if path != "" {
		name = path
		var f *os.File
		if f, err = os.Open(path); err == nil {
			defer f.Close()
			file = f
		}
	}
	if err != nil {
		return err
	}
	return run(ctx, db, meter, name, file, os.Stdout)
}

// run is the program, apart from where its server and its file come from.
func run(ctx context.Context, db *pipectx.DB, meter *demo.Meter, name string, file io.Reader, out io.Writer) error {
	atlas := NewAtlas(db)

	n, err := atlas.Load(ctx, name, file, demo.NewProgress("loading", rows))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "cities loaded: %d\n\n", n)
	meter.Take()

	// One page, composed of functions that know nothing of each other.
	page, err := atlas.CountryPage(ctx, "DE")
	if err != nil {
		return err
	}
	commands, trips := meter.Take()
	if err := show(out, page); err != nil {
		return err
	}
	fmt.Fprintf(out, "composed under one Run:  %2d commands in %d round trips\n", commands, trips)

	// The same functions, each called alone.
	if err := alone(ctx, atlas, "DE"); err != nil {
		return err
	}
	commands, trips = meter.Take()
	fmt.Fprintf(out, "each function alone:     %2d commands in %d round trips\n\n", commands, trips)

	return merge(ctx, atlas, out)
}

func alone(ctx context.Context, atlas *Atlas, country string) error {
	count, views := atlas.Count(ctx, country), atlas.View(ctx, country)
	largest, err := atlas.Largest(ctx, country, 10)
	if err != nil {
		return err
	}
	return errors.Join(count.Err(), views.Err(), largest.Err())
}

// show prints a page. Its Refs are resolved: Run has returned.
func show(out io.Writer, p Page) error {
	count, err := p.Count.Result()
	if err != nil {
		return err
	}
	views, err := p.Views.Result()
	if err != nil {
		return err
	}
	cities, err := p.Largest.Result()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d cities, view no. %d\n", p.Country, count, views)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tcity\tpopulation\tlat\tlon\t")
	for i, c := range cities {
		if c == nil {
			continue // deleted since the ranking was read
		}
		fmt.Fprintf(table, "%d.\t%s\t%d\t%.2f\t%.2f\t\n", i+1, c.Name, c.Population, c.Lat, c.Lon)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return nil
}

// merge shows a Lua method: its success, its refusal, and a mistake in it.
func merge(ctx context.Context, atlas *Atlas, out io.Writer) error {
	mannheim, ludwigshafen := CityID{"DE", 2873891}, CityID{"DE", 2875376}

	people, err := atlas.Merge(ctx, mannheim, ludwigshafen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Mannheim and Ludwigshafen merged: %v people\n", people)

	// A refusal of the method is a typed error, and nothing was written.
	_, err = atlas.Merge(ctx, mannheim, mannheim)
	var refused *lua.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("merging a city with itself answered %v", err)
	}
	fmt.Fprintf(out, "refused with the code %s: %s\n\n", refused.Code, refused.Message)

	// A mistake in Lua is found by file and line.
	err = Dense.On(atlas.db).Call(ctx, mannheim, 144.96).Err()
	if !errors.As(err, &refused) {
		return fmt.Errorf("the provoked mistake answered %v", err)
	}
	fmt.Fprintln(out, "a mistake in the method:")
	fmt.Fprintln(out, refused.Traceback())
	left, err := atlas.cities.Get(ctx, mannheim).Result()
	fmt.Fprintf(out, "the method had set the population to 0 before it failed; stored is %d\n", left.Population)
	return err
}
