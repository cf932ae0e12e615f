package bundles

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gec/engine"
)

// ImportMode says what becomes of what is stored and not in the document.
type ImportMode uint8

const (
	// ImportMerge keeps it: the document's bundles are added, or replace those of the same id.
	ImportMerge ImportMode = iota
	// ImportReplaceOrigin removes the bundles of the same origin that the document does not have,
	// with their subscriptions.
	ImportReplaceOrigin
	// ImportReplaceAll removes all bundles and subscriptions that the document does not have.
	ImportReplaceAll
)

// ImportOptions says how a document is taken in.
type ImportOptions struct {
	Mode ImportMode
	// Origin is that of the bundles that ImportReplaceOrigin replaces, and of the document's that
	// name none; required with that mode.
	Origin string
	// Lenient takes the document as it is: only contradictions are errors (see CheckLenient).
	Lenient bool
	// DryRun works everything out and stores nothing.
	DryRun bool
	// IdempotencyKey, where not empty, makes the import happen once however often it is sent (A6).
	// It is one name space for all callers.
	IdempotencyKey string
	// Base is the revision that the caller read; the import is refused with ErrConflict when
	// another one is current. nil takes any.
	Base *int64
	// Operation is what the record of the revision says was done; empty: "import".
	Operation string
	// Progress, where not nil, is told how many of the document's bundles were looked at.
	Progress func(done, total int)
}

// Report says what an import did, or on a dry run would do.
type Report struct {
	// Revision is that which holds the import: the current one where nothing changed or on a dry
	// run.
	Revision int64
	// Bundles is the number of bundles in the document, each of which was added, changed or
	// unchanged. Removed ones are those of the catalogue that are no more.
	Bundles, Added, Changed, Removed, Unchanged int
	// Subscriptions counts those that were added, changed or removed.
	Subscriptions int
	// Warnings are what a strict check would refuse and a lenient one lets pass.
	Warnings []Fault
	DryRun   bool
	// Repeated says that the import with this idempotency key was done before, in Revision, and
	// that nothing was done now; the counts are then 0.
	Repeated bool
}

// importing is one import on its way through the attempts of a change.
type importing struct {
	c   *Catalogue
	ctx context.Context
	d   Document
	o   ImportOptions

	report Report
	// storedBundles remembers the bundles read from the base, nil for one that is not there.
	storedBundles map[string]*Bundle
	// all says that storedBundles has every bundle of the base.
	all bool
	// failed is the first error of reading the store.
	failed error
}

