package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gec/engine"
)

// Integers is the floor that every engine is measured by: a loop over all bundles that compares integers.
// It is what is left when nothing is indexed and nothing is configurable: GLOBAL bundles of flat fees
// without schedule and condition, one row per PSP, in order of fee with on-us rows first. It is not for
// concurrent use.
type Integers struct {
	rows                           []integerRow
	touchpoints, types, psps, abis map[string]uint32
	codes                          map[string]uint
	issuers                        []integerRange
	amex, card                     uint32
	best                           []int32 // by PSP: 1 + the row, 0 for none
	touched, kept                  []uint32
	filters                        []integerFilter
}

// integerRow is a bundle with its names as numbers; 0 stands for any.
type integerRow struct {
	min, max, fee                     int64
	from, to                          engine.Date
	touchpoint, paymentType, psp, abi uint32
	codes                             uint64 // a bit for each taxonomy code; 0 for every code
	cart, stamp, stampOnly, onUs      bool
	rank                              uint32 // of PSP name and id among rows of equal fee
	bundle                            *engine.Bundle
}

type integerRange struct {
	low, high int64
	abi       uint32
}

type integerFilter struct {
	psp             uint32
	channel, broker string
}

// integerQuery is a payment with its names as numbers; 0 stands for no filter.
type integerQuery struct {
	amount                     int64
	date                       engine.Date
	touchpoint, paymentType    uint32
	codes                      uint64
	notices, transfers, stamps int
	issuer                     uint32 // 0 when unknown
}

// NewIntegers prepares a catalogue. Errors: a bundle that this way cannot quote.
func NewIntegers(c *Catalogue) (*Integers, error) {
	l := &Integers{
		touchpoints: map[string]uint32{}, types: map[string]uint32{}, psps: map[string]uint32{}, abis: map[string]uint32{},
		codes: map[string]uint{}, rows: make([]integerRow, 0, len(c.Bundles)),
	}
	l.card = number(l.types, engine.CardPaymentType)
	l.amex = number(l.abis, c.Settings.AmexABI)
	for _, b := range c.Bundles {
		if b.Type != engine.Global || b.When != "" || b.Schedule != nil {
			return nil, fmt.Errorf("bundle %s is more than integers can say", b.ID)
		}
		fee, flat := b.Fee.Flat()
		if !flat {
			return nil, fmt.Errorf("the fee of bundle %s is not flat", b.ID)
		}
		r := integerRow{
			min: b.Band.MinCents, max: b.Band.MaxCents, fee: fee, from: b.Validity.From, to: b.Validity.To,
			psp: number(l.psps, b.PSP), abi: number(l.abis, b.ABI), cart: b.Cart, stamp: b.DigitalStamp,
			stampOnly: b.DigitalStampOnly, onUs: b.OnUs, bundle: b,
		}
		if b.Touchpoint != engine.Any {
			r.touchpoint = number(l.touchpoints, b.Touchpoint)
		}
		if b.PaymentType != "" {
			r.paymentType = number(l.types, b.PaymentType)
		}
		for _, code := range b.TransferCategories {
			if _, ok := l.codes[code]; !ok {
				l.codes[code] = uint(len(l.codes))
			}
			r.codes |= 1 << l.codes[code]
		}
		l.rows = append(l.rows, r)
	}
	if len(l.codes) > 64 {
		return nil, fmt.Errorf("%d taxonomy codes do not fit a word", len(l.codes))
	}
	l.order()
	for _, i := range c.Settings.Issuers {
		l.issuers = append(l.issuers, integerRange{i.Low, i.High, number(l.abis, i.ABI)})
	}
	slices.SortFunc(l.issuers, func(a, b integerRange) int { return cmp.Compare(a.low, b.low) })
	l.best = make([]int32, len(l.psps)+1)
	return l, nil
}

// order ranks the rows by PSP name and id, so that ties of fee are decided by one integer.
func (l *Integers) order() {
	places := make([]int, len(l.rows))
	for i := range places {
		places[i] = i
	}
	slices.SortFunc(places, func(i, j int) int {
		a, b := l.rows[i].bundle, l.rows[j].bundle
		return cmp.Or(strings.Compare(a.PSPBusinessName, b.PSPBusinessName), strings.Compare(a.ID, b.ID))
	})
	for rank, i := range places {
		l.rows[i].rank = uint32(rank)
	}
}

func number(numbers map[string]uint32, name string) uint32 {
	if _, ok := numbers[name]; !ok {
		numbers[name] = uint32(len(numbers)) + 1
	}
	return numbers[name]
}

// Quote returns the bundles of the answer, at most limit. It is valid until the next call. Payments with
// unregistered names are not checked for.
func (l *Integers) Quote(p *engine.Payment, limit int) []uint32 {
	q := l.read(p)
	for i := range l.rows {
		r := &l.rows[i]
		if !q.admits(r) || len(l.filters) > 0 && !l.passes(r) || !l.suits(&q, r) {
			continue
		}
		switch best := l.best[r.psp]; {
		case best == 0:
			l.best[r.psp] = int32(i) + 1
			l.touched = append(l.touched, r.psp)
		case better(r, &l.rows[best-1]):
			l.best[r.psp] = int32(i) + 1
		}
	}
	for _, psp := range l.touched {
		l.keep(uint32(l.best[psp]-1), limit)
		l.best[psp] = 0
	}
	return l.kept
}

