package node

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"gec/api/access"
	"gec/api/failing"
	"gec/api/journal"
	"gec/api/metrics"
	"gec/api/observe"
	"gec/api/overload"
	"gec/api/rest"
	"gec/api/trace"
	"gec/cmd/gec/internal/config"
	"gec/engine"
)

// watch is what a node knows of its own work: what it counts, and how it is loaded.
type watch struct {
	// metrics is nil where nobody can ask for them, and nothing is then counted.
	metrics *metrics.Metrics
	// tracer is nil where nothing is traced.
	tracer *trace.Tracer
	load   *overload.Monitor
	// failing are the bundles that fail while running.
	failing failing.Bundles
	// journal is nil where none is kept.
	journal *journal.Journal
	// connections are those open over HTTP, closed those beyond the bound that were closed.
	connections atomic.Int64
	closed      atomic.Uint64
}

func newWatch(c config.Config, folder *Folder, tracer *trace.Tracer) (*watch, error) {
	w := &watch{tracer: tracer, load: overload.New(c.OverloadWait)}
	if c.OpsAddress == off {
		return w, nil
	}
	w.metrics = metrics.New(&w.failing)
	return w, errors.Join(w.registerCatalogue(folder), w.registerStore(c, folder), w.registerCluster(folder), w.registerLoad())
}

// gauge is a value that is asked for, with its name and help; a counter where its name says total.
type gauge struct {
	name, help string
	value      func() float64
}

func (w *watch) register(gauges []gauge) error {
	var err error
	for _, g := range gauges {
		register := w.metrics.Gauge
		if strings.HasSuffix(g.name, "_total") {
			register = w.metrics.Counter
		}
		err = errors.Join(err, register(g.name, g.help, g.value))
	}
	return err
}

func (w *watch) registerCatalogue(f *Folder) error {
	return w.register([]gauge{
		{"gec_catalogue_revision", "The revision that quotes are answered on.", func() float64 { return float64(f.Head().Revision) }},
		{"gec_catalogue_bundles", "Bundles of that revision.", func() float64 { return float64(f.Current().Len()) }},
		{"gec_catalogue_changed_timestamp_seconds", "When that revision became current, as Unix time.", func() float64 {
			if head := f.Head(); head.Revision > 0 {
				return float64(head.At.UnixMilli()) / 1e3
			}
			return 0
		}},
		{"gec_programs", "Compiled conditions that are kept.", func() float64 { return float64(f.Programs().Size) }},
		{"gec_program_hits_total", "Look-ups of a compiled condition that found it.", func() float64 { return float64(f.Programs().Hits) }},
		{"gec_program_misses_total", "Look-ups of a compiled condition that compiled it.", func() float64 { return float64(f.Programs().Misses) }},
	})
}

func (w *watch) registerStore(c config.Config, f *Folder) error {
	yes := func(is bool) float64 {
		if is {
			return 1
		}
		return 0
	}
	return w.register([]gauge{
		{"gec_store_bytes", "Bytes of the data folder.", func() float64 { return float64(f.store.Size()) }},
		{"gec_store_free_bytes", "Bytes free on its disk.", func() float64 { return float64(f.store.Free()) }},
		{"gec_store_watermark_bytes", "Free bytes below which changes are refused.", func() float64 { return float64(c.WatermarkMiB) * (1 << 20) }},
		{"gec_store_ballast_bytes", "Bytes of the file that is given up when the disk is full; 0 where there is none.", func() float64 { return float64(newBallast(c, f.store.Free).held()) }},
		{"gec_store_writable", "1 where changes are taken.", func() float64 { return yes(f.store.Writable() == nil) }},
		{"gec_store_degraded", "1 where a revision before a damaged one is served.", func() float64 { return yes(f.store.Degraded() != nil) }},
	})
}

// registerAccess counts calls that were refused for what they showed.
func (w *watch) registerAccess(a *access.Access) error {
	if w.metrics == nil {
		return nil
	}
	sum := func(reasons ...string) func() float64 {
		return func() (total float64) {
			refused := a.Refused()
			for _, reason := range reasons {
				total += float64(refused[reason])
			}
			return total
		}
	}
	return w.register([]gauge{
		{"gec_access_unknown_total", "Calls refused for showing no key in force: none, an unknown, an expired or a revoked one.",
			sum("no key", "unknown key", "expired key", "revoked key")},
		{"gec_access_revoked_total", "Those of them that showed a key which was revoked.", sum("revoked key")},
		{"gec_access_forbidden_total", "Calls refused because the key has not the role.", sum("role")},
		{"gec_access_rate_total", "Calls refused because the key had used up its rate.", sum("rate")},
	})
}

func (w *watch) registerLoad() error {
	return w.register([]gauge{
		{"gec_overload_refused_total", "Calls turned away because there were too many.", func() float64 { return float64(w.load.Refused()) }},
		{"gec_overload_share", "Share of calls that is being turned away.", w.load.Share},
		{"gec_overload_wait_seconds", "Time for which work waits for a processor, nine times of ten.", func() float64 { return w.load.Waited().Seconds() }},
		{"gec_http_connections", "HTTP connections that are open.", func() float64 { return float64(w.connections.Load()) }},
		{"gec_http_connections_closed_total", "HTTP connections closed because there were too many.", func() float64 { return float64(w.closed.Load()) }},
	})
}

// run watches the load until the function that it returns is called.
func (w *watch) run(ctx context.Context) (end func()) {
	return background(ctx, w.load.Run)
}

// observe returns what the services tell of each call; nil where nothing is counted and traced.
func (w *watch) observe() observe.Func {
	var counted, traced observe.Func
	if w.metrics != nil {
		counted = w.metrics.Observe
	}
	if w.tracer != nil {
		traced = w.tracer.Observe
	}
	return observe.All(counted, traced)
}

// quoted returns what the services tell of each quote; nil where nothing is counted.
func (w *watch) quoted() func(engine.Effort) {
	if w.metrics == nil {
		return nil
	}
	return w.metrics.Quoted
}

// failed returns what the services call for bundles that fail while running (Q14): they are remembered, and each
// is logged when it first does.
func (w *watch) failed(log *slog.Logger) func([]engine.Failure) {
	return func(failures []engine.Failure) {
		if w.failing.Note(failures, time.Now()) {
			f := failures[0]
			log.Warn("a bundle is left out of quotes because it fails while running", "psp", f.Bundle.PSP, "bundle", f.Bundle.ID, "error", f.Err)
		}
	}
}

// http bounds the connections of a server, lets it turn calls away, which api answers, and traces the others.
func (w *watch) http(c config.Config, server *http.Server, api *rest.API) *http.Server {
	if w.tracer != nil { // within what turns calls away: a call that is refused leaves no span
		server.Handler = w.tracer.HTTP(server.Handler)
	}
	server.Handler = w.load.Handler(server.Handler, func(r *http.Request) bool { return strings.Contains(r.URL.Path, "/actuator/health") }, api.Refuse)
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if w.connections.Add(1) > int64(c.ConnectionsMax) {
				w.closed.Add(1)
				_ = conn.Close() // the server finds it closed
			}
		case http.StateClosed, http.StateHijacked:
			w.connections.Add(-1)
		}
	}
	return server
}

// grpc are the options by which the gRPC server turns calls away and traces them.
func (w *watch) grpc() []grpc.ServerOption {
	options := []grpc.ServerOption{grpc.ChainUnaryInterceptor(w.load.Unary), grpc.ChainStreamInterceptor(w.load.Stream)}
	if w.tracer != nil {
		options = append(options, grpc.StatsHandler(w.tracer.GRPC()))
	}
	return options
}
