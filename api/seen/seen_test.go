package seen

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gec/bundles"
)

// at is a catalogue that stays at one revision.
type at int64

func (a at) Await(ctx context.Context, revision int64) error {
	if revision <= int64(a) {
		return nil
	}
	<-ctx.Done()
	return bundles.ErrNotYet
}

func TestRevisionThatACallerHasSeen(t *testing.T) {
	away := false
	h := Options{Catalogue: at(7), Age: func() (time.Duration, bool) { return 90 * time.Second, away }}.
		HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	call := func(revisions ...string) *httptest.ResponseRecorder {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if slices.Contains(revisions, "8") || slices.Contains(revisions, "9223372036854775807") {
			cancel() // the wait for a revision ends with the call
		}
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
		r.Header[revisionHeader] = revisions
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, c := range []struct {
		named []string
		want  int
	}{
		{nil, 200},
		{[]string{"0"}, 200},
		{[]string{"7"}, 200},
		{[]string{"007"}, 200},
		{[]string{"8"}, 503},
		{[]string{"9223372036854775807"}, 503},
		{[]string{"3", "7"}, 200},
		{[]string{"3", "8"}, 503}, // the latest counts, wherever it stands
		{[]string{"8", "3"}, 503},
		{[]string{"9223372036854775808"}, 400},
		{[]string{"-1"}, 400},
		{[]string{"+7"}, 400},
		{[]string{""}, 400},
		{[]string{" "}, 400},
		{[]string{"x"}, 400},
		{[]string{"7.0"}, 400},
		{[]string{"3,7"}, 400},
		{[]string{"7", "x"}, 400},
		{[]string{"x", "7"}, 400},
	} {
		w := call(c.named...)
		if w.Code != c.want {
			t.Errorf("revisions %q: status %d, want %d", c.named, w.Code, c.want)
		}
		if (w.Header().Get("Retry-After") != "") != (c.want == 503) {
			t.Errorf("revisions %q: Retry-After %q", c.named, w.Header().Get("Retry-After"))
		}
		if c.want == 400 && !strings.Contains(w.Body.String(), revisionHeader) {
			t.Errorf("revisions %q: the answer does not name the header: %s", c.named, w.Body)
		}
	}
	if age := call().Header().Get(ageHeader); age != "" {
		t.Errorf("age %q while all is well", age)
	}
	away = true
	if age := call("7").Header().Get(ageHeader); age != "90" {
		t.Errorf("age %q, want 90", age)
	}
}

func TestNothingToSayCostsNothing(t *testing.T) {
	h := Options{Catalogue: at(7)}.HTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil)
	if allocations := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }); allocations != 0 {
		t.Errorf("%v allocations without the header", allocations)
	}
}
