package lint

import (
	"fmt"
	"math"
	"sort"

	"gec/bundles"
	"gec/engine"
)

// checkNeverWins finds bundles that another one of the same PSP always comes before (Q19): the other's
// conditions hold wherever theirs do, and its fee is at most theirs on every amount of their band and
// for every number of notices. Everything else is left alone, though it may never win either.
func (l *linter) checkNeverWins() {
	for _, g := range l.groups {
		rivals := append([]*group{g}, g.wider...)
		for _, it := range g.members {
			other := l.winner(it, rivals)
			if other == nil {
				continue
			}
			l.report(it, Finding{
				Rule: NeverWins, Severity: Warning, Other: other.ID, Field: it.feeField(),
				Message: fmt.Sprintf("bundle %s applies wherever this one does and asks %s, this one %s", bundles.Excerpt(other.ID), fees(other), fees(it)),
				Fix:     "lower the fee, narrow the conditions of the other bundle, or retire this one",
			})
		}
	}
}

// feeField is the wire name of the fee.
func (it *item) feeField() string {
	if _, flat := it.Fee.Flat(); flat {
		return fieldFlat
	}
	return fieldFee
}

// fees words the fees that a bundle can ask.
func fees(it *item) string {
	if it.lowest == it.highest {
		return euro(it.lowest)
	}
	return euro(it.lowest) + " to " + euro(it.highest)
}

// rivalsMax bounds how many others a bundle is compared with, so that thousands of bundles of one band
// take no time that is felt. Where there are more, what lint does not say is not said.
const rivalsMax = 1000

// winner returns a bundle that always comes before another one, nil where none provably does.
func (l *linter) winner(it *item, rivals []*group) *item {
	left := rivalsMax
	wins := func(other *item) bool {
		left--
		return other != it && l.alwaysBefore(other, it)
	}
	for _, g := range rivals {
		if g.groupKey.reach != engine.Global {
			continue // whoever subscribes to one PUBLIC or PRIVATE bundle need not subscribe to another
		}
		// Members up to end begin no later; the nearest ones in the order of the group come first.
		end := sort.Search(len(g.members), func(i int) bool { return g.members[i].Band.MinCents > it.Band.MinCents })
		middle := sort.Search(end, func(i int) bool { return compareBands(g.members[i], it) >= 0 })
		for i := middle - 1; i >= 0 && left > 0 && g.tops[i] >= it.Band.MaxCents; i-- {
			if wins(g.members[i]) {
				return g.members[i]
			}
		}
		for i := middle; i < end && left > 0; i++ {
			if wins(g.members[i]) {
				return g.members[i]
			}
		}
	}
	return nil
}

// alwaysBefore reports whether b, whose conditions contain those of a, always comes before a.
func (l *linter) alwaysBefore(b, a *item) bool {
	if b.Band.MaxCents < a.Band.MaxCents || b.lowest > a.highest || !l.outlasts(b.Validity, a.Validity) {
		return false
	}
	before := b.ID < a.ID // decides where the fees are equal
	if a.Type != engine.Global || l.o.Subscribed != nil && l.o.Subscribed(a.ID) {
		// ECs may bear all of a's fee. Then the lowest net fee is nothing, which b undercuts never
		// and equals only if it is free; then the lower gross fee decides, which is b's.
		return b.highest == 0 && (a.lowest > 0 || before)
	}
	if b.highest < a.lowest {
		return true
	}
	atMost, below := compareFees(&b.Fee, &a.Fee, a.Band, a.Cart)
	return atMost && (below || before)
}

// outlasts reports whether a validity holds on every day from today on on which another one does.
func (l *linter) outlasts(long, short engine.Period) bool {
	return long.From <= max(short.From, l.today) && (long.To == 0 || short.To != 0 && short.To <= long.To)
}

// compareFees reports whether fee b is at most fee a on every amount of the band and every number of
// notices, and whether it is below everywhere; false is no proof of the contrary. Where a can be
// computed, b then can be too (Q15).
func compareFees(b, a *engine.Fee, band engine.Band, cart bool) (atMost, below bool) {
	below = true
	bSteps, aSteps := b.Steps, a.Steps
	for from := band.MinCents; from < band.MaxCents; {
		to := band.MaxCents
		bSteps, aSteps = stepsAbove(bSteps, from), stepsAbove(aSteps, from)
		bPart, aPart := firstStep(b, bSteps, &to), firstStep(a, aSteps, &to)
		piece := engine.Band{MinCents: from, MaxCents: to}
		_, highest := bPart.Range(piece, cart)
		lowest, _ := aPart.Range(piece, cart)
		switch {
		case highest < lowest:
		case highest == lowest && highest < engine.FeeCentsMax:
			below = false
		case partsAtMost(&bPart, &aPart):
			below = false
		default:
			return false, false
		}
		from = to
	}
	return true, below
}

// stepsAbove drops the steps that end at an amount or below.
func stepsAbove(steps []engine.FeeStep, cents int64) []engine.FeeStep {
	for len(steps) > 0 && steps[0].UpToCents != nil && *steps[0].UpToCents <= cents {
		steps = steps[1:]
	}
	return steps
}

// firstStep returns the fee with the first of the steps for every amount, and lowers to to its end.
func firstStep(f *engine.Fee, steps []engine.FeeStep, to *int64) engine.Fee {
	part := *f
	part.Steps = nil
	if len(steps) > 0 {
		if end := steps[0].UpToCents; end != nil {
			*to = min(*to, *end)
		}
		part.Steps = []engine.FeeStep{{Fee: steps[0].Fee}}
	}
	return part
}

// partsAtMost reports whether every part of fee b is at most that of fee a; a fee grows with each of its
// parts. Both have one step or none.
func partsAtMost(b, a *engine.Fee) bool {
	if b.FlatCents > a.FlatCents || b.PerNoticeCents > a.PerNoticeCents || b.BasisPoints > a.BasisPoints ||
		orElse(b.MinCents, 0) > orElse(a.MinCents, 0) || orElse(b.MaxCents, math.MaxInt64) > orElse(a.MaxCents, math.MaxInt64) {
		return false
	}
	if len(b.Steps) == 0 {
		return true
	}
	return len(a.Steps) > 0 && partsAtMost(&b.Steps[0].Fee, &a.Steps[0].Fee)
}

func orElse(value *int64, absent int64) int64 {
	if value == nil {
		return absent
	}
	return *value
}
