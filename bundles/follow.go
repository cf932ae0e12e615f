package bundles

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gec/engine"
)

// What is changed on a bundle binds those who have come to terms on it: the rules of this file keep
// subscriptions, offers and requests true to their bundle, in the change that does it (A4, A5, A17).

// subscribers returns the stored subscriptions of a bundle by row id, in order of EC and id.
func (c *Catalogue) subscribers(ctx context.Context, revision int64, bundleID string) (ids []string, all []Subscription, err error) {
	prefix := indexPrefix(indexSubscribers, bundleID)
	err = c.store.ScanIDs(ctx, revision, KindIndex, prefix, func(id string) error {
		ids = append(ids, subscriberOf(bundleID, strings.Clone(id[len(prefix):])))
		return nil
	})
	for _, id := range ids {
		if err != nil {
			break
		}
		var s Subscription
		if s, err = c.storedSubscription(ctx, revision, id); err == nil {
			all = append(all, s)
		}
	}
	return ids, all, err
}

// storedSubscription returns the subscription of a row id. Errors: ErrNotFound.
func (c *Catalogue) storedSubscription(ctx context.Context, revision int64, rowID string) (Subscription, error) {
	row, err := c.store.Get(ctx, revision, KindSubscription, rowID)
	if err != nil {
		return Subscription{}, err
	}
	return decodeSubscriptionRow(row)
}

// follow brings the stored subscriptions of the changed bundles of an edit along: contributions above a fee
// that went down come down to it, and periods shrink with that of the bundle; a subscription that has no day
// left goes, unless it has ended: then it is history. Those in kept, by row id, are stated by the document and were checked
// there. The faults are changes that a stored subscription or an open offer or request forbids.
func (i *importing) follow(b base, e *edit, kept map[string]bool) (faults Faults, err error) {
	for n := range e.put {
		bundle := &e.put[n]
		stored := i.stored(b, bundle.ID)
		if stored == nil {
			continue
		}
		if stored.Type != bundle.Type {
			bound, err := i.c.bound(i.ctx, b, bundle.ID)
			if err != nil {
				return nil, err
			}
			if bound != "" {
				faults = append(faults, Fault{
					Path: i.pathOf(bundle.ID) + "type", Reason: fmt.Sprintf("is %s, but the bundle was %s when %s", bundle.Type, stored.Type, bound),
					Fix: "keep the type, or retire the bundle and author another one",
				})
			}
		}
		before, _ := stored.Fee.Range(stored.Band, stored.Cart)
		lowest, _ := bundle.Fee.Range(bundle.Band, bundle.Cart)
		if lowest >= before && bundle.Validity == stored.Validity {
			continue
		}
		ids, subscriptions, err := i.c.subscribers(i.ctx, b.record.Revision, bundle.ID)
		if err != nil {
			return nil, err
		}
		for at := range subscriptions {
			if !kept[ids[at]] {
				subscriptions[at].follow(&bundle.Bundle, lowest, b.today, ids[at], e)
			}
		}
	}
	return faults, nil
}

// pathOf is the path of the fields of a bundle in the document.
func (i *importing) pathOf(bundleID string) string {
	at := slices.IndexFunc(i.d.Bundles, func(b Bundle) bool { return b.ID == bundleID })
	if at < 0 {
		return ""
	}
	return fmt.Sprintf("bundles[%d].", at)
}

// follow puts what becomes of one subscription into the edit; lowest is the lowest fee of the bundle, cents.
func (s *Subscription) follow(b *engine.Bundle, lowest int64, today engine.Date, rowID string, e *edit) {
	changed := s.lower(lowest)
	if !ended(s.Validity, today) {
		shared := commonDays(s.Validity, b.Validity)
		if shared.To != 0 && shared.To < shared.From {
			e.unsubscribed = append(e.unsubscribed, rowID)
			return
		}
		changed = changed || shared != s.Validity
		s.Validity = shared
	}
	if changed {
		e.subscribed = append(e.subscribed, *s)
	}
}

