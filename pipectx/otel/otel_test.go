package pipectxotel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
	pipectxotel "github.com/redmoon-go/redmoon/pipectx/otel"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// A span tells what its flush cost.
func TestSpan(t *testing.T) {
	script := pipectx.NewScript("return ARGV[1]")
	call := func(ctx context.Context, db *pipectx.DB) {
		c := script.Command(0)
		c.Word("x")
		pipectx.Send(ctx, db, c, pipectx.Reply.Text)
	}
	tests := []struct {
		reason     string
		before     func(ctx context.Context, db *pipectx.DB)
		run        func(ctx context.Context, db *pipectx.DB) error
		name       string
		attributes string // all but the sizes
		status     sdktrace.Status
	}{
		{
			reason: "one command is no batch",
			run:    func(ctx context.Context, db *pipectx.DB) error { return do(ctx, db, "SET", "k", 1).Err() },
			name:   "SET",
			attributes: "db.operation.name=SET db.system.name=redis" +
				" redmoon.flush.connections=1 redmoon.flush.round_trips=1",
		}, {
			reason: "a Run of one command is none either",
			run: func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error { do(ctx, db, "SET", "k", 1); return nil })
			},
			name: "SET",
			attributes: "db.operation.name=SET db.system.name=redis" +
				" redmoon.flush.connections=1 redmoon.flush.round_trips=1",
		}, {
			reason: "several are a pipeline",
			run: func(ctx context.Context, db *pipectx.DB) error {
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "SET", "k", 1)
					do(ctx, db, "GET", "k")
					do(ctx, db, "GET", "absent") // which is no failure
					return nil
				})
			},
			name: "PIPELINE",
			attributes: "db.operation.batch.size=3 db.operation.name=PIPELINE db.system.name=redis" +
				" redmoon.flush.connections=1 redmoon.flush.round_trips=1",
		}, {
			reason: "a failed command",
			before: func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "SET", "text", "abc") },
			run:    func(ctx context.Context, db *pipectx.DB) error { do(ctx, db, "INCR", "text").Err(); return nil },
			name:   "INCR",
			attributes: "db.operation.name=INCR db.system.name=redis error.type=_OTHER" +
				" redmoon.flush.connections=1 redmoon.flush.failures=1 redmoon.flush.round_trips=1",
			status: sdktrace.Status{Code: codes.Error, Description: "1 of 1 commands failed"},
		}, {
			reason: "one of two commands fails",
			before: func(ctx context.Context, db *pipectx.DB) { do(ctx, db, "SET", "text", "abc") },
			run: func(ctx context.Context, db *pipectx.DB) error {
				_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "INCR", "text")
					do(ctx, db, "INCR", "n")
					return nil
				})
				return nil
			},
			name: "PIPELINE INCR",
			attributes: "db.operation.batch.size=2 db.operation.name=PIPELINE INCR db.system.name=redis error.type=_OTHER" +
				" redmoon.flush.connections=1 redmoon.flush.failures=1 redmoon.flush.round_trips=1",
			status: sdktrace.Status{Code: codes.Error, Description: "1 of 2 commands failed"},
		}, {
			reason: "two connections",
			run: func(ctx context.Context, db *pipectx.DB) error {
				second, err := db.Conn("second")
				if err != nil {
					return err
				}
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					do(ctx, db, "SET", "k", 1)
					do(ctx, second, "SET", "k", 1)
					return nil
				})
			},
			name: "PIPELINE SET",
			attributes: "db.operation.batch.size=2 db.operation.name=PIPELINE SET db.system.name=redis" +
				" redmoon.flush.connections=2 redmoon.flush.round_trips=2",
		}, {
			reason: "a script that the server has forgotten goes again, with its body",
			before: func(ctx context.Context, db *pipectx.DB) { call(ctx, db); do(ctx, db, "SCRIPT", "FLUSH") },
			run:    func(ctx context.Context, db *pipectx.DB) error { call(ctx, db); return nil },
			name:   "EVALSHA",
			attributes: "db.operation.name=EVALSHA db.system.name=redis" +
				" redmoon.flush.connections=1 redmoon.flush.retries=1 redmoon.flush.round_trips=2 redmoon.flush.script_loads=1",
		},
	}
	sizes := regexp.MustCompile(` redmoon\.flush\.(request|response)\.size=[1-9]\d*`)
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			c, w := newCollector(), &witness{}
			s := redistest.Server(t)
			db := newDB(t, s.Client(t), pipectx.Connection("second", s.Client(t)), pipectx.Observe(c.observer(t)), pipectx.Observe(w))
			if test.before != nil {
				test.before(t.Context(), db)
				c.exporter.Reset()
				w.reset()
			}
			if err := test.run(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			span, f := c.span(t), w.flushes[0]
			if span.Name != test.name || span.SpanKind != trace.SpanKindClient || span.Status != test.status {
				t.Errorf("%v span %s, status %v; want client span %s, status %v", span.SpanKind, span.Name, span.Status, test.name, test.status)
			}
			attributes := line(span.Attributes)
			if got := sizes.ReplaceAllString(attributes, ""); got != test.attributes {
				t.Errorf("attributes\n%s\nwant\n%s", got, test.attributes)
			}
			for _, want := range []string{
				fmt.Sprintf("redmoon.flush.request.size=%d", f.BytesOut),
				fmt.Sprintf("redmoon.flush.response.size=%d", f.BytesIn),
			} {
				if !slices.Contains(strings.Fields(attributes), want) {
					t.Errorf("%s has no %s", attributes, want)
				}
			}
			if !span.StartTime.Equal(f.Start) || span.EndTime.Sub(span.StartTime) != f.Duration {
				t.Errorf("from %v, for %v; the flush from %v, for %v", span.StartTime, span.EndTime.Sub(span.StartTime), f.Start, f.Duration)
			}
			if span.InstrumentationScope.Name != "github.com/redmoon-go/redmoon/pipectx/otel" ||
				span.InstrumentationScope.SchemaURL != "https://opentelemetry.io/schemas/1.43.0" {
				t.Errorf("of %+v", span.InstrumentationScope)
			}
		})
	}
}

