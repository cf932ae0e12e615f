// Package overload turns calls away when there are more than the machine can answer, so that those that are
// answered are answered in time.
//
// How long the runtime lets a goroutine that could run wait for a processor is what every call under way feels,
// whatever it waits for: [Monitor] reads that, some forty times a second, and while it is above a target refuses
// a share of the calls, which it raises until the others run freely again and lowers as soon as they do. A
// refused call first waits for a moment that costs nothing: a caller who asks again at once would take as much
// of the machine by being refused as by being answered.
//
// It refuses to look at who calls: fairness between callers is the business of their keys.
//
// Where to start: [New], [Monitor.Run], [Monitor.Handler].
package overload

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
)

const (
	// every is the time between two looks.
	every = 25 * time.Millisecond
	// patience is how many looks in a row have to be above the target before anything is refused: a
	// collection of garbage, or an upload, is no overload.
	patience = 4
	// The share that is refused rises, in one look, by raise for each time that the wait is the target over
	// again, by raiseMax at most, and falls by lower, by lowerIdle once hardly anything waits. It is shareMax at
	// most: some calls always get through, by which the end of the overload shows.
	raise, raiseMax, lower, lowerIdle, shareMax = 0.04, 0.12, 0.006, 0.05, 0.95
	// busyMin is the share of its processors that the process has to use: where others take the machine,
	// refusing calls would free nothing.
	busyMin = 0.2
	// holdMin and holdMax bound the moment for which a refused call waits, heldMax how many wait at a time;
	// more are refused at once.
	holdMin, holdMax = 200 * time.Millisecond, 600 * time.Millisecond
	heldMax          = 8192
	// RetryAfterSeconds is what a refused caller is told.
	RetryAfterSeconds = "1"
)

// one is the share of all calls, as Monitor.share counts.
const one = 1 << 32

// Monitor watches the runtime. It is safe for concurrent use.
type Monitor struct {
	target time.Duration
	// share of calls to refuse, of one.
	share   atomic.Uint64
	refused atomic.Uint64
	held    atomic.Int64
	// waited is the mean wait of the last look, in nanoseconds.
	waited atomic.Int64
}

// New returns a monitor that refuses nothing until Run. The target is the mean time for which goroutines may
// wait for a processor.
func New(target time.Duration) *Monitor { return &Monitor{target: target} }

// Refused returns how many calls were refused, Share the share of calls that is being refused, 0 to 1, and
// Waited for how long goroutines waited, on average, at the last look.
func (m *Monitor) Refused() uint64       { return m.refused.Load() }
func (m *Monitor) Share() float64        { return float64(m.share.Load()) / one }
func (m *Monitor) Waited() time.Duration { return time.Duration(m.waited.Load()) }

// Run looks until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	look, busy := newLook(), newBusy()
	share, above := 0.0, 0
	for {
		select {
		case <-ctx.Done():
			m.share.Store(0)
			return
		case <-ticker.C:
		}
		waited := look.mean()
		m.waited.Store(int64(waited))
		if busy.share() < busyMin {
			waited = 0
		}
		share, above = m.next(share, above, waited)
		m.share.Store(uint64(share * one))
	}
}

// next returns the share to refuse after a look, and how many looks in a row were above the target.
func (m *Monitor) next(share float64, above int, waited time.Duration) (float64, int) {
	switch {
	case waited <= m.target/10: // there is nothing to wait for any more
		return max(share-lowerIdle, 0), 0
	case waited <= m.target:
		return max(share-lower, 0), 0
	}
	if above++; above < patience {
		return share, above
	}
	over := float64(waited)/float64(m.target) - 1
	return min(share+min(raise*over, raiseMax), shareMax), above
}

// admit reports whether a call may go on. It costs a load while nothing is refused.
func (m *Monitor) admit() bool {
	share := m.share.Load()
	return share == 0 || uint64(rand.Uint32()) >= share
}

// Enter returns nil for a call that may go on, and otherwise, after a moment, the problem to answer with.
func (m *Monitor) Enter(ctx context.Context) error {
	if m.admit() {
		return nil
	}
	m.refused.Add(1)
	if m.held.Add(1) <= heldMax {
		timer := time.NewTimer(holdMin + rand.N(holdMax-holdMin))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	m.held.Add(-1)
	return problem.New(http.StatusServiceUnavailable, codes.Unavailable, "More is asked than can be answered in time: repeat the request in a moment")
}

// Handler lets a handler answer what may go on. Requests for which exempt returns true always may: those of
// whoever watches the node.
func (m *Monitor) Handler(next http.Handler, exempt func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.share.Load() == 0 || exempt(r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := m.Enter(r.Context()); err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, err error) {
	p := problem.Of(err)
	header := w.Header()
	header.Set("Content-Type", problem.ContentType)
	header.Set("Retry-After", RetryAfterSeconds)
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.Append(nil))
}

// look reads how long goroutines waited since the look before.
type look struct {
	sample []metrics.Sample
	before []uint64
}

func newLook() *look {
	l := &look{sample: []metrics.Sample{{Name: "/sched/latencies:seconds"}}}
	l.mean() // from now on
	return l
}

// mean returns the mean wait since the last call, 0 where nothing waited or the runtime does not tell.
func (l *look) mean() time.Duration {
	metrics.Read(l.sample)
	if l.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := l.sample[0].Value.Float64Histogram()
	if l.before == nil {
		l.before = make([]uint64, len(h.Counts))
	}
	var seconds float64
	var count uint64
	for i, n := range h.Counts {
		since := n - l.before[i]
		l.before[i] = n
		if since == 0 {
			continue
		}
		low, high := max(h.Buckets[i], 0), h.Buckets[i+1]
		if math.IsInf(high, 1) {
			high = low
		}
		seconds += float64(since) * (low + high) / 2
		count += since
	}
	if count == 0 {
		return 0
	}
	return time.Duration(seconds / float64(count) * 1e9)
}
