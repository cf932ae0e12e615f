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

// bitmap is a set of the rows of one block. The zero bitmap is the empty set, of no block.
type bitmap struct {
	words []uint64
	// filled has a bit for every word that is not 0: most words of most sets are, and a walk passes over
	// the words that one set leaves empty 64 at a time.
	filled uint64
}

func (b *bitmap) set(i int) {
	b.words[i/64] |= 1 << (i % 64)
	b.filled |= 1 << (i / 64)
}

// add adds the rows of another set of the block.
func (b *bitmap) add(other *bitmap) {
	for w, rows := range other.words {
		b.words[w] |= rows
	}
	b.filled |= other.filled
}

// run is rows in the order of compareRows, with what a walk and a block need of each side by side.
type run struct {
	rows    []*row
	digests []digest
	traits  []traits
}

// newRun returns an empty run with room for so many rows.
func newRun(rows int) run {
	return run{make([]*row, 0, rows), make([]digest, 0, rows), make([]traits, 0, rows)}
}

func (r *run) add(rows ...*row) {
	for _, row := range rows {
		r.rows, r.digests, r.traits = append(r.rows, row), append(r.digests, row.digest), append(r.traits, row.traits)
	}
}

// copy adds the rows of another run from one place to before another.
func (r *run) copy(other *run, from, to int) {
	r.rows = append(r.rows, other.rows[from:to]...)
	r.digests = append(r.digests, other.digests[from:to]...)
	r.traits = append(r.traits, other.traits[from:to]...)
}

// place returns where a row is, or would be added. Fees that differ are told apart without reading the rows.
func (r *run) place(row *row) int {
	return sort.Search(len(r.rows), func(i int) bool {
		if lowest := r.digests[i].lowest; lowest != row.lowest {
			return lowest > row.lowest
		}
		return compareRows(r.rows[i], row) >= 0
	})
}

// block is a run of the index with, per dimension and value, the bitmap of its rows that a payment of
// that value may get. It is never changed; a change of one of its bundles makes a new one.
type block struct {
	run       // at most 64×64 rows
	words int // of each bitmap
	// spare is room for further bitmaps while the block is built.
	spare []uint64

	// byTouchpoint and byType hold the rows for that value or any.
	byTouchpoint, byType       fewValues
	byCategory                 map[uint32]*bitmap
	uncategorised              bitmap
	cart, stamp, stampOnly     bitmap
	edges                      []int64  // of bands, ascending
	bands                      []bitmap // bands[i] is for amounts in (edges[i-1], edges[i]]
	allCart, noStampOnly, bare bool     // dimensions that exclude no row, and need no look
}

// fewValues is a dimension of few values, touchpoint or payment type: the bitmaps by the number of the value,
// without words for values that no row of the block names, and the one of the rows for any value.
type fewValues struct {
	values []bitmap
	any    bitmap
}

// newBlock builds the bitmaps of a run, which it keeps.
func newBlock(r run) *block {
	b := &block{run: r, words: (len(r.rows) + 63) / 64}
	b.byTouchpoint.any, b.byType.any, b.uncategorised = b.empty(), b.empty(), b.empty()
	b.cart, b.stamp, b.stampOnly = b.empty(), b.empty(), b.empty()
	b.byCategory = map[uint32]*bitmap{}
	b.allCart, b.noStampOnly, b.bare = true, true, true
	for i := range b.traits {
		t := &b.traits[i]
		b.byTouchpoint.mark(b, t.touchpoint, i)
		b.byType.mark(b, t.paymentType, i)
		if t.categorised {
			b.markCategories(i)
		} else {
			b.uncategorised.set(i)
		}
		flag(&b.cart, t.cart, i)
		flag(&b.stamp, t.stamp, i)
		flag(&b.stampOnly, t.stampOnly, i)
		b.allCart = b.allCart && t.cart
		b.noStampOnly = b.noStampOnly && !t.stampOnly
	}
	b.byTouchpoint.finish()
	b.byType.finish()
	b.buildBands()
	b.spare = nil
	return b
}

func (b *block) markCategories(i int) {
	b.bare = false
	for _, category := range b.rows[i].categories {
		if b.byCategory[category] == nil {
			m := b.empty()
			b.byCategory[category] = &m
		}
		b.byCategory[category].set(i)
	}
}

// bitmapsAtOnce is how many bitmaps of a block lie in one piece of memory: an index of a PSP has few rows, and there
// are many such.
const bitmapsAtOnce = 8

// empty returns an empty set of the block's rows.
func (b *block) empty() bitmap {
	if len(b.spare) < b.words {
		b.spare = make([]uint64, bitmapsAtOnce*b.words)
	}
	words := b.spare[:b.words:b.words]
	b.spare = b.spare[b.words:]
	return bitmap{words: words}
}

// mark notes that a row is for a value, or for any.
func (n *fewValues) mark(b *block, value uint32, i int) {
	if value == none {
		n.any.set(i)
		return
	}
	for int(value) >= len(n.values) {
		n.values = append(n.values, bitmap{})
	}
	if n.values[value].words == nil {
		n.values[value] = b.empty()
	}
	n.values[value].set(i)
}

// finish adds the rows for any value to those of each.
func (n *fewValues) finish() {
	for value := range n.values {
		if rows := &n.values[value]; rows.words != nil {
			rows.add(&n.any)
		}
	}
}

// of returns the rows for a value.
func (n *fewValues) of(value uint32) *bitmap {
	if int(value) < len(n.values) && n.values[value].words != nil {
		return &n.values[value]
	}
	return &n.any
}

func flag(m *bitmap, set bool, i int) {
	if set {
		m.set(i)
	}
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
	all, present := make([]uint64, len(b.edges)*b.words), make([]uint64, b.words)
	for piece := range b.bands {
		for i := range end.of(piece) {
			present[i/64] &^= 1 << (i % 64)
		}
		for i := range begin.of(piece) {
			present[i/64] |= 1 << (i % 64)
		}
		band := &b.bands[piece]
		band.words, all = all[:b.words:b.words], all[b.words:]
		copy(band.words, present)
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

func (s *selection) require(m *bitmap) {
	s.and[s.count] = m.words
	s.count++
	s.filled &= m.filled
}

// choose prepares the bitmaps for one block; false when no row of it can pass.
func (s *selection) choose(b *block, q *query) bool {
	s.count, s.either, s.not, s.filled = 0, s.either[:0], nil, math.MaxUint64
	if q.paymentType != none {
		s.require(b.byType.of(q.paymentType))
	}
	if q.touchpoint != none {
		s.require(b.byTouchpoint.of(q.touchpoint))
	}
	if s.filled == 0 {
		return false
	}
	band := b.band(q.amount)
	if band == nil {
		return false
	}
	s.require(band)
	if q.notices > 1 && !b.allCart {
		s.require(&b.cart)
	}
	if s.filled == 0 {
		return false
	}
	if q.stamps != noStamps {
		s.require(&b.stamp)
	}
	if q.stamps != onlyStamps && !b.noStampOnly {
		s.not = b.stampOnly.words
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
		if rows := b.byCategory[category]; rows != nil {
			s.either = append(s.either, rows.words)
			filled |= rows.filled
		}
	}
	if len(s.either) == 0 {
		s.require(&b.uncategorised)
		return
	}
	s.either = append(s.either, b.uncategorised.words)
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
