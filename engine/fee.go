package engine

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// FeeCentsMax is the largest fee that is ever quoted, 1 000 000 € (Q15).
const FeeCentsMax = 100_000_000

// NoticesMax is the number of notices of the largest cart (spec 1).
const NoticesMax = 5

// Fee says how the fee of a bundle is computed (F1, F2): flat amount, plus an amount per notice, plus
// a percentage of the payment, plus the step that the payment's amount picks; then not below Min and
// not above Max. The zero Fee is a fee of nothing.
type Fee struct {
	// FlatCents and PerNoticeCents are 0 or more.
	FlatCents, PerNoticeCents int64
	// BasisPoints is the percentage of the payment's amount, in hundredths of a percent, 0 or more.
	BasisPoints int64
	// MinCents and MaxCents bound the sum; nil does not.
	MinCents, MaxCents *int64
	// Steps add the fee of the first step whose UpToCents is not below the amount. Ascending;
	// the last one is open. Steps have no steps of their own.
	Steps []FeeStep
}

// FeeStep is the fee for payments of at most UpToCents, down to the step before.
type FeeStep struct {
	// UpToCents is inclusive; nil on the last step, which is for every larger amount.
	UpToCents *int64
	Fee       Fee
}

// ErrFeeOverflow is returned when a fee leaves the range 0 to FeeCentsMax (Q15). Nothing wraps.
var ErrFeeOverflow = errors.New("fee exceeds 1 000 000 €")

// Cents returns the fee of a payment of that amount, in cents, and number of notices, both above 0.
// Errors: ErrFeeOverflow.
func (f *Fee) Cents(amountCents, notices int64) (int64, error) {
	sum, ok := f.sum(amountCents, notices)
	if !ok || sum > FeeCentsMax {
		return 0, ErrFeeOverflow
	}
	return sum, nil
}

// sum is Cents without the upper bound; ok is false when int64 would overflow.
func (f *Fee) sum(amountCents, notices int64) (total int64, ok bool) {
	total = f.FlatCents
	if f.PerNoticeCents != 0 {
		hi, lo := bits.Mul64(uint64(f.PerNoticeCents), uint64(notices))
		if total, ok = addWide(total, hi, lo); !ok {
			return 0, false
		}
	}
	if f.BasisPoints != 0 {
		hi, lo := percentage(uint64(amountCents), uint64(f.BasisPoints))
		if total, ok = addWide(total, hi, lo); !ok {
			return 0, false
		}
	}
	if step := f.step(amountCents); step != nil {
		part, fits := step.sum(amountCents, notices)
		if !fits {
			return 0, false
		}
		if total, ok = addWide(total, 0, uint64(part)); !ok {
			return 0, false
		}
	}
	if f.MinCents != nil {
		total = max(total, *f.MinCents)
	}
	if f.MaxCents != nil {
		total = min(total, *f.MaxCents)
	}
	return total, true
}

// step returns the fee that F2 adds for the amount, nil without steps.
func (f *Fee) step(amountCents int64) *Fee {
	for i := range f.Steps {
		if upTo := f.Steps[i].UpToCents; upTo == nil || amountCents <= *upTo {
			return &f.Steps[i].Fee
		}
	}
	return nil
}

func addWide(total int64, hi, lo uint64) (int64, bool) {
	if hi != 0 || lo > uint64(math.MaxInt64-total) {
		return 0, false
	}
	return total + int64(lo), true
}

// percentage returns amount × basisPoints / 10 000, rounded half to even, as a 128-bit number.
func percentage(amountCents, basisPoints uint64) (hi, lo uint64) {
	const whole = 10_000
	hi, lo = bits.Mul64(amountCents, basisPoints)
	quotientHi, rest := hi/whole, hi%whole
	quotientLo, rest := bits.Div64(rest, lo, whole)
	if rest > whole/2 || rest == whole/2 && quotientLo%2 == 1 {
		var carry uint64
		quotientLo, carry = bits.Add64(quotientLo, 1, 0)
		quotientHi += carry
	}
	return quotientHi, quotientLo
}

