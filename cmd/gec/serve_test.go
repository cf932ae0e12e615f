package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"gec/api/gecv1"
)

// get returns the status and body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, request)
}

// post sends a JSON body.
func post(t *testing.T, url string, body any) (int, string) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	return do(t, request)
}

func do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// connect returns a connection to a server's gRPC address.
func connect(t *testing.T, s *server, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient(s.grpc, append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func TestServeTheSample(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample", "--environment", "test")
	if !strings.Contains(s.ready, " revision=1 ") || strings.Contains(s.ready, " bundles=0") {
		t.Errorf("the sample is not served: %s", s.ready)
	}
	for path, want := range map[string]string{
		"/actuator/health/readiness": `{"status":"UP"}`,
		"/actuator/health/liveness":  `{"status":"UP"}`,
		"/info":                      `{"name":"gec","version":"v0.0.0-test","environment":"test"}`,
	} {
		if status, body := get(t, s.http+path); status != http.StatusOK || strings.TrimSpace(body) != want {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
	if status, _ := post(t, s.http+"/configuration/touchpoint/add", []any{}); status != http.StatusNotFound {
		t.Errorf("test endpoints are off, and answer %d", status)
	}
	health, err := grpc_health_v1.NewHealthClient(connect(t, s)).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || health.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", health, err)
	}
	s.stop(t)
	for _, want := range []string{"no access keys", "loopback only", "sample catalogue loaded", "stopped"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, s.stderr)
		}
	}
}

func TestSampleIsLoadedIntoAnEmptyFolderOnly(t *testing.T) {
	data := t.TempDir()
	serve(t, data, "--sample").stop(t)
	again := serve(t, data, "--sample")
	if !strings.Contains(again.ready, " revision=1 ") {
		t.Errorf("the sample was loaded twice: %s", again.ready)
	}
	again.stop(t)
	if !strings.Contains(again.stderr.String(), "the sample is not loaded") {
		t.Errorf("the log does not say so:\n%s", again.stderr)
	}
}

// TestGracefulStop holds that a stop takes readiness away at once, answers the calls under way, and then ends.
func TestGracefulStop(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample")
	batch, err := gecv1.NewQuoteServiceClient(connect(t, s)).BatchQuote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(id string) {
		t.Helper()
		request := &gecv1.QuoteRequest{Id: id, Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{AmountCents: 5000}}}}
		if err := batch.Send(request); err != nil {
			t.Fatal(err)
		}
		if answer, err := batch.Recv(); err != nil || answer.GetId() != id || len(answer.GetQuotes()) == 0 {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	ask("before")
	s.signal(t, syscall.SIGTERM)
	s.stderr.await(t, "no longer ready")
	ask("after") // the call was under way, and still is
	if err := batch.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := batch.Recv(); err != io.EOF {
		t.Errorf("the batch ends with %v", err)
	}
	if code, rest := s.wait(t); code != 0 || rest != "" {
		t.Errorf("exit code %d, more on stdout %q; log:\n%s", code, rest, s.stderr)
	}
}

// TestReadinessGoesOffBeforeTheLastCall holds the order of a stop, and that a second signal ends it at once.
func TestReadinessGoesOffBeforeTheLastCall(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample", "--ready-off-delay", "5m")
	s.signal(t, syscall.SIGTERM)
	s.stderr.await(t, "no longer ready")
	if status, body := get(t, s.http+"/actuator/health/readiness"); status != http.StatusServiceUnavailable {
		t.Errorf("readiness is %d %s while stopping", status, body)
	}
	if status, _ := get(t, s.http+"/info"); status != http.StatusOK {
		t.Errorf("calls are not accepted any more: %d", status)
	}
	s.signal(t, syscall.SIGTERM)
	if code, _ := s.wait(t); code == 0 {
		t.Error("the second signal did not end the process at once")
	}
}

func TestServeRefusals(t *testing.T) {
	s := serve(t, t.TempDir(), "--sample")
	taken := strings.TrimPrefix(s.http, "http://")
	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"folder in use", []string{"serve", "--data", dataOf(s), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"}, 1, []string{dataOf(s), "in use by another gec"}},
		{"port in use", []string{"serve", "--data", t.TempDir(), "--http", taken, "--grpc", "127.0.0.1:0"}, 1, []string{"--http", "address already in use"}},
		{"open to others", []string{"serve", "--data", t.TempDir(), "--http", "0.0.0.0:0"}, 2, []string{"--http 0.0.0.0:0", "no access keys", "--insecure-listen-without-keys"}},
		{"open to others over gRPC", []string{"serve", "--data", t.TempDir(), "--http", "127.0.0.1:0", "--grpc", ":0"}, 2, []string{"--grpc :0"}},
		{"unknown flag", []string{"serve", "--htpp", "x"}, 2, []string{`did you mean "http"?`}},
		{"setting out of bounds", []string{"serve", "--stop-timeout", "1h"}, 2, []string{"use 1s to 10m"}},
		{"an argument", []string{"serve", "now"}, 2, []string{"it does not take 1 argument", "gec serve"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := gec(t, test.args...)
			if r.code != test.code || r.stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q", r.code, test.code, r.stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(r.stderr, want) {
					t.Errorf("%q is not in:\n%s", want, r.stderr)
				}
			}
		})
	}
}

// dataOf returns the data folder of a server.
func dataOf(s *server) string { return s.cmd.Args[3] }

func TestListenWithoutKeysWhenTheRiskIsNamed(t *testing.T) {
	s := serve(t, t.TempDir(), "--insecure-listen-without-keys")
	s.stop(t)
	if !strings.Contains(s.stderr.String(), "whoever reaches these addresses can use them") {
		t.Errorf("the log does not name the risk:\n%s", s.stderr)
	}
}
