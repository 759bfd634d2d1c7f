package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/demo"
)

// A subject is something that grows: each of its sizes is measured, and drawn in
// the figures of the subject.
type subject struct {
	title   string
	sizes   []int
	figures []*figure
	// measure adds a point for one size to the lines of the figures.
	measure func(ctx context.Context, n int) error
}

// A figure is one plot of docs/scale.md, of lines over sizes.
type figure struct {
	name    string // of its file, scale-NAME.svg
	x, y    string // what the axes count, with the unit
	lines   []*line
	meaning string // what it shows, for the page
}

type line struct {
	name   string
	points []point
}

type point struct {
	n int
	y float64
}

func (l *line) add(n int, y float64) { l.points = append(l.points, point{n, y}) }

// grow measures all subjects, at sizes up to most or at all, and writes the page and
// its plots to a folder. It empties its server, which is never REDIS_URL's therefore.
func grow(ctx context.Context, folder string, most int) error {
	addr, end, err := serve()
	if err != nil {
		return err
	}
	s, err := connect(ctx, &redis.Options{Network: "tcp", Addr: addr}, end)
	if err != nil {
		return err
	}
	defer s.stop()
	server := s.goredis.InfoMap(ctx, "server").Item("Server", "redis_version")
	subjects := []subject{s.growingRecords(), s.growingPipelines(), s.growingModules(), s.growingCrowds()}
	steps := 0
	for i := range subjects {
		subjects[i].sizes = upTo(subjects[i].sizes, most)
		steps += len(subjects[i].sizes)
	}
	progress := demo.NewProgress("sizes", steps)
	for _, sub := range subjects {
		for _, n := range sub.sizes {
			if err := sub.measure(ctx, n); err != nil {
				return fmt.Errorf("%s, %d: %w", sub.title, n, err)
			}
			progress.Add(1)
		}
	}
	progress.End()
	return tell(folder, server, subjects)
}

// upTo are the sizes up to most, and always the first.
func upTo(sizes []int, most int) (some []int) {
	for i, n := range sizes {
		if i == 0 || most == 0 || n <= most {
			some = append(some, n)
		}
	}
	return some
}

// tell writes the page, and a plot for each figure beside it.
func tell(folder, server string, subjects []subject) error {
	var b strings.Builder
	fmt.Fprintf(&b, `# Scale

What redmoon takes as things grow: records, commands of a pipeline, Lua modules, those who wait for a lock. Measured and drawn by
`+"`make scale`"+` on %s: redis %s, %s, %s/%s, %d CPUs, client and server on one machine; times are medians
of five rounds. The numbers are of that machine; what holds elsewhere is the form of the lines. Where one would write the same
by hand with go-redis, that stands beside it. `+"`make bench`"+` compares more, and has all sides take turns.
`, time.Now().Format(time.DateOnly), server, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, sub := range subjects {
		fmt.Fprintf(&b, "\n## %s\n", sub.title)
		for _, f := range sub.figures {
			file := "scale-" + f.name + ".svg"
			if err := os.WriteFile(filepath.Join(folder, file), []byte(f.draw()), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(&b, "\n%s\n\n![%s, by %s](%s)\n\n%s", f.meaning, f.y, f.x, file, f.table())
		}
	}
	return os.WriteFile(filepath.Join(folder, "scale.md"), []byte(b.String()), 0o644)
}

// table is the figure in numbers.
func (f *figure) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", f.x)
	for _, p := range f.lines[0].points {
		fmt.Fprintf(&b, " %s |", thousands(p.n))
	}
	fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("--:|", len(f.lines[0].points)))
	for _, l := range f.lines {
		fmt.Fprintf(&b, "| %s, %s |", l.name, f.y)
		for _, p := range l.points {
			fmt.Fprintf(&b, " %s |", digits(p.y))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// thousands is a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// digits is a number in three digits, or all of its whole part.
func digits(y float64) string {
	switch {
	case y >= 100:
		return thousands(int(y + 0.5))
	case y >= 10:
		return fmt.Sprintf("%.1f", y)
	}
	return fmt.Sprintf("%.2f", y)
}

// perUnit calls work, which does n units, again and again, in five rounds where that is
// not for ever, and returns the time for one, the median of the rounds, and the
// allocations.
func perUnit(ctx context.Context, n int, work work) (time.Duration, float64, error) {
	const round, enough = 100 * time.Millisecond, 3 * time.Second
	if n <= 10_000 { // once unmeasured: what it needs is there then
		if err := work(ctx); err != nil {
			return 0, 0, err
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var rounds []float64
	start, calls := time.Now(), 0
	for len(rounds) < 5 && time.Since(start) < enough {
		begin, times := time.Now(), 0
		for times == 0 || time.Since(begin) < round {
			if err := work(ctx); err != nil {
				return 0, 0, err
			}
			times++
		}
		rounds = append(rounds, float64(time.Since(begin))/float64(times)/float64(n))
		calls += times
	}
	runtime.ReadMemStats(&after)
	return time.Duration(median(rounds)), float64(after.Mallocs-before.Mallocs) / float64(calls) / float64(n), nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
