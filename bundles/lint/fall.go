package lint

import (
	"fmt"
	"slices"

	"gec/bundles"
	"gec/engine"
)

// depthMax bounds how many overlapping bundles are compared at one amount: where there are more, they
// are overlaps in the first place.
const depthMax = 64

// checkFallingFees finds amounts above which the fee is lower than at them: from one bundle to the next
// of the same conditions, across a gap too, or from one step of a fee to the next. Of overlapping
// bundles the cheapest counts, and of payments those of one notice.
func (l *linter) checkFallingFees() {
	for _, g := range l.groups {
		seen := map[fall]bool{}
		for _, day := range firstDays(append([]engine.Date{l.today}, g.days...)) {
			for _, f := range g.falls(day) {
				if !seen[f] {
					seen[f] = true
					l.reportFall(f, day)
				}
			}
		}
	}
}

// fall is a place where the fee falls: that of before at an amount, to that of after above another.
type fall struct {
	before, after         *item
	upTo, above           int64 // amounts in cents
	fromCents, untilCents int64 // fees
}

func (l *linter) reportFall(f fall, day engine.Date) {
	finding := Finding{
		Rule: FallingFee, Severity: Note, Field: f.after.feeField(),
		Message: fmt.Sprintf("the fee falls from %s, up to %s, to %s, above %s", euro(f.fromCents), euro(f.upTo), euro(f.untilCents), euro(f.above)),
		Fix:     "see whether the fees were mixed up",
	}
	if f.before != f.after {
		finding.Other = f.before.ID
		finding.Message += fmt.Sprintf(": bundle %s is for the smaller amounts", bundles.Excerpt(f.before.ID))
	}
	if day > l.today {
		finding.Message += fmt.Sprintf(", from %s on", day)
	}
	l.report(f.after, finding)
}

// falls goes through the amounts of the group on a day, from one edge of a band or step to the next.
// Between edges every fee only grows.
func (g *group) falls(day engine.Date) (found []fall) {
	var valid []*item
	var edges []int64
	for _, it := range g.members {
		if !it.Validity.Holds(day) {
			continue
		}
		valid = append(valid, it)
		edges = append(edges, it.Band.MinCents, it.Band.MaxCents)
		for _, step := range it.Fee.Steps {
			if end := step.UpToCents; end != nil && it.Band.MinCents < *end && *end < it.Band.MaxCents {
				edges = append(edges, *end)
			}
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	var last fall // whose before is the cheapest bundle at the end of the piece before
	var current []*item
	for i := 0; i+1 < len(edges); i++ {
		from, to := edges[i], edges[i+1]
		current = slices.DeleteFunc(current, func(it *item) bool { return it.Band.MaxCents <= from })
		for len(valid) > 0 && valid[0].Band.MinCents <= from {
			current, valid = append(current, valid[0]), valid[1:]
		}
		if len(current) > depthMax {
			last = fall{}
			continue
		}
		cheapest, cents := cheapestAt(current, from+1)
		if cheapest == nil {
			continue
		}
		if last.before != nil && cents < last.fromCents {
			last.after, last.above, last.untilCents = cheapest, from, cents
			found = append(found, last)
		}
		cheapest, cents = cheapestAt(current, to)
		last = fall{before: cheapest, upTo: to, fromCents: cents}
	}
	return found
}

// cheapestAt returns the bundle of the lowest fee at an amount, nil where none has a fee.
func cheapestAt(items []*item, amountCents int64) (cheapest *item, lowest int64) {
	for _, it := range items {
		if cents, err := it.Fee.Cents(amountCents, 1); err == nil && (cheapest == nil || cents < lowest) {
			cheapest, lowest = it, cents
		}
	}
	return cheapest, lowest
}
