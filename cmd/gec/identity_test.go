package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"gec/api/gecv1"
	"gec/cmd/gec/internal/tlsfiles"
	"gec/cmd/gec/internal/tlsfiles/tlstest"
)

// secured is a server over TLS with client certificates and an issuer of tokens, and what its clients need.
type secured struct {
	*server
	t         *testing.T
	dir       string
	authority *tlstest.Authority
	issuer    string
	key       *ecdsa.PrivateKey
}

func (s *secured) path(name string) string { return filepath.Join(s.dir, name) }

// renew writes the server's certificate, with the name.
func (s *secured) renew(name string) {
	template := tlstest.WithURI(s.t, "urn:gec")
	template.DNSNames = []string{name}
	s.pair("server", template)
}

func (s *secured) pair(name string, template x509.Certificate) {
	cert, key := s.authority.Pair(s.t, template)
	tlstest.Write(s.t, s.dir, name+".pem", cert)
	tlstest.Write(s.t, s.dir, name+".key", key)
}

// client returns an HTTP client that shows the certificate of a name, empty for none, and speaks HTTP/2.
func (s *secured) client(name string) *http.Client {
	settings := s.tls(name)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true, DisableKeepAlives: true}, Timeout: patience}
}

func (s *secured) tls(name string) *tls.Config {
	s.t.Helper()
	var cert, key string
	if name != "" {
		cert, key = s.path(name+".pem"), s.path(name+".key")
	}
	settings, err := tlsfiles.Client(s.path("ca.pem"), cert, key)
	if err != nil {
		s.t.Fatal(err)
	}
	return settings
}

// token makes one of the issuer.
func (s *secured) token(subject string, expires time.Time, roles ...string) string {
	s.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.key, KeyID: "k1"}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(map[string]any{
		"iss": s.issuer, "aud": "gec", "sub": subject, "exp": expires.Unix(), "gec_roles": roles,
	}).Serialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// newSecured starts the server.
func newSecured(t *testing.T) *secured {
	t.Helper()
	s := &secured{t: t, dir: t.TempDir(), authority: tlstest.New(t)}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer any = map[string]string{"issuer": s.issuer, "jwks_uri": s.issuer + "/keys"}
		if r.URL.Path == "/keys" {
			answer = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: "k1"}}}
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(issuer.Close)
	s.issuer = issuer.URL
	tlstest.Write(t, s.dir, "ca.pem", s.authority.PEM)
	s.renew("first")
	s.pair("platform", tlstest.WithURI(t, "spiffe://example.org/platform"))
	s.pair("stranger", tlstest.WithURI(t, "spiffe://example.org/stranger"))
	tlstest.Write(t, s.dir, "clients.yaml", []byte("- {subject: 'URI:spiffe://example.org/platform', name: platform, roles: [quotes]}\n"))
	s.server = serve(t, t.TempDir(), "--sample", "--tls-cert", s.path("server.pem"), "--tls-key", s.path("server.key"),
		"--tls-client-ca", s.path("ca.pem"), "--tls-clients", s.path("clients.yaml"), "--oidc-issuer", s.issuer, "--oidc-audience", "gec",
		"--ops", "127.0.0.1:0")
	s.http = strings.Replace(s.http, "http://", "https://", 1)
	return s
}

const quoteBody = `{"payment": {"notices": [{"amountCents": 5000}]}}`

// quote asks over HTTP and returns the status, with a token unless it is empty.
func (s *secured) quote(client *http.Client, token string) int {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.http+"/gec/v1/quote", strings.NewReader(quoteBody))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.ProtoMajor != 2 {
		s.t.Errorf("%s, %v", response.Proto, err)
	}
	return response.StatusCode
}

// quoteGRPC asks over gRPC and returns the code.
func (s *secured) quoteGRPC(certificate, token string) codes.Code {
	s.t.Helper()
	connection, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(credentials.NewTLS(s.tls(certificate))))
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close()
	ctx := s.t.Context()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	request := &gecv1.QuoteRequest{Payment: &gecv1.Payment{Notices: []*gecv1.Notice{{AmountCents: 5000}}}}
	_, err = gecv1.NewQuoteServiceClient(connection).Quote(ctx, request)
	return status.Code(err)
}

