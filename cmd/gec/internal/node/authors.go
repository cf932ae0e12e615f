package node

import (
	"context"
	"log/slog"
	"net/http"

	"gec/api/marketplace"
	"gec/api/problem"
	"gec/bundles"
	"gec/cmd/gec/internal/config"
)

// anybody is the caller of a node on which authoring needs no key. Errors: that of a missing key on all others.
func anybody(c config.Config) (bundles.Caller, error) {
	if c.AuthoringWithoutKeys {
		return bundles.Operator("loopback"), nil
	}
	return bundles.Caller{}, problem.NoKey()
}

// callers says who calls over gRPC.
func callers(c config.Config) func(context.Context) (bundles.Caller, error) {
	return func(context.Context) (bundles.Caller, error) { return anybody(c) }
}

// authors makes the handler of those who author and agree, by the prefixes below which it answers.
func authors(c config.Config, folder *Folder, w *watch, log *slog.Logger) (map[string]http.Handler, error) {
	handler, err := marketplace.New(marketplace.Options{
		Catalogue: func() *bundles.Catalogue { return folder.Catalogue },
		Caller:    func(*http.Request) (bundles.Caller, error) { return anybody(c) },
		MayQuote:  func(*http.Request) error { return nil },
		Failing:   w.failing.OfPSP,
		Internal: func(r *http.Request, instance string, cause error) {
			log.ErrorContext(r.Context(), "internal error", "path", r.URL.Path, "instance", instance, "error", cause)
		},
	})
	if err != nil {
		return nil, err
	}
	mounts := map[string]http.Handler{}
	for _, prefix := range marketplace.Prefixes() {
		mounts[prefix] = handler
	}
	return mounts, nil
}
