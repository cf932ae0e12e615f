package overload

import (
	"context"
	"math"
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

// machine answers calls in the order in which they come, so many a second, and refuses those that waited for longer
// than its limit says, which costs nothing.
type machine struct {
	limit    limit
	capacity float64
	// came is when the calls came that wait, free until when the processor works.
	now, free time.Duration
	came      []time.Duration
	left      float64
}

// run lets calls come, so many a second, for so many looks. It returns the longest wait of a call that was answered,
// and the shares of the capacity used and of the calls refused.
func (m *machine) run(asked float64, looks int) (longest time.Duration, used, refused float64) {
	const target = 5 * time.Millisecond
	each := time.Duration(float64(time.Second) / m.capacity)
	answered, away := 0, 0
	for range looks {
		m.left += asked * every.Seconds()
		for n := range int(m.left) {
			m.came = append(m.came, m.now+every*time.Duration(n)/time.Duration(m.left))
		}
		s := seen{passed: every, came: uint64(m.left)}
		m.left -= math.Floor(m.left)
		m.now += every
		for len(m.came) > 0 && max(m.free, m.came[0]) < m.now {
			wait := max(m.free-m.came[0], 0)
			s.waited = max(s.waited, wait)
			if within := m.limit.within(target); within > 0 && wait > within {
				away++
				s.refused++
			} else {
				answered++
				m.free = max(m.free, m.came[0]) + each
				longest = max(longest, wait)
			}
			m.came = m.came[1:]
		}
		m.limit.next(s, target)
	}
	return longest, float64(answered) / (m.capacity * every.Seconds() * float64(looks)), float64(away) / float64(answered+away)
}

// TestLimit holds that calls below the capacity are never refused, that at five times the capacity no call that is
// answered waits much longer than the target, from the beginning on, while most of the capacity is used, and that
// the end of it ends that within five seconds.
func TestLimit(t *testing.T) {
	for _, capacity := range []float64{200, 2_000, 50_000} {
		m := &machine{capacity: capacity}
		if _, _, refused := m.run(0.8*capacity, 1000); refused > 0 || m.limit.asked {
			t.Errorf("%v: calls are refused below the capacity", capacity)
		}
		if longest, _, _ := m.run(5*capacity, 50); longest > 60*time.Millisecond {
			t.Errorf("%v: work waits up to %v at first", capacity, longest)
		}
		longest, used, refused := m.run(5*capacity, 1000)
		if longest > 5*time.Millisecond || used < 0.95 || refused < 0.75 {
			t.Errorf("%v: work waits up to %v, %.2f of the capacity is used, %.2f are refused", capacity, longest, used, refused)
		}
		looks := 0
		for ; m.limit.asked && looks < 10_000; looks++ {
			m.run(0.5*capacity, 1)
		}
		if recovery := time.Duration(looks) * every; recovery > 5*time.Second {
			t.Errorf("%v: it takes %v until nothing is refused", capacity, recovery)
		}
	}
}

// TestLittleTooMuch holds that calls are refused, too, where a little more come than can be answered, and how many do
// tells nothing.
func TestLittleTooMuch(t *testing.T) {
	m := &machine{capacity: 10_000}
	m.run(9_500, 1000)
	m.run(11_000, 300)
	longest, used, refused := m.run(11_000, 1000)
	if longest > 5*time.Millisecond || used < 0.95 || refused < 0.05 {
		t.Errorf("work waits up to %v, %.2f of the capacity is used, %.2f are refused", longest, used, refused)
	}
}

// TestMomentIsNoOverload holds that nobody is refused when somebody else has the processors for a moment, and all
// who waited meanwhile come at once.
func TestMomentIsNoOverload(t *testing.T) {
	for _, moment := range []time.Duration{20 * time.Millisecond, 60 * time.Millisecond, 300 * time.Millisecond} {
		m := &machine{capacity: 50_000}
		m.run(25_000, 1000)
		for range 10 {
			m.free = m.now + moment
			if longest, _, refused := m.run(25_000, 100); refused > 0 || longest < moment/2 {
				t.Fatalf("%v: work waits up to %v, %.2f are refused", moment, longest, refused)
			}
		}
	}
}

// TestEpisode holds what ends the patience with a crowd, and that calm ends all.
func TestEpisode(t *testing.T) {
	const target = time.Millisecond
	var l limit
	step := func(want time.Duration, s seen) {
		t.Helper()
		s.passed = every
		if l.next(s, target); l.within(target) != want {
			t.Fatalf("after %+v calls may wait %v, want %v", s, l.within(target), want)
		}
	}
	step(0, seen{came: 10})
	step(onsetFew*target, seen{came: 10, waited: 2 * target})
	step(onset*target, seen{came: 2 * fewMin})
	for range patience/turned - 1 {
		step(onset*target, seen{refused: 1})
	}
	step(target, seen{refused: 1})
	for range calm - 1 {
		step(target, seen{came: 10})
	}
	step(0, seen{came: 10})
}

// TestRefusal holds what a refused caller sees, after its moment, and that health always answers.
func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(time.Millisecond)
		waits := 3 * time.Millisecond
		m.yield = func() time.Duration { return waits }
		m.within.Store(int64(2 * time.Millisecond))
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
		waits = 2 * time.Millisecond
		w = httptest.NewRecorder()
		if handler.ServeHTTP(w, httptest.NewRequest("POST", "/fees", nil)); w.Code != http.StatusOK {
			t.Errorf("a call that waited no longer than it may: %d", w.Code)
		}
		m.yield = func() time.Duration { t.Error("a call is asked after the overload"); return time.Hour }
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
	for name, within := range map[string]time.Duration{"unasked": 0, "asked": time.Hour} {
		b.Run(name, func(b *testing.B) {
			m := New(time.Millisecond)
			m.within.Store(int64(within))
			b.ReportAllocs()
			for b.Loop() {
				if !m.admit() {
					b.Fatal("refused")
				}
			}
		})
	}
}
