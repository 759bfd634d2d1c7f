package pipectxotel_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
	pipectxotel "github.com/redmoon-go/redmoon/pipectx/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// A collector is what an OpenTelemetry back end is told.
type collector struct {
	exporter *tracetest.InMemoryExporter
	reader   *metric.ManualReader
	tracers  *sdktrace.TracerProvider
	meters   *metric.MeterProvider
}

func newCollector(options ...sdktrace.TracerProviderOption) *collector {
	c := &collector{exporter: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	c.tracers = sdktrace.NewTracerProvider(append(options, sdktrace.WithSyncer(c.exporter))...)
	c.meters = metric.NewMeterProvider(metric.WithReader(c.reader))
	return c
}

// observer returns one that tells c.
func (c *collector) observer(t testing.TB) pipectx.Observer {
	t.Helper()
	o, err := pipectxotel.New(pipectxotel.WithTracerProvider(c.tracers), pipectxotel.WithMeterProvider(c.meters))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// start begins a span of the caller's.
func (c *collector) start(ctx context.Context) (context.Context, trace.Span) {
	return c.tracers.Tracer("caller").Start(ctx, "caller")
}

// spans are those that have ended, in that order.
func (c *collector) spans() tracetest.SpanStubs { return c.exporter.GetSpans() }

// span fails the test unless there is exactly one.
func (c *collector) span(t testing.TB) tracetest.SpanStub {
	t.Helper()
	all := c.spans()
	if len(all) != 1 {
		t.Fatalf("%d spans, want 1", len(all))
	}
	return all[0]
}

// metrics are those that there are, by name.
func (c *collector) metrics(t testing.TB) map[string]metricdata.Metrics {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := c.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	all := map[string]metricdata.Metrics{}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// counters are the values of the counters that there are; each is one series.
func (c *collector) counters(t testing.TB) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for name, m := range c.metrics(t) {
		sum, ok := m.Data.(metricdata.Sum[int64])
		switch {
		case !ok:
		case !sum.IsMonotonic || len(sum.DataPoints) != 1 || sum.DataPoints[0].Attributes.Len() != 0:
			t.Errorf("%s is %+v, want a counter without attributes", name, sum)
		default:
			all[name] = sum.DataPoints[0].Value
		}
	}
	return all
}

// durations are the series of the histogram.
func (c *collector) durations(t testing.TB) []metricdata.HistogramDataPoint[float64] {
	t.Helper()
	h, ok := c.metrics(t)["db.client.operation.duration"].Data.(metricdata.Histogram[float64])
	if !ok {
		t.Fatal("no histogram of floats db.client.operation.duration")
	}
	return h.DataPoints
}

// text is all that was told, as exporters write it.
func (c *collector) text(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal([]any{c.spans(), slices.Collect(maps.Values(c.metrics(t)))})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// line shows attributes in one line, sorted by name.
func line(attributes []attribute.KeyValue) string {
	words := make([]string, len(attributes))
	for i, a := range attributes {
		words[i] = string(a.Key) + "=" + a.Value.String()
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// A witness is a second observer, which keeps what the first was told.
type witness struct {
	mu      sync.Mutex
	flushes []pipectx.Flush
}

func (w *witness) Flushed(_ context.Context, f pipectx.Flush) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flushes = append(w.flushes, f)
}

func (w *witness) Unread(error) {}

func (w *witness) reset() { w.flushes = nil }

// newDB returns a DB on client that is closed with the test.
func newDB(t testing.TB, client redis.UniversalClient, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return db
}

// do is the plain verb of these tests.
func do(ctx context.Context, db *pipectx.DB, args ...any) *pipectx.Ref[any] {
	return pipectx.Do[any](ctx, db, args...)
}
