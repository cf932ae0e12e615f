package lint

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// daysMax bounds the days on which one group is looked at, beside today: what changes later than that
// has changed often by then.
const daysMax = 32

// findDays notes the days of each group.
func (l *linter) findDays() {
	for _, g := range l.groups {
		for _, it := range g.members {
			if it.Validity.From > l.today {
				g.days = append(g.days, it.Validity.From)
			}
			if it.Validity.To != 0 {
				g.days = append(g.days, it.Validity.To.AddDays(1))
			}
		}
		g.days = firstDays(g.days)
	}
}

func firstDays(days []engine.Date) []engine.Date {
	slices.Sort(days)
	days = slices.Compact(days)
	return days[:min(len(days), daysMax)]
}

// checkGaps finds amounts between two bands that neither a bundle of the same conditions nor one of
// wider conditions has.
func (l *linter) checkGaps() {
	l.findDays()
	byPlace := l.groupsByPlace()
	for _, g := range l.groups {
		if g.crowded {
			continue
		}
		days := append([]engine.Date{l.today}, g.days...)
		for _, w := range g.wider {
			days = append(days, w.days...)
		}
		s := gapSearch{l: l, g: g, siblings: byPlace[g.placeless()], seen: map[engine.Band]bool{}}
		for _, day := range firstDays(days) {
			s.day = day
			s.search()
		}
	}
}

// placeless is the conditions of the group but for the touchpoint.
func (g *group) placeless() conditions {
	c := g.conditions
	c.touchpoint = ""
	return c
}

// groupsByPlace finds the groups that differ in their touchpoints only.
func (l *linter) groupsByPlace() map[conditions][]*group {
	byPlace := map[conditions][]*group{}
	for _, g := range l.groups {
		byPlace[g.placeless()] = append(byPlace[g.placeless()], g)
	}
	return byPlace
}

// gapSearch looks for the gaps of one group.
type gapSearch struct {
	l        *linter
	g        *group
	siblings []*group
	day      engine.Date
	seen     map[engine.Band]bool
}

// search looks on one day.
func (s *gapSearch) search() {
	var bands []engine.Band
	for _, it := range s.g.members {
		if it.Validity.Holds(s.day) {
			bands = append(bands, it.filled)
		}
	}
	if len(bands) == 0 {
		return
	}
	for _, between := range s.between(bands) {
		for _, gap := range s.g.without(between, s.day) {
			if !s.seen[gap] {
				s.seen[gap] = true
				s.report(gap)
			}
		}
	}
}

// between returns the ranges between the bands of the group, and between these and the nearest ones of
// wider groups below and above.
func (s *gapSearch) between(bands []engine.Band) (ranges []engine.Band) {
	lowest, reach := bands[0].MinCents, bands[0].MaxCents
	for _, b := range bands {
		lowest = min(lowest, b.MinCents)
		if b.MinCents > reach {
			ranges = append(ranges, engine.Band{MinCents: reach, MaxCents: b.MinCents})
		}
		reach = max(reach, b.MaxCents)
	}
	below, above := int64(-1), int64(-1)
	for _, w := range s.g.wider {
		for i := len(w.members) - 1; i >= 0 && w.tops[i] > below; i-- {
			if it := w.members[i]; it.Validity.Holds(s.day) && it.Band.MaxCents <= lowest {
				below = max(below, it.Band.MaxCents)
			}
		}
		first := sort.Search(len(w.members), func(i int) bool { return w.members[i].Band.MinCents >= reach })
		for _, it := range w.members[first:] {
			if it.Validity.Holds(s.day) && it.filled.MinCents >= reach {
				if above < 0 || it.filled.MinCents < above {
					above = it.filled.MinCents
				}
				break
			}
		}
	}
	if below >= 0 && below < lowest {
		ranges = append(ranges, engine.Band{MinCents: below, MaxCents: lowest})
	}
	if above > reach {
		ranges = append(ranges, engine.Band{MinCents: reach, MaxCents: above})
	}
	return ranges
}

