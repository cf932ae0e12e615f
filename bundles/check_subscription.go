package bundles

import (
	"fmt"

	"gec/engine"
)

// Bounds of one subscription.
const attributesMax = 1000

// subscriptionKey tells subscriptions apart: an id is unique among those of a bundle.
type subscriptionKey struct{ bundle, id string }

// subscriptions checks the document's subscriptions against their bundles and each other. Those of
// bundles that share an id are passed over: whose they are is open until the ids are mended.
func (c *checker) subscriptions(d *Document, inDocument map[string]int, stored func(id string) (*Bundle, bool)) {
	count := map[string]int{} // per bundle of the document; "" for all others
	byID := make(map[subscriptionKey]string, len(d.Subscriptions))
	byEC := make(map[subscriptionKey][]int, len(d.Subscriptions))
	paths := make([]string, len(d.Subscriptions))
	for i := range d.Subscriptions {
		s := &d.Subscriptions[i]
		var b *Bundle
		path, group := "subscriptions[%d]", ""
		if at, found := inDocument[s.BundleID]; at == several {
			continue
		} else if found {
			b, group = &d.Bundles[at], s.BundleID
			path = fmt.Sprintf("bundles[%d].subscriptions", at) + "[%d]"
		} else if b, found = stored(s.BundleID); !found {
			b = nil
		}
		paths[i] = fmt.Sprintf(path, count[group])
		count[group]++

		c.prefix = paths[i] + "."
		c.subscription(s, b)
		key := subscriptionKey{s.BundleID, s.ID}
		if first, repeated := byID[key]; repeated {
			c.contradiction("id", fmt.Sprintf("%s is the id of %s too", Excerpt(s.ID), first), "give each subscription of a bundle an id of its own")
		} else {
			byID[key] = paths[i]
		}
		key = subscriptionKey{s.BundleID, s.CreditorInstitution}
		for _, other := range byEC[key] {
			if intersect(s.Validity, d.Subscriptions[other].Validity) {
				c.flaw("ciFiscalCode", fmt.Sprintf("%s subscribes to the bundle in %s too, at the same time", Excerpt(s.CreditorInstitution), paths[other]),
					"an EC has one subscription to a bundle at a time")
				break
			}
		}
		byEC[key] = append(byEC[key], i)
	}
	c.prefix = ""
}

// intersect reports whether two periods share a day.
func intersect(a, b engine.Period) bool {
	return (a.To == 0 || b.From <= a.To) && (b.To == 0 || a.From <= b.To)
}

// subscription checks one subscription; b is its bundle, nil where there is none.
func (c *checker) subscription(s *Subscription, b *Bundle) {
	c.id("id", s.ID)
	if !IsTaxCode(s.CreditorInstitution) {
		c.text("ciFiscalCode", s.CreditorInstitution, partyMax)
		c.flaw("ciFiscalCode", Excerpt(s.CreditorInstitution)+" is no tax code of an EC", "use its 11 digits")
	}
	if c.date("validityDateFrom", s.Validity.From) && c.date("validityDateTo", s.Validity.To) && s.Validity.To != 0 && s.Validity.To < s.Validity.From && (c.today != 0 || c.lenient) {
		c.flaw("validityDateTo", fmt.Sprintf("is %s, before validityDateFrom, which is %s", s.Validity.To, s.Validity.From), "the subscription would never be valid")
	}
	if b == nil {
		c.contradiction("idBundle", fmt.Sprintf("bundle %s does not exist", Excerpt(s.BundleID)), "name a bundle of the document or of the catalogue")
		c.attributes(s.Attributes, nil)
		return
	}
	if b.Type == engine.Global {
		c.flaw("", "is for a GLOBAL bundle, whose fee is the PSP's alone", "only PUBLIC and PRIVATE bundles have subscriptions")
	}
	if (c.today != 0 || c.lenient) && !within(s.Validity, b.Validity) {
		c.flaw("validityDateFrom", "the period is not inside that of the bundle", "the bundle is valid "+spell(b.Validity))
	}
	c.attributes(s.Attributes, b)
}

// within reports whether the ends that a period states lie inside the outer one.
func within(inner, outer engine.Period) bool {
	for _, end := range []engine.Date{inner.From, inner.To} {
		if end != 0 && !outer.Holds(end) {
			return false
		}
	}
	return true
}

// spell words a period.
func spell(p engine.Period) string {
	switch {
	case p.From == 0 && p.To == 0:
		return "always"
	case p.From == 0:
		return "until " + p.To.String()
	case p.To == 0:
		return "from " + p.From.String() + " on"
	}
	return "from " + p.From.String() + " to " + p.To.String()
}

// IsTaxCode reports whether a text is a tax code of an EC: 11 digits. Whether the last fits the others is not asked, as
// codes made for tests do not.
func IsTaxCode(s string) bool { return len(s) == 11 && leadingDigits(s) == 11 }

// attributes checks what the EC bears (A17); without the bundle its fee is not looked at.
func (c *checker) attributes(all []engine.Attribute, b *Bundle) {
	if len(all) > attributesMax {
		c.flaw("attributes", fmt.Sprintf("are %d", len(all)), fmt.Sprintf("use at most %d", attributesMax))
	}
	type target struct {
		category string
		notEqual bool
	}
	first := make(map[target]int, len(all))
	for i := range all {
		a, path := &all[i], fmt.Sprintf("attributes[%d]", i)
		c.attribute(path, a, b)
		if a.TransferCategory == "" {
			if len(all) > 1 {
				c.flaw(path, "has no transferCategory, and so is for all of them, but is not the only attribute", "leave the others out, or name its category")
			}
			continue
		}
		key := target{engine.BareCategory(a.TransferCategory), a.NotEqual}
		if j, repeated := first[key]; repeated {
			c.flaw(path, fmt.Sprintf("has the category and the relation of attributes[%d]", j), "keep one of the two")
			continue
		}
		first[key] = i
	}
}

func (c *checker) attribute(path string, a *engine.Attribute, b *Bundle) {
	c.text(path+".id", a.ID, nameMax)
	switch {
	case a.MaxPaymentAmountCents < 0:
		c.contradiction(path+".maxPaymentAmount", fmt.Sprintf("is %d", a.MaxPaymentAmountCents), "use 0 or more cents")
	case b != nil && b.Band.MinCents < b.Band.MaxCents:
		if lowest, _ := b.Fee.Range(b.Band, b.Cart); a.MaxPaymentAmountCents > lowest {
			c.flaw(path+".maxPaymentAmount", fmt.Sprintf("is %d, above the lowest fee of the bundle", a.MaxPaymentAmountCents), fmt.Sprintf("use at most %d cents", lowest))
		}
	}
	if a.TransferCategory != "" {
		c.transferCategory(path+".transferCategory", a.TransferCategory)
	} else if a.NotEqual {
		c.flaw(path+".transferCategoryRelation", "is NOT_EQUAL to no category", "name the category, or leave the relation out")
	}
}
