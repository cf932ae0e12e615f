package bundles

import (
	"context"
	"slices"
	"strings"

	"gec/engine"
)

// The names that the operator registers: touchpoints and payment types (spec 1). A name that a bundle still
// uses stays, or the bundle would silently reach nobody.

// AddTouchpoint registers a touchpoint; it is the operator's. Errors: ErrForbidden; Faults; *StateError when
// it is registered; those of the Store.
func (c *Catalogue) AddTouchpoint(ctx context.Context, caller Caller, name string) error {
	return c.register(ctx, caller, "createTouchpoint", func(b base, s *engine.Settings) error {
		return addName(&s.Touchpoints, "touchpoint", name)
	})
}

// RemoveTouchpoint takes a touchpoint off, given by its name or id; it is the operator's. Errors:
// ErrForbidden; ErrNotFound; *StateError when a bundle uses it; those of the Store.
func (c *Catalogue) RemoveTouchpoint(ctx context.Context, caller Caller, name string) error {
	return c.register(ctx, caller, "deleteTouchpoint", func(b base, s *engine.Settings) error {
		return removeName(b, &s.Touchpoints, "touchpoint", name, func(bundle *engine.Bundle) string { return bundle.Touchpoint })
	})
}

// AddPaymentType registers a payment type, and RemovePaymentType takes one off, as with touchpoints.
func (c *Catalogue) AddPaymentType(ctx context.Context, caller Caller, name string) error {
	return c.register(ctx, caller, "createPaymentType", func(b base, s *engine.Settings) error {
		return addName(&s.PaymentTypes, "payment type", name)
	})
}

// RemovePaymentType is RemoveTouchpoint for a payment type.
func (c *Catalogue) RemovePaymentType(ctx context.Context, caller Caller, name string) error {
	return c.register(ctx, caller, "deletePaymentType", func(b base, s *engine.Settings) error {
		return removeName(b, &s.PaymentTypes, "payment type", name, paymentTypeOf)
	})
}

// SyncPaymentTypes makes the registered payment types those of the list. Errors: ErrForbidden; Faults;
// *StateError for the first one that would go and that a bundle uses; those of the Store.
func (c *Catalogue) SyncPaymentTypes(ctx context.Context, caller Caller, names []string) error {
	return c.register(ctx, caller, "syncPaymentTypes", func(b base, s *engine.Settings) error {
		for _, before := range slices.Clone(s.PaymentTypes) {
			if !containsFold(names, before) {
				if err := removeName(b, &s.PaymentTypes, "payment type", before, paymentTypeOf); err != nil {
					return err
				}
			}
		}
		s.PaymentTypes = slices.Clone(names)
		return nil
	})
}

func paymentTypeOf(b *engine.Bundle) string { return b.PaymentType }

// register changes the settings by a function that may refuse.
func (c *Catalogue) register(ctx context.Context, caller Caller, operation string, change func(b base, s *engine.Settings) error) error {
	_, err := c.changeSettings(ctx, caller, operation, change)
	return err
}

func addName(names *[]string, what, name string) error {
	if containsFold(*names, name) {
		return &StateError{What: what, ID: name, Reason: "is registered", Fix: "there is nothing left to do"}
	}
	*names = append(*names, name)
	return nil
}

func removeName(b base, names *[]string, what, name string, of func(*engine.Bundle) string) error {
	if !containsFold(*names, name) {
		return notFound(what, name)
	}
	for bundle := range b.snapshot.Bundles() {
		if strings.EqualFold(of(bundle), name) && !Over(bundle.Validity, b.today) {
			return &StateError{What: what, ID: name, Reason: "is used by bundle " + Excerpt(bundle.ID), Fix: "retire the bundles that use it first"}
		}
	}
	*names = slices.DeleteFunc(*names, func(other string) bool { return strings.EqualFold(other, name) })
	return nil
}

// Over reports whether a period has no day from today on: its bundle is quoted never again. One that ends
// today, as a bundle retired today does, is not over before midnight (A5).
func Over(p engine.Period, today engine.Date) bool {
	return p.To != 0 && (p.To < today || p.To < p.From)
}

func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(other string) bool { return strings.EqualFold(other, name) })
}
