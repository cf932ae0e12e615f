package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"gec/bundles"
	"gec/cmd/gec/internal/config"
)

// serveOps serves the operator's listener: metrics for whoever reaches it, and for this machine alone profiles
// and backups, which show everything. The function that it returns ends it; where it is off, nothing begins.
func serveOps(ctx context.Context, c config.Config, folder *Folder, w *watch, log *slog.Logger) (end func(), err error) {
	if c.OpsAddress == off {
		return func() {}, nil
	}
	listener, err := listen(ctx, "ops", c.OpsAddress)
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler: opsHandler(folder, w), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the operator's listener failed", "error", err)
		}
	}()
	log.Info("operator's listener", "ops", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.StopTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // calls that outlast the time are cut; there is nobody left to tell
		}
		<-ended
	}, nil
}

func opsHandler(folder *Folder, w *watch) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.metrics.Handler())
	private := map[string]http.HandlerFunc{
		"GET /debug/pprof/": pprof.Index, "GET /debug/pprof/cmdline": pprof.Cmdline, "GET /debug/pprof/profile": pprof.Profile,
		"GET /debug/pprof/symbol": pprof.Symbol, "GET /debug/pprof/trace": pprof.Trace, "GET /backup": folder.serveBackup,
		"POST /receipt-keys": rotateReceiptKey(folder.desk), "DELETE /receipt-keys/{key}": endReceiptKey(folder.desk),
	}
	// A page of another site in a browser on this machine is no operator.
	ownOrigin := http.NewCrossOriginProtection()
	for pattern, handler := range private {
		mux.Handle(pattern, ownOrigin.Handler(thisMachine(handler)))
	}
	return mux
}

// thisMachine answers callers on loopback only. A proxy on this machine that passes on what others ask makes
// them callers on loopback: the operator's listener is not to be put behind one.
func thisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil || !loopback(host) || r.Header.Get("X-Forwarded-For") != "" {
			http.Error(w, "only from the machine itself", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveBackup streams a backup. Where it fails on the way the connection is cut, and the file has no end.
func (f *Folder) serveBackup(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			http.Error(w, fmt.Sprintf("after: %q is no revision", text), http.StatusBadRequest)
			return
		}
	}
	if head := f.Head().Revision; after > head {
		http.Error(w, fmt.Sprintf("after: revision %d is not there, the last one is %d", after, head), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if _, err := f.Backup(r.Context(), after, w); err != nil {
		if errors.Is(err, bundles.ErrNotFound) {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		panic(http.ErrAbortHandler)
	}
}