// Each wave is a span, and all are children of the span that Run was given.
func TestSpansOfWaves(t *testing.T) {
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
	ctx, caller := c.start(t.Context())
	err := pipectx.Run(ctx, db, func(ctx context.Context) error {
		ctx, inner := c.start(ctx) // not the parent: what is queued goes out later
		defer inner.End()
		do(ctx, db, "INCR", "n")
		return pipectx.After(ctx, func(ctx context.Context) error { do(ctx, db, "INCR", "n"); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	waves := c.spans()[1:] // the first is inner
	if len(waves) != 2 {
		t.Fatalf("%d spans, want one for each of two waves", len(waves))
	}
	for _, w := range waves {
		if w.Parent.SpanID() != caller.SpanContext().SpanID() {
			t.Errorf("a wave's parent is %v, want the caller's span", w.Parent)
		}
	}
	if first, second := line(waves[0].Attributes), line(waves[1].Attributes); strings.Contains(first, "redmoon.flush.wave=") ||
		!strings.Contains(second, "redmoon.flush.wave=1") {
		t.Errorf("the waves have\n%s\n%s", first, second)
	}
}

// The provider's sampler decides what becomes a span; metrics are there anyway.
func TestSampling(t *testing.T) {
	parent := func(flags trace.TraceFlags, in func(context.Context, trace.SpanContext) context.Context) func(context.Context) context.Context {
		sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags})
		return func(ctx context.Context) context.Context { return in(ctx, sc) }
	}
	tests := []struct {
		reason string
		ctx    func(context.Context) context.Context
		spans  int
		trace  trace.TraceID // zero: a new one
	}{
		{"no parent: a trace of its own", func(ctx context.Context) context.Context { return ctx }, 1, trace.TraceID{}},
		{"a parent that is sampled", parent(trace.FlagsSampled, trace.ContextWithSpanContext), 1, trace.TraceID{1}},
		{"a parent in another process", parent(trace.FlagsSampled, trace.ContextWithRemoteSpanContext), 1, trace.TraceID{1}},
		{"a parent that is not sampled", parent(0, trace.ContextWithSpanContext), 0, trace.TraceID{}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			c := newCollector()
			db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
			if err := do(test.ctx(t.Context()), db, "SET", "k", 1).Err(); err != nil {
				t.Fatal(err)
			}
			spans := c.spans()
			if len(spans) != test.spans {
				t.Fatalf("%d spans, want %d", len(spans), test.spans)
			}
			for _, s := range spans {
				if test.trace.IsValid() && s.SpanContext.TraceID() != test.trace {
					t.Errorf("in trace %v, want %v", s.SpanContext.TraceID(), test.trace)
				}
			}
			if n := c.counters(t)["redmoon.flush.commands"]; n != 1 {
				t.Errorf("%d commands counted, want 1", n)
			}
		})
	}
}

// A pipeline shared by several callers is a trace of its own.
func TestCoalesced(t *testing.T) {
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)), pipectx.Coalesce())
	ctx, caller := c.start(t.Context())
	if err := do(ctx, db, "SET", "k", 1).Err(); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, 10*time.Second, "the span", func() error { // the caller has its answer before
		if len(c.spans()) == 0 {
			return errors.New("none yet")
		}
		return nil
	})
	if s := c.span(t); s.Parent.IsValid() || s.SpanContext.TraceID() == caller.SpanContext().TraceID() {
		t.Errorf("its parent is %v, want none", s.Parent)
	}
}

