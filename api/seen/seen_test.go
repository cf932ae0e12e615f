package seen

import (
	"context"
	"net/http"
	"net/http/httptest"
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
	call := func(revision string) *httptest.ResponseRecorder {
		// The wait for a revision ends with the call.
		ctx, cancel := context.WithCancel(t.Context())
		if revision == "8" {
			cancel()
		}
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
		if revision != "" {
			r.Header.Set(revisionHeader, revision)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for revision, want := range map[string]int{"": 200, "0": 200, "7": 200, "8": 503, "-1": 400, "x": 400} {
		w := call(revision)
		if w.Code != want {
			t.Errorf("revision %q: status %d, want %d", revision, w.Code, want)
		}
		if (w.Header().Get("Retry-After") != "") != (want == 503) {
			t.Errorf("revision %q: Retry-After %q", revision, w.Header().Get("Retry-After"))
		}
	}
	if age := call("").Header().Get(ageHeader); age != "" {
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
