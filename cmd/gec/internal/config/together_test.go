package config

import (
	"strings"
	"testing"
)

// TestSettingsThatNeedEachOther holds that nothing is taken by half: no token of anybody, no key without its
// certificate.
func TestSettingsThatNeedEachOther(t *testing.T) {
	for args, want := range map[string]string{
		"--tls-cert a": "tls-key is not", "--tls-key a": "tls-cert is not",
		"--tls-client-ca a": "tls-cert is not",
		"--tls-clients a":   "tls-client-ca is not",
		"--oidc-issuer a":   "oidc-audience is not",
		"--oidc-audience a": "oidc-issuer is not",
		"--oidc-jwks a":     "oidc-issuer is not",
		"--oidc-ca a":       "oidc-issuer is not",
		"--etcd-cert a":     "etcd-key is not", "--etcd-key a": "etcd-cert is not",
		"--etcd-user a": "etcd-password-file is not", "--etcd-password-file a": "etcd-user is not",
		"--tls-cert a --tls-key a --tls-client-auth required":        "tls-client-ca is not",
		"--oidc-issuer a --oidc-audience b --oidc-jwks c":            "",
		"--tls-cert a --tls-key a --tls-client-ca a":                 "",
		"--tls-cert a --tls-key a --tls-client-ca a --tls-clients a": "",
	} {
		c, _, err := load(t, nil, strings.Fields(args)...)
		if want == "" {
			if err != nil || c.Validate() != nil {
				t.Errorf("%s: %v", args, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