// The counters are the sums of all flushes.
func TestCounters(t *testing.T) {
	c, w := newCollector(), &witness{}
	db := newDB(t, redistest.Server(t).Client(t), pipectx.Observe(c.observer(t)), pipectx.Observe(w))
	script := pipectx.NewScript("return 7")
	if err := do(t.Context(), db, "SET", "text", "abc").Err(); err != nil {
		t.Fatal(err)
	}
	var members sync.WaitGroup
	for range 8 {
		members.Go(func() {
			for range 10 {
				_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
					do(ctx, db, "INCR", "n")
					do(ctx, db, "INCR", "text") // fails
					pipectx.Send(ctx, db, script.Command(0), pipectx.Reply.Int)
					return nil
				})
			}
			do(t.Context(), db, "SCRIPT", "FLUSH")
		})
	}
	members.Wait()

	want := map[string]int64{}
	for _, f := range w.flushes {
		want["redmoon.flush.commands"] += int64(f.Commands)
		want["redmoon.flush.failures"] += int64(f.Failed)
		want["redmoon.flush.round_trips"] += int64(f.RoundTrips)
		want["redmoon.flush.retries"] += int64(f.Attempts - 1)
		want["redmoon.flush.script_loads"] += int64(f.ScriptLoads)
		want["redmoon.flush.request.size"] += f.BytesOut
		want["redmoon.flush.response.size"] += f.BytesIn
	}
	got := c.counters(t)
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s is %d, want %d", name, got[name], n)
		}
	}
	if got["redmoon.flush.commands"] != 8*(3*10+1)+1 || got["redmoon.flush.failures"] != 8*10 || got["redmoon.flush.script_loads"] == 0 {
		t.Errorf("%v", got)
	}
}

// A counter is there before what it counts has happened for the first time.
func TestCountersFromTheStart(t *testing.T) {
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
	if err := do(t.Context(), db, "SET", "k", 1).Err(); err != nil {
		t.Fatal(err)
	}
	got := c.counters(t)
	for _, name := range []string{"redmoon.flush.failures", "redmoon.flush.retries", "redmoon.flush.script_loads"} {
		if n, ok := got[name]; !ok || n != 0 {
			t.Errorf("%s is %d, there: %v; want 0", name, n, ok)
		}
	}
}

// What was not sent, because its context had ended, is counted too, and takes
// nothing away from what was.
func TestNotSent(t *testing.T) {
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := do(ctx, db, "SET", "k", 1).Err(); !errors.Is(err, pipectx.ErrNotSent) {
		t.Fatal(err)
	}
	if got, want := line(c.span(t).Attributes), "db.operation.name=SET db.system.name=redis error.type=_OTHER redmoon.flush.failures=1"; got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
	got := c.counters(t)
	for name, n := range map[string]int64{
		"redmoon.flush.commands": 1, "redmoon.flush.failures": 1, "redmoon.flush.round_trips": 0, "redmoon.flush.retries": 0,
	} {
		if got[name] != n {
			t.Errorf("%s is %d, want %d", name, got[name], n)
		}
	}
}

