package receipt

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gec/engine"
)

// Contract is the contract that a request and its answer are of. The values are part of the format.
type Contract uint8

// The contracts. Native is gec.v1 over gRPC and in JSON, which are one.
const (
	V1     Contract = 1
	V2     Contract = 2
	Native Contract = 3
)

// String returns the contract as canonical requests and people write it.
func (c Contract) String() string {
	switch c {
	case V1:
		return "v1"
	case V2:
		return "v2"
	case Native:
		return "gec.v1"
	}
	return fmt.Sprintf("contract %d", uint8(c))
}

// Stated are the parts of a request that a receipt says in the clear.
type Stated struct {
	View         engine.View
	Order        engine.Order
	OnUsFirst    bool
	WithoutPoste bool
	// SeedGiven says that the caller gave the seed; else it was derived from the payment (Q22).
	SeedGiven bool
	// Limit is the number of rows at most, above 0 (Q23).
	Limit int32
}

// Receipt is what one answer was computed from.
type Receipt struct {
	Contract Contract
	Stated   Stated
	// Revision of the catalogue, 0 or more; History is the start of the hash of its history up to there, which
	// tells it from another catalogue that counts alike.
	Revision int64
	History  [8]byte
	// At is the instant of the payment in UTC, to the nanosecond.
	At time.Time
	// Issued is when the receipt was signed, in whole seconds of UTC.
	Issued time.Time
	// Seed of the chance in the order of rows, given or derived.
	Seed uint64
	// Key names the public key that the signature is of.
	Key KeyID
	// Request is the hash of the canonical request (see Request.Hash), Answer the SHA-256 of the answer: of the
	// body in v1 and v2, of the QuoteResponse without its receipt as protobuf in gec.v1.
	Request, Answer [sha256.Size]byte
	Signature       [ed25519.SignatureSize]byte
}

// The format: these fields one after the other, integers big-endian, in base64url without padding.
//
//	version 1 · contract 1 · options 1 · limit 4 · revision 8 · history 8 · at 8 seconds, 4 nanoseconds ·
//	issued 8 · seed 8 · key 8 · request 32 · answer 32 · signature 64, over all before it
const (
	version      = 1
	signedBytes  = 3 + 4 + 8 + 8 + 12 + 8 + 8 + 8 + 2*sha256.Size
	receiptBytes = signedBytes + ed25519.SignatureSize
)

// TextBytes is the length of every receipt as a text.
const TextBytes = (receiptBytes*8 + 5) / 6

// The bits of the options.
const (
	bitsOrder       = 0b11
	bitOnUsFirst    = 1 << 2
	bitEveryBundle  = 1 << 3
	bitWithoutPoste = 1 << 4
	bitSeedGiven    = 1 << 5
	bitsReserved    = 0b1100_0000
)

var encoding = base64.RawURLEncoding.Strict()

// Sign sets the key and the signature. Every other field has its final value.
func (r *Receipt) Sign(private ed25519.PrivateKey) {
	r.Key = KeyIDOf(private.Public().(ed25519.PublicKey))
	copy(r.Signature[:], ed25519.Sign(private, r.signed()))
}

// Verify reports whether the signature is that of a public key. It does not look at Key.
func (r *Receipt) Verify(public ed25519.PublicKey) bool {
	return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, r.signed(), r.Signature[:])
}

// String returns the receipt as its text.
func (r *Receipt) String() string {
	return encoding.EncodeToString(append(r.signed(), r.Signature[:]...))
}

// signed returns the bytes that the signature is over.
func (r *Receipt) signed() []byte {
	b := make([]byte, 0, receiptBytes)
	b = append(b, version, byte(r.Contract), r.Stated.bits())
	b = binary.BigEndian.AppendUint32(b, uint32(r.Stated.Limit))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Revision))
	b = append(b, r.History[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.At.Nanosecond()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Issued.Unix()))
	b = binary.BigEndian.AppendUint64(b, r.Seed)
	b = append(b, r.Key[:]...)
	b = append(b, r.Request[:]...)
	return append(b, r.Answer[:]...)
}

func (o Stated) bits() byte {
	bits := byte(o.Order) & bitsOrder
	for _, flag := range []struct {
		set bool
		bit byte
	}{
		{o.OnUsFirst, bitOnUsFirst}, {o.View == engine.EveryBundle, bitEveryBundle},
		{o.WithoutPoste, bitWithoutPoste}, {o.SeedGiven, bitSeedGiven},
	} {
		if flag.set {
			bits |= flag.bit
		}
	}
	return bits
}

func statedOf(bits byte, limit int32) Stated {
	o := Stated{
		Order: engine.Order(bits & bitsOrder), OnUsFirst: bits&bitOnUsFirst != 0,
		WithoutPoste: bits&bitWithoutPoste != 0, SeedGiven: bits&bitSeedGiven != 0, Limit: limit,
	}
	if bits&bitEveryBundle != 0 {
		o.View = engine.EveryBundle
	}
	return o
}

// The seconds that instants are in: the years 1970 to 9998.
const secondsEnd = 253370764800

// Parse reads the text of a receipt. Every receipt has one text only, so that two texts that differ are two
// receipts. It does not verify. Errors: *Refusal with ReasonMalformed.
func Parse(text string) (Receipt, error) {
	r, err := parse(text)
	if err != nil {
		return Receipt{}, &Refusal{Reason: ReasonMalformed, Detail: "is no receipt: " + err.Error()}
	}
	return r, nil
}

func parse(text string) (r Receipt, err error) {
	if len(text) != TextBytes {
		return r, fmt.Errorf("it has %d characters, a receipt has %d", len(text), TextBytes)
	}
	var b [receiptBytes]byte
	n, err := encoding.Decode(b[:], []byte(text))
	if err != nil || n != receiptBytes {
		return r, errors.New("it is not in base64url")
	}
	if b[0] != version {
		return r, fmt.Errorf("it is of version %d, this node knows version %d", b[0], version)
	}
	in := reader(b[1:])
	r.Contract = Contract(in.take(1)[0])
	bits := in.take(1)[0]
	r.Stated = statedOf(bits, int32(binary.BigEndian.Uint32(in.take(4))))
	r.Revision = int64(in.number())
	copy(r.History[:], in.take(len(r.History)))
	seconds, nanoseconds := in.number(), binary.BigEndian.Uint32(in.take(4))
	issued := in.number()
	r.Seed = in.number()
	copy(r.Key[:], in.take(len(r.Key)))
	copy(r.Request[:], in.take(len(r.Request)))
	copy(r.Answer[:], in.take(len(r.Answer)))
	copy(r.Signature[:], in.take(len(r.Signature)))
	switch {
	case r.Contract < V1 || r.Contract > Native:
		return r, errors.New("its contract is not known")
	case bits&bitsReserved != 0:
		return r, errors.New("its options are not known")
	case r.Stated.Limit <= 0 || r.Revision < 0:
		return r, errors.New("its limit or its revision is below 0")
	case seconds >= secondsEnd || nanoseconds >= 1e9 || issued >= secondsEnd:
		return r, errors.New("its instants are out of bounds")
	}
	r.At, r.Issued = time.Unix(int64(seconds), int64(nanoseconds)).UTC(), time.Unix(int64(issued), 0).UTC()
	return r, nil
}

// reader takes bytes from the front; the caller knows that they are there.
type reader []byte

func (r *reader) take(n int) []byte {
	taken := (*r)[:n]
	*r = (*r)[n:]
	return taken
}

func (r *reader) number() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
