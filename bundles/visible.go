package bundles

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"gec/engine"
)

// Who sees what (A18): the operator and auditors see everything; a PSP what is its own; an EC the GLOBAL and
// PUBLIC bundles, those PRIVATE ones that it was offered or subscribed to, and what is its own. What a
// caller does not see is ErrNotFound. A revision of 0 is the current one.

// PSPBundles returns the bundles of a PSP, in order of id. Errors: those of Caller.MayReadPSP; ErrNotFound
// for the revision.
func (c *Catalogue) PSPBundles(ctx context.Context, caller Caller, psp string, revision int64) ([]*engine.Bundle, error) {
	if err := caller.MayReadPSP(psp); err != nil {
		return nil, err
	}
	current := c.current.Load()
	if revision == 0 || revision == current.record.Revision {
		return slices.Collect(current.snapshot.BundlesOf(psp)), nil
	}
	return c.seen(ctx, revision, func(b *engine.Bundle) bool { return strings.EqualFold(b.PSP, psp) })
}

// PSPBundle returns a bundle of a PSP with all that is kept of it. Errors: those of Caller.MayReadPSP;
// ErrNotFound.
func (c *Catalogue) PSPBundle(ctx context.Context, caller Caller, psp, id string, revision int64) (Bundle, error) {
	if err := caller.MayReadPSP(psp); err != nil {
		return Bundle{}, err
	}
	return c.ownBundle(ctx, c.revisionOr(revision), psp, id)
}

// VisibleBundles returns the bundles that a caller sees, in order of id. Errors: ErrNotFound for the
// revision.
func (c *Catalogue) VisibleBundles(ctx context.Context, caller Caller, revision int64) ([]*engine.Bundle, error) {
	revision = c.revisionOr(revision)
	sees, err := c.sight(ctx, caller, revision)
	if err != nil {
		return nil, err
	}
	return c.seen(ctx, revision, sees)
}

// seen returns the bundles of a revision that sees picks, in order of id.
func (c *Catalogue) seen(ctx context.Context, revision int64, sees func(*engine.Bundle) bool) ([]*engine.Bundle, error) {
	snapshot, err := c.At(ctx, revision)
	if err != nil {
		return nil, err
	}
	return filtered(snapshot.Bundles(), sees), nil
}

func filtered(all iter.Seq[*engine.Bundle], keep func(*engine.Bundle) bool) []*engine.Bundle {
	kept := []*engine.Bundle{}
	for b := range all {
		if keep(b) {
			kept = append(kept, b)
		}
	}
	return kept
}

// VisibleBundle returns a bundle that a caller sees, with all that is kept of it. Errors: ErrNotFound.
func (c *Catalogue) VisibleBundle(ctx context.Context, caller Caller, id string, revision int64) (Bundle, error) {
	revision = c.revisionOr(revision)
	sees, err := c.sight(ctx, caller, revision)
	if err != nil {
		return Bundle{}, err
	}
	b, err := c.storedBundle(ctx, revision, id)
	if err == nil && (b == nil || !sees(&b.Bundle)) {
		err = notFound("bundle", id)
	}
	if err != nil {
		return Bundle{}, err
	}
	return *b, nil
}

// sight returns which bundles a caller sees at a revision.
func (c *Catalogue) sight(ctx context.Context, caller Caller, revision int64) (func(*engine.Bundle) bool, error) {
	if caller.mayReadAll() == nil {
		return func(*engine.Bundle) bool { return true }, nil
	}
	private := map[string]bool{}
	for _, ec := range caller.CreditorInstitutions {
		own, err := c.privateTo(ctx, revision, ec.ID)
		if err != nil {
			return nil, err
		}
		for id := range own {
			private[id] = true
		}
	}
	isEC := len(caller.CreditorInstitutions) > 0
	return func(b *engine.Bundle) bool {
		return isEC && b.Type != engine.Private || private[b.ID] || find(caller.PSPs, b.PSP) != nil
	}, nil
}

// privateTo returns the ids of the bundles that an EC was offered or subscribed to.
func (c *Catalogue) privateTo(ctx context.Context, revision int64, ec string) (map[string]bool, error) {
	ids := map[string]bool{}
	offers, err := c.offersUnder(ctx, revision, indexOffersOfEC, ec)
	if err != nil {
		return nil, err
	}
	for n := range offers {
		if offers[n].State == StateOpen {
			ids[offers[n].BundleID] = true
		}
	}
	err = c.store.ScanIDs(ctx, revision, KindSubscription, subscriptionPrefix(ec), func(id string) error {
		_, bundle, err := splitSubscriptionRowID(id)
		ids[strings.Clone(bundle)] = true
		return err
	})
	return ids, err
}

// Subscribers returns the subscriptions to a bundle of a PSP, in order of EC and id. Errors: those of
// Caller.MayReadPSP; ErrNotFound.
func (c *Catalogue) Subscribers(ctx context.Context, caller Caller, psp, bundleID string, revision int64) ([]Subscription, error) {
	if _, err := c.PSPBundle(ctx, caller, psp, bundleID, revision); err != nil {
		return nil, err
	}
	_, all, err := c.subscribers(ctx, c.revisionOr(revision), bundleID)
	if err != nil {
		return nil, fmt.Errorf("subscribers of bundle %s: %w", Excerpt(bundleID), err)
	}
	return all, nil
}

// PSPOffers returns the offers that a PSP made, in the order in which it made them. Errors: those of
// Caller.MayReadPSP.
func (c *Catalogue) PSPOffers(ctx context.Context, caller Caller, psp string, revision int64) ([]Offer, error) {
	if err := caller.MayReadPSP(psp); err != nil {
		return nil, err
	}
	return c.offersUnder(ctx, c.revisionOr(revision), indexOffersOfPSP, fold(psp))
}

// PSPRequests returns the requests that a PSP was sent, in the order in which they came. Errors: those of
// Caller.MayReadPSP.
func (c *Catalogue) PSPRequests(ctx context.Context, caller Caller, psp string, revision int64) ([]Request, error) {
	if err := caller.MayReadPSP(psp); err != nil {
		return nil, err
	}
	return c.requestsUnder(ctx, c.revisionOr(revision), indexRequestsOfPSP, fold(psp))
}

// Offers returns the offers that an EC was made, in the order in which they came. Errors: those of
// Caller.MayReadCreditorInstitution.
func (c *Catalogue) Offers(ctx context.Context, caller Caller, ec string, revision int64) ([]Offer, error) {
	if err := caller.MayReadCreditorInstitution(ec); err != nil {
		return nil, err
	}
	return c.offersUnder(ctx, c.revisionOr(revision), indexOffersOfEC, ec)
}

// Requests returns the requests that an EC made, in the order in which it made them. Errors: those of
// Caller.MayReadCreditorInstitution.
func (c *Catalogue) Requests(ctx context.Context, caller Caller, ec string, revision int64) ([]Request, error) {
	if err := caller.MayReadCreditorInstitution(ec); err != nil {
		return nil, err
	}
	return c.requestsUnder(ctx, c.revisionOr(revision), indexRequestsOfEC, ec)
}
