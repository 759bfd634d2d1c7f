package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// A job is done by us and by its rivals. Each does it once a call.
type job struct {
	name   string
	units  int // commands, records or calls a job
	ours   func(ctx context.Context) error
	rivals []rival

	cancellable bool // whether its context is
	// spent is the server's time so far, for jobs of which only that counts.
	spent func(ctx context.Context) (time.Duration, error)
}

// A rival's budgets are ours ÷ its; 0 is none.
type rival struct {
	name         string
	run          func(ctx context.Context) error
	time, allocs float64
}

type result struct {
	job                   *job
	rival                 *rival
	oursTime, itsTime     time.Duration // medians, a unit
	time, least, most     float64       // ratio of the medians; of single rounds the least and most
	oursAllocs, itsAllocs float64       // a unit
	allocs                float64
}

// A side is one who does a job, and what its rounds took.
type side struct {
	run    func(ctx context.Context) error
	ns     []float64
	allocs float64
}

func (j *job) measure(ctx context.Context, rounds int, span time.Duration) ([]result, error) {
	if !j.cancellable {
		ctx = context.WithoutCancel(ctx)
	}
	sides := []*side{{run: j.ours}}
	for _, r := range j.rivals {
		sides = append(sides, &side{run: r.run})
	}
	for _, s := range sides { // warm up, and see that it works
		for range 3 {
			if err := s.run(ctx); err != nil {
				return nil, err
			}
		}
	}
	for n := range rounds {
		for i := range sides {
			s := sides[(n+i)%len(sides)] // another begins each time
			if err := s.round(ctx, span, j.spent); err != nil {
				return nil, err
			}
		}
	}
	var results []result
	for i := range j.rivals {
		results = append(results, j.compare(&j.rivals[i], sides[0], sides[i+1]))
	}
	return results, nil
}

// round does the job for span and notes nanoseconds and allocations a call.
func (s *side) round(ctx context.Context, span time.Duration, spent func(context.Context) (time.Duration, error)) error {
	var already time.Duration
	if spent != nil {
		var err error
		if already, err = spent(ctx); err != nil {
			return err
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	calls := 0
	for calls == 0 || time.Since(start) < span {
		if err := s.run(ctx); err != nil {
			return err
		}
		calls++
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if spent != nil {
		total, err := spent(ctx)
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
	return result{
		job: j, rival: r,
		oursTime: time.Duration(a / units), itsTime: time.Duration(b / units),
		time: a / b, least: slices.Min(ratios), most: slices.Max(ratios),
		oursAllocs: ours.allocs / units, itsAllocs: its.allocs / units,
		allocs: ours.allocs / its.allocs,
	}
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}

func (r *result) held() bool {
	return (r.rival.time == 0 || r.time <= r.rival.time) && (r.rival.allocs == 0 || r.allocs <= r.rival.allocs)
}

// row writes the result for people, line for machines.
func (r *result) row(w io.Writer) {
	verdict := "held"
	switch {
	case r.rival.time == 0 && r.rival.allocs == 0:
		verdict = ""
	case !r.held():
		verdict = "MISSED"
	}
	fmt.Fprintf(w, "%s\t%s\t%v\t%v\t%.2f\t%.2f–%.2f\t%s\t%.1f\t%.1f\t%.2f\t%s\t%s\t\n",
		r.job.name, r.rival.name, r.oursTime, r.itsTime, r.time, r.least, r.most, limit(r.rival.time),
		r.oursAllocs, r.itsAllocs, r.allocs, limit(r.rival.allocs), verdict)
}

func (r *result) line(what string, value, budget float64) string {
	line := fmt.Sprintf("ratio %s/%s/%s %.3f", r.job.name, r.rival.name, what, value)
	if budget > 0 {
		line += fmt.Sprintf(" budget %.3f", budget)
	}
	return line
}

func limit(budget float64) string {
	if budget == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", budget)
}
