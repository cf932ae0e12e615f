package config

import "fmt"

// Off is how a setting says that there is nothing.
const Off = "off"

// together returns what is wrong with settings that need each other, though each is right by itself.
func (c *Config) together() []error {
	var faults []error
	both := func(a, aValue, b, bValue, why string) {
		if (aValue == Off) != (bValue == Off) {
			if aValue == Off {
				a, b = b, a
			}
			faults = append(faults, fmt.Errorf("%s is set and %s is not: %s", a, b, why))
		}
	}
	needs := func(a, aValue, b, bValue, why string) {
		if aValue != Off && bValue == Off {
			faults = append(faults, fmt.Errorf("%s is set and %s is not: %s", a, b, why))
		}
	}
	both("tls-cert", c.TLS.Cert, "tls-key", c.TLS.Key, "a certificate and its key go together")
	needs("tls-client-ca", c.TLS.ClientCA, "tls-cert", c.TLS.Cert, "clients show certificates over TLS only")
	needs("tls-clients", c.TLS.Clients, "tls-client-ca", c.TLS.ClientCA, "the certificates of clients have to be verified")
	if c.TLS.ClientAuth == "required" && c.TLS.ClientCA == Off {
		faults = append(faults, fmt.Errorf("tls-client-auth is required and tls-client-ca is not set: no certificate could be verified"))
	}
	both("oidc-issuer", c.OIDC.Issuer, "oidc-audience", c.OIDC.Audience, "tokens of anybody, or for anybody, prove nothing")
	needs("oidc-jwks", c.OIDC.JWKS, "oidc-issuer", c.OIDC.Issuer, "the keys are those of an issuer")
	needs("oidc-ca", c.OIDC.CA, "oidc-issuer", c.OIDC.Issuer, "it vouches for the issuer")
	both("etcd-cert", c.Etcd.Cert, "etcd-key", c.Etcd.Key, "a certificate and its key go together")
	both("etcd-user", c.Etcd.User, "etcd-password-file", c.Etcd.PasswordFile, "an account and its password go together")
	return faults
}
