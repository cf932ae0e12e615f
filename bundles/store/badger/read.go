package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// Head returns the record of the current revision; the zero Record for revision 0. Errors: ErrClosed.
func (s *Store) Head(ctx context.Context) (bundles.Record, error) {
	if err := s.enter(); err != nil {
		return bundles.Record{}, err
	}
	defer s.leave()
	return *s.head.Load(), ctx.Err()
}

// Get returns the row of one thing as it stood at a revision. Errors: ErrNotFound, also for a deleted
// one; *DamagedError.
func (s *Store) Get(ctx context.Context, at int64, kind bundles.Kind, id string) (row bundles.Row, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		if err := s.within(at, head); err != nil {
			return err
		}
		thing := thingPrefix(kind, id)
		it := txn.NewIterator(badgerdb.IteratorOptions{Prefix: thing})
		defer it.Close()
		it.Seek(rowKey(kind, id, at))
		if !it.Valid() || !sameThing(it.Item().Key(), thing) || isDeleted(it.Item()) {
			return bundles.ErrNotFound
		}
		row, err = readRow(it.Item(), kind)
		row.Document = slices.Clone(row.Document)
		return err
	})
	return row, err
}

// Scan calls yield for every thing of a kind whose id starts with prefix, as it stood at a revision, in
// order of id. Errors: ErrNotFound for the revision, *DamagedError, those of yield.
func (s *Store) Scan(ctx context.Context, at int64, kind bundles.Kind, prefix string, yield func(bundles.Row) error) error {
	return s.scan(ctx, at, kind, prefix, func(item *badgerdb.Item) error {
		return withRow(item, kind, yield)
	})
}

// ScanIDs is Scan without the documents, which it neither copies nor verifies.
func (s *Store) ScanIDs(ctx context.Context, at int64, kind bundles.Kind, prefix string, yield func(id string) error) error {
	return s.scan(ctx, at, kind, prefix, func(item *badgerdb.Item) error {
		id, _ := splitRowKey(item.Key())
		return yield(string(id))
	})
}

// stepsBeforeSeek is how many entries of no interest a scan steps over before it seeks, which costs as
// much as some twenty steps.
const stepsBeforeSeek = 16

// checkEvery is how many rows a scan passes between two looks at the context.
const checkEvery = 1 << 10

