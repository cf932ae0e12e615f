package engine

import (
	"iter"
	"math"
	"math/bits"
	"slices"
	"sort"
)

// blockRows is the number of rows that a new block is given. A block that grows past twice as many is
// split. Measured at 51 300 bundles: larger blocks make a change dearer, smaller ones a full walk.
const blockRows = 1024

// bitmap is a set of the rows of one block, whose words lie among the block's: blocks have many sets, and the garbage
// collector would follow a pointer in each.
type bitmap struct {
	// at is the place of the set's first word.
	at uint32
	// filled has a bit for every word that is not 0: most words of most sets are, and a walk passes over
	// the words that one set leaves empty 64 at a time.
	filled uint64
}

// run is rows in the order of compareRows, with what a walk and a block need of each side by side.
type run struct {
	rows    []uint32 // their numbers
	digests []digest
	traits  []traits
}

// newRun returns an empty run with room for so many rows.
func newRun(rows int) run {
	return run{make([]uint32, 0, rows), make([]digest, 0, rows), make([]traits, 0, rows)}
}

func (r *run) add(rows ...row) {
	for _, row := range rows {
		r.rows, r.digests, r.traits = append(r.rows, row.number), append(r.digests, row.digest), append(r.traits, row.traits)
	}
}

// copy adds the rows of another run from one place to before another.
func (r *run) copy(other *run, from, to int) {
	r.rows = append(r.rows, other.rows[from:to]...)
	r.digests = append(r.digests, other.digests[from:to]...)
	r.traits = append(r.traits, other.traits[from:to]...)
}

// place returns where a row is, or would be added. Fees that differ are told apart without reading the rows.
func (r *run) place(all sheets, row row) int {
	return sort.Search(len(r.rows), func(i int) bool {
		if lowest := r.digests[i].lowest; lowest != row.lowest {
			return lowest > row.lowest
		}
		return compareRows(all.at(r.rows[i]), row) >= 0
	})
}

// block is a run of the index with, per dimension and value, the bitmap of its rows that a payment of
// that value may get. It is never changed; a change of one of its bundles makes a new one.
type block struct {
	run // at most 64×64 rows
	// words are those of all bitmaps, width of each.
	words []uint64
	width int

	// byTouchpoint and byType hold the rows for that value or any.
	byTouchpoint, byType       fewValues
	byCategory                 map[uint32]bitmap // nil where bare
	uncategorised              bitmap
	cart, stamp, stampOnly     bitmap
	edges                      []int64  // of bands, ascending
	bands                      []bitmap // bands[i] is for amounts in (edges[i-1], edges[i]]
	allCart, noStampOnly, bare bool     // dimensions that exclude no row, and need no look
}

// fewValues is a dimension of few values, touchpoint or payment type: the bitmaps by the number of the value, the zero
// bitmap for values that no row of the block names, and the one of the rows for any value.
type fewValues struct {
	values []bitmap
	any    bitmap
}

// bitmapsAtFirst is how many bitmaps there is room for when a block begins to be built.
const bitmapsAtFirst = 32

// newBlock builds the bitmaps of a run, which it keeps.
func newBlock(all sheets, r run) *block {
	b := &block{run: r, width: (len(r.rows) + 63) / 64}
	b.words = make([]uint64, 0, bitmapsAtFirst*b.width)
	b.byTouchpoint.any, b.byType.any, b.uncategorised = b.empty(), b.empty(), b.empty()
	b.cart, b.stamp, b.stampOnly = b.empty(), b.empty(), b.empty()
	b.allCart, b.noStampOnly, b.bare = true, true, true
	for i := range b.traits {
		t := &b.traits[i]
		b.byTouchpoint.mark(b, t.touchpoint, i)
		b.byType.mark(b, t.paymentType, i)
		if t.categorised {
			b.markCategories(all, i)
		} else {
			b.set(&b.uncategorised, i)
		}
		b.flag(&b.cart, t.cart, i)
		b.flag(&b.stamp, t.stamp, i)
		b.flag(&b.stampOnly, t.stampOnly, i)
		b.allCart = b.allCart && t.cart
		b.noStampOnly = b.noStampOnly && !t.stampOnly
	}
	b.byTouchpoint.finish(b)
	b.byType.finish(b)
	b.buildBands()
	b.words = slices.Clone(b.words) // without the room that is left
	return b
}