// keep puts a row in its place among the first ones.
func (l *Integers) keep(row uint32, limit int) {
	at := len(l.kept)
	for at > 0 && l.before(row, l.kept[at-1]) {
		at--
	}
	if at == limit {
		return
	}
	if len(l.kept) < limit {
		l.kept = append(l.kept, 0)
	}
	copy(l.kept[at+1:], l.kept[at:])
	l.kept[at] = row
}

// before reports whether row i is shown before row j: on-us first, then by fee, PSP name, id.
func (l *Integers) before(i, j uint32) bool {
	a, b := &l.rows[i], &l.rows[j]
	if a.onUs != b.onUs {
		return a.onUs
	}
	return a.fee < b.fee || a.fee == b.fee && a.rank < b.rank
}

// better reports whether a is the row of its PSP rather than b: by fee, on-us first, then by id.
func better(a, b *integerRow) bool {
	if a.fee != b.fee {
		return a.fee < b.fee
	}
	if a.onUs != b.onUs {
		return a.onUs
	}
	return a.bundle.ID < b.bundle.ID
}

func (l *Integers) read(p *engine.Payment) integerQuery {
	l.touched, l.kept, l.filters = l.touched[:0], l.kept[:0], l.filters[:0]
	q := integerQuery{
		touchpoint: l.touchpoints[p.Touchpoint], paymentType: l.types[p.PaymentType], notices: len(p.Notices),
		date: engine.LocalAt(p.At).Date, issuer: l.issuer(p.BIN),
	}
	// Registered, but no bundle names it.
	if p.Touchpoint != "" && q.touchpoint == 0 {
		q.touchpoint = ^uint32(0)
	}
	if p.PaymentType != "" && q.paymentType == 0 {
		q.paymentType = ^uint32(0)
	}
	for i := range p.Notices {
		q.amount += p.Notices[i].AmountCents
		for j := range p.Notices[i].Transfers {
			t := &p.Notices[i].Transfers[j]
			q.transfers++
			if t.DigitalStamp {
				q.stamps++
			}
			if bit, ok := l.codes[engine.BareCategory(t.TransferCategory)]; ok {
				q.codes |= 1 << bit
			}
		}
	}
	for i := range p.PSPs {
		l.filters = append(l.filters, integerFilter{l.psps[p.PSPs[i].PSP], p.PSPs[i].Channel, p.PSPs[i].Broker})
	}
	return q
}

// issuer finds the ABI of a card; the ranges do not overlap.
func (l *Integers) issuer(bin string) uint32 {
	if bin == "" {
		return 0
	}
	var card int64
	for i := range 19 {
		card *= 10
		if i < len(bin) {
			card += int64(bin[i] - '0')
		}
	}
	at, found := slices.BinarySearchFunc(l.issuers, card, func(r integerRange, n int64) int { return cmp.Compare(r.low, n) })
	if !found {
		at--
	}
	if at < 0 || l.issuers[at].high < card {
		return 0
	}
	return l.issuers[at].abi
}

// admits reports whether a row suits all of the payment but its PSP filter and its card.
func (q *integerQuery) admits(r *integerRow) bool {
	return r.min < q.amount && q.amount <= r.max &&
		(q.touchpoint == 0 || r.touchpoint == 0 || r.touchpoint == q.touchpoint) &&
		(q.paymentType == 0 || r.paymentType == 0 || r.paymentType == q.paymentType) &&
		(r.codes == 0 || q.transfers == 0 || r.codes&q.codes != 0) &&
		(q.notices == 1 || r.cart) && (q.stamps == 0 || r.stamp) && (!r.stampOnly || q.stamps > 0 && q.stamps == q.transfers) &&
		r.from <= q.date && (r.to == 0 || q.date <= r.to)
}

// suits reports whether a row is for the payer's card (Q10, Q11).
func (l *Integers) suits(q *integerQuery, r *integerRow) bool {
	if q.issuer == 0 {
		return !r.onUs
	}
	isOwn := r.abi == q.issuer
	return isOwn == r.onUs && (isOwn || q.issuer != l.amex)
}

func (l *Integers) passes(r *integerRow) bool {
	for i := range l.filters {
		f := &l.filters[i]
		if f.psp == r.psp && (f.channel == "" || f.channel == r.bundle.Channel) && (f.broker == "" || f.broker == r.bundle.Broker) {
			return true
		}
	}
	return false
}

// Rows returns an answer in the form in which all ways are compared.
func (l *Integers) Rows(answer []uint32) []Row {
	rows := make([]Row, len(answer))
	for i, n := range answer {
		r := &l.rows[n]
		rows[i] = Row{Bundle: r.bundle.ID, Gross: r.fee, Net: r.fee, OnUs: r.onUs && r.paymentType == l.card}
	}
	return rows
}
