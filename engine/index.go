package engine

import (
	"runtime"
	"slices"
	"sort"
)

// index is the rows of one kind, the GLOBAL bundles that are not on-us, those of a PSP, or the on-us ones of an ABI, in
// blocks that follow each other in the order of compareRows. PUBLIC and PRIVATE bundles are not in an
// index: they are reached through the ECs that subscribe to them. An index is never changed.
type index struct{ blocks []*block }

// newIndex builds an index of rows in any order.
func newIndex(rows []*row) *index {
	slices.SortFunc(rows, compareRows)
	return &index{blocks: cut(rows)}
}

// cut makes blocks of rows that are in order.
func cut(rows []*row) (blocks []*block) {
	for len(rows) > 2*blockRows {
		blocks = append(blocks, newBlock(slices.Clone(rows[:blockRows])))
		rows = rows[blockRows:]
	}
	if len(rows) > 0 {
		blocks = append(blocks, newBlock(slices.Clone(rows)))
	}
	return blocks
}

// with returns the index without some of its rows and with others. Only the blocks that these fall
// in are built anew.
func (x *index) with(removed, added []*row) *index {
	if len(removed)+len(added) == 0 {
		return x
	}
	if len(x.blocks) == 0 {
		return newIndex(slices.Clone(added))
	}
	changes := make([]blockChange, len(x.blocks))
	for _, r := range removed {
		c := &changes[x.place(r)]
		c.removed = append(c.removed, r)
	}
	for _, r := range added {
		c := &changes[x.place(r)]
		c.added = append(c.added, r)
	}
	derived := &index{blocks: make([]*block, 0, len(x.blocks)+1)}
	for i, b := range x.blocks {
		if c := &changes[i]; len(c.removed)+len(c.added) == 0 {
			derived.blocks = append(derived.blocks, b)
		} else {
			derived.blocks = append(derived.blocks, cut(c.rows(b.rows))...)
			runtime.Gosched() // a large change takes tens of milliseconds: quotes come in between
		}
	}
	return derived
}

// place returns the number of the block that holds the row, or that it would be added to.
func (x *index) place(r *row) int {
	after := sort.Search(len(x.blocks), func(i int) bool { return compareRows(x.blocks[i].rows[0], r) > 0 })
	return max(after-1, 0)
}

// blockChange is what leaves and enters one block.
type blockChange struct{ removed, added []*row }

// rows returns the rows of the changed block, in order.
func (c *blockChange) rows(old []*row) []*row {
	gone := make(map[*row]bool, len(c.removed))
	for _, r := range c.removed {
		gone[r] = true
	}
	slices.SortFunc(c.added, compareRows)
	rows, added := make([]*row, 0, len(old)+len(c.added)), c.added
	for _, r := range old {
		if len(gone) > 0 && gone[r] {
			continue
		}
		for len(added) > 0 && compareRows(added[0], r) < 0 {
			rows, added = append(rows, added[0]), added[1:]
		}
		rows = append(rows, r)
	}
	return append(rows, added...)
}
