package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"gec/engine/condition"
)

// stampUse says how many of a payment's transfers buy digital stamps (Q8).
type stampUse uint8

const (
	noStamps stampUse = iota
	someStamps
	onlyStamps
)

// query is a payment as one snapshot sees it: names as numbers, sums made, the issuer found.
type query struct {
	s       *Snapshot
	payment *Payment

	amount, notices int64
	// touchpoint and paymentType are none without a filter.
	touchpoint, paymentType uint32
	// touchpointName and paymentTypeName are the folded names, Any without a filter.
	touchpointName, paymentTypeName string
	// categories are the numbers of the payment's codes that any bundle names, each once.
	categories    []uint32
	taxonomyAsked bool
	transfers     int
	stampCount    int
	stamps        stampUse
	local         Local
	// issuer is none when it is unknown; amex says that it is the one of Q11.
	issuer uint32
	amex   bool
	// filters are ascending by PSP.
	filters []filter
	// ecs are the distinct ECs of the cart, in cart order.
	ecs  []string
	seed uint64
}

// filter is an entry of the PSP filter with the PSP as a number, none for one without bundles.
type filter struct {
	psp             uint32
	channel, broker string
}

// row returns that of a number.
func (q *query) row(number uint32) row { return q.s.sheets.at(number) }

// read prepares a payment. Errors: *InvalidPaymentError, *UnknownNameError.
func (q *query) read(s *Snapshot, p *Payment, o *Options) error {
	q.s, q.payment = s, p
	if err := q.sum(p); err != nil {
		return err
	}
	var err error
	if q.touchpoint, q.touchpointName, err = resolve("touchpoint", p.Touchpoint, s.names.touchpoints, s.touchpoints); err != nil {
		return err
	}
	if q.paymentType, q.paymentTypeName, err = resolve("payment type", p.PaymentType, s.names.paymentTypes, s.paymentTypes); err != nil {
		return err
	}
	if o.Limit < 0 {
		return &InvalidPaymentError{"limit", fmt.Sprintf("is %d: use 1 or more", o.Limit)}
	}
	q.readTransfers(p)
	q.local = LocalAt(p.At)
	q.issuer = s.issuers.find(p.BIN)
	q.amex = q.issuer != none && q.issuer == s.amex
	q.filters = q.filters[:0]
	for i := range p.PSPs {
		f := &p.PSPs[i]
		q.filters = append(q.filters, filter{s.names.psps.find(f.PSP), f.Channel, f.Broker})
	}
	slices.SortFunc(q.filters, func(a, b filter) int { return cmp.Compare(a.psp, b.psp) })
	q.seed = o.Seed
	if !o.SeedGiven {
		q.seed = paymentSeed(p, q.touchpointName, q.paymentTypeName)
	}
	return nil
}

// sum adds up the notices and lists their ECs (Q1, Q6).
func (q *query) sum(p *Payment) error {
	if len(p.Notices) == 0 {
		return &InvalidPaymentError{"notices", "is empty: send one notice at least"}
	}
	q.amount, q.notices, q.ecs = 0, int64(len(p.Notices)), q.ecs[:0]
	for i := range p.Notices {
		notice := &p.Notices[i]
		if notice.AmountCents < 0 {
			return &InvalidPaymentError{fmt.Sprintf("notices[%d].amount", i), fmt.Sprintf("is %d cents: use 0 or more", notice.AmountCents)}
		}
		if notice.AmountCents > math.MaxInt64-q.amount {
			return &InvalidPaymentError{fmt.Sprintf("notices[%d].amount", i), "makes the sum of the notices exceed what can be paid at once"}
		}
		q.amount += notice.AmountCents
		if !slices.Contains(q.ecs, notice.CreditorInstitution) {
			q.ecs = append(q.ecs, notice.CreditorInstitution)
		}
	}
	if q.amount == 0 {
		return &InvalidPaymentError{"notices[0].amount", "is 0 cents, as the whole cart: use more than 0"}
	}
	return nil
}

// readTransfers finds the categories and the stamps (Q5, Q8).
func (q *query) readTransfers(p *Payment) {
	q.categories, q.transfers, q.stampCount = q.categories[:0], 0, 0
	for i := range p.Notices {
		for j := range p.Notices[i].Transfers {
			transfer := &p.Notices[i].Transfers[j]
			q.transfers++
			if transfer.DigitalStamp {
				q.stampCount++
			}
			if transfer.TransferCategory == "" {
				continue
			}
			number := q.s.names.categories.find(BareCategory(transfer.TransferCategory))
			if number != none && !slices.Contains(q.categories, number) {
				q.categories = append(q.categories, number)
			}
		}
	}
	q.taxonomyAsked = q.transfers > 0
	switch q.stampCount {
	case 0:
		q.stamps = noStamps
	case q.transfers:
		q.stamps = onlyStamps
	default:
		q.stamps = someStamps
	}
}

