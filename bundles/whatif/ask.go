package whatif

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gec/bundles"
	"gec/bundles/lint"
	"gec/engine"
)

// Question is what a PSP asks.
type Question struct {
	PSP string
	// Drafts are bundles of the PSP as it would upload them; one with the id of a stored bundle replaces it.
	// The n-th of them is called draft-n where it has no id.
	Drafts []bundles.Bundle
	// Day is that of the payments and the catalogue; 0: the first one, from tomorrow on, on which all drafts
	// are in force.
	Day engine.Date
	// Sample is what yields are computed on; nil: the built-in mix at the touchpoints, payment types and
	// taxonomy codes of the drafts.
	Sample []Payment
	// MixCount and MixSeed are those of the built-in mix.
	MixCount int
	MixSeed  uint64
}

// Answer is what would be.
type Answer struct {
	// Revision of the catalogue that all was computed on, and the day.
	Revision int64  `json:"revision"`
	Day      string `json:"day"`
	PSP      string `json:"idPsp"`
	// Ranks are where the PSP stands, by draft, touchpoint, payment type and amount.
	Ranks []Rank `json:"ranks"`
	// Shadows are bundles of the PSP that another one would always come before, and did not without the
	// drafts.
	Shadows []Shadow `json:"shadows"`
	// Yields are what the sample brings, by audience.
	Yields []Yield `json:"yields"`
	// Notes say what could not be looked at; Warnings are those that an upload of the drafts gives.
	Notes    []string        `json:"notes"`
	Warnings []bundles.Fault `json:"-"`
}

// Shadow is a bundle of the PSP that never is its answer, because another one always comes before it (Q19).
type Shadow struct {
	Bundle string `json:"idBundle"`
	By     string `json:"byIdBundle"`
	Reason string `json:"reason"`
}

// Ask answers what a PSP's drafts would do. today is the date in Europe/Rome.
//
// Errors: those of an upload of the drafts, which is tried and not stored ([bundles.Catalogue.CreateBundles]),
// so that only who may author a PSP's bundles may ask; bundles.Faults for the sample, with paths such as
// "sample[3].amountCents", and for the day.
func Ask(ctx context.Context, c *bundles.Catalogue, caller bundles.Caller, q Question, today engine.Date) (*Answer, error) {
	drafts := slices.Clone(q.Drafts)
	for n := range drafts {
		if drafts[n].ID == "" {
			drafts[n].ID = draftID(c.Current(), n)
		}
	}
	upload, err := c.CreateBundles(ctx, caller, q.PSP, drafts, bundles.AuthorOptions{DryRun: true, Operation: "whatIf"})
	if err != nil {
		return nil, err
	}
	if err := append(checkQuestion(&q), checkSample(q.Sample)...).Err(); err != nil {
		return nil, err
	}
	day := q.Day
	for n := range drafts {
		drafts[n].PSP = q.PSP
		if q.Day == 0 {
			day = max(day, drafts[n].Validity.From, today.AddDays(1))
		}
	}
	snapshot, err := catalogueOn(ctx, c, day, today)
	if err != nil {
		return nil, err
	}
	a := &Answer{
		Revision: snapshot.Revision(), Day: day.String(), PSP: q.PSP, Warnings: upload.Warnings,
		Ranks: []Rank{}, Shadows: []Shadow{}, Yields: []Yield{}, Notes: []string{},
	}
	all, err := worlds(snapshot, q.PSP, drafts)
	if err != nil {
		return nil, err
	}
	if q.Sample == nil {
		q.Sample = q.mix(snapshot.Settings(), drafts)
	}
	for n := range all {
		w := &all[n]
		ranks, notes, err := w.ranks(q.PSP, day, RanksMax-len(a.Ranks))
		if err != nil {
			return nil, err
		}
		y, err := w.yield(ctx, q.PSP, day, q.Sample)
		if err != nil {
			return nil, err
		}
		a.Ranks, a.Notes, a.Yields = append(a.Ranks, ranks...), append(a.Notes, notes...), append(a.Yields, y)
	}
	a.Shadows = shadows(snapshot, q.PSP, drafts, day)
	return a, nil
}

// draftID is the id of a draft that has none: the same for the same question.
func draftID(s *engine.Snapshot, n int) string {
	id := fmt.Sprintf("draft-%d", n+1)
	for _, taken := s.Bundle(id); taken; _, taken = s.Bundle(id) {
		id += "'"
	}
	return id
}

// checkQuestion returns what is wrong with it apart from drafts and sample.
func checkQuestion(q *Question) (faults bundles.Faults) {
	if len(q.Drafts) == 0 {
		faults = append(faults, bundles.Fault{Path: "drafts", Reason: "are none", Fix: "say what would be new"})
	}
	if q.MixCount < 0 || q.MixCount > PaymentsMax {
		faults = append(faults, bundles.Fault{Path: "mix.count", Reason: fmt.Sprintf("is %d", q.MixCount), Fix: fmt.Sprintf("use 1 to %d", PaymentsMax)})
	}
	return faults
}

// mix is the built-in sample for the drafts.
func (q *Question) mix(s *engine.Settings, drafts []bundles.Bundle) []Payment {
	var touchpoints, types, categories []string
	for n := range drafts {
		touchpoints = append(touchpoints, registeredOr(drafts[n].Touchpoint, s.Touchpoints)...)
		types = append(types, registeredOr(drafts[n].PaymentType, s.PaymentTypes)...)
		categories = append(categories, drafts[n].TransferCategories...)
	}
	return Mix(q.MixCount, q.MixSeed, once(touchpoints), once(types), once(categories))
}

// once returns the names in order, each once.
func once(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// shadows returns which bundles of the PSP never win with the drafts, and did without them.
func shadows(s *engine.Snapshot, psp string, drafts []bundles.Bundle, day engine.Date) []Shadow {
	stored, with := map[string]bundles.Bundle{}, map[string]bundles.Bundle{}
	options := lint.Options{PSP: psp, Rules: []lint.Rule{lint.NeverWins}}
	for b := range s.Bundles() {
		if strings.EqualFold(b.PSP, psp) {
			stored[b.ID], with[b.ID] = bundles.Bundle{Bundle: *b}, bundles.Bundle{Bundle: *b}
		}
	}
	for _, b := range drafts {
		if b.Validity.From > day || b.Validity.To != 0 && b.Validity.To < day {
			b.Validity = engine.Period{} // looked at as in force on the day
		}
		with[b.ID] = b
	}
	known := map[[2]string]bool{}
	for _, f := range lint.Check(slices.Collect(maps.Values(stored)), s.Settings(), day, options) {
		known[[2]string{f.Bundle, f.Other}] = true
	}
	found := []Shadow{}
	for _, f := range lint.Check(slices.Collect(maps.Values(with)), s.Settings(), day, options) {
		if !known[[2]string{f.Bundle, f.Other}] {
			found = append(found, Shadow{Bundle: f.Bundle, By: f.Other, Reason: f.Message})
		}
	}
	return found
}
