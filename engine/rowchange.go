package engine

import (
	"fmt"
	"maps"
	"slices"
)

// rowChange collects what a change does to the rows of a snapshot in the making.
type rowChange struct {
	// before is the snapshot that is changed, s the one in the making.
	before, s *Snapshot
	slots     *slotsEdit
	// pages and psps that are the new snapshot's own already.
	ownPages map[uint32]bool
	ownPSPs  map[uint32]bool
	// what leaves and enters the snapshot; of this the indexes of GLOBAL bundles, on-us or not
	out, in                          []row
	openOut, openIn, onUsOut, onUsIn []row
	seen                             map[string]bool
}

func newRowChange(before, s *Snapshot) *rowChange {
	s.sheets, s.held, s.free = slices.Clone(s.sheets), slices.Clone(s.held), slices.Clone(s.free)
	s.pages, s.psps, s.manyNames = slices.Clone(s.pages), slices.Clone(s.psps), slices.Clone(s.manyNames)
	return &rowChange{
		before: before, s: s, slots: s.slots.edit(),
		ownPages: map[uint32]bool{}, ownPSPs: map[uint32]bool{}, seen: map[string]bool{},
	}
}

// find returns the slot of an id.
func (c *rowChange) find(hash uint64, id string) (slot uint32, ok bool) {
	return c.slots.find(hash, id, func(slot uint32) bool { return c.s.holds(slot, id) })
}

// remove takes a bundle out; an unknown id is no change.
func (c *rowChange) remove(id string) {
	hash := hashOf(id)
	slot, ok := c.find(hash, id)
	if !ok {
		return
	}
	if r := c.s.rowOf(slot); r.there() {
		c.slots.leave(hash, id, slot)
		c.setRow(slot, none)
		c.takeOut(r)
	}
}

// takeOut notes that a row leaves, for good or for another version of its bundle.
func (c *rowChange) takeOut(r row) {
	c.s.held[r.number/sheetRows]--
	c.s.len--
	c.count(r, -1)
	c.out = append(c.out, r)
	if r.kind == Global {
		if r.onUs {
			c.onUsOut = append(c.onUsOut, r)
		} else {
			c.openOut = append(c.openOut, r)
		}
	}
}

