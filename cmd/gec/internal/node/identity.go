package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"gec/api/access"
	"gec/api/access/bearer"
	"gec/api/access/identity"
	"gec/api/rest"
	"gec/api/rpc"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/tlsfiles"
)

// proofs are the ways besides access keys to say who one is, and TLS, by which one of them comes. Each is nil
// where the settings have none.
type proofs struct {
	tls *tlsfiles.Server
	// clients says that the certificates of clients say who they are.
	clients bool
	tokens  *bearer.Verifier
}

// prove reads the settings of proofs. Errors: whatever keeps them from being used.
func prove(c config.Config, log *slog.Logger) (p proofs, err error) {
	if c.TLS.Cert != off {
		files := tlsfiles.Files{
			Cert: c.TLS.Cert, Key: c.TLS.Key, ClientCA: path(c.TLS.ClientCA), Clients: path(c.TLS.Clients),
			ClientRequired: c.TLS.ClientAuth == "required",
		}
		if p.tls, err = tlsfiles.Open(files, log); err != nil {
			return p, fmt.Errorf("TLS: %w", err)
		}
		p.clients = files.Clients != ""
		log.Info("HTTP and gRPC over TLS", "certificate_expires", p.tls.Expires(), "client_certificates", files.ClientCA != "", "required", files.ClientRequired)
	}
	if c.OIDC.Issuer == off && c.OIDC.Audience == off {
		return p, nil
	}
	o := bearer.Config{
		Issuer: path(c.OIDC.Issuer), Audience: path(c.OIDC.Audience), JWKS: path(c.OIDC.JWKS),
		NameClaim: c.OIDC.NameClaim, RolesClaim: c.OIDC.RolesClaim, Log: log,
	}
	if ca := path(c.OIDC.CA); ca != "" {
		if o.RootCAs, err = tlsfiles.Pool(ca); err != nil {
			return p, fmt.Errorf("--oidc-ca: %w", err)
		}
	}
	if p.tokens, err = bearer.New(o); err != nil {
		return p, fmt.Errorf("bearer tokens: %w", err)
	}
	log.Info("bearer tokens are taken", "issuer", o.Issuer, "audience", o.Audience)
	return p, nil
}

// path is the value of a setting that may be off, empty where it is.
func path(setting string) string {
	if setting == off {
		return ""
	}
	return setting
}

// run looks after the files until the function that it returns is called.
func (p proofs) run(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	if p.tls != nil {
		running.Go(func() { p.tls.Run(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
		if p.tokens != nil {
			p.tokens.Close()
		}
	}
}

// accept adds the proofs to what the gate takes.
func (p proofs) accept(o *access.Options) {
	if p.tokens != nil {
		o.Bearer = func(ctx context.Context, token string) (access.Identity, error) {
			found, err := p.tokens.Verify(ctx, token)
			return known("sub:", found), err
		}
	}
	if p.clients {
		o.Certificate = func(connection *tls.ConnectionState) (access.Identity, bool) {
			// A connection may outlive the certificate that began it.
			found, ok := p.tls.Identify(connection)
			return known("cert:", found), ok && time.Now().Before(found.Expires)
		}
	}
}

// known is an identity as the gate takes it.
func known(way string, i identity.Identity) access.Identity {
	roles := make([]access.Role, len(i.Roles))
	for n, role := range i.Roles {
		roles[n] = access.Role(role)
	}
	return access.Identity{ID: way + i.Subject, Name: i.Name, Roles: roles}
}

// serveHTTP serves a listener, over TLS where there is one.
func (p proofs) serveHTTP(server *http.Server, listener net.Listener) error {
	if p.tls == nil {
		return server.Serve(rest.Listener(listener))
	}
	server.TLSConfig = p.tls.Config("h2", "http/1.1")
	server.Handler = drained(server.Handler)
	return server.ServeTLS(tlsfiles.Listener(listener), "", "")
}

// serveGRPC is serveHTTP for gRPC, whose credentials are those of proofs.grpc.
func (p proofs) serveGRPC(server *rpc.Server, listener net.Listener) error {
	if p.tls != nil {
		listener = tlsfiles.Listener(listener)
	}
	return server.Serve(listener)
}

// drainBytesMax is what is read of a body that nobody wanted.
const drainBytesMax = 64 << 10

// drained reads what a handler left of a small body over HTTP/2, as net/http does over HTTP/1.1. A stream that is
// answered before its body has come is reset, and some clients (curl 7.88) then lose the answer: of calls without
// a key one in ten saw no 401.
func drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.ProtoMajor == 2 && r.ContentLength > 0 && r.ContentLength <= drainBytesMax {
			_, _ = io.Copy(io.Discard, r.Body) // a body that breaks off has no reader
		}
	})
}

// grpc is the option by which gRPC is served over TLS, none without.
func (p proofs) grpc() []grpc.ServerOption {
	if p.tls == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.Creds(rpc.WithoutRapidReset(credentials.NewTLS(p.tls.Config("h2"))))}
}

// registerProofs registers how certificates and tokens stand.
func (w *watch) registerProofs(p proofs) error {
	if w.metrics == nil {
		return nil
	}
	var errs []error
	if p.tls != nil {
		errs = append(errs, w.register([]gauge{
			{"gec_tls_certificate_expiry_seconds", "Time until the certificate in force expires; negative once it has.", func() float64 { return time.Until(p.tls.Expires()).Seconds() }},
			{"gec_tls_reload_failed", "1 while the files of TLS are not those in force, because they cannot be used.", func() float64 {
				if p.tls.Failed() {
					return 1
				}
				return 0
			}},
		}))
	}
	if p.tokens != nil {
		errs = append(errs, w.register([]gauge{
			{"gec_oidc_keys", "Keys of the token issuer that are known.", func() float64 { return float64(p.tokens.Status().Keys) }},
			{"gec_oidc_keys_age_seconds", "Time since the token issuer last said which keys it has.", func() float64 { return p.tokens.Status().Age.Seconds() }},
			{"gec_oidc_fetches_failed_total", "Attempts to fetch its keys that gave none.", func() float64 { return float64(p.tokens.Status().FetchesFailed) }},
		}))
	}
	return errors.Join(errs...)
}
