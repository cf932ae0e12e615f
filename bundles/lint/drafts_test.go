package lint_test

import (
	"testing"

	"gec/bundles"
	"gec/bundles/lint"
	"gec/engine"
)

// TestA10DraftsAreLookedAtWithWhatIsStored holds that a draft is judged beside the bundles of its PSP, in place
// of the one that it replaces, and beside no other PSP's.
func TestA10DraftsAreLookedAtWithWhatIsStored(t *testing.T) {
	bundle := func(id, psp string, min, max int64) engine.Bundle {
		return engine.Bundle{ID: id, PSP: psp, Touchpoint: engine.Any, Cart: true, Band: engine.Band{MinCents: min, MaxCents: max}}
	}
	low, other := bundle("low", "A", 0, 5000), bundle("other", "B", 0, 9000)
	stored := []*engine.Bundle{&low, &other}
	for _, test := range []struct {
		name  string
		draft engine.Bundle
		rule  lint.Rule
		want  int
	}{
		{"one cent above the band below", bundle("high", "a", 5001, 9000), lint.Hole, 1},
		{"adjoining it", bundle("high", "A", 5000, 9000), lint.Hole, 0},
		{"in its place", bundle("low", "A", 0, 6000), lint.Overlap, 0},
		{"over it", bundle("high", "A", 4000, 9000), lint.Overlap, 1},
		{"over another PSP's", bundle("high", "C", 0, 9000), lint.Overlap, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := lint.CheckDrafts([]bundles.Bundle{{Bundle: test.draft}}, stored, nil, 20261126)
			if got := lint.Count(found, test.rule); got != test.want {
				t.Errorf("%d %s, wanted %d: %v", got, test.rule, test.want, found)
			}
		})
	}
}
