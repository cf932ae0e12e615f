package node

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSmallBodiesAreReadToTheirEnd holds that a refusal over HTTP/2 is not followed by a reset of its stream.
func TestSmallBodiesAreReadToTheirEnd(t *testing.T) {
	for _, test := range []struct {
		major, length int
		left          int
	}{{2, 100, 0}, {2, drainBytesMax, 0}, {2, drainBytesMax + 1, drainBytesMax + 1}, {1, 100, 100}} {
		body := strings.NewReader(strings.Repeat("a", test.length))
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
		request.ProtoMajor = test.major
		answer := httptest.NewRecorder()
		drained(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })).ServeHTTP(answer, request)
		if answer.Code != http.StatusUnauthorized || body.Len() != test.left {
			t.Errorf("HTTP/%d, %d bytes: %d are left, want %d; status %d", test.major, test.length, body.Len(), test.left, answer.Code)
		}
	}
}
