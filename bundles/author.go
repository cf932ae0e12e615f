package bundles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"gec/engine"
)

// AuthorOptions say how a PSP's change of its bundles is made. The zero value is right for one bundle.
type AuthorOptions struct {
	// DryRun works everything out and stores nothing.
	DryRun bool
	// IdempotencyKey, where not empty, makes the change happen once however often it is sent (A6). Each
	// PSP has a name space of its own. Up to 255 bytes.
	IdempotencyKey string
	// Base is the revision of the catalogue that the author read; the change is refused with ErrConflict
	// when another one is current. nil takes any.
	Base *int64
	// Operation is what the record of the revision says was done; empty: the name of the operation.
	Operation string
	// Progress, where not nil, is told how many of the bundles were looked at.
	Progress func(done, total int)
}

// Upload is the report on a PSP's bundles.
type Upload struct {
	Report
	// IDs are those of the bundles, in their order, and Outcomes what became of each; nil for an upload
	// that was repeated.
	IDs      []string
	Outcomes []Outcome
}

// ErrKeyReused is returned when an idempotency key comes with other content than the first time.
var ErrKeyReused = errors.New("this idempotency key was used for another upload: use a key of its own for each")

// LostUpdateError is returned when a bundle changed since its author read it (A4).
type LostUpdateError struct {
	BundleID string
	// Read and Current are the revisions that last changed the bundle: as it was read, and as it is.
	Read, Current int64
}

// Error says what to do.
func (e *LostUpdateError) Error() string {
	return fmt.Sprintf("bundle %s changed in revision %d since it was read in revision %d: read it again and repeat the change", Excerpt(e.BundleID), e.Current, e.Read)
}

// indexUploads keeps what an idempotency key of an upload stands for: the SHA-256 of the drafts.
const indexUploads = "uploads"

// uploadIDs is the name space of the ids that are made for drafts which come with an idempotency key.
var uploadIDs = uuid.MustParse("8a2c3c0e-6f0b-4b4e-9d43-5f0f6f4d2a11")

