package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"google.golang.org/grpc"

	"gec/api/gecv1"
)

// TestStopUnderLoad stops a server while clients ask it as fast as they can: those that heed its readiness, as
// whoever spreads the load does, see no call fail; an upload under way is taken whole; those that do not heed it see
// calls fail after readiness went off only.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "--sample", "--authoring-without-keys", "--log-requests=false", "--ready-off-delay", "2s")
	var off atomic.Bool
	var answered, early atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() { askUntilOff(t, s, &off, &answered) })
		clients.Go(func() { askUntilRefused(t, s, &off, &early) })
	}
	for range 2 {
		clients.Go(func() { askByGRPC(t, s, &off, &answered) })
	}
	body, send := io.Pipe()
	var upload sync.WaitGroup
	upload.Go(func() {
		if status, text := postStream(t, s.http+"/gec/v1/psps/STOPPING/uploads", body); status != http.StatusOK {
			t.Errorf("the upload under way: %d %s", status, text)
		}
	})
	text := (&uploader{psp: "STOPPING"}).body(1)
	if _, err := send.Write(text[:len(text)/2]); err != nil {
		t.Fatal(err)
	}
	for answered.Load() < 200 { // the load is on
		if status, _ := get(t, s.http+"/actuator/health/readiness"); status != http.StatusOK {
			t.Fatalf("readiness: %d", status)
		}
	}
	s.signal(t, syscall.SIGTERM)
	for !off.Load() {
		status, _ := get(t, s.http+"/actuator/health/readiness")
		off.Store(status != http.StatusOK)
	}
	s.stderr.await(t, "no longer ready")
	if _, err := send.Write(text[len(text)/2:]); err != nil {
		t.Error(err)
	}
	send.Close()
	upload.Wait()
	clients.Wait()
	if code, rest := s.wait(t); code != 0 || rest != "" {
		t.Errorf("exit code %d, more on stdout %q; log:\n%s", code, rest, s.stderr)
	}
	if early.Load() > 0 {
		t.Errorf("%d calls failed while the server was ready", early.Load())
	}
	t.Logf("%d calls were answered", answered.Load())
}

// askUntilOff asks over HTTP until the server is not ready; every call has to be answered.
func askUntilOff(t *testing.T, s *server, off *atomic.Bool, answered *atomic.Int64) {
	for !off.Load() {
		if status, text := post(t, s.http+"/gec/v1/quote", healthyQuote()); status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", status, text)
			return
		}
		answered.Add(1)
	}
}

// askByGRPC is askUntilOff for gRPC.
func askByGRPC(t *testing.T, s *server, off *atomic.Bool, answered *atomic.Int64) {
	client := gecv1.NewQuoteServiceClient(connect(t, s, grpc.WithDefaultServiceConfig(retrying)))
	request := &gecv1.QuoteRequest{Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{AmountCents: 5000}}}}
	for !off.Load() {
		if _, err := client.Quote(t.Context(), request); err != nil {
			t.Errorf("gRPC: %v", err)
			return
		}
		answered.Add(1)
	}
}

// askUntilRefused asks, each time on a connection of its own, until a call fails, and counts it where it should not.
func askUntilRefused(t *testing.T, s *server, off *atomic.Bool, early *atomic.Int64) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	for {
		ready := !off.Load()
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, s.http+"/info", nil)
		if err != nil {
			t.Error(err)
			return
		}
		response, err := client.Do(request)
		if err != nil {
			if ready && !off.Load() {
				early.Add(1)
			}
			return
		}
		response.Body.Close()
	}
}

// postStream sends a body that comes bit by bit.
func postStream(t *testing.T, url string, body io.Reader) (int, string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Error(err)
	}
	return response.StatusCode, text.String()
}
