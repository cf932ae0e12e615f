package bundles

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"gec/engine"
)

// MakeRequest asks the PSP of a PUBLIC bundle for a subscription of an EC, with what the EC would bear of
// the fee (A11). A period without a beginning begins tomorrow, or with the bundle when that is later; an end
// that is open is the bundle's.
//
// Errors: those of Caller.MayForCreditorInstitution for FunctionRequests; ErrNotFound for a bundle that the
// EC does not see; Faults with paths such as "attributes[0].maxPaymentAmount" and "validityDateFrom";
// *StateError for a bundle that is not PUBLIC or has ended, and for an EC with an open request or a
// subscription; those of the Store.
func (c *Catalogue) MakeRequest(ctx context.Context, caller Caller, ec, bundleID string, attributes []engine.Attribute, validity engine.Period) (Request, error) {
	const operation = "makeRequest"
	err := caller.MayForCreditorInstitution(ec, FunctionRequests)
	if err == nil && !IsTaxCode(ec) {
		err = Faults{{Path: "ciFiscalCode", Reason: Excerpt(ec) + " is no tax code of an EC", Fix: "use its 11 digits"}}
	}
	if err != nil {
		return Request{}, fmt.Errorf("%s: %w", operation, err)
	}
	attributes, id := withIDs(attributes), uuid.NewString()
	var made Request
	revision, err := c.relateIn(ctx, caller, ec, operation, func(b base) (e edit, err error) {
		bundle, err := c.requestable(ctx, b, ec, bundleID)
		if err != nil {
			return e, err
		}
		wanted, faults := requested(validity, bundle, b.today)
		if err := append(faults, checkAttributes(attributes, bundle)...).Err(); err != nil {
			return e, err
		}
		if err := c.unasked(ctx, b, ec, bundleID); err != nil {
			return e, err
		}
		made = Request{
			Relation:   Relation{ID: id, BundleID: bundleID, PSP: bundle.PSP, CreditorInstitution: ec, Inserted: b.now, Updated: b.now},
			Attributes: attributes, Validity: wanted,
		}
		e.requests = []Request{made}
		return e, nil
	})
	if err != nil {
		return Request{}, err
	}
	made.Revision = revision
	return made, nil
}

// requestable returns a bundle that an EC may ask for. Errors: ErrNotFound, *StateError.
func (c *Catalogue) requestable(ctx context.Context, b base, ec, bundleID string) (*Bundle, error) {
	bundle, err := c.storedBundle(ctx, b.record.Revision, bundleID)
	if err != nil {
		return nil, err
	}
	if bundle == nil {
		return nil, notFound("bundle", bundleID)
	}
	switch bundle.Type {
	case engine.Private:
		seen, err := c.privateTo(ctx, b.record.Revision, ec)
		if err != nil {
			return nil, err
		}
		if !seen[bundleID] {
			return nil, notFound("bundle", bundleID)
		}
		return nil, &StateError{What: "bundle", ID: bundleID, Reason: "is PRIVATE", Fix: "wait for the PSP's offer and accept it"}
	case engine.Global:
		return nil, &StateError{What: "bundle", ID: bundleID, Reason: "is GLOBAL", Fix: "it reaches every creditor institution without a request"}
	}
	return bundle, expired(&bundle.Bundle, b.today)
}

// requested completes the period that an EC asks for and checks it.
func requested(p engine.Period, bundle *Bundle, today engine.Date) (engine.Period, Faults) {
	c := newChecker(nil, 0, false)
	tomorrow := today.AddDays(1)
	if p.From == 0 {
		p.From = max(tomorrow, bundle.Validity.From)
	}
	if p.To == 0 {
		p.To = bundle.Validity.To
	}
	if !c.date("validityDateFrom", p.From) || !c.date("validityDateTo", p.To) {
		return p, c.errors
	}
	if p.From < tomorrow {
		c.flaw("validityDateFrom", fmt.Sprintf("is %s, not after today", p.From), fmt.Sprintf("use %s or later, or leave it out", tomorrow))
	}
	if p.To != 0 && p.To < p.From {
		c.flaw("validityDateTo", fmt.Sprintf("is %s, before validityDateFrom, which is %s", p.To, p.From), "the subscription would never be valid")
	}
	outside := func(path string, end engine.Date) {
		if end != 0 && !bundle.Validity.Holds(end) {
			c.flaw(path, fmt.Sprintf("is %s, outside the time of the bundle", end), "the bundle is valid "+spell(bundle.Validity))
		}
	}
	outside("validityDateFrom", p.From)
	outside("validityDateTo", p.To)
	return p, c.errors
}

