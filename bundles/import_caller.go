package bundles

import (
	"fmt"
	"strings"
)

// What an import asks of its caller (A18).

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
