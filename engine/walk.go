package engine

import "slices"

// walkOpen considers the GLOBAL bundles that are not on-us: those of the PSPs asked for, where these are few,
// or of all, until enough PSPs have rows that are final.
func (q *Quoter) walkOpen(enough int) {
	s := q.query.s
	if len(q.query.filters) == 0 || len(q.query.filters) > filtersByPSP {
		q.walk(s.open, walkRange{enough: enough})
		return
	}
	for i := range q.query.filters {
		psp := q.query.filters[i].psp
		if int(psp) < len(s.psps) && s.psps[psp] != nil && (i == 0 || q.query.filters[i-1].psp != psp) {
			q.walk(s.openOf(psp), walkRange{})
		}
	}
}

// filtersByPSP is the number of entries of a PSP filter up to which the bundles of each PSP are walked. Of a
// longer one, rows of none of the PSPs are left out one by one.
const filtersByPSP = 8

// walkRange says which index is walked and how far.
type walkRange struct {
	// onUs is set for the index of the on-us bundles of the issuer. In others, the issuer's are left out (Q10).
	onUs bool
	// enough is the number of PSPs whose final rows, once met, make all later rows needless;
	// 0: the walk goes to the end.
	enough int
}

// walk considers the rows of an index that pass the bitmaps, in order of lowest fee.
func (q *Quoter) walk(x *index, rng walkRange) {
	for word := 0; 64*word < len(x.blocks); word++ {
		for blocks := x.candidates(&q.query, word); blocks != 0; {
			if !q.walkBlock(x.blocks[64*word+next(&blocks)], rng) {
				return
			}
		}
	}
}

// walkBlock considers the rows of one block; false when no later row is needed.
func (q *Quoter) walkBlock(b *block, rng walkRange) bool {
	if rng.enough > 0 && q.settled(b.digests[0].lowest, rng.enough) {
		return false
	}
	if !q.selection.choose(b, &q.query) {
		return true
	}
	for filled := q.selection.filled; filled != 0; {
		w := next(&filled)
		for rows := q.selection.word(w); rows != 0; {
			i := w*64 + next(&rows)
			d := &b.digests[i]
			if !rng.onUs && (d.abi == q.query.issuer || q.prunes && q.hopeless(d)) || q.beaten(d, b, i) {
				continue
			}
			if rng.enough > 0 && q.settled(d.lowest, rng.enough) {
				return false
			}
			q.visit(d, b.rows[i], rng)
		}
	}
	return true
}

// beaten reports whether the row, the i-th of a block, cannot become that of its PSP, which has a better one.
// Where it is that one, the walk has come to where it stands.
func (q *Quoter) beaten(d *digest, b *block, i int) bool {
	p := q.placeOf[d.psp]
	if p.round != q.round || q.options.View == EveryBundle {
		return false
	}
	kept := &q.candidates[p.at]
	if kept.tight || kept.net < d.lowest {
		return true
	}
	if !kept.final || kept.net > d.lowest {
		return false
	}
	if kept.number == b.rows[i] {
		kept.tight = true
		q.tight++
	}
	return true
}

// visit considers one row that passed the bitmaps, of which the digest and the number are given.
func (q *Quoter) visit(d *digest, number uint32, rng walkRange) {
	q.visited++
	if !q.stands(d, number) {
		return
	}
	best, tight, final := numbered{d, number}, false, false
	if d.flat && !rng.onUs && q.options.Order != OrderFeeRandom {
		if !q.query.s.manyNames[d.psp] {
			tight = true
		} else if rng.enough > 0 && !d.conditional {
			best, final = q.bestOfTies(best)
			tight = final && best.number == number
		}
	}
	q.consider(best.digest, best.number, len(q.contributions), tight, final)
}

// numbered is what a walk knows of a row without reading it.
type numbered struct {
	*digest
	number uint32
}

// stands reports whether a row that passed the bitmaps passes all that they do not stand for, but its condition.
func (q *Quoter) stands(d *digest, number uint32) bool {
	if !q.query.admitsPSP(d.psp) || !d.validity.Holds(q.query.local.Date) {
		return false
	}
	if len(q.query.filters) > 0 {
		if r := q.query.row(number); !q.query.filtered(d.psp, r.text(textChannel), r.text(textBroker)) {
			return false
		}
	}
	if d.conditional && !q.query.row(number).schedule().Holds(q.query.local) {
		return false
	}
	return len(q.contributed) == 0 || !slices.Contains(q.contributed, number)
}

