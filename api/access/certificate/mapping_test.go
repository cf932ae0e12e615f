package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gec/api/access/identity"
	"gec/bundles"
)

const table = `
- subject: URI:spiffe://example.org/psp
  name: psp one
  roles: [psp:ABC]
- {subject: "DNS:Checkout.Example.org", name: checkout, roles: [quotes]}
- {subject: "CN:old client", name: old}
`

func TestIdentify(t *testing.T) {
	m, err := Parse([]byte(table))
	if err != nil || m.Len() != 3 {
		t.Fatalf("%d clients, %v", m.Len(), err)
	}
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	psp := identity.Identity{Subject: "URI:spiffe://example.org/psp", Name: "psp one", Roles: []string{"psp:ABC"}, Expires: until}
	checkout := identity.Identity{Subject: "DNS:checkout.example.org", Name: "checkout", Roles: []string{"quotes"}, Expires: until}
	old := identity.Identity{Subject: "CN:old client", Name: "old", Expires: until}
	spiffe := func(text string) []*url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return []*url.URL{u}
	}
	for name, test := range map[string]struct {
		certificate x509.Certificate
		want        identity.Identity
	}{
		"by URI":                    {x509.Certificate{URIs: spiffe("spiffe://example.org/psp")}, psp},
		"by DNS, any case":          {x509.Certificate{DNSNames: []string{"a.example.org", "CHECKOUT.example.org"}}, checkout},
		"by common name":            {x509.Certificate{Subject: pkix.Name{CommonName: "old client"}}, old},
		"several: first of table":   {x509.Certificate{Subject: pkix.Name{CommonName: "old client"}, DNSNames: []string{"checkout.example.org"}, URIs: spiffe("spiffe://example.org/psp")}, psp},
		"common name in other case": {x509.Certificate{Subject: pkix.Name{CommonName: "Old client"}}, identity.Identity{}},
		"part of a URI":             {x509.Certificate{URIs: spiffe("spiffe://example.org/psp/x")}, identity.Identity{}},
		"DNS below":                 {x509.Certificate{DNSNames: []string{"a.checkout.example.org"}}, identity.Identity{}},
		"common name like a URI":    {x509.Certificate{Subject: pkix.Name{CommonName: "spiffe://example.org/psp"}}, identity.Identity{}},
		"common name like a DNS":    {x509.Certificate{Subject: pkix.Name{CommonName: "checkout.example.org"}}, identity.Identity{}},
		"common name with a colon":  {x509.Certificate{Subject: pkix.Name{CommonName: "URI:spiffe://example.org/psp"}}, identity.Identity{}},
		"nothing":                   {x509.Certificate{}, identity.Identity{}},
	} {
		test.certificate.NotAfter = until
		chain := []*x509.Certificate{&test.certificate, {}}
		got, ok := m.Identify(&tls.ConnectionState{PeerCertificates: chain, VerifiedChains: [][]*x509.Certificate{chain}})
		if diff := cmp.Diff(test.want, got); diff != "" || ok != (test.want.Name != "") {
			t.Errorf("%s: %v\n%s", name, ok, diff)
		}
		if _, ok := m.Identify(&tls.ConnectionState{PeerCertificates: chain}); ok {
			t.Errorf("%s: somebody, although nobody has verified the certificate", name)
		}
		if _, ok := (Mapping{}).Identify(&tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{chain}}); ok {
			t.Errorf("%s: somebody, of no table", name)
		}
	}
	if _, ok := m.Identify(nil); ok {
		t.Error("somebody without TLS")
	}
	if diff := cmp.Diff([]Client{{"URI:spiffe://example.org/psp", "psp one", []string{"psp:ABC"}},
		{"DNS:checkout.example.org", "checkout", []string{"quotes"}}, {"CN:old client", "old", nil}}, inOrder(m)); diff != "" {
		t.Error(diff)
	}
}

func TestParseSaysAllThatIsWrong(t *testing.T) {
	_, err := Parse([]byte(`
- {subject: "example.org", name: a}
- {subject: "DNS:*.example.org", name: b}
- {subject: "CN:", name: c}
- {subject: "DNS:x.org", name: d}
- {subject: "DNS:X.org", name: e}
- {subject: "CN:x", name: " ", roles: [quotes, ""]}
`))
	var faults bundles.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
		if f.Reason == "" || f.Fix == "" {
			t.Errorf("%+v", f)
		}
	}
	if diff := cmp.Diff([]string{"[0].subject", "[1].subject", "[2].subject", "[4].subject", "[5].name", "[5].roles[1]"}, paths); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"subject: CN:x":                     "cannot unmarshal",
		"- {subject: CN:x, nmae: x}":        "nmae",
		"- {subject: 'CN:x', name: x}\n---": "more than one",
		"- [":                               "yaml",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if m, err := Parse(nil); err != nil || m.Len() != 0 {
		t.Errorf("an empty table: %d, %v", m.Len(), err)
	}
}

// inOrder returns the table as it was written.
func inOrder(m Mapping) []Client {
	list := make([]Client, len(m.clients))
	for _, e := range m.clients {
		list[e.place] = e.Client
	}
	return list
}
