package bearer

import (
	"context"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzVerify holds that no text but one that the issuer has signed is taken as somebody's, whatever it is.
func FuzzVerify(f *testing.F) {
	keys := []key{{id: "p256", public: testKeys()["p256"].Public(), algorithms: []jose.SignatureAlgorithm{jose.ES256}}}
	v, err := New(Config{Issuer: "https://issuer.example", Audience: audience, Now: newClock().now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(v.Close)
	v.keys.current.Store(&set{keys: keys})
	v.keys.at.Store(noon.UnixNano())
	v.keys.next = noon.Add(fetchInterval) // the issuer is not there
	i := exampleIssuer()
	claims := i.good(nil)
	good := sign(f, jose.ES256, "p256", nil, claims)
	if _, err := v.Verify(context.Background(), good); err != nil {
		f.Fatal(err)
	}
	parts := strings.Split(good, ".")
	f.Add(good)
	f.Add(part(object{"alg": "none"}) + "." + parts[1] + ".")
	f.Add(part(object{"alg": "HS256", "kid": "p256"}) + "." + parts[1] + "." + parts[2])
	f.Add(parts[0] + ".." + parts[2])
	f.Add("..")
	f.Add(`{"payload":"","signatures":[]}`)
	f.Fuzz(func(t *testing.T, token string) {
		found, err := v.Verify(context.Background(), token)
		if err == nil && (token != good && !strings.HasPrefix(token, parts[0]+"."+parts[1]+".") || found.Name != "alice") {
			t.Errorf("%q is taken as %+v", token, found)
		}
	})
}
