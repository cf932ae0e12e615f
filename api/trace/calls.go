package trace

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"gec/api/observe"
)

// HTTP returns a handler that makes a span of each request. Its name is that of the operation, which Observe gives it.
func (t *Tracer) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// GRPC returns what makes a span of each call of a gRPC server.
func (t *Tracer) GRPC() stats.Handler { return &grpcCalls{t} }

type grpcCalls struct{ *Tracer }

// TagRPC begins the span of a call.
func (t *grpcCalls) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	given, _ := metadata.FromIncomingContext(ctx)
	ctx = propagation.TraceContext{}.Extract(ctx, carrier(given))
	ctx, _ = t.tracer.Start(ctx, strings.TrimPrefix(info.FullMethodName, "/"), trace.WithSpanKind(trace.SpanKindServer))
	return ctx
}

// HandleRPC ends the span of a call.
func (t *grpcCalls) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, end := event.(*stats.End); end {
		trace.SpanFromContext(ctx).End()
	}
}

// TagConn and HandleConn have nothing to say of connections.
func (t *grpcCalls) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (t *grpcCalls) HandleConn(context.Context, stats.ConnStats) {}

// Observe is an [observe.Func] that tells the span of a call what became of it.
func (t *Tracer) Observe(ctx context.Context, c observe.Call) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	if c.Transport == observe.HTTP {
		span.SetName(c.Operation)
	}
	span.SetAttributes(
		attribute.String("gec.transport", c.Transport), attribute.String("gec.operation", c.Operation),
		attribute.Int("http.response.status_code", c.Status),
		attribute.Int64("gec.revision", c.Revision), attribute.Int("gec.rows", c.Rows))
	if c.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(c.Status))
	}
}

// Dial returns the option by which a client of another service passes on the trace of the call that it is asked
// within.
func Dial() grpc.DialOption {
	return grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, in, out any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
		parent := trace.SpanFromContext(ctx)
		if !parent.SpanContext().IsValid() {
			return invoke(ctx, method, in, out, c, o...)
		}
		ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, strings.TrimPrefix(method, "/"), trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
		given, _ := metadata.FromOutgoingContext(ctx)
		given = given.Copy()
		if given == nil {
			given = metadata.MD{}
		}
		propagation.TraceContext{}.Inject(ctx, carrier(given))
		return invoke(metadata.NewOutgoingContext(ctx, given), method, in, out, c, o...)
	})
}

// carrier is metadata as what a traceparent is read from and written to.
type carrier metadata.MD

// Get implements propagation.TextMapCarrier.
func (c carrier) Get(key string) string {
	if values := c[strings.ToLower(key)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (c carrier) Set(key, value string) { c[strings.ToLower(key)] = []string{value} }

// Keys implements propagation.TextMapCarrier.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
