package bearer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those that tokens may be signed with: asymmetric ones, so that a public key can never be taken
// for a shared secret.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// The bounds of a set of keys. An issuer has two or three.
const (
	keysMax    = 64
	rsaBitsMin = 2048
	rsaBitsMax = 8192
)

// key is a public key of the issuer.
type key struct {
	id     string
	public any
	// algorithms are those that it may have signed with.
	algorithms []jose.SignatureAlgorithm
}

// parseKeys reads a JWK Set (RFC 7517). Keys that cannot sign tokens are left out, as are those that are damaged
// and those whose private half is shown; refused tells of these. Errors: a text that is no set, has too many
// keys, or none to use.
func parseKeys(text []byte) (keys []key, refused []error, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, fmt.Errorf("is no set of keys: %w", err)
	}
	if len(set.Keys) > keysMax {
		return nil, nil, fmt.Errorf("has %d keys, at most %d are taken", len(set.Keys), keysMax)
	}
	for i, one := range set.Keys {
		k, err := parseKey(one)
		if err != nil {
			refused = append(refused, fmt.Errorf("keys[%d]: %w", i, err))
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, refused, fmt.Errorf("has no key that tokens can be verified with")
	}
	return keys, refused, nil
}

func parseKey(text []byte) (key, error) {
	var head struct {
		Operations []string `json:"key_ops"`
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(text, &head); err != nil {
		return key{}, err
	}
	if err := jwk.UnmarshalJSON(text); err != nil {
		return key{}, err
	}
	if jwk.Use != "" && jwk.Use != "sig" || head.Operations != nil && !slices.Contains(head.Operations, "verify") {
		return key{}, fmt.Errorf("is not for verifying signatures")
	}
	k := key{id: jwk.KeyID, public: jwk.Key}
	switch public := jwk.Key.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < rsaBitsMin || bits > rsaBitsMax {
			return key{}, fmt.Errorf("has %d bits, %d to %d are taken", bits, rsaBitsMin, rsaBitsMax)
		}
		k.algorithms = algorithms[:6]
	case *ecdsa.PublicKey:
		switch public.Curve.Params().BitSize {
		case 256:
			k.algorithms = []jose.SignatureAlgorithm{jose.ES256}
		case 384:
			k.algorithms = []jose.SignatureAlgorithm{jose.ES384}
		case 521:
			k.algorithms = []jose.SignatureAlgorithm{jose.ES512}
		}
	case ed25519.PublicKey:
		k.algorithms = []jose.SignatureAlgorithm{jose.EdDSA}
	}
	if jwk.Algorithm != "" {
		only := jose.SignatureAlgorithm(jwk.Algorithm)
		if !slices.Contains(k.algorithms, only) {
			return key{}, fmt.Errorf("is of a kind that %q does not sign with", jwk.Algorithm)
		}
		k.algorithms = []jose.SignatureAlgorithm{only}
	}
	if len(k.algorithms) == 0 {
		return key{}, fmt.Errorf("is no public key of a kind that is taken")
	}
	return k, nil
}

// find returns the key that a token names and is signed with; of a token that names none, the only one that it
// could be. It returns nil when there is none.
func find(keys []key, id string, algorithm jose.SignatureAlgorithm) any {
	var found any
	for i := range keys {
		k := &keys[i]
		if id != "" && k.id != id || !slices.Contains(k.algorithms, algorithm) {
			continue
		}
		if found != nil {
			return nil
		}
		found = k.public
	}
	return found
}
