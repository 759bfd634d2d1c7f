// Bench measures redmoon beside its rivals, job by job, in one run on one server,
// and prints a table of ratios:
//
//	make bench
//	make bench CITIES=/data/cities.csv.gz
//	cd internal/bench && go run . -only run-100 -rounds 21
//	cd internal/bench && go run . -only lock-hand-over
//	make scale
//
// It starts a private redis-server, or uses the one REDIS_URL names. All who do a
// job take turns, round by round, so that noise of the machine falls on each; a
// ratio is that of the medians. Allocations are exact; times are not, so only
// ratios are shown as results. The line "ratio <job>/<rival>/time <value> budget
// <value>" is for machines, and so is "allocs <job> <value> budget <value>" where
// ours are bounded. It ends with status 1 when a budget is not held.
//
// Lone calls and short pipelines have client and server on one processor, see pin.
// What needs no server of its own kind is measured on the embedded one too, where
// nothing is asked of the ratios: client and server are one process there.
//
// Jobs called client are done on a recording of what the server answers, and
// their times are processor time, the garbage collector's included, so that what
// other programs have of the machine is left out.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redmoon-go/redmoon/internal/demo"
)

func main() {
	rounds := flag.Int("rounds", 9, "rounds of each side")
	span := flag.Duration("span", 100*time.Millisecond, "how long a round takes, at least")
	only := flag.String("only", "", "jobs whose name contains this")
	file := flag.String("cities", cmp.Or(os.Getenv("CITIES"), someCities), "a gzipped CSV file of cities; by default what CITIES names, or the quick start's")
	scale := flag.String("scale", "", "measure what grows instead, and write scale.md and its plots to this folder")
	most := flag.Int("most", 0, "with -scale: sizes up to this, to see that it runs; 0 is all")
	page := flag.String("page", "", "a file to write the table to as well, as a page of the docs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait for the round
	if *scale != "" {
		if err := grow(ctx, *scale, *most); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	held, err := compare(ctx, *rounds, *span, *only, *file, *page)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !held {
		os.Exit(1)
	}
}

func compare(ctx context.Context, rounds int, span time.Duration, only, file, page string) (held bool, err error) {
	s, err := start(ctx)
	if err != nil {
		return false, err
	}
	defer s.stop()
	all := jobs(s)
	if places, err := readCities(file); err == nil {
		all = append(all, s.cities(places)...)
	} else {
		fmt.Println("without the jobs on cities:", err)
	}
	e, err := embedded(ctx)
	if err != nil {
		return false, err
	}
	defer e.stop()
	version := s.goredis.InfoMap(ctx, "server").Item("Server", "redis_version")
	sheet := sheet{title: fmt.Sprintf("redis %s, %s, %s/%s, %d CPUs, %d rounds of %v", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, span)}
	fmt.Println(sheet.title)

	named := func(jobs []job) []job {
		return slices.DeleteFunc(jobs, func(j job) bool { return !strings.Contains(j.name, only) })
	}
	for _, part := range []struct {
		of    *stand
		jobs  []job
		into  *[]result
		label string
	}{
		{s, named(all), &sheet.server, "jobs"},
		{e, named(slices.DeleteFunc(jobs(e), func(j job) bool { return j.real || j.client })), &sheet.embedded, "on the embedded server"},
	} {
		if len(part.jobs) == 0 {
			continue
		}
		progress := demo.NewProgress(part.label, len(part.jobs))
		for _, j := range part.jobs {
			results, err := j.measure(ctx, part.of.pid, rounds, span)
			if err != nil {
				return false, fmt.Errorf("%s: %w", j.name, err)
			}
			progress.Add(1)
			*part.into = append(*part.into, results...)
		}
		progress.End()
	}
	if strings.Contains(handOver, only) {
		if sheet.crowds, err = s.crowds(ctx, time.Duration(rounds)*span); err != nil {
			return false, err
		}
	}
	if len(sheet.server) == 0 && sheet.crowds == nil {
		return false, fmt.Errorf("no job's name contains %q", only)
	}
	sheet.print(os.Stdout)
	if page != "" {
		return sheet.held(), sheet.report(page)
	}
	return sheet.held(), nil
}