// put adds the bundles, or new versions, of a new sheet.
func (c *rowChange) put(s *sheet) error {
	place := uint32(len(c.s.sheets))
	if last := len(c.s.free) - 1; last >= 0 {
		place, c.s.free = c.s.free[last], c.s.free[:last]
		c.s.sheets[place] = s
	} else {
		c.s.sheets, c.s.held = append(c.s.sheets, s), append(c.s.held, 0)
	}
	c.s.held[place], c.s.rows = uint8(len(s.entries)), c.s.rows+len(s.entries)
	for i := range s.entries {
		r := s.row(i)
		r.number += place * sheetRows
		if err := c.putRow(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *rowChange) putRow(r row) error {
	id := r.id()
	if c.seen[id] {
		return fmt.Errorf("bundle %q: two bundles have this id", id)
	}
	c.seen[id] = true
	hash := hashOf(id)
	slot, ok := c.find(hash, id)
	if !ok {
		slot = uint32(c.slots.count)
		c.slots.count++
	}
	if before := c.s.rowOf(slot); before.there() {
		c.takeOut(before)
	} else {
		c.slots.come(hash, id, slot)
	}
	r.slot = slot
	r.assignNames(c.s.names)
	c.setRow(slot, r.number)
	c.s.len++
	c.count(r, +1)
	c.in = append(c.in, r)
	if r.kind == Global {
		if r.onUs {
			c.onUsIn = append(c.onUsIn, r)
		} else {
			c.openIn = append(c.openIn, r)
		}
	}
	return nil
}

func (c *rowChange) setRow(slot, number uint32) {
	page := slot / pageRows
	for int(page) >= len(c.s.pages) {
		c.ownPages[uint32(len(c.s.pages))] = true
		c.s.pages = append(c.s.pages, newPage())
	}
	if !c.ownPages[page] {
		c.ownPages[page] = true
		copied := *c.s.pages[page]
		c.s.pages[page] = &copied
	}
	c.s.pages[page][slot%pageRows] = number
}

// count keeps track of the names and ABIs of a PSP's bundles.
func (c *rowChange) count(r row, by int) {
	for int(r.psp) >= len(c.s.psps) {
		c.s.psps, c.s.manyNames = append(c.s.psps, nil), append(c.s.manyNames, false)
	}
	p := c.s.psps[r.psp]
	if !c.ownPSPs[r.psp] {
		c.ownPSPs[r.psp] = true
		own := &pspRows{names: map[string]int{}, abis: map[uint32]int{}}
		if p != nil {
			own.all, own.names, own.abis = p.all, maps.Clone(p.names), maps.Clone(p.abis)
			own.open.Store(p.open.Load())
		}
		p, c.s.psps[r.psp] = own, own
	}
	bump(p.names, r.text(textBusinessName), by)
	bump(p.abis, r.abi, by)
	c.s.manyNames[r.psp] = len(p.names) > 1
}

func bump[K comparable](counts map[K]int, key K, by int) {
	if counts[key] += by; counts[key] == 0 {
		delete(counts, key)
	}
}

// finish derives the indexes; for a whole catalogue, that of all PSPs and those of each at once. Then it lets go of the
// sheets of which nothing is left: until here the rows that leave are still found by their numbers.
func (c *rowChange) finish() {
	c.s.slots = *c.slots.slots
	derive := func() { c.s.open = c.before.open.with(c.s.sheets, c.openOut, c.openIn, c.s.deps.rest) }
	if len(c.openIn) < rowsAtOnce {
		derive()
		c.finishParts()
	} else {
		c.s.deps.together(derive, c.finishParts)
	}
	for _, r := range c.out {
		if place := r.number / sheetRows; c.s.held[place] == 0 && c.s.sheets[place] != nil {
			c.s.rows -= len(r.sheet.entries)
			c.s.sheets[place], c.s.free = nil, append(c.s.free, place)
		}
	}
}

// finishParts derives the bundles and indexes of each PSP and the indexes of each ABI.
func (c *rowChange) finishParts() {
	byPSP := func(r row) uint32 { return r.psp }
	for psp, change := range groupRows(c.out, c.in, byPSP) {
		p := c.s.psps[psp] // the new snapshot's own, see count
		p.all = p.all.with(change.removed, change.added, c.before.rowOf)
	}
	for psp, change := range groupRows(c.openOut, c.openIn, byPSP) {
		p := c.s.psps[psp]
		switch before := p.open.Load(); {
		case len(p.all) <= fewOfPSP:
			p.open.Store(nil)
		case before == nil:
			p.open.Store(c.s.indexOf(p.all))
		default:
			p.open.Store(before.with(c.s.sheets, change.removed, change.added, c.s.deps.rest))
		}
	}
	byABI := groupRows(c.onUsOut, c.onUsIn, func(r row) uint32 { return r.abi })
	if len(byABI) == 0 {
		return
	}
	c.s.onUs = append(make([]*index, 0, len(c.s.names.abis.numbers)), c.s.onUs...)
	for abi, change := range byABI {
		for int(abi) >= len(c.s.onUs) {
			c.s.onUs = append(c.s.onUs, nil)
		}
		before := c.s.onUs[abi]
		if before == nil {
			before = &index{}
		}
		c.s.onUs[abi] = before.with(c.s.sheets, change.removed, change.added, c.s.deps.rest)
	}
}

// groupRows parts what leaves and enters by a number of the rows.
func groupRows(removed, added []row, number func(row) uint32) map[uint32]*blockChange {
	groups := map[uint32]*blockChange{}
	group := func(r row) *blockChange {
		g := groups[number(r)]
		if g == nil {
			g = &blockChange{}
			groups[number(r)] = g
		}
		return g
	}
	for _, r := range removed {
		g := group(r)
		g.removed = append(g.removed, r)
	}
	for _, r := range added {
		g := group(r)
		g.added = append(g.added, r)
	}
	return groups
}
