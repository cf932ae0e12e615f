package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// A secret is what the holder of a key shows: "gec_", 256 random bits and a checksum, both in the alphabet of
// base64url. The prefix lets scanners of published files know what they found, the checksum tells a
// mistyped or cut secret from one that is not known. All of it fits into one block of SHA-256.
const (
	secretPrefix   = "gec_"
	secretBits     = 256
	secretChecksum = 6
)

var secretEncoding = base64.RawURLEncoding

// secretBytes is the length of every secret.
var secretBytes = len(secretPrefix) + secretEncoding.EncodedLen(secretBits/8) + secretChecksum

// Digest is the SHA-256 digest of a secret, in JSON and text as hexadecimal digits. It is what is stored:
// from 256 random bits nobody computes back, so no salt and no slow function is needed.
type Digest [sha256.Size]byte

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("a digest has %d digits", 2*len(d))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// newSecret makes a secret from the system's source of randomness, which does not fail.
func newSecret() string {
	var random [secretBits / 8]byte
	_, _ = rand.Read(random[:]) // never fails: the process ends if the system has none
	body := secretPrefix + secretEncoding.EncodeToString(random[:])
	return body + checksum(body)
}

// checksum returns the last characters of a secret that opens with body.
func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return secretEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// digestOf returns the digest of what may be a secret; ok is false for what by its length is none. It
// allocates nothing.
func digestOf(secret string) (digest Digest, ok bool) {
	var block [64]byte
	if len(secret) != secretBytes || len(secret) > len(block) {
		return digest, false
	}
	return sha256.Sum256(block[:copy(block[:], secret)]), true
}

// CheckSecret says what is wrong with the form of a secret, for its holder: whether any key has it is not
// known here. The error does not repeat it.
func CheckSecret(secret string) error {
	switch {
	case !strings.HasPrefix(secret, secretPrefix):
		return errors.New("an access key begins with " + secretPrefix)
	case len(secret) != secretBytes:
		return fmt.Errorf("an access key has %d characters, this has %d", secretBytes, len(secret))
	case checksum(secret[:secretBytes-secretChecksum]) != secret[secretBytes-secretChecksum:]:
		return errors.New("the access key is mistyped: its checksum does not fit")
	}
	return nil
}
