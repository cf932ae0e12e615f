package bundles

import (
	"context"
	"fmt"
)

// The annex holds what belongs to the catalogue because it must be as old, as shared and as provable as the
// bundles, and what this package does not read: keys, delegations and the public keys of receipts. Whoever owns a kind encodes its
// documents and decides who may change them; they become current, are recorded and are kept by revision
// like everything else.

// annex reports whether rows of the kind are of the annex.
func (k Kind) annex() bool {
	return k == KindKey || k == KindDelegation || k == KindReceiptKey
}

// AnnexRevision returns a revision that is not before the last change of any row of the annex. It moves
// with every such change, so that an owner who compares it with the one that it loaded at sees that it has
// to load again. It is one atomic load.
func (c *Catalogue) AnnexRevision() int64 { return c.current.Load().annex }

// Annex calls yield for every row of a kind of the annex as it stood at a revision, in order of id; 0 is
// the current one. The Document is valid during the call only. It stops at the first error of yield.
func (c *Catalogue) Annex(ctx context.Context, revision int64, kind Kind, yield func(Row) error) error {
	if !kind.annex() {
		return fmt.Errorf("rows of kind %q are not of the annex", kind)
	}
	return c.store.Scan(ctx, c.revisionOr(revision), kind, "", yield)
}

// AnnexChanges calls yield for every row of the annex that the revisions after one wrote, up to and including another,
// in order of revision. The Document is valid during the call only. It stops at the first error of yield.
func (c *Catalogue) AnnexChanges(ctx context.Context, after, through int64, yield func(Row) error) error {
	return c.store.Changes(ctx, after, through, func(r Row) error {
		if !r.Kind.annex() {
			return nil
		}
		return yield(r)
	})
}

// ChangeAnnex makes one change of rows of the annex, in one revision. work is given a function that reads
// the rows as they are before the change, and is called again where somebody else's change came first; it
// decides whether the caller may. No rows: nothing is changed, and the record is that of the head.
// Errors: those of work; ErrInvalidRow for a row of another kind; those of the Store.
func (c *Catalogue) ChangeAnnex(ctx context.Context, caller Caller, operation string, work func(get func(kind Kind, id string) (Row, error)) ([]Row, error)) (Record, error) {
	record, err := c.change(ctx, request{caller: caller, operation: operation}, func(b base) (e edit, err error) {
		e.others, err = work(func(kind Kind, id string) (Row, error) {
			return c.store.Get(ctx, b.record.Revision, kind, id)
		})
		for _, r := range e.others {
			if !r.Kind.annex() {
				return e, fmt.Errorf("%w: kind %q is not of the annex", ErrInvalidRow, r.Kind)
			}
		}
		return e, err
	})
	return record, ignoreUnchanged(err)
}

// revisionOr returns the revision, the current one for 0.
func (c *Catalogue) revisionOr(revision int64) int64 {
	if revision == 0 {
		return c.Head().Revision
	}
	return revision
}
