package tlsfiles

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gec/cmd/gec/internal/tlsfiles/tlstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo serves TLS on loopback and sends back what it gets, until the test ends.
func echo(t *testing.T, s *Server) (address string) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", s.Config("h2"))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}

// dial makes a connection and sends a word there and back, so that the server has taken it.
func dial(t *testing.T, address string, c *tls.Config) (*tls.Conn, error) {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", address, c)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return conn, alive(conn)
}

func alive(conn *tls.Conn) error {
	if _, err := conn.Write([]byte("ciao")); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 4))
	return err
}

// setting is a folder with files and a server on them.
type setting struct {
	*Server
	dir       string
	authority *tlstest.Authority
	log       bytes.Buffer
}

// newSetting makes a certificate with the names and opens it, with the further files of change.
func newSetting(t *testing.T, change func(*setting, *Files)) *setting {
	t.Helper()
	s := &setting{dir: t.TempDir(), authority: tlstest.New(t)}
	files := Files{Cert: filepath.Join(s.dir, "cert.pem"), Key: filepath.Join(s.dir, "key.pem")}
	s.renew(t, "first")
	if change != nil {
		change(s, &files)
	}
	var err error
	if s.Server, err = Open(files, slog.New(slog.NewTextHandler(&s.log, nil))); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *setting) write(t *testing.T, name string, text []byte) string {
	t.Helper()
	return tlstest.Write(t, s.dir, name, text)
}

// renew replaces the server's certificate.
func (s *setting) renew(t *testing.T, name string) {
	t.Helper()
	cert, key := s.authority.Pair(t, x509.Certificate{DNSNames: []string{name}})
	s.write(t, "cert.pem", cert)
	s.write(t, "key.pem", key)
}

