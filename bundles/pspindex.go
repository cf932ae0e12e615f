package bundles

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"gec/engine"
)

// pspIndex holds the bundles of a snapshot by the folded id of their PSP, in order of id, so that one
// bundle is checked against those of its PSP and not against all there are. Like a snapshot it is never changed: with
// derives the next one, which shares the lists of all PSPs that the change leaves alone.
type pspIndex map[string][]*engine.Bundle

func newPSPIndex(all iter.Seq[*engine.Bundle]) pspIndex {
	p := pspIndex{}
	for b := range all {
		psp := fold(b.PSP)
		p[psp] = append(p[psp], b)
	}
	return p
}

// with returns the index after a change of the snapshot that p is of.
func (p pspIndex) with(before *engine.Snapshot, change engine.Change) pspIndex {
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
		next[psp] = slices.DeleteFunc(slices.Clone(p[psp]), func(b *engine.Bundle) bool { return gone[b.ID] })
		if len(next[psp]) == 0 {
			delete(next, psp)
		}
	}
	for _, b := range change.Put {
		psp := fold(b.PSP)
		if !touched[psp] { // its list is still shared
			next[psp], touched[psp] = slices.Clone(p[psp]), true
		}
		next[psp] = append(next[psp], b)
	}
	for psp := range touched {
		slices.SortFunc(next[psp], func(a, b *engine.Bundle) int { return strings.Compare(a.ID, b.ID) })
	}
	return next
}

// neighbours returns the bundles of the PSPs of the given ones, but those with one of the ids.
func (p pspIndex) neighbours(of []*engine.Bundle, without []string) iter.Seq[*engine.Bundle] {
	psps, left := map[string]bool{}, idSet(without)
	for _, b := range of {
		psps[fold(b.PSP)] = true
	}
	return func(yield func(*engine.Bundle) bool) {
		for _, psp := range slices.Sorted(maps.Keys(psps)) {
			for _, b := range p[psp] {
				if !left[b.ID] && !yield(b) {
					return
				}
			}
		}
	}
}