func (b *block) markCategories(all sheets, i int) {
	if b.bare {
		b.bare, b.byCategory = false, map[uint32]bitmap{}
	}
	for _, category := range all.at(b.rows[i]).special().categories {
		m, there := b.byCategory[category]
		if !there {
			m = b.empty()
		}
		b.set(&m, i)
		b.byCategory[category] = m
	}
}

// empty returns an empty set of the block's rows. The first one is any touchpoint's: no other is the zero bitmap.
func (b *block) empty() bitmap {
	m := bitmap{at: uint32(len(b.words))}
	b.words = slices.Grow(b.words, b.width)[:len(b.words)+b.width]
	return m
}

// of returns the words of a set of the block.
func (b *block) of(m *bitmap) []uint64 { return b.words[m.at : int(m.at)+b.width] }

// set adds a row to a set of the block.
func (b *block) set(m *bitmap, i int) {
	b.words[int(m.at)+i/64] |= 1 << (i % 64)
	m.filled |= 1 << (i / 64)
}

// flag adds a row to a set of the block, or does not.
func (b *block) flag(m *bitmap, set bool, i int) {
	if set {
		b.set(m, i)
	}
}

// add adds the rows of another set of the block.
func (b *block) add(m, other *bitmap) {
	words := b.of(m)
	for w, rows := range b.of(other) {
		words[w] |= rows
	}
	m.filled |= other.filled
}

// mark notes that a row is for a value, or for any.
func (n *fewValues) mark(b *block, value uint32, i int) {
	if value == none {
		b.set(&n.any, i)
		return
	}
	for int(value) >= len(n.values) {
		n.values = append(n.values, bitmap{})
	}
	if n.values[value].at == 0 {
		n.values[value] = b.empty()
	}
	b.set(&n.values[value], i)
}

// finish adds the rows for any value to those of each.
func (n *fewValues) finish(b *block) {
	for value := range n.values {
		if rows := &n.values[value]; rows.at != 0 {
			b.add(rows, &n.any)
		}
	}
}

// of returns the rows for a value.
func (n *fewValues) of(value uint32) *bitmap {
	if int(value) < len(n.values) && n.values[value].at != 0 {
		return &n.values[value]
	}
	return &n.any
}

// buildBands cuts the amounts at every edge of a band, and notes which rows are for each piece: those for the
// piece before it, but the rows whose band ends there and with those whose band begins.
func (b *block) buildBands() {
	// The edges as they are met, and which of them each band has: bands are many, edges few.
	met := map[int64]int32{}
	meet := func(edge int64) int32 {
		number, ok := met[edge]
		if !ok {
			number = int32(len(b.edges))
			met[edge] = number
			b.edges = append(b.edges, edge)
		}
		return number
	}
	ends := make([][2]int32, len(b.traits))
	var last Band
	for i := range b.traits {
		if band := b.traits[i].band; i == 0 || band != last {
			ends[i], last = [2]int32{meet(band.MinCents), meet(band.MaxCents)}, band
		} else {
			ends[i] = ends[i-1]
		}
	}
	places := make([]int, len(b.edges)) // of the edges in their order, by when they were met
	slices.Sort(b.edges)
	for place, edge := range b.edges {
		places[met[edge]] = place
	}
	begin, end := newChains(len(b.edges)+1, len(b.rows)), newChains(len(b.edges)+1, len(b.rows))
	for i, e := range ends {
		begin.add(places[e[0]]+1, i)
		end.add(places[e[1]]+1, i)
	}
	b.bands = make([]bitmap, len(b.edges))
	b.words = slices.Grow(b.words, len(b.edges)*b.width)
	present := make([]uint64, b.width)
	for piece := range b.bands {
		for i := range end.of(piece) {
			present[i/64] &^= 1 << (i % 64)
		}
		for i := range begin.of(piece) {
			present[i/64] |= 1 << (i % 64)
		}
		band := &b.bands[piece]
		*band = b.empty()
		copy(b.of(band), present)
		for w, rows := range present {
			if rows != 0 {
				band.filled |= 1 << w
			}
		}
	}
}