// TestTokensAndCertificates holds, with the real binary, that a caller is who its token or certificate says, over
// HTTP and gRPC, and nobody otherwise.
func TestTokensAndCertificates(t *testing.T) {
	s := newSecured(t)
	soon := time.Now().Add(time.Hour)
	quotes := s.token("alice", soon, "quotes")
	for _, test := range []struct {
		name, certificate, token string
		http                     int
		grpc                     codes.Code
	}{
		{"nothing", "", "", http.StatusUnauthorized, codes.Unauthenticated},
		{"token", "", quotes, http.StatusOK, codes.OK},
		{"token changed", "", quotes[:len(quotes)-4] + "AAAA", http.StatusUnauthorized, codes.Unauthenticated},
		{"token expired", "", s.token("alice", time.Now().Add(-2*time.Minute), "quotes"), http.StatusUnauthorized, codes.Unauthenticated},
		{"token of a PSP", "", s.token("psp", soon, "psp:ABC"), http.StatusForbidden, codes.PermissionDenied},
		{"token with roles of others", "", s.token("bob", soon, "offline_access"), http.StatusForbidden, codes.PermissionDenied},
		{"certificate", "platform", "", http.StatusOK, codes.OK},
		{"certificate of nobody", "stranger", "", http.StatusUnauthorized, codes.Unauthenticated},
	} {
		if got := s.quote(s.client(test.certificate), test.token); got != test.http {
			t.Errorf("%s: %d over HTTP, want %d", test.name, got, test.http)
		}
		if got := s.quoteGRPC(test.certificate, test.token); got != test.grpc {
			t.Errorf("%s: %s over gRPC, want %s", test.name, got, test.grpc)
		}
	}
	s.stop(t)
	if log := s.stderr.String(); strings.Contains(log, quotes) || strings.Contains(log, quotes[len(quotes)-40:]) {
		t.Error("a token is in the log")
	}
}

// TestCertificateIsReplaced holds that the running server takes a new certificate, keeps the old one when the new
// one is broken, and loses no connection by either.
func TestCertificateIsReplaced(t *testing.T) {
	t.Parallel()
	s := newSecured(t)
	open, err := tls.Dial("tcp", strings.TrimPrefix(s.http, "https://"), s.tls("platform"))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	serves := func(want string) {
		t.Helper()
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.http, "https://"), s.tls("platform"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("%s is served, want %s", got, want)
		}
	}
	serves("first")
	s.renew("second")
	s.stderr.await(t, "the files of TLS have changed and are in force")
	serves("second")
	tlstest.Write(t, s.dir, "server.pem", []byte("broken"))
	s.stderr.await(t, "the files of TLS have changed and cannot be used")
	serves("second")
	if status, metrics := get(t, opsOf(t, s.server)+"/metrics"); status != http.StatusOK || !strings.Contains(metrics, "gec_tls_reload_failed 1") ||
		!strings.Contains(metrics, "gec_tls_certificate_expiry_seconds 8") || !strings.Contains(metrics, "gec_oidc_keys 0") {
		t.Errorf("%d\n%s", status, metrics)
	}
	request := "GET /actuator/health/liveness HTTP/1.1\r\nHost: gec\r\nConnection: close\r\n\r\n"
	if _, err := open.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(open); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		t.Errorf("the first connection was lost: %q, %v", answer, err)
	}
}

// TestCommandsOverTLS holds that the commands ask a server over TLS, and show a certificate.
func TestCommandsOverTLS(t *testing.T) {
	s := newSecured(t)
	ask := []string{"quote", "--server", s.http, "--amount", "50.00"}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"certificate":      {[]string{"--ca-file", s.path("ca.pem"), "--client-cert", s.path("platform.pem"), "--client-key", s.path("platform.key")}, 0, "BUNDLE"},
		"no certificate":   {[]string{"--ca-file", s.path("ca.pem")}, 1, "access key"},
		"no authority":     {nil, 1, "certificate signed by unknown authority"},
		"half a pair":      {[]string{"--client-cert", s.path("platform.pem")}, 2, "--client-key"},
		"no such file":     {[]string{"--ca-file", s.path("none.pem")}, 1, "none.pem"},
		"not an authority": {[]string{"--ca-file", s.path("platform.key")}, 1, "no certificate in PEM form"},
	} {
		r := gec(t, append(ask, test.args...)...)
		if r.code != test.code || !strings.Contains(r.stdout+r.stderr, test.want) {
			t.Errorf("%s: exit code %d\n%s%s", name, r.code, r.stdout, r.stderr)
		}
	}
}

// TestServeRefusesHalfASetting holds that there is no server with an issuer and without an audience (goal 28).
func TestServeRefusesHalfASetting(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.pem")
	if err := os.WriteFile(broken, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"oidc-audience is not":        {"--oidc-issuer", "https://issuer.example"},
		"oidc-issuer is not":          {"--oidc-audience", "gec"},
		"use https":                   {"--oidc-issuer", "http://issuer.example", "--oidc-audience", "gec"},
		"tls-key is not":              {"--tls-cert", broken},
		broken + " with " + broken:    {"--tls-cert", broken, "--tls-key", broken},
		"tls-client-ca is not":        {"--tls-clients", broken},
		"tls-client-auth is required": {"--tls-client-auth", "required"},
	} {
		r := gec(t, append([]string{"serve", "--data", filepath.Join(dir, "data"), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"}, args...)...)
		if r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, want %q in\n%s", args, r.code, want, r.stderr)
		}
	}
}