// without returns the parts of a range that no bundle of the group or of a wider one has on a day.
func (g *group) without(whole engine.Band, day engine.Date) (parts []engine.Band) {
	var bands []engine.Band
	for _, near := range append([]*group{g}, g.wider...) {
		for it := range near.meeting(whole, day) {
			bands = append(bands, it.filled)
		}
	}
	slices.SortFunc(bands, func(a, b engine.Band) int { return cmp.Compare(a.MinCents, b.MinCents) })
	reach := whole.MinCents
	for _, b := range bands {
		if b.MinCents > reach {
			parts = append(parts, engine.Band{MinCents: reach, MaxCents: b.MinCents})
		}
		reach = max(reach, b.MaxCents)
	}
	if reach < whole.MaxCents {
		parts = append(parts, engine.Band{MinCents: reach, MaxCents: whole.MaxCents})
	}
	return parts
}

// report reports a gap that a member of the group adjoins; others belong to the wider groups that adjoin
// them.
func (s *gapSearch) report(gap engine.Band) {
	below := s.adjoining(func(it *item) bool { return it.Band.MaxCents == gap.MinCents })
	above := s.adjoining(func(it *item) bool { return it.filled.MinCents == gap.MaxCents })
	if below == nil || above == nil || below.group != s.g && above.group != s.g {
		return
	}
	filled, everywhere := s.filledAt(gap)
	if everywhere {
		return
	}
	f := Finding{
		Rule: Gap, Severity: Warning, Field: fieldMin, Other: below.ID,
		Message: fmt.Sprintf("amounts above %s up to %s have no fee: bundle %s ends below them", euro(gap.MinCents), euro(gap.MaxCents), bundles.Excerpt(below.ID)),
		Fix:     fmt.Sprintf("set it to %d, or add a bundle for these amounts", gap.MinCents),
	}
	subject := above
	if above.group != s.g {
		subject, f.Field, f.Other = below, fieldMax, above.ID
		f.Message = fmt.Sprintf("amounts above %s up to %s have no fee: bundle %s begins above them", euro(gap.MinCents), euro(gap.MaxCents), bundles.Excerpt(above.ID))
		f.Fix = fmt.Sprintf("set it to %d, or add a bundle for these amounts", gap.MaxCents)
	}
	if s.day > s.l.today {
		f.Message += fmt.Sprintf(", from %s on", s.day)
	}
	if len(filled) > 0 {
		f.Severity = Note
		f.Message += "; at " + strings.Join(filled, ", ") + " other bundles have them"
	}
	s.l.report(subject, f)
}

// adjoining returns a bundle that a gap ends at: one of the group, else one of a wider group.
func (s *gapSearch) adjoining(at func(it *item) bool) *item {
	for _, g := range append([]*group{s.g}, s.g.wider...) {
		for _, it := range g.members {
			if at(it) && it.Validity.Holds(s.day) {
				return it
			}
		}
	}
	return nil
}

// filledAt returns the touchpoints at which bundles for that touchpoint only fill the gap of bundles for
// any, and whether these are all that are registered.
func (s *gapSearch) filledAt(gap engine.Band) (touchpoints []string, everywhere bool) {
	if s.g.touchpoint != "" {
		return nil, false
	}
	filled := map[string]bool{}
	for _, sibling := range s.siblings {
		if sibling != s.g && len(sibling.without(gap, s.day)) == 0 {
			filled[sibling.touchpoint] = true
			touchpoints = append(touchpoints, sibling.members[0].Touchpoint)
		}
	}
	slices.Sort(touchpoints)
	everywhere = len(touchpoints) > 0
	for _, registered := range s.l.settings.Touchpoints {
		if name := foldedAny(registered); name != "" {
			everywhere = everywhere && filled[name]
		}
	}
	return touchpoints, everywhere && len(s.l.settings.Touchpoints) > 0
}
