package bearer

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// BenchmarkVerify measures a token that is known, and one that is not.
func BenchmarkVerify(b *testing.B) {
	v, err := New(Config{Issuer: "https://issuer.example", Audience: audience, Now: newClock().now})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	v.keys.current.Store(&set{keys: []key{
		{id: "rsa", public: testKeys()["rsa"].Public(), algorithms: algorithms[:6]},
		{id: "p256", public: testKeys()["p256"].Public(), algorithms: []jose.SignatureAlgorithm{jose.ES256}},
	}})
	v.keys.at.Store(noon.UnixNano())
	for algorithm, key := range map[jose.SignatureAlgorithm]string{jose.RS256: "rsa", jose.ES256: "p256"} {
		token := sign(b, algorithm, key, nil, exampleIssuer().good(nil))
		for _, known := range []bool{true, false} {
			name := string(algorithm) + map[bool]string{true: "/known", false: "/new"}[known]
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !known {
						v.good.Purge()
					}
					if found, err := v.Verify(b.Context(), token); err != nil || found.Name != "alice" {
						b.Fatal(found, err)
					}
				}
			})
		}
	}
}
