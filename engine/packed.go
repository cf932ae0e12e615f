package engine

import (
	"strings"
	"sync/atomic"

	"gec/engine/condition"
)

// packed is what rows keep of a bundle beside what they match by: of 51 300 bundles few are ever quoted, and the garbage
// collector would follow a pointer in each of their texts, many times a minute. The Bundle itself is made when somebody
// reads it, and kept where it was quoted.
type packed struct {
	// all holds the texts one after the other, ends where each of them ends.
	all  string
	ends [textCount]uint32
	kind BundleType
	// special is nil for a bundle with nothing of it, as most are.
	special *special
	// shown is nil until the bundle is quoted.
	shown atomic.Pointer[shown]
}

// special is what few bundles have.
type special struct {
	transferCategories []string
	// categories are their numbers; empty for every category.
	categories []uint32
	schedule   Schedule
	// when is nil without a condition.
	when *condition.Handle
	// fee is the bundle's, also where it is flat.
	fee Fee
}

// shown is what answers carry of a bundle.
type shown struct {
	note   any // first, so that it lies beside the bundle's id
	bundle Bundle
}

// The texts of a bundle, in the order of packed.all. Those that are compared on the way of a quote come first.
const (
	textID = iota
	textBusinessName
	textPSP
	textChannel
	textBroker
	textABI
	textName
	textDescription
	textPaymentType
	textTouchpoint
	textWhen
	textCount
)

// textsOf returns where a bundle has its texts.
func textsOf(b *Bundle) [textCount]*string {
	return [textCount]*string{
		textID: &b.ID, textBusinessName: &b.PSPBusinessName, textPSP: &b.PSP, textChannel: &b.Channel, textBroker: &b.Broker,
		textABI: &b.ABI, textName: &b.Name, textDescription: &b.Description, textPaymentType: &b.PaymentType,
		textTouchpoint: &b.Touchpoint, textWhen: &b.When,
	}
}

// pack takes over what the row, of which digest and traits are known, keeps of its bundle.
func (r *row) pack(b *Bundle, deps *Deps) {
	texts, size := textsOf(b), 0
	for n, text := range texts {
		size += len(*text)
		r.ends[n] = uint32(size)
	}
	var all strings.Builder
	all.Grow(size)
	for _, text := range texts {
		all.WriteString(*text)
	}
	r.all, r.kind = all.String(), b.Type
	f := &b.Fee
	plainFee := r.flat && r.lowest == f.FlatCents && f.MinCents == nil && f.MaxCents == nil && f.Steps == nil
	if plainFee && b.TransferCategories == nil && !r.conditional {
		return
	}
	r.special = &special{transferCategories: b.TransferCategories, schedule: b.Schedule, fee: b.Fee}
	if b.When != "" {
		r.special.when = deps.Programs.Handle(r.text(textWhen))
	}
}

// text returns one of the bundle's texts.
func (p *packed) text(n int) string {
	if n == 0 {
		return p.all[:p.ends[0]]
	}
	return p.all[p.ends[n-1]:p.ends[n]]
}

// id returns the bundle's id.
func (p *packed) id() string { return p.all[:p.ends[textID]] }

// schedule returns the bundle's, nil for one that is always offered (Q13).
func (p *packed) schedule() Schedule {
	if p.special == nil {
		return nil
	}
	return p.special.schedule
}

// when returns the bundle's condition, nil without one (Q14).
func (p *packed) when() *condition.Handle {
	if p.special == nil {
		return nil
	}
	return p.special.when
}

// feeCents returns the bundle's fee for a payment (Q15). Errors: those of Fee.Cents.
func (r *row) feeCents(amountCents, notices int64) (int64, error) {
	if r.special == nil {
		return r.lowest, nil
	}
	return r.special.fee.Cents(amountCents, notices)
}

// bundle returns the bundle of the row, which shares the row's texts.
func (r *row) bundle() *Bundle {
	if s := r.shown.Load(); s != nil {
		return &s.bundle
	}
	b := new(Bundle)
	r.unpack(b)
	return b
}

// made returns what answers carry of the bundle.
func (r *row) made(d *Deps) *shown {
	if s := r.shown.Load(); s != nil {
		return s
	}
	s := new(shown)
	r.unpack(&s.bundle)
	if d.Annotate != nil {
		s.note = d.Annotate(&s.bundle)
	}
	return s
}

// show is made that is kept, so that it is made for the first answer only. Answers at the same time carry the same.
func (r *row) show(d *Deps) *shown {
	s := r.made(d)
	if r.shown.CompareAndSwap(nil, s) {
		return s
	}
	return r.shown.Load()
}

// unpack fills in an empty bundle.
func (r *row) unpack(b *Bundle) {
	for n, text := range textsOf(b) {
		*text = r.text(n)
	}
	b.Type, b.Band, b.Validity, b.OnUs = r.kind, r.band, r.validity, r.onUs
	b.Cart, b.DigitalStamp, b.DigitalStampOnly = r.cart, r.stamp, r.stampOnly
	if s := r.special; s != nil {
		b.TransferCategories, b.Schedule, b.Fee = s.transferCategories, s.schedule, s.fee
	} else {
		b.Fee.FlatCents = r.lowest
	}
}
