package bundles

import (
	"context"
)

// leaveRemoved ends the subscriptions of bundles that go, and closes what is open about them.
func (c *Catalogue) leaveRemoved(ctx context.Context, b base, e *edit) error {
	for _, bundle := range e.removed {
		ids, _, err := c.subscribers(ctx, b.record.Revision, bundle)
		if err != nil {
			return err
		}
		e.unsubscribed = append(e.unsubscribed, ids...)
		if err := c.closeRelations(ctx, b, bundle, e); err != nil {
			return err
		}
	}
	return nil
}

// Remove takes bundles out of the catalogue, with their subscriptions; ids that it does not have are
// passed over. The rows of earlier revisions stay: history, and quotes as of then, are untouched (A5).
// It is the operator's; a PSP retires its bundles. Errors: ErrForbidden; those of the Store.
func (c *Catalogue) Remove(ctx context.Context, caller Caller, bundleIDs []string, operation string) (report Report, err error) {
	record, err := c.operate(ctx, caller, operation, func(b base) (e edit, err error) {
		seen := make(map[string]bool, len(bundleIDs))
		for _, id := range bundleIDs {
			if _, there := b.snapshot.Bundle(id); there && !seen[id] {
				seen[id] = true
				e.removed = append(e.removed, id)
			}
		}
		err = c.leaveRemoved(ctx, b, &e)
		report = Report{Removed: len(e.removed), Subscriptions: len(e.unsubscribed)}
		return e, err
	})
	if err != nil {
		return Report{Revision: c.Head().Revision}, err
	}
	report.Revision = record.Revision
	return report, nil
}
