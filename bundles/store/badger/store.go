package badger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// formatVersion is the version of the layout that a new folder has. A change of the layout raises it and brings
// a step that upgrades the folders of the version before. A folder that took a base has formatWithBases from
// then on, as programs of before would take it for damaged.
const (
	formatVersion   = 1
	formatWithBases = 2
)

func encodeFormat(version uint32) []byte { return binary.BigEndian.AppendUint32(nil, version) }

// Store is a [bundles.Store] in one folder. It is safe for concurrent use and starts no goroutine of
// its own; those of Badger end with Close.
type Store struct {
	dir string
	o   Options
	db  *badgerdb.DB
	// head is the record of the current revision, the zero Record for revision 0.
	head atomic.Pointer[bundles.Record]
	// gaps are where the history was taken up by a base.
	gaps atomic.Pointer[gaps]

	// writing is held by the one commit or sweep at a time, and guards unswept.
	writing sync.Mutex
	// unswept says that rows may lie above the head.
	unswept bool
	// uncertain is not nil once the disk failed during a commit.
	uncertain atomic.Pointer[error]
	// degraded is not nil while the store serves a revision before a damaged one.
	degraded atomic.Pointer[DamagedError]

	// using counts the calls under way; mu guards closed and every step of using from zero.
	mu     sync.Mutex
	closed bool
	using  sync.WaitGroup
}

var _ bundles.Store = (*Store)(nil)

// Open opens the catalogue in a folder, and creates both where there is nothing. It removes what
// crashes left behind and checks what it is about to serve (see the package comment).
// Errors: ErrInUse, *FormatError, *DamagedError.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	database := o.database(dir)
	orphans, err := prepare(dir, database)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	if orphans {
		o.VerifyRows = -1 // any row may be in a table that is left out
	}
	if o.Loading {
		database = unmerged(database)
	}
	db, err := openDatabase(database)
	if err != nil {
		return nil, fmt.Errorf("open catalogue: %w", err)
	}
	s := &Store{dir: dir, o: o, db: db}
	if err := s.load(orphans); err != nil {
		return nil, errors.Join(fmt.Errorf("open catalogue in %s: %w", dir, err), db.Close())
	}
	return s, nil
}

// openDatabase opens Badger. A panic, which damaged files can cause, becomes an error.
func openDatabase(o badgerdb.Options) (db *badgerdb.DB, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			text, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprint(reason)), "\n")
			err = &DamagedError{Part: "database", Reason: text}
		}
	}()
	db, err = badgerdb.Open(o)
	switch {
	case err == nil || ofSystem(err):
	case strings.Contains(err.Error(), "Cannot acquire directory lock"):
		err = fmt.Errorf("%w: %s", ErrInUse, o.Dir)
	default:
		err = &DamagedError{Part: "database", Reason: err.Error()}
	}
	return db, err
}

// ofSystem reports whether an error is one of the system's by which a folder that is whole cannot be opened. Badger
// hands on only the text.
func ofSystem(err error) bool {
	return slices.ContainsFunc([]error{
		syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	}, func(system error) bool { return strings.Contains(err.Error(), system.Error()) })
}

// load brings the store to the revision that it serves; orphans says that there were tables that the database is
// not made of.
func (s *Store) load(orphans bool) error {
	if err := s.checkFormat(orphans); err != nil {
		return err
	}
	var all gaps
	err := s.db.View(func(txn *badgerdb.Txn) (err error) {
		all, err = readGaps(txn)
		return err
	})
	if err != nil {
		return err
	}
	s.gaps.Store(&all)
	head, err := s.readHead()
	if err == nil {
		err = s.verifyRecent(head)
	}
	var damage *DamagedError
	if errors.As(err, &damage) && s.o.LastGood {
		head, err = s.lastGood(head, damage)
		s.degraded.Store(damage)
	}
	if err != nil {
		return err
	}
	s.head.Store(&head)
	if s.degraded.Load() != nil {
		return nil // rows above the head may be needed to find out what happened
	}
	return s.sweep(context.Background(), head.Revision)
}

// checkFormat refuses a folder of another format and marks a new one.
func (s *Store) checkFormat(orphans bool) error {
	return s.db.Update(func(txn *badgerdb.Txn) error {
		content, err := getContent(txn, []byte(formatKey))
		switch {
		case errors.Is(err, badgerdb.ErrKeyNotFound):
			if orphans {
				return &DamagedError{Part: badgerdb.ManifestFilename, Reason: "it names none of the tables that hold the catalogue"}
			}
			if anyKey(txn) {
				return &FormatError{Known: formatWithBases}
			}
			key := []byte(formatKey)
			return txn.Set(key, seal(key, 0, encodeFormat(formatVersion)))
		case err != nil:
			return &DamagedError{Part: "format", Reason: err.Error()}
		}
		if len(content) != 4 {
			return &DamagedError{Part: "format", Reason: fmt.Sprintf("it has %d bytes", len(content))}
		}
		if found := binary.BigEndian.Uint32(content); found != formatVersion && found != formatWithBases {
			return &FormatError{Found: found, Known: formatWithBases}
		}
		return nil
	})
}

