package trace

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"gec/api/observe"
)

// recorded returns a tracer and where its spans end up.
func recorded(t *testing.T, ratio float64) (*Tracer, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tracer := with(Options{Ratio: ratio, Version: "test"}, sdk.NewSimpleSpanProcessor(spans))
	t.Cleanup(func() {
		if err := tracer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tracer, spans
}

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	sampled = "00-" + traceID + "-b7ad6b7169203331-01"
	passed  = "00-" + traceID + "-b7ad6b7169203331-00"
)

// TestHTTP traces a request with a stage within it, as part of the caller's trace.
func TestHTTP(t *testing.T) {
	tracer, spans := recorded(t, 0)
	handler := tracer.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		Stage(r.Context(), "store")(http.ErrAbortHandler)
		tracer.Observe(r.Context(), observe.Call{Transport: observe.HTTP, Operation: "uploadBundles", Status: 503, Revision: 7, Rows: 3})
	}))
	for _, parent := range []string{"", passed, sampled, "00-00-00-00"} {
		r := httptest.NewRequest("POST", "/psps/SECRET/uploads", strings.NewReader("body"))
		r.Header.Set("Traceparent", parent)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	got := spans.GetSpans()
	if len(got) != 2 { // of the four requests only one is of a trace that is sampled
		t.Fatalf("%d spans: %+v", len(got), got)
	}
	stage, call := got[0], got[1]
	if stage.Name != "store" || stage.Parent.SpanID() != call.SpanContext.SpanID() || len(stage.Events) != 1 {
		t.Errorf("stage %+v", stage)
	}
	if call.Name != "uploadBundles" || call.SpanContext.TraceID().String() != traceID || call.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("call %s %v of %v", call.Name, call.SpanContext, call.Parent)
	}
	text := map[string]string{}
	for _, a := range call.Attributes {
		text[string(a.Key)] = a.Value.String()
		if strings.Contains(a.Value.String(), "SECRET") {
			t.Errorf("%s tells what was asked", a.Key)
		}
	}
	if text["gec.operation"] != "uploadBundles" || text["http.response.status_code"] != "503" || text["gec.revision"] != "7" || text["gec.rows"] != "3" {
		t.Error(text)
	}
}

// TestGRPC traces a call that passes its trace on to another service.
func TestGRPC(t *testing.T) {
	tracer, spans := recorded(t, 1)
	handler := tracer.GRPC()
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", passed))
	if handler.HandleRPC(handler.TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: "/s/Passed"}), &stats.End{}); len(spans.GetSpans()) > 0 {
		t.Error("the caller does not sample its trace")
	}
	ctx = metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", sampled))
	ctx = handler.TagRPC(ctx, &stats.RPCTagInfo{FullMethodName: "/s/M"})
	given := forwarded(t, ctx)
	tracer.Observe(ctx, observe.Call{Transport: observe.GRPC, Operation: "/s/M", Status: 200})
	handler.HandleRPC(ctx, &stats.InPayload{})
	handler.HandleRPC(ctx, &stats.End{})
	got := spans.GetSpans()
	if len(got) != 2 || got[0].Name != "etcd/Txn" || got[1].Name != "s/M" || got[0].Parent.SpanID() != got[1].SpanContext.SpanID() {
		t.Fatalf("%+v", got)
	}
	if want := "00-" + traceID + "-" + got[0].SpanContext.SpanID().String() + "-01"; given != want {
		t.Errorf("passed on %q, want %q", given, want)
	}
	if given := forwarded(t, t.Context()); given != "" {
		t.Errorf("outside of a trace %q is passed on", given)
	}
}

// forwarded returns the traceparent that another service gets.
func forwarded(t *testing.T, ctx context.Context) string {
	t.Helper()
	address := "passthrough:///nobody"
	var got []string
	last := grpc.WithChainUnaryInterceptor(func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ grpc.UnaryInvoker, _ ...grpc.CallOption) error {
		given, _ := metadata.FromOutgoingContext(ctx)
		got = given["traceparent"]
		return nil
	})
	c, err := grpc.NewClient(address, Dial(), last, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Invoke(ctx, "/etcd/Txn", nil, nil); err != nil {
		t.Fatal(err)
	}
	return strings.Join(got, ",")
}

// TestLog holds that the lines of a call name its trace.
func TestLog(t *testing.T) {
	tracer, _ := recorded(t, 0)
	var out bytes.Buffer
	log := Log(slog.New(slog.NewTextHandler(&out, nil))).With("a", 1)
	log.Info("outside")
	handler := tracer.HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { log.InfoContext(r.Context(), "within") }))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Traceparent", sampled)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	lines := strings.Split(out.String(), "\n")
	if strings.Contains(lines[0], "trace_id") || !strings.Contains(lines[1], "trace_id="+traceID) {
		t.Error(out.String())
	}
}

// TestEndpoint holds what is a collector. None is there: New does not wait for it, nor does Close for ever.
func TestEndpoint(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:1": true, "https://collector:4317": true, "127.0.0.1:4317": false, "ftp://x": false, "http://": false, "http://x/v1/traces": false,
	} {
		tracer, err := New(t.Context(), Options{Endpoint: endpoint, Logger: slog.New(slog.DiscardHandler)})
		if (err == nil) != ok {
			t.Errorf("%s: %v", endpoint, err)
		}
		if err == nil {
			if err := tracer.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestStageCostsNothingUntraced holds what stages cost where nothing is traced.
func TestStageCostsNothingUntraced(t *testing.T) {
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { Stage(ctx, "store")(nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStageUntraced(b *testing.B) {
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		Stage(ctx, "store")(nil)
	}
}

// BenchmarkHTTPUnsampled is what tracing adds to a request of which no span is sent, where it is on.
func BenchmarkHTTPUnsampled(b *testing.B) {
	tracer := with(Options{}, sdk.NewSimpleSpanProcessor(tracetest.NewNoopExporter()))
	handler := tracer.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r, w := httptest.NewRequest("POST", "/fees", nil), httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}
