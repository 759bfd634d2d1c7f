// Bench measures redmoon beside bare go-redis, pair by pair, in one run on one
// server, and prints a table of ratios:
//
//	make bench
//
// It starts a private redis-server, or uses the one REDIS_URL names. The two
// sides of a pair take turns, round by round, so that noise of the machine falls
// on both; a ratio is that of the medians. Allocations are exact; times are not,
// so only ratios are shown as results. The line "ratio <case> <value> budget
// <value>" is for machines. It ends with status 1 when a budget is not held.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A pair is one job done by both sides. Each does it once a call.
type pair struct {
	name          string
	units         int // commands or records a call
	ours, goredis func(ctx context.Context) error
	time          float64 // budget: ours ÷ go-redis
	allocs        float64 // budget: ours ÷ go-redis
}

func main() {
	rounds := flag.Int("rounds", 9, "rounds of each side")
	span := flag.Duration("span", 200*time.Millisecond, "how long a round takes")
	flag.Parse()
	held, err := compare(*rounds, *span)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if !held {
		os.Exit(1)
	}
}

func compare(rounds int, span time.Duration) (held bool, err error) {
	ctx := context.Background()
	client, stop, err := server(ctx)
	if err != nil {
		return false, err
	}
	defer stop()
	db, err := pipectx.New(client)
	if err != nil {
		return false, err
	}
	version := client.InfoMap(ctx, "server").Item("Server", "redis_version")
	fmt.Printf("redis %s, %s, %d rounds of %v\n\n", version, runtime.Version(), rounds, span)

	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "case\tours\tgo-redis\ttime ratio\tspread\tbudget\tallocs ours\tgo-redis\tratio\tbudget\t\t")
	held = true
	var lines []string
	for _, p := range pairs(db, client) {
		r, err := p.measure(ctx, rounds, span)
		if err != nil {
			return false, fmt.Errorf("%s: %w", p.name, err)
		}
		verdict := "held"
		if r.time > p.time || r.allocs > p.allocs {
			verdict, held = "MISSED", false
		}
		fmt.Fprintf(table, "%s\t%v\t%v\t%.2f\t%.2f–%.2f\t%.2f\t%.1f\t%.1f\t%.2f\t%.2f\t%s\t\n",
			p.name, r.oursTime.Round(time.Nanosecond), r.goredisTime.Round(time.Nanosecond), r.time, r.least, r.most, p.time,
			r.oursAllocs, r.goredisAllocs, r.allocs, p.allocs, verdict)
		lines = append(lines, fmt.Sprintf("ratio %s/time %.3f budget %.3f", p.name, r.time, p.time),
			fmt.Sprintf("ratio %s/allocs %.3f budget %.3f", p.name, r.allocs, p.allocs))
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	fmt.Println("\ntimes and allocations are for one command or record")
	fmt.Println()
	for _, line := range lines {
		fmt.Println(line)
	}
	return held, nil
}

type result struct {
	oursTime, goredisTime     time.Duration // medians, a unit
	time, least, most         float64       // ratio of the medians; of single rounds the least and most
	oursAllocs, goredisAllocs float64       // a unit
	allocs                    float64
}

func (p *pair) measure(ctx context.Context, rounds int, span time.Duration) (r result, err error) {
	for _, side := range []func(context.Context) error{p.ours, p.goredis} { // warm up, and see that it works
		for range 20 {
			if err := side(ctx); err != nil {
				return r, err
			}
		}
	}
	var ours, goredis, ratios []float64
	for range rounds {
		a, allocsA, err := round(ctx, p.ours, span)
		if err != nil {
			return r, err
		}
		b, allocsB, err := round(ctx, p.goredis, span)
		if err != nil {
			return r, err
		}
		ours, goredis, ratios = append(ours, a), append(goredis, b), append(ratios, a/b)
		r.oursAllocs, r.goredisAllocs = allocsA/float64(p.units), allocsB/float64(p.units)
	}
	slices.Sort(ratios)
	a, b := median(ours), median(goredis)
	r.oursTime, r.goredisTime = time.Duration(a)/time.Duration(p.units), time.Duration(b)/time.Duration(p.units)
	r.time, r.least, r.most = a/b, ratios[0], ratios[len(ratios)-1]
	r.allocs = r.oursAllocs / r.goredisAllocs
	return r, nil
}

// round runs one side for span and returns nanoseconds and allocations a call.
func round(ctx context.Context, side func(context.Context) error, span time.Duration) (ns, allocs float64, err error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	calls := 0
	for time.Since(start) < span {
		if err := side(ctx); err != nil {
			return 0, 0, err
		}
		calls++
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return float64(took) / float64(calls), float64(after.Mallocs-before.Mallocs) / float64(calls), nil
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

// server returns a client of REDIS_URL's server, or of a private one.
func server(ctx context.Context) (client *redis.Client, stop func(), err error) {
	if url := os.Getenv("REDIS_URL"); url != "" {
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, nil, err
		}
		client = redis.NewClient(o)
		return client, func() { _ = client.Close() }, client.Ping(ctx).Err()
	}
	dir, err := os.MkdirTemp("", "redmoon-bench")
	if err != nil {
		return nil, nil, err
	}
	socket := filepath.Join(dir, "redis.sock")
	cmd := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w (make redis installs it, or set REDIS_URL)", err)
	}
	client = redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	stop = func() {
		_ = client.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err = client.Ping(ctx).Err()
		if err == nil {
			return client, stop, nil
		}
		if time.Now().After(deadline) {
			stop()
			return nil, nil, err
		}
	}
}
