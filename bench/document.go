package bench

import (
	"cmp"
	"slices"
	"time"

	"gec/bundles"
	"gec/engine"
)

// Document returns the catalogue as a file would state it.
func (c *Catalogue) Document() bundles.Document {
	d := bundles.Document{Settings: &c.Settings, Bundles: make([]bundles.Bundle, len(c.Bundles))}
	for i, b := range c.Bundles {
		d.Bundles[i].Bundle = *b
	}
	for _, ec := range c.ECs {
		for _, s := range c.Subscriptions[ec] {
			d.Subscriptions = append(d.Subscriptions, bundles.Subscription{Subscription: s})
		}
	}
	return d
}

// Upload returns that many new bundles as a PSP would upload them: valid from the day after now, and none in
// the way of another (A3). Their PSPs are in no catalogue of at most the given number of bundles.
func Upload(count, beyond int, now time.Time) bundles.Document {
	var d bundles.Document
	from := engine.LocalAt(now).Date.AddDays(1)
	for copied := beyond/ListBundles + 1; ; copied++ {
		list, _ := copyOfList(1, copied)
		slices.SortStableFunc(list, compareOffers)
		for i, b := range list {
			if i > 0 && compareOffers(b, list[i-1]) == 0 {
				continue // the list has it twice
			}
			b.Validity.From = from
			if d.Bundles = append(d.Bundles, bundles.Bundle{Bundle: *b}); len(d.Bundles) == count {
				return d
			}
		}
	}
}

// compareOffers finds bundles that a PSP offers for the same payments: those that compare equal.
func compareOffers(a, b *engine.Bundle) int {
	return cmp.Or(cmp.Compare(a.PSP, b.PSP), cmp.Compare(a.PaymentType, b.PaymentType), cmp.Compare(a.Touchpoint, b.Touchpoint),
		compareFlags(a.OnUs, b.OnUs), cmp.Compare(a.Band.MinCents, b.Band.MinCents), cmp.Compare(a.Band.MaxCents, b.Band.MaxCents))
}

func compareFlags(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
