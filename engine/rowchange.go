package engine

import (
	"fmt"
	"maps"
	"slices"
)

// rowChange collects what a change does to the rows of a snapshot in the making.
type rowChange struct {
	s     *Snapshot
	slots *shardsEdit[uint32]
	// pages and psps that are the new snapshot's own already.
	ownPages map[uint32]bool
	ownPSPs  map[uint32]bool
	// what leaves and enters the two indexes
	openOut, openIn, onUsOut, onUsIn []*row
	seen                             map[string]bool
}

func newRowChange(s *Snapshot) *rowChange {
	s.rows, s.psps, s.manyNames = slices.Clone(s.rows), slices.Clone(s.psps), slices.Clone(s.manyNames)
	return &rowChange{
		s: s, slots: s.slots.edit(),
		ownPages: map[uint32]bool{}, ownPSPs: map[uint32]bool{}, seen: map[string]bool{},
	}
}

// remove takes a bundle out; an unknown id is no change.
func (c *rowChange) remove(id string) {
	slot, ok := c.slots.get(id)
	if !ok {
		return
	}
	r := c.s.rows.at(slot)
	if r == nil {
		return
	}
	c.setRow(slot, nil)
	c.s.len--
	c.count(r, -1)
	if r.kind == Global {
		if r.onUs {
			c.onUsOut = append(c.onUsOut, r)
		} else {
			c.openOut = append(c.openOut, r)
		}
	}
}

// put adds a bundle or a new version of one, as its row.
func (c *rowChange) put(r *row) error {
	id := r.id()
	if c.seen[id] {
		return fmt.Errorf("bundle %q: two bundles have this id", id)
	}
	c.seen[id] = true
	c.remove(id)
	slot, ok := c.slots.get(id)
	if !ok {
		slot = uint32(c.slots.len)
		c.slots.set(id, slot)
	}
	r.number(slot, c.s.names)
	c.setRow(slot, r)
	c.s.len++
	c.count(r, +1)
	if r.kind == Global {
		if r.onUs {
			c.onUsIn = append(c.onUsIn, r)
		} else {
			c.openIn = append(c.openIn, r)
		}
	}
	return nil
}

func (c *rowChange) setRow(slot uint32, r *row) {
	page := slot / pageRows
	for int(page) >= len(c.s.rows) {
		c.ownPages[uint32(len(c.s.rows))] = true
		c.s.rows = append(c.s.rows, new([pageRows]*row))
	}
	if !c.ownPages[page] {
		c.ownPages[page] = true
		copied := *c.s.rows[page]
		c.s.rows[page] = &copied
	}
	c.s.rows[page][slot%pageRows] = r
}

// count keeps track of the names and ABIs of a PSP's bundles.
func (c *rowChange) count(r *row, by int) {
	for int(r.psp) >= len(c.s.psps) {
		c.s.psps, c.s.manyNames = append(c.s.psps, nil), append(c.s.manyNames, false)
	}
	p := c.s.psps[r.psp]
	if !c.ownPSPs[r.psp] {
		c.ownPSPs[r.psp] = true
		if p == nil {
			p = &pspRows{&index{}, map[string]int{}, map[uint32]int{}}
		} else {
			p = &pspRows{p.open, maps.Clone(p.names), maps.Clone(p.abis)}
		}
		c.s.psps[r.psp] = p
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

// finish derives the indexes; for a whole catalogue, that of all PSPs and those of each at once.
func (c *rowChange) finish() {
	c.s.slots = *c.slots.shards
	before, rest := c.s.open, c.s.deps.rest
	derive := func() { c.s.open = before.with(c.openOut, c.openIn, rest) }
	if len(c.openIn) < rowsAtOnce {
		derive()
		c.finishParts()
		return
	}
	c.s.deps.together(derive, c.finishParts)
}

// finishParts derives the indexes of each PSP and of each ABI.
func (c *rowChange) finishParts() {
	for psp, change := range groupRows(c.openOut, c.openIn, func(r *row) uint32 { return r.psp }) {
		p := c.s.psps[psp] // the new snapshot's own, see count
		p.open = p.open.with(change.removed, change.added, c.s.deps.rest)
	}
	byABI := groupRows(c.onUsOut, c.onUsIn, func(r *row) uint32 { return r.abi })
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
		c.s.onUs[abi] = before.with(change.removed, change.added, c.s.deps.rest)
	}
}

// groupRows parts what leaves and enters by a number of the rows.
func groupRows(removed, added []*row, number func(*row) uint32) map[uint32]*blockChange {
	groups := map[uint32]*blockChange{}
	group := func(r *row) *blockChange {
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
