package bundles

import (
	"fmt"
	"iter"
	"strings"

	"gec/engine"
)

// overlaps holds the bundles of new CDIs against each other and against those of their PSPs that stay
// (A3). Bundles of one CDI that differ in channel, or in agreement, are no mistake: a PSP states each of
// its channels and agreements with its cost, and spec 5 maps several of them to one touchpoint; they are
// warnings. All else is an error, unless the import is lenient. Both come back by their place in the
// whole document.
func (i *importingCDI) overlaps(b base, document *Document, position []int, e *edit) (faults, warnings Faults) {
	candidates := make([]*engine.Bundle, len(document.Bundles))
	place := make(map[string]int, len(document.Bundles))
	for n := range document.Bundles {
		candidates[n] = &document.Bundles[n].Bundle
		place[document.Bundles[n].ID] = position[n]
	}
	for _, conflict := range Conflicts(candidates, staying(b, candidates, place, e), b.snapshot.Settings().PostePSP) {
		_, sameCDI := place[conflict.B.ID]
		deliberate := sameCDI && (!strings.EqualFold(conflict.A.Channel, conflict.B.Channel) || conflict.A.Type == engine.Private && conflict.A.Name != conflict.B.Name)
		to := &faults
		if i.o.Lenient || conflict.Warning || deliberate {
			to = &warnings
		}
		if len(*to) < faultsMax {
			*to = append(*to, conflict.Fault(fmt.Sprintf("bundles[%d]", place[conflict.A.ID])))
		}
	}
	return faults, warnings
}

// staying yields the bundles of the PSPs concerned that stay, those that end with their new end.
func staying(b base, candidates []*engine.Bundle, inDocument map[string]int, e *edit) iter.Seq[*engine.Bundle] {
	return func(yield func(*engine.Bundle) bool) {
		without := append([]string{}, e.removed...)
		for n := range e.put {
			without = append(without, e.put[n].ID)
			if _, isNew := inDocument[e.put[n].ID]; !isNew && !yield(&e.put[n].Bundle) {
				return
			}
		}
		for bundle := range b.neighbours(candidates, without) {
			if !yield(bundle) {
				return
			}
		}
	}
}
