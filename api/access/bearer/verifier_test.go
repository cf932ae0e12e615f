package bearer

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"gec/api/access/identity"
)

// TestGoodTokens holds that every algorithm of the list and every form of the claims is taken.
func TestGoodTokens(t *testing.T) {
	i := newTestIssuer(t, "rsa", "p256", "p384", "p521", "ed")
	v := newVerifier(t, i, Config{})
	want := identity.Identity{Subject: "alice", Name: "alice", Roles: []string{"quotes", "psp:ABC"}, Expires: noon.Add(time.Hour + Leeway)}
	for algorithm, key := range map[jose.SignatureAlgorithm]string{
		jose.RS256: "rsa", jose.RS384: "rsa", jose.RS512: "rsa", jose.PS256: "rsa", jose.PS384: "rsa", jose.PS512: "rsa",
		jose.ES256: "p256", jose.ES384: "p384", jose.ES512: "p521", jose.EdDSA: "ed",
	} {
		for _, time := range []string{"first", "again"} {
			got, err := v.Verify(t.Context(), sign(t, algorithm, key, nil, i.good(nil)))
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s, %s: %v\n%s", algorithm, time, err, diff)
			}
		}
	}
	for name, token := range map[string]string{
		"several audiences":  sign(t, jose.ES256, "p256", nil, i.good(object{"aud": []string{"other", audience}})),
		"type of RFC 9068":   sign(t, jose.ES256, "p256", object{"typ": "at+JWT"}, i.good(nil)),
		"no type":            sign(t, jose.ES256, "p256", object{"typ": nil}, i.good(nil)),
		"no roles":           sign(t, jose.ES256, "p256", nil, i.good(object{"gec_roles": nil})),
		"no key named":       sign(t, jose.ES256, "p256", object{"kid": nil}, i.good(nil)),
		"expired 59 s ago":   sign(t, jose.ES256, "p256", nil, i.good(object{"exp": noon.Add(-59 * time.Second).Unix()})),
		"valid in 60 s":      sign(t, jose.ES256, "p256", nil, i.good(object{"nbf": noon.Add(60 * time.Second).Unix()})),
		"issued in 60 s":     sign(t, jose.ES256, "p256", nil, i.good(object{"iat": noon.Add(60 * time.Second).Unix()})),
		"other claims, UTF8": sign(t, jose.ES256, "p256", nil, i.good(object{"ruolo": "è", "nonce": 1.5, "x": object{"y": []any{nil}}})),
	} {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if status := v.Status(); status.Fetches != 1 || status.Keys != 5 || status.FetchesFailed != 0 {
		t.Errorf("%+v", status)
	}
}

