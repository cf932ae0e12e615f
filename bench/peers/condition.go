package main

import (
	"fmt"
	"strings"

	"gec/engine"
)

// facts are what the ways know of a payment: enough for the published list and payments without filters.
type facts struct {
	amount                          int64
	touchpoint, paymentType, issuer string
	categories                      []string
}

// factsOf reads a payment of one notice by a card whose issuer is unknown.
func factsOf(p *engine.Payment) facts {
	f := facts{touchpoint: p.Touchpoint, paymentType: p.PaymentType}
	for i := range p.Notices {
		f.amount += p.Notices[i].AmountCents
		for j := range p.Notices[i].Transfers {
			f.categories = append(f.categories, engine.BareCategory(p.Notices[i].Transfers[j].TransferCategory))
		}
	}
	return f
}

// dialect is how a language writes the parts of a condition.
type dialect struct {
	// amount, touchpoint, paymentType and issuer name the facts.
	amount, touchpoint, paymentType, issuer string
	and                                     string
	// category writes that one of the payment's categories is among those quoted and joined by commas.
	category func(codes string) string
}

// condition writes when a bundle applies (Q1 to Q3, Q5, Q10).
func (d *dialect) condition(b *engine.Bundle) string {
	parts := []string{
		fmt.Sprintf("%s > %d", d.amount, b.Band.MinCents), fmt.Sprintf("%s <= %d", d.amount, b.Band.MaxCents),
	}
	if b.Touchpoint != engine.Any {
		parts = append(parts, fmt.Sprintf("%s == %q", d.touchpoint, b.Touchpoint))
	}
	if b.PaymentType != "" {
		parts = append(parts, fmt.Sprintf("%s == %q", d.paymentType, b.PaymentType))
	}
	if b.OnUs {
		parts = append(parts, fmt.Sprintf("%s == %q", d.issuer, b.ABI))
	} else {
		parts = append(parts, fmt.Sprintf("%s != %q", d.issuer, b.ABI))
	}
	if len(b.TransferCategories) > 0 {
		codes := make([]string, len(b.TransferCategories))
		for i, code := range b.TransferCategories {
			codes[i] = fmt.Sprintf("%q", code)
		}
		parts = append(parts, d.category(strings.Join(codes, ", ")))
	}
	return strings.Join(parts, d.and)
}
