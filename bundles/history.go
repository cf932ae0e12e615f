package bundles

import (
	"context"
	"errors"
	"fmt"

	"gec/engine"
)

// Version is one change of a bundle: who made it and when, and the bundle before and after (A8).
type Version struct {
	Record Record
	// Before is nil where the bundle was new, After where it was removed.
	Before, After *Bundle
}

// History returns every change of a bundle, oldest first, to the operator, auditors and those who act for
// its PSP. Errors: ErrNotFound when there never was one.
func (c *Catalogue) History(ctx context.Context, caller Caller, bundleID string) ([]Version, error) {
	rows, err := c.store.Versions(ctx, KindBundle, bundleID)
	if err != nil {
		return nil, fmt.Errorf("history of bundle %s: %w", Excerpt(bundleID), err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("bundle %s: %w", Excerpt(bundleID), ErrNotFound)
	}
	versions := make([]Version, 0, len(rows))
	var before *Bundle
	for _, row := range rows {
		v := Version{Before: before}
		if v.Record, err = c.store.Record(ctx, row.Revision); err == nil && !row.Deleted {
			var b Bundle
			b, err = decodeBundleRow(row)
			v.After = &b
		}
		if err != nil {
			return nil, fmt.Errorf("history of bundle %s: %w", Excerpt(bundleID), err)
		}
		versions = append(versions, v)
		before = v.After
	}
	for _, v := range versions {
		if v.After != nil && caller.MayReadPSP(v.After.PSP) != nil {
			return nil, notFound("bundle", bundleID)
		}
	}
	return versions, nil
}

// Records returns the records of the revisions from..to, both included, oldest first; revisions that
// are not there are left out. They are for the operator and auditors. Errors: ErrForbidden.
func (c *Catalogue) Records(ctx context.Context, caller Caller, from, to int64) ([]Record, error) {
	if err := caller.mayReadAll(); err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	records := []Record{}
	for revision := max(from, 1); revision <= min(to, c.Head().Revision); revision++ {
		r, err := c.store.Record(ctx, revision)
		if errors.Is(err, ErrNotFound) {
			continue // before the base state that this node's history begins at
		}
		if err != nil {
			return nil, fmt.Errorf("record of revision %d: %w", revision, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// HistorySHA256 returns the hash of the history up to and with a revision (see Digest), zeros for revision 0. It
// tells apart two catalogues that count their revisions alike. It is one atomic load for the current revision.
// Errors: ErrNotFound for a revision that is not there, also one whose record is no longer kept.
func (c *Catalogue) HistorySHA256(ctx context.Context, revision int64) ([32]byte, error) {
	if head := c.Head(); head.Revision == revision {
		return head.SHA256, nil
	}
	if revision == 0 {
		return [32]byte{}, nil
	}
	record, err := c.store.Record(ctx, revision)
	if err != nil {
		return [32]byte{}, fmt.Errorf("history up to revision %d: %w", revision, err)
	}
	return record.SHA256, nil
}

// bundle returns a bundle as it stood at a revision, with all that is kept of it. Errors: ErrNotFound.
func (c *Catalogue) bundle(ctx context.Context, revision int64, id string) (Bundle, error) {
	row, err := c.store.Get(ctx, revision, KindBundle, id)
	if err != nil {
		return Bundle{}, fmt.Errorf("bundle %s: %w", Excerpt(id), err)
	}
	b, err := decodeBundleRow(row)
	if err != nil {
		return Bundle{}, fmt.Errorf("bundle %s: %w", Excerpt(id), err)
	}
	return b, nil
}

// Subscriptions returns those of an EC as they stood at a revision, 0 being the current one, in order of
// bundle and id; none for an EC that has none. Errors: those of Caller.MayReadCreditorInstitution;
// ErrNotFound for the revision.
func (c *Catalogue) Subscriptions(ctx context.Context, caller Caller, revision int64, ec string) ([]Subscription, error) {
	if err := caller.MayReadCreditorInstitution(ec); err != nil {
		return nil, err
	}
	return c.subscriptions(ctx, c.revisionOr(revision), ec)
}

func (c *Catalogue) subscriptions(ctx context.Context, revision int64, ec string) ([]Subscription, error) {
	subscriptions := []Subscription{}
	err := c.store.Scan(ctx, revision, KindSubscription, subscriptionPrefix(ec), func(r Row) error {
		s, err := decodeSubscriptionRow(r)
		subscriptions = append(subscriptions, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("subscriptions of %s: %w", Excerpt(ec), err)
	}
	return subscriptions, nil
}

// Export returns the whole catalogue as it stood at a revision, 0 meaning the current one: bundles in
// order of id, subscriptions in order of EC, bundle and id. Importing it with ImportReplaceAll gives
// the same catalogue again (A9). It is for the operator and auditors. Errors: ErrForbidden, ErrNotFound.
func (c *Catalogue) Export(ctx context.Context, caller Caller, revision int64) (Document, error) {
	if err := caller.mayReadAll(); err != nil {
		return Document{}, fmt.Errorf("export: %w", err)
	}
	if revision == 0 {
		revision = c.Head().Revision
	}
	var (
		d        Document
		settings engine.Settings
		err      error
	)
	if revision > 0 {
		record, err := c.store.Record(ctx, revision)
		if err != nil {
			return Document{}, fmt.Errorf("export: %w", err)
		}
		d.Export = &Export{Revision: revision, At: record.At}
	}
	if settings, err = loadSettings(ctx, c.store, revision); err == nil {
		d.Settings = &settings
		d.Bundles, err = scanAll(ctx, c.store, revision, KindBundle, decodeBundleRow)
	}
	if err == nil {
		d.Subscriptions, err = scanAll(ctx, c.store, revision, KindSubscription, decodeSubscriptionRow)
	}
	if err == nil {
		d.PaymentMethods, err = scanAll(ctx, c.store, revision, KindPaymentMethod, decodeMethodRow)
	}
	if err != nil {
		return Document{}, fmt.Errorf("export: %w", err)
	}
	return d, nil
}

// storedBundle is Bundle where it is no error that there is none.
func (c *Catalogue) storedBundle(ctx context.Context, revision int64, id string) (*Bundle, error) {
	b, err := c.bundle(ctx, revision, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return &b, err
}
