package engine

import (
	"cmp"
	"slices"
	"sort"
)

// blockChange is what leaves and enters one block.
type blockChange struct{ removed, added []*row }

// edit is a step of a change: a row that comes before the one at a place, or, without a row, the one there leaves.
type edit struct {
	at  int
	row *row
}

// edits returns the steps that a change of the block takes, in order.
func (b *block) edits(c *blockChange) []edit {
	place := func(r *row) int {
		return sort.Search(len(b.rows), func(i int) bool { return compareRows(b.rows[i], r) >= 0 })
	}
	slices.SortFunc(c.added, compareRows)
	edits := make([]edit, 0, len(c.added)+len(c.removed))
	for _, r := range c.added {
		edits = append(edits, edit{place(r), r})
	}
	for _, r := range c.removed {
		edits = append(edits, edit{place(r), nil})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) }) // what enters before what leaves
	return edits
}

// edgesAddedMax is the number of edges that a block takes up before it is made of its rows alone again, which
// leaves out those that no row has any more.
const edgesAddedMax = 64

// with returns the blocks that take the place of a block when it changes: one, or none, or several where it grew too
// large. What the block keeps of the rows that stay is copied, and the rows themselves are not read.
func (b *block) with(c *blockChange) []*block {
	edits := b.edits(c)
	edges, edgesAdded := b.edgesWith(c.added)
	changed := &block{edges: edges, edgesAdded: edgesAdded}
	count := len(b.rows) + len(c.added) - len(c.removed)
	changed.rows = make([]*row, 0, count)
	changed.digests, changed.facts = make([]digest, 0, count), make([]facts, 0, count)
	places := b.places(edges)
	from := 0
	keep := func(to int) {
		changed.rows, changed.digests = append(changed.rows, b.rows[from:to]...), append(changed.digests, b.digests[from:to]...)
		for _, f := range b.facts[from:to] {
			f.first, f.last = places[f.first], places[f.last]
			changed.facts = append(changed.facts, f)
		}
		from = to
	}
	for _, e := range edits {
		keep(e.at)
		if e.row == nil {
			from++
			continue
		}
		changed.rows = append(changed.rows, e.row)
		changed.note(e.row)
	}
	keep(len(b.rows))
	if count == 0 || count > 2*blockRows || edgesAdded > edgesAddedMax {
		return cut(changed.rows)
	}
	changed.build()
	return []*block{changed}
}

// edgesWith returns the edges of the block and of further rows, and how many were added since it was made of rows
// alone.
func (b *block) edgesWith(added []*row) (edges []int64, count int) {
	edges = b.edges
	for _, r := range added {
		for _, edge := range []int64{r.bundle.Band.MinCents, r.bundle.Band.MaxCents} {
			if at, there := slices.BinarySearch(edges, edge); !there {
				edges = slices.Insert(slices.Clone(edges), at, edge)
			}
		}
	}
	return edges, b.edgesAdded + len(edges) - len(b.edges)
}

// places returns where each edge of the block stands among edges that hold all of them.
func (b *block) places(edges []int64) []uint16 {
	places := make([]uint16, len(b.edges))
	for i, edge := range b.edges {
		at, _ := slices.BinarySearch(edges, edge)
		places[i] = uint16(at)
	}
	return places
}
