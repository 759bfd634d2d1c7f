package pipectxotel

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

// scope is where spans and metrics say they come from.
const scope = "github.com/redmoon-go/redmoon/pipectx/otel"

// What the conventions have no name for. A number is named alike on spans and
// as a metric.
const (
	commands     = "redmoon.flush.commands"
	failures     = "redmoon.flush.failures"
	connections  = "redmoon.flush.connections"
	roundTrips   = "redmoon.flush.round_trips"
	retries      = "redmoon.flush.retries"
	scriptLoads  = "redmoon.flush.script_loads"
	requestSize  = "redmoon.flush.request.size"
	responseSize = "redmoon.flush.response.size"
	wave         = "redmoon.flush.wave"
	unreadErrors = "redmoon.unread_errors"
)

// Option configures [New]: [WithTracerProvider], [WithMeterProvider].
type Option interface{ apply(*providers) }

type providers struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

type option func(*providers)

func (o option) apply(p *providers) { o(p) }

// WithTracerProvider has p make the spans. Default, also for nil: the global
// provider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return option(func(all *providers) { all.tracers = p })
}

// WithMeterProvider has p make the metrics. Default, also for nil: the global
// provider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return option(func(all *providers) { all.meters = p })
}

// New returns an observer for [pipectx.Observe]. One may serve several DBs: their
// numbers are then added up. Global providers may be set after New. An error names
// the instruments that the meter provider refused.
func New(options ...Option) (pipectx.Observer, error) {
	var p providers
	for _, o := range options {
		o.apply(&p)
	}
	if p.tracers == nil {
		p.tracers = otel.GetTracerProvider()
	}
	if p.meters == nil {
		p.meters = otel.GetMeterProvider()
	}
	o := &observer{tracer: p.tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))}
	if err := o.measureBy(p.meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))); err != nil {
		return nil, err
	}
	return o, nil
}

type observer struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram

	commands, failures, roundTrips, retries, scriptLoads metric.Int64Counter
	requestSize, responseSize, unread                    metric.Int64Counter
}

func (o *observer) measureBy(meter metric.Meter) error {
	var refused []error
	check := func(name string, err error) {
		if err != nil {
			refused = append(refused, fmt.Errorf("pipectxotel: the meter provider refused %s: %w", name, err))
		}
	}
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
		check(name, err)
		return c
	}
	duration, err := dbconv.NewClientOperationDuration(meter,
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)) // the conventions' own
	check(duration.Name(), err)
	o.duration = duration.Inst()
	o.commands = counter(commands, "{command}", "Commands asked for.")
	o.failures = counter(failures, "{command}", "Commands that failed.")
	o.roundTrips = counter(roundTrips, "{round_trip}", "Batches of commands sent; those of one attempt go in parallel.")
	o.retries = counter(retries, "{retry}", "Times that something was sent again.")
	o.scriptLoads = counter(scriptLoads, "{script}", "Scripts sent with their body.")
	o.requestSize = counter(requestSize, "By", "Bytes of arguments.")
	o.responseSize = counter(responseSize, "By", "Bytes of replies.")
	o.unread = counter(unreadErrors, "{error}", "Immediate verbs that failed and whose Ref nobody read.")
	return errors.Join(refused...)
}

// Flushed makes a span and counts.
func (o *observer) Flushed(ctx context.Context, f pipectx.Flush) {
	k := kinds[kind{batch: f.Commands > 1, failed: f.Failed > 0}]
	ctx = o.span(ctx, f, k)
	o.duration.Record(ctx, f.Duration.Seconds(), k.recorded...)
	// Zeros too: whoever computes rates sees the first failure only of a counter
	// that was there before it.
	o.commands.Add(ctx, int64(f.Commands))
	o.failures.Add(ctx, int64(f.Failed))
	o.roundTrips.Add(ctx, int64(f.RoundTrips))
	o.retries.Add(ctx, int64(again(f)))
	o.scriptLoads.Add(ctx, int64(f.ScriptLoads))
	o.requestSize.Add(ctx, f.BytesOut)
	o.responseSize.Add(ctx, f.BytesIn)
}

// Unread counts.
func (o *observer) Unread(error) { o.unread.Add(context.Background(), 1) }

// span makes the span of a flush and returns its context.
func (o *observer) span(ctx context.Context, f pipectx.Flush, k constants) context.Context {
	name := k.name
	switch {
	case f.Command == "":
	case f.Commands > 1:
		name += " " + f.Command
	default:
		name = f.Command
	}
	ctx, span := o.tracer.Start(ctx, name, client, k.started, trace.WithTimestamp(f.Start))
	if !span.IsRecording() {
		return ctx
	}
	attributes := make([]attribute.KeyValue, 0, 10)
	add := func(name string, n int64) {
		if n != 0 {
			attributes = append(attributes, attribute.Int64(name, n))
		}
	}
	if f.Command != "" {
		attributes = append(attributes, semconv.DBOperationName(name))
	}
	if f.Commands > 1 {
		attributes = append(attributes, semconv.DBOperationBatchSize(f.Commands))
	}
	add(failures, int64(f.Failed))
	add(connections, int64(f.Connections))
	add(roundTrips, int64(f.RoundTrips))
	add(retries, int64(again(f)))
	add(scriptLoads, int64(f.ScriptLoads))
	add(requestSize, f.BytesOut)
	add(responseSize, f.BytesIn)
	add(wave, int64(f.Wave))
	span.SetAttributes(attributes...)
	if f.Failed > 0 {
		span.SetStatus(codes.Error, fmt.Sprintf("%d of %d commands failed", f.Failed, f.Commands))
	}
	span.End(trace.WithTimestamp(f.Start.Add(f.Duration)))
	return ctx
}

// again is how often something was sent again. A flush whose context had ended
// before it began made no attempt at all.
func again(f pipectx.Flush) int { return max(f.Attempts-1, 0) }

// A kind of flush has a span name and attributes of its own. They are made once,
// so that a flush makes none of them.
type kind struct{ batch, failed bool }

type constants struct {
	name     string
	started  trace.SpanStartOption
	recorded []metric.RecordOption
}

func newConstants(name string, attributes ...attribute.KeyValue) constants {
	attributes = append(attributes, semconv.DBSystemNameRedis)
	return constants{
		name:     name,
		started:  trace.WithAttributes(attributes...),
		recorded: []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))},
	}
}

var (
	client   = trace.WithSpanKind(trace.SpanKindClient)
	pipeline = semconv.DBOperationName("PIPELINE")

	kinds = map[kind]constants{
		{}:                          newConstants("redis"),
		{failed: true}:              newConstants("redis", semconv.ErrorTypeOther),
		{batch: true}:               newConstants("PIPELINE", pipeline),
		{batch: true, failed: true}: newConstants("PIPELINE", pipeline, semconv.ErrorTypeOther),
	}
)
