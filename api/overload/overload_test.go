package overload

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"gec/api/problem"
)

// TestShareFollowsTheWait holds that a moment above the target refuses nothing, that overload does, never all,
// and that the end of it ends that within five seconds.
func TestShareFollowsTheWait(t *testing.T) {
	m := New(time.Millisecond)
	share, above := 0.0, 0
	for range patience - 1 {
		share, above = m.next(share, above, time.Second)
	}
	if share, _ := m.next(share, above, 0); share != 0 {
		t.Errorf("a moment above the target refuses %v", share)
	}
	for range 1000 {
		share, above = m.next(share, above, 2*time.Millisecond)
	}
	if share != shareMax {
		t.Errorf("overload that lasts refuses %v", share)
	}
	looks := 0
	for ; share > 0; looks++ {
		share, above = m.next(share, above, time.Millisecond)
	}
	if recovery := time.Duration(looks) * every; recovery > 5*time.Second {
		t.Errorf("it takes %v until nothing is refused", recovery)
	}
}

// TestRefusal holds what a refused caller sees, after its moment, and that health always answers.
func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Millisecond)
		m.share.Store(one)
		handler := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
			func(r *http.Request) bool { return r.URL.Path == "/health" })
		started := time.Now()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("POST", "/fees", nil))
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != problem.ContentType {
			t.Errorf("%d %v", w.Code, w.Header())
		}
		if took := time.Since(started); took < holdMin || took > holdMax {
			t.Errorf("the refused call waited %v", took)
		}
		w = httptest.NewRecorder()
		if handler.ServeHTTP(w, httptest.NewRequest("GET", "/health", nil)); w.Code != http.StatusOK {
			t.Errorf("health is refused: %d", w.Code)
		}
		_, err := m.Unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/gec.v1.QuoteService/Quote"}, nil)
		if p := problem.Of(err); p == nil || p.Status != http.StatusServiceUnavailable {
			t.Error(err)
		}
		if m.Refused() != 2 {
			t.Errorf("%d were refused", m.Refused())
		}
		m.share.Store(0)
		w = httptest.NewRecorder()
		if handler.ServeHTTP(w, httptest.NewRequest("POST", "/fees", nil)); w.Code != http.StatusOK {
			t.Errorf("after the overload: %d", w.Code)
		}
	})
}

// TestLookSeesWaiting makes more goroutines run than there are processors.
func TestLookSeesWaiting(t *testing.T) {
	l := newLook()
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for range 64 * runtime.GOMAXPROCS(0) {
		busy.Go(func() {
			for ctx.Err() == nil {
				for i := 0; i < 10_000; i++ { //nolint:intrange // it is work, not a range
				}
				runtime.Gosched()
			}
		})
	}
	var waited time.Duration
	for waited == 0 {
		runtime.Gosched()
		waited = l.mean()
	}
	cancel()
	busy.Wait()
	if waited <= 0 {
		t.Errorf("waited %v", waited)
	}
}

func BenchmarkAdmit(b *testing.B) {
	m := New(time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		if !m.admit() {
			b.Fatal("refused")
		}
	}
}