// Import takes a document into the catalogue: all of it as one revision, or nothing (A6). When it
// returns, quotes are made on the new revision (A7). Things that say what is stored already are not
// written again; where nothing differs there is no new revision.
//
// Unless Lenient or from an export, a bundle without a beginning keeps the stored one, or where it is new begins tomorrow
// (A2), and stored contributions above a fee that goes down are brought down to it (A4).
//
// Errors: Faults when the document is refused, with the warnings in the Report; ErrConflict with
// ImportOptions.Base; those of the Store.
func (c *Catalogue) Import(ctx context.Context, caller Caller, d Document, o ImportOptions) (Report, error) {
	if o.Mode == ImportReplaceOrigin && o.Origin == "" {
		return Report{}, errors.New("import: no origin to replace is given")
	}
	if o.Operation == "" {
		o.Operation = "import"
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	i := &importing{c: c, ctx: ctx, d: d, o: o}
	record, err := c.change(ctx, request{caller, o.Operation, o.IdempotencyKey, o.Base, o.DryRun}, i.work)
	i.report.DryRun, i.report.Revision = o.DryRun, record.Revision
	switch {
	case err == nil || errors.Is(err, errUnchanged):
		return i.report, nil
	case errors.Is(err, ErrDuplicateKey):
		return Report{Revision: record.Revision, DryRun: o.DryRun, Repeated: true}, nil
	}
	return Report{Revision: c.Head().Revision, DryRun: o.DryRun, Warnings: i.report.Warnings}, fmt.Errorf("%s: %w", o.Operation, err)
}

// work checks the document against a base and finds what differs.
func (i *importing) work(b base) (e edit, err error) {
	i.report = Report{Bundles: len(i.d.Bundles)}
	i.storedBundles, i.all, i.failed = make(map[string]*Bundle, len(i.d.Bundles)), false, nil
	if i.o.Mode == ImportReplaceOrigin || len(i.d.Bundles) > b.snapshot.Len()/2 {
		if err := i.readAll(b); err != nil {
			return e, err
		}
	}
	document := i.prepare(b)
	done := 0
	today := b.today
	if document.Export != nil {
		today = 0 // judges no date
	}
	faults, warnings := CheckDocument(&document, b.snapshot.Settings(), today, i.o.Lenient, func(id string) (*Bundle, bool) {
		if done++; done <= len(document.Bundles) { // then come the bundles of subscriptions
			i.o.Progress(done, len(document.Bundles))
		}
		stored := i.stored(b, id)
		return stored, stored != nil
	})
	if i.failed != nil {
		return e, i.failed
	}
	i.report.Warnings = warnings
	if err := faults.Err(); err != nil {
		return e, err
	}
	i.bundles(b, &document, &e)
	i.replaced(b, &document, &e)
	if err := i.overlaps(b, &document, &e); err != nil {
		return e, err
	}
	if err := i.subscriptions(b, &document, &e); err != nil {
		return e, err
	}
	if s := document.Settings; s != nil && len(settingsRows(b.snapshot.Settings(), s)) > 0 {
		e.settings = s
	}
	i.report.Removed, i.report.Subscriptions = len(e.removed), len(e.subscribed)+len(e.unsubscribed)
	return e, i.failed
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
	stored, known := i.storedBundles[id]
	if known || i.all {
		return stored
	}
	if _, there := b.snapshot.Bundle(id); there && i.failed == nil {
		stored, i.failed = i.c.storedBundle(i.ctx, b.record.Revision, id)
	}
	i.storedBundles[id] = stored
	return stored
}

// prepare returns the document with what its bundles leave open filled in.
func (i *importing) prepare(b base) Document {
	d := i.d
	d.Bundles = make([]Bundle, len(i.d.Bundles))
	for n, bundle := range i.d.Bundles {
		if bundle.Origin == "" && i.o.Mode == ImportReplaceOrigin {
			bundle.Origin = i.o.Origin
		}
		if !i.o.Lenient && d.Export == nil && bundle.Validity.From == 0 {
			bundle.Validity.From = b.today.AddDays(1)
			if stored := i.stored(b, bundle.ID); stored != nil {
				bundle.Validity.From = stored.Validity.From
			}
		}
		d.Bundles[n] = bundle
	}
	return d
}

// bundles finds those of the document that are new or say something new.
func (i *importing) bundles(b base, d *Document, e *edit) {
	for n := range d.Bundles {
		bundle := &d.Bundles[n]
		stored := i.stored(b, bundle.ID)
		switch {
		case stored == nil:
			i.report.Added++
			bundle.Inserted = b.now
		case Same(stored, bundle):
			i.report.Unchanged++
			continue
		default:
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
		if err := i.lowerContributions(b, e, kept); err != nil {
			return err
		}
	}
	if i.o.Mode == ImportReplaceAll {
		return i.unsubscribe(b, e, func(id, _ string) bool { return !kept[id] })
	}
	return i.unsubscribeRemoved(b, e)
}

func idSet(ids []string) map[string]bool {
	set := make(map[string]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// subscriptionsOf returns the stored subscriptions of an EC by row id.
func (i *importing) subscriptionsOf(b base, ec string) (map[string]Subscription, error) {
	stored := map[string]Subscription{}
	if b.record.Revision == 0 {
		return stored, nil
	}
	all, err := i.c.Subscriptions(i.ctx, b.record.Revision, ec)
	for _, s := range all {
		stored[subscriptionRowID(&s.Subscription)] = s
	}
	return stored, err
}

// sameSubscription reports whether two subscriptions are equal in all that people set.
func sameSubscription(a, b *Subscription) bool {
	plain := func(s *Subscription) string {
		return string(EncodeSubscription(&Subscription{Subscription: s.Subscription}))
	}
	return plain(a) == plain(b)
}

// unsubscribeRemoved ends the subscriptions of bundles that go.
func (i *importing) unsubscribeRemoved(b base, e *edit) error {
	if len(e.removed) == 0 {
		return nil
	}
	removed := idSet(e.removed)
	return i.unsubscribe(b, e, func(_, bundle string) bool { return removed[bundle] })
}

// unsubscribe ends the stored subscriptions that goes picks by row id and bundle.
func (i *importing) unsubscribe(b base, e *edit, goes func(id, bundle string) bool) error {
	return i.c.store.ScanIDs(i.ctx, b.record.Revision, KindSubscription, "", func(id string) error {
		_, bundle, err := splitSubscriptionRowID(id)
		if err == nil && goes(id, bundle) {
			e.unsubscribed = append(e.unsubscribed, strings.Clone(id))
		}
		return err
	})
}

// Remove takes bundles out of the catalogue, with their subscriptions; ids that it does not have are
// passed over. The rows of earlier revisions stay: history, and quotes as of then, are untouched (A5).
// Errors: those of the Store.
func (c *Catalogue) Remove(ctx context.Context, caller Caller, bundleIDs []string, operation string) (Report, error) {
	i := &importing{c: c, ctx: ctx}
	record, err := c.change(ctx, request{caller: caller, operation: operation}, func(b base) (e edit, err error) {
		seen := make(map[string]bool, len(bundleIDs))
		for _, id := range bundleIDs {
			if _, there := b.snapshot.Bundle(id); there && !seen[id] {
				seen[id] = true
				e.removed = append(e.removed, id)
			}
		}
		err = i.unsubscribeRemoved(b, &e)
		i.report = Report{Removed: len(e.removed), Subscriptions: len(e.unsubscribed)}
		return e, err
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return Report{Revision: c.Head().Revision}, fmt.Errorf("%s: %w", operation, err)
	}
	i.report.Revision = record.Revision
	return i.report, nil
}

// SetSettings replaces the operator's settings. Errors: Faults; those of the Store.
func (c *Catalogue) SetSettings(ctx context.Context, caller Caller, s *engine.Settings, operation string) (Report, error) {
	return c.ChangeSettings(ctx, caller, operation, func(settings *engine.Settings) { *settings = *s })
}

// ChangeSettings changes the operator's settings by a function that is given a copy of the current ones,
// and that is called again where somebody else's change came first. Errors: Faults; those of the Store.
func (c *Catalogue) ChangeSettings(ctx context.Context, caller Caller, operation string, change func(*engine.Settings)) (Report, error) {
	record, err := c.change(ctx, request{caller: caller, operation: operation}, func(b base) (e edit, err error) {
		settings := cloneSettings(b.snapshot.Settings())
		change(settings)
		faults, _ := CheckDocument(&Document{Settings: settings}, nil, b.today, false, nil)
		if len(settingsRows(b.snapshot.Settings(), settings)) > 0 {
			e.settings = settings
		}
		return e, faults.Err()
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return Report{Revision: c.Head().Revision}, fmt.Errorf("%s: %w", operation, err)
	}
	return Report{Revision: record.Revision}, nil
}