// Flat reports whether the fee is the same for every payment, and that fee in cents.
func (f *Fee) Flat() (cents int64, flat bool) {
	if f.PerNoticeCents != 0 || f.BasisPoints != 0 || len(f.Steps) > 0 {
		return 0, false
	}
	cents, err := f.Cents(1, 1)
	return cents, err == nil
}

// Range returns the lowest and the highest fee that payments in the band can get (F3), of one notice
// or, where cart is set, of up to NoticesMax. A fee that would overflow counts as FeeCentsMax: no
// payment is ever quoted more. Within a step every part of a fee grows with the amount and with the
// notices, so that the ends of each step decide.
func (f *Fee) Range(band Band, cart bool) (lowest, highest int64) {
	notices := int64(1)
	if cart {
		notices = NoticesMax
	}
	lowest = math.MaxInt64
	from := max(band.MinCents, 0) + 1
	for i := 0; ; i++ {
		to := band.MaxCents
		if i < len(f.Steps) && f.Steps[i].UpToCents != nil {
			to = min(to, *f.Steps[i].UpToCents)
		}
		if from <= to {
			lowest = min(lowest, f.saturated(from, 1))
			highest = max(highest, f.saturated(to, notices))
			from = to + 1
		}
		if i >= len(f.Steps)-1 || from > band.MaxCents {
			return min(lowest, FeeCentsMax), highest
		}
	}
}

func (f *Fee) saturated(amountCents, notices int64) int64 {
	if cents, err := f.Cents(amountCents, notices); err == nil {
		return cents
	}
	return FeeCentsMax
}

// FeeFault is one thing wrong with a fee.
type FeeFault struct {
	// Path of the part at fault below the fee, such as "steps[1].upTo"; empty for the whole fee.
	Path string
	// Reason says what is wrong and what would be right.
	Reason string
}

// Check returns everything that is wrong with the fee (F1, F2), nothing when it is well formed.
func (f *Fee) Check() []FeeFault { return f.check("", false) }

func (f *Fee) check(prefix string, inStep bool) (faults []FeeFault) {
	fault := func(path, reason string, values ...any) {
		faults = append(faults, FeeFault{prefix + path, fmt.Sprintf(reason, values...)})
	}
	cents := func(path string, value int64) {
		if value < 0 || value > FeeCentsMax {
			fault(path, "is %d cents: use 0 to %d", value, FeeCentsMax)
		}
	}
	cents("flat", f.FlatCents)
	cents("perNotice", f.PerNoticeCents)
	if f.BasisPoints < 0 || f.BasisPoints > 10_000 {
		fault("bps", "is %d hundredths of a percent: use 0 to 10000", f.BasisPoints)
	}
	if f.MinCents != nil {
		cents("min", *f.MinCents)
	}
	if f.MaxCents != nil {
		cents("max", *f.MaxCents)
	}
	if f.MinCents != nil && f.MaxCents != nil && *f.MinCents > *f.MaxCents {
		fault("min", "is above max: %d > %d", *f.MinCents, *f.MaxCents)
	}
	if inStep && f.Steps != nil {
		fault("steps", "a step has no steps of its own: list all steps in one list")
		return faults
	}
	return append(faults, f.checkSteps(prefix)...)
}

func (f *Fee) checkSteps(prefix string) (faults []FeeFault) {
	above := int64(0)
	for i := range f.Steps {
		step, path := &f.Steps[i], fmt.Sprintf("%ssteps[%d].", prefix, i)
		last := i == len(f.Steps)-1
		switch {
		case step.UpToCents == nil && !last:
			faults = append(faults, FeeFault{path + "upTo", "is missing: only the last step is open"})
		case step.UpToCents != nil && last:
			faults = append(faults, FeeFault{path + "upTo", "closes the last step: leave it out, so that every amount has a fee"})
		case step.UpToCents != nil && *step.UpToCents <= above:
			faults = append(faults, FeeFault{path + "upTo", fmt.Sprintf("is %d: steps ascend, use more than %d", *step.UpToCents, above)})
		}
		if step.UpToCents != nil {
			above = max(above, *step.UpToCents)
		}
		faults = append(faults, step.Fee.check(path+"fee.", true)...)
	}
	return faults
}
