// Package tlsfiles makes TLS of files: the certificate of a server with its key, the authorities and the table
// of its clients, all read again when they change; and the other side of that, for commands.
//
// It refuses to take a change that is not whole: a key that does not fit its certificate, a file that does not
// parse or is missing, a certificate that has expired leave what was in force before. Connections that are open
// go on as they began.
//
// Where to start: [Open] and [Server.Config], [Client].
package tlsfiles

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gec/api/access/certificate"
	"gec/api/access/identity"
)

// Files are the paths of what a server needs. Cert and Key are needed, the others may be empty.
type Files struct {
	// Cert is the certificate with those between it and its authority, Key its key, ClientCA the authorities of
	// clients, all in PEM form. Clients is the table of package certificate.
	Cert, Key, ClientCA, Clients string
	// ClientRequired turns away clients without a certificate; otherwise they may show one.
	ClientRequired bool
}

// suites are those of TLS 1.2: keys that are gone after the connection, and authenticated encryption. Those of
// TLS 1.3 all are so.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// every is how often the files are read. They are few and small, and reading them sees what a watch does not:
// links that are swapped, file systems of the network.
const every = 2 * time.Second

// fileBytesMax bounds a file.
const fileBytesMax = 4 << 20

// Server is the TLS of a server. It is safe for concurrent use.
type Server struct {
	files   Files
	log     *slog.Logger
	now     func() time.Time
	current atomic.Pointer[state]
	failed  atomic.Bool

	mu   sync.Mutex
	read [sha256.Size]byte // digest of what was read last
}

// state is what the files said at one time. It is not changed.
type state struct {
	pair      tls.Certificate
	clientCAs *x509.CertPool
	clients   certificate.Mapping
}

// Open reads the files. Errors: those of a file that is missing, does not parse, or does not fit the others.
func Open(files Files, log *slog.Logger) (*Server, error) {
	s := &Server{files: files, log: log, now: time.Now}
	texts, digest, err := files.read()
	if err != nil {
		return nil, err
	}
	first, err := files.parse(texts)
	if err != nil {
		return nil, err
	}
	s.read = digest
	s.current.Store(first)
	if !s.now().Before(s.Expires()) {
		log.Error("the certificate has expired: clients will not take it", "certificate", files.Cert, "expired", s.Expires())
	}
	return s, nil
}

// Run reads the files again every few seconds until ctx is done.
func (s *Server) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Reload()
		}
	}
}

// Reload takes the files as they are now, unless they are as they were, or not whole: that is logged once, and
// what was in force stays. New connections get the new certificate.
func (s *Server) Reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts, digest, err := s.files.read()
	if digest == s.read {
		return
	}
	s.read = digest
	var next *state
	if err == nil {
		next, err = s.files.parse(texts)
	}
	if now := s.now(); err == nil && !now.Before(next.pair.Leaf.NotAfter) && now.Before(s.Expires()) {
		err = fmt.Errorf("%s: the certificate expired at %s", s.files.Cert, next.pair.Leaf.NotAfter)
	}
	s.failed.Store(err != nil)
	if err != nil {
		s.log.Error("the files of TLS have changed and cannot be used: what was in force stays", "expires", s.Expires(), "error", err)
		return
	}
	s.current.Store(next)
	s.log.Info("the files of TLS have changed and are in force", "expires", s.Expires(), "serial", next.pair.Leaf.SerialNumber.Text(16), "clients", next.clients.Len())
}

// Expires is when the certificate in force does.
func (s *Server) Expires() time.Time { return s.current.Load().pair.Leaf.NotAfter }

// Failed reports whether the files are not those in force, because they cannot be used.
func (s *Server) Failed() bool { return s.failed.Load() }

// Identify returns who has made a connection, by the table as it is now.
func (s *Server) Identify(connection *tls.ConnectionState) (identity.Identity, bool) {
	return s.current.Load().clients.Identify(connection)
}

// Config returns the settings of a listener that speaks the protocols of ALPN, the one preferred first. Each
// connection is made with the files as they are in force then.
func (s *Server) Config(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current.Load().config(s.files.ClientRequired, protocols), nil
		},
	}
}

func (t *state) config(clientRequired bool, protocols []string) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, CipherSuites: suites, NextProtos: protocols, Certificates: []tls.Certificate{t.pair},
	}
	if t.clientCAs != nil {
		c.ClientCAs, c.ClientAuth = t.clientCAs, tls.VerifyClientCertIfGiven
		if clientRequired {
			c.ClientAuth = tls.RequireAndVerifyClientCert
		}
		// A ticket would bring back a client whom the authorities of today may not know.
		c.SessionTicketsDisabled = true
	}
	return c
}

// texts are the files as they were read.
type texts struct{ cert, key, clientCA, clients []byte }

// read reads the files, and returns a digest of them, or of the error.
func (f Files) read() (t texts, digest [sha256.Size]byte, err error) {
	hash := sha256.New()
	for _, file := range []struct {
		path string
		text *[]byte
	}{{f.Cert, &t.cert}, {f.Key, &t.key}, {f.ClientCA, &t.clientCA}, {f.Clients, &t.clients}} {
		if file.path == "" {
			continue
		}
		var one error
		if *file.text, one = readFile(file.path); one != nil {
			err = errors.Join(err, one)
			fmt.Fprint(hash, one)
		}
		fmt.Fprintf(hash, "%d\n", len(*file.text))
		hash.Write(*file.text)
	}
	return t, [sha256.Size]byte(hash.Sum(nil)), err
}

func readFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > fileBytesMax {
		return nil, fmt.Errorf("%s: %d bytes are too many: at most %d", path, info.Size(), fileBytesMax)
	}
	return os.ReadFile(path)
}

// parse makes a state of the files' texts. Its errors name files and never what is in the key.
func (f Files) parse(t texts) (*state, error) {
	var s state
	var err error
	if s.pair, err = tls.X509KeyPair(t.cert, t.key); err != nil {
		return nil, fmt.Errorf("%s with %s: %w", f.Cert, f.Key, err)
	}
	if f.ClientCA != "" {
		if s.clientCAs, err = pool(f.ClientCA, t.clientCA); err != nil {
			return nil, err
		}
	}
	if s.clients, err = certificate.Parse(t.clients); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Clients, err)
	}
	return &s, nil
}

// Pool reads a file of authorities.
func Pool(path string) (*x509.CertPool, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return pool(path, text)
}

func pool(path string, text []byte) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return p, nil
}

// Client returns the settings of a client: ca is the file of who vouches for the server, empty for those of the
// system, cert and key the files of its own certificate, empty for none.
func Client(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if ca != "" {
		if c.RootCAs, err = Pool(ca); err != nil {
			return nil, err
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%s with %s: %w", cert, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