func anyKey(txn *badgerdb.Txn) bool {
	it := txn.NewIterator(badgerdb.IteratorOptions{})
	defer it.Close()
	it.Rewind()
	return it.Valid()
}

// readHead returns the record of the revision that the head names.
func (s *Store) readHead() (head bundles.Record, err error) {
	err = s.db.View(func(txn *badgerdb.Txn) error {
		content, err := getContent(txn, []byte(headKey))
		if errors.Is(err, badgerdb.ErrKeyNotFound) {
			if last := lastRecord(txn); last > 0 {
				return &DamagedError{Revision: last, Part: "head", Reason: "it is missing"}
			}
			return nil // a new folder
		}
		if err == nil && len(content) != revisionBytes+len(head.SHA256) {
			err = fmt.Errorf("it has %d bytes", len(content))
		}
		if err != nil {
			return &DamagedError{Revision: lastRecord(txn), Part: "head", Reason: err.Error()}
		}
		revision := int64(binary.BigEndian.Uint64(content))
		if head, err = readRecord(txn, revision); err != nil {
			return recordDamage(revision, err)
		}
		if string(content[revisionBytes:]) != string(head.SHA256[:]) {
			return &DamagedError{Revision: revision, Part: "head", Reason: "it does not name this record"}
		}
		if last := lastRecord(txn); last > revision {
			return &DamagedError{Revision: last, Part: "head", Reason: fmt.Sprintf("it names revision %d", revision)}
		}
		return nil
	})
	return head, err
}

// lastRecord returns the revision of the last record there is, 0 without any.
func lastRecord(txn *badgerdb.Txn) int64 {
	it := txn.NewIterator(badgerdb.IteratorOptions{Reverse: true})
	defer it.Close()
	it.Seek([]byte{spaceRecord + 1})
	if !it.ValidForPrefix([]byte{spaceRecord}) {
		return 0
	}
	key := it.Item().Key()
	if len(key) != 1+revisionBytes {
		return 0
	}
	return int64(binary.BigEndian.Uint64(key[1:]))
}

// enter begins a call of a method; leave ends it. Between them the database is open. Calls nest.
// Errors: ErrClosed.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.using.Add(1)
	return nil
}

func (s *Store) leave() { s.using.Done() }

// view runs f on the database as it is now, with the head that every reader of f sees whole.
func (s *Store) view(ctx context.Context, f func(txn *badgerdb.Txn, head int64) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	head := s.head.Load().Revision // before the transaction, so that it sees all of that revision
	return s.db.View(func(txn *badgerdb.Txn) error { return f(txn, head) })
}

// Settle closes the database and opens it again, which gives back the memory that reading all of it took: the
// mapped pages of its tables, up to all there are, and what its cache holds. With Options.Loading its tables are
// merged from then on. Its owner calls it once after the catalogue was loaded. Calls under way are waited for, and others wait.
func (s *Store) Settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.using.Wait()
	s.closed = true // where opening it again fails
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("settle catalogue: %w", err)
	}
	db, err := openDatabase(s.o.database(s.dir))
	if err != nil {
		return fmt.Errorf("settle catalogue: %w", err)
	}
	s.db, s.closed = db, false
	return nil
}

// Close waits for the calls under way and closes the database. A second call does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.using.Wait()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close catalogue: %w", err)
	}
	return nil
}

// Degraded returns why the store serves a revision before the last one that was written, nil when it
// does not (see Options.LastGood).
func (s *Store) Degraded() *DamagedError { return s.degraded.Load() }

// Collect gives back the space of documents in the value log that nothing refers to any more. Its
// owner calls it now and then, once an hour say, and not twice at once; it returns when there is nothing
// worth rewriting, or between two files when the context ends.
func (s *Store) Collect(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	for ctx.Err() == nil {
		const rewriteAbove = 0.5 // share of a file that is garbage
		err := s.db.RunValueLogGC(rewriteAbove)
		if errors.Is(err, badgerdb.ErrNoRewrite) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("collect garbage: %w", err)
		}
	}
	return ctx.Err()
}

// Size returns the bytes that the catalogue takes on disk, as Badger last looked.
func (s *Store) Size() int64 {
	if s.enter() != nil {
		return 0
	}
	defer s.leave()
	tables, log := s.db.Size()
	return tables + log
}

// Free returns the bytes that are free on the disk of the folder, 0 where the system does not tell.
func (s *Store) Free() uint64 {
	free, err := s.o.FreeBytes(s.dir)
	if err != nil {
		return 0
	}
	return free
}
