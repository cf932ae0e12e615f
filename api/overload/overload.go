// Package overload turns calls away when there are more than the machine can answer, so that those that are
// answered are answered in time.
//
// How long the runtime lets a goroutine that could run wait for a processor is what every call under way feels,
// whatever it waits for: [Monitor] reads that, a hundred times a second. While it is above a target, each call is
// asked: it lets everybody who could run go first, and whoever waits for too long by that is turned away. So the
// queue of the runtime is the queue of calls, in the order in which they came, and no longer than what is answered
// within the target; how much that is need not be known. Nothing of a call but its head is read before. A refused
// call first waits for a moment that costs nothing: a caller who asks again at once would take as much of the
// machine by being refused as by being answered.
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
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
)

const (
	// every is the time between two looks.
	every = 10 * time.Millisecond
	// quantile is the part of all waits of a look that are not above the one that counts: many waits are none, of
	// goroutines that are handed what they waited for.
	quantile = 0.9
	// queueMin is how many goroutines have to wait for each processor: where fewer do, it is others who take the
	// machine, and refusing calls would free nothing.
	queueMin = 2
	// holdMin and holdMax bound the moment for which a refused call waits, heldMax how many wait at a time;
	// more are refused at once.
	holdMin, holdMax = 200 * time.Millisecond, 600 * time.Millisecond
	heldMax          = 8192
)

// Monitor watches the runtime. It is safe for concurrent use.
type Monitor struct {
	target time.Duration
	// within is for how many nanoseconds a call may wait for a processor; 0 while none is asked.
	within atomic.Int64
	// yield lets everybody who could run go first, and returns how long that took.
	yield func() time.Duration
	// came counts calls, refused those that were turned away.
	came, refused atomic.Uint64
	held          atomic.Int64
	// waited is the wait of the last look in nanoseconds, share the part of calls refused of late, of one.
	waited, share atomic.Int64
}

// one is the share of all calls, as Monitor.share counts.
const one = 1 << 32

// New returns a monitor that refuses nothing until Run. The target is the time for which goroutines may wait for a
// processor.
func New(target time.Duration) *Monitor {
	return &Monitor{target: target, yield: yield}
}

// yield puts the goroutine behind all that could run.
func yield() time.Duration {
	began := time.Now()
	runtime.Gosched()
	return time.Since(began)
}

// Refused returns how many calls were refused.
func (m *Monitor) Refused() uint64 { return m.refused.Load() }

// Share returns the share of calls that is being refused, 0 to 1.
func (m *Monitor) Share() float64 { return float64(m.share.Load()) / one }

// Waited returns for how long goroutines waited for a processor at the last look.
func (m *Monitor) Waited() time.Duration { return time.Duration(m.waited.Load()) }

// Run looks until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	defer m.open()
	look := newLook()
	var l limit
	came, refused, share, at := m.came.Load(), m.refused.Load(), 0.0, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		waited, queued := look.wait()
		m.waited.Store(int64(waited))
		if queued < queueMin*runtime.GOMAXPROCS(0) {
			waited = 0
		}
		now := time.Now()
		s := seen{passed: now.Sub(at), waited: waited, came: m.came.Load() - came, refused: m.refused.Load() - refused}
		came, refused, at = came+s.came, refused+s.refused, now
		l.next(s, m.target)
		m.within.Store(int64(l.within(m.target)))
		if s.came > 0 {
			share += memory * (min(float64(s.refused)/float64(s.came), 1) - share)
		}
		if !l.asked {
			share = 0
		}
		m.share.Store(int64(share * one))
	}
}

// open lets everybody in.
func (m *Monitor) open() {
	m.within.Store(0)
	m.share.Store(0)
}

// admit reports whether a call may go on.
func (m *Monitor) admit() bool {
	m.came.Add(1)
	within := m.within.Load()
	return within == 0 || int64(m.yield()) <= within
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

// Handler lets a handler answer what may go on, and refuse answer the rest with the problem that it is given. Requests
// for which exempt returns true always may go on: those of whoever watches the node.
func (m *Monitor) Handler(next http.Handler, exempt func(*http.Request) bool, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.within.Load() > 0 && exempt(r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := m.Enter(r.Context()); err != nil {
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// look reads how long goroutines waited since the look before.
type look struct {
	sample []metrics.Sample
	// before are the counts of the last look, since those after it.
	before, since []uint64
}

func newLook() *look {
	l := &look{sample: []metrics.Sample{{Name: "/sched/latencies:seconds"}, {Name: "/sched/goroutines/runnable:goroutines"}}}
	l.wait() // from now on
	return l
}

// wait returns the quantile of the waits since the last call, and how many goroutines wait now; 0 where none did or
// the runtime does not tell.
func (l *look) wait() (waited time.Duration, queued int) {
	metrics.Read(l.sample)
	if l.sample[0].Value.Kind() != metrics.KindFloat64Histogram || l.sample[1].Value.Kind() != metrics.KindUint64 {
		return 0, 0
	}
	queued = int(l.sample[1].Value.Uint64())
	h := l.sample[0].Value.Float64Histogram()
	if l.before == nil {
		l.before = make([]uint64, len(h.Counts))
		l.since = make([]uint64, len(h.Counts))
	}
	var count uint64
	for i, n := range h.Counts {
		l.since[i], l.before[i] = n-l.before[i], n
		count += l.since[i]
	}
	below := uint64(math.Ceil(quantile * float64(count)))
	for i, n := range l.since {
		if n == 0 {
			continue
		}
		if n < below {
			below -= n
			continue
		}
		low, high := max(h.Buckets[i], 0), h.Buckets[i+1]
		if math.IsInf(high, 1) {
			high = low
		}
		return time.Duration((low + high) / 2 * 1e9), queued
	}
	return 0, queued
}