// TestRefusals is goal 28 of the reliability goals, and more: each attack is made here, and refused for its reason.
func TestRefusals(t *testing.T) {
	i := newTestIssuer(t, "rsa", "p256", "p384")
	v := newVerifier(t, i, Config{})
	good := sign(t, jose.RS256, "rsa", nil, i.good(nil))
	parts := strings.Split(good, ".")
	der, err := x509.MarshalPKIXPublicKey(testKeys()["rsa"].Public())
	if err != nil {
		t.Fatal(err)
	}
	// hs signs with a text that everybody knows, the public key, as if it were a shared secret.
	hs := func(secret []byte) string {
		signed := part(object{"alg": "HS256", "typ": "JWT", "kid": "rsa"}) + "." + part(i.good(nil))
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	claim := func(name string, value any) string {
		return sign(t, jose.ES256, "p256", nil, i.good(object{name: value}))
	}
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	unknown := jose.JSONWebKey{Key: testKeys()["rsa-other"].Public(), KeyID: "rsa-other"}
	for _, test := range []struct {
		name, token string
		want        Refusal
	}{
		{"alg none", part(object{"alg": "none"}) + "." + parts[1] + ".", WrongAlgorithm},
		{"alg None", part(object{"alg": "None", "kid": "rsa"}) + "." + parts[1] + ".", WrongAlgorithm},
		{"alg none with the signature left", part(object{"alg": "none"}) + "." + parts[1] + "." + parts[2], WrongAlgorithm},
		{"alg missing", part(object{"kid": "rsa"}) + "." + parts[1] + "." + parts[2], WrongAlgorithm},
		{"alg of one's own", part(object{"alg": "RS1"}) + "." + parts[1] + "." + parts[2], WrongAlgorithm},
		{"HS256 with the public key in PEM", hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), WrongAlgorithm},
		{"HS256 with the public key in DER", hs(der), WrongAlgorithm},
		{"HS256 without a secret", hs(nil), WrongAlgorithm},
		{"alg of another key", part(object{"alg": "ES256", "kid": "rsa"}) + "." + parts[1] + "." + parts[2], UnknownKey},
		{"ES256 with a key for ES384", part(object{"alg": "ES256", "kid": "p384"}) + "." + parts[1] + "." + strings.Repeat("A", 86), UnknownKey},
		{"alg changed after signing", part(object{"alg": "RS512", "kid": "rsa"}) + "." + parts[1] + "." + parts[2], WrongSignature},
		{"kid changed after signing", part(object{"alg": "RS256", "typ": "JWT", "kid": "rsa", "x": 1}) + "." + parts[1] + "." + parts[2], WrongSignature},
		{"claims changed after signing", parts[0] + "." + part(i.good(object{"sub": "root"})) + "." + parts[2], WrongSignature},
		{"signature missing", parts[0] + "." + parts[1] + ".", WrongSignature},
		{"signature of zeros", part(object{"alg": "ES256", "kid": "p256"}) + "." + parts[1] + "." + strings.Repeat("A", 86), WrongSignature},
		{"signature cut", good[:len(good)-8], WrongSignature},
		{"another's key under a known name", sign(t, jose.RS256, "rsa-other", object{"kid": "rsa"}, i.good(nil)), WrongSignature},
		{"unknown kid", sign(t, jose.RS256, "rsa-other", nil, i.good(nil)), UnknownKey},
		{"kid that is a path", sign(t, jose.RS256, "rsa-other", object{"kid": "../../dev/null"}, i.good(nil)), UnknownKey},
		{"own key in the header", sign(t, jose.RS256, "rsa-other", object{"jwk": unknown}, i.good(nil)), UnknownKey},
		{"own key in the header under a known name", sign(t, jose.RS256, "rsa-other", object{"kid": "rsa", "jwk": unknown}, i.good(nil)), WrongSignature},
		{"own address of keys", sign(t, jose.RS256, "rsa-other", object{"kid": "rsa", "jku": i.URL + "/mine", "x5u": i.URL + "/mine"}, i.good(nil)), WrongSignature},
		{"critical header", sign(t, jose.RS256, "rsa", object{"crit": []string{"x"}, "x": 1}, i.good(nil)), Malformed},
		{"payload that is not encoded", sign(t, jose.RS256, "rsa", object{"crit": []string{"b64"}, "b64": true}, i.good(nil)), Malformed},
		{"type of a logout", sign(t, jose.RS256, "rsa", object{"typ": "logout+jwt"}, i.good(nil)), WrongType},
		{"type that is no text", sign(t, jose.RS256, "rsa", object{"typ": 1}, i.good(nil)), WrongType},

		{"aud missing", claim("aud", nil), WrongAudience},
		{"aud of another", claim("aud", "other"), WrongAudience},
		{"aud of others", claim("aud", []string{"gecko", "GEC", ""}), WrongAudience},
		{"aud empty", claim("aud", []string{}), WrongAudience},
		{"aud that is no text", claim("aud", 7), Malformed},
		{"iss missing", claim("iss", nil), WrongIssuer},
		{"iss of another", claim("iss", "https://evil.example"), WrongIssuer},
		{"iss with a slash more", claim("iss", i.URL+"/"), WrongIssuer},
		{"exp missing", claim("exp", nil), NoExpiry},
		{"exp null", claim("exp", jose.JSONWebKeySet{}.Keys), NoExpiry},
		{"expired 60 s ago", claim("exp", at(-60*time.Second)), Expired},
		{"expired 61 s ago", claim("exp", at(-61*time.Second)), Expired},
		{"exp in year 10000", claim("exp", 253402300800), Malformed},
		{"exp without bounds", claim("exp", 1e300), Malformed},
		{"exp that is a text", claim("exp", "2030-01-01"), Malformed},
		{"exp negative", claim("exp", -1), Malformed},
		{"nbf in 61 s", claim("nbf", at(61*time.Second)), NotYetValid},
		{"iat in 61 s", claim("iat", at(61*time.Second)), NotYetValid},
		{"sub missing", claim("sub", nil), WrongName},
		{"sub empty", claim("sub", ""), WrongName},
		{"sub with a line break", claim("sub", "a\nb"), WrongName},
		{"sub that turns the writing around", claim("sub", "a\u202eb"), WrongName},
		{"sub with spaces around", claim("sub", " alice"), WrongName},
		{"sub too long", claim("sub", strings.Repeat("a", 257)), WrongName},
		{"roles in one text", claim("gec_roles", "operator"), WrongRoles},
		{"roles with a number", claim("gec_roles", []any{"quotes", 1}), WrongRoles},
		{"roles as an object", claim("gec_roles", object{"operator": true}), WrongRoles},
		{"role too long", claim("gec_roles", []string{strings.Repeat("a", 129)}), WrongRoles},
		{"too many roles", claim("gec_roles", make([]string, 257)), WrongRoles},
		{"the same claim twice", sign(t, jose.ES256, "p256", nil, `{"sub":"a","sub":"b"}`), Malformed},
		{"claims that are a list", sign(t, jose.ES256, "p256", nil, `[]`), Malformed},
		{"claims that are no JSON", sign(t, jose.ES256, "p256", nil, `sub=a`), Malformed},

		{"empty", "", Malformed},
		{"an access key", "gec_0123456789abcdef", Malformed},
		{"two parts", parts[0] + "." + parts[1], Malformed},
		{"four parts", good + ".x", Malformed},
		{"five parts, encrypted", good + ".x.y", Malformed},
		{"JSON form", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, Malformed},
		{"spaces around", " " + good, Malformed},
		{"too long", good + strings.Repeat("A", tokenBytesMax), Malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := v.Verify(t.Context(), test.token)
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if diff := cmp.Diff(identity.Identity{}, got); diff != "" {
				t.Errorf("refused, and still somebody:\n%s", diff)
			}
		})
	}
	if fetches := v.Status().Fetches; fetches != 1 {
		t.Errorf("unknown keys made %d fetches in no time", fetches)
	}
}

