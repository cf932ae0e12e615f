package bundles

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

// KindRecord is the kind of those rows of a [Base] that carry a record: the id is empty, the document what
// EncodeRecord wrote. No commit has it.
const KindRecord Kind = 0xff

// Base is a catalogue as it stood at one revision, without the changes that led there: where a history may begin
// whose earlier part is no longer at hand.
//
// Its rows are, in order of kind and id, those that were current at the revision, each with the revision that
// wrote it and none deleted; then, in order of revision, the records of the revisions before it that one of these
// rows names or that have an idempotency key, as rows of KindRecord. They are the same on every store that has
// the history.
type Base struct {
	// Record is that of the revision.
	Record Record
	// Rows is the number of rows, those of KindRecord among them.
	Rows int
	// SHA256 covers Record.SHA256 and the rows (see BaseDigest).
	SHA256 [32]byte
}

// Rebaser is a Store whose history may begin at a base.
type Rebaser interface {
	Store
	// State calls yield for the rows of the base at a revision. The Document is valid during the call only.
	// Errors: ErrNotFound for the revision, those of yield.
	State(ctx context.Context, at int64, yield func(Row) error) error
	// Rebase makes a base the current revision, all or nothing. What the store has is kept as the history
	// before it; of the revisions between the two it then has only what the base tells, and reading at one of
	// them is ErrNotFound. rows calls its argument for each row of the base and returns its error.
	// Errors: ErrConflict when the head is not before the base; *BaseError; those of rows; ErrStorageFull.
	Rebase(ctx context.Context, b Base, rows func(yield func(Row) error) error) error
}

// Gapped is a Store that tells whether its history is whole.
type Gapped interface {
	// Gap returns a *GapError where a part of the history after a revision is not there, else nil.
	Gap(after int64) error
}

// GapError is returned where the whole history is needed of a store that began at a base, or took one. It is
// ErrNotFound.
type GapError struct {
	// After is the last revision before the part that is missing, 0 where that is the beginning, At the one from
	// which on all are there.
	After, At int64
}

func (e *GapError) Error() string {
	return fmt.Sprintf("this folder lacks the history between revisions %d and %d, as it was filled from the base state of its cluster: "+
		"take the folder of a node that has every revision since the first, or only what comes after revision %[2]d", e.After, e.At)
}

// Unwrap makes it ErrNotFound.
func (e *GapError) Unwrap() error { return ErrNotFound }

// BaseError is returned for a base that cannot be taken.
type BaseError struct {
	Revision int64
	// Diverged says that the base is as it was made, and that what the store has is not of its history.
	Diverged bool
	Reason   string
}

func (e *BaseError) Error() string {
	if e.Diverged {
		return fmt.Sprintf("the base state at revision %d is of another history: %s", e.Revision, e.Reason)
	}
	return fmt.Sprintf("the base state at revision %d is damaged: %s", e.Revision, e.Reason)
}

// BaseDigest computes the SHA256 of a [Base]: the SHA-256 of these bytes, integers big-endian, text as length
// (4 bytes) and bytes:
//
//	SHA256 of the record of the base (32 bytes)
//	of each row: Kind (1), ID, Revision (8), length of Document (8), Document
//
// It is not for concurrent use.
type BaseDigest struct {
	hash hash.Hash
	head []byte
	rows int
}

// NewBaseDigest begins the digest of the base at a record.
func NewBaseDigest(r Record) *BaseDigest {
	d := &BaseDigest{hash: sha256.New()}
	d.hash.Write(r.SHA256[:])
	return d
}

// Add covers the next row.
func (d *BaseDigest) Add(r Row) {
	b := append(d.head[:0], byte(r.Kind))
	b = appendText(b, r.ID)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Revision))
	d.head = binary.BigEndian.AppendUint64(b, uint64(len(r.Document)))
	d.hash.Write(d.head)
	d.hash.Write(r.Document)
	d.rows++
}

// Base returns the base of what was added, at the record.
func (d *BaseDigest) Base(r Record) Base {
	b := Base{Record: r, Rows: d.rows}
	d.hash.Sum(b.SHA256[:0])
	return b
}

// BaseAt returns the base of a store at a revision, which has a record. Errors: those of State and Record.
func BaseAt(ctx context.Context, s Rebaser, revision int64) (Base, error) {
	r, err := s.Record(ctx, revision)
	if err != nil {
		return Base{}, err
	}
	d := NewBaseDigest(r)
	err = s.State(ctx, revision, func(r Row) error {
		d.Add(r)
		return nil
	})
	return d.Base(r), err
}