// CreateBundles takes bundles of one PSP into the catalogue, all of them as one revision or nothing (A6). A
// draft without an id is given one, the same one when the upload is sent again with its idempotency key; a
// draft with the id of a bundle of the PSP changes that one (A4). A draft without a beginning begins
// tomorrow, or when the stored one does. The PSP of a draft may be empty.
//
// Errors: those of Caller.MayForPSP for FunctionBundles; Faults with paths such as
// "bundles[12].maxPaymentAmount"; ErrConflict with AuthorOptions.Base; ErrKeyReused; those of the Store.
func (c *Catalogue) CreateBundles(ctx context.Context, caller Caller, psp string, drafts []Bundle, o AuthorOptions) (Upload, error) {
	if o.Operation == "" {
		o.Operation = "createBundles"
	}
	fail := func(err error) (Upload, error) {
		return Upload{Report: Report{Revision: c.Head().Revision, DryRun: o.DryRun}}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	if err := caller.MayForPSP(psp, FunctionBundles); err != nil {
		return fail(err)
	}
	caller.OnBehalfOf = psp
	k := uploadKey(psp, o.IdempotencyKey, digestOf(drafts))
	d, faults := draftsOf(psp, drafts, o.IdempotencyKey)
	if err := append(faults, checkKey(o.IdempotencyKey)...).Err(); err != nil {
		return fail(err)
	}
	i := c.authoring(ctx, d, k, o)
	report, err := i.run(caller)
	if words := placesOf(drafts, d.Bundles); words != nil && (err != nil || report.Warnings != nil) {
		report.Warnings, err = reworded(report.Warnings, words), rewordedError(err, words)
	}
	if err != nil {
		return Upload{Report: report}, err
	}
	if report.Repeated {
		if err := c.sameContent(ctx, k, report.Revision); err != nil {
			return fail(err)
		}
	}
	upload := Upload{Report: report, IDs: make([]string, len(d.Bundles))}
	if !report.Repeated {
		upload.Outcomes = i.outcomes
	}
	for n := range d.Bundles {
		upload.IDs[n] = d.Bundles[n].ID
	}
	return upload, nil
}

// placesOf says what to call bundles to an author who gave them no id: by their places. nil when all have one.
func placesOf(drafts, completed []Bundle) *strings.Replacer {
	var words []string
	for n := range drafts {
		if drafts[n].ID == "" {
			words = append(words, "bundle "+Excerpt(completed[n].ID), BundlePath(n)+" of this upload")
		}
	}
	if words == nil {
		return nil
	}
	return strings.NewReplacer(words...)
}

func reworded(faults []Fault, words *strings.Replacer) []Fault {
	others := slices.Clone(faults)
	for n := range others {
		others[n].Reason, others[n].Fix = words.Replace(others[n].Reason), words.Replace(others[n].Fix)
	}
	return others
}

// rewordedError is reworded for the faults that an error is; other errors stay as they are.
func rewordedError(err error, words *strings.Replacer) error {
	var faults Faults
	if !errors.As(err, &faults) {
		return err
	}
	return Faults(reworded(faults, words))
}

// keyed is an idempotency key in the name space of its PSP, with the digest of what came with it. The zero
// value is no key.
type keyed struct{ key, digest string }

func uploadKey(psp, key, digest string) keyed {
	if key == "" {
		return keyed{}
	}
	return keyed{"upload:" + escapePart(fold(psp)) + "/" + key, digest}
}

// checkKey refuses idempotency keys that are too long.
func checkKey(key string) Faults {
	if len(key) <= idBytesMax {
		return nil
	}
	return Faults{{Path: "Idempotency-Key", Reason: fmt.Sprintf("is %d bytes long", len(key)), Fix: fmt.Sprintf("use at most %d", idBytesMax)}}
}

// remember makes the key part of a change, so that sameContent finds it.
func (k keyed) remember(e *edit) {
	if k.key != "" && !e.empty() {
		e.others = append(e.others, indexRow(indexUploads, k.key, k.digest))
	}
}

// sameContent returns ErrKeyReused when the change of a key, which made a revision, was another one.
func (c *Catalogue) sameContent(ctx context.Context, k keyed, revision int64) error {
	_, err := c.store.Get(ctx, revision, KindIndex, indexPrefix(indexUploads, k.key)+k.digest)
	if errors.Is(err, ErrNotFound) {
		return ErrKeyReused
	}
	return err
}

// authoring is an import of bundles of one PSP, which the caller may make.
func (c *Catalogue) authoring(ctx context.Context, d Document, k keyed, o AuthorOptions) *importing {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	options := ImportOptions{Mode: ImportMerge, DryRun: o.DryRun, Base: o.Base, Operation: o.Operation, Progress: o.Progress, IdempotencyKey: k.key}
	return &importing{c: c, ctx: ctx, d: d, o: options, own: true, key: k}
}

// BundlePath is the path of the n-th bundle of a document, counted from 0.
func BundlePath(n int) string { return fmt.Sprintf("bundles[%d]", n) }

// Completed returns drafts as [Catalogue.CreateBundles] would take them: with the PSP and an id where they
// have none. The ids are not those that it would give.
func Completed(psp string, drafts []Bundle) []Bundle {
	d, _ := draftsOf(psp, drafts, "")
	return d.Bundles
}

// draftsOf completes drafts by what need not be said: the PSP and an id.
func draftsOf(psp string, drafts []Bundle, key string) (d Document, faults Faults) {
	d.Bundles = make([]Bundle, len(drafts))
	for n, b := range drafts {
		if b.PSP == "" {
			b.PSP = psp
		}
		if !strings.EqualFold(b.PSP, psp) && len(faults) < faultsMax {
			faults = append(faults, Fault{
				Path: fmt.Sprintf("bundles[%d].idPsp", n), Reason: fmt.Sprintf("is %s, but these are the bundles of %s", Excerpt(b.PSP), Excerpt(psp)), Fix: "leave it out, or upload each PSP's bundles apart",
			})
		}
		switch {
		case b.ID != "":
		case key == "":
			b.ID = uuid.NewString()
		default:
			b.ID = uuid.NewSHA1(uploadIDs, fmt.Appendf(nil, "%s\x00%s\x00%d", fold(psp), key, n)).String()
		}
		d.Bundles[n] = b
	}
	return d, faults
}

// digestOf covers all that the authors of drafts say.
func digestOf(drafts []Bundle) string {
	sum := sha256.New()
	for n := range drafts {
		sum.Write(authored(&drafts[n]))
		sum.Write([]byte{'\n'})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// ChangeBundle replaces a bundle of a PSP by a draft, which says all of it but its id, PSP and origin (A4).
// revision is the Bundle.Revision that the author read; nil takes the bundle as it is. It returns the bundle
// as it is then stored; on a dry run, as it would be.
//
// Errors: those of Caller.MayForPSP for FunctionBundles; ErrNotFound; *LostUpdateError; Faults with the wire
// names as paths; those of CreateBundles.
func (c *Catalogue) ChangeBundle(ctx context.Context, caller Caller, psp, id string, draft Bundle, revision *int64, o AuthorOptions) (Bundle, Report, error) {
	if o.Operation == "" {
		o.Operation = "changeBundle"
	}
	fail := func(report Report, err error) (Bundle, Report, error) {
		return Bundle{}, report, fmt.Errorf("%s: %w", o.Operation, err)
	}
	if err := caller.MayForPSP(psp, FunctionBundles); err != nil {
		return fail(Report{}, err)
	}
	if err := checkKey(o.IdempotencyKey).Err(); err != nil {
		return fail(Report{}, err)
	}
	caller.OnBehalfOf = psp
	stored, err := c.ownBundle(ctx, c.Head().Revision, psp, id)
	if err != nil {
		return fail(Report{}, err)
	}
	draft.ID, draft.PSP, draft.Origin = id, stored.PSP, ""
	k := uploadKey(psp, o.IdempotencyKey, digestOf([]Bundle{draft}))
	draft.Origin = stored.Origin
	i := c.authoring(ctx, Document{Bundles: []Bundle{draft}}, k, o)
	changed := &Bundle{}
	record, err := c.change(ctx, request{caller, o.Operation, k.key, o.Base, o.DryRun}, func(b base) (edit, error) {
		before, err := c.readBefore(ctx, b, psp, id, revision)
		if err != nil {
			return edit{}, err
		}
		*changed = before
		e, err := i.work(b)
		if len(e.put) > 0 {
			*changed = e.put[0]
			changed.Updated, changed.Revision = b.now, before.Revision
		}
		return e, err
	})
	i.report.DryRun, i.report.Revision = o.DryRun, record.Revision
	switch {
	case errors.Is(err, ErrDuplicateKey):
		i.report = Report{Revision: record.Revision, DryRun: o.DryRun, Repeated: true}
		if err := c.sameContent(ctx, k, record.Revision); err != nil {
			return fail(i.report, err)
		}
	case ignoreUnchanged(err) != nil:
		i.report.Revision = c.Head().Revision
		return fail(i.report, Unplaced(err, "bundles[0]"))
	case o.DryRun || err != nil:
		return *changed, i.report, nil
	}
	if changed, err = c.storedBundle(ctx, record.Revision, id); err != nil || changed == nil {
		return fail(i.report, errors.Join(err, ErrNotFound))
	}
	return *changed, i.report, nil
}

// readBefore returns the bundle that a change is about, as it is before. Errors: ErrNotFound,
// *LostUpdateError.
func (c *Catalogue) readBefore(ctx context.Context, b base, psp, id string, revision *int64) (Bundle, error) {
	stored, err := c.ownBundle(ctx, b.record.Revision, psp, id)
	if err == nil && revision != nil && *revision != stored.Revision {
		err = &LostUpdateError{BundleID: id, Read: *revision, Current: stored.Revision}
	}
	return stored, err
}

// ownBundle returns a bundle if it is one of the PSP's. Errors: ErrNotFound.
func (c *Catalogue) ownBundle(ctx context.Context, revision int64, psp, id string) (Bundle, error) {
	b, err := c.storedBundle(ctx, revision, id)
	switch {
	case err != nil:
		return Bundle{}, err
	case b == nil || !strings.EqualFold(b.PSP, psp):
		return Bundle{}, fmt.Errorf("bundle %s: %w", Excerpt(id), ErrNotFound)
	}
	return *b, nil
}

// Unplaced takes the place of a thing off the paths of faults: who sends one thing knows its fields by their
// names. Other errors stay as they are.
func Unplaced(err error, place string) error {
	var faults Faults
	if !errors.As(err, &faults) {
		return err
	}
	own := make(Faults, len(faults))
	for n, f := range faults {
		f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, place), ".")
		own[n] = f
	}
	return own
}

// RetireBundle ends a bundle and its subscriptions with today, and closes the offers and requests of it that
// are open (A5). It is quoted until midnight, one that has not begun never. revision is as in ChangeBundle.
// It returns the bundle as it then is.
//
// Errors: those of Caller.MayForPSP for FunctionBundles; ErrNotFound; *LostUpdateError; *StateError when it
// has ended; ErrKeyReused; those of the Store.
func (c *Catalogue) RetireBundle(ctx context.Context, caller Caller, psp, id string, revision *int64, o AuthorOptions) (Bundle, error) {
	if o.Operation == "" {
		o.Operation = "retireBundle"
	}
	err := caller.MayForPSP(psp, FunctionBundles)
	if err == nil {
		err = checkKey(o.IdempotencyKey).Err()
	}
	if err != nil {
		return Bundle{}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	caller.OnBehalfOf = psp
	k := uploadKey(psp, o.IdempotencyKey, "retire:"+id)
	var retired Bundle
	record, err := c.change(ctx, request{caller, o.Operation, k.key, o.Base, o.DryRun}, func(b base) (e edit, err error) {
		if retired, err = c.readBefore(ctx, b, psp, id, revision); err != nil {
			return e, err
		}
		if ended(retired.Validity, b.today) {
			return e, &StateError{What: "bundle", ID: id, Reason: "ends on " + retired.Validity.To.String(), Fix: "there is nothing left to retire"}
		}
		retired.Validity.To = b.today
		err = c.retire(ctx, b, retired, &e)
		k.remember(&e)
		return e, err
	})
	if errors.Is(err, ErrDuplicateKey) {
		if err = c.sameContent(ctx, k, record.Revision); err == nil {
			return c.ownBundle(ctx, record.Revision, psp, id)
		}
	}
	if err != nil {
		return Bundle{}, fmt.Errorf("%s: %w", o.Operation, err)
	}
	if !o.DryRun {
		retired.Revision = record.Revision
		retired.Updated = record.At
	}
	return retired, nil
}

// retire ends a bundle, as it is to be, with its subscriptions, and closes what is open about it.
func (c *Catalogue) retire(ctx context.Context, b base, bundle Bundle, e *edit) error {
	e.put = append(e.put, bundle)
	_, subscriptions, err := c.subscribers(ctx, b.record.Revision, bundle.ID)
	if err != nil {
		return err
	}
	for _, s := range subscriptions {
		if !ended(s.Validity, b.today) {
			s.Validity.To = b.today
			e.subscribed = append(e.subscribed, s)
		}
	}
	return c.closeRelations(ctx, b, bundle.ID, e)
}

// RetireCDI retires, as RetireBundle does, every bundle of a PSP that a CDI made and that has not ended; an
// empty cdi stands for all CDIs of the PSP. It returns how many there were.
//
// Errors: those of Caller.MayForPSP for FunctionBundles; ErrNotFound when no bundle is of that CDI; those of
// the Store.
func (c *Catalogue) RetireCDI(ctx context.Context, caller Caller, psp, cdi string) (retired int, err error) {
	const operation = "deleteCdi"
	if err := caller.MayForPSP(psp, FunctionBundles); err != nil {
		return 0, fmt.Errorf("%s: %w", operation, err)
	}
	err = c.relate(ctx, caller, psp, operation, func(b base) (e edit, err error) {
		known := false
		for id := range b.snapshot.IDsOf(psp) {
			stored, err := c.storedBundle(ctx, b.record.Revision, id)
			if err != nil {
				return e, err
			}
			if stored == nil || stored.Origin != OriginCDI || cdi != "" && stored.CDI != cdi {
				continue
			}
			if known = true; ended(stored.Validity, b.today) {
				continue
			}
			stored.Validity.To = b.today
			if err := c.retire(ctx, b, *stored, &e); err != nil {
				return e, err
			}
		}
		retired = len(e.put)
		if !known {
			return e, notFound("CDI", cdi)
		}
		return e, nil
	})
	return retired, err
}

// expired says why a bundle can no longer be agreed upon; nil when it can.
func expired(b *engine.Bundle, today engine.Date) error {
	if !ended(b.Validity, today) {
		return nil
	}
	return &StateError{What: "bundle", ID: b.ID, Reason: "ends on " + b.Validity.To.String(), Fix: "choose one that is offered longer"}
}
