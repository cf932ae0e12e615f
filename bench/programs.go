package bench

import (
	"fmt"
	"slices"
	"strings"

	"gec/engine"
	"gec/engine/condition"
)

// Programs is the way of a rules engine: one compiled expr program a bundle, its canonical one, run one by
// one against a map of facts. Every program is compiled beforehand, the virtual machine is reused, and the
// ranking is that of [Strings]. It serves GLOBAL bundles of flat fees, with conditions and schedules, and
// is not for concurrent use.
type Programs struct {
	catalogue *Catalogue
	programs  []*condition.Program
	evaluator *condition.Evaluator
	facts     condition.Facts
	payment   *engine.Payment
	issuers   *Strings
	ranking   ranking
	date      engine.Date
	dateText  string
}

// NewPrograms compiles the catalogue. Errors: a bundle that this way cannot quote, or that does not compile.
func NewPrograms(c *Catalogue) (*Programs, error) {
	cache := condition.NewCache(len(c.Bundles))
	p := &Programs{
		catalogue: c, evaluator: condition.NewEvaluator(), ranking: newRanking(),
		issuers: &Strings{issuers: sortedIssuers(c)},
	}
	p.facts.Admits = func(psp, channel, broker string) bool {
		return len(p.payment.PSPs) == 0 || filtered(p.payment.PSPs, psp, channel, broker)
	}
	for _, b := range c.Bundles {
		if _, flat := b.Fee.Flat(); !flat || b.Type != engine.Global {
			return nil, fmt.Errorf("bundle %s is more than the loop over programs can say", b.ID)
		}
		program, err := cache.Canonical(engine.Program(b))
		if err != nil {
			return nil, fmt.Errorf("bundle %s: %w", b.ID, err)
		}
		p.programs = append(p.programs, program)
	}
	return p, nil
}

// Quote returns the bundles of the answer, at most limit. It is valid until the next call. A program that
// fails does not apply.
func (l *Programs) Quote(p *engine.Payment, limit int) []*engine.Bundle {
	l.read(p)
	l.ranking.clear()
	for i, program := range l.programs {
		b := l.catalogue.Bundles[i]
		if holds, err := l.evaluator.Holds(program, b.OnUs, false); err != nil || !holds {
			continue
		}
		l.ranking.add(b)
	}
	return l.ranking.first(limit)
}

// read makes the payment the one that programs see.
func (l *Programs) read(p *engine.Payment) {
	l.payment = p
	f := &l.facts
	f.AmountCents, f.Transfers, f.DigitalStamps = sums(p)
	f.Notices, f.TaxonomyAsked = len(p.Notices), f.Transfers > 0
	f.Touchpoint, f.PaymentType = orAny(p.Touchpoint), orAny(p.PaymentType)
	f.ECs, f.Categories = f.ECs[:0], f.Categories[:0]
	for i := range p.Notices {
		n := &p.Notices[i]
		if !slices.Contains(f.ECs, n.CreditorInstitution) {
			f.ECs = append(f.ECs, n.CreditorInstitution)
		}
		for j := range n.Transfers {
			if code := engine.BareCategory(n.Transfers[j].TransferCategory); code != "" && !slices.Contains(f.Categories, code) {
				f.Categories = append(f.Categories, code)
			}
		}
	}
	f.Issuer = strings.ToUpper(l.issuers.issuer(p.BIN))
	f.Amex = f.Issuer != "" && f.Issuer == l.catalogue.Settings.AmexABI
	at := engine.LocalAt(p.At)
	if at.Date != l.date {
		l.date, l.dateText = at.Date, at.Date.String()
	}
	f.Local = condition.Local{
		Year: int(at.Date / 10000), Month: int(at.Date / 100 % 100), Day: int(at.Date % 100),
		Weekday: at.Weekday, Hour: at.Minute / 60, Minute: at.Minute % 60, Date: l.dateText,
	}
	l.evaluator.Reset(f)
}

func orAny(name string) string {
	if name == "" {
		return engine.Any
	}
	return name
}
