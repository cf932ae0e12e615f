package engine

import "strings"

// slots gives every bundle a place that it keeps for good, whatever its versions, and also when it is gone and comes
// back: plans of ECs name bundles by it. Slots of bundles that are there are found by a hash of the id, which the
// bundle then confirms, so that the map has no pointer for each of them.
type slots struct {
	byHash shards[uint64, uint32]
	// byID has the bundles that are gone, and those of which another one has the hash.
	byID shards[string, uint32]
	// count is the number of slots.
	count int
}

// find returns the slot of an id. holds reports whether the bundle of a slot is there and has the id.
func (s *slots) find(hash uint64, id string, holds func(slot uint32) bool) (slot uint32, ok bool) {
	if slot, ok = s.byHash.get(shardOf(hash), hash); ok && holds(slot) {
		return slot, true
	}
	return s.byID.get(shardOf(hash), id)
}

// slotsEdit is a change of slots in the making.
type slotsEdit struct {
	*slots
	byHash shardsEdit[uint64, uint32]
	byID   shardsEdit[string, uint32]
}

// edit starts a change; the original stays as it is.
func (s *slots) edit() *slotsEdit {
	derived := *s
	return &slotsEdit{&derived, derived.byHash.editInPlace(), derived.byID.editInPlace()}
}

// come notes that the bundle of a slot is there now.
func (e *slotsEdit) come(hash uint64, id string, slot uint32) {
	if other, taken := e.byHash.get(shardOf(hash), hash); taken && other != slot {
		e.byID.set(shardOf(hash), strings.Clone(id), slot)
		return
	}
	e.byHash.set(shardOf(hash), hash, slot)
	e.byID.remove(shardOf(hash), id)
}

// leave notes that the bundle of a slot is gone.
func (e *slotsEdit) leave(hash uint64, id string, slot uint32) {
	if other, there := e.byHash.get(shardOf(hash), hash); there && other == slot {
		e.byHash.remove(shardOf(hash), hash)
	}
	e.byID.set(shardOf(hash), strings.Clone(id), slot)
}
