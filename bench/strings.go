package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/engine"
)

// Strings is the obvious way: a loop over the bundles as they are, comparing strings. It knows what
// [Integers] knows, and is not for concurrent use.
type Strings struct {
	bundles []*engine.Bundle
	issuers []engine.IssuerRange
	amex    string
	ranking ranking
}

// NewStrings prepares a catalogue. Errors: a bundle that this way cannot quote.
func NewStrings(c *Catalogue) (*Strings, error) {
	for _, b := range c.Bundles {
		if _, flat := b.Fee.Flat(); !flat || b.Type != engine.Global || b.When != "" || b.Schedule != nil {
			return nil, fmt.Errorf("bundle %s is more than the loop over strings can say", b.ID)
		}
	}
	return &Strings{bundles: c.Bundles, issuers: sortedIssuers(c), amex: c.Settings.AmexABI, ranking: newRanking()}, nil
}

func sortedIssuers(c *Catalogue) []engine.IssuerRange {
	issuers := slices.Clone(c.Settings.Issuers)
	slices.SortFunc(issuers, func(a, b engine.IssuerRange) int { return cmp.Compare(a.Low, b.Low) })
	return issuers
}

// Quote returns the bundles of the answer, at most limit. It is valid until the next call.
func (l *Strings) Quote(p *engine.Payment, limit int) []*engine.Bundle {
	l.ranking.clear()
	amount, transfers, stamps := sums(p)
	date, issuer := engine.LocalAt(p.At).Date, l.issuer(p.BIN)
	for _, b := range l.bundles {
		switch {
		case amount <= b.Band.MinCents || amount > b.Band.MaxCents,
			p.Touchpoint != "" && b.Touchpoint != engine.Any && b.Touchpoint != p.Touchpoint,
			p.PaymentType != "" && b.PaymentType != "" && b.PaymentType != p.PaymentType,
			len(p.Notices) > 1 && !b.Cart,
			stamps > 0 && !b.DigitalStamp,
			b.DigitalStampOnly && (stamps == 0 || stamps < transfers),
			date < b.Validity.From || b.Validity.To != 0 && date > b.Validity.To,
			len(b.TransferCategories) > 0 && transfers > 0 && !carriesOne(p, b.TransferCategories),
			len(p.PSPs) > 0 && !filtered(p.PSPs, b.PSP, b.Channel, b.Broker):
			continue
		}
		isOwn := issuer != "" && b.ABI == issuer
		if isOwn != b.OnUs || !isOwn && issuer != "" && issuer == l.amex {
			continue
		}
		l.ranking.add(b)
	}
	return l.ranking.first(limit)
}

func sums(p *engine.Payment) (amount int64, transfers, stamps int) {
	for i := range p.Notices {
		amount += p.Notices[i].AmountCents
		for j := range p.Notices[i].Transfers {
			transfers++
			if p.Notices[i].Transfers[j].DigitalStamp {
				stamps++
			}
		}
	}
	return amount, transfers, stamps
}

func (l *Strings) issuer(bin string) string {
	if bin == "" {
		return ""
	}
	var card int64
	for i := range 19 {
		card *= 10
		if i < len(bin) {
			card += int64(bin[i] - '0')
		}
	}
	at, _ := slices.BinarySearchFunc(l.issuers, card, func(r engine.IssuerRange, n int64) int { return cmp.Compare(r.High, n) })
	if at < len(l.issuers) && l.issuers[at].Low <= card {
		return l.issuers[at].ABI
	}
	return ""
}

func carriesOne(p *engine.Payment, codes []string) bool {
	for i := range p.Notices {
		for j := range p.Notices[i].Transfers {
			if slices.Contains(codes, engine.BareCategory(p.Notices[i].Transfers[j].TransferCategory)) {
				return true
			}
		}
	}
	return false
}

func filtered(filters []engine.PSPFilter, psp, channel, broker string) bool {
	for i := range filters {
		f := &filters[i]
		if f.PSP == psp && (f.Channel == "" || f.Channel == channel) && (f.Broker == "" || f.Broker == broker) {
			return true
		}
	}
	return false
}

// ranking keeps the cheapest bundle of each PSP.
type ranking struct {
	best map[string]*engine.Bundle
	kept []*engine.Bundle
}

func newRanking() ranking { return ranking{best: map[string]*engine.Bundle{}} }

func (r *ranking) clear() { clear(r.best) }

func (r *ranking) add(b *engine.Bundle) {
	if best := r.best[b.PSP]; best == nil || cheaper(b, best) {
		r.best[b.PSP] = b
	}
}

// first returns the bundles in the order of an answer, at most limit. They are valid until the next call.
func (r *ranking) first(limit int) []*engine.Bundle {
	r.kept = r.kept[:0]
	for _, b := range r.best {
		r.kept = append(r.kept, b)
	}
	slices.SortFunc(r.kept, shownBefore)
	return r.kept[:min(limit, len(r.kept))]
}

func cheaper(a, b *engine.Bundle) bool {
	if a.Fee.FlatCents != b.Fee.FlatCents {
		return a.Fee.FlatCents < b.Fee.FlatCents
	}
	if a.OnUs != b.OnUs {
		return a.OnUs
	}
	return a.ID < b.ID
}

// shownBefore is the order of an answer by fee, on-us rows first.
func shownBefore(a, b *engine.Bundle) int {
	if a.OnUs != b.OnUs {
		if a.OnUs {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.Fee.FlatCents, b.Fee.FlatCents), strings.Compare(a.PSPBusinessName, b.PSPBusinessName),
		strings.Compare(a.ID, b.ID))
}

// rowsOfBundles returns an answer in the form in which all ways are compared.
func rowsOfBundles(bundles []*engine.Bundle) []Row {
	rows := make([]Row, len(bundles))
	for i, b := range bundles {
		fee := b.Fee.FlatCents
		rows[i] = Row{Bundle: b.ID, Gross: fee, Net: fee, OnUs: b.OnUs && b.PaymentType == engine.CardPaymentType}
	}
	return rows
}