// scan calls yield for the newest entry not above the revision of each thing that is not deleted.
func (s *Store) scan(ctx context.Context, at int64, kind bundles.Kind, prefix string, yield func(*badgerdb.Item) error) error {
	return s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		if err := s.within(at, head); err != nil {
			return err
		}
		rows := newNewest(txn, idPrefix(kind, prefix), at)
		defer rows.close()
		for item := rows.next(ctx); item != nil; item = rows.next(ctx) {
			if isDeleted(item) {
				continue
			}
			if err := yield(item); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// newest goes through the newest entry not above a revision of each thing, deleted ones among them, in order of
// kind and id.
type newest struct {
	it *badgerdb.Iterator
	at int64
	// thing is the key without its revision of the last thing seen, which is done when it needs no older row;
	// passed is the number of its entries stepped over, rows that of all.
	thing  []byte
	done   bool
	passed int
	rows   int
	begun  bool
}

func newNewest(txn *badgerdb.Txn, prefix []byte, at int64) *newest {
	return &newest{it: txn.NewIterator(badgerdb.IteratorOptions{Prefix: prefix}), at: at}
}

func (n *newest) close() { n.it.Close() }

// next returns the next entry, valid until the call after, nil at the end or when the context ends.
func (n *newest) next(ctx context.Context) *badgerdb.Item {
	if !n.begun {
		n.begun = true
		n.it.Rewind()
	} else if n.it.Valid() {
		n.step()
	}
	for ; n.it.Valid(); n.step() {
		if n.rows++; n.rows%checkEvery == 0 && ctx.Err() != nil {
			return nil
		}
		item := n.it.Item()
		key := item.Key()
		if !sameThing(key, n.thing) {
			n.thing, n.done, n.passed = append(n.thing[:0], key[:len(key)-revisionBytes]...), false, 0
		}
		if _, revision := splitRowKey(key); !n.done && revision <= n.at {
			n.done = true
			return item
		}
	}
	return nil
}

// step goes on to the next entry, or past those of no interest where they are many.
func (n *newest) step() {
	if n.passed++; n.passed <= stepsBeforeSeek {
		n.it.Next()
		return
	}
	n.it.Seek(beyond(n.thing, n.done, n.at))
	n.passed = 0
}

// beyond returns the key to go on from within a thing of many versions: after its last one when it is
// done, else at the revision looked for.
func beyond(thing []byte, done bool, at int64) []byte {
	key := slices.Clone(thing)
	if done {
		key[len(key)-1] = 1 // ids have no NUL: no key lies between this thing's last and that
		return key
	}
	return binary.BigEndian.AppendUint64(key, ^uint64(at))
}

// Versions returns every version of one thing up to the head, oldest first. Errors: *DamagedError.
func (s *Store) Versions(ctx context.Context, kind bundles.Kind, id string) (rows []bundles.Row, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		thing := thingPrefix(kind, id)
		it := txn.NewIterator(badgerdb.IteratorOptions{Prefix: thing})
		defer it.Close()
		for it.Seek(rowKey(kind, id, head)); it.Valid() && sameThing(it.Item().Key(), thing); it.Next() {
			if err := withRow(it.Item(), kind, func(row bundles.Row) error {
				row.Document = slices.Clone(row.Document)
				rows = append(rows, row)
				return nil
			}); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	slices.Reverse(rows)
	return rows, err
}

// Changes calls yield for every row written by the revisions after `after` up to and including
// `through`, in order of revision, kind and id. Errors: ErrNotFound for the revisions, *DamagedError,
// those of yield.
func (s *Store) Changes(ctx context.Context, after, through int64, yield func(bundles.Row) error) error {
	return s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		if err := errors.Join(s.within(after, head), s.within(through, head)); err != nil {
			return err
		}
		if after >= through {
			return nil
		}
		return walk(ctx, txn, after+1, through, yield)
	})
}

// walk calls yield for the rows that the revisions from..through wrote, by the index of changes. Both
// it and the rows are in order of kind and id, so that the rows of a large revision are read in one
// pass. The index is read ahead by another goroutine, which ends before walk returns: a start reads all that the
// last revision wrote, and half of that time is the index's.
func walk(ctx context.Context, txn *badgerdb.Txn, from, through int64, yield func(bundles.Row) error) error {
	ctx, cancel := context.WithCancel(ctx)
	ahead := make(chan []changeEntry, 4)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(ahead)
		readAhead(ctx, txn, from, through, ahead)
	})
	defer reading.Wait()
	defer cancel()
	rows := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{spaceRow}})
	defer rows.Close()
	for batch := range ahead {
		for _, c := range batch {
			key := rowKey(c.kind, c.id, c.revision)
			advance(rows, key)
			if !rows.Valid() || !bytes.Equal(rows.Item().Key(), key) {
				return &DamagedError{Revision: c.revision, Part: part(c.kind, c.id), Reason: "its row is missing"}
			}
			if err := withRow(rows.Item(), c.kind, yield); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// changeEntry is an entry of the index of changes.
type changeEntry struct {
	revision int64
	kind     bundles.Kind
	id       string
}

// readAhead sends the entries of the index of changes of the revisions from..through until the context ends.
func readAhead(ctx context.Context, txn *badgerdb.Txn, from, through int64, to chan<- []changeEntry) {
	changes := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{spaceChanges}})
	defer changes.Close()
	end := changesFrom(through + 1)
	batch := make([]changeEntry, 0, checkEvery)
	for changes.Seek(changesFrom(from)); changes.Valid() && bytes.Compare(changes.Item().Key(), end) < 0; changes.Next() {
		revision, kind, id := splitChangeKey(changes.Item().Key())
		if batch = append(batch, changeEntry{revision, kind, id}); len(batch) < checkEvery {
			continue
		}
		select {
		case to <- batch:
		case <-ctx.Done():
			return
		}
		batch = make([]changeEntry, 0, checkEvery)
	}
	select {
	case to <- batch:
	case <-ctx.Done():
	}
}

// advance moves an iterator to the first key not before the given one, by steps where it is near.
func advance(it *badgerdb.Iterator, key []byte) {
	for range stepsBeforeSeek {
		if !it.Valid() {
			break
		}
		switch c := bytes.Compare(it.Item().Key(), key); {
		case c == 0:
			return
		case c > 0:
			it.Seek(key)
			return
		}
		it.Next()
	}
	it.Seek(key)
}

// Record returns the record of a revision. Errors: ErrNotFound, *DamagedError.
func (s *Store) Record(ctx context.Context, revision int64) (r bundles.Record, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		r, err = s.recordWithin(txn, revision, head)
		return err
	})
	return r, err
}

func (s *Store) recordWithin(txn *badgerdb.Txn, revision, head int64) (bundles.Record, error) {
	if revision == 0 {
		return bundles.Record{}, fmt.Errorf("revision 0 has no record: %w", bundles.ErrNotFound)
	}
	missing := s.within(revision, head)
	if missing != nil && (revision < 0 || revision > head) {
		return bundles.Record{}, missing
	}
	r, err := readRecord(txn, revision)
	if missing != nil && errors.Is(err, badgerdb.ErrKeyNotFound) {
		return bundles.Record{}, missing // no row of the base is of this revision
	}
	if err != nil {
		return bundles.Record{}, recordDamage(revision, err)
	}
	return r, nil
}

// RecordAt returns the record of the revision that was current at an instant, the zero Record when none
// was yet. Errors: *DamagedError.
func (s *Store) RecordAt(ctx context.Context, at time.Time) (r bundles.Record, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		for last := head; last > 0; {
			first := s.gaps.Load().first(last)
			if r, err = s.recordAt(txn, first, last, head, at); err != nil || r.Revision > 0 {
				return err
			}
			g, ok := s.gaps.Load().at(first)
			if !ok {
				break // before the first change
			}
			if last = g.after; last > 0 {
				before, err := s.recordWithin(txn, last, head)
				if err != nil || before.At.After(at) {
					continue
				}
			}
			return fmt.Errorf("%s: this folder was filled at revision %d and has no history right before it: %w", at.Format(time.RFC3339), g.at, bundles.ErrNotFound)
		}
		return nil
	})
	return r, err
}

