package engine

import "gec/engine/condition"

// Quoter computes answers on the indexed path. It holds the scratch memory of a quote, so that computing
// one allocates nothing once it is warm. It is not for concurrent use: callers pool Quoters.
type Quoter struct {
	query     query
	options   Options
	cart      cart
	selection selection
	// ties is the selection of bestOfTies.
	ties      selection
	evaluator *condition.Evaluator
	facts     condition.Facts
	// ready says that the evaluator has seen the facts of the present payment.
	ready bool
	// dateText is the ISO form of dateOf, kept from one payment to the next of the same day.
	dateText string
	dateOf   Date

	candidates []candidate
	// tight counts the candidates that are tight, changes those that were kept and are not.
	tight, changes int
	// visited counts the rows of the index that were looked at one by one.
	visited       int
	passed        passed
	contributions []Contribution
	// placeOf gives for every PSP the place of its candidate, in the round it was written in.
	placeOf []place
	round   uint32
	// contributed are the numbers of the GLOBAL rows that were looked at with contributions already.
	contributed []uint32
	// first holds, where rows are pruned, the keys of the candidates that come first, ascending, as
	// many as there are rows at most.
	first  []uint64
	prunes bool
	quotes []Quote
	failed []Failure
	answer Answer
}

type place struct{ round, at uint32 }

// candidate is a row that applies, with what it costs.
type candidate struct {
	gross, net int64
	// key is what the order compares beside the net fee: the PSP's place in the order of chance of
	// the payment, or the key of its business name (see Options.byName).
	key uint64
	psp uint32
	// number is that of the row: of most candidates nothing is asked that needs the row itself.
	number uint32
	// from and to bound the row's part of Quoter.contributions.
	from, to int32
	// onUs is the flag of Q24, by which Q21 goes; own says that the bundle itself is on-us.
	onUs, own bool
	// tight says that no row that the walk has yet to meet can replace the candidate: it was met in
	// order of fee, and its fee is the lowest that it can be.
	tight bool
	// final says that it is the row of its PSP whatever the walk meets, though not where it stands.
	final bool
}

// NewQuoter returns a Quoter with nothing warm.
func NewQuoter() *Quoter { return &Quoter{evaluator: condition.NewEvaluator()} }

// Quotes returns the ranked quotes of a payment on a snapshot. The answer is total and repeatable: the
// same snapshot, payment and options give the same rows in the same order (P7). It is valid until the
// next call. Errors: *UnknownNameError, *InvalidPaymentError, and what Deps.Subscriptions returns.
func (q *Quoter) Quotes(s *Snapshot, p *Payment, o Options) (*Answer, error) {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	q.options = o
	if err := q.query.read(s, p, &o); err != nil {
		return nil, err
	}
	q.begin()
	if err := q.subscribed(); err != nil {
		return nil, err
	}
	if own := s.onUsOf(q.query.issuer); own != nil {
		q.walk(own, walkRange{onUs: true})
	}
	if rows, needed := q.rowsNeeded(); needed && !q.query.amex {
		q.walkOpen(rows)
	}
	return q.finish(), nil
}

// Effort is what computing an answer took.
type Effort struct {
	// Visited is the number of bundles that the index let through and that were looked at one by one.
	Visited int
	// Candidates is the number of bundles that were ranked: in v2 the best one of each PSP that the walk came to.
	Candidates int
}

// Effort returns what the last answer took.
func (q *Quoter) Effort() Effort { return Effort{Visited: q.visited, Candidates: len(q.candidates)} }

// begin clears the scratch memory of the payment before.
func (q *Quoter) begin() {
	q.ready, q.tight, q.changes, q.visited = false, 0, 0, 0
	q.first, q.prunes = q.first[:0], q.mayPrune()
	q.candidates, q.contributions = q.candidates[:0], q.contributions[:0]
	q.passed = passed{at: -1}
	q.contributed, q.failed, q.quotes = q.contributed[:0], q.failed[:0], q.quotes[:0]
	if psps := len(q.query.s.psps); len(q.placeOf) < psps {
		q.placeOf, q.round = make([]place, psps), 0
	}
	if q.round++; q.round == 0 { // after four billion quotes old rounds would come again
		clear(q.placeOf)
		q.round = 1
	}
}

