package engine

import (
	"math"
	"runtime"
	"slices"
	"sort"
)

// index is rows of one kind: the GLOBAL bundles that are not on-us, all of them or those of a PSP, or the
// on-us ones of an ABI. They lie in blocks that follow each other in the order of compareRows. PUBLIC and
// PRIVATE bundles are in no index: they are reached through the ECs that subscribe to them. An index is
// never changed.
type index struct {
	blocks []*block
	// byTouchpoint and byType say which blocks have rows for a value at all: a walk for a rare one passes
	// over the others without reading of them.
	byTouchpoint, byType blockSets
}

// blockSets are sets of blocks, one for each value of a dimension, and the one for all values that no block names.
type blockSets struct {
	values [][]uint64
	any    []uint64
}

// of returns the blocks with rows for a value.
func (s *blockSets) of(value uint32) []uint64 {
	if int(value) < len(s.values) {
		return s.values[value]
	}
	return s.any
}

// newBlockSets reads one dimension of all blocks.
func newBlockSets(blocks []*block, dimension func(*block) *fewValues) (s blockSets) {
	values := 0
	for _, b := range blocks {
		values = max(values, len(dimension(b).values))
	}
	set := func(value uint32) []uint64 {
		words := make([]uint64, (len(blocks)+63)/64)
		for i, b := range blocks {
			if dimension(b).of(value).filled != 0 {
				words[i/64] |= 1 << (i % 64)
			}
		}
		return words
	}
	for value := range values {
		s.values = append(s.values, set(uint32(value)))
	}
	s.any = set(none)
	return s
}

// finish fills in what is known of the blocks, and returns the index.
func (x *index) finish() *index {
	x.byTouchpoint = newBlockSets(x.blocks, func(b *block) *fewValues { return &b.byTouchpoint })
	x.byType = newBlockSets(x.blocks, func(b *block) *fewValues { return &b.byType })
	return x
}

// candidates returns which of the 64 blocks from 64×word on can have rows for a payment.
func (x *index) candidates(q *query, word int) uint64 {
	blocks := uint64(math.MaxUint64)
	if left := len(x.blocks) - 64*word; left < 64 {
		blocks = 1<<left - 1
	}
	if q.paymentType != none {
		blocks &= x.byType.of(q.paymentType)[word]
	}
	if q.touchpoint != none {
		blocks &= x.byTouchpoint.of(q.touchpoint)[word]
	}
	return blocks
}

// newIndex builds an index of rows in any order.
func newIndex(rows []*row) *index {
	slices.SortFunc(rows, compareRows)
	return (&index{blocks: cut(rows)}).finish()
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
	return derived.finish()
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
