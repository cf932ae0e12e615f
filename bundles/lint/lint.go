// Package lint tells what is probably not meant in the bundles of a PSP or of a whole catalogue, without
// storing anything (A10). What may not be stored at all is the business of bundles.Check (A2).
//
// It claims only what follows from the bundles themselves: a bundle "never wins" when its conditions are
// contained in those of another one whose fee is provably at most its own (F3), not when it merely looks
// so. `when` conditions are compared as text and never run.
//
// Start at [Check]; [Mend] closes the one-cent holes that it found, and the Write functions print.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// Rule is the stable id of a kind of finding.
type Rule string

// The rules, in the order in which the findings of one bundle stand.
const (
	// Overlap: two bundles of the PSP answer the same payment (A3).
	Overlap Rule = "overlap"
	// Hole: a band begins one cent too high, so that exactly one amount has no fee. As a note: it is
	// written as if it did, but another bundle has that amount.
	Hole Rule = "hole"
	// Gap: amounts between two bands have no fee.
	Gap Rule = "gap"
	// NeverWins: another bundle of the PSP always comes before this one (Q19).
	NeverWins Rule = "never-wins"
	// Unreachable: no payment can get the bundle, today or later, or none that names its touchpoint
	// or payment type, which is not registered.
	Unreachable Rule = "unreachable"
	// FallingFee: the fee jumps down where the amount grows.
	FallingFee Rule = "falling-fee"
)

// Rules returns all rules.
func Rules() []Rule { return []Rule{Overlap, Hole, Gap, NeverWins, Unreachable, FallingFee} }

// Describe says in one sentence what a rule finds.
func (r Rule) Describe() string {
	switch r {
	case Overlap:
		return "Two bundles of one PSP are the answer to the same payment."
	case Hole:
		return "A band begins one cent too high: its minimum is exclusive, so that one amount has no fee."
	case Gap:
		return "Amounts between two bands have no fee."
	case NeverWins:
		return "Another bundle of the same PSP is always at most as dear wherever this one applies."
	case Unreachable:
		return "No payment can get the bundle."
	case FallingFee:
		return "The fee jumps down where the amount grows."
	}
	return ""
}

// Severity says how sure it is that something is wrong; the names are the levels of SARIF.
type Severity string

// The severities.
const (
	// Error: the catalogue refuses it.
	Error Severity = "error"
	// Warning: hardly anybody means it.
	Warning Severity = "warning"
	// Note: worth a look.
	Note Severity = "note"
)

// Finding is one thing found.
type Finding struct {
	Rule     Rule
	Severity Severity
	// PSP and Bundle name the bundle that is to be looked at, Other the one that it is about as
	// well; empty where there is none.
	PSP, Bundle, Other string
	// Field is the wire name of the bundle's field at fault.
	Field string
	// Message says what is wrong, Fix what would be right; amounts are in euro.
	Message, Fix string
	// Mended is the band without the hole, nil for all but holes, for notes about them, and
	// for a hole that cannot be closed without an overlap.
	Mended *engine.Band
}

// Options narrow what is looked at. The zero value looks at everything.
type Options struct {
	// PSP looks at the bundles of that PSP only, ignoring case; empty: all.
	PSP string
	// Rules are those to apply; none: all.
	Rules []Rule
	// Subscribed reports whether ECs may bear a part of the fee of a GLOBAL bundle, by its id: of
	// those of old snapshots that have subscriptions (spec 5). Of PUBLIC and PRIVATE bundles it is
	// assumed. nil: none has.
	Subscribed func(bundleID string) bool
}

// Check returns what is found in the bundles, as they are on that day and later: by PSP, bundle and
// rule. The order of bs does not matter and bs is not changed. Without settings (nil) touchpoints,
// payment types and issuers are not looked at, and no PSP is Poste.
func Check(bs []bundles.Bundle, s *engine.Settings, today engine.Date, o Options) []Finding {
	l := newLinter(bs, s, today, o)
	l.checkOverlaps()
	l.checkHoles() // before the gaps, which look at bands without holes
	l.checkGaps()
	l.checkNeverWins()
	l.checkFallingFees()
	found := slices.DeleteFunc(l.found, func(f Finding) bool { return len(o.Rules) > 0 && !slices.Contains(o.Rules, f.Rule) })
	slices.SortStableFunc(found, compareFindings)
	return found
}

func compareFindings(a, b Finding) int {
	rules := Rules()
	return cmp.Or(
		cmp.Compare(a.PSP, b.PSP), cmp.Compare(a.Bundle, b.Bundle),
		cmp.Compare(slices.Index(rules, a.Rule), slices.Index(rules, b.Rule)),
		cmp.Compare(a.Field, b.Field), cmp.Compare(a.Other, b.Other), cmp.Compare(a.Message, b.Message),
	)
}

