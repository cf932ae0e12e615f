package bundles

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gec/engine"
)

// Leave ends a subscription of an EC with today (A16); it is given by its id, or by that of the bundle. It
// returns the subscription as it then is.
//
// Errors: those of Caller.MayForCreditorInstitution for FunctionSubscriptions; ErrNotFound; *StateError for
// one that has ended; those of the Store.
func (c *Catalogue) Leave(ctx context.Context, caller Caller, ec, id string) (left Subscription, err error) {
	err = c.changeSubscription(ctx, caller, ec, id, "leave", func(b base, s *Subscription) error {
		s.Validity.To = b.today
		left = *s
		left.Updated, left.Revision = b.now, b.record.Revision+1
		return nil
	})
	if err != nil {
		return Subscription{}, err
	}
	return left, nil
}

// AddAttributes adds to what an EC bears (A17), in a subscription given by its id or by that of the bundle.
// It returns the ids of the new attributes, in their order.
//
// Errors: those of Leave; Faults with paths such as "attributes[0].maxPaymentAmount", which count the new
// ones.
func (c *Catalogue) AddAttributes(ctx context.Context, caller Caller, ec, id string, attributes []engine.Attribute) ([]string, error) {
	attributes = withIDs(attributes)
	ids := make([]string, len(attributes))
	for n := range attributes {
		ids[n] = attributes[n].ID
	}
	err := c.changeSubscription(ctx, caller, ec, id, "addAttributes", func(b base, s *Subscription) error {
		if len(attributes) == 0 {
			return Faults{{Path: "attributes", Reason: "are none", Fix: "send at least one"}}
		}
		// The new ones come first, so that the paths of faults count them.
		return beyond(c.setAttributes(ctx, b, s, slices.Concat(attributes, s.Attributes)), len(attributes))
	})
	return ids, err
}

// beyond rewords the faults of attributes that the subscription had before: of n that were sent, the sender
// knows the numbers.
func beyond(err error, n int) error {
	var faults Faults
	if !errors.As(err, &faults) {
		return err
	}
	reworded := make(Faults, len(faults))
	for i, f := range faults {
		var at int
		if _, err := fmt.Sscanf(f.Path, "attributes[%d]", &at); err == nil && at >= n {
			f.Path, f.Reason = "attributes", fmt.Sprintf("beside attribute %d of the subscription, which %s", at-n+1, f.Reason)
		}
		reworded[i] = f
	}
	return reworded
}

// ChangeAttribute replaces one attribute of a subscription, which is given as in AddAttributes (A17). The id
// of the attribute stays. Errors: those of AddAttributes; ErrNotFound for the attribute.
func (c *Catalogue) ChangeAttribute(ctx context.Context, caller Caller, ec, id, attributeID string, a engine.Attribute) error {
	a.ID = attributeID
	return c.changeSubscription(ctx, caller, ec, id, "changeAttribute", func(b base, s *Subscription) error {
		rest, err := withoutAttribute(s.Attributes, attributeID)
		if err != nil {
			return err
		}
		return Unplaced(c.setAttributes(ctx, b, s, slices.Concat([]engine.Attribute{a}, rest)), "attributes[0]")
	})
}

// RemoveAttribute removes one attribute of a subscription, which is given as in AddAttributes (A17): the EC
// no longer bears it. Errors: those of Leave; ErrNotFound for the attribute.
func (c *Catalogue) RemoveAttribute(ctx context.Context, caller Caller, ec, id, attributeID string) error {
	return c.changeSubscription(ctx, caller, ec, id, "removeAttribute", func(_ base, s *Subscription) (err error) {
		s.Attributes, err = withoutAttribute(s.Attributes, attributeID)
		return err
	})
}

func withoutAttribute(all []engine.Attribute, id string) ([]engine.Attribute, error) {
	at := slices.IndexFunc(all, func(a engine.Attribute) bool { return a.ID == id })
	if at < 0 {
		return nil, notFound("attribute", id)
	}
	return slices.Concat(all[:at], all[at+1:]), nil
}

// setAttributes replaces the attributes of a subscription. Errors: Faults, *StateError.
func (c *Catalogue) setAttributes(ctx context.Context, b base, s *Subscription, attributes []engine.Attribute) error {
	bundle, err := c.storedBundle(ctx, b.record.Revision, s.BundleID)
	switch {
	case err != nil:
		return err
	case bundle == nil:
		return notFound("bundle", s.BundleID)
	case bundle.Type == engine.Global: // met in old snapshots (spec 5)
		return &StateError{What: "bundle", ID: bundle.ID, Reason: "is GLOBAL, and its fee the PSP's alone", Fix: "agree with the PSP on a PUBLIC or PRIVATE bundle"}
	}
	s.Attributes = attributes
	return checkAttributes(attributes, bundle).Err()
}

// changeSubscription changes a live subscription of an EC, given by its id or by that of the bundle.
func (c *Catalogue) changeSubscription(ctx context.Context, caller Caller, ec, id, operation string, change func(b base, s *Subscription) error) error {
	if err := caller.MayForCreditorInstitution(ec, FunctionSubscriptions); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return c.relate(ctx, caller, ec, operation, func(b base) (e edit, err error) {
		s, err := c.subscription(ctx, b.record.Revision, ec, id, b.today)
		if err != nil {
			return e, err
		}
		if ended(s.Validity, b.today) {
			return e, &StateError{What: "subscription", ID: s.ID, Reason: "ends on " + s.Validity.To.String(), Fix: "subscribe to the bundle anew"}
		}
		before := s
		if err := change(b, &s); err != nil {
			return e, err
		}
		if !sameSubscription(&before, &s) {
			e.subscribed = []Subscription{s}
		}
		return e, nil
	})
}

// subscription returns that of an EC with an id, or to a bundle with it; the one that lasts longest where
// there are several. Errors: ErrNotFound.
func (c *Catalogue) subscription(ctx context.Context, revision int64, ec, id string, today engine.Date) (found Subscription, err error) {
	all, err := c.subscriptions(ctx, revision, ec)
	if err != nil {
		return found, err
	}
	err = notFound("subscription", id)
	for _, s := range all {
		if s.ID != id && s.BundleID != id {
			continue
		}
		if err != nil || ended(found.Validity, today) && !ended(s.Validity, today) {
			found, err = s, nil
		}
	}
	return found, err
}
