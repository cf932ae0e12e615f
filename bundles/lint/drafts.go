package lint

import (
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// CheckDrafts returns what would be found in the bundles of the drafts' PSPs if the drafts were stored: those
// that are there stay, except that a draft replaces the one of its id. It is the part of a dry run that says
// what is odd (A10). stored are bundles of the catalogue; those of other PSPs are passed over.
func CheckDrafts(drafts []bundles.Bundle, stored []*engine.Bundle, s *engine.Settings, today engine.Date) []Finding {
	psps, ids := map[string]bool{}, map[string]bool{}
	for n := range drafts {
		psps[strings.ToLower(drafts[n].PSP)], ids[drafts[n].ID] = true, true
	}
	all := slices.Clone(drafts)
	for _, b := range stored {
		if psps[strings.ToLower(b.PSP)] && !ids[b.ID] {
			all = append(all, bundles.Bundle{Bundle: *b})
		}
	}
	return Check(all, s, today, Options{})
}
