// Package certificate finds out who a client is by the certificate that it has shown in TLS: a table names the
// subjects that are somebody, with their roles.
//
// It refuses certificates that TLS has not verified against the configured authorities, and never guesses: a
// subject is compared as a whole, without wildcards, and one that the table does not have is nobody.
//
// Where to start: [Parse] and [Mapping.Identify].
package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"gec/api/access/identity"
	"gec/bundles"
)

// The parts of a certificate that a subject of the table may be of, as they are written before its colon.
const (
	uri = "URI:"
	dns = "DNS:"
	cn  = "CN:"
)

// The bounds of a table.
const (
	clientsMax   = 10_000
	textBytesMax = 256
)

// Client is a line of the table.
type Client struct {
	// Subject is URI: or DNS: and a subject alternative name, or CN: and the common name, as in
	// "URI:spiffe://example.org/psp" or "DNS:checkout.example.org". Names of DNS are compared ignoring case.
	Subject string `yaml:"subject"`
	// Name is who that is, for journal and history.
	Name string `yaml:"name"`
	// Roles are what it may do, as an access key has them.
	Roles []string `yaml:"roles"`
}

// Mapping is the table, by subject. It is not changed after it was made; the zero Mapping knows nobody.
type Mapping struct {
	clients map[string]entry
}

// entry is a line and its place in the table.
type entry struct {
	place int
	Client
}

// Parse reads a table: a YAML list of clients with subject, name and roles. Errors: bundles.Faults with every
// fault, by the place in the list; what makes the text no such list.
func Parse(text []byte) (Mapping, error) {
	var list []Client
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return Mapping{}, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Mapping{}, errors.New("holds more than one YAML document")
	}
	return New(list)
}

// New makes a Mapping of a list. Where a certificate has several subjects of it, the first of the list counts.
// Errors: bundles.Faults.
func New(list []Client) (Mapping, error) {
	if len(list) > clientsMax {
		return Mapping{}, fmt.Errorf("%d clients are too many: at most %d", len(list), clientsMax)
	}
	m := Mapping{clients: make(map[string]entry, len(list))}
	var faults bundles.Faults
	for i, client := range list {
		path := fmt.Sprintf("[%d].", i)
		subject, known := canonical(client.Subject)
		switch {
		case !known:
			faults = append(faults, bundles.Fault{Path: path + "subject", Reason: bundles.Excerpt(client.Subject) + " is of no part of a certificate",
				Fix: "write URI:, DNS: or CN: and the whole name"})
		case !shown(subject[strings.Index(subject, ":")+1:]) || strings.Contains(subject, "*"):
			faults = append(faults, bundles.Fault{Path: path + "subject", Reason: "is no whole name", Fix: "write it as in the certificate, without wildcards"})
		default:
			if other, twice := m.clients[subject]; twice {
				faults = append(faults, bundles.Fault{Path: path + "subject", Reason: fmt.Sprintf("is that of [%d] too", other.place), Fix: "leave one of them out"})
			}
		}
		if !shown(client.Name) {
			faults = append(faults, bundles.Fault{Path: path + "name", Reason: "is no name", Fix: "write who that is, for the journal"})
		}
		for j, role := range client.Roles {
			if !shown(role) {
				faults = append(faults, bundles.Fault{Path: fmt.Sprintf("%sroles[%d]", path, j), Reason: "is no role", Fix: "use quotes, operator, auditor, psp:<id> or ec:<tax code>"})
			}
		}
		client.Subject = subject
		m.clients[subject] = entry{i, client}
	}
	if len(faults) > 0 {
		return Mapping{}, faults
	}
	return m, nil
}

// canonical writes a subject as it is compared, and reports whether it is of a part that may be.
func canonical(subject string) (string, bool) {
	if name, is := strings.CutPrefix(subject, dns); is {
		return dns + strings.ToLower(name), true
	}
	return subject, strings.HasPrefix(subject, uri) || strings.HasPrefix(subject, cn)
}

// shown reports whether a text can stand in a log and a journal as it is.
func shown(text string) bool {
	return text != "" && len(text) <= textBytesMax && text == strings.TrimSpace(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Len returns the number of clients.
func (m Mapping) Len() int { return len(m.clients) }

// Identify returns who has made a connection, false where that is nobody of the table or the certificate was not
// verified. state may be nil, as it is without TLS.
func (m Mapping) Identify(state *tls.ConnectionState) (identity.Identity, bool) {
	if state == nil || len(state.VerifiedChains) == 0 || len(m.clients) == 0 {
		return identity.Identity{}, false
	}
	leaf := state.VerifiedChains[0][0]
	found, ok := entry{}, false
	for _, subject := range subjects(leaf) {
		if e, known := m.clients[subject]; known && (!ok || e.place < found.place) {
			found, ok = e, true
		}
	}
	if !ok {
		return identity.Identity{}, false
	}
	return identity.Identity{Subject: found.Subject, Name: found.Name, Roles: slices.Clip(found.Roles), Expires: leaf.NotAfter}, true
}

// subjects are the names of a certificate as the table has them.
func subjects(c *x509.Certificate) []string {
	names := make([]string, 0, 4)
	for _, u := range c.URIs {
		names = append(names, uri+u.String())
	}
	for _, name := range c.DNSNames {
		names = append(names, dns+strings.ToLower(name))
	}
	return append(names, cn+c.Subject.CommonName)
}
