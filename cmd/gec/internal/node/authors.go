package node

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"gec/api/access"
	"gec/api/marketplace"
	"gec/bundles"
	"gec/cmd/gec/internal/config"
)

// admission makes the first key where the settings ask for one, and the gate, whose numbers it registers. Errors as
// gate.
func admission(ctx context.Context, c config.Config, folder *Folder, p proofs, w *watch, log *slog.Logger) (*access.Access, error) {
	if c.FirstKeyFile != off {
		if err := firstKey(ctx, folder, c.FirstKeyFile, log); err != nil {
			return nil, err
		}
	}
	a, err := gate(ctx, c, folder, p, log)
	if err != nil {
		return nil, err
	}
	return a, errors.Join(w.registerAccess(a), w.registerProofs(p))
}

// gate reads the access keys of a folder, and takes the other proofs besides them. Errors: those of the store;
// *ExposedError where an address is open to other machines and there is no key.
func gate(ctx context.Context, c config.Config, folder *Folder, p proofs, log *slog.Logger) (*access.Access, error) {
	o := access.Options{Annex: folder.Catalogue, AnybodyOperates: c.AuthoringWithoutKeys, Log: log}
	p.accept(&o)
	a, err := access.New(ctx, o)
	if err != nil {
		return nil, err
	}
	switch exposed := exposed(c); {
	case !a.Open():
		log.Info("access keys are asked for, except by the page and health")
	case c.ListenWithoutKeys:
		log.Warn("there are no access keys: whoever reaches these addresses can use them", "http", c.HTTPAddress, "grpc", c.GRPCAddress)
	case exposed != nil:
		return nil, exposed
	default:
		log.Info("there are no access keys: quotes are open to this machine, on loopback only; make keys with 'gec keys create'")
	}
	return a, nil
}

// authors makes the handler of those who author and agree, by the prefixes below which it answers.
func authors(folder *Folder, gate access.Gate, w *watch, log *slog.Logger) (map[string]http.Handler, error) {
	handler, err := marketplace.New(marketplace.Options{
		Catalogue: func() *bundles.Catalogue { return folder.Catalogue },
		Gate:      gate,
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
