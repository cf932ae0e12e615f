package bundles

import (
	"context"
	"errors"
	"time"
)

// Kind is the kind of thing that a row of the store states.
type Kind byte

// The kinds of rows. Their values are part of the stored format and never change meaning.
const (
	// KindSettings has one row, with the empty id: the operator's settings without the issuers.
	KindSettings Kind = 'c'
	// KindIssuer has one row per issuer range.
	KindIssuer Kind = 'i'
	// KindBundle has one row per bundle; the id is the bundle's.
	KindBundle Kind = 'b'
	// KindSubscription has one row per subscription; the id is "EC/bundle/subscription", so that
	// the subscriptions of one EC are neighbours.
	KindSubscription Kind = 's'
	// KindOffer and KindRequest have one row per offer and per request; the id is its own.
	KindOffer   Kind = 'o'
	KindRequest Kind = 'q'
	// KindTouchpoint has one row per registered touchpoint; the id is its folded name.
	KindTouchpoint Kind = 't'
	// KindPaymentMethod has one row per payment method; the id is its own.
	KindPaymentMethod Kind = 'm'
	// KindIndex rows say where to find other rows by something else than their id; they have no
	// document. The id is "index/key/id of the row" (see indexRowID).
	KindIndex Kind = 'x'
	// KindKey and KindDelegation have one row per access key and per delegation: documents of package
	// access that are versioned and shared with the catalogue, and that this package does not read.
	KindKey        Kind = 'k'
	KindDelegation Kind = 'g'
	// KindReceiptKey has one row per public key that a node signed quote receipts with; the id is the key's.
	// Package receipt reads the documents.
	KindReceiptKey Kind = 'r'
)

// Row is one version of one thing. Rows are only ever added: the state at a revision is, of each
// (Kind, ID), the row with the largest Revision not above it.
type Row struct {
	Kind Kind
	// ID is unique within the kind; any bytes but NUL, up to IDBytesMax.
	ID string
	// Revision that wrote the row.
	Revision int64
	// Deleted says that the thing is not there from this revision on; Document is then empty.
	Deleted bool
	// Document is the content, in the codec of package bundles; up to DocumentBytesMax.
	Document []byte
}

// Record states one revision: who changed what, when.
type Record struct {
	Revision int64
	// At is the instant of the change in UTC; it never decreases from one revision to the next.
	At time.Time
	// Caller and OnBehalfOf say who (A8); Operation what was asked, such as "import snapshot".
	Caller, OnBehalfOf, Operation string
	// IdempotencyKey, where not empty, is unique among all records (A6); any bytes, up to IDBytesMax.
	IdempotencyKey string
	// Rows is the number of rows that the revision wrote.
	Rows int
	// SHA256 covers the record before this one, this record's fields and its rows in order of kind
	// and id (see Digest); the chain of records so covers the whole history.
	SHA256 [32]byte
}

// Commit is one change of the catalogue, all or nothing.
type Commit struct {
	// Base is the revision that the change was checked against; the commit is refused with
	// ErrConflict when the head is another one by then.
	Base int64
	// Record is stored with Revision, Rows and SHA256 filled in by the store, and At raised to
	// that of the record before where the clock went back.
	Record Record
	// Rows are written under revision Base+1. Their Revision is ignored, their order is free; no
	// two have the same kind and id.
	Rows []Row
}

// Store keeps the rows and records of a catalogue. Revision 0 is the empty catalogue that every store
// starts with and has no record. All methods may be called concurrently, also from within a yield
// function. Reading at a revision that is not there, below 0 or above the head, is ErrNotFound.
//
// Implementations: bundles/store/badger and bundles/store/etcd. Each passes bundles/store/storetest.
type Store interface {
	// Head returns the record of the current revision; the zero Record for revision 0.
	Head(ctx context.Context) (Record, error)
	// Get returns the row of one thing as it stood at a revision.
	// Errors: ErrNotFound, also for a deleted one.
	Get(ctx context.Context, at int64, kind Kind, id string) (Row, error)
	// Scan calls yield for every thing of a kind whose id starts with prefix, as it stood at a
	// revision, in order of id, deleted ones left out. The Document is valid during the call only.
	// It stops at the first error of yield and returns it.
	Scan(ctx context.Context, at int64, kind Kind, prefix string, yield func(Row) error) error
	// ScanIDs is Scan without the documents, and faster for it.
	ScanIDs(ctx context.Context, at int64, kind Kind, prefix string, yield func(id string) error) error
	// Versions returns every version of one thing up to the head, oldest first; empty when there
	// never was one.
	Versions(ctx context.Context, kind Kind, id string) ([]Row, error)
	// Changes calls yield for every row written by the revisions after `after` up to and including
	// `through`, in order of revision. The Document is valid during the call only.
	Changes(ctx context.Context, after, through int64, yield func(Row) error) error
	// Record returns the record of a revision. Errors: ErrNotFound.
	Record(ctx context.Context, revision int64) (Record, error)
	// RecordAt returns the record of the revision that was current at an instant, the zero Record
	// when none was yet.
	RecordAt(ctx context.Context, at time.Time) (Record, error)
	// RecordByKey returns the record with an idempotency key. Errors: ErrNotFound.
	RecordByKey(ctx context.Context, idempotencyKey string) (Record, error)
	// Commit writes the rows and makes them current in one step; when it returns nil the change
	// is on stable storage, and when it returns an error, or the process dies, none of it is ever
	// visible. Only an error of the disk itself can leave that open: a store that met one refuses
	// further commits until it is opened again. The number of rows is bounded by the disk only.
	// Errors: ErrInvalidRow, ErrDuplicateKey, ErrConflict, ErrStorageFull, in this order of
	// precedence.
	Commit(ctx context.Context, c Commit) (Record, error)
	// Close releases the store; methods called later return errors.
	Close() error
}

// The errors of a Store.
var (
	// ErrNotFound is returned when there is no such row or record at that revision.
	ErrNotFound = errors.New("not found in the catalogue")
	// ErrConflict is returned when another change became current since the one that was read.
	ErrConflict = errors.New("the catalogue changed meanwhile: read it again and repeat the change")
	// ErrDuplicateKey is returned when a revision with the same idempotency key exists.
	ErrDuplicateKey = errors.New("a change with this idempotency key was made before")
	// ErrInvalidRow is returned when a row of a commit cannot be stored: its id or the idempotency
	// key is malformed, a deleted row has a document, or two rows state the same thing.
	ErrInvalidRow = errors.New("the change has a row that cannot be stored")
	// ErrStorageFull is returned when free space is below the watermark; nothing was written.
	ErrStorageFull = errors.New("storage is nearly full: free some space and repeat the change")
	// ErrSharedFull is returned, with ErrStorageFull, when the store of a cluster takes nothing more; nothing
	// was stored.
	ErrSharedFull = errors.New("the etcd of the shared catalogue has used up its quota: compact and defragment its members, disarm the NOSPACE alarm, and repeat the change")
	// ErrUnavailable is returned when the store of a cluster cannot be reached, or has no quorum: nothing
	// was stored.
	ErrUnavailable = errors.New("the shared catalogue cannot be reached: nothing was stored, repeat the change later")
	// ErrOutcomeUnknown is returned when the store of a cluster went away while a change was being stored and
	// could not be asked since: the change may be there or not.
	ErrOutcomeUnknown = errors.New("the shared catalogue went away while the change was being stored: it may be there or not, read before repeating it, or repeat it with the same idempotency key")
	// ErrNotYet is returned when the revision that a caller has seen has not reached this node yet.
	ErrNotYet = errors.New("that revision of the catalogue has not reached this node yet: repeat the request")
)
