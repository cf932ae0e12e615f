package engine

import (
	"math"
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

// blockSets are sets of blocks, one for each value of a dimension, and last the one for all values that no block names.
type blockSets struct {
	// sets lie one after the other, each of so many words.
	sets  []uint64
	words int
}

// of returns the 64 blocks from 64×word on with rows for a value.
func (s *blockSets) of(value uint32, word int) uint64 {
	return s.sets[min(int(value)*s.words, len(s.sets)-s.words)+word]
}

// newBlockSets reads one dimension of all blocks.
func newBlockSets(blocks []*block, dimension func(*block) *fewValues) blockSets {
	values, words := 0, (len(blocks)+63)/64
	for _, b := range blocks {
		values = max(values, len(dimension(b).values))
	}
	s := blockSets{make([]uint64, (values+1)*words), words}
	for value := range values + 1 { // the last is of no block
		for i, b := range blocks {
			if dimension(b).of(uint32(value)).filled != 0 {
				s.sets[value*words+i/64] |= 1 << (i % 64)
			}
		}
	}
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
		blocks &= x.byType.of(q.paymentType, word)
	}
	if q.touchpoint != none {
		blocks &= x.byTouchpoint.of(q.touchpoint, word)
	}
	return blocks
}

// newIndex builds an index of rows in any order.
func newIndex(all sheets, rows []row) *index {
	slices.SortFunc(rows, compareRows)
	x := &index{}
	for len(rows) > 0 {
		piece := rows[:pieceOf(len(rows))]
		rows = rows[len(piece):]
		r := newRun(len(piece))
		r.add(piece...)
		x.blocks = append(x.blocks, newBlock(all, r))
	}
	return x.finish()
}

// pieceOf returns how many of so many rows that are left the next block takes.
func pieceOf(left int) int {
	if left > 2*blockRows {
		return blockRows
	}
	return left
}

// cut makes blocks of a run, which it keeps where it is not too long for one.
func cut(all sheets, r run) (blocks []*block) {
	if pieceOf(len(r.rows)) == len(r.rows) {
		return append(blocks, newBlock(all, r))
	}
	for from := 0; from < len(r.rows); {
		to := from + pieceOf(len(r.rows)-from)
		piece := newRun(to - from)
		piece.copy(&r, from, to)
		blocks, from = append(blocks, newBlock(all, piece)), to
	}
	return blocks
}

// with returns the index without some of its rows and with others. Only the blocks that these fall
// in are built anew, with a rest after each. All sheets are those of before and after the change.
func (x *index) with(all sheets, removed, added []row, rest func()) *index {
	if len(removed)+len(added) == 0 {
		return x
	}
	if len(x.blocks) == 0 {
		return newIndex(all, slices.Clone(added))
	}
	changes := make([]blockChange, len(x.blocks))
	for _, r := range removed {
		c := &changes[x.place(all, r)]
		c.removed = append(c.removed, r)
	}
	for _, r := range added {
		c := &changes[x.place(all, r)]
		c.added = append(c.added, r)
	}
	derived := &index{blocks: make([]*block, 0, len(x.blocks)+1)}
	for i, b := range x.blocks {
		c := &changes[i]
		if len(c.removed)+len(c.added) == 0 {
			derived.blocks = append(derived.blocks, b)
			continue
		}
		if r := c.apply(all, &b.run); len(r.rows) > 0 {
			derived.blocks = append(derived.blocks, cut(all, r)...)
		}
		rest()
	}
	return derived.finish()
}

// place returns the number of the block that holds the row, or that it would be added to.
func (x *index) place(all sheets, r row) int {
	after := sort.Search(len(x.blocks), func(i int) bool { return compareRows(all.at(x.blocks[i].rows[0]), r) > 0 })
	return max(after-1, 0)
}

// blockChange is what leaves and enters one block.
type blockChange struct{ removed, added []row }

// apply returns the run of the changed block. What stays is copied in as few pieces as there are changes: none of
// its rows is read.
func (c *blockChange) apply(all sheets, old *run) run {
	slices.SortFunc(c.removed, compareRows)
	slices.SortFunc(c.added, compareRows)
	changed, from := newRun(len(old.rows)+len(c.added)-len(c.removed)), 0
	copyTo := func(place int) { changed.copy(old, from, place); from = place }
	removed := c.removed
	for _, added := range c.added {
		place := old.place(all, added)
		for len(removed) > 0 && compareRows(removed[0], added) < 0 {
			copyTo(old.place(all, removed[0]))
			from++
			removed = removed[1:]
		}
		copyTo(place)
		changed.add(added)
	}
	for _, r := range removed {
		copyTo(old.place(all, r))
		from++
	}
	copyTo(len(old.rows))
	return changed
}
