package cache_test

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A wire is what one call sends.
type wire struct {
	on    any
	verb  string
	about string
	play  func(ctx context.Context) error
}

// TestWire holds what each verb sends, a round trip a line.
func TestWire(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	var out strings.Builder
	sent := redistest.Record(client)
	for _, row := range wires(db) {
		sent.Reset()
		if err := row.play(t.Context()); err != nil {
			t.Errorf("%s: %v", row.verb, err)
		}
		for i, line := range sent.Lines() {
			title := ""
			if i == 0 {
				title = strings.TrimSpace(row.verb + " " + row.about)
			}
			fmt.Fprintf(&out, "%-40s%s\n", title, stable(line))
		}
		if len(sent.Lines()) == 0 {
			fmt.Fprintf(&out, "%-40s\n", row.verb+" "+row.about)
		}
	}
	golden.Equal(t, "testdata/wire.txt", out.String())
}

func wires(db *pipectx.DB) []wire {
	r := cache.NewRegion("wire", cache.Options{Keys: true})
	l := &loader{}
	def := cache.Func(r, "f", l.load)
	f := def.On(db)
	spread := cache.NewRegion("spread", cache.Options{Buckets: 3})
	g := cache.Func(spread, "g", l.load).On(db)
	aged := cache.Func(cache.NewRegion("aged", cache.Options{Soft: time.Minute}), "h", l.load).On(db)
	return []wire{
		{f, "Get", "that loads", func(ctx context.Context) error { return f.Get(ctx, "a").Err() }},
		{f, "Get", "a hit", func(ctx context.Context) error { return f.Get(ctx, "a").Err() }},
		{f, "Get", "off", func(ctx context.Context) error { return f.Get(cache.Without(ctx), "a").Err() }},
		{f, "Get", "with Soft, that loads", func(ctx context.Context) error { return aged.Get(ctx, "a").Err() }},
		{f, "Get", "with Soft, a hit", func(ctx context.Context) error { return aged.Get(ctx, "a").Err() }},
		{f, "GetMany", "hits", func(ctx context.Context) error { return f.GetMany(ctx, "a", "a", "a").Err() }},
		{f, "Peek", "", func(ctx context.Context) error { return f.Peek(ctx, "a").Err() }},
		{f, "Refresh", "", func(ctx context.Context) error { return f.Refresh(ctx, "a").Err() }},
		{f, "Invalidate", "", func(ctx context.Context) error { return f.Invalidate(ctx, "a").Err() }},
		{f, "Remove", "", func(ctx context.Context) error { return f.Remove(ctx, "a").Err() }},
		{f, "InvalidateAll", "", func(ctx context.Context) error { return f.InvalidateAll(ctx).Err() }},
		{f, "RemoveAll", "", func(ctx context.Context) error { return f.RemoveAll(ctx).Err() }},
		{f, "InvalidateAll", "of three buckets", func(ctx context.Context) error { return g.InvalidateAll(ctx).Err() }},
		{f, "Keys", "", func(ctx context.Context) error {
			for _, err := range f.Keys(ctx) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{r.On(db), "Invalidate", "a region", func(ctx context.Context) error { return r.On(db).Invalidate(ctx).Err() }},
		{r.On(db), "Remove", "a region", func(ctx context.Context) error { return r.On(db).Remove(ctx).Err() }},
		{r.On(db), "Flush", "", func(ctx context.Context) error { return r.On(db).Flush(ctx) }},
		{r.On(db), "Functions", "", func(ctx context.Context) error { return r.On(db).Functions(ctx).Err() }},
		{r.On(db), "Statistics", "", func(ctx context.Context) error {
			return r.On(db).Statistics(ctx, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)).Err()
		}},
	}
}

var (
	tokens = regexp.MustCompile(`\b[A-Z2-7]{26}[a-z]\b`)
	times  = regexp.MustCompile(`\b\d{13,}(\.\d+)?\b`)
	days   = regexp.MustCompile(`(statistics\{\w+\}:)\d{8}`)
	asked  = regexp.MustCompile(`(TOKEN \d+ \d+ \d+) \d+`)
	spent  = regexp.MustCompile(`(TIME TIME|loadtime) \d+`)
)

// stable is a line without what differs from run to run.
func stable(line string) string {
	line = tokens.ReplaceAllString(line, "TOKEN")
	line = times.ReplaceAllString(line, "TIME")
	line = days.ReplaceAllString(line, "${1}DAY")
	line = asked.ReplaceAllString(line, "$1 NUMBER")
	return spent.ReplaceAllString(line, "$1 NUMBER")
}

// Every verb has a row in the table of wires.
func TestEveryVerbHasItsWire(t *testing.T) {
	have := map[reflect.Type]map[string]bool{}
	for _, row := range wires(newDB(t, redistest.Embedded(t).Client(t))) {
		on := reflect.TypeOf(row.on)
		if have[on] == nil {
			have[on] = map[string]bool{}
		}
		have[on][row.verb] = true
	}
	for on, verbs := range have {
		for m := range on.Methods() {
			if !verbs[m.Name] {
				t.Errorf("%v.%s has no row in the table of wires", on, m.Name)
			}
		}
	}
}