// unasked refuses an EC that has an open request for the bundle or a live subscription to it.
func (c *Catalogue) unasked(ctx context.Context, b base, ec, bundleID string) error {
	requests, err := c.requestsUnder(ctx, b.record.Revision, indexRequestsOfEC, ec)
	if err != nil {
		return err
	}
	for n := range requests {
		if r := &requests[n]; r.BundleID == bundleID && r.State == StateOpen {
			return &StateError{What: "creditor institution", ID: ec, Reason: "has an open request for the bundle: " + r.ID, Fix: "wait for the answer, or withdraw it"}
		}
	}
	subscriptions, err := c.subscriptions(ctx, b.record.Revision, ec)
	if err != nil {
		return err
	}
	for n := range subscriptions {
		if s := &subscriptions[n]; s.BundleID == bundleID && !ended(s.Validity, b.today) {
			return &StateError{What: "creditor institution", ID: ec, Reason: "subscribes to the bundle: " + s.ID, Fix: "change the attributes of that subscription"}
		}
	}
	return nil
}

// WithdrawRequest takes back an open request of an EC (A11). Errors: those of
// Caller.MayForCreditorInstitution for FunctionRequests; ErrNotFound; *AnsweredError; those of the Store.
func (c *Catalogue) WithdrawRequest(ctx context.Context, caller Caller, ec, requestID string) error {
	const operation = "withdrawRequest"
	if err := caller.MayForCreditorInstitution(ec, FunctionRequests); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return c.relate(ctx, caller, ec, operation, func(b base) (e edit, err error) {
		r, err := c.storedRequest(ctx, b.record.Revision, requestID)
		if err == nil && r.CreditorInstitution != ec {
			err = notFound("request", requestID)
		}
		if err == nil {
			err = r.answer("request", StateWithdrawn, b.now)
		}
		e.requests = []Request{r}
		return e, err
	})
}

// AcceptRequest makes the subscription that an EC asked for, from tomorrow or its own beginning on; a
// subscription that the EC has to the bundle meanwhile gets the attributes of the request (A12). Attributes
// above a fee that went down since come down to it, as those of subscriptions do (A4).
//
// Errors: those of Caller.MayForPSP for FunctionRequests; ErrNotFound; *AnsweredError; *StateError for a
// bundle, or a request, whose time is over; those of the Store.
func (c *Catalogue) AcceptRequest(ctx context.Context, caller Caller, psp, requestID string) (Subscription, error) {
	const operation = "acceptRequest"
	if err := caller.MayForPSP(psp, FunctionRequests); err != nil {
		return Subscription{}, fmt.Errorf("%s: %w", operation, err)
	}
	id := uuid.NewString()
	var accepted Subscription
	revision, err := c.relateIn(ctx, caller, psp, operation, func(b base) (e edit, err error) {
		r, err := c.requestTo(ctx, b, psp, requestID)
		if err == nil {
			err = r.answer("request", StateAccepted, b.now)
		}
		if err != nil {
			return e, err
		}
		bundle, err := c.ownBundle(ctx, b.record.Revision, psp, r.BundleID)
		if err != nil {
			return e, err
		}
		lowest, _ := bundle.Fee.Range(bundle.Band, bundle.Cart)
		lowerAttributes(r.Attributes, lowest)
		wanted := engine.Period{From: max(b.today.AddDays(1), r.Validity.From), To: r.Validity.To}
		accepted, err = c.agree(ctx, b, &r.Relation, id, r.Attributes, wanted)
		e.requests, e.subscribed = []Request{r}, []Subscription{accepted}
		return e, err
	})
	if err != nil {
		return Subscription{}, err
	}
	accepted.Revision = revision
	return accepted, nil
}

// RejectRequest declines a request (A12). Errors: those of Caller.MayForPSP for FunctionRequests;
// ErrNotFound; *AnsweredError; those of the Store.
func (c *Catalogue) RejectRequest(ctx context.Context, caller Caller, psp, requestID string) error {
	const operation = "rejectRequest"
	if err := caller.MayForPSP(psp, FunctionRequests); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return c.relate(ctx, caller, psp, operation, func(b base) (e edit, err error) {
		r, err := c.requestTo(ctx, b, psp, requestID)
		if err == nil {
			err = r.answer("request", StateRejected, b.now)
		}
		e.requests = []Request{r}
		return e, err
	})
}

func (c *Catalogue) storedRequest(ctx context.Context, revision int64, id string) (r Request, err error) {
	row, err := c.store.Get(ctx, revision, KindRequest, id)
	if err != nil {
		return r, fmt.Errorf("request %s: %w", Excerpt(id), err)
	}
	r, err = DecodeRequest(row.Document)
	r.Revision = row.Revision
	return r, err
}

// requestTo returns a request if it was made to the PSP. Errors: ErrNotFound.
func (c *Catalogue) requestTo(ctx context.Context, b base, psp, id string) (Request, error) {
	r, err := c.storedRequest(ctx, b.record.Revision, id)
	if err == nil && fold(r.PSP) != fold(psp) {
		err = notFound("request", id)
	}
	return r, err
}
