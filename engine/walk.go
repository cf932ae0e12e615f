package engine

import "slices"

// walkRange says which index is walked and how far.
type walkRange struct {
	// onUs is set for the index of on-us bundles.
	onUs bool
	// enough is the number of PSPs whose final rows, once met, make all later rows needless;
	// 0: the walk goes to the end.
	enough int
}

// walk considers the rows of an index that pass the bitmaps, in order of lowest fee.
func (q *Quoter) walk(x *index, rng walkRange) {
	for _, b := range x.blocks {
		if rng.enough > 0 && q.settled(b.rows[0].lowest, rng.enough) {
			return
		}
		if !q.selection.choose(b, &q.query, rng.onUs) {
			continue
		}
		for w := range b.words {
			rows := q.selection.word(w)
			for rows != 0 {
				i := w*64 + next(&rows)
				d := &b.digests[i]
				if !rng.onUs && q.prunes && q.hopeless(d) || q.beaten(d) {
					continue
				}
				if rng.enough > 0 && q.settled(d.lowest, rng.enough) {
					return
				}
				q.visit(d, b.rows[i], rng)
			}
		}
	}
}

// beaten reports whether the row cannot become that of its PSP, which has a better one.
func (q *Quoter) beaten(d *digest) bool {
	p := q.placeOf[d.psp]
	if p.round != q.round || q.options.View == EveryBundle {
		return false
	}
	kept := &q.candidates[p.at]
	return kept.tight || kept.net < d.lowest
}

// visit considers one row that passed the bitmaps.
func (q *Quoter) visit(d *digest, r *row, rng walkRange) {
	if !q.query.admitsPSP(d.psp) || !d.validity.Holds(q.query.local.Date) {
		return
	}
	if len(q.query.filters) > 0 && !q.query.filtered(d.psp, r.bundle.Channel, r.bundle.Broker) {
		return
	}
	if d.conditional && !r.bundle.Schedule.Holds(q.query.local) {
		return
	}
	if len(q.contributed) > 0 && slices.Contains(q.contributed, r) {
		return
	}
	// Equal fees of one PSP are met in order of id only where all its bundles carry one name.
	tight := d.flat && !rng.onUs && q.options.Order != OrderFeeRandom && !q.query.s.manyNames[d.psp]
	q.consider(d, r, len(q.contributions), tight)
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
// the walk is just at: where these will stand is open, and which of their PSP's rows they will be.
func (q *Quoter) settled(lowest int64, enough int) bool {
	if len(q.candidates) < enough {
		return false
	}
	count := q.tight
	if count < len(q.candidates) {
		for i := range q.candidates {
			c := &q.candidates[i]
			switch {
			case c.tight || c.onUs && q.options.OnUsFirst:
			case c.net < lowest:
				count++
			case c.net == lowest:
				return false // a row of the same net fee and a lower gross fee may still come
			}
		}
	}
	return count >= enough
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
