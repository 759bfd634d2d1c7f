// Bench measures redmoon beside its rivals, job by job, in one run on one server,
// and prints a table of ratios:
//
//	make bench
//	make bench CITIES=/data/cities.csv.gz
//	cd internal/bench && go run . -only run-100 -rounds 21
//	cd internal/bench && go run . -only lock-hand-over
//
// It starts a private redis-server, or uses the one REDIS_URL names. All who do a
// job take turns, round by round, so that noise of the machine falls on each; a
// ratio is that of the medians. Allocations are exact; times are not, so only
// ratios are shown as results. The line "ratio <job>/<rival>/time <value> budget
// <value>" is for machines, and so is "allocs <job> <value> budget <value>" where
// ours are bounded. It ends with status 1 when a budget is not held.
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
	page := flag.String("page", "", "a file to write the table to as well, as a page of the docs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks twice does not want to wait for the round
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
	var chosen []job
	all := jobs(s)
	if places, err := readCities(file); err == nil {
		all = append(all, s.cities(places)...)
	} else {
		fmt.Println("without the jobs on cities:", err)
	}
	for _, j := range all {
		if strings.Contains(j.name, only) {
			chosen = append(chosen, j)
		}
	}
	if strings.Contains(handOffs, only) && only != "" {
		return true, s.handOffs(ctx, os.Stdout, time.Duration(rounds)*span)
	}
	if len(chosen) == 0 {
		return false, fmt.Errorf("no job's name contains %q", only)
	}
	version := s.goredis.InfoMap(ctx, "server").Item("Server", "redis_version")
	fmt.Printf("redis %s, %s, %d CPUs, %d rounds of %v\n\n", version, runtime.Version(), runtime.NumCPU(), rounds, span)
	var table strings.Builder
	head(&table)
	held = true
	var lines []string
	var told []result
	progress := demo.NewProgress("jobs", len(chosen))
	for _, j := range chosen {
		results, err := j.measure(ctx, s.pid, rounds, span)
		if err != nil {
			return false, fmt.Errorf("%s: %w", j.name, err)
		}
		progress.Add(1)
		fmt.Fprintln(&table, j.name)
		for _, r := range results {
			held = held && r.held()
			r.row(&table)
			lines = append(lines, r.lines()...)
		}
		told = append(told, results...)
	}
	progress.End()
	fmt.Println(table.String())
	fmt.Print(`Times and allocations are for one command, record or call. A time ratio is that of
the medians of all rounds, its spread the least and the greatest of a single one.
Without a budget behind it a ratio is only told.

`)
	for _, line := range lines {
		fmt.Println(line)
	}
	if page != "" {
		return held, report(page, version, rounds, span, told)
	}
	return held, nil
}
