package bundles

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"gec/engine"
)

// overlaps holds what an import puts against each other and against what stays stored (A3, A6): errors,
// or warnings where the document is taken as it is.
func (i *importing) overlaps(b base, d *Document, e *edit) error {
	candidates := make([]*engine.Bundle, len(e.put))
	for n := range e.put {
		candidates[n] = &e.put[n].Bundle
	}
	settings := b.snapshot.Settings()
	if d.Settings != nil {
		settings = d.Settings
	}
	conflicts := Conflicts(candidates, b.neighbours(candidates, e.removed), settings.PostePSP)
	if len(conflicts) == 0 {
		return nil
	}
	position := make(map[string]int, len(d.Bundles))
	for n := range d.Bundles {
		position[d.Bundles[n].ID] = n
	}
	var faults Faults
	for n := range conflicts {
		to := &faults
		if i.o.Lenient || conflicts[n].Warning {
			to = (*Faults)(&i.report.Warnings)
		}
		if len(*to) < faultsMax {
			*to = append(*to, conflicts[n].Fault(fmt.Sprintf("bundles[%d]", position[conflicts[n].A.ID])))
		}
	}
	Faults(i.report.Warnings).Sort()
	return faults.Err()
}

// neighbours returns the bundles of the PSPs of the given ones, but those with one of the ids.
func (p *published) neighbours(of []*engine.Bundle, without []string) iter.Seq[*engine.Bundle] {
	psps, left := map[string]bool{}, idSet(without)
	for _, b := range of {
		psps[fold(b.PSP)] = true
	}
	return func(yield func(*engine.Bundle) bool) {
		for _, psp := range slices.Sorted(maps.Keys(psps)) {
			for b := range p.snapshot.BundlesOf(psp) {
				if !left[b.ID] && !yield(b) {
					return
				}
			}
		}
	}
}
