package bundles

import (
	"iter"
	"maps"
	"slices"

	"gec/engine"
)

// pspIndex holds the ids of the bundles of a snapshot by the folded id of their PSP, in order, so that one
// bundle is checked against those of its PSP and not against all there are. Like a snapshot it is never changed: with
// derives the next one, which shares the lists of all PSPs that the change leaves alone.
type pspIndex map[string][]string

func newPSPIndex(all iter.Seq[*engine.Bundle]) pspIndex {
	p := pspIndex{}
	for b := range all {
		psp := fold(b.PSP)
		p[psp] = append(p[psp], b.ID)
	}
	return p
}

// with returns the index after a change of the snapshot that p is of into another.
func (p pspIndex) with(before, after *engine.Snapshot, change engine.Change) pspIndex {
	edits := map[string]*idEdit{}
	of := func(psp string) *idEdit {
		e := edits[fold(psp)]
		if e == nil {
			e = &idEdit{}
			edits[fold(psp)] = e
		}
		return e
	}
	leave := func(id string) {
		if b, there := before.Bundle(id); there {
			e := of(b.PSP)
			e.gone = append(e.gone, id)
		}
	}
	for _, id := range change.Remove {
		leave(id)
	}
	for _, b := range change.Put {
		leave(b.ID)
		if stored, there := after.Bundle(b.ID); there { // its id shares the snapshot's memory, not the change's
			e := of(b.PSP)
			e.came = append(e.came, stored.ID)
		}
	}
	next := maps.Clone(p)
	for psp, e := range edits {
		if next[psp] = e.apply(p[psp]); len(next[psp]) == 0 {
			delete(next, psp)
		}
	}
	return next
}

// idEdit is what a change does to the ids of a PSP; one that goes and comes is a new version.
type idEdit struct{ gone, came []string }

// apply returns sorted ids with the edit made. It looks for the places of the edit only: a PSP may have all bundles.
func (e *idEdit) apply(ids []string) []string {
	slices.Sort(e.gone)
	slices.Sort(e.came)
	next := make([]string, 0, len(ids)+len(e.came))
	for gone, came := e.gone, e.came; len(gone)+len(came) > 0; {
		goes := len(came) == 0 || len(gone) > 0 && gone[0] <= came[0]
		id := ""
		if goes {
			id, gone = gone[0], gone[1:]
		} else {
			id, came = came[0], came[1:]
		}
		place, there := slices.BinarySearch(ids, id)
		next, ids = append(next, ids[:place]...), ids[place:]
		if there {
			ids = ids[1:]
		}
		if !goes {
			next = append(next, id)
		}
	}
	return append(next, ids...)
}

// bundlesOf returns the bundles of a PSP, in order of id.
func (p *published) bundlesOf(psp string) iter.Seq[*engine.Bundle] {
	return func(yield func(*engine.Bundle) bool) {
		for _, id := range p.psps[fold(psp)] {
			if b, there := p.snapshot.Bundle(id); there && !yield(b) {
				return
			}
		}
	}
}

// neighbours returns the bundles of the PSPs of the given ones, but those with one of the ids.
func (p *published) neighbours(of []*engine.Bundle, without []string) iter.Seq[*engine.Bundle] {
	psps, left := map[string]bool{}, idSet(without)
	for _, b := range of {
		psps[fold(b.PSP)] = true
	}
	return func(yield func(*engine.Bundle) bool) {
		for _, psp := range slices.Sorted(maps.Keys(psps)) {
			for b := range p.bundlesOf(psp) {
				if !left[b.ID] && !yield(b) {
					return
				}
			}
		}
	}
}
