package bundles

import (
	"strings"
)

// begin forgets what was read of the base of an earlier attempt.
func (i *importing) begin() {
	i.storedBundles, i.all, i.failed = make(map[string]*Bundle, len(i.d.Bundles)), false, nil
	if i.own && i.owners == nil {
		i.owners = make(map[string]string, len(i.d.Bundles))
		for n := range i.d.Bundles {
			i.owners[i.d.Bundles[n].ID] = i.d.Bundles[n].PSP
		}
	}
}

// readAll reads every bundle of the base, which is faster than one by one for large documents.
func (i *importing) readAll(b base) error {
	all, err := scanAll(i.ctx, i.c.store, b.record.Revision, KindBundle, decodeBundleRow)
	if err != nil {
		return err
	}
	for n := range all {
		i.storedBundles[all[n].ID] = &all[n]
	}
	i.all = true
	return nil
}

// stored returns a bundle of the base, nil where there is none.
func (i *importing) stored(b base, id string) *Bundle {
	i.c.pace.rest()
	stored, known := i.storedBundles[id]
	if known || i.all {
		return stored
	}
	if there := i.visible(b, id); there && i.failed == nil {
		stored, i.failed = i.c.storedBundle(i.ctx, b.record.Revision, id)
	}
	i.storedBundles[id] = stored
	return stored
}

// visible reports whether the base has a bundle that the document may be compared with.
func (i *importing) visible(b base, id string) bool {
	stored, there := b.snapshot.Bundle(id)
	return there && (!i.own || strings.EqualFold(i.owners[id], stored.PSP))
}

// subscriptionsOf returns the stored subscriptions of an EC by row id.
func (i *importing) subscriptionsOf(b base, ec string) (map[string]Subscription, error) {
	stored := map[string]Subscription{}
	if b.record.Revision == 0 {
		return stored, nil
	}
	all, err := i.c.subscriptions(i.ctx, b.record.Revision, ec)
	for _, s := range all {
		stored[subscriptionRowID(&s.Subscription)] = s
	}
	return stored, err
}
