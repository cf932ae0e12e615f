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

// simulated runs a limit against a machine that answers so many calls a second, each look of which sees the wait of
// those that it has yet to answer. It returns the longest wait after the first moment, and the share answered.
func simulated(l *limit, asked, capacity float64, looks int) (longest time.Duration, answered float64) {
	const target = 5 * time.Millisecond
	passed, backlog, tokens, done := every, 0.0, float64(uncounted), 0.0
	for n := range looks {
		arriving := asked * passed.Seconds()
		admitted := min(arriving, tokens)
		worked := min(backlog+admitted, capacity*passed.Seconds())
		backlog, done = backlog+admitted-worked, done+worked
		waited := time.Duration(backlog / capacity * 1e9)
		if n > 100 {
			longest = max(longest, waited)
		}
		l.next(seen{passed, waited, uint64(admitted), uint64(arriving - admitted)}, target)
		if tokens = uncounted; l.on {
			tokens = float64(l.tokens(passed))
		}
	}
	return longest, done / (capacity * passed.Seconds() * float64(looks))
}

// TestLimit holds that calls below the capacity are never refused, that at five times the capacity the wait stays near
// its target while most of the capacity is used, and that the end of it ends that within five seconds.
func TestLimit(t *testing.T) {
	for _, capacity := range []float64{200, 2_000, 50_000} {
		l := &limit{}
		if simulated(l, 0.8*capacity, capacity, 1000); l.on {
			t.Errorf("%v: calls are refused below the capacity", capacity)
		}
		longest, answered := simulated(l, 5*capacity, capacity, 1000)
		if longest > 40*time.Millisecond || answered < 0.75 {
			t.Errorf("%v: work waits up to %v, %.2f of the capacity is used", capacity, longest, answered)
		}
		looks := 0
		for ; l.on && looks < 10_000; looks++ {
			simulated(l, 0.5*capacity, capacity, 1)
		}
		if recovery := time.Duration(looks) * every; recovery > 5*time.Second {
			t.Errorf("%v: it takes %v until nothing is refused", capacity, recovery)
		}
	}
}

// TestMomentIsNoOverload holds that a moment above the target refuses nothing, and that some calls always get through.
func TestMomentIsNoOverload(t *testing.T) {
	var l limit
	for range 100 {
		for range patience/steep - 1 { // far above
			l.next(seen{every, time.Second, 10, 0}, time.Millisecond)
		}
		l.next(seen{every, 0, 10, 0}, time.Millisecond)
		for range patience/2 - 1 { // a little above
			l.next(seen{every, 2 * time.Millisecond, 10, 0}, time.Millisecond)
		}
		l.next(seen{every, 0, 10, 0}, time.Millisecond)
	}
	if l.on {
		t.Error("moments above the target refuse")
	}
	for range 1000 {
		l.next(seen{every, time.Second, 0, 10}, time.Millisecond)
	}
	if !l.on || l.rate != rateMin {
		t.Errorf("overload that lasts lets %v calls a second in", l.rate)
	}
}

// TestRefusal holds what a refused caller sees, after its moment, and that health always answers.
func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Millisecond)
		m.limiting.Store(true)
		m.tokens.Store(0)
		handler := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }),
			func(r *http.Request) bool { return r.URL.Path == "/health" },
			func(w http.ResponseWriter, r *http.Request, err error) { problem.Of(err).Write(w, r) })
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
		m.open()
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
		waited, _ = l.wait()
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
