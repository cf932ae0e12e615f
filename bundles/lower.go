package bundles

import (
	"slices"
	"strings"
)

// lowerContributions brings stored contributions down to the fee of a bundle whose fee went down, in the
// change that does it (A4, A17). Those in kept, by row id, are in the document and were checked there.
func (i *importing) lowerContributions(b base, e *edit, kept map[string]bool) error {
	lowest := map[string]int64{} // of the bundles concerned
	for n := range e.put {
		bundle := &e.put[n]
		stored := i.stored(b, bundle.ID)
		if stored == nil {
			continue
		}
		before, _ := stored.Fee.Range(stored.Band, stored.Cart)
		if now, _ := bundle.Fee.Range(bundle.Band, bundle.Cart); now < before {
			lowest[bundle.ID] = now
		}
	}
	if len(lowest) == 0 {
		return nil
	}
	var ids []string
	err := i.c.store.ScanIDs(i.ctx, b.record.Revision, KindSubscription, "", func(id string) error {
		_, bundle, err := splitSubscriptionRowID(id)
		if _, concerned := lowest[bundle]; concerned && !kept[id] {
			ids = append(ids, strings.Clone(id))
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		row, err := i.c.store.Get(i.ctx, b.record.Revision, KindSubscription, id)
		if err != nil {
			return err
		}
		s, err := decodeSubscriptionRow(row)
		if err != nil {
			return err
		}
		if s.lower(lowest[s.BundleID]) {
			e.subscribed = append(e.subscribed, s)
		}
	}
	return nil
}

// lower brings every contribution above max cents down to it and reports whether there was one.
func (s *Subscription) lower(max int64) (lowered bool) {
	s.Attributes = slices.Clone(s.Attributes)
	for n := range s.Attributes {
		if a := &s.Attributes[n]; a.MaxPaymentAmountCents > max {
			a.MaxPaymentAmountCents, lowered = max, true
		}
	}
	return lowered
}
