package bearer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TestRotation holds that a new key is found by one fetch, at most one in an interval, and that what the issuer
// withdrew is refused once its keys are fetched again, known tokens with it.
func TestRotation(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	c := newClock()
	v := newVerifier(t, i, Config{Now: c.now})
	old := sign(t, jose.RS256, "rsa", nil, i.good(nil))
	renewed := sign(t, jose.ES256, "p256", nil, i.good(nil))
	verify := func(when, token string, want error, fetches int64) {
		t.Helper()
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
		if got := i.asked.Load(); got != fetches {
			t.Errorf("%s: %d fetches, want %d", when, got, fetches)
		}
	}
	verify("before", old, nil, 1)
	i.has("rsa", "p256")
	verify("too early to ask again", renewed, UnknownKey, 1)
	c.pass(fetchInterval)
	verify("after the interval", renewed, nil, 2)
	verify("both are good", old, nil, 2)
	i.has("p256")
	verify("nobody has asked", old, nil, 2)
	c.pass(keysFresh + 1)
	// Old keys are still used, and new ones fetched meanwhile.
	if _, err := v.Verify(t.Context(), renewed); err != nil {
		t.Error(err)
	}
	v.keys.running.Wait()
	verify("withdrawn", old, UnknownKey, 3)
	verify("the other one", renewed, nil, 3)
}

// TestIssuerIsDown holds that without keys all is refused, and that with keys nothing changes.
func TestIssuerIsDown(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	c := newClock()
	v := newVerifier(t, i, Config{Now: c.now})
	token := sign(t, jose.RS256, "rsa", nil, i.good(object{"exp": noon.Add(24 * time.Hour).Unix()}))
	broken := map[string]http.HandlerFunc{
		"500":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"cut":          func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no JSON":      func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"no keys":      func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"keys":[]}`) },
		"without end":  func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, endless{}) },
		"sent away":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, i.URL+"/else", http.StatusFound) },
		"not modified": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	}
	for name, answer := range broken {
		c.pass(fetchInterval)
		i.answers(answer)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, Unavailable) {
			t.Errorf("%s, no key known: %v", name, err)
		}
	}
	if s := v.Status(); s.FetchesFailed != int64(len(broken)) || s.Keys != 0 {
		t.Errorf("%+v", s)
	}
	i.answers(nil)
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, Unavailable) {
		t.Errorf("asked again at once: %v", err)
	}
	c.pass(fetchInterval)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	unknown := sign(t, jose.ES256, "p256", nil, i.good(nil))
	another := sign(t, jose.RS256, "rsa", nil, i.good(object{"sub": "bob"}))
	for name, answer := range broken {
		c.pass(keysFresh + 1)
		i.answers(answer)
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s, key known: %v", name, err)
		}
		if _, err := v.Verify(t.Context(), unknown); !errors.Is(err, UnknownKey) {
			t.Errorf("%s, unknown key: %v", name, err)
		}
		v.keys.running.Wait()
	}
	if _, err := v.Verify(t.Context(), another); !errors.Is(err, Expired) { // hours have passed
		t.Error(err)
	}
	if s := v.Status(); s.Age < keysFresh || s.Keys != 1 {
		t.Errorf("%+v", s)
	}
}

