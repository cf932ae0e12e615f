package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	badgerdb "github.com/dgraph-io/badger/v4"

	"gec/bundles"
)

var (
	_ bundles.Rebaser = (*Store)(nil)
	_ bundles.Gapped  = (*Store)(nil)
)

// gap is where the history of the folder was taken up by a base: nothing is known of the revisions between,
// besides what the base tells.
type gap struct {
	// after is the last revision before the gap, 0 for an empty folder; at that of the base.
	after, at int64
	rows      int
	sha256    [32]byte
}

func (g gap) has(revision int64) bool { return g.after < revision && revision < g.at }

// gaps are those of a folder, the oldest first.
type gaps []gap

// first returns the first revision, from the given one back, from which on there is no gap.
func (all gaps) first(revision int64) int64 {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at <= revision {
			return all[i].at
		}
	}
	return 1
}

// at returns the gap that a base at the revision closes.
func (all gaps) at(revision int64) (gap, bool) {
	i := slices.IndexFunc(all, func(g gap) bool { return g.at == revision })
	if i < 0 {
		return gap{}, false
	}
	return all[i], true
}

const gapBytes = 8 + 8 + 32

func (g gap) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(g.after))
	b = binary.BigEndian.AppendUint64(b, uint64(g.rows))
	return append(b, g.sha256[:]...)
}

// readGaps reads the gaps of the folder.
func readGaps(txn *badgerdb.Txn) (all gaps, err error) {
	it := txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{spaceBase}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		content, err := getContent(txn, key)
		if err == nil && (len(key) != 1+revisionBytes || len(content) != gapBytes) {
			err = fmt.Errorf("it has %d bytes", len(content))
		}
		if err != nil {
			return nil, &DamagedError{Part: "base", Reason: err.Error()}
		}
		g := gap{
			at:    int64(binary.BigEndian.Uint64(key[1:])),
			after: int64(binary.BigEndian.Uint64(content)), rows: int(binary.BigEndian.Uint64(content[8:])),
		}
		copy(g.sha256[:], content[16:])
		all = append(all, g)
	}
	return all, nil
}

// within refuses a revision that is not there.
func (s *Store) within(at, head int64) error {
	if at < 0 || at > head {
		return fmt.Errorf("revision %d, the current one is %d: %w", at, head, bundles.ErrNotFound)
	}
	for _, g := range *s.gaps.Load() {
		if g.has(at) {
			return fmt.Errorf("revision %d: this folder was filled at revision %d and has no history right before it: %w", at, g.at, bundles.ErrNotFound)
		}
	}
	return nil
}

// Gap returns a *bundles.GapError where a part of the history after a revision is not there.
func (s *Store) Gap(after int64) error {
	for _, g := range slices.Backward(*s.gaps.Load()) {
		if g.at > after {
			return &bundles.GapError{After: g.after, At: g.at}
		}
	}
	return nil
}

// State calls yield for the rows of the base at a revision. Errors: ErrNotFound, *DamagedError, those of yield.
func (s *Store) State(ctx context.Context, at int64, yield func(bundles.Row) error) error {
	return s.view(ctx, func(txn *badgerdb.Txn, head int64) error {
		if err := s.within(at, head); err != nil {
			return err
		}
		return state(ctx, txn, at, yield)
	})
}

