package bearer

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"gec/api/access/identity"
)

const (
	// tokenBytesMax is the length of a token; headers of calls have twice that.
	tokenBytesMax = 8 << 10
	// tokenBytesUsual is the length up to which a token that is known takes no memory.
	tokenBytesUsual = 2 << 10
	// cacheSize is the number of tokens that are known to be good, about 500 bytes each.
	cacheSize = 4096
)

// Verifier verifies the tokens of one issuer. It is safe for concurrent use.
type Verifier struct {
	config Config
	keys   *keySet
	// good has tokens that were verified, by their SHA-256: nobody gets another's identity by a collision.
	good *lru.Cache[[sha256.Size]byte, verified]
}

// verified is who a token is of, found with the keys of set: when the issuer changes its keys it is found anew.
type verified struct {
	identity identity.Identity
	set      *set
}

// New returns a Verifier that has not asked the issuer anything yet: it does when the first token comes. The
// issuer need not be reachable. Errors: those of [Config.Validate].
func New(c Config) (*Verifier, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	good, err := lru.New[[sha256.Size]byte, verified](cacheSize)
	if err != nil {
		return nil, err
	}
	c = c.withDefaults()
	return &Verifier{config: c, keys: newKeySet(c), good: good}, nil
}

// Close ends what goes on in the background. Tokens that come later are verified with the keys that are known.
func (v *Verifier) Close() { v.keys.close() }

// Verify returns who a token is of; its Expires is that of the token and the [Leeway]. It waits for the issuer
// only when the token is signed with a key that is not known. A token that was verified before takes no memory.
// Errors: [Refusal], never with anything of the token.
func (v *Verifier) Verify(ctx context.Context, token string) (identity.Identity, error) {
	if len(token) > tokenBytesMax {
		return identity.Identity{}, Malformed
	}
	now := v.config.Now()
	var text [tokenBytesUsual]byte
	digest := sha256.Sum256(append(text[:0], token...))
	if known, ok := v.good.Get(digest); ok && known.set == v.keys.usable(now) {
		if !now.Before(known.identity.Expires) {
			v.good.Remove(digest)
			return identity.Identity{}, Expired
		}
		return known.identity, nil
	}
	found, set, err := v.check(ctx, token, now)
	if err != nil {
		return identity.Identity{}, err
	}
	v.good.Add(digest, verified{found, set})
	return found, nil
}

// Status is how a Verifier stands to its issuer.
type Status struct {
	// Keys is the number of keys that are known, Age the time since the issuer last said so; 0 before the first.
	Keys int
	Age  time.Duration
	// Fetches were begun, FetchesFailed of them did not give keys.
	Fetches, FetchesFailed int64
}

// Status returns how things stand now.
func (v *Verifier) Status() Status {
	s := Status{Fetches: v.keys.fetches.Load(), FetchesFailed: v.keys.failed.Load()}
	if current := v.keys.current.Load(); current != nil {
		s.Keys, s.Age = len(current.keys), v.config.Now().Sub(time.Unix(0, v.keys.at.Load()))
	}
	return s
}
