package bundles

import (
	"errors"
	"fmt"
	"strings"
)

// methods finds the payment methods that are new or say something new, and those that go.
func (i *importing) methods(b base, e *edit) {
	kept := map[string]bool{}
	for _, m := range i.d.PaymentMethods {
		kept[m.ID] = true
		m.Inserted, m.Updated = b.now, b.now
		if at, there := findMethod(b.methods, m.ID); there {
			if sameMethod(b.methods[at], m) {
				continue
			}
			m.Inserted = b.methods[at].Inserted
		}
		e.others = append(e.others, Row{Kind: KindPaymentMethod, ID: m.ID, Document: EncodePaymentMethod(&m)})
		i.report.PaymentMethods++
	}
	if i.o.Mode != ImportReplaceAll || len(kept) == 0 {
		return
	}
	for n := range b.methods {
		if id := b.methods[n].ID; !kept[id] {
			e.others = append(e.others, Row{Kind: KindPaymentMethod, ID: id, Deleted: true})
			i.report.PaymentMethods++
		}
	}
}

// bundles finds those of the document that are new or say something new.
func (i *importing) bundles(b base, d *Document, e *edit) {
	i.outcomes = make([]Outcome, len(d.Bundles))
	for n := range d.Bundles {
		bundle, outcome := &d.Bundles[n], &i.outcomes[n]
		stored := i.stored(b, bundle.ID)
		switch {
		case stored == nil:
			*outcome = Added
			i.report.Added++
			bundle.Inserted = b.now
		case Same(stored, bundle):
			i.report.Unchanged++
			continue
		default:
			*outcome = Changed
			i.report.Changed++
			bundle.Inserted = stored.Inserted
		}
		e.put = append(e.put, *bundle)
	}
}

// replaced finds the bundles of the catalogue that the document replaces by nothing.
func (i *importing) replaced(b base, d *Document, e *edit) {
	if i.o.Mode == ImportMerge {
		return
	}
	kept := make(map[string]bool, len(d.Bundles))
	for n := range d.Bundles {
		kept[d.Bundles[n].ID] = true
	}
	for bundle := range b.snapshot.Bundles() {
		if kept[bundle.ID] {
			continue
		}
		if i.o.Mode == ImportReplaceOrigin {
			if stored := i.stored(b, bundle.ID); stored == nil || stored.Origin != i.o.Origin {
				continue
			}
		}
		e.removed = append(e.removed, bundle.ID)
	}
}

// subscriptions finds those of the document that are new or say something new, and those of the
// catalogue that go.
func (i *importing) subscriptions(b base, d *Document, e *edit) error {
	removed := idSet(e.removed)
	kept := make(map[string]bool, len(d.Subscriptions))
	stored := map[string]map[string]Subscription{} // by EC and row id
	for n := range d.Subscriptions {
		s := d.Subscriptions[n]
		if removed[s.BundleID] {
			return Faults{{
				Path:   "subscriptions",
				Reason: fmt.Sprintf("%s is for bundle %s, which this import removes", Excerpt(s.ID), Excerpt(s.BundleID)),
				Fix:    "add the bundle to the document or leave its subscriptions out",
			}}
		}
		id, ec := subscriptionRowID(&s.Subscription), s.CreditorInstitution
		kept[id] = true
		if stored[ec] == nil {
			of, err := i.subscriptionsOf(b, ec)
			if err != nil {
				return err
			}
			stored[ec] = of
		}
		s.Inserted = b.now
		if before, there := stored[ec][id]; there {
			if sameSubscription(&before, &s) {
				continue
			}
			s.Inserted = before.Inserted
		}
		e.subscribed = append(e.subscribed, s)
	}
	if !i.o.Lenient && i.o.Mode != ImportReplaceAll {
		faults, err := i.follow(b, e, kept)
		if err = errors.Join(err, faults.Err()); err != nil {
			return err
		}
	}
	if i.o.Mode != ImportReplaceAll {
		return i.c.leaveRemoved(i.ctx, b, e)
	}
	for _, id := range e.removed {
		if err := i.c.closeRelations(i.ctx, b, id, e); err != nil {
			return err
		}
	}
	return i.c.store.ScanIDs(i.ctx, b.record.Revision, KindSubscription, "", func(id string) error {
		if !kept[id] {
			e.unsubscribed = append(e.unsubscribed, strings.Clone(id))
		}
		return nil
	})
}

func idSet(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// sameSubscription reports whether two subscriptions are equal in all that people set.
func sameSubscription(a, b *Subscription) bool {
	plain := func(s *Subscription) string {
		return string(EncodeSubscription(&Subscription{Subscription: s.Subscription}))
	}
	return plain(a) == plain(b)
}