// recordAt returns the record, among the revisions from first to last, of the one that was current at an instant;
// the zero Record when the first came later.
func (s *Store) recordAt(txn *badgerdb.Txn, first, last, head int64, at time.Time) (r bundles.Record, err error) {
	// At never decreases: the first revision after the instant is found by halving.
	later := sort.Search(int(last-first)+1, func(i int) bool {
		if err != nil {
			return true
		}
		var record bundles.Record
		record, err = s.recordWithin(txn, first+int64(i), head)
		return err != nil || record.At.After(at)
	})
	if err != nil || later == 0 {
		return r, err
	}
	return s.recordWithin(txn, first+int64(later)-1, head)
}

// RecordByKey returns the record with an idempotency key. Errors: ErrNotFound, *DamagedError.
func (s *Store) RecordByKey(ctx context.Context, key string) (r bundles.Record, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		r, err = s.recordByKey(txn, key, head)
		return err
	})
	return r, err
}

// recordByKey returns the record with an idempotency key. Errors: ErrNotFound, *DamagedError.
func (s *Store) recordByKey(txn *badgerdb.Txn, key string, head int64) (bundles.Record, error) {
	if key == "" || len(key) > bundles.IDBytesMax {
		return bundles.Record{}, fmt.Errorf("idempotency key: %w", bundles.ErrNotFound)
	}
	content, err := getContent(txn, idempotencyKey(key))
	switch {
	case errors.Is(err, badgerdb.ErrKeyNotFound):
		return bundles.Record{}, fmt.Errorf("idempotency key: %w", bundles.ErrNotFound)
	case err == nil && len(content) != revisionBytes:
		err = fmt.Errorf("it has %d bytes", len(content))
	}
	if err != nil {
		return bundles.Record{}, &DamagedError{Part: "idempotency key", Reason: err.Error()}
	}
	r, err := s.recordWithin(txn, int64(binary.BigEndian.Uint64(content)), head)
	if err == nil && r.IdempotencyKey != key {
		// What a base brought that was never taken, and the revision was made otherwise since.
		return bundles.Record{}, fmt.Errorf("idempotency key: %w", bundles.ErrNotFound)
	}
	return r, err
}

func isDeleted(item *badgerdb.Item) bool { return item.UserMeta()&metaDeleted != 0 }

// withRow calls yield with the row of an entry; its document is valid during the call.
func withRow(item *badgerdb.Item, kind bundles.Kind, yield func(bundles.Row) error) error {
	row, err := readRow(item, kind)
	if err != nil {
		return err
	}
	return yield(row)
}

// readRow returns the row of an entry. Its document is valid until the iterator moves on.
func readRow(item *badgerdb.Item, kind bundles.Kind) (row bundles.Row, err error) {
	key := item.Key()
	id, revision := splitRowKey(key)
	row = bundles.Row{Kind: kind, ID: string(id), Revision: revision, Deleted: isDeleted(item)}
	err = item.Value(func(value []byte) error {
		if len(value) >= valueLogThreshold {
			value = slices.Clone(value) // it lies in the value log, which may be mapped elsewhere
		}
		row.Document, err = unseal(key, item.UserMeta(), value)
		return err
	})
	if err != nil {
		return bundles.Row{}, &DamagedError{Revision: revision, Part: part(kind, row.ID), Reason: err.Error()}
	}
	return row, nil
}

// part names a thing in an error.
func part(kind bundles.Kind, id string) string { return fmt.Sprintf("row %c %q", kind, id) }

// readRecord returns a record. Errors: badger's ErrKeyNotFound, errSeal and those of DecodeRecord.
func readRecord(txn *badgerdb.Txn, revision int64) (bundles.Record, error) {
	content, err := getContent(txn, recordKey(revision))
	if errors.Is(err, badgerdb.ErrKeyNotFound) {
		content, err = getContent(txn, baseRecordKey(revision))
	}
	if err != nil {
		return bundles.Record{}, err
	}
	r, err := bundles.DecodeRecord(content)
	if err == nil && r.Revision != revision {
		err = fmt.Errorf("it is of revision %d", r.Revision)
	}
	return r, err
}

func recordDamage(revision int64, err error) error {
	reason := err.Error()
	if errors.Is(err, badgerdb.ErrKeyNotFound) {
		reason = "it is missing"
	}
	return &DamagedError{Revision: revision, Part: "record", Reason: reason}
}

// getContent returns a copy of the content of one key. Errors: badger's ErrKeyNotFound, errSeal.
func getContent(txn *badgerdb.Txn, key []byte) (content []byte, err error) {
	item, err := txn.Get(key)
	if err != nil {
		return nil, err
	}
	err = item.Value(func(value []byte) error {
		content, err = unseal(key, item.UserMeta(), value)
		content = slices.Clone(content)
		return err
	})
	return content, err
}
