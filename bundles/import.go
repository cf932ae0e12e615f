package bundles

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	// Callers other than the operator have a name space each.
	IdempotencyKey string
	// Base is the revision that the caller read; the import is refused with ErrConflict when
	// another one is current. nil takes any.
	Base *int64
	// Operation is what the record of the revision says was done; empty: "import".
	Operation string
	// Progress, where not nil, is told how many of the document's bundles were looked at.
	Progress func(done, total int)
	// Row, where not nil, is told in the end what became of each bundle of the document, the n-th counted
	// from 0, also on a dry run; not where nothing was taken in, nor for an import that was made before.
	Row func(n int, o Outcome)
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
	// PaymentMethods counts those that were added, changed or removed.
	PaymentMethods int
	// Warnings are what a strict check would refuse and a lenient one lets pass.
	Warnings []Fault
	DryRun   bool
	// Repeated says that the import with this idempotency key was done before, in Revision, and
	// that nothing was done now; the counts are then 0.
	Repeated bool
}

// Outcome is what an import does with one bundle.
type Outcome uint8

// The outcomes.
const (
	Unchanged Outcome = iota
	Added
	Changed
)

// String returns the name in capitals, such as ADDED.
func (o Outcome) String() string { return [...]string{"UNCHANGED", "ADDED", "CHANGED"}[o] }

// importing is one import on its way through the attempts of a change.
type importing struct {
	c   *Catalogue
	ctx context.Context
	d   Document
	o   ImportOptions

	report Report
	// outcomes say what becomes of each bundle of the document.
	outcomes []Outcome
	// storedBundles remembers the bundles read from the base, nil for one that is not there.
	storedBundles map[string]*Bundle
	// all says that storedBundles has every bundle of the base.
	all bool
	// failed is the first error of reading the store.
	failed error
	// own says that the bundles must stay those of their PSPs: one may not take the id of another PSP's.
	own bool
	// owners holds the PSPs of the document's bundles by id; nil unless own.
	owners map[string]string
	// key is remembered in the revision that the import makes.
	key keyed
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
	if o.IdempotencyKey != "" && !caller.Operator {
		o.IdempotencyKey = callerKey(caller, o.IdempotencyKey)
	}
	i := &importing{c: c, ctx: ctx, d: d, o: o, own: !caller.Operator}
	if err := i.authorize(caller); err != nil {
		return Report{Revision: c.Head().Revision, DryRun: o.DryRun}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	return i.run(caller)
}

// callerKey is an idempotency key in the name space of its caller, so that nobody can use up another's.
func callerKey(caller Caller, key string) string {
	return "import:" + escapePart(caller.Name) + "/" + key
}

// authorize holds a caller who is not the operator to the bundles of the PSPs that it acts for (A18).
// Errors: Faults, ErrForbidden.
func (i *importing) authorize(caller Caller) error {
	if caller.Operator {
		return nil
	}
	if len(caller.PSPs) == 0 || i.o.Mode != ImportMerge || i.o.Lenient {
		return fmt.Errorf("importing a catalogue as it is, or in place of another: %w", ErrForbidden)
	}
	i.d.Export = nil // of which catalogue a document is the export is not for its sender to say
	var faults Faults
	if i.d.Settings != nil {
		faults = append(faults, Fault{Path: "config", Reason: "is the operator's", Fix: "leave the settings out"})
	}
	if len(i.d.PaymentMethods) > 0 {
		faults = append(faults, Fault{Path: "paymentMethods", Reason: "are the operator's", Fix: "leave them out"})
	}
	if len(i.d.Subscriptions) > 0 {
		faults = append(faults, Fault{Path: "subscriptions", Reason: "are agreed upon by offers and requests", Fix: "leave them out"})
	}
	for n := range i.d.Bundles {
		if caller.MayForPSP(i.d.Bundles[n].PSP, FunctionBundles) != nil && len(faults) < faultsMax {
			faults = append(faults, Fault{
				Path: fmt.Sprintf("bundles[%d].idPsp", n), Reason: Excerpt(i.d.Bundles[n].PSP) + " is no PSP whose bundles you may change", Fix: "import the bundles of your own PSP",
			})
		}
	}
	return faults.Err()
}

// run makes the import.
func (i *importing) run(caller Caller) (Report, error) {
	c, o := i.c, i.o
	record, err := c.change(i.ctx, request{caller, o.Operation, o.IdempotencyKey, o.Base, o.DryRun}, i.work)
	i.report.DryRun, i.report.Revision = o.DryRun, record.Revision
	switch {
	case err == nil || errors.Is(err, errUnchanged):
		for n, outcome := range i.outcomes {
			i.tell(n, outcome)
		}
		return i.report, nil
	case errors.Is(err, ErrDuplicateKey):
		return Report{Revision: record.Revision, DryRun: o.DryRun, Repeated: true}, nil
	}
	return Report{Revision: c.Head().Revision, DryRun: o.DryRun, Warnings: i.report.Warnings}, fmt.Errorf("%s: %w", o.Operation, err)
}

// tell reports on one bundle of the document.
func (i *importing) tell(n int, o Outcome) {
	if i.o.Row != nil {
		i.o.Row(n, o)
	}
}

// work checks the document against a base and finds what differs.
func (i *importing) work(b base) (e edit, err error) {
	i.report = Report{Bundles: len(i.d.Bundles)}
	i.begin()
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
	faults = append(faults, i.foreign(b, &document)...)
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
	i.methods(b, &e)
	if s := document.Settings; s != nil && len(settingsRows(b.snapshot.Settings(), s)) > 0 {
		e.settings = s
	}
	i.key.remember(&e)
	i.report.Removed, i.report.Subscriptions = len(e.removed), len(e.subscribed)+len(e.unsubscribed)
	return e, i.failed
}

// foreign returns the faults of bundles that would take the id of another PSP's. They say no more than that
// the id is not free: what the other bundle is, is not the author's business.
func (i *importing) foreign(b base, d *Document) (faults Faults) {
	if !i.own {
		return nil
	}
	for n := range d.Bundles {
		if other, there := b.snapshot.Bundle(d.Bundles[n].ID); there && !strings.EqualFold(other.PSP, d.Bundles[n].PSP) {
			faults = append(faults, Fault{
				Path: fmt.Sprintf("bundles[%d].id", n), Reason: Excerpt(d.Bundles[n].ID) + " is not free", Fix: "use another id, or leave it to the catalogue",
			})
		}
	}
	return faults
}

// prepare returns the document with what its bundles leave open filled in.
func (i *importing) prepare(b base) Document {
	d := i.d
	d.Bundles = make([]Bundle, len(i.d.Bundles))
	for n, bundle := range i.d.Bundles {
		if bundle.Origin == "" && i.o.Mode == ImportReplaceOrigin {
			bundle.Origin = i.o.Origin
		}
		if i.own && bundle.Origin == "" { // what made a bundle is not for its author to say
			if stored := i.stored(b, bundle.ID); stored != nil {
				bundle.Origin = stored.Origin
			}
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
