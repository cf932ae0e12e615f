package engine

import (
	"cmp"
	"slices"
	"strings"
)

// fewRows is the largest limit for which the first rows are picked out of all candidates; above it,
// sorting them all is cheaper.
const fewRows = 64

// finish ranks the candidates and makes the answer (Q20 to Q25).
func (q *Quoter) finish() *Answer {
	limit := int(q.options.Limit)
	if limit < len(q.candidates) && limit <= fewRows {
		q.pick(limit)
	} else {
		slices.SortFunc(q.candidates, q.order)
	}
	for i := range q.candidates[:min(limit, len(q.candidates))] {
		c := &q.candidates[i]
		row := q.query.row(c.number)
		shown := row.kept().Load()
		if shown == nil { // not by show, whose call all rows of all answers would pay
			shown = row.show(&q.query.s.deps)
		}
		q.quotes = append(q.quotes, Quote{
			Bundle: &shown.bundle, GrossCents: c.gross, NetCents: c.net, OnUs: c.onUs,
			Contributions: q.contributions[c.from:c.to:c.to], Note: shown.note,
		})
	}
	q.answer = Answer{
		Revision: q.query.s.revision, Seed: q.query.seed, BelowThreshold: q.query.belowThreshold(),
		Quotes: q.quotes, Failed: q.failed,
	}
	return &q.answer
}

// pick brings the first rows to the front, in order: every candidate is compared with the last of them,
// and only those that come before it are put in their place.
func (q *Quoter) pick(limit int) {
	first := q.candidates[:limit]
	slices.SortFunc(first, q.order)
	for i := limit; i < len(q.candidates); i++ {
		if q.query.compare(&q.options, &q.candidates[i], &first[limit-1]) >= 0 {
			continue
		}
		c := q.candidates[i]
		at, _ := slices.BinarySearchFunc(first, c, q.order)
		copy(first[at+1:], first[at:limit-1])
		first[at] = c
	}
}

func (q *Quoter) order(a, b candidate) int { return q.query.compare(&q.options, &a, &b) }

// compare is the order of the rows of an answer (Q20, Q21). It is total: no two bundles are equal.
func (q *query) compare(o *Options, a, b *candidate) int {
	if a.onUs != b.onUs && (o.OnUsFirst || o.View == EveryBundle) {
		if a.onUs {
			return -1
		}
		return 1
	}
	if o.View == EveryBundle {
		return q.compareChance(a, b)
	}
	switch o.Order {
	case OrderFee:
		if a.net != b.net {
			return cmp.Compare(a.net, b.net)
		}
		if c := q.compareNames(a, b); c != 0 {
			return c
		}
	case OrderPSPName:
		if c := q.compareNames(a, b); c != 0 {
			return c
		}
		if a.net != b.net {
			return cmp.Compare(a.net, b.net)
		}
	case OrderFeeRandom:
		if a.net != b.net {
			return cmp.Compare(a.net, b.net)
		}
		return q.compareChance(a, b)
	default:
		return q.compareChance(a, b)
	}
	return strings.Compare(q.row(a.number).id(), q.row(b.number).id())
}

// byName says that the key of candidates is that of the PSP's business name; else it is its chance.
func (o *Options) byName() bool {
	return o.View == OnePerPSP && (o.Order == OrderFee || o.Order == OrderPSPName)
}

// key returns what the order compares of a row beside its net fee.
func (q *query) key(d *digest, o *Options) uint64 {
	if o.byName() {
		return d.name
	}
	return chanceOf(q.seed, d.chance)
}

func (q *query) compareNames(a, b *candidate) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	return comparePSPNames(q.row(a.number).text(textBusinessName), q.row(b.number).text(textBusinessName))
}

// compareChance puts the PSPs in the order of chance of the payment (Q22), and the rows of one PSP by
// net fee. Two PSPs of equal chance, one pair in 2^64, go by their ids.
func (q *query) compareChance(a, b *candidate) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	if a.psp != b.psp {
		return strings.Compare(fold(q.row(a.number).text(textPSP)), fold(q.row(b.number).text(textPSP)))
	}
	if a.net != b.net {
		return cmp.Compare(a.net, b.net)
	}
	return strings.Compare(q.row(a.number).id(), q.row(b.number).id())
}

// belowThreshold holds Q24.
func (q *query) belowThreshold() bool { return q.amount < q.s.settings.ThresholdCents }

// flagged reports whether the row of a bundle is flagged on-us (Q24).
func (q *query) flagged(d *digest) bool { return d.onUs && d.card && !q.belowThreshold() }