// Mend returns the bundles with the holes of the findings closed, in the order of bs, and how many were
// changed: written as a file they are ready for upload. Nothing else of a bundle is touched; bs is not.
func Mend(bs []bundles.Bundle, findings []Finding) (mended []bundles.Bundle, changed int) {
	bands := map[string]engine.Band{}
	for _, f := range findings {
		if f.Mended != nil {
			bands[f.Bundle] = *f.Mended
		}
	}
	mended = slices.Clone(bs)
	for i := range mended {
		b := &mended[i]
		if band, ok := bands[b.ID]; ok && band.MaxCents == b.Band.MaxCents && band.MinCents == b.Band.MinCents-1 {
			b.Band = band
			changed++
		}
	}
	return mended, changed
}

// linter is one run of Check.
type linter struct {
	settings *engine.Settings
	today    engine.Date
	o        Options
	// items are all bundles by PSP and id.
	items []*item
	// groups are the live bundles by their conditions, in order of their first bundle.
	groups []*group
	// byKey finds groups by what wider groups must have in common with narrower ones.
	byKey map[groupKey][]*group
	found []Finding
}

// item is one bundle.
type item struct {
	*bundles.Bundle
	group *group
	// lowest and highest fee in the bundle's own band (F3).
	lowest, highest int64
	// filled is the band without its hole.
	filled engine.Band
	// dead bundles are unreachable; nothing else is said of them but that they overlap.
	dead bool
}

func newLinter(bs []bundles.Bundle, s *engine.Settings, today engine.Date, o Options) *linter {
	l := &linter{settings: s, today: today, o: o, byKey: map[groupKey][]*group{}}
	if s == nil {
		l.settings = &engine.Settings{}
	}
	for i := range bs {
		b := &bs[i]
		if o.PSP != "" && !strings.EqualFold(o.PSP, b.PSP) {
			continue
		}
		l.items = append(l.items, &item{Bundle: b, filled: b.Band})
	}
	slices.SortStableFunc(l.items, func(a, b *item) int {
		return cmp.Or(strings.Compare(fold(a.PSP), fold(b.PSP)), strings.Compare(a.ID, b.ID))
	})
	causes := l.newCauses(s != nil)
	for _, it := range l.items {
		for _, f := range causes.of(it) {
			it.dead = true
			l.found = append(l.found, f)
		}
		if !it.dead {
			it.lowest, it.highest = it.Fee.Range(it.Band, it.Cart)
		}
	}
	l.makeGroups()
	return l
}

// report adds a finding about a bundle.
func (l *linter) report(it *item, f Finding) {
	f.PSP, f.Bundle = it.PSP, it.ID
	l.found = append(l.found, f)
}

// checkOverlaps holds A3 among the bundles that have days to come.
func (l *linter) checkOverlaps() {
	var live []*engine.Bundle
	for _, it := range l.items {
		if it.Validity.To == 0 || it.Validity.To >= l.today {
			live = append(live, &it.Bundle.Bundle)
		}
	}
	conflicts := bundles.Conflicts(live, nil, l.settings.PostePSP)
	for i := range conflicts {
		c := &conflicts[i]
		f := Finding{
			Rule: Overlap, Severity: Error, PSP: c.A.PSP, Bundle: c.A.ID, Other: c.B.ID, Field: c.Field,
			Message: c.Reason(), Fix: c.Fix(),
		}
		if c.Warning {
			f.Severity = Warning
		}
		if c.Of == c.B {
			f.Field = fieldMin
		}
		l.found = append(l.found, f)
	}
}

// The wire names of fields.
const (
	fieldMin         = "minPaymentAmount"
	fieldMax         = "maxPaymentAmount"
	fieldTo          = "validityDateTo"
	fieldFee         = "fee"
	fieldFlat        = "paymentAmount"
	fieldSchedule    = "schedule"
	fieldTouchpoint  = "touchpoint"
	fieldPaymentType = "paymentType"
	fieldABI         = "abi"
	fieldStamp       = "digitalStampRestriction"
	fieldWhen        = "when"
)

// fold brings names that are equal ignoring case to one form.
func fold(name string) string { return strings.ToLower(name) }

// foldedAny brings "any" in all its spellings to the empty text, and other names to one case.
func foldedAny(name string) string {
	if name = fold(name); name == fold(engine.Any) {
		return ""
	}
	return name
}

// euro writes cents as euro, exactly.
func euro(cents int64) string { return fmt.Sprintf("%d.%02d €", cents/100, cents%100) }
