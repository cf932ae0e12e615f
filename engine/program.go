package engine

import (
	"fmt"
	"strconv"
	"strings"

	"gec/engine/condition"
)

// Program returns the canonical program of a bundle: one boolean expression, a clause a line, of all
// its conditions in the order of their rules (Q1 to Q14). It is the bundle's meaning (E4); the index is
// only a faster way to the same answer. The fee is no part of it (F1), so that bundles that differ in
// the fee alone share a program.
func Program(b *Bundle) string {
	var p programText
	p.clause("amount > %d and amount <= %d", b.Band.MinCents, b.Band.MaxCents)
	if named(b.Touchpoint) {
		p.clause("touchpoint in [%s, %s]", condition.Quote(Any), condition.Quote(fold(b.Touchpoint)))
	}
	if named(b.PaymentType) {
		p.clause("paymentType in [%s, %s]", condition.Quote(Any), condition.Quote(fold(b.PaymentType)))
	}
	p.clause("admits(%s, %s, %s)", condition.Quote(b.PSP), condition.Quote(b.Channel), condition.Quote(b.Broker))
	if len(b.TransferCategories) > 0 {
		codes := make([]string, len(b.TransferCategories))
		for i, code := range b.TransferCategories {
			codes[i] = condition.Quote(BareCategory(code))
		}
		p.clause("(not taxonomyAsked or carries(%s))", strings.Join(codes, ", "))
	}
	if b.Type != Global {
		p.clause("subscribed")
	}
	if !b.Cart {
		p.clause("notices == 1")
	}
	p.stamps(b)
	p.issuer(b)
	if b.Validity.From != 0 {
		p.clause("date >= %s", condition.Quote(b.Validity.From.String()))
	}
	if b.Validity.To != 0 {
		p.clause("date <= %s", condition.Quote(b.Validity.To.String()))
	}
	if b.Schedule != nil {
		p.schedule(b.Schedule)
	}
	if b.When != "" {
		p.clause("(%s)", b.When)
	}
	return p.String()
}

// programText joins the clauses of a program.
type programText struct{ strings.Builder }

func (p *programText) clause(format string, values ...any) {
	if p.Len() > 0 {
		p.WriteString("\nand ")
	}
	fmt.Fprintf(p, format, values...)
}

// stamps holds Q8.
func (p *programText) stamps(b *Bundle) {
	switch {
	case b.DigitalStamp && b.DigitalStampOnly:
		p.clause("digitalStamps > 0 and digitalStamps == transfers")
	case b.DigitalStampOnly: // "only" without "allowed" suits no payment
		p.clause("false")
	case !b.DigitalStamp:
		p.clause("digitalStamps == 0")
	}
}

// issuer holds Q10 and Q11. A bundle without ABI is of no bank: no card is its own.
func (p *programText) issuer(b *Bundle) {
	switch {
	case b.OnUs && b.ABI == "":
		p.clause("false")
	case b.OnUs:
		p.clause("issuer == %s", condition.Quote(fold(b.ABI)))
	default:
		if b.ABI != "" {
			p.clause("issuer != %s", condition.Quote(fold(b.ABI)))
		}
		p.clause("not amex")
	}
}

// schedule holds Q13: a span past midnight is the evening of its days and the morning after.
func (p *programText) schedule(s Schedule) {
	spans := []string{}
	for _, b := range s {
		if b.FromMinute < b.ToMinute {
			spans = append(spans, span(b.Days, b.FromMinute, b.ToMinute))
			continue
		}
		spans = append(spans, span(b.Days, b.FromMinute, 24*60))
		if b.ToMinute > 0 {
			morning := b.Days << 1 &^ 1
			if b.Days.Has(7) {
				morning |= 1 << 1
			}
			spans = append(spans, span(morning&EveryDay, 0, b.ToMinute))
		}
	}
	if len(spans) == 0 {
		spans = append(spans, "false")
	}
	p.clause("(%s)", strings.Join(spans, " or "))
}

func span(days Days, from, to int) string {
	numbers := []string{}
	for day := 1; day <= 7; day++ {
		if days.Has(day) {
			numbers = append(numbers, strconv.Itoa(day))
		}
	}
	hours := fmt.Sprintf("time(%q, %q)", FormatMinute(from), FormatMinute(to))
	switch len(numbers) {
	case 0:
		return "false"
	case 7:
		return hours
	}
	return "weekday in [" + strings.Join(numbers, ", ") + "] and " + hours
}
