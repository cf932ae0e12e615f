package bundles

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"strings"
)

// The bounds of what a store takes.
const (
	// IDBytesMax is the length of the longest id of a row, and of the longest idempotency key.
	IDBytesMax = 1 << 10
	// DocumentBytesMax is the size of the largest document of a row.
	DocumentBytesMax = 64 << 20
)

// Digest computes the SHA256 of a [Record]: it links the record to the one before it and to the rows
// that it wrote, so that a change of any of them, anywhere in the history, shows.
//
// It is the SHA-256 of these bytes, integers big-endian, text as length (4 bytes) and bytes:
//
//	SHA256 of the record before (32 bytes, zeros before revision 1)
//	Revision (8), At as Unix seconds (8) and nanoseconds (4)
//	Caller, OnBehalfOf, Operation, IdempotencyKey
//	Rows (8)
//	of each row, in order of kind and id:
//	    Kind (1), ID, Deleted as 0 or 1 (1), length of Document (8), Document
//
// A Digest is not for concurrent use.
type Digest struct {
	hash hash.Hash
	head []byte
}

// NewDigest starts the digest of a record that follows one whose SHA256 is given. Every field of the
// record but SHA256 is covered and has its final value.
func NewDigest(before [32]byte, r Record) *Digest {
	d := &Digest{hash: sha256.New()}
	b := append(d.head, before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Revision))
	b = binary.BigEndian.AppendUint64(b, uint64(r.At.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(r.At.Nanosecond()))
	for _, text := range []string{r.Caller, r.OnBehalfOf, r.Operation, r.IdempotencyKey} {
		b = appendText(b, text)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(r.Rows))
	d.hash.Write(b)
	d.head = b
	return d
}

// Add covers the next row, in order of kind and id. Revision is not read: the record states it.
func (d *Digest) Add(r Row) {
	b := append(d.head[:0], byte(r.Kind))
	b = appendText(b, r.ID)
	if r.Deleted {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	d.head = binary.BigEndian.AppendUint64(b, uint64(len(r.Document)))
	d.hash.Write(d.head)
	d.hash.Write(r.Document)
}

// Sum returns the digest of what was added.
func (d *Digest) Sum() (sum [32]byte) {
	d.hash.Sum(sum[:0])
	return sum
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// CompareRows orders rows by kind, then id: the order in which a store keeps, digests and yields the
// rows of one revision.
func CompareRows(a, b Row) int {
	if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}
