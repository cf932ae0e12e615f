package node

import (
	"context"
	"fmt"

	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// Verified is what reading all of a data folder found.
type Verified struct {
	// Revision is the last one, Rows the number of rows of all revisions, each as it was written.
	Revision int64
	Rows     int
	// Bundles, Subscriptions and Methods are those of the last revision.
	Bundles, Subscriptions, Methods int
	// Faults are what breaks a rule of the catalogue in the last revision; Warnings what an import was
	// told to let pass, such as bundles that overlap (A3).
	Faults   bundles.Faults
	Warnings []bundles.Fault
}

// Verify reads everything: it holds every revision against the hash chain, decodes every row of the whole
// history, and checks the catalogue as it is against the rules of authoring, those that hold between bundles
// (A3) and of attributes and subscriptions (A17) with them. Errors: *badger.DamagedError, bundles.ErrCorrupt.
func (f *Folder) Verify(ctx context.Context) (v Verified, err error) {
	if damage := f.store.Degraded(); damage != nil {
		return v, damage
	}
	if v.Rows, err = f.store.Verify(ctx); err != nil {
		return v, err
	}
	v.Revision = f.Head().Revision
	if v.Revision == 0 {
		return v, nil
	}
	if err := f.store.Changes(ctx, 0, v.Revision, decodable); err != nil {
		return v, err
	}
	document, err := f.Export(ctx, Owner(), v.Revision)
	if err != nil {
		return v, err
	}
	v.Bundles, v.Subscriptions, v.Methods = len(document.Bundles), len(document.Subscriptions), len(document.PaymentMethods)
	settings := f.Current().Settings()
	v.Faults, v.Warnings = bundles.CheckDocument(&document, settings, 0, true, nil)
	all := make([]*engine.Bundle, len(document.Bundles))
	position := make(map[string]int, len(all))
	for i := range document.Bundles {
		all[i] = &document.Bundles[i].Bundle
		position[all[i].ID] = i
	}
	for _, c := range bundles.Conflicts(all, nil, settings.PostePSP) {
		if !c.Warning { // a `when` is its author's business
			v.Warnings = append(v.Warnings, c.Fault(fmt.Sprintf("bundles[%d]", position[c.A.ID])))
		}
	}
	return v, nil
}

// decodable decodes a row as its kind is decoded.
func decodable(r bundles.Row) (err error) {
	if r.Deleted {
		return nil
	}
	switch r.Kind {
	case bundles.KindSettings:
		_, err = bundles.DecodeSettings(r.Document)
	case bundles.KindIssuer:
		_, err = bundles.DecodeIssuer(r.Document)
	case bundles.KindBundle:
		_, err = bundles.DecodeBundle(r.Document)
	case bundles.KindSubscription:
		_, err = bundles.DecodeSubscription(r.Document)
	case bundles.KindOffer:
		_, err = bundles.DecodeOffer(r.Document)
	case bundles.KindRequest:
		_, err = bundles.DecodeRequest(r.Document)
	case bundles.KindPaymentMethod:
		_, err = bundles.DecodePaymentMethod(r.Document)
	case bundles.KindReceiptKey:
		_, err = receipt.DecodeKey(r)
	}
	if err != nil {
		return fmt.Errorf("row %q of kind %c, revision %d: %w", r.ID, r.Kind, r.Revision, err)
	}
	return nil
}
