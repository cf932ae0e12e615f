package engine

import (
	"math/bits"
	"slices"
)

// blockRows is the number of rows that a new block is given. A block that grows past twice as many is
// split. Measured at 51 300 bundles: larger blocks make a change dearer, smaller ones a full walk.
const blockRows = 1024

// bitmap is a set of the rows of one block. nil is the empty set.
type bitmap []uint64

func (b bitmap) set(i int) { b[i/64] |= 1 << (i % 64) }

// block is a run of the index with, per dimension and value, the bitmap of its rows that a payment of
// that value may get. It is never changed; a change of one of its bundles makes a new one.
type block struct {
	rows    []*row   // ascending by compareRows
	digests []digest // of the rows
	words   int      // of each bitmap

	// byTouchpoint and byType hold the rows for that value or any.
	byTouchpoint, byType       fewValues
	byCategory                 map[uint32]bitmap
	uncategorised              bitmap
	cart, stamp, stampOnly     bitmap
	byABI, byPSP               map[uint32]bitmap
	edges                      []int64  // of bands, ascending
	bands                      []bitmap // bands[i] is for amounts in (edges[i-1], edges[i]]
	allCart, noStampOnly, bare bool     // dimensions that exclude no row, and need no look
}

// fewValues is a dimension of few values, touchpoint or payment type: the bitmaps by the number of the value,
// nil for values that no row of the block names, and the one of the rows for any value.
type fewValues struct {
	values []bitmap
	any    bitmap
}

// newBlock builds the bitmaps of rows that are in order.
func newBlock(rows []*row) *block {
	b := &block{rows: rows, words: (len(rows) + 63) / 64}
	b.byTouchpoint.any, b.byType.any, b.uncategorised = b.empty(), b.empty(), b.empty()
	b.cart, b.stamp, b.stampOnly = b.empty(), b.empty(), b.empty()
	b.byCategory, b.byABI, b.byPSP = map[uint32]bitmap{}, map[uint32]bitmap{}, map[uint32]bitmap{}
	b.allCart, b.noStampOnly, b.bare = true, true, true
	b.digests = make([]digest, len(rows))
	for i, r := range rows {
		b.digests[i] = r.digest
		b.mark(b.byABI, r.abi, i)
		b.mark(b.byPSP, r.psp, i)
		b.byTouchpoint.mark(b, r.touchpoint, i)
		b.byType.mark(b, r.paymentType, i)
		for _, category := range r.categories {
			b.mark(b.byCategory, category, i)
			b.bare = false
		}
		if len(r.categories) == 0 {
			b.uncategorised.set(i)
		}
		b.flag(b.cart, r.bundle.Cart, i)
		b.flag(b.stamp, r.bundle.DigitalStamp, i)
		b.flag(b.stampOnly, r.bundle.DigitalStampOnly, i)
		b.allCart = b.allCart && r.bundle.Cart
		b.noStampOnly = b.noStampOnly && !r.bundle.DigitalStampOnly
	}
	b.byTouchpoint.finish()
	b.byType.finish()
	b.buildBands()
	return b
}

func (b *block) empty() bitmap { return make(bitmap, b.words) }

func (b *block) mark(m map[uint32]bitmap, value uint32, i int) {
	if m[value] == nil {
		m[value] = b.empty()
	}
	m[value].set(i)
}

// mark notes that a row is for a value, or for any.
func (n *fewValues) mark(b *block, value uint32, i int) {
	if value == none {
		n.any.set(i)
		return
	}
	for int(value) >= len(n.values) {
		n.values = append(n.values, nil)
	}
	if n.values[value] == nil {
		n.values[value] = b.empty()
	}
	n.values[value].set(i)
}

// finish adds the rows for any value to those of each.
func (n *fewValues) finish() {
	for _, rows := range n.values {
		if rows != nil {
			orInto(rows, n.any)
		}
	}
}

// of returns the rows for a value.
func (n *fewValues) of(value uint32) bitmap {
	if int(value) < len(n.values) && n.values[value] != nil {
		return n.values[value]
	}
	return n.any
}

func (b *block) flag(m bitmap, set bool, i int) {
	if set {
		m.set(i)
	}
}

// buildBands cuts the amounts at every edge of a band, and notes which rows are for each piece.
func (b *block) buildBands() {
	for _, r := range b.rows {
		b.edges = append(b.edges, r.bundle.Band.MinCents, r.bundle.Band.MaxCents)
	}
	slices.Sort(b.edges)
	b.edges = slices.Clone(slices.Compact(b.edges))
	b.bands = make([]bitmap, len(b.edges))
	for i := range b.bands {
		b.bands[i] = b.empty()
	}
	for i, r := range b.rows {
		first, _ := slices.BinarySearch(b.edges, r.bundle.Band.MinCents)
		for piece := first + 1; piece < len(b.edges) && b.edges[piece] <= r.bundle.Band.MaxCents; piece++ {
			b.bands[piece].set(i)
		}
	}
}

