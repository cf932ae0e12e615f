package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"gec/api/access"
	"gec/api/marketplace"
	"gec/api/rest"
	"gec/api/rpc"
	"gec/api/simulator"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/store/badger"
	"gec/cmd/gec/internal/config"
	"gec/fixtures"
)

// Ready says what a node serves once it does.
type Ready struct {
	// HTTP and GRPC are the addresses listened on, with their real ports.
	HTTP, GRPC net.Addr
	// Revision of the catalogue, and how many bundles it has.
	Revision int64
	Bundles  int
}

// String returns the line by which people and scripts know that the node answers.
func (r Ready) String() string {
	return fmt.Sprintf("ready http=%s grpc=%s revision=%d bundles=%d", r.HTTP, r.GRPC, r.Revision, r.Bundles)
}

// node is a running node.
type node struct {
	config config.Config
	log    *slog.Logger
	http   *http.Server
	rest   *rest.API
	grpc   *rpc.Server
}

// Serve runs a node until ctx is done or a listener fails, and calls ready once it answers. At the end it
// stops in order: readiness off, calls under way finish, the store is closed.
func Serve(ctx context.Context, c config.Config, version string, log *slog.Logger, ready func(Ready)) (err error) {
	if err := CheckAddresses(c); err != nil {
		return err
	}
	proofs, err := prove(c, log)
	if err != nil {
		return err
	}
	defer proofs.run(ctx)()
	tracer, log, endTraces, err := traces(ctx, c, version, log)
	if err != nil {
		return err
	}
	defer endTraces()
	at, err := listenAll(ctx, c)
	if err != nil {
		return err
	}
	defer at.close() // again; for the returns before anything serves on them
	// A damaged head shall not take the quotes down: the last good revision is served, and said so.
	folder, err := openOrReplace(ctx, c, badger.Options{Logger: log, LastGood: true, Loading: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := folder.store.Settle(); err != nil {
		return err
	}
	defer folder.collectEvery(ctx, time.Hour, log)()
	defer folder.keepBallast(ctx, c, log)()
	endFollowing, err := folder.keepUp(ctx, c, log)
	if err != nil {
		return err
	}
	defer endFollowing()
	if err := prepare(ctx, c, folder, log); err != nil {
		return err
	}
	folder.desk = folder.receipts(c, log)
	defer rotateEvery(ctx, c, folder.desk, log)()
	w, err := newWatch(c, folder, tracer)
	if err != nil {
		return err
	}
	keys, err := admission(ctx, c, folder, proofs, w, log)
	if err != nil {
		return err
	}
	endJournal, err := w.openJournal(c, folder, log)
	if err != nil {
		return err
	}
	defer endJournal() // once no call is under way any more
	oneThreadMore()    // not before: the catalogue is read in as many pieces at once, of which each takes memory
	n, err := assemble(c, version, folder, keys, proofs, w, log)
	if err != nil {
		return err
	}
	endOps, err := serveOps(ctx, c, folder, w, log)
	if err != nil {
		return err
	}
	defer endOps()
	defer w.run(ctx)()
	if ctx.Err() != nil {
		return nil // stopped before it began
	}
	failed := make(chan error, 2)
	go func() { failed <- proofs.serveHTTP(n.http, at.http) }()
	go func() { failed <- proofs.serveGRPC(n.grpc, at.grpc) }()
	n.ready(true)
	defer keepHeadroom(ctx)()
	current := folder.Current()
	ready(Ready{HTTP: at.http.Addr(), GRPC: at.grpc.Addr(), Revision: current.Revision(), Bundles: current.Len()})
	select {
	case <-ctx.Done():
	case err = <-failed:
		log.Error("a listener failed", "error", err)
	}
	n.stop(context.WithoutCancel(ctx))
	return err
}

// listeners are those of the service.
type listeners struct{ http, grpc net.Listener }

func listenAll(ctx context.Context, c config.Config) (l listeners, err error) {
	if l.http, err = listen(ctx, "http", c.HTTPAddress); err != nil {
		return l, err
	}
	if l.grpc, err = listen(ctx, "grpc", c.GRPCAddress); err != nil {
		_ = l.http.Close() // nothing came by it
	}
	return l, err
}

func (l listeners) close() { _, _ = l.http.Close(), l.grpc.Close() }

// listen opens a listener before anything else is done, so that a taken port costs no time.
func listen(ctx context.Context, setting, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", setting, err)
	}
	return listener, nil
}

// prepare loads the sample where it is asked for and says what an operator should know.
func prepare(ctx context.Context, c config.Config, folder *Folder, log *slog.Logger) error {
	if damage := folder.store.Degraded(); damage != nil {
		log.Error("the catalogue is damaged: the last good revision is served and changes are refused", "error", damage)
	}
	switch revision, bare := folder.Current().Revision(), folder.Current().Len() == 0; {
	case c.Sample && bare:
		if err := loadSample(ctx, folder, log); err != nil {
			return fmt.Errorf("load the sample catalogue: %w", err)
		}
	case c.Sample:
		log.Info("the data folder has a catalogue: the sample is not loaded", "revision", revision)
	case bare:
		log.Warn("the catalogue is empty: no payment gets a quote until something is imported", "data", absolute(c.DataDir))
	}
	if c.AuthoringWithoutKeys {
		log.Warn("authoring without keys is on: every caller on this machine can change the catalogue")
	}
	if c.TestEndpoints {
		log.Warn("test endpoints are on: every caller can change the catalogue")
	}
	return nil
}

// loadSample imports the built-in catalogue.
func loadSample(ctx context.Context, folder *Folder, log *slog.Logger) error {
	document, _, err := format.Parse(format.Native, fixtures.Catalogue(), format.ReadOptions{})
	if err != nil {
		return err
	}
	options := format.ImportDefaults(format.Native)
	options.Operation, options.Lenient = "import sample", true // it holds from today, not from tomorrow
	report, err := folder.Import(ctx, bundles.Operator("gec serve --sample"), document, options)
	if err == nil {
		log.Info("sample catalogue loaded", "bundles", report.Bundles)
	}
	return err
}

// assemble makes the services on a catalogue, not ready yet.
func assemble(c config.Config, version string, folder *Folder, keys access.Gate, p proofs, w *watch, log *slog.Logger) (*node, error) {
	requests, requestLevel := log, slog.LevelInfo
	if !c.LogRequests {
		requests, requestLevel = errorsOnly(log), slog.LevelDebug
	}
	options := simulator.Options{Catalogue: folder.Catalogue, Export: folder.exported, Published: folder.published, Logger: log}
	if c.Sample {
		options.CreditorInstitutions = fixtures.CreditorInstitutions()
	}
	page, err := simulator.New(options)
	if err != nil {
		return nil, err
	}
	mounts, err := authors(folder, keys, w, log)
	if err != nil {
		return nil, err
	}
	mounts["/"] = page
	api, err := rest.New(rest.Options{
		Gate: keys, Mounts: mounts, Catalogue: folder.Catalogue, Name: "gec", Version: version, Environment: c.Environment, TestEndpoints: c.TestEndpoints,
		Logger: log, RequestLevel: requestLevel, Details: folder.details, Observe: w.observe(), Journal: w.journal, Quoted: w.quoted(), Failed: w.failed(log),
		Receipts: folder.desk,
	})
	if err != nil {
		return nil, err
	}
	api.Ready(false)
	native := rpc.Options{Catalogue: folder.Catalogue, Authors: folder.Catalogue, Gate: keys, Journal: w.journal, Log: requests, Receipts: folder.desk}
	held := folder.seen()
	native.Observe, native.Quoted, native.Failed = w.observe(), w.quoted(), w.failed(log)
	native.GRPC = append(append(p.grpc(), w.grpc()...), held.GRPC()...)
	return &node{
		config: c, log: log, rest: api, grpc: rpc.New(native),
		http: w.http(c, rest.Server(c.HTTPAddress, held.HTTP(contracts(api, rpc.JSON(native))), log), api),
	}, nil
}

// contracts serves the two contracts side by side, the page with its open data beside the platform's. Each
// takes care of request ids, panics and its log.
func contracts(platform, native http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, rpc.JSONPrefix) && !beside(r.URL.Path) {
			native.ServeHTTP(w, r)
			return
		}
		platform.ServeHTTP(w, r)
	})
}