// The durations have the buckets of the conventions and four series at most, in
// seconds; an exemplar leads to the span of its flush.
func TestDurations(t *testing.T) {
	c := newCollector()
	o := c.observer(t)
	for _, f := range []pipectx.Flush{
		{Commands: 1, Duration: 2 * time.Millisecond},
		{Commands: 1, Failed: 1, Duration: 2 * time.Second},
		{Commands: 2, Duration: 20 * time.Millisecond},
		{Commands: 9, Duration: 30 * time.Millisecond},
		{Commands: 9, Failed: 1, Duration: 200 * time.Millisecond},
		{Commands: 9, Failed: 9, Duration: 300 * time.Millisecond},
	} {
		f.Start = time.Now()
		o.Flushed(t.Context(), f)
	}
	known := map[trace.SpanID]bool{}
	for _, s := range c.spans() {
		known[s.SpanContext.SpanID()] = true
	}
	var got []string
	for _, p := range c.durations(t) {
		got = append(got, fmt.Sprintf("%s: %d in %.3g s", line(p.Attributes.ToSlice()), p.Count, p.Sum))
		if want := []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}; !slices.Equal(p.Bounds, want) {
			t.Errorf("buckets %v, want %v", p.Bounds, want)
		}
		if len(p.Exemplars) == 0 || !known[trace.SpanID(p.Exemplars[0].SpanID)] {
			t.Errorf("exemplars %v, want one with the id of a span", p.Exemplars)
		}
	}
	slices.Sort(got)
	want := []string{
		"db.operation.name=PIPELINE db.system.name=redis error.type=_OTHER: 2 in 0.5 s",
		"db.operation.name=PIPELINE db.system.name=redis: 2 in 0.05 s",
		"db.system.name=redis error.type=_OTHER: 1 in 2 s",
		"db.system.name=redis: 1 in 0.002 s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("series\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An immediate verb that failed and whose Ref nobody read is counted.
func TestUnread(t *testing.T) {
	log := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() { slog.SetDefault(log) })
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
	pipectx.Failed[int](t.Context(), db, errors.New("nobody looks"))
	redistest.Until(t, 10*time.Second, "the failure to be counted", func() error {
		runtime.GC()
		if n := c.counters(t)["redmoon.unread_errors"]; n != 1 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
}

// Neither keys nor values nor the texts of errors are told.
func TestNoSecrets(t *testing.T) {
	c := newCollector()
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Observe(c.observer(t)))
	_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "hush:key", "hush:value")
		do(ctx, db, "INCR", "hush:key")
		do(ctx, db, "EVAL", "return redis.error_reply('HUSH ' .. ARGV[1])", 0, "hush:argument")
		return nil
	})
	_ = do(t.Context(), db, "NOSUCHCOMMAND", "hush:key").Err()
	text := c.text(t)
	if strings.Contains(strings.ToLower(text), "hush") {
		t.Errorf("told: %s", text)
	}
	for _, told := range []string{"PIPELINE", "redmoon.flush.failures", "2 of 3 commands failed"} {
		if !strings.Contains(text, told) {
			t.Errorf("%q is missing in %s", told, text)
		}
	}
}

// Without options, and for nil, the global providers are told.
func TestGlobalProviders(t *testing.T) {
	c := newCollector()
	otel.SetTracerProvider(c.tracers)
	otel.SetMeterProvider(c.meters)
	t.Cleanup(func() {
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
	})
	for _, options := range [][]pipectxotel.Option{
		nil,
		{pipectxotel.WithTracerProvider(nil), pipectxotel.WithMeterProvider(nil)},
	} {
		o, err := pipectxotel.New(options...)
		if err != nil {
			t.Fatal(err)
		}
		o.Flushed(t.Context(), pipectx.Flush{Start: time.Now(), Commands: 5})
	}
	if spans, n := len(c.spans()), c.counters(t)["redmoon.flush.commands"]; spans != 2 || n != 10 {
		t.Errorf("%d spans and %d commands, want 2 and 10", spans, n)
	}
}

// New names the instruments that the provider refuses.
func TestRefusedInstruments(t *testing.T) {
	full := errors.New("no more instruments")
	o, err := pipectxotel.New(pipectxotel.WithMeterProvider(refusing{err: full}))
	if o != nil || !errors.Is(err, full) {
		t.Fatalf("%v, %v; want no observer and the provider's error", o, err)
	}
	for _, name := range []string{"db.client.operation.duration", "redmoon.flush.commands", "redmoon.unread_errors"} {
		if want := "pipectxotel: the meter provider refused " + name + ": no more instruments"; !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// A refusing provider makes meters without instruments.
type refusing struct {
	metricnoop.MeterProvider
	err error
}

func (p refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{err: p.err} }

type refusingMeter struct {
	metricnoop.Meter
	err error
}

func (m refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, m.err
}

func (m refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, m.err
}

// The package's documentation lists each attribute, and each metric with its unit.
func TestDocumentation(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for l := range strings.Lines(string(source)) {
		words := strings.Fields(strings.TrimPrefix(l, "//"))
		if len(words) > 1 && strings.HasPrefix(l, "//\t") {
			listed[words[0]] = true
			listed[words[0]+" "+words[1]] = true
		}
	}
	c := newCollector()
	o := c.observer(t)
	o.Unread(errors.New("nobody looks"))
	o.Flushed(t.Context(), pipectx.Flush{
		Start: time.Now(), Duration: time.Second, Commands: 2, Failed: 1, Connections: 1, RoundTrips: 2, Attempts: 2,
		ScriptLoads: 1, BytesOut: 1, BytesIn: 1, Wave: 1,
	})
	if n := len(c.span(t).Attributes); n != 12 {
		t.Errorf("%d attributes: this test must make all there are", n)
	}
	for _, a := range c.span(t).Attributes {
		if !listed[string(a.Key)] {
			t.Errorf("doc.go does not list %s", a.Key)
		}
	}
	for name, m := range c.metrics(t) {
		if !listed[name+" "+m.Unit] {
			t.Errorf("doc.go does not list %s %s", name, m.Unit)
		}
	}
}
