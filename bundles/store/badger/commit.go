package badger

import (
	"context"
	"errors"
	"fmt"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// The size of the transactions that a large commit is written in. Both are well below what Badger
// allows for memTableBytes: 2.4 MB and some 26 000 entries, of which a row takes two.
const (
	chunkBytesMax = 3 << 19
	chunkRowsMax  = 8_000
)

// The named points of a commit, and of a sweep, that tests kill at.
const (
	stepChunk      = "chunk written"
	stepBeforeFlip = "before flip"
	stepAfterFlip  = "after flip"
	stepSweep      = "chunk swept"
)

// Commit writes the rows and makes them current in one step (see the package comment). Errors:
// ErrInvalidRow, ErrDuplicateKey, ErrConflict, ErrStorageFull, ErrUncertain, *DamagedError.
func (s *Store) Commit(ctx context.Context, c bundles.Commit) (bundles.Record, error) {
	if err := s.enter(); err != nil {
		return bundles.Record{}, err
	}
	defer s.leave()
	rows, err := c.Checked()
	if err != nil {
		return bundles.Record{}, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	record, err := s.commit(ctx, c, rows)
	if err != nil {
		return bundles.Record{}, fmt.Errorf("commit: %w", err)
	}
	return record, nil
}

func (s *Store) commit(ctx context.Context, c bundles.Commit, rows []bundles.Row) (bundles.Record, error) {
	if err := s.writable(); err != nil {
		return bundles.Record{}, err
	}
	head := *s.head.Load()
	if err := s.checkBase(c, head); err != nil {
		return bundles.Record{}, err
	}
	if err := s.checkSpace(size(rows)); err != nil {
		return bundles.Record{}, err
	}
	if s.unswept {
		if err := s.sweep(ctx, head.Revision); err != nil {
			return bundles.Record{}, err
		}
	}
	record := bundles.NextRecord(head, c.Record, rows)
	if err := s.write(ctx, head, record, rows); err != nil {
		if s.uncertain.Load() == nil {
			// A sweep that fails leaves unswept set, for the next commit to try again.
			err = errors.Join(err, s.sweep(context.WithoutCancel(ctx), head.Revision))
		}
		return bundles.Record{}, err
	}
	s.head.Store(&record)
	s.o.step(stepAfterFlip)
	return record, nil
}

// writable reports why the store takes no commit at all.
func (s *Store) writable() error {
	if damage := s.degraded.Load(); damage != nil {
		return damage
	}
	if err := s.uncertain.Load(); err != nil {
		return *err
	}
	return nil
}

// Writable reports why a commit would be refused whatever it holds, nil when it would not. It does not
// wait for a commit under way. Errors: ErrClosed, ErrStorageFull, ErrUncertain, *DamagedError.
func (s *Store) Writable() error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	return errors.Join(s.writable(), s.checkSpace(0))
}

// checkBase refuses a change that was made before, or against another revision than the head.
func (s *Store) checkBase(c bundles.Commit, head bundles.Record) error {
	if key := c.Record.IdempotencyKey; key != "" {
		err := s.db.View(func(txn *badgerdb.Txn) error {
			_, err := s.recordByKey(txn, key, head.Revision)
			return err
		})
		if err == nil {
			return bundles.ErrDuplicateKey
		}
		if !errors.Is(err, bundles.ErrNotFound) {
			return err
		}
	}
	if c.Base != head.Revision {
		return bundles.ErrConflict
	}
	return nil
}

// checkSpace refuses to write when little space is free. Rows take their size in the log, again in a
// table, and once more while tables are merged.
func (s *Store) checkSpace(bytes uint64) error {
	free, err := s.o.FreeBytes(s.dir)
	if err != nil {
		return err
	}
	if need := s.o.WatermarkBytes + 3*bytes; free < need {
		return fmt.Errorf("%w: %d MiB are free, %d are needed", bundles.ErrStorageFull, free>>20, need>>20)
	}
	return nil
}

// entryBytes is about what Badger adds to the key and the value of an entry.
const entryBytes = 64

// rowSize is about what a row, with its entry in the index of changes, takes in a transaction.
func rowSize(r bundles.Row) int { return 2*(len(r.ID)+entryBytes) + len(r.Document) }

func size(rows []bundles.Row) (total uint64) {
	for _, r := range rows {
		total += uint64(rowSize(r))
	}
	return total
}

// write writes the rows in chunks and the last of them together with the record and the head.
func (s *Store) write(ctx context.Context, head, record bundles.Record, rows []bundles.Row) error {
	b := s.newBatch()
	defer b.discard()
	for _, row := range rows {
		if err := b.row(ctx, record.Revision, row); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.o.step(stepBeforeFlip)
	return s.flip(b.txn, head, record)
}

// batch writes in transactions of bounded size. What it wrote lies above the head until a flip.
type batch struct {
	s     *Store
	txn   *badgerdb.Txn
	bytes int
	count int
}

func (s *Store) newBatch() *batch { return &batch{s: s, txn: s.db.NewTransaction(true)} }

func (b *batch) discard() { b.txn.Discard() }

// row writes a row of a revision.
func (b *batch) row(ctx context.Context, revision int64, row bundles.Row) error {
	if err := b.room(ctx, rowSize(row)); err != nil {
		return err
	}
	return setRow(b.txn, revision, row)
}

// set writes a key, which the transaction keeps.
func (b *batch) set(ctx context.Context, key, content []byte) error {
	if err := b.room(ctx, len(key)+len(content)+entryBytes); err != nil {
		return err
	}
	return b.txn.Set(key, seal(key, 0, content))
}

// room begins another transaction where the present one has no room for so many bytes.
func (b *batch) room(ctx context.Context, bytes int) error {
	if b.count == chunkRowsMax || b.count > 0 && b.bytes+bytes > chunkBytesMax {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.bytes, b.count = b.bytes+bytes, b.count+1
	return nil
}

// flush commits the transaction and begins another one.
func (b *batch) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.s.checkSpace(uint64(b.bytes)); err != nil {
		return err
	}
	b.s.unswept = true
	if err := b.txn.Commit(); err != nil {
		return b.s.fail(err)
	}
	b.s.o.step(stepChunk)
	b.txn.Discard()
	b.txn, b.bytes, b.count = b.s.db.NewTransaction(true), 0, 0
	return nil
}

func setRow(txn *badgerdb.Txn, revision int64, row bundles.Row) error {
	key, meta := rowKey(row.Kind, row.ID, revision), byte(0)
	if row.Deleted {
		meta = metaDeleted
	}
	if err := txn.SetEntry(badgerdb.NewEntry(key, seal(key, meta, row.Document)).WithMeta(meta)); err != nil {
		return err
	}
	return txn.Set(changeKey(revision, row.Kind, row.ID), nil)
}

// flip makes the record current, if the head is still the one that was read.
func (s *Store) flip(txn *badgerdb.Txn, head, record bundles.Record) error {
	content, err := getContent(txn, []byte(headKey))
	switch {
	case errors.Is(err, badgerdb.ErrKeyNotFound) && head.Revision == 0:
	case err != nil:
		return &DamagedError{Revision: head.Revision, Part: "head", Reason: err.Error()}
	case string(content) != string(encodeHead(head)):
		return bundles.ErrConflict
	}
	set := func(key, content []byte) {
		err = errors.Join(err, txn.Set(key, seal(key, 0, content)))
	}
	err = nil
	set(recordKey(record.Revision), bundles.EncodeRecord(record))
	if record.IdempotencyKey != "" {
		set(idempotencyKey(record.IdempotencyKey), encodeHead(record)[:revisionBytes])
	}
	set([]byte(headKey), encodeHead(record))
	if err != nil {
		return err
	}
	switch err := txn.Commit(); {
	case errors.Is(err, badgerdb.ErrConflict):
		return bundles.ErrConflict
	case err != nil:
		return s.fail(err)
	}
	return nil
}

// fail ends the taking of commits: Badger may have logged what it could not apply, and would bring it
// back at the next start, under a revision number that must not be used again before.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("%w: %w", ErrUncertain, err)
	s.uncertain.Store(&err)
	return err
}
