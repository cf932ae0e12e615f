package rpc_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/api/rpc"
)

// TestHealthFollowsReady holds the health service to the switch, for the server and each service.
func TestHealthFollowsReady(t *testing.T) {
	server, connection := dial(t, rpc.Options{Catalogue: newHistory(t)})
	health := grpc_health_v1.NewHealthClient(connection)
	check := func(want grpc_health_v1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for _, service := range []string{"", "gec.v1.QuoteService", "gec.v1.CatalogueService"} {
			got, err := health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
			if err != nil || got.GetStatus() != want {
				t.Errorf("%q: %v %v, want %v", service, got.GetStatus(), err, want)
			}
		}
	}
	check(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	server.Ready(true)
	check(grpc_health_v1.HealthCheckResponse_SERVING)
	server.Ready(false)
	check(grpc_health_v1.HealthCheckResponse_NOT_SERVING)
}

// TestReflection holds that tools find the services without the proto files.
func TestReflection(t *testing.T) {
	_, connection := dial(t, rpc.Options{Catalogue: newHistory(t)})
	stream, err := reflectionpb.NewServerReflectionClient(connection).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	want := []string{
		"gec.v1.BundleService", "gec.v1.CatalogueService", "gec.v1.QuoteService", "gec.v1.SubscriptionService",
		"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

// TestStatus holds CatalogueService to the current revision.
func TestStatus(t *testing.T) {
	h := newHistory(t)
	_, connection := dial(t, rpc.Options{Catalogue: h})
	got, err := gecv1.NewCatalogueServiceClient(connection).GetStatus(t.Context(), &gecv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &gecv1.GetStatusResponse{
		Revision: 2, RevisionAt: timestamppb.New(h.instants[2]), Bundles: 9,
		Touchpoints: []string{"CHECKOUT", "IO"}, PaymentTypes: []string{"CP", "PPAL"},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestInvalidArgumentNamesFields holds the details of a refused request to the names of the proto.
func TestInvalidArgumentNamesFields(t *testing.T) {
	zero := int32(0)
	_, err := client(t).Quote(t.Context(), &gecv1.QuoteRequest{
		MaxOccurrences: &zero, Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{}}},
	})
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument || len(s.Details()) != 1 {
		t.Fatalf("status %v", s)
	}
	var got []string
	for _, violation := range s.Details()[0].(*errdetails.BadRequest).GetFieldViolations() {
		got = append(got, violation.GetField()+" "+violation.GetDescription())
	}
	want := []string{
		"max_occurrences is 0; use 1 or more, or leave it out for 10",
		"payment.notices[0].amount_cents is 0; use cents above 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

// TestRequestIDIsEchoed holds that an id that is fit for a header comes back, and any other call gets
// a fresh one.
func TestRequestIDIsEchoed(t *testing.T) {
	c := client(t)
	ask := func(id string) string {
		var header metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", id)
		if _, err := c.Quote(ctx, &gecv1.QuoteRequest{Payment: cardPayment()}, grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		return strings.Join(header.Get("x-request-id"), ",")
	}
	if got := ask("abc-1"); got != "abc-1" {
		t.Errorf("echo %q", got)
	}
	if first, second := ask(""), ask(""); len(first) != 36 || first == second {
		t.Errorf("made %q, %q", first, second)
	}
	if got := ask(strings.Repeat("x", 200)); len(got) != 36 {
		t.Errorf("an id of 200 characters came back as %q", got)
	}
}

// TestOversizeRequestIsRefused holds the bound of a message.
func TestOversizeRequestIsRefused(t *testing.T) {
	in := &gecv1.QuoteRequest{Payment: cardPayment()}
	in.Payment.Bin = strings.Repeat("4", rpc.RequestBytesMax)
	if _, err := client(t).Quote(t.Context(), in); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
}

// TestInternalErrorsAreNotShown holds that a failing store is logged under the instance that the
// caller is told, and told apart from nothing else.
func TestInternalErrorsAreNotShown(t *testing.T) {
	var log bytes.Buffer
	_, connection := dial(t, rpc.Options{Catalogue: failing(t), Now: fixedNow, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	revision := int64(1)
	_, err := gecv1.NewQuoteServiceClient(connection).Quote(t.Context(), &gecv1.QuoteRequest{Payment: cardPayment(), Revision: &revision})
	checkHidden(t, err, "secret", log.String())
}

// TestPanicsAreNotShown holds that a panic becomes INTERNAL and the server lives on.
func TestPanicsAreNotShown(t *testing.T) {
	var log bytes.Buffer
	boom := func(_ context.Context, _ any, info *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		panic("secret of " + info.FullMethod)
	}
	_, connection := dial(t, rpc.Options{
		Catalogue: newHistory(t), Log: slog.New(slog.NewJSONHandler(&log, nil)),
		GRPC: []grpc.ServerOption{grpc.ChainUnaryInterceptor(boom)},
	})
	for range 2 {
		log.Reset()
		_, err := gecv1.NewQuoteServiceClient(connection).Quote(t.Context(), &gecv1.QuoteRequest{Payment: cardPayment()})
		checkHidden(t, err, "secret", log.String())
	}
}

// checkHidden checks that an error tells an instance and not the secret, and that the log has both.
func checkHidden(t *testing.T, err error, secret, log string) {
	t.Helper()
	s := status.Convert(err)
	_, instance, found := strings.Cut(strings.TrimSuffix(s.Message(), ")"), "(")
	if s.Code() != codes.Internal || strings.Contains(s.Message(), secret) || !found {
		t.Errorf("the caller sees %v", s)
	}
	if !strings.Contains(log, secret) || !strings.Contains(log, instance) || !strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log of instance %s says %q", instance, log)
	}
}

// TestLogLine holds the one line of a request, and that it has nothing of the card.
func TestLogLine(t *testing.T) {
	var log bytes.Buffer
	_, connection := dial(t, rpc.Options{Catalogue: newHistory(t), Now: fixedNow, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	in := &gecv1.QuoteRequest{Payment: cardPayment()}
	in.Payment.Bin = "400012"
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "line-1")
	if _, err := gecv1.NewQuoteServiceClient(connection).Quote(ctx, in); err != nil {
		t.Fatal(err)
	}
	line := log.String()
	for _, want := range []string{
		`"request_id":"line-1"`, `"method":"/gec.v1.QuoteService/Quote"`, `"code":"OK"`, `"revision":2`, `"rows":5`, `"duration":`,
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
	if strings.Contains(line, "400012") || strings.Count(line, "\n") != 1 {
		t.Errorf("the line is %s", line)
	}
}