// chains are lists of the rows of a block, one for each of some pieces, of which no row is in two.
type chains struct{ heads, nexts []int32 }

func newChains(pieces, rows int) chains {
	c := chains{make([]int32, pieces), make([]int32, rows)}
	for i := range c.heads {
		c.heads[i] = -1
	}
	return c
}

func (c *chains) add(piece, i int) {
	c.nexts[i] = c.heads[piece]
	c.heads[piece] = int32(i)
}

func (c *chains) of(piece int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := c.heads[piece]; i >= 0 && yield(int(i)); {
			i = c.nexts[i]
		}
	}
}

// band returns the rows whose band holds the amount; nil where none does (Q1).
func (b *block) band(amountCents int64) *bitmap {
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
	return &b.bands[piece]
}

// selection is a walk over the rows of one block that pass the bitmaps of a payment.
type selection struct {
	// and are the sets that a row must be in, either the ones of which it must be in one, if there are any,
	// and not the one that it must not be in, or nil.
	and    [6][]uint64
	count  int
	either [][]uint64
	not    []uint64
	// filled has a bit for every word that can have rows.
	filled uint64
}

func (s *selection) require(b *block, m *bitmap) {
	s.and[s.count] = b.of(m)
	s.count++
	s.filled &= m.filled
}

// choose prepares the bitmaps for one block; false when no row of it can pass.
func (s *selection) choose(b *block, q *query) bool {
	s.count, s.either, s.not, s.filled = 0, s.either[:0], nil, math.MaxUint64
	if q.paymentType != none {
		s.require(b, b.byType.of(q.paymentType))
	}
	if q.touchpoint != none {
		s.require(b, b.byTouchpoint.of(q.touchpoint))
	}
	if s.filled == 0 {
		return false
	}
	band := b.band(q.amount)
	if band == nil {
		return false
	}
	s.require(b, band)
	if q.notices > 1 && !b.allCart {
		s.require(b, &b.cart)
	}
	if s.filled == 0 {
		return false
	}
	if q.stamps != noStamps {
		s.require(b, &b.stamp)
	}
	if q.stamps != onlyStamps && !b.noStampOnly {
		s.not = b.of(&b.stampOnly)
	}
	s.chooseCategories(b, q)
	return s.filled != 0
}

func (s *selection) chooseCategories(b *block, q *query) {
	if !q.taxonomyAsked || b.bare {
		return
	}
	filled := b.uncategorised.filled
	for _, category := range q.categories {
		if rows, there := b.byCategory[category]; there {
			s.either = append(s.either, b.of(&rows))
			filled |= rows.filled
		}
	}
	if len(s.either) == 0 {
		s.require(b, &b.uncategorised)
		return
	}
	s.either = append(s.either, b.of(&b.uncategorised))
	s.filled &= filled
}

// word returns the rows that pass among the 64 that start at 64×w.
func (s *selection) word(w int) uint64 {
	rows := s.and[0][w]
	for _, m := range s.and[1:s.count] {
		rows &= m[w]
	}
	if len(s.either) > 0 {
		one := uint64(0)
		for _, m := range s.either {
			one |= m[w]
		}
		rows &= one
	}
	if s.not != nil {
		rows &^= s.not[w]
	}
	return rows
}

// next takes the lowest bit off a word and returns its place in the word.
func next(word *uint64) int {
	place := bits.TrailingZeros64(*word)
	*word &= *word - 1
	return place
}