// state is State, also above the head.
func state(ctx context.Context, txn *badgerdb.Txn, at int64, yield func(bundles.Row) error) error {
	named := map[int64]bool{}
	rows := newNewest(txn, []byte{spaceRow}, at)
	defer rows.close()
	for item := rows.next(ctx); item != nil; item = rows.next(ctx) {
		if isDeleted(item) {
			continue
		}
		row, err := readRow(item, kindOf(item.Key()))
		if err != nil {
			return err
		}
		named[row.Revision] = true
		if err := yield(row); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return recordsThrough(ctx, txn, at-1, func(r bundles.Record) error {
		if !named[r.Revision] && r.IdempotencyKey == "" {
			return nil
		}
		return yield(bundles.Row{Kind: bundles.KindRecord, Revision: r.Revision, Document: bundles.EncodeRecord(r)})
	})
}

// recordsThrough calls yield for every record up to a revision, in order, those that a base brought among them.
func recordsThrough(ctx context.Context, txn *badgerdb.Txn, at int64, yield func(bundles.Record) error) error {
	var its [2]*badgerdb.Iterator
	for i, space := range []byte{spaceRecord, spaceBaseRecord} {
		its[i] = txn.NewIterator(badgerdb.IteratorOptions{Prefix: []byte{space}})
		defer its[i].Close()
		its[i].Rewind()
	}
	revision := func(it *badgerdb.Iterator) int64 {
		if !it.Valid() || len(it.Item().Key()) != 1+revisionBytes {
			return at + 1
		}
		return int64(binary.BigEndian.Uint64(it.Item().Key()[1:]))
	}
	for ctx.Err() == nil {
		first := its[0]
		if revision(its[1]) < revision(first) {
			first = its[1]
		}
		next := revision(first)
		if next > at {
			return nil
		}
		r, err := readRecord(txn, next)
		if err != nil {
			return recordDamage(next, err)
		}
		if err := yield(r); err != nil {
			return err
		}
		first.Next()
	}
	return ctx.Err()
}

// Rebase makes a base the current revision (see the package comment). Errors: those of [bundles.Rebaser],
// ErrUncertain, *DamagedError.
func (s *Store) Rebase(ctx context.Context, b bundles.Base, rows func(yield func(bundles.Row) error) error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.writing.Lock()
	defer s.writing.Unlock()
	head := *s.head.Load()
	err := s.writable()
	if err == nil && b.Record.Revision <= head.Revision {
		err = bundles.ErrConflict
	}
	if err == nil {
		err = s.checkSpace(0)
	}
	if err == nil && s.unswept {
		err = s.sweep(ctx, head.Revision)
	}
	if err != nil {
		return fmt.Errorf("take the base: %w", err)
	}
	if err := s.rebase(ctx, head, b, rows); err != nil {
		if s.uncertain.Load() == nil {
			err = errors.Join(err, s.sweep(context.WithoutCancel(ctx), head.Revision))
		}
		return fmt.Errorf("take the base: %w", err)
	}
	s.o.step(stepAfterFlip)
	return nil
}

// rebase writes what of the base the folder lacks above the head, where no reader sees it, compares the state
// that results with the hash of the base, and flips.
func (s *Store) rebase(ctx context.Context, head bundles.Record, b bundles.Base, rows func(yield func(bundles.Row) error) error) error {
	before := s.db.NewTransaction(false) // as the folder was: the difference goes into later transactions
	defer before.Discard()
	own := newNewest(before, []byte{spaceRow}, head.Revision)
	defer own.close()
	w := s.newBatch()
	defer w.discard()
	t := taking{ctx: ctx, head: head.Revision, at: b.Record.Revision, own: own, to: w, digest: bundles.NewBaseDigest(b.Record)}
	t.mine = own.next(ctx)
	if err := rows(t.take); err != nil {
		return err
	}
	if got := t.digest.Base(b.Record); got != b {
		return &bundles.BaseError{Revision: t.at, Reason: "its rows do not match its hash"}
	}
	if err := t.dropUntil(nil); err != nil {
		return err
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	g := gap{after: head.Revision, at: t.at, rows: b.Rows, sha256: b.SHA256}
	if err := s.db.View(func(txn *badgerdb.Txn) error { return verifyBase(ctx, txn, g, b.Record) }); err != nil {
		var damage *DamagedError
		if errors.As(err, &damage) && head.Revision > 0 {
			err = &bundles.BaseError{Revision: t.at, Diverged: true, Reason: "with it the folder has another state than it states"}
		}
		return err
	}
	s.o.step(stepBeforeFlip)
	return s.flipTo(g, head, b.Record)
}

// flipTo makes the base current: the gap, the format that has gaps, and the head, in one transaction.
func (s *Store) flipTo(g gap, head, record bundles.Record) error {
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	gapKey, format := baseKey(g.at), []byte(formatKey)
	if err := errors.Join(txn.Set(gapKey, seal(gapKey, 0, g.encode())), txn.Set(format, seal(format, 0, encodeFormat(formatWithBases)))); err != nil {
		return err
	}
	if err := s.flip(txn, head, record); err != nil {
		return err
	}
	all := append(slices.Clone(*s.gaps.Load()), g)
	s.gaps.Store(&all) // before the head, whose readers look for gaps
	s.head.Store(&record)
	return nil
}

// taking is a base on its way into the folder.
type taking struct {
	ctx      context.Context
	head, at int64
	// own are the folder's rows at the head, mine the next of them, nil at the end.
	own    *newest
	mine   *badgerdb.Item
	to     *batch
	digest *bundles.BaseDigest
}

// take writes a row of the base, where the folder lacks it.
func (t *taking) take(r bundles.Row) error {
	t.digest.Add(r)
	if r.Revision < 1 || r.Revision > t.at || r.Kind == bundles.KindRecord && r.Revision == t.at {
		return &bundles.BaseError{Revision: t.at, Reason: fmt.Sprintf("it has a row of revision %d", r.Revision)}
	}
	if r.Kind == bundles.KindRecord {
		return t.takeRecord(r)
	}
	thing := thingPrefix(r.Kind, r.ID)
	if err := t.dropUntil(thing); err != nil {
		return err
	}
	if t.mine != nil && sameThing(t.mine.Key(), thing) {
		t.mine = t.own.next(t.ctx)
	}
	if r.Revision <= t.head {
		return nil // the folder has it: the state that results is compared
	}
	return t.to.row(t.ctx, r.Revision, r)
}

// takeRecord keeps a record, and its idempotency key.
func (t *taking) takeRecord(r bundles.Row) error {
	record, err := bundles.DecodeRecord(r.Document)
	if err != nil || record.Revision != r.Revision {
		return &bundles.BaseError{Revision: t.at, Reason: fmt.Sprintf("its record of revision %d is not one", r.Revision)}
	}
	if r.Revision <= t.head {
		return nil // it is there
	}
	if err := t.to.set(t.ctx, baseRecordKey(r.Revision), r.Document); err != nil || record.IdempotencyKey == "" {
		return err
	}
	return t.to.set(t.ctx, idempotencyKey(record.IdempotencyKey), encodeHead(record)[:revisionBytes])
}

// dropUntil states that the folder's things before the given one, nil for all that are left, are no longer there.
func (t *taking) dropUntil(thing []byte) error {
	for t.mine != nil && (thing == nil || bytes.Compare(t.mine.Key()[:len(t.mine.Key())-revisionBytes], thing) < 0) {
		if key := t.mine.Key(); !isDeleted(t.mine) {
			id, _ := splitRowKey(key)
			if err := t.to.row(t.ctx, t.at, bundles.Row{Kind: kindOf(key), ID: string(id), Deleted: true}); err != nil {
				return err
			}
		}
		t.mine = t.own.next(t.ctx)
	}
	return t.ctx.Err()
}

// verifyBase compares the state at a base with its hash. Errors: *DamagedError.
func verifyBase(ctx context.Context, txn *badgerdb.Txn, g gap, record bundles.Record) error {
	d := bundles.NewBaseDigest(record)
	err := state(ctx, txn, g.at, func(r bundles.Row) error {
		d.Add(r)
		return nil
	})
	if err != nil {
		return err
	}
	if got := d.Base(record); got.SHA256 != g.sha256 || got.Rows != g.rows {
		return &DamagedError{Revision: g.at, Part: "base", Reason: "the state that the folder has at it does not match its hash"}
	}
	return nil
}
