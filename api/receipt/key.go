package receipt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"gec/bundles"
)

// KeyID names a public key: the first 8 bytes of its SHA-256.
type KeyID [8]byte

// KeyIDOf returns the id of a public key.
func KeyIDOf(public ed25519.PublicKey) (id KeyID) {
	sum := sha256.Sum256(public)
	copy(id[:], sum[:])
	return id
}

// String returns the id as 16 hexadecimal digits.
func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// ParseKeyID reads what String writes.
func ParseKeyID(text string) (id KeyID, err error) {
	if n, err := hex.Decode(id[:], []byte(text)); err != nil || n != len(id) || len(text) != 2*len(id) || id.String() != text {
		return id, fmt.Errorf("%q is no id of a key: it has 16 hexadecimal digits in small letters", text)
	}
	return id, nil
}

// Key is a public key of receipts as the catalogue keeps it. Keys are never removed: receipts that were signed
// while a key was in use are verified with it for ever.
type Key struct {
	ID     KeyID
	Public ed25519.PublicKey
	// Made is when the key came into use, Ended when it went out of use, zero while it has not; in whole
	// seconds of UTC.
	Made, Ended time.Time
}

// jwk is a key as a JSON Web Key (RFC 8037) with our two instants, which is also how it is stored.
type jwk struct {
	Type      string     `json:"kty"`
	Curve     string     `json:"crv"`
	Use       string     `json:"use"`
	Algorithm string     `json:"alg"`
	ID        string     `json:"kid"`
	X         string     `json:"x"`
	Made      time.Time  `json:"made"`
	Ended     *time.Time `json:"ended"`
}

// MarshalJSON writes the key as a JSON Web Key with the members made and ended.
func (k Key) MarshalJSON() ([]byte, error) {
	out := jwk{
		Type: "OKP", Curve: "Ed25519", Use: "sig", Algorithm: "EdDSA", ID: k.ID.String(),
		X: base64.RawURLEncoding.EncodeToString(k.Public), Made: k.Made.UTC(),
	}
	if !k.Ended.IsZero() {
		ended := k.Ended.UTC()
		out.Ended = &ended
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes. Members that it does not know are ignored, as they are in every
// JSON Web Key. Errors: a key of another kind, an id that is not the key's.
func (k *Key) UnmarshalJSON(text []byte) error {
	var in jwk
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	public, err := encoding.DecodeString(in.X)
	if err != nil || in.Type != "OKP" || in.Curve != "Ed25519" || len(public) != ed25519.PublicKeySize {
		return errors.New("is no Ed25519 key")
	}
	*k = Key{ID: KeyIDOf(public), Public: public, Made: in.Made.UTC()}
	if in.Ended != nil {
		k.Ended = in.Ended.UTC()
	}
	if in.ID != k.ID.String() {
		return fmt.Errorf("has the id %.20q, which is that of another key", in.ID)
	}
	return nil
}

// DecodeKey reads the row of a key. Errors: bundles.ErrCorrupt.
func DecodeKey(row bundles.Row) (k Key, err error) {
	d := json.NewDecoder(bytes.NewReader(row.Document))
	if err := d.Decode(&k); err != nil {
		return k, fmt.Errorf("%w: receipt key %s: %w", bundles.ErrCorrupt, bundles.Excerpt(row.ID), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || k.ID.String() != row.ID {
		return k, fmt.Errorf("%w: receipt key %s", bundles.ErrCorrupt, bundles.Excerpt(row.ID))
	}
	return k, nil
}

// row is the key as the catalogue keeps it.
func (k Key) row() (bundles.Row, error) {
	document, err := json.Marshal(k)
	return bundles.Row{Kind: bundles.KindReceiptKey, ID: k.ID.String(), Document: document}, err
}

// KeySet is what verifies receipts, and what GET /gec/v1/receipt-keys answers: the keys in order of when they
// were made, a JSON Web Key Set.
type KeySet struct {
	// ValiditySeconds is how long after it was issued a receipt is redeemed.
	ValiditySeconds int64 `json:"validitySeconds"`
	Keys            []Key `json:"keys"`
}

// endedGrace is how long after the end of its key a receipt may say that it was issued: one that was being made
// at that moment.
const endedGrace = time.Minute

// Verify holds a receipt to the keys and returns its key. It looks neither at the request nor at the age.
// Errors: *Refusal.
func (s KeySet) Verify(r *Receipt) (Key, error) {
	for _, k := range s.Keys {
		if k.ID == r.Key {
			return k, k.verify(r)
		}
	}
	return Key{}, unknownKey(r)
}

func unknownKey(r *Receipt) error {
	return refuse(ReasonUnknownKey, "is signed with the key %s, which is none of this catalogue's", r.Key)
}

func (k Key) verify(r *Receipt) error {
	switch {
	case !r.Verify(k.Public):
		return refuse(ReasonWrongSignature, "does not have the signature of its key %s: it was changed, or never given", k.ID)
	case !k.Ended.IsZero() && r.Issued.After(k.Ended.Add(endedGrace)):
		return refuse(ReasonEndedKey, "says that it was issued at %s, but its key %s ended at %s", instant(r.Issued), k.ID, instant(k.Ended))
	}
	return nil
}

// Expires returns the instant until which a receipt is redeemed.
func (s KeySet) Expires(r *Receipt) time.Time {
	return r.Issued.Add(time.Duration(s.ValiditySeconds) * time.Second)
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
