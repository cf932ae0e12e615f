package badger

import (
	"context"
	"fmt"
	"slices"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// sweepRowsMax is the number of rows removed in one transaction.
const sweepRowsMax = chunkRowsMax

// sweep removes the rows that no head reaches: those of revisions above the given one. A sweep that is
// cut short has removed some rows, each with its entry in the index; the next one goes on.
func (s *Store) sweep(ctx context.Context, head int64) error {
	s.unswept = true
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		keys, err := s.orphans(head, sweepRowsMax)
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if len(keys) == 0 {
			s.unswept = false
			return nil
		}
		err = s.db.Update(func(txn *badgerdb.Txn) error {
			for _, key := range keys {
				if err := txn.Delete(key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("sweep: %w", s.fail(err))
		}
		s.o.step(stepSweep)
	}
}

// orphans returns the keys of up to max rows above a revision, and of their entries in the index; then of records that a
// base brought.
func (s *Store) orphans(head int64, max int) (keys [][]byte, err error) {
	err = s.db.View(func(txn *badgerdb.Txn) error {
		it := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{spaceChanges}})
		defer it.Close()
		for it.Seek(changesFrom(head + 1)); it.Valid() && len(keys) < 2*max; it.Next() {
			key := slices.Clone(it.Item().Key())
			revision, kind, id := splitChangeKey(key)
			keys = append(keys, rowKey(kind, id, revision), key)
		}
		records := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{spaceBaseRecord}})
		defer records.Close()
		for records.Seek(baseRecordKey(head + 1)); records.Valid() && len(keys) < 2*max; records.Next() {
			keys = append(keys, slices.Clone(records.Item().Key()))
		}
		return nil
	})
	return keys, err
}