// subscribed collects the bundles that every EC of the cart has subscribed to: all PUBLIC and PRIVATE
// ones that apply (Q6), and the GLOBAL ones to whose fee the ECs contribute (Q16).
func (q *Quoter) subscribed() error {
	all, err := q.cart.read(&q.query)
	if err != nil || !all {
		return err
	}
	first := &q.cart.ecs[0]
	for first.at < len(first.plan.subscriptions) {
		slot := first.plan.subscriptions[first.at].slot
		if r := q.query.s.rowOf(slot); r.there() && q.query.passes(r) && q.query.admits(r) && q.query.current(r) {
			q.subscribedRow(r, slot)
		}
		first.at += len(first.seek(slot))
	}
	return nil
}

// subscribedRow adds the row of one bundle that the first EC has subscribed to, and that passes all that
// does not depend on subscriptions, if it applies.
func (q *Quoter) subscribedRow(r row, slot uint32) {
	from := len(q.contributions)
	contribute := true
	for i := range q.cart.ecs {
		e := &q.cart.ecs[i]
		sub, share := q.cart.choose(e, e.seek(slot), q.query.local.Date, q.options.View == EveryBundle)
		if sub == nil {
			q.contributions = q.contributions[:from]
			return
		}
		contribute = contribute && share != noShare
		q.contributions = append(q.contributions, Contribution{
			CreditorInstitution: q.query.ecs[i], SubscriptionID: sub.id, DeclaredCents: share,
		})
	}
	if !contribute {
		q.contributions = q.contributions[:from]
		if r.kind == Global {
			return // the walk of the index meets it
		}
	}
	if r.kind == Global {
		q.contributed = append(q.contributed, r.number)
	}
	if !q.consider(&r.digest, r.number, from, false, false) {
		q.contributions = q.contributions[:from]
	}
}

// consider adds a row that passes everything but its condition, if that holds, and reports whether it
// was kept. The contributions from the given place on are the row's, of which the digest and the number are given.
func (q *Quoter) consider(d *digest, number uint32, from int, tight, final bool) bool {
	if d.conditional && !q.holds(q.query.row(number)) {
		return false
	}
	gross := d.lowest
	if !d.flat {
		var err error
		r := q.query.row(number)
		if gross, err = r.feeCents(q.query.amount, q.query.notices); err != nil {
			q.failed = append(q.failed, Failure{&r.show(&q.query.s.deps).bundle, err})
			return false
		}
	}
	c := candidate{
		number: number, gross: gross, net: gross, key: q.query.key(d, &q.options), psp: d.psp,
		from: int32(from), to: int32(len(q.contributions)), onUs: q.query.flagged(d), own: d.onUs, tight: tight, final: final,
	}
	if own := q.contributions[from:]; len(own) > 0 {
		bearable := gross
		if q.options.View == EveryBundle {
			bearable = min(bearable, q.query.amount)
		}
		c.net = gross - split(own, bearable)
	}
	return q.add(&c)
}

// add keeps a candidate, and reports whether it did: every one in v1, the best one of its PSP otherwise
// (Q19).
func (q *Quoter) add(c *candidate) bool {
	p := &q.placeOf[c.psp]
	if p.round != q.round || q.options.View == EveryBundle {
		*p = place{q.round, uint32(len(q.candidates))}
		q.candidates = append(q.candidates, *c)
		q.noteKey(c)
	} else if kept := &q.candidates[p.at]; q.query.better(c, kept) {
		*kept = *c
	} else {
		return false
	}
	if c.tight {
		q.tight++
	} else {
		q.changes++
	}
	return true
}

// better reports whether a is to be the row of its PSP rather than b (Q19).
func (q *query) better(a, b *candidate) bool {
	switch {
	case a.net != b.net:
		return a.net < b.net
	case a.gross != b.gross:
		return a.gross < b.gross
	case a.own != b.own:
		return a.own
	}
	return q.row(a.number).id() < q.row(b.number).id()
}

// holds runs the row's condition, if it has one (Q14). One that fails is noted and does not hold.
func (q *Quoter) holds(r row) bool {
	when := r.when()
	if when == nil {
		return true
	}
	program, err := when.Program()
	if err == nil {
		q.prepareFacts()
		var holds bool
		if holds, err = q.evaluator.Holds(program, r.onUs, true); err == nil {
			return holds
		}
	}
	q.failed = append(q.failed, Failure{&r.show(&q.query.s.deps).bundle, err})
	return false
}

func (q *Quoter) prepareFacts() {
	if q.ready {
		return
	}
	q.ready = true
	if date := q.query.local.Date; q.dateOf != date {
		q.dateOf, q.dateText = date, date.String()
	}
	q.query.facts(&q.facts, q.dateText)
	q.evaluator.Reset(&q.facts)
}
