package lint

import (
	"fmt"

	"gec/bundles"
	"gec/engine"
	"gec/engine/condition"
)

// causes finds why no payment can get a bundle.
type causes struct {
	l *linter
	// named says that the operator's settings are known.
	named                     bool
	touchpoints, paymentTypes map[string]bool
	issuers                   map[string]bool
	conditions                map[string]error
}

func (l *linter) newCauses(named bool) *causes {
	c := &causes{l: l, named: named, issuers: map[string]bool{}, conditions: map[string]error{}}
	c.touchpoints, c.paymentTypes = foldedSet(l.settings.Touchpoints), foldedSet(l.settings.PaymentTypes)
	for _, r := range l.settings.Issuers {
		c.issuers[fold(r.ABI)] = true
	}
	return c
}

func foldedSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[foldedAny(name)] = true
	}
	return set
}

// of returns the findings about a bundle that no payment can get; none for one that some may. One for an
// unknown touchpoint or payment type is shown to payments that name none (Q2, Q3), and counts as
// unreachable all the same (A10).
func (c *causes) of(it *item) (found []Finding) {
	add := func(severity Severity, field, message, fix string) {
		found = append(found, Finding{Rule: Unreachable, Severity: severity, PSP: it.PSP, Bundle: it.ID, Field: field, Message: message, Fix: fix})
	}
	validity := it.Validity
	switch {
	case validity.To != 0 && validity.To < validity.From:
		add(Warning, fieldTo, fmt.Sprintf("is %s, before validityDateFrom, which is %s", validity.To, validity.From), "set it to that day or later")
	case validity.To != 0 && validity.To < c.l.today:
		add(Note, fieldTo, fmt.Sprintf("expired on %s", validity.To), "author a new bundle if it is still wanted")
	}
	if it.Band.MaxCents <= it.Band.MinCents {
		add(Warning, fieldMax, fmt.Sprintf("is %s, not above minPaymentAmount, which is %s", euro(it.Band.MaxCents), euro(it.Band.MinCents)), "set it above the minimum")
	}
	if it.Schedule != nil && bundles.WeekOf(it.Schedule).Empty() {
		add(Warning, fieldSchedule, "holds at no minute of the week", "leave it out for a bundle that is always offered")
	}
	if it.DigitalStampOnly && !it.DigitalStamp {
		add(Warning, fieldStamp, "is set, but digitalStamp is not: neither payments with stamps nor those without get the bundle", "set both for a bundle that is only for digital stamps")
	}
	if it.When != "" {
		if err := c.compile(it.When); err != nil {
			add(Warning, fieldWhen, "is no condition: "+err.Error(), "mend it; the bundle is not quoted meanwhile")
		}
	}
	c.names(it, add)
	return found
}

// names looks at what the operator registers.
func (c *causes) names(it *item, add func(severity Severity, field, message, fix string)) {
	if it.OnUs && it.ABI == "" {
		add(Warning, fieldABI, "is missing on an on-us bundle: no card is of its bank", "set it to that of the bank that issues the cards")
	}
	if !c.named {
		return
	}
	if name := foldedAny(it.Touchpoint); name != "" && !c.touchpoints[name] {
		add(Warning, fieldTouchpoint, bundles.Excerpt(it.Touchpoint)+" is not registered: no payment can name it", nearest(it.Touchpoint, c.l.settings.Touchpoints))
	}
	if name := foldedAny(it.PaymentType); name != "" && !c.paymentTypes[name] {
		add(Warning, fieldPaymentType, bundles.Excerpt(it.PaymentType)+" is not registered: no payment can name it", nearest(it.PaymentType, c.l.settings.PaymentTypes))
	}
	if it.OnUs && it.ABI != "" && len(c.issuers) > 0 && !c.issuers[fold(it.ABI)] {
		add(Warning, fieldABI, "no card numbers are registered for "+bundles.Excerpt(it.ABI)+", so that no card is on-us", "ask the operator to register them")
	}
}

func nearest(name string, known []string) string {
	if near := bundles.Nearest(name, known); near != "" {
		return "the nearest name is " + near
	}
	return fmt.Sprintf("use a registered name, or %s for all", engine.Any)
}

// compile remembers what came of each source, because many bundles may share one.
func (c *causes) compile(source string) error {
	err, known := c.conditions[source]
	if !known {
		_, err = condition.Compile(source)
		c.conditions[source] = err
	}
	return err
}
