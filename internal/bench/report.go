package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// report writes the results as a page of the docs: what stands in the table on the
// terminal, and what one call moves over the wire.
func report(path, server string, rounds int, span time.Duration, results []result) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

Written by `+"`make bench`"+` on %s: redis %s, %s, %s/%s, %d CPUs; %d rounds of %v of each side, in turns. Times are
for one command, record or call, and only their ratios mean something elsewhere: a ratio is ours ÷ its, that of the medians
of all rounds, behind it the least and the greatest of a single round. Round trips and bytes, sent and received, are of one
call of the job. A budget is what we allow ourselves; why one is missed stands in [decisions](decisions).

| job | rival | ours | its | ratio | spread | budget | allocations | its | round trips | its | bytes | its | |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
`, time.Now().Format(time.DateOnly), server, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, span)
	for _, r := range results {
		verdict := "held"
		switch {
		case !r.held():
			verdict = "**missed**"
		case r.rival.time == 0 && r.rival.allocs == 0 && r.job.most == 0:
			verdict = "told"
		}
		fmt.Fprintf(&b, "| %s | %s | %v | %v | %.2f | %.2f–%.2f | %s | %.1f | %.1f | %s | %s | %s | %s | %s |\n",
			r.job.name, r.rival.name, short(r.oursTime), short(r.itsTime), r.time, r.least, r.most, r.budgets(), r.oursAllocs, r.itsAllocs,
			count(r.oursLoad.trips), count(r.itsLoad.trips), count(r.oursLoad.bytes), count(r.itsLoad.bytes), verdict)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
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