// resolve finds a touchpoint or payment type; none and Any where the payment does not filter.
func resolve(kind, name string, numbers *names, registered registry) (uint32, string, error) {
	if !named(name) {
		return none, Any, nil
	}
	number := numbers.find(name)
	if spelling, ok := registered[number]; ok {
		return number, spelling, nil
	}
	return none, "", &UnknownNameError{kind, name}
}

// admits reports whether the block list, the PSP filter and the Poste switch let a row pass (Q4, Q9).
func (q *query) admits(r row) bool {
	return q.admitsPSP(r.psp) && (len(q.filters) == 0 || q.filtered(r.psp, r.text(textChannel), r.text(textBroker)))
}

// admitsPSP holds what of Q4 and Q9 goes by the PSP alone.
func (q *query) admitsPSP(psp uint32) bool {
	return !(q.payment.WithoutPoste && psp == q.s.poste) && !(len(q.s.blocked) > 0 && q.s.blocked[psp])
}

// filtered reports whether an entry of the PSP filter is matched in all that it gives (Q4).
func (q *query) filtered(psp uint32, channel, broker string) bool {
	first := sort.Search(len(q.filters), func(i int) bool { return q.filters[i].psp >= psp })
	for i := first; i < len(q.filters) && q.filters[i].psp == psp; i++ {
		f := &q.filters[i]
		if (f.channel == "" || sameName(f.channel, channel)) && (f.broker == "" || sameName(f.broker, broker)) {
			return true
		}
	}
	return false
}

// pspsAsked returns how many PSPs the filter names, 0 without one.
func (q *query) pspsAsked() (psps int) {
	for i := range q.filters {
		if i == 0 || q.filters[i].psp != q.filters[i-1].psp {
			psps++
		}
	}
	return psps
}

// current reports whether the row is valid on the day and scheduled at the hour (Q12, Q13).
func (q *query) current(r row) bool {
	return r.validity.Holds(q.local.Date) && r.schedule().Holds(q.local)
}

// passes reports whether the row passes all rules that the bitmaps of a block stand for (Q1 to Q3, Q5,
// Q7, Q8, Q10, Q11). It is for rows that are not reached through an index.
func (q *query) passes(r row) bool {
	return r.band.Holds(q.amount) &&
		(q.touchpoint == none || r.touchpoint == none || r.touchpoint == q.touchpoint) &&
		(q.paymentType == none || r.paymentType == none || r.paymentType == q.paymentType) &&
		q.sharesCategory(r) &&
		(q.notices == 1 || r.cart) &&
		(q.stamps == noStamps || r.stamp) && (q.stamps == onlyStamps || !r.stampOnly) &&
		q.suitsIssuer(r)
}

func (q *query) sharesCategory(r row) bool {
	if !r.categorised || !q.taxonomyAsked {
		return true
	}
	for _, category := range r.special().categories {
		if slices.Contains(q.categories, category) {
			return true
		}
	}
	return false
}

// suitsIssuer holds Q10 and Q11: on-us bundles are for cards of their ABI and those only for them, and
// a card of the ABI configured for AMEX gets nothing else.
func (q *query) suitsIssuer(r row) bool {
	own := q.issuer != none && r.abi == q.issuer
	return own == r.onUs && (own || !q.amex)
}

// facts fills in what conditions see of the payment (E1).
func (q *query) facts(f *condition.Facts, date string) {
	p := q.payment
	f.AmountCents, f.Notices, f.Transfers, f.DigitalStamps = q.amount, int(q.notices), q.transfers, q.stampCount
	f.Touchpoint, f.PaymentType = q.touchpointName, q.paymentTypeName
	f.ECs, f.Categories = append(f.ECs[:0], q.ecs...), f.Categories[:0]
	for i := range p.Notices {
		for j := range p.Notices[i].Transfers {
			code := BareCategory(p.Notices[i].Transfers[j].TransferCategory)
			if code != "" && !slices.Contains(f.Categories, code) {
				f.Categories = append(f.Categories, code)
			}
		}
	}
	f.TaxonomyAsked = q.taxonomyAsked
	f.Local = q.local.facts(date)
}
