package bearer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"
)

// Leeway is how far the issuer's clock and this one may be apart.
const Leeway = time.Minute

// Config says whose tokens are taken, and for whom they have to be. Issuer and Audience are needed.
type Config struct {
	// Issuer is the URL that tokens have to have as "iss", to the letter; Audience what has to be in "aud".
	Issuer, Audience string
	// JWKS is the URL of the issuer's keys; empty: the one that the issuer's metadata names (discovery).
	JWKS string
	// NameClaim has the name of the caller; empty: sub.
	NameClaim string
	// RolesClaim has its roles, a list of texts: the name of a claim, or with a slash before it a JSON Pointer,
	// as /realm_access/roles; empty: gec_roles. A token without it has no roles.
	RolesClaim string
	// RootCAs vouch for the issuer's host; nil: those of the system.
	RootCAs *x509.CertPool
	// Log gets what goes wrong with fetching keys, never a token; nil: nothing is logged.
	Log *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Validate returns all that keeps the Config from being used, joined.
func (c Config) Validate() error {
	var faults []error
	if c.Issuer == "" || c.Audience == "" {
		faults = append(faults, errors.New("issuer and audience are both needed: a token of anybody, or for anybody, proves nothing"))
	}
	if c.Issuer != "" {
		if err := checkURL(c.Issuer, true); err != nil {
			faults = append(faults, fmt.Errorf("issuer: %w", err))
		}
	}
	if c.JWKS != "" {
		if err := checkURL(c.JWKS, true); err != nil {
			faults = append(faults, fmt.Errorf("address of the keys: %w", err))
		}
	}
	if strings.HasPrefix(c.NameClaim, "/") {
		faults = append(faults, errors.New("claim of the name: is the name of a claim, not a pointer"))
	}
	return errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.NameClaim == "" {
		c.NameClaim = "sub"
	}
	if c.RolesClaim == "" {
		c.RolesClaim = "gec_roles"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// checkURL holds an address to https, or with local to plain HTTP on this machine.
func checkURL(text string, local bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "":
		return fmt.Errorf("%q is no plain URL: write https://host/path", text)
	case u.Scheme == "https" || u.Scheme == "http" && local && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is not safe from others on the way: use https", text)
}

// loopback reports whether a host is this machine, without asking for its address.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
