package metrics

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gec/api/failing"
	"gec/api/observe"
	"gec/engine"
)

// key names an operation over a transport.
type key struct{ transport, operation string }

// operationsMax bounds what is counted by name. Beyond it calls go to one named "other".
const (
	operationsMax = 512
	other         = "other"
)

// Metrics are the counters of a node. They are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	// operations is replaced as a whole when one is added.
	operations atomic.Pointer[map[key]*operation]
	adding     sync.Mutex
	quotes     [shards]quotes
	failed     *failing.Bundles
}

// New returns counters at zero, with those of the process and the Go runtime beside them, and of the bundles that
// failed.
func New(failed *failing.Bundles) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), failed: failed}
	m.operations.Store(&map[key]*operation{})
	m.registry.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe is an [observe.Func] that counts calls. It takes no lock once the operation was seen, and no memory.
func (m *Metrics) Observe(_ context.Context, c observe.Call) {
	k := key{c.Transport, c.Operation}
	o := (*m.operations.Load())[k]
	if o == nil {
		o = m.add(k)
	}
	o.observe(c.Status, c.Rows, c.Took)
}

// Quoted counts what a quote took.
func (m *Metrics) Quoted(e engine.Effort) {
	q := &m.quotes[rand.Uint32()%shards]
	q.count.Add(1)
	q.visited.Add(uint64(e.Visited))
	q.candidates.Add(uint64(e.Candidates))
}

func (m *Metrics) add(k key) *operation {
	m.adding.Lock()
	defer m.adding.Unlock()
	old := *m.operations.Load()
	if o := old[k]; o != nil {
		return o
	}
	if len(old) >= operationsMax {
		k.operation = other
		if o := old[k]; o != nil {
			return o
		}
	}
	next := maps.Clone(old)
	next[k] = &operation{transport: k.transport, name: k.operation}
	m.operations.Store(&next)
	return next[k]
}

// Register adds what another part of the node counts; a name that is taken is an error.
func (m *Metrics) Register(c prometheus.Collector) error {
	if err := m.registry.Register(c); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// Gauge registers a value that is asked for when somebody looks.
func (m *Metrics) Gauge(name, help string, value func() float64) error {
	return m.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Counter registers a count that never goes down while the process lives.
func (m *Metrics) Counter(name, help string, value func() float64) error {
	return m.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}

// Handler shows the numbers in the text format of Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
