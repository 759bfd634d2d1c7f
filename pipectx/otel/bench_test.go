package pipectxotel_test

import (
	"context"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
	pipectxotel "github.com/redmoon-go/redmoon/pipectx/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// BenchmarkFlushed tells what an observer costs by itself, with the providers
// that a program may have.
func BenchmarkFlushed(b *testing.B) {
	f := pipectx.Flush{
		Start: time.Now(), Duration: time.Millisecond, Commands: 100,
		Connections: 1, RoundTrips: 1, Attempts: 1, BytesOut: 4000, BytesIn: 500,
	}
	for _, p := range benchProviders(b) {
		b.Run(p.name, func(b *testing.B) {
			o, ctx := p.observer(b), p.context(b)
			b.ReportAllocs()
			for b.Loop() {
				o.Flushed(ctx, f)
			}
		})
	}
}

// BenchmarkVerb tells what it adds to the smallest of flushes, an immediate verb
// on a server that is near.
func BenchmarkVerb(b *testing.B) {
	client := redistest.Shared(b).Client(b)
	verb := func(b *testing.B, ctx context.Context, db *pipectx.DB) {
		b.ReportAllocs()
		for b.Loop() {
			if err := do(ctx, db, "SET", "k", 1).Err(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("unobserved", func(b *testing.B) { verb(b, b.Context(), newDB(b, client)) })
	for _, p := range benchProviders(b) {
		b.Run(p.name, func(b *testing.B) { verb(b, p.context(b), newDB(b, client, pipectx.Observe(p.observer(b)))) })
	}
}

type benchProvider struct {
	name    string
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

func benchProviders(b *testing.B) []benchProvider {
	noTraces, noMetrics := tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()
	batched := sdktrace.NewTracerProvider(sdktrace.WithBatcher(discard{}))
	b.Cleanup(func() { _ = batched.Shutdown(context.Background()) })
	unsampled := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithBatcher(discard{}))
	b.Cleanup(func() { _ = unsampled.Shutdown(context.Background()) })
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	return []benchProvider{
		{"noop", noTraces, noMetrics},
		{"unsampled", unsampled, noMetrics},
		{"spans", batched, noMetrics},
		{"metrics", noTraces, meters},
		{"spans+metrics", batched, meters},
	}
}

func (p benchProvider) observer(b *testing.B) pipectx.Observer {
	b.Helper()
	o, err := pipectxotel.New(pipectxotel.WithTracerProvider(p.tracers), pipectxotel.WithMeterProvider(p.meters))
	if err != nil {
		b.Fatal(err)
	}
	return o
}

// context is that of a request with a span, as the provider samples it.
func (p benchProvider) context(b *testing.B) context.Context {
	ctx, _ := p.tracers.Tracer("caller").Start(b.Context(), "request")
	return ctx
}

// discard is an exporter to nowhere.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }
