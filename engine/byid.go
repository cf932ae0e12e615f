package engine

import (
	"cmp"
	"slices"
)

// byID are slots of bundles in order of the bundles' ids.
type byID []uint32

// with returns the slots without those of some rows and with those of others. It looks for the places of these only: a
// PSP may have all bundles. rowOf returns the row that a slot had before the change.
func (s byID) with(removed, added []row, rowOf func(slot uint32) row) byID {
	slices.SortFunc(removed, compareIDs)
	slices.SortFunc(added, compareIDs)
	next := make(byID, 0, len(s)+len(added)-len(removed))
	for len(removed)+len(added) > 0 {
		var r row
		goes := len(added) == 0 || len(removed) > 0 && removed[0].id() <= added[0].id()
		if goes {
			r, removed = removed[0], removed[1:]
		} else {
			r, added = added[0], added[1:]
		}
		place, there := slices.BinarySearchFunc(s, r.id(), func(slot uint32, id string) int {
			return cmp.Compare(rowOf(slot).id(), id)
		})
		next, s = append(next, s[:place]...), s[place:]
		if there {
			s = s[1:]
		}
		if !goes {
			next = append(next, r.slot)
		}
	}
	return append(next, s...)
}