// bestOfTies returns which of the rows of a PSP that ask the same fee as one of them is its row (Q19), so that
// the walk need not pass all rows of that fee to know. Equal fees of one PSP are met in order of id only where all
// its bundles carry one name. It is not final where one of them has a condition: this runs when the walk gets
// there.
func (q *Quoter) bestOfTies(of numbered) (best numbered, final bool) {
	best = of
	for _, b := range q.query.s.openOf(of.psp).blocks {
		if b.digests[0].lowest > of.lowest {
			return best, true
		}
		if b.digests[len(b.digests)-1].lowest < of.lowest || !q.ties.choose(b, &q.query) {
			continue
		}
		for filled := q.ties.filled; filled != 0; {
			w := next(&filled)
			for rows := q.ties.word(w); rows != 0; {
				i := w*64 + next(&rows)
				other := numbered{&b.digests[i], b.rows[i]}
				switch {
				case other.lowest < of.lowest || other.abi == q.query.issuer || other.lowest == of.lowest && !q.stands(other.digest, other.number):
				case other.lowest > of.lowest:
					return best, true
				case other.conditional || !other.flat:
					return best, false
				case q.query.row(other.number).id() < q.query.row(best.number).id():
					best = other
				}
			}
		}
	}
	return best, true
}

// rowsNeeded returns how many PSPs' rows the walk of the open index has to settle, 0 for all of them;
// needed is false when the answer is full of on-us rows already.
//
// A walk may stop early only where rows come in the order in which they are shown, by fee. With on-us
// rows first (Q21) these must be known for good before the walk starts. They are, unless the PSP of one
// has bundles of several ABIs: of the others all that apply to a card of the PSP's own are on-us (Q10).
func (q *Quoter) rowsNeeded() (rows int, needed bool) {
	o := &q.options
	if o.View == EveryBundle || o.Order != OrderFee && o.Order != OrderFeeRandom {
		return 0, true
	}
	rows = int(o.Limit)
	if psps := q.query.pspsAsked(); psps > 0 {
		rows = min(rows, psps)
	}
	if !o.OnUsFirst {
		return rows, true
	}
	for i := range q.candidates {
		c := &q.candidates[i]
		if !c.onUs {
			continue
		}
		if len(q.query.s.psps[c.psp].abis) > 1 {
			return 0, true
		}
		rows--
	}
	return rows, rows > 0
}

// settled reports whether enough PSPs have rows that neither a row of that lowest fee nor any later one
// can replace or come before.
//
// A tight candidate comes before all that the walk has yet to meet, for it was met earlier in the order
// of compareRows. Others, met outside the walk or of a fee above their lowest, are settled when the walk
// has passed their net fee. Until then they come after all that are settled, but for those whose net fee
// the walk is just at: where these will stand is open, and which of their PSP's rows they will be. Of those
// that are final it is not, but the walk has to come to where they stand.
func (q *Quoter) settled(lowest int64, enough int) bool {
	if len(q.candidates) < enough {
		return false
	}
	if q.tight == len(q.candidates) {
		return q.tight >= enough
	}
	if q.passed.at != lowest || q.passed.changes != q.changes {
		q.countPassed(lowest)
	}
	return !q.passed.open && q.tight+q.passed.count >= enough
}

// passed says of the candidates that are not tight, as they were after so many changes, how many the walk has
// passed when it is at a fee, and whether it is open where one stands.
type passed struct {
	at      int64
	changes int
	count   int
	open    bool
}

func (q *Quoter) countPassed(lowest int64) {
	q.passed = passed{at: lowest, changes: q.changes}
	for i := range q.candidates {
		c := &q.candidates[i]
		switch {
		case c.tight || c.onUs && q.options.OnUsFirst:
		case c.net < lowest:
			q.passed.count++
		case c.net == lowest && !c.final:
			q.passed.open = true // a row of the same net fee and a lower gross fee may still come
			return
		}
	}
}

// mayPrune reports whether the rows that come first are known by a key alone, whatever their fee: then
// a PSP that enough others come before need not be looked at. It holds where PSPs stand in order of
// chance, and where they stand in order of their names, for those that have but one.
func (q *Quoter) mayPrune() bool {
	o := &q.options
	switch {
	case o.Limit > fewRows:
		return false
	case o.View == EveryBundle:
		return true
	}
	return o.Order == OrderRandom || o.Order == OrderPSPName
}

// keyed reports whether every row of the PSP has the same key.
func (q *Quoter) keyed(psp uint32) bool {
	return q.options.Order != OrderPSPName || q.options.View == EveryBundle || !q.query.s.manyNames[psp]
}

// noteKey takes the key of a new candidate up among the first. On-us rows that are put first anyway
// (Q21) take no place from others here: there may be as many others, of which none is missed.
func (q *Quoter) noteKey(c *candidate) {
	if !q.prunes || c.onUs || !q.keyed(c.psp) {
		return
	}
	if len(q.first) == int(q.options.Limit) {
		if c.key >= q.first[len(q.first)-1] {
			return
		}
		q.first = q.first[:len(q.first)-1]
	}
	at, _ := slices.BinarySearch(q.first, c.key)
	q.first = slices.Insert(q.first, at, c.key)
}

// hopeless reports whether enough rows are known to come before any row of this PSP.
func (q *Quoter) hopeless(d *digest) bool {
	if len(q.first) < int(q.options.Limit) || q.query.key(d, &q.options) <= q.first[len(q.first)-1] {
		return false
	}
	return q.options.View == EveryBundle || q.placeOf[d.psp].round != q.round && q.keyed(d.psp)
}
