package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// work does a job once.
type work = func(ctx context.Context) error

// A job is done by us and by its rivals.
type job struct {
	name   string
	units  int // commands, records or calls a job
	ours   work
	rivals []rival

	before      work    // done once, unmeasured; may be nil
	cancellable bool    // whether its context is
	real        bool    // not for the embedded server
	wide        bool    // client and server work at the same time: not for one processor
	client      bool    // nobody else takes part: it is processor time that counts
	most        float64 // allocations that we may take a unit; 0 is any number
	// spent is the server's time so far, for jobs of which only that counts.
	spent func(ctx context.Context) (time.Duration, error)
}

// A rival's budgets are ours ÷ its; 0 is none.
type rival struct {
	name         string
	run          work
	time, allocs float64
}

type result struct {
	job                   *job
	rival                 *rival
	oursTime, itsTime     time.Duration // medians, a unit
	time, least, most     float64       // ratio of the medians; of single rounds the least and most
	oursAllocs, itsAllocs float64       // a unit
	allocs                float64       // 0 if it has none
	oursLoad, itsLoad     load          // a call
}

// A side is one who does a job, and what its rounds took.
type side struct {
	run    work
	ns     []float64
	allocs float64
	load   load
}

// measure has all sides do the job, in turns. Client and server share a processor
// unless both work at a time: it is all that they can use, and from one to another
// the news of a lone call takes several times as long as all the rest, or does not.
func (j *job) measure(ctx context.Context, server, rounds int, span time.Duration) (results []result, err error) {
	if !j.wide && server != 0 {
		unpin, err := pin(os.Getpid(), server)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, unpin()) }()
	}
	asked := ctx
	if !j.cancellable {
		ctx = context.WithoutCancel(ctx)
	}
	sides := []*side{{run: j.ours}}
	for _, r := range j.rivals {
		sides = append(sides, &side{run: r.run})
	}
	if j.before != nil {
		if err := j.before(ctx); err != nil {
			return nil, err
		}
	}
	for _, s := range sides { // warm up, and see that it works
		for range 3 {
			if err := s.run(ctx); err != nil {
				return nil, err
			}
		}
	}
	for n := range rounds {
		if asked.Err() != nil {
			return nil, context.Cause(asked)
		}
		for i := range sides {
			s := sides[(n+i)%len(sides)] // another begins each time
			if err := s.round(ctx, span, j); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range sides {
		var err error
		if s.load, err = weigh(ctx, s.run); err != nil {
			return nil, err
		}
	}
	for i := range j.rivals {
		results = append(results, j.compare(&j.rivals[i], sides[0], sides[i+1]))
	}
	return results, nil
}

// round does the job for span and notes nanoseconds and allocations a call.
func (s *side) round(ctx context.Context, span time.Duration, j *job) error {
	clock := func() time.Duration { return time.Since(epoch) }
	if j.client {
		clock = cpuTime
	}
	var already time.Duration
	if j.spent != nil {
		var err error
		if already, err = j.spent(ctx); err != nil {
			return err
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := clock()
	calls := 0
	for calls == 0 || clock()-start < span {
		if err := s.run(ctx); err != nil {
			return err
		}
		calls++
	}
	took := clock() - start
	runtime.ReadMemStats(&after)
	if j.spent != nil {
		total, err := j.spent(ctx)
		if err != nil {
			return err
		}
		took = total - already
	}
	s.ns = append(s.ns, float64(took)/float64(calls))
	s.allocs = float64(after.Mallocs-before.Mallocs) / float64(calls)
	return nil
}

func (j *job) compare(r *rival, ours, its *side) result {
	ratios := make([]float64, len(ours.ns))
	for i := range ratios {
		ratios[i] = ours.ns[i] / its.ns[i]
	}
	a, b, units := median(ours.ns), median(its.ns), float64(j.units)
	c := result{
		job: j, rival: r,
		oursTime: time.Duration(a / units), itsTime: time.Duration(b / units),
		time: a / b, least: slices.Min(ratios), most: slices.Max(ratios),
		oursAllocs: ours.allocs / units, itsAllocs: its.allocs / units,
		oursLoad: ours.load, itsLoad: its.load,
	}
	if c.itsAllocs > 0.05 { // less is the runtime's own
		c.allocs = ours.allocs / its.allocs
	}
	return c
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

// held tells whether all budgets are. A twentieth of an allocation is the runtime's own.
func (r *result) held() bool {
	within := func(value, budget float64) bool { return budget == 0 || value <= budget }
	return within(r.time, r.rival.time) && within(r.allocs, r.rival.allocs) && within(r.oursAllocs-0.05, r.job.most)
}

// head names what rows are made of.
func head(w io.Writer) {
	fmt.Fprintf(w, "%-25s %7s %7s  %-11s  %-9s  %7s %7s  %s\n", "", "ours", "its", "time ratio", "spread", "allocs", "its", "ratio")
}

// row writes the result for people. A ratio stands before its budget, if it has
// one, and so does what we may allocate at most.
func (r *result) row(w io.Writer) {
	missed := ""
	if !r.held() {
		missed = "MISSED"
	}
	allocs := against(r.allocs, r.rival.allocs)
	if r.allocs == 0 {
		allocs = ""
	}
	if r.job.most > 0 {
		allocs += fmt.Sprintf(", %.0f each", r.job.most)
	}
	row := fmt.Sprintf("  %-23s %7v %7v  %-11s  %.2f–%.2f  %7.1f %7.1f  %-11s  %s",
		r.rival.name, short(r.oursTime), short(r.itsTime), against(r.time, r.rival.time), r.least, r.most,
		r.oursAllocs, r.itsAllocs, allocs, missed)
	fmt.Fprintln(w, strings.TrimRight(row, " "))
}

// lines are the result for machines.
func (r *result) lines() []string {
	lines := []string{r.line("time", r.time, r.rival.time)}
	if r.allocs > 0 {
		lines = append(lines, r.line("allocs", r.allocs, r.rival.allocs))
	}
	if r.job.most > 0 {
		lines = append(lines, fmt.Sprintf("allocs %s %.1f budget %.1f", r.job.name, r.oursAllocs, r.job.most))
	}
	return lines
}

func (r *result) line(what string, value, budget float64) string {
	line := fmt.Sprintf("ratio %s/%s/%s %.3f", r.job.name, strings.ReplaceAll(r.rival.name, " ", "-"), what, value)
	if budget > 0 {
		line += fmt.Sprintf(" budget %.3f", budget)
	}
	return line
}

// against shows a ratio, with its budget and whether that is held.
func against(ratio, budget float64) string {
	switch {
	case budget == 0:
		return fmt.Sprintf("%.2f", ratio)
	case ratio <= budget:
		return fmt.Sprintf("%.2f ≤ %.2f", ratio, budget)
	}
	return fmt.Sprintf("%.2f > %.2f", ratio, budget)
}

// short is a time in three digits.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit)
}

var epoch = time.Now()
