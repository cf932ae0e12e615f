// Package trace makes OpenTelemetry spans of calls and of the stages of changes, and sends those that are sampled to
// a collector by OTLP over gRPC. It takes the W3C traceparent of callers and passes it on.
//
// It refuses to tell what was asked: a span has the operation, the status, the revision and the number of rows of a
// call; never a path, a body, a BIN or a key. It is off unless a [Tracer] is made, and then costs nothing: nothing
// of it is in the way of a call.
//
// Where to start: [New], then [Tracer.HTTP], [Tracer.GRPC] and [Tracer.Observe] for calls, [Stage] within one.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names who makes the spans.
const scope = "gec"

// The bounds of what waits to be sent, in spans: what is more is dropped, and no call waits.
const (
	queueMax = 4096
	batchMax = 512
)

// complainEvery is the least time between two warnings about a collector that does not answer.
const complainEvery = time.Minute

// Options say where spans go and which.
type Options struct {
	// Endpoint is the collector, http://host:port, or https:// with TLS.
	Endpoint string
	// Ratio is the share of traces that are sampled of those that begin here, 0 to 1. A caller's traceparent says
	// for its own trace whether it is.
	Ratio float64
	// Version is that of the service.
	Version string
	// Logger is told when spans cannot be sent.
	Logger *slog.Logger
}

// Tracer makes spans. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// New returns a tracer, which does not wait for its collector. Errors: an endpoint that is none.
func New(ctx context.Context, o Options) (*Tracer, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" {
		return nil, fmt.Errorf("%q is no collector: write http://host:port, or https:// for TLS", o.Endpoint)
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(o.Endpoint))
	if err != nil {
		return nil, err
	}
	// The library has one place for errors in the background, whatever the provider.
	otel.SetErrorHandler(complaints(o.Logger))
	return with(o, sdk.NewBatchSpanProcessor(exporter, sdk.WithMaxQueueSize(queueMax), sdk.WithMaxExportBatchSize(batchMax))), nil
}

// with returns a tracer whose spans go to a processor.
func with(o Options, processor sdk.SpanProcessor) *Tracer {
	provider := sdk.NewTracerProvider(
		sdk.WithSpanProcessor(processor),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(o.Ratio))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "gec"), attribute.String("service.version", o.Version))),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer(scope)}
}

// Close sends what waits to be sent, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// complaints tells the log, now and then, that spans are lost.
func complaints(log *slog.Logger) otel.ErrorHandlerFunc {
	var last atomic.Int64
	return func(err error) {
		now, before := time.Now().UnixNano(), last.Load()
		if now-before >= int64(complainEvery) && last.CompareAndSwap(before, now) {
			log.Warn("spans could not be sent to the collector", "error", err)
		}
	}
}

// Stage begins a span for a stage of the call that ctx is of, where that is traced; the function that it returns
// ends it. Where nothing is traced it costs a look at the context.
func Stage(ctx context.Context, name string) (end func(error)) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ended
	}
	_, span := parent.TracerProvider().Tracer(scope).Start(ctx, name)
	return func(err error) {
		if err != nil && !errors.Is(err, context.Canceled) {
			span.AddEvent("failed") // not why: faults quote what was sent
		}
		span.End()
	}
}

func ended(error) {}
