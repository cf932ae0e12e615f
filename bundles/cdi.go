package bundles

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gec/engine"
)

// OriginCDI is the origin of bundles that the next CDI of their PSP replaces from the day of its
// validity.
const OriginCDI = "cdi"

// CDIOptions says how CDIs are taken in. Mode and Origin are not looked at: a CDI says itself what it
// replaces. Lenient lets overlaps pass (A3) and nothing else. An empty IdempotencyKey is that of the CDIs.
type CDIOptions struct {
	ImportOptions
	// Past takes CDIs whose validity began today or before, for migrations and tests.
	Past bool
}

// CDIReport says what an import of CDIs did.
type CDIReport struct {
	Report
	// Ended counts the bundles of earlier CDIs that now end the day before; those that had not begun
	// by then are in Removed.
	Ended int
	// RepeatedFlows are the ids of those CDIs of the document that were imported before, and that
	// nothing was done for. Where they are all of them, Repeated is set.
	RepeatedFlows []string
}

// cdi is one CDI of a document: the bundles of one PSP.
type cdi struct {
	psp, flow string
	from      engine.Date
	bundles   []int // in the document
}

// ImportCDI takes the CDIs of one or more PSPs into the catalogue, all of them as one revision or nothing
// (spec 5). Each replaces, from the day on which it begins, the bundles that earlier CDIs of its PSP
// made: those end the day before, with their subscriptions, and those that would only begin later are
// removed. Bundles that were made otherwise stay.
//
// A CDI (identificativoFlusso) of a PSP is imported once, however often and in whatever company it is
// sent, also when its bundles were changed or replaced meanwhile. Under the id of a CDI that was imported
// other content is a fault, not a repetition.
//
// The document is what package format reads from a CDI: bundles with Origin, CDI and a beginning, no
// settings and no subscriptions. Errors: those of [Catalogue.Import].
func (c *Catalogue) ImportCDI(ctx context.Context, caller Caller, d Document, o CDIOptions) (CDIReport, error) {
	if o.Operation == "" {
		o.Operation = "import cdi"
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	cdis, faults := cdisOf(&d)
	if err := faults.Err(); err != nil {
		return CDIReport{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	if o.IdempotencyKey == "" {
		o.IdempotencyKey = cdiKey(cdis)
	} else if !caller.Operator {
		o.IdempotencyKey = callerKey(caller, o.IdempotencyKey)
	}
	i := &importingCDI{importing: importing{c: c, ctx: ctx, d: d, o: o.ImportOptions, own: !caller.Operator}, cdis: cdis, past: o.Past}
	if o.Past && !caller.Operator {
		return CDIReport{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: taking in CDIs of the past: %w", o.Operation, ErrForbidden)
	}
	if err := i.authorize(caller); err != nil {
		return CDIReport{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	record, err := c.change(ctx, request{caller, o.Operation, o.IdempotencyKey, o.Base, o.DryRun}, i.work)
	switch {
	case errors.Is(err, ErrDuplicateKey):
		for _, one := range cdis {
			if err := i.sameCDI(one); err != nil {
				return CDIReport{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: %w", o.Operation, err)
			}
		}
		report := CDIReport{Report: Report{Revision: record.Revision, DryRun: o.DryRun, Repeated: true}}
		for _, one := range cdis {
			report.RepeatedFlows = append(report.RepeatedFlows, one.flow)
		}
		return report, nil
	case err != nil && !errors.Is(err, errUnchanged):
		return CDIReport{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	rows := make([]Outcome, len(d.Bundles))
	for n, outcome := range i.outcomes {
		rows[i.position[n]] = outcome
	}
	for n, outcome := range rows {
		i.tell(n, outcome)
	}
	i.result.Report = i.report
	i.result.DryRun, i.result.Revision = o.DryRun, record.Revision
	if len(cdis) > 0 && len(i.result.RepeatedFlows) == len(cdis) {
		i.result.Repeated, i.result.Revision = true, i.repeatedIn
	}
	return i.result, nil
}

// cdisOf takes a document apart. The faults are those of documents that no CDI says.
func cdisOf(d *Document) (cdis []cdi, faults Faults) {
	if d.Settings != nil || len(d.Subscriptions) > 0 {
		faults = append(faults, Fault{Reason: "the document has settings or subscriptions", Fix: "a CDI has neither: import them apart"})
	}
	known := map[string]int{}
	for n := range d.Bundles {
		b := &d.Bundles[n]
		path := func(field string) string { return fmt.Sprintf("bundles[%d].%s", n, field) }
		at, found := known[fold(b.PSP)]
		switch {
		case b.Origin != OriginCDI || b.CDI == "":
			faults = append(faults, Fault{Path: path("idCdi"), Reason: "is missing, or the origin is not " + OriginCDI, Fix: "import bundles that no CDI made otherwise"})
		case b.Validity.From == 0:
			faults = append(faults, Fault{Path: path("validityDateFrom"), Reason: "is missing", Fix: "say from when the CDI replaces the one before"})
		case !found:
			known[fold(b.PSP)] = len(cdis)
			cdis = append(cdis, cdi{psp: b.PSP, flow: b.CDI, from: b.Validity.From, bundles: []int{n}})
		case cdis[at].flow != b.CDI || cdis[at].from != b.Validity.From:
			faults = append(faults, Fault{Path: path("idCdi"), Reason: fmt.Sprintf("is %s from %s, but %s from %s in a bundle before", Excerpt(b.CDI), b.Validity.From, Excerpt(cdis[at].flow), cdis[at].from), Fix: "import the CDIs of a PSP one after the other"})
		default:
			cdis[at].bundles = append(cdis[at].bundles, n)
		}
	}
	return cdis, faults
}

// cdiKey is the idempotency key of CDIs. The PSP is part of it, so that nobody can use up another PSP's.
func cdiKey(cdis []cdi) string {
	names := make([]string, len(cdis))
	for n, one := range cdis {
		names[n] = escapePart(one.psp) + "/" + one.flow
	}
	slices.Sort(names)
	if len(names) == 0 {
		return ""
	}
	if len(names) == 1 && len(names[0]) < idBytesMax/2 {
		return "cdi:" + names[0]
	}
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	return "cdi:" + hex.EncodeToString(sum[:])
}

// importingCDI is an import of CDIs on its way through the attempts of a change.
type importingCDI struct {
	importing
	cdis   []cdi
	past   bool
	result CDIReport
	// position is where in the document each bundle is that outcomes tell of.
	position []int
	// repeatedIn is the revision in which a CDI of the document was imported before.
	repeatedIn int64
}

// work checks the CDIs that are new against a base and finds what differs.
func (i *importingCDI) work(b base) (e edit, err error) {
	i.report, i.result, i.repeatedIn = Report{Bundles: len(i.d.Bundles)}, CDIReport{}, 0
	i.begin()
	fresh, err := i.fresh()
	if err != nil {
		return e, err
	}
	var document Document
	var position []int // of each of its bundles in the whole document
	for _, one := range fresh {
		for _, n := range one.bundles {
			document.Bundles, position = append(document.Bundles, i.d.Bundles[n]), append(position, n)
		}
	}
	i.position = position
	faults := append(i.check(b, &document, position), i.foreign(b, &i.d)...)
	if i.failed != nil {
		return e, i.failed
	}
	if err := faults.Err(); err != nil {
		return e, err
	}
	i.report.Unchanged = len(i.d.Bundles) - len(document.Bundles)
	i.bundles(b, &document, &e)
	for _, one := range fresh {
		i.replace(b, one, &e)
	}
	faults, i.report.Warnings = i.overlaps(b, &document, position, &e)
	if err := faults.Err(); err != nil {
		return e, err
	}
	faults, err = i.follow(b, &e, nil)
	if err := errors.Join(err, faults.Err(), i.c.leaveRemoved(i.ctx, b, &e)); err != nil {
		return e, err
	}
	i.report.Removed, i.report.Subscriptions = len(e.removed), len(e.subscribed)+len(e.unsubscribed)
	return e, i.failed
}

// fresh returns the CDIs that were not imported before: those whose first bundle never was in the store.
func (i *importingCDI) fresh() (fresh []cdi, err error) {
	for _, one := range i.cdis {
		versions, err := i.c.store.Versions(i.ctx, KindBundle, i.d.Bundles[one.bundles[0]].ID)
		if err != nil {
			return nil, err
		}
		if len(versions) > 0 {
			if err := i.sameCDI(one); err != nil {
				return nil, err
			}
			i.result.RepeatedFlows = append(i.result.RepeatedFlows, one.flow)
			i.repeatedIn = max(i.repeatedIn, versions[0].Revision)
			continue
		}
		fresh = append(fresh, one)
	}
	return fresh, nil
}

// sameCDI returns a fault where a CDI that was imported before had other content then: its author would think
// that what it says now is in force. When bundles end is not compared, which later CDIs decide.
func (i *importingCDI) sameCDI(one cdi) error {
	for _, n := range one.bundles {
		sent := i.d.Bundles[n]
		versions, err := i.c.store.Versions(i.ctx, KindBundle, sent.ID)
		if err != nil {
			return err
		}
		if len(versions) > 0 {
			imported, err := i.c.ownBundle(i.ctx, versions[0].Revision, one.psp, sent.ID)
			if err != nil {
				return err
			}
			sent.Validity.To, imported.Validity.To = 0, 0
			if bytes.Equal(authored(&sent), authored(&imported)) {
				continue
			}
		}
		return Faults{{
			Path: BundlePath(n) + ".idCdi", Reason: fmt.Sprintf("is %s, a CDI that was imported before with other content", Excerpt(one.flow)), Fix: "give the new CDI an id of its own",
		}}
	}
	return nil
}

// check returns the faults of the new bundles, by their place in the whole document.
func (i *importingCDI) check(b base, document *Document, position []int) Faults {
	today := b.today
	if i.past {
		today = 0
	}
	done := 0
	faults, _ := CheckDocument(document, b.snapshot.Settings(), today, false, func(id string) (*Bundle, bool) {
		done++
		i.o.Progress(min(done, len(document.Bundles)), len(document.Bundles))
		stored := i.stored(b, id)
		return stored, stored != nil
	})
	for n := range document.Bundles {
		if from := document.Bundles[n].Validity.From; from == today { // earlier ones are in the past: CheckDocument says so
			faults = append(faults, Fault{
				Path: fmt.Sprintf("bundles[%d].validityDateFrom", n), Reason: fmt.Sprintf("is %s, today", from), Fix: fmt.Sprintf("use %s or later", today.AddDays(1)),
			})
		}
	}
	for n := range faults {
		var at int
		if _, err := fmt.Sscanf(faults[n].Path, "bundles[%d]", &at); err == nil && at < len(position) {
			_, rest, _ := strings.Cut(faults[n].Path, "]")
			faults[n].Path = fmt.Sprintf("bundles[%d]%s", position[at], rest)
		}
	}
	return faults
}

// replace ends or removes the bundles that earlier CDIs of the PSP made.
func (i *importingCDI) replace(b base, one cdi, e *edit) {
	for id := range b.snapshot.IDsOf(one.psp) {
		stored := i.stored(b, id)
		if stored == nil || stored.Origin != OriginCDI || stored.CDI == one.flow {
			continue
		}
		last := one.from.AddDays(-1)
		switch {
		case stored.Validity.From >= one.from:
			e.removed = append(e.removed, stored.ID)
		case stored.Validity.To == 0 || stored.Validity.To > last:
			replaced := *stored
			replaced.Validity.To = last
			e.put = append(e.put, replaced)
			i.result.Ended++
		}
	}
}
