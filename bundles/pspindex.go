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
	gone := make(map[string]bool, len(change.Remove)+len(change.Put))
	touched := map[string]bool{}
	leave := func(id string) {
		gone[id] = true
		if b, there := before.Bundle(id); there {
			touched[fold(b.PSP)] = true
		}
	}
	for _, id := range change.Remove {
		leave(id)
	}
	for _, b := range change.Put {
		leave(b.ID)
	}
	next := maps.Clone(p)
	for psp := range touched {
		next[psp] = slices.DeleteFunc(slices.Clone(p[psp]), func(id string) bool { return gone[id] })
		if len(next[psp]) == 0 {
			delete(next, psp)
		}
	}
	for _, b := range change.Put {
		psp := fold(b.PSP)
		if !touched[psp] { // its list is still shared
			next[psp], touched[psp] = slices.Clone(p[psp]), true
		}
		if stored, there := after.Bundle(b.ID); there { // its id shares the snapshot's memory, not the change's
			next[psp] = append(next[psp], stored.ID)
		}
	}
	for psp := range touched {
		slices.Sort(next[psp])
	}
	return next
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