// client returns the settings of a client that trusts the authority and shows a pair, if any.
func (s *setting) client(t *testing.T, pair ...[]byte) *tls.Config {
	t.Helper()
	var cert, key string
	if pair != nil {
		cert, key = s.write(t, "client.pem", pair[0]), s.write(t, "client.key", pair[1])
	}
	c, err := Client(s.write(t, "ca.pem", s.authority.PEM), cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c.NextProtos = []string{"h2"}
	return c
}

func served(conn *tls.Conn) string { return conn.ConnectionState().PeerCertificates[0].DNSNames[0] }

// TestReload holds that a new certificate is served to new connections while old ones go on, and that one that is
// not whole changes nothing.
func TestReload(t *testing.T) {
	s := newSetting(t, nil)
	address := echo(t, s.Server)
	old, err := dial(t, address, s.client(t))
	if err != nil || served(old) != "first" {
		t.Fatal(err)
	}
	serves := func(when, want string, failed bool) {
		t.Helper()
		s.Reload()
		conn, err := dial(t, address, s.client(t))
		if err != nil || served(conn) != want {
			t.Errorf("%s: %v, want %s", when, err, want)
		}
		if s.Failed() != failed {
			t.Errorf("%s: failed is %v", when, s.Failed())
		}
		if err := alive(old); err != nil {
			t.Errorf("%s: an open connection was lost: %v", when, err)
		}
	}
	serves("nothing has changed", "first", false)
	if s.log.Len() != 0 {
		t.Errorf("log: %s", &s.log)
	}
	s.renew(t, "second")
	serves("renewed", "second", false)
	cert, key := s.authority.Pair(t, x509.Certificate{DNSNames: []string{"third"}})
	s.write(t, "cert.pem", cert)
	serves("a key that does not fit", "second", true)
	serves("it is said once", "second", true)
	if n := strings.Count(s.log.String(), "level=ERROR"); n != 1 || strings.Contains(s.log.String(), "PRIVATE") {
		t.Errorf("%d errors in the log:\n%s", n, &s.log)
	}
	s.write(t, "key.pem", key)
	serves("and the key", "third", false)
	if err := os.Remove(filepath.Join(s.dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	serves("no key", "third", true)
	s.write(t, "key.pem", key[:len(key)/2])
	serves("half a key", "third", true)
	s.write(t, "key.pem", key)
	serves("the same again", "third", false)
	cert, key = s.authority.Pair(t, x509.Certificate{DNSNames: []string{"expired"}, NotAfter: time.Now().Add(-time.Hour)})
	s.write(t, "cert.pem", cert)
	s.write(t, "key.pem", key)
	serves("expired", "third", true)
	if left := time.Until(s.Expires()); left < time.Hour {
		t.Errorf("expires in %s", left)
	}
}

// TestRunReadsTheFiles holds that nobody has to ask.
func TestRunReadsTheFiles(t *testing.T) {
	s := newSetting(t, nil)
	synctest.Test(t, func(t *testing.T) {
		s.now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.Run(ctx); close(ended) }()
		synctest.Wait()
		cert, key := s.authority.Pair(t, x509.Certificate{DNSNames: []string{"second"}})
		s.write(t, "cert.pem", cert)
		s.write(t, "key.pem", key)
		time.Sleep(every) // the bubble's time
		synctest.Wait()
		if got := s.current.Load().pair.Leaf.DNSNames[0]; got != "second" {
			t.Errorf("%s is served", got)
		}
		cancel()
		<-ended
	})
}

// TestClients holds that certificates of clients are verified against the authorities of now, each connection anew.
func TestClients(t *testing.T) {
	for _, required := range []bool{false, true} {
		clients := tlstest.New(t)
		s := newSetting(t, func(s *setting, f *Files) {
			f.ClientRequired = required
			f.ClientCA = s.write(t, "clients.pem", clients.PEM)
			f.Clients = s.write(t, "clients.yaml", []byte(`[{subject: "URI:spiffe://example.org/psp", name: psp, roles: ["psp:ABC"]}]`))
		})
		address := echo(t, s.Server)
		template := tlstest.WithURI(t, "spiffe://example.org/psp")
		cert, key := clients.Pair(t, template)
		good := s.client(t, cert, key)
		good.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			conn, err := dial(t, address, good)
			if err != nil || conn.ConnectionState().DidResume {
				t.Errorf("required %v, a good one: %v, or a ticket was given", required, err)
			}
		}
		if _, err := dial(t, address, s.client(t)); (err != nil) != required {
			t.Errorf("required %v, none: %v", required, err)
		}
		expired := template
		expired.NotAfter = time.Now().Add(-time.Hour)
		server := template
		server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		for name, pair := range map[string]struct {
			authority *tlstest.Authority
			template  x509.Certificate
		}{"another authority's": {tlstest.New(t), template}, "expired": {clients, expired}, "of a server": {clients, server}} {
			cert, key := pair.authority.Pair(t, pair.template)
			c := s.client(t, cert, key)
			// Whatever the server says it wants, the client shows it.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.Certificates[0], nil }
			if _, err := dial(t, address, c); err == nil {
				t.Errorf("required %v, %s: taken", required, name)
			}
		}
		s.write(t, "clients.pem", tlstest.New(t).PEM)
		s.Reload()
		if _, err := dial(t, address, good); err == nil {
			t.Errorf("required %v: an authority that was taken out is still good", required)
		}
	}
}

// TestTableOfClients holds that who somebody is follows the table, in open connections too.
func TestTableOfClients(t *testing.T) {
	s := newSetting(t, func(s *setting, f *Files) {
		f.ClientCA = s.write(t, "clients.pem", s.authority.PEM)
		f.Clients = s.write(t, "clients.yaml", []byte(`[{subject: "CN:a", name: first, roles: [quotes]}]`))
	})
	leaf := &x509.Certificate{}
	leaf.Subject.CommonName = "a"
	state := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf}}}
	name := func() string {
		s.Reload()
		found, _ := s.Identify(state)
		return found.Name
	}
	for _, step := range []struct{ table, want string }{
		{`[{subject: "CN:a", name: first}]`, "first"}, {`[{subject: "CN:a", name: second}]`, "second"},
		{`[{subject: "CN:a", nmae: third}]`, "second"}, {`[]`, ""},
	} {
		s.write(t, "clients.yaml", []byte(step.table))
		if got := name(); got != step.want {
			t.Errorf("%s: %q, want %q", step.table, got, step.want)
		}
	}
}

// TestOldTLS holds that nothing before TLS 1.2 is spoken, and there only suites of today.
func TestOldTLS(t *testing.T) {
	s := newSetting(t, nil)
	address := echo(t, s.Server)
	c := s.client(t)
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := dial(t, address, c); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	if _, err := dial(t, address, c); err == nil {
		t.Error("CBC is spoken")
	}
	c.CipherSuites = nil
	if _, err := dial(t, address, c); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newSetting(t, nil)
	good := s.files
	other, _ := s.authority.Pair(t, x509.Certificate{})
	for name, change := range map[string]func(*Files){
		"no certificate":         func(f *Files) { f.Cert = filepath.Join(s.dir, "none") },
		"another's certificate":  func(f *Files) { f.Cert = s.write(t, "other.pem", other) },
		"authority that is none": func(f *Files) { f.ClientCA = s.write(t, "empty.pem", nil) },
		"table that is none":     func(f *Files) { f.Clients = s.write(t, "table.yaml", []byte("a: b")) },
		"file without end":       func(f *Files) { f.ClientCA = s.write(t, "long.pem", make([]byte, fileBytesMax+1)) },
	} {
		files := good
		change(&files)
		if _, err := Open(files, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), s.dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Client(good.Key, "", ""); err == nil {
		t.Error("a key is taken as an authority")
	}
	if _, err := Client("", good.Cert, ""); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