// beside reports whether a path below that of the native contract is served beside the platform's.
func beside(path string) bool {
	return strings.HasPrefix(path, simulator.OpenDataPrefix) ||
		slices.ContainsFunc(marketplace.Prefixes(), func(prefix string) bool { return strings.HasPrefix(path+"/", prefix) })
}

// ready says to both health services whether calls should be sent here.
func (n *node) ready(ready bool) {
	n.rest.Ready(ready)
	n.grpc.Ready(ready)
}

// stop lets the calls under way finish, for the time that the settings give them.
func (n *node) stop(ctx context.Context) {
	started := time.Now()
	n.ready(false)
	n.log.Info("stopping: no longer ready", "accepting_for", n.config.ReadyOffDelay)
	<-time.After(n.config.ReadyOffDelay)
	ctx, cancel := context.WithTimeout(ctx, n.config.StopTimeout)
	defer cancel()
	grpcDone := make(chan struct{})
	go func() {
		n.grpc.GracefulStop()
		close(grpcDone)
	}()
	if err := n.http.Shutdown(ctx); err != nil {
		n.log.Warn("HTTP calls took too long and were cut", "error", errors.Join(err, n.http.Close()))
	}
	select {
	case <-grpcDone:
	case <-ctx.Done():
		n.log.Warn("gRPC calls took too long and were cut")
		n.grpc.Stop()
		<-grpcDone
	}
	n.log.Info("stopped", "took", time.Since(started))
}
