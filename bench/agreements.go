package bench

import (
	"fmt"
	"math/rand/v2"

	"gec/engine"
)

// subscribe adds PUBLIC and PRIVATE bundles and the ECs that subscribe to them. The bundles are those of
// the list at a lower fee, of which the EC bears a part.
func (c *Catalogue) subscribe(o Options, chance *rand.Rand) {
	if o.ECs == 0 || len(c.Bundles) == 0 {
		return
	}
	agreed := c.agreed(o.agreements(), chance)
	for n := range o.ECs {
		ec := TaxCode(n)
		c.ECs = append(c.ECs, ec)
		subscriptions := make([]engine.Subscription, 0, o.SubscriptionsPerEC)
		for _, i := range chance.Perm(len(agreed))[:o.SubscriptionsPerEC] {
			subscriptions = append(subscriptions, subscription(ec, agreed[i], chance))
		}
		c.Subscriptions[ec] = subscriptions
	}
}

// agreements is the number of PUBLIC and PRIVATE bundles.
func (o *Options) agreements() int {
	if o.ECs == 0 || o.Bundles == 0 {
		return 0
	}
	return o.SubscriptionsPerEC * 3 / 2
}

// agreed adds bundles that reach only those who subscribe.
func (c *Catalogue) agreed(count int, chance *rand.Rand) []*engine.Bundle {
	global := len(c.Bundles)
	for i := range count {
		b := *c.Bundles[chance.IntN(global)]
		b.ID, b.Type, b.OnUs = bundleID(chance), engine.Public, false
		if i%2 == 0 {
			b.Type = engine.Private
		}
		b.Name += " convenzionata"
		b.Fee = engine.Fee{FlatCents: b.Fee.FlatCents * 9 / 10}
		c.Bundles = append(c.Bundles, &b)
	}
	return c.Bundles[global:]
}

// TaxCode returns the tax code of the n-th creditor institution, from 0.
func TaxCode(n int) string { return fmt.Sprintf("%011d", 80_000_000_000+int64(n)*17) }

// subscription makes that of an EC to a bundle, with one to three attributes: a share for everything, or
// one for a taxonomy code and one for all others.
func subscription(ec string, b *engine.Bundle, chance *rand.Rand) engine.Subscription {
	s := engine.Subscription{
		ID: bundleID(chance), BundleID: b.ID, CreditorInstitution: ec, Validity: engine.Period{From: validFrom},
	}
	add := func(category string, notEqual bool) {
		s.Attributes = append(s.Attributes, engine.Attribute{
			ID: fmt.Sprintf("%s-%d", s.ID, len(s.Attributes)), MaxPaymentAmountCents: b.Fee.FlatCents * chance.Int64N(60) / 100,
			TransferCategory: category, NotEqual: notEqual,
		})
	}
	switch chance.IntN(3) {
	case 0:
		add("", false)
	case 1:
		add(someCategory(chance), false)
	case 2:
		code := someCategory(chance)
		add(code, false)
		add(code, true)
	}
	return s
}
