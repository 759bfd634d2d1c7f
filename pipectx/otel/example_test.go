package pipectxotel_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
	pipectxotel "github.com/redmoon-go/redmoon/pipectx/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// A program that has set up OpenTelemetry calls New without options; this one
// keeps its spans in memory, to print them.
func ExampleNew() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	spans := tracetest.NewInMemoryExporter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))

	observer, err := pipectxotel.New(pipectxotel.WithTracerProvider(tracers))
	if err != nil {
		panic(err)
	}
	db, err := pipectx.New(client, pipectx.Observe(observer))
	if err != nil {
		panic(err)
	}

	ctx, checkout := tracers.Tracer("shop").Start(context.Background(), "checkout")
	err = pipectx.Run(ctx, db, func(ctx context.Context) error {
		pipectx.Do[int64](ctx, db, "DECR", "stock{apple}")
		pipectx.Do[int64](ctx, db, "INCR", "sold{apple}")
		pipectx.Do[int64](ctx, db, "LPUSH", "sold{apple}", "Ada") // it is no list
		return nil
	})
	checkout.End()
	fmt.Println(err)

	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name, "in checkout:", s.Parent.Equal(checkout.SpanContext()), "-", s.Status.Description)
	}
	// Output:
	// pipectx: LPUSH sold{apple}: WRONGTYPE Operation against a key holding the wrong kind of value
	// PIPELINE in checkout: true - 1 of 3 commands failed
	// checkout in checkout: false -
}
