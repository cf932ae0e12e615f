package bearer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const audience = "gec"

// noon is the instant of most tests.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// testKeys are made once: those of RSA take a while.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	must := func(s crypto.Signer, err error) crypto.Signer {
		if err != nil {
			panic(err)
		}
		return s
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	keys := map[string]crypto.Signer{"ed": must(ed, err)}
	for name, bits := range map[string]int{"rsa": 2048, "rsa-other": 2048, "rsa-short": 1024} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		keys[name] = must(key, err)
	}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		keys[name] = must(key, err)
	}
	return keys
})

// public is a key as an issuer shows it, with its name in testKeys as its id.
func public(name string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: testKeys()[name].Public(), KeyID: name, Use: "sig"}
}

// testIssuer is an issuer on loopback.
type testIssuer struct {
	*httptest.Server
	// keys and metadata are what it shows, any value of JSON; handle, where not nil, answers in its place.
	keys, metadata atomic.Pointer[any]
	handle         atomic.Pointer[http.HandlerFunc]
	asked          atomic.Int64
}

func newTestIssuer(t *testing.T, names ...string) *testIssuer {
	t.Helper()
	i := &testIssuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := i.handle.Load(); h != nil {
			(*h)(w, r)
			return
		}
		shown := &i.keys
		if r.URL.Path == "/.well-known/openid-configuration" {
			shown = &i.metadata
		} else {
			i.asked.Add(1)
		}
		if err := json.NewEncoder(w).Encode(*shown.Load()); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(i.Close)
	i.has(names...)
	i.says(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	return i
}

// exampleIssuer is one that nobody can ask.
func exampleIssuer() *testIssuer {
	return &testIssuer{Server: &httptest.Server{URL: "https://issuer.example"}}
}

// has changes the issuer's keys.
func (i *testIssuer) has(names ...string) {
	set := jose.JSONWebKeySet{}
	for _, name := range names {
		set.Keys = append(set.Keys, public(name))
	}
	i.shows(set)
}

func (i *testIssuer) shows(keys any)    { i.keys.Store(&keys) }
func (i *testIssuer) says(metadata any) { i.metadata.Store(&metadata) }

// answers lets a function answer in the issuer's place; nil ends that.
func (i *testIssuer) answers(h http.HandlerFunc) {
	if h == nil {
		i.handle.Store(nil)
		return
	}
	i.handle.Store(&h)
}

// clock is a clock that stands still until it is moved.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(noon.UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// newVerifier returns the Verifier of an issuer, by discovery unless the Config says otherwise.
func newVerifier(t *testing.T, i *testIssuer, c Config) *Verifier {
	t.Helper()
	c.Issuer, c.Audience = i.URL, audience
	if c.Now == nil {
		c.Now = newClock().now
	}
	v, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

type object = map[string]any

// good returns claims that are taken, changed as with says; nil takes a claim away.
func (i *testIssuer) good(with object) object {
	claims := object{
		"iss": i.URL, "aud": audience, "sub": "alice", "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(),
		"gec_roles": []string{"quotes", "psp:ABC"},
	}
	for name, value := range with {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// sign makes a token with a key of testKeys, the header changed as with says.
func sign(t testing.TB, algorithm jose.SignatureAlgorithm, name string, with object, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", name)
	for header, value := range with {
		if value == nil {
			delete(options.ExtraHeaders, jose.HeaderKey(header))
			continue
		}
		options.WithHeader(jose.HeaderKey(header), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: testKeys()[name]}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, isText := claims.(string)
	if !isText {
		encoded, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		text = string(encoded)
	}
	signed, err := signer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// part encodes a part of a token that is made by hand.
func part(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
