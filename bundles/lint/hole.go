package lint

import (
	"fmt"
	"iter"
	"sort"

	"gec/bundles"
	"gec/engine"
)

// amountAdjoins is the last two digits of minima that were meant to adjoin the band below: "50.01–100"
// after "0–50", by somebody who took the minimum for the first amount of the band (spec 5).
const amountAdjoins = 1

// checkHoles finds the minima that are one cent too high: those written x.01, and those one cent above
// the end of another band. Where another bundle that applies just as well has the amount that is left
// out, there is no hole in what is offered; a minimum written x.01 is then a note, unless that bundle
// ends at x.01 or is of the same conditions, and is not mended.
func (l *linter) checkHoles() {
	var holes []int // places in l.found
	var items []*item
	for _, g := range l.groups {
		for _, it := range g.members {
			if f, hole := l.hole(g, it); hole {
				l.report(it, f)
				if f.Severity == Note {
					continue
				}
				it.filled.MinCents--
				holes, items = append(holes, len(l.found)-1), append(items, it)
			}
		}
	}
	spoiled := l.spoiled(items)
	for i, it := range items {
		f := &l.found[holes[i]]
		if spoiled[it.ID] {
			f.Fix = "set it one cent lower, and see to the overlap with other bundles that this makes"
			continue
		}
		band := it.filled
		f.Mended = &band
	}
}

// hole returns the finding about the minimum of a bundle, if there is one.
func (l *linter) hole(g *group, it *item) (f Finding, hole bool) {
	amount := it.Band.MinCents
	if amount < 1 || g.crowded {
		return f, false
	}
	day, below, other := max(l.today, it.Validity.From), "", ""
	for _, near := range append([]*group{g}, g.wider...) {
		for n := range near.meeting(engine.Band{MinCents: amount - 2, MaxCents: amount}, day) {
			switch holds := n.Band.Holds(amount); {
			case holds && (near == g || n.Band.MaxCents == amount):
				return f, false
			case holds && other == "":
				other = n.ID
			case n.Band.MaxCents == amount-1 && below == "":
				below = n.ID
			}
		}
	}
	if amount%100 != amountAdjoins && (below == "" || other != "") {
		return f, false
	}
	f = Finding{
		Rule: Hole, Severity: Warning, Other: below, Field: fieldMin,
		Message: fmt.Sprintf("is %s, which is exclusive: exactly that amount has no fee", euro(amount)),
		Fix:     fmt.Sprintf("set it to %d, which is %s", amount-1, euro(amount-1)),
	}
	switch {
	case other != "":
		f.Severity, f.Other = Note, other
		f.Message = fmt.Sprintf("is %s, which is exclusive: exactly that amount gets bundle %s", euro(amount), bundles.Excerpt(other))
		f.Fix += ", if this bundle is meant for it, too"
	case below != "":
		f.Message += fmt.Sprintf(", since bundle %s ends at %s", bundles.Excerpt(below), euro(amount-1))
	}
	return f, true
}

// spoiled returns the ids of bundles whose holes cannot be closed, because they would then conflict
// with a bundle that they do not conflict with now (A3).
func (l *linter) spoiled(items []*item) map[string]bool {
	if len(items) == 0 {
		return nil
	}
	psps := map[string]bool{}
	for _, it := range items {
		psps[fold(it.PSP)] = true
	}
	var before, after []*engine.Bundle
	for _, it := range l.items {
		if psps[fold(it.PSP)] && !it.dead {
			mended := it.Bundle.Bundle
			mended.Band = it.filled
			before, after = append(before, &it.Bundle.Bundle), append(after, &mended)
		}
	}
	type pair struct{ a, b string }
	known, spoiled := map[pair]bool{}, map[string]bool{}
	for _, c := range bundles.Conflicts(before, nil, l.settings.PostePSP) {
		known[pair{c.A.ID, c.B.ID}] = true
	}
	for _, c := range bundles.Conflicts(after, nil, l.settings.PostePSP) {
		if !c.Warning && !known[pair{c.A.ID, c.B.ID}] {
			spoiled[c.A.ID], spoiled[c.B.ID] = true, true
		}
	}
	return spoiled
}

// meeting yields the members that are valid on a day and whose bands, without their holes, intersect
// another one.
func (g *group) meeting(band engine.Band, day engine.Date) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		// A member's minimum is at most one cent above that of its band without the hole.
		end := sort.Search(len(g.members), func(i int) bool { return g.members[i].Band.MinCents > band.MaxCents })
		for i := end - 1; i >= 0 && g.tops[i] > band.MinCents; i-- {
			it := g.members[i]
			meets := it.filled.MinCents < band.MaxCents && it.Band.MaxCents > band.MinCents
			if meets && it.Validity.Holds(day) && !yield(it) {
				return
			}
		}
	}
}
