package main

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"gec/api/gecv1"
)

// spanCollector is an OpenTelemetry collector that keeps what it gets.
type spanCollector struct {
	collector.UnimplementedTraceServiceServer
	mu    sync.Mutex
	spans []*spans.Span
}

// Export implements the service of the collector.
func (c *spanCollector) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// named returns the spans of a name.
func (c *spanCollector) named(name string) (found []*spans.Span) {
	for _, s := range c.spans {
		if s.GetName() == name {
			found = append(found, s)
		}
	}
	return found
}

// TestTraces asks a server over HTTP and gRPC, uploads to it and stops it: the collector has a span of each call,
// with the stages of the upload, and the log names their traces.
func TestTraces(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got, server := &spanCollector{}, grpc.NewServer()
	collector.RegisterTraceServiceServer(server, got)
	go func() { _ = server.Serve(listener) }() // until it is stopped
	t.Cleanup(server.Stop)

	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys", "--traces", "http://"+listener.Addr().String(), "--traces-ratio", "1")
	if status, text := post(t, s.http+"/gec/v1/quote", healthyQuote()); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	u := &uploader{psp: "TRACED"}
	if status, text := post(t, s.http+"/gec/v1/psps/TRACED/uploads", jsonText(u.body(1))); status != http.StatusOK {
		t.Fatalf("upload: %d %s", status, text)
	}
	const traceID = "0af7651916cd43dd8448eb211c80319c"
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+traceID+"-b7ad6b7169203331-01")
	if _, err := gecv1.NewQuoteServiceClient(connect(t, s)).Quote(ctx, &gecv1.QuoteRequest{
		Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{AmountCents: 5000}}},
	}); err != nil {
		t.Fatal(err)
	}
	s.stderr.await(t, "trace_id="+traceID)
	s.stop(t) // which sends what waits
	server.GracefulStop()

	for _, name := range []string{"/gec/v1/quote", "gec.v1.QuoteService/Quote", "uploadBundles", "decode", "check", "derive", "store", "swap"} {
		if len(got.named(name)) == 0 {
			t.Errorf("there is no span %q", name)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	upload := got.named("uploadBundles")[0]
	for _, stage := range []string{"decode", "check", "derive", "store", "swap"} {
		if !slices.Equal(got.named(stage)[0].GetParentSpanId(), upload.GetSpanId()) {
			t.Errorf("the stage %q is not of the upload", stage)
		}
	}
	rows := int64(-1)
	for _, a := range got.named("gec.v1.QuoteService/Quote")[0].GetAttributes() {
		if a.GetKey() == "gec.rows" {
			rows = a.GetValue().GetIntValue()
		}
	}
	if rows <= 0 {
		t.Errorf("the quote over gRPC has %d rows", rows)
	}
}
