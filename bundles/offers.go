package bundles

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"gec/engine"
)

// relate makes a change in the name of one party.
func (c *Catalogue) relate(ctx context.Context, caller Caller, party, operation string, work func(b base) (edit, error)) error {
	_, err := c.relateIn(ctx, caller, party, operation, work)
	return err
}

// relateIn is relate; it returns the revision that holds the change.
func (c *Catalogue) relateIn(ctx context.Context, caller Caller, party, operation string, work func(b base) (edit, error)) (int64, error) {
	caller.OnBehalfOf = party
	record, err := c.change(ctx, request{caller: caller, operation: operation}, work)
	if err = ignoreUnchanged(err); err != nil {
		return 0, fmt.Errorf("%s: %w", operation, err)
	}
	return record.Revision, nil
}

// MakeOffers offers a PRIVATE bundle of a PSP to ECs, given by their tax codes, to all of them or to none
// (A13). It returns the offers in the order of the tax codes.
//
// Errors: those of Caller.MayForPSP for FunctionOffers; ErrNotFound; Faults with paths such as
// "ciFiscalCodeList[2]"; *StateError for a bundle that is not PRIVATE or has ended, and for every EC that
// has an open offer or a subscription; those of the Store.
func (c *Catalogue) MakeOffers(ctx context.Context, caller Caller, psp, bundleID string, ecs []string) ([]Offer, error) {
	const operation = "makeOffers"
	err := caller.MayForPSP(psp, FunctionOffers)
	if err == nil {
		err = checkOffered(ecs).Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	ids := make([]string, len(ecs))
	for n := range ids {
		ids[n] = uuid.NewString()
	}
	var offers []Offer
	revision, err := c.relateIn(ctx, caller, psp, operation, func(b base) (e edit, err error) {
		bundle, err := c.ownBundle(ctx, b.record.Revision, psp, bundleID)
		if err != nil {
			return e, err
		}
		if bundle.Type != engine.Private {
			return e, &StateError{What: "bundle", ID: bundleID, Reason: "is " + bundle.Type.String(), Fix: "offer PRIVATE bundles; to others ECs come by themselves"}
		}
		if err := expired(&bundle.Bundle, b.today); err != nil {
			return e, err
		}
		if err := c.unrelated(ctx, b, bundleID, ecs); err != nil {
			return e, err
		}
		for n, ec := range ecs {
			e.offers = append(e.offers, Offer{Relation{ID: ids[n], BundleID: bundleID, PSP: bundle.PSP, CreditorInstitution: ec, Inserted: b.now, Updated: b.now}})
		}
		offers = e.offers
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	for n := range offers {
		offers[n].Revision = revision
	}
	return offers, nil
}

// checkOffered checks the tax codes of those that a bundle is offered to.
func checkOffered(ecs []string) (faults Faults) {
	if len(ecs) == 0 {
		faults = append(faults, Fault{Path: "ciFiscalCodeList", Reason: "is empty", Fix: "name the creditor institutions by their tax codes"})
	}
	first := map[string]int{}
	for n, ec := range ecs {
		path := fmt.Sprintf("ciFiscalCodeList[%d]", n)
		if !IsTaxCode(ec) && len(faults) < faultsMax {
			faults = append(faults, Fault{Path: path, Reason: Excerpt(ec) + " is no tax code of an EC", Fix: "use its 11 digits"})
		}
		if at, repeated := first[ec]; repeated && len(faults) < faultsMax {
			faults = append(faults, Fault{Path: path, Reason: fmt.Sprintf("repeats ciFiscalCodeList[%d]", at), Fix: "name each once"})
			continue
		}
		first[ec] = n
	}
	return faults
}

// unrelated refuses ECs that have a live subscription to the bundle or an open offer of it.
func (c *Catalogue) unrelated(ctx context.Context, b base, bundleID string, ecs []string) error {
	_, subscriptions, err := c.subscribers(ctx, b.record.Revision, bundleID)
	if err != nil {
		return err
	}
	offers, err := c.offersUnder(ctx, b.record.Revision, indexOffersOfBundle, bundleID)
	if err != nil {
		return err
	}
	reasons := map[string]string{}
	for n := range offers {
		if offers[n].State == StateOpen {
			reasons[offers[n].CreditorInstitution] = "has an open offer of the bundle"
		}
	}
	for n := range subscriptions {
		if !ended(subscriptions[n].Validity, b.today) {
			reasons[subscriptions[n].CreditorInstitution] = "subscribes to the bundle"
		}
	}
	var refused []error
	for _, ec := range ecs {
		if reason := reasons[ec]; reason != "" && len(refused) < faultsMax {
			refused = append(refused, &StateError{What: "creditor institution", ID: ec, Reason: reason, Fix: "leave it out"})
		}
	}
	return errors.Join(refused...)
}

// WithdrawOffer takes back an open offer of a PSP (A13). bundleID may be empty; else the offer must be of
// that bundle. Errors: those of Caller.MayForPSP for FunctionOffers; ErrNotFound; *AnsweredError; those of
// the Store.
func (c *Catalogue) WithdrawOffer(ctx context.Context, caller Caller, psp, bundleID, offerID string) error {
	const operation = "withdrawOffer"
	if err := caller.MayForPSP(psp, FunctionOffers); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return c.relate(ctx, caller, psp, operation, func(b base) (e edit, err error) {
		o, err := c.offer(ctx, b.record.Revision, offerID)
		if err == nil && (fold(o.PSP) != fold(psp) || bundleID != "" && o.BundleID != bundleID) {
			err = notFound("offer", offerID)
		}
		if err == nil {
			err = o.answer("offer", StateWithdrawn, b.now)
		}
		e.offers = []Offer{o}
		return e, err
	})
}

// AcceptOffer makes the subscription that an EC was offered, with what it bears of the fee: from today, or
// when the bundle begins, to the bundle's end (A14).
//
// Errors: those of Caller.MayForCreditorInstitution for FunctionOffers; ErrNotFound; *AnsweredError; Faults
// with paths such as "attributes[0].maxPaymentAmount"; *StateError for a bundle that has ended; those of the
// Store.
func (c *Catalogue) AcceptOffer(ctx context.Context, caller Caller, ec, offerID string, attributes []engine.Attribute) (Subscription, error) {
	const operation = "acceptOffer"
	if err := caller.MayForCreditorInstitution(ec, FunctionOffers); err != nil {
		return Subscription{}, fmt.Errorf("%s: %w", operation, err)
	}
	attributes, id := withIDs(attributes), uuid.NewString()
	var accepted Subscription
	revision, err := c.relateIn(ctx, caller, ec, operation, func(b base) (e edit, err error) {
		o, err := c.offerTo(ctx, b, ec, offerID)
		if err == nil {
			err = o.answer("offer", StateAccepted, b.now)
		}
		if err != nil {
			return e, err
		}
		accepted, err = c.agree(ctx, b, &o.Relation, id, attributes, engine.Period{From: b.today})
		e.offers, e.subscribed = []Offer{o}, []Subscription{accepted}
		return e, err
	})
	if err != nil {
		return Subscription{}, err
	}
	accepted.Revision = revision
	return accepted, nil
}

// RejectOffer declines an offer (A14). Errors: as AcceptOffer.
func (c *Catalogue) RejectOffer(ctx context.Context, caller Caller, ec, offerID string) error {
	const operation = "rejectOffer"
	if err := caller.MayForCreditorInstitution(ec, FunctionOffers); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return c.relate(ctx, caller, ec, operation, func(b base) (e edit, err error) {
		o, err := c.offerTo(ctx, b, ec, offerID)
		if err == nil {
			err = o.answer("offer", StateRejected, b.now)
		}
		e.offers = []Offer{o}
		return e, err
	})
}

func (c *Catalogue) offer(ctx context.Context, revision int64, id string) (o Offer, err error) {
	row, err := c.store.Get(ctx, revision, KindOffer, id)
	if err != nil {
		return o, fmt.Errorf("offer %s: %w", Excerpt(id), err)
	}
	o, err = DecodeOffer(row.Document)
	o.Revision = row.Revision
	return o, err
}

// offerTo returns an offer if it was made to the EC. Errors: ErrNotFound.
func (c *Catalogue) offerTo(ctx context.Context, b base, ec, id string) (Offer, error) {
	o, err := c.offer(ctx, b.record.Revision, id)
	if err == nil && o.CreditorInstitution != ec {
		err = notFound("offer", id)
	}
	return o, err
}

func notFound(what, id string) error { return fmt.Errorf("%s %s: %w", what, Excerpt(id), ErrNotFound) }

// agree returns the subscription that an accepted offer or request comes to: the one that the EC has with
// the new attributes, or a new one of the given id. wanted is when it should hold; it is brought inside the
// bundle's period. Errors: Faults, *StateError.
func (c *Catalogue) agree(ctx context.Context, b base, r *Relation, id string, attributes []engine.Attribute, wanted engine.Period) (s Subscription, err error) {
	bundle, err := c.storedBundle(ctx, b.record.Revision, r.BundleID)
	if err != nil {
		return s, err
	}
	if bundle == nil {
		return s, notFound("bundle", r.BundleID)
	}
	if bundle.Type == engine.Global { // the operator took another version of it over as it was
		return s, &StateError{What: "bundle", ID: bundle.ID, Reason: "is GLOBAL by now", Fix: "it reaches every creditor institution without a subscription"}
	}
	if err := expired(&bundle.Bundle, b.today); err != nil {
		return s, err
	}
	if err := checkAttributes(attributes, bundle).Err(); err != nil {
		return s, err
	}
	_, subscriptions, err := c.subscribers(ctx, b.record.Revision, r.BundleID)
	if err != nil {
		return s, err
	}
	for _, other := range subscriptions {
		switch {
		case other.CreditorInstitution != r.CreditorInstitution:
		case !ended(other.Validity, b.today): // a change of contract (A12)
			other.Attributes = attributes
			r.SubscriptionID = other.ID
			return other, nil
		case other.Validity.To >= wanted.From: // it ends today
			wanted.From = other.Validity.To.AddDays(1)
		}
	}
	s = Subscription{Subscription: engine.Subscription{
		ID: id, BundleID: r.BundleID, CreditorInstitution: r.CreditorInstitution, Attributes: attributes,
		Validity: engine.Period{From: max(wanted.From, bundle.Validity.From), To: earlier(wanted.To, bundle.Validity.To)},
	}, Inserted: b.now, Updated: b.now}
	if s.Validity.To != 0 && s.Validity.To < s.Validity.From {
		return s, &StateError{What: "subscription", ID: id, Reason: fmt.Sprintf("would begin on %s and end on %s", s.Validity.From, s.Validity.To), Fix: "its time is over: agree upon another one"}
	}
	r.SubscriptionID = id
	return s, nil
}

// earlier returns the earlier of two ends, of which 0 is open.
func earlier(a, b engine.Date) engine.Date {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// withIDs returns the attributes with a new id each: what an EC says of ids would not be sure to be the only
// one of its kind in the subscription.
func withIDs(attributes []engine.Attribute) []engine.Attribute {
	all := make([]engine.Attribute, len(attributes))
	for n, a := range attributes {
		a.ID = uuid.NewString()
		all[n] = a
	}
	return all
}

// checkAttributes checks what an EC bears of the fee of a bundle (A17).
func checkAttributes(attributes []engine.Attribute, bundle *Bundle) Faults {
	c := newChecker(nil, 0, false)
	c.attributes(attributes, bundle)
	return c.errors
}
