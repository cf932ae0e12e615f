package badger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

// Verify reads every row and every record and checks them against the hash chain. It returns the
// number of rows that are as they were written. Errors: *DamagedError for the first revision that is
// not.
func (s *Store) Verify(ctx context.Context) (rows int, err error) {
	err = s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		rows, err = s.verifyRevisions(ctx, txn, 1, head)
		return err
	})
	return rows, err
}

// verifyRecent checks the latest revisions, back until enough rows were seen (Options.VerifyRows). What
// was written last is what a damaged log loses; tables are checked as files (see checkTables).
func (s *Store) verifyRecent(head bundles.Record) error {
	return s.db.View(func(txn *badgerdb.Txn) error {
		from := max(head.Revision, 1)
		// A base is checked as a whole, and nothing before it.
		for seen, first := head.Rows+1, s.gaps.Load().first(head.Revision); from > first && (s.o.VerifyRows < 0 || seen < s.o.VerifyRows); from-- {
			record, err := readRecord(txn, from-1)
			if err != nil {
				return recordDamage(from-1, err)
			}
			seen += record.Rows + 1
		}
		_, err := s.verifyRevisions(context.Background(), txn, from, head.Revision)
		return err
	})
}

// lastGood returns the record of the last revision before the damaged one whose rows match it; the zero Record when
// none does. Revisions after the damaged one have the damage in their state, although their own rows match.
func (s *Store) lastGood(head bundles.Record, damage *DamagedError) (good bundles.Record, err error) {
	err = s.db.View(func(txn *badgerdb.Txn) error {
		last := max(head.Revision, lastRecord(txn))
		if damage.Part != "head" && damage.Revision > 0 { // a head is not part of any state
			last = min(last, damage.Revision-1)
		}
		for revision := last; revision > 0; revision-- {
			if s.within(revision, revision) != nil {
				continue // it has no state
			}
			_, err := s.verifyRevisions(context.Background(), txn, revision, revision)
			var damage *DamagedError
			if errors.As(err, &damage) {
				continue
			}
			if err == nil {
				good, err = readRecord(txn, revision)
			}
			return err
		}
		return nil
	})
	return good, err
}

// verifyRevisions checks the revisions from..through: the records and rows against the record before them, bases
// against their hash. It returns the number of rows. Errors: *DamagedError.
func (s *Store) verifyRevisions(ctx context.Context, txn *badgerdb.Txn, from, through int64) (rows int, err error) {
	for _, g := range *s.gaps.Load() {
		if g.at < from || g.at > through {
			continue
		}
		before, err := verifyChain(ctx, txn, from, min(g.after, through))
		rows += before
		if err != nil {
			return rows, err
		}
		record, err := readRecord(txn, g.at)
		if err != nil {
			return rows, recordDamage(g.at, err)
		}
		if err := verifyBase(ctx, txn, g, record); err != nil {
			return rows, err
		}
		rows, from = rows+g.rows, g.at+1
	}
	after, err := verifyChain(ctx, txn, from, through)
	return rows + after, err
}

// verifyChain checks the records and the rows of the revisions from..through, among which is no base, against the
// record before them, in one pass, and returns the number of rows. Errors: *DamagedError.
func verifyChain(ctx context.Context, txn *badgerdb.Txn, from, through int64) (rows int, err error) {
	if through < from {
		return 0, nil
	}
	c := chain{txn: txn}
	if from > 1 {
		if c.record, err = readRecord(txn, from-1); err != nil {
			return 0, recordDamage(from-1, err)
		}
	}
	err = walk(ctx, txn, from, through, func(row bundles.Row) error {
		if err := c.reach(row.Revision); err != nil {
			return err
		}
		c.digest.Add(row)
		c.rows++
		rows++
		return nil
	})
	if err == nil {
		err = c.reach(through)
	}
	if err == nil {
		err = c.finish()
	}
	return rows, err
}

// chain follows the hash chain of records over the rows of one revision after the other.
type chain struct {
	txn *badgerdb.Txn
	// record is that of the revision whose rows are being digested, or before the first one, where
	// digest is nil, that of the revision before it.
	record bundles.Record
	digest *bundles.Digest
	rows   int
}

// reach finishes the revisions before the given one and begins that one.
func (c *chain) reach(revision int64) error {
	for c.record.Revision < revision {
		if err := c.finish(); err != nil {
			return err
		}
		next, err := readRecord(c.txn, c.record.Revision+1)
		if err != nil {
			return recordDamage(c.record.Revision+1, err)
		}
		c.digest, c.rows, c.record = bundles.NewDigest(c.record.SHA256, next), 0, next
	}
	return nil
}

// finish compares what was digested with what the record says.
func (c *chain) finish() error {
	if c.digest == nil {
		return nil
	}
	switch revision := c.record.Revision; {
	case c.rows != c.record.Rows:
		return &DamagedError{Revision: revision, Part: "rows", Reason: fmt.Sprintf("%d of %d are there", c.rows, c.record.Rows)}
	case c.digest.Sum() != c.record.SHA256:
		return &DamagedError{Revision: revision, Part: "record", Reason: "its hash does not match"}
	}
	return nil
}

// Discard gives up the revisions after the one that a degraded store serves, which then takes commits
// again. What was acknowledged in those revisions is lost; the caller has the operator's word for it.
// On a store that is not degraded it does nothing.
func (s *Store) Discard(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.degraded.Load() == nil {
		return nil
	}
	head := *s.head.Load()
	// The head is moved last: a crash before leaves it at a record that is gone, which Open finds
	// damaged as it was.
	if err := s.discardRecords(head.Revision); err != nil {
		return fmt.Errorf("discard: %w", err)
	}
	if err := s.db.Update(func(txn *badgerdb.Txn) error {
		key := []byte(headKey)
		if head.Revision == 0 {
			return txn.Delete(key)
		}
		return txn.Set(key, seal(key, 0, encodeHead(head)))
	}); err != nil {
		return fmt.Errorf("discard: %w", s.fail(err))
	}
	if err := s.sweep(ctx, head.Revision); err != nil {
		return fmt.Errorf("discard: %w", err)
	}
	kept := slices.DeleteFunc(slices.Clone(*s.gaps.Load()), func(g gap) bool { return g.at > head.Revision })
	s.gaps.Store(&kept)
	s.degraded.Store(nil)
	return nil
}

// discardRecords removes the records after a revision, the last first, with their idempotency keys and bases.
func (s *Store) discardRecords(after int64) error {
	for done := false; !done; {
		if err := s.db.Update(func(txn *badgerdb.Txn) error {
			last := lastRecord(txn)
			if done = last <= after; done {
				return nil
			}
			if record, err := readRecord(txn, last); err == nil && record.IdempotencyKey != "" {
				if err := txn.Delete(idempotencyKey(record.IdempotencyKey)); err != nil {
					return err
				}
			}
			return errors.Join(txn.Delete(baseKey(last)), txn.Delete(recordKey(last)))
		}); err != nil {
			return s.fail(err)
		}
	}
	return nil
}
