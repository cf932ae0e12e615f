package format

import (
	"fmt"

	"gec/engine"
)

// The fee of a bundle is paymentAmount, or fee, or both: then paymentAmount is the flat part (F1).

func feeFields() *table[feeDraft] {
	parts := []field[feeDraft]{
		{name: "flat", take: func(d *decoder, f *feeDraft) {
			f.FlatCents, _ = d.whole(wholeCents)
			f.flatGiven = true
		}},
		wholeField("perNotice", false, wholeCents, func(f *feeDraft) *int64 { return &f.PerNoticeCents }),
		wholeField("bps", false, "write whole hundredths of a percent, as in 150 for 1.5 %", func(f *feeDraft) *int64 { return &f.BasisPoints }),
		optionalField("min", func(f *feeDraft) **int64 { return &f.MinCents }),
		optionalField("max", func(f *feeDraft) **int64 { return &f.MaxCents }),
		{name: "steps", take: takeSteps},
	}
	for i := range parts {
		take := parts[i].take
		parts[i].take = func(d *decoder, f *feeDraft) {
			take(d, f)
			f.given = true
		}
	}
	return newTable(parts...)
}

func takeFee(d *decoder, b *bundleDraft) {
	b.fee = takeParts(d)
}

func takeParts(d *decoder) *feeDraft {
	f, before := &feeDraft{}, len(d.faults)
	takeObject(d, d.tables.fee, f)
	f.faulty = len(d.faults) > before
	return f
}

// none reports whether the fee has no part at all. A misspelt part must not make a payment free: who asks no fee
// says so with a part of 0.
func (f *feeDraft) none() bool { return !f.faulty && !f.given }

const (
	noPart    = "has no part"
	someParts = "give flat, perNotice, bps, min, max or steps; for no fee write flat 0"
)

func takeSteps(d *decoder, f *feeDraft) {
	_, at := d.peek()
	before := len(d.faults)
	d.elements(stepsMax, func() {
		var step engine.FeeStep
		takeObject(d, d.tables.step, &step)
		f.Steps = append(f.Steps, step)
	})
	if len(f.Steps) == 0 && len(d.faults) == before {
		d.fault(at, "is an empty list", "leave it out, or list the steps")
	}
}

func stepFields() *table[engine.FeeStep] {
	return newTable(
		optionalField("upTo", func(s *engine.FeeStep) **int64 { return &s.UpToCents }),
		field[engine.FeeStep]{name: "fee", mandatory: true, take: func(d *decoder, s *engine.FeeStep) {
			k, at := d.peek()
			if k != object {
				s.Fee.FlatCents, _ = d.whole("write whole euro cents, as in 150 for 1.50 €, or an object like that of the bundle's fee")
				return
			}
			f := takeParts(d)
			if f.none() {
				d.fault(at, noPart, someParts)
			}
			s.Fee = f.Fee
		}},
	)
}

// settleFee puts paymentAmount and fee together.
func (d *decoder) settleFee(b *bundleDraft, at mark) {
	switch {
	case b.flatCents == nil && b.fee == nil:
		d.faultBelow("paymentAmount", at, "is missing", "it is mandatory unless there is a fee")
	case b.fee == nil:
		b.Fee = engine.Fee{FlatCents: *b.flatCents}
	case b.flatCents == nil:
		if d.name != CSV && b.fee.none() { // a cell that is not empty is a part
			d.faultBelow("fee", at, noPart, someParts)
		}
		b.Fee = b.fee.Fee
	default:
		if b.fee.flatGiven && b.fee.FlatCents != *b.flatCents {
			d.faultBelow("paymentAmount", at, fmt.Sprintf("is %d, but fee.flat is %d: both are the flat part of the fee", *b.flatCents, b.fee.FlatCents), "leave one of them out")
		}
		b.Fee = b.fee.Fee
		b.Fee.FlatCents = *b.flatCents
	}
}