// band returns the rows whose band holds the amount; nil where none does (Q1).
func (b *block) band(amountCents int64) bitmap {
	piece, after := 0, len(b.edges) // of sort.Search, inlined: every block of a walk asks
	for piece < after {
		if middle := int(uint(piece+after) / 2); b.edges[middle] < amountCents {
			piece = middle + 1
		} else {
			after = middle
		}
	}
	if piece == len(b.edges) {
		return nil
	}
	return b.bands[piece]
}

// selection is a walk over the rows of one block that pass the bitmaps of a payment.
type selection struct {
	block *block
	// and are the bitmaps that a row must be in, not the one that it must not be in, or nil.
	and   [8]bitmap
	count int
	not   bitmap
	// room for the union of several categories, of several PSPs, and of what is left out.
	categories, psps, leftOut bitmap
}

func (s *selection) require(m bitmap) bool {
	s.and[s.count] = m
	s.count++
	return m != nil
}

// choose prepares the bitmaps for one block; false when no row of it can pass.
func (s *selection) choose(b *block, q *query, onUs bool) bool {
	s.block, s.count, s.not = b, 0, nil
	if len(q.filters) > 0 && !s.choosePSPs(b, q) {
		return false
	}
	if !s.require(b.band(q.amount)) {
		return false
	}
	if q.touchpoint != none {
		s.require(b.byTouchpoint.of(q.touchpoint))
	}
	if q.paymentType != none {
		s.require(b.byType.of(q.paymentType))
	}
	if onUs {
		if !s.require(b.byABI[q.issuer]) {
			return false
		}
	} else if q.issuer != none {
		s.not = b.byABI[q.issuer]
	}
	if q.notices > 1 && !b.allCart {
		s.require(b.cart)
	}
	s.chooseStamps(b, q)
	s.chooseCategories(b, q)
	return true
}

// filtersJoined is the number of PSPs whose rows are joined in one bitmap. Of a longer filter, rows of
// none of the PSPs are left out one by one.
const filtersJoined = 8

// choosePSPs prepares the rows of the PSPs asked for, who are in few blocks each; false without any.
func (s *selection) choosePSPs(b *block, q *query) bool {
	if len(q.filters) == 1 {
		return s.require(b.byPSP[q.filters[0].psp])
	}
	if len(q.filters) > filtersJoined {
		return true
	}
	found := false
	for i := range q.filters {
		rows, ok := b.byPSP[q.filters[i].psp]
		switch {
		case ok && found:
			orInto(s.psps, rows)
		case ok:
			s.psps, found = append(s.psps[:0], rows...), true
		}
	}
	return found && s.require(s.psps)
}

func (s *selection) chooseStamps(b *block, q *query) {
	if q.stamps != noStamps {
		s.require(b.stamp)
	}
	if q.stamps != onlyStamps && !b.noStampOnly {
		if s.not == nil {
			s.not = b.stampOnly
		} else {
			s.leftOut = union(s.leftOut[:0], b.words, s.not, b.stampOnly)
			s.not = s.leftOut
		}
	}
}

func (s *selection) chooseCategories(b *block, q *query) {
	if !q.taxonomyAsked || b.bare {
		return
	}
	s.categories = union(s.categories[:0], b.words, b.uncategorised, nil)
	for _, category := range q.categories {
		if rows, ok := b.byCategory[category]; ok {
			orInto(s.categories, rows)
		}
	}
	s.require(s.categories)
}

// word returns the rows that pass among the 64 that start at 64×w.
func (s *selection) word(w int) uint64 {
	rows := s.and[0][w]
	for _, m := range s.and[1:s.count] {
		rows &= m[w]
	}
	if s.not != nil {
		rows &^= s.not[w]
	}
	return rows
}

// union writes a ∪ b into room, grown to the number of words; b may be nil.
func union(room bitmap, words int, a, b bitmap) bitmap {
	room = append(room, a[:words]...)
	orInto(room, b)
	return room
}

func orInto(target, m bitmap) {
	for w := range m {
		target[w] |= m[w]
	}
}

// next takes the lowest row off a word and returns its place in the word.
func next(word *uint64) int {
	place := bits.TrailingZeros64(*word)
	*word &= *word - 1
	return place
}
