package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// A sheet is what a run has found.
type sheet struct {
	title            string
	server, embedded []result
	crowds           []*crowd
}

func (s *sheet) held() bool {
	for i := range s.server {
		if !s.server[i].held() {
			return false
		}
	}
	return !slices.ContainsFunc(bounds(s.crowds), func(b bound) bool { return !b.held() })
}

// print writes it for the terminal, and then for machines.
func (s *sheet) print(w io.Writer) {
	for n, part := range [][]result{s.server, s.embedded} {
		if len(part) == 0 {
			continue
		}
		if fmt.Fprintln(w); n == 1 {
			fmt.Fprintln(w, "On the embedded server:")
		}
		head(w)
		name := ""
		for i := range part {
			r := part[i]
			if n == 1 {
				r = r.unbound()
			}
			if r.job.name != name {
				name = r.job.name
				fmt.Fprintln(w, name)
			}
			r.row(w)
		}
	}
	if s.crowds != nil {
		rows(w, fmt.Sprintf("\n64 goroutines at one lock, from before a release until the next has it:\n%-14s %6s %9s %9s %9s %9s %9s %11s\n",
			"", "hold", "p50", "p99", "locks/s", "requests", "commands", "least÷most"), "%-14s %6v %9v %9v %9.0f %9.2f %9.2f %11.2f\n", s.crowds)
	}
	fmt.Fprint(w, `
Times and allocations are for one command, record or call. A time ratio is that of
the medians of all rounds, its spread the least and the greatest of a single one.
Without a budget behind it a ratio is only told.

`)
	for i := range s.server {
		for _, line := range s.server[i].lines() {
			fmt.Fprintln(w, line)
		}
	}
	for _, b := range bounds(s.crowds) {
		fmt.Fprintln(w, b.line())
	}
}

// unbound is a result without its budgets.
func (r result) unbound() result {
	job, rival := *r.job, *r.rival
	job.most, rival.time, rival.allocs = 0, 0, 0
	r.job, r.rival = &job, &rival
	return r
}

// report writes it as a page of the docs: what stands on the terminal, and what one
// call moves over the wire.
func (s *sheet) report(path string) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

Written by `+"`make bench`"+` on %s: %s of each side, in turns. Times are for one command, record or call, and only their
ratios mean something elsewhere: a ratio is ours ÷ its, that of the medians of all rounds, behind it the least and the greatest
of a single round. Round trips and bytes, sent and received, are of one call of the job. A budget is what we allow ourselves;
why one is missed stands in [decisions](decisions).

Lone calls and pipelines of up to 100 share one processor with the server: it is all that they can use, and what a virtual
machine takes to wake another processor is several times the rest.

`, time.Now().Format(time.DateOnly), s.title)
	table(&b, s.server)
	if s.crowds != nil {
		rows(&b, "\n## A lock that 64 goroutines want\n\nFrom before a release until the next has the lock. Commands are counted with those in scripts.\n\n"+
			"| | hold | p50 | p99 | locks a second | requests each | commands each | least ÷ most served |\n|---|---|---|---|---|---|---|---|\n",
			"| %s | %v | %v | %v | %.0f | %.2f | %.2f | %.2f |\n", s.crowds)
		b.WriteString("\n| ours, of | ratio | budget | |\n|---|---|---|---|\n")
		for _, bound := range bounds(s.crowds) {
			sign, verdict := "≤", "held"
			if bound.atLeast {
				sign = "≥"
			}
			if !bound.held() {
				verdict = "**missed**"
			}
			fmt.Fprintf(&b, "| %s | %.2f | %s %.2f | %s |\n", bound.what, bound.value, sign, bound.budget, verdict)
		}
	}
	b.WriteString("\n## On the embedded server\n\nClient and server are one process here, so that allocations are those of both.\n\n")
	told := make([]result, len(s.embedded))
	for i, r := range s.embedded {
		told[i] = r.unbound()
	}
	table(&b, told)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func table(b *strings.Builder, results []result) {
	b.WriteString("| job | rival | ours | its | ratio | spread | budget | allocations | its | round trips | its | bytes | its | |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		verdict := "held"
		switch {
		case !r.held():
			verdict = "**missed**"
		case r.rival.time == 0 && r.rival.allocs == 0 && r.job.most == 0:
			verdict = "told"
		}
		fmt.Fprintf(b, "| %s | %s | %v | %v | %.2f | %.2f–%.2f | %s | %.1f | %.1f | %s | %s | %s | %s | %s |\n",
			r.job.name, r.rival.name, short(r.oursTime), short(r.itsTime), r.time, r.least, r.most, r.budgets(), r.oursAllocs, r.itsAllocs,
			count(r.oursLoad.trips), count(r.itsLoad.trips), count(r.oursLoad.bytes), count(r.itsLoad.bytes), verdict)
	}
}

// budgets are those of a result, in words.
func (r *result) budgets() string {
	var all []string
	if r.rival.time > 0 {
		all = append(all, fmt.Sprintf("≤ %.2f", r.rival.time))
	}
	if r.rival.allocs > 0 {
		all = append(all, fmt.Sprintf("allocations ≤ %.2f", r.rival.allocs))
	}
	if r.job.most > 0 {
		all = append(all, fmt.Sprintf("≤ %.0f allocations", r.job.most))
	}
	return strings.Join(all, ", ")
}

// count is a number, and nothing where nothing was counted: jobs without a server.
func count(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", n)
}