// lower brings every contribution above max cents down to it and reports whether there was one.
func (s *Subscription) lower(max int64) (lowered bool) {
	s.Attributes = slices.Clone(s.Attributes)
	return lowerAttributes(s.Attributes, max)
}

func lowerAttributes(attributes []engine.Attribute, max int64) (lowered bool) {
	for n := range attributes {
		if a := &attributes[n]; a.MaxPaymentAmountCents > max {
			a.MaxPaymentAmountCents, lowered = max, true
		}
	}
	return lowered
}

// bound says who has come to terms on a bundle, or may still: "… subscribed"; empty for nobody.
func (c *Catalogue) bound(ctx context.Context, b base, bundleID string) (string, error) {
	_, subscriptions, err := c.subscribers(ctx, b.record.Revision, bundleID)
	if err != nil {
		return "", err
	}
	for n := range subscriptions {
		// One that ends today still holds today.
		if s := &subscriptions[n]; !ended(s.Validity, b.today) || s.Validity.Holds(b.today) {
			return s.CreditorInstitution + " subscribed", nil
		}
	}
	var closing edit
	if err := c.closeRelations(ctx, b, bundleID, &closing); err != nil {
		return "", err
	}
	switch {
	case len(closing.offers) > 0:
		return "it was offered to " + closing.offers[0].CreditorInstitution, nil
	case len(closing.requests) > 0:
		return closing.requests[0].CreditorInstitution + " asked for it", nil
	}
	return "", nil
}

// ended reports whether a period leaves no day after today: that which ends today is at its end (A5).
func ended(p engine.Period, today engine.Date) bool { return p.To != 0 && p.To <= today }

// closeRelations closes the open offers and requests of a bundle (A5).
func (c *Catalogue) closeRelations(ctx context.Context, b base, bundleID string, e *edit) error {
	offers, err := c.offersUnder(ctx, b.record.Revision, indexOffersOfBundle, bundleID)
	if err != nil {
		return err
	}
	for _, o := range offers {
		if o.State == StateOpen {
			o.State, o.Answered = StateClosed, b.now
			e.offers = append(e.offers, o)
		}
	}
	requests, err := c.requestsUnder(ctx, b.record.Revision, indexRequestsOfBundle, bundleID)
	for _, r := range requests {
		if r.State == StateOpen {
			r.State, r.Answered = StateClosed, b.now
			e.requests = append(e.requests, r)
		}
	}
	return err
}

// offersUnder returns the offers that an index has under a key, in the order in which they were made.
func (c *Catalogue) offersUnder(ctx context.Context, revision int64, index, key string) ([]Offer, error) {
	return under(ctx, c, revision, index, key, KindOffer, func(r Row) (Offer, error) {
		o, err := DecodeOffer(r.Document)
		o.Revision = r.Revision
		return o, err
	}, func(o Offer) *Relation { return &o.Relation })
}

// requestsUnder is offersUnder for requests.
func (c *Catalogue) requestsUnder(ctx context.Context, revision int64, index, key string) ([]Request, error) {
	return under(ctx, c, revision, index, key, KindRequest, func(r Row) (Request, error) {
		q, err := DecodeRequest(r.Document)
		q.Revision = r.Revision
		return q, err
	}, func(q Request) *Relation { return &q.Relation })
}

func under[T any](ctx context.Context, c *Catalogue, revision int64, index, key string, kind Kind, decode func(Row) (T, error), relation func(T) *Relation) ([]T, error) {
	var (
		prefix = indexPrefix(index, key)
		ids    []string
		all    = []T{}
	)
	err := c.store.ScanIDs(ctx, revision, KindIndex, prefix, func(id string) error {
		ids = append(ids, strings.Clone(id[len(prefix):]))
		return nil
	})
	for _, id := range ids {
		if err != nil {
			break
		}
		var row Row
		if row, err = c.store.Get(ctx, revision, kind, id); err == nil {
			var one T
			one, err = decode(row)
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b T) int {
		x, y := relation(a), relation(b)
		if c := x.Inserted.Compare(y.Inserted); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return all, err
}