// TestClaims holds that name and roles are read from where the settings say.
func TestClaims(t *testing.T) {
	i := newTestIssuer(t, "p256")
	claims := i.good(object{
		"preferred_username": "Alice", "roles": []string{"auditor"},
		"realm_access": object{"roles": []string{"operator"}, "a/b~c": []any{[]string{"quotes"}}},
	})
	token := sign(t, jose.ES256, "p256", nil, claims)
	for claim, want := range map[string][]string{
		"roles": {"auditor"}, "/realm_access/roles": {"operator"}, "/realm_access/a~1b~0c/0": {"quotes"}, "gec_roles": {"quotes", "psp:ABC"},
		"missing": nil, "/realm_access/roles/operator": nil, "/realm_access/a~1b~0c/1": nil, "/sub/x": nil,
	} {
		v := newVerifier(t, i, Config{RolesClaim: claim, NameClaim: "preferred_username"})
		got, err := v.Verify(t.Context(), token)
		if diff := cmp.Diff(want, got.Roles); err != nil || diff != "" || got.Name != "Alice" || got.Subject != "alice" {
			t.Errorf("%s: %+v, %v\n%s", claim, got, err, diff)
		}
	}
	v := newVerifier(t, i, Config{NameClaim: "nickname"})
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, WrongName) {
		t.Error(err)
	}
}

// TestKnownTokens holds that a token that was verified is known by its digest until it expires, at no cost.
func TestKnownTokens(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	c := newClock()
	v := newVerifier(t, i, Config{Now: c.now})
	token := sign(t, jose.RS256, "rsa", nil, i.good(object{"exp": noon.Add(time.Minute).Unix()}))
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if allocations := testing.AllocsPerRun(100, func() {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
	}); allocations != 0 {
		t.Errorf("a known token takes %v allocations", allocations)
	}
	c.pass(2*time.Minute - 1)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	c.pass(1)
	for range 2 { // as a known one, and then as a new one
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, Expired) {
			t.Error(err)
		}
	}
}

func TestConfigIsNeeded(t *testing.T) {
	good := Config{Issuer: "https://issuer.example", Audience: audience}
	if v, err := New(good); err != nil {
		t.Error(err)
	} else {
		v.Close()
	}
	for name, change := range map[string]func(*Config){
		"no issuer":                    func(c *Config) { c.Issuer = "" },
		"no audience":                  func(c *Config) { c.Audience = "" },
		"neither":                      func(c *Config) { *c = Config{} },
		"issuer over plain HTTP":       func(c *Config) { c.Issuer = "http://issuer.example" },
		"issuer that looks like local": func(c *Config) { c.Issuer = "http://localhost.example" },
		"issuer with a query":          func(c *Config) { c.Issuer += "?a=b" },
		"issuer with a fragment":       func(c *Config) { c.Issuer += "#a" },
		"issuer with a password":       func(c *Config) { c.Issuer = "https://a:b@issuer.example" },
		"issuer that is no URL":        func(c *Config) { c.Issuer = "issuer.example" },
		"keys over plain HTTP":         func(c *Config) { c.JWKS = "http://issuer.example/keys" },
		"keys in a file":               func(c *Config) { c.JWKS = "file:///etc/keys" },
		"a pointer to the name":        func(c *Config) { c.NameClaim = "/sub" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