// endless is a body without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestOneFetchForAll holds that calls that need a key share one fetch, that those whose callers go do not wait for
// it, and that calls with a known key never do.
func TestOneFetchForAll(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	c := newClock()
	v := newVerifier(t, i, Config{Now: c.now, JWKS: i.URL + "/keys"})
	known := sign(t, jose.RS256, "rsa", nil, i.good(nil))
	unknown := sign(t, jose.ES256, "p256", nil, i.good(nil))
	if _, err := v.Verify(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	c.pass(fetchInterval)
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var fetches atomic.Int64
	i.answers(func(w http.ResponseWriter, _ *http.Request) {
		fetches.Add(1)
		once.Do(func() { close(asked) })
		<-answer
		io.WriteString(w, `{"keys":[]}`)
	})
	var calls sync.WaitGroup
	for range 100 {
		calls.Go(func() {
			if _, err := v.Verify(t.Context(), unknown); !errors.Is(err, UnknownKey) {
				t.Error(err)
			}
		})
	}
	<-asked
	for n := range 20 {
		if _, err := v.Verify(t.Context(), known); err != nil {
			t.Error(err)
		}
		other := sign(t, jose.RS256, "rsa", nil, i.good(object{"jti": strconv.Itoa(n)}))
		if _, err := v.Verify(t.Context(), other); err != nil {
			t.Error(err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(gone, unknown); !errors.Is(err, context.Canceled) || !errors.Is(err, Unavailable) {
		t.Error(err)
	}
	v.keys.waiting.Add(waitersMax)
	if _, err := v.Verify(t.Context(), unknown); !errors.Is(err, Unavailable) {
		t.Errorf("more wait than may: %v", err)
	}
	v.keys.waiting.Add(-waitersMax)
	close(answer)
	calls.Wait()
	if got := fetches.Load(); got != 1 {
		t.Errorf("%d fetches for 100 calls", got)
	}
}

// TestClose holds that a fetch that hangs is ended.
func TestClose(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	v := newVerifier(t, i, Config{})
	asked := make(chan struct{})
	i.answers(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	verified := make(chan error)
	token := sign(t, jose.RS256, "rsa", nil, i.good(nil))
	go func() {
		_, err := v.Verify(context.Background(), token)
		verified <- err
	}()
	<-asked
	v.Close()
	if err := <-verified; !errors.Is(err, Unavailable) {
		t.Error(err)
	}
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, Unavailable) {
		t.Error(err)
	}
}

// TestDiscovery holds that the issuer's metadata is its own, and sends nobody to where no token may.
func TestDiscovery(t *testing.T) {
	i := newTestIssuer(t, "rsa")
	token := sign(t, jose.RS256, "rsa", nil, i.good(nil))
	for name, metadata := range map[string]any{
		"of another issuer":    object{"issuer": "https://evil.example", "jwks_uri": i.URL + "/keys"},
		"of an almost same":    object{"issuer": i.URL + "/", "jwks_uri": i.URL + "/keys"},
		"without an issuer":    object{"jwks_uri": i.URL + "/keys"},
		"without keys":         object{"issuer": i.URL},
		"keys over plain HTTP": object{"issuer": i.URL, "jwks_uri": "http://keys.example/"},
		"keys in a file":       object{"issuer": i.URL, "jwks_uri": "file:///etc/passwd"},
		"no object":            []any{},
	} {
		i.says(metadata)
		if _, err := newVerifier(t, i, Config{}).Verify(t.Context(), token); !errors.Is(err, Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := newVerifier(t, i, Config{JWKS: i.URL + "/keys"}).Verify(t.Context(), token); err != nil {
			t.Errorf("%s, address configured: %v", name, err)
		}
	}
	far := newIssuer(Config{Issuer: "https://issuer.example"})
	far.client.Transport = answers(`{"issuer": "https://issuer.example", "jwks_uri": "` + i.URL + `/keys"}`)
	if _, err := far.discover(t.Context()); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("an issuer elsewhere names a service on this machine: %v", err)
	}
}

// answers is a transport that answers with one text.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	io.WriteString(w, string(a))
	return w.Result(), nil
}

// TestKeysOfAnIssuer holds that only keys are used that are for verifying signatures, public and of some strength.
func TestKeysOfAnIssuer(t *testing.T) {
	good := public("p256")
	with := func(change func(*jose.JSONWebKey)) jose.JSONWebKey {
		k := good
		change(&k)
		return k
	}
	i := newTestIssuer(t)
	token := sign(t, jose.ES256, "p256", nil, i.good(nil))
	for name, test := range map[string]struct {
		key  any
		want error
	}{
		"good":               {good, nil},
		"use not said":       {with(func(k *jose.JSONWebKey) { k.Use = "" }), nil},
		"its algorithm":      {with(func(k *jose.JSONWebKey) { k.Algorithm = "ES256" }), nil},
		"another algorithm":  {with(func(k *jose.JSONWebKey) { k.Algorithm = "HS256" }), UnknownKey},
		"for encrypting":     {with(func(k *jose.JSONWebKey) { k.Use = "enc" }), UnknownKey},
		"under another name": {with(func(k *jose.JSONWebKey) { k.KeyID = "x" }), UnknownKey},
		"its private half":   {with(func(k *jose.JSONWebKey) { k.Key = testKeys()["p256"] }), UnknownKey},
		"a shared secret":    {object{"kty": "oct", "k": "AAAA", "kid": "p256", "alg": "HS256"}, UnknownKey},
		"off the curve":      {object{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "p256"}, UnknownKey},
		"of no known kind":   {object{"kty": "XX", "kid": "p256"}, UnknownKey},
		"no key":             {7, UnknownKey},
		"for signing only":   {object{"kty": "EC", "key_ops": []string{"sign"}}, UnknownKey},
	} {
		i.shows(object{"keys": []any{test.key, public("rsa")}}) // the other key is good in any case
		_, err := newVerifier(t, i, Config{}).Verify(t.Context(), token)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	i.shows(object{"keys": []any{public("rsa-short"), public("rsa")}})
	short := sign(t, jose.RS256, "rsa", object{"kid": "rsa-short"}, i.good(nil))
	if _, err := newVerifier(t, i, Config{}).Verify(t.Context(), short); !errors.Is(err, UnknownKey) {
		t.Errorf("RSA of 1024 bits: %v", err)
	}
	i.shows(object{"keys": []any{good, good}})
	if _, err := newVerifier(t, i, Config{}).Verify(t.Context(), token); !errors.Is(err, UnknownKey) {
		t.Errorf("two keys of one name: %v", err)
	}
	i.shows(object{"keys": make([]any, keysMax+1)})
	if _, err := newVerifier(t, i, Config{}).Verify(t.Context(), token); !errors.Is(err, Unavailable) {
		t.Errorf("too many keys: %v", err)
	}
}
