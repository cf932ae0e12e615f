package engine

import (
	"fmt"
	"strings"
	"sync/atomic"

	"gec/engine/condition"
)

// sheetRows is the number of bundles of a sheet at most; a power of two. Larger ones keep more of what is gone: a
// sheet stays while one of its bundles does.
const sheetRows = 32

// sheet is bundles prepared for matching, side by side. Nothing in it is a pointer but what few bundles have: the
// garbage collector follows each pointer that is alive many times a minute, on the processors that quotes need, and of
// 51 300 bundles few are ever quoted. A bundle is what a change puts into a catalogue; the Bundle itself is made when
// somebody reads it, and kept where it was quoted.
type sheet struct {
	entries []entry
	// texts are those of all bundles, one after the other.
	texts string
	// special holds what few bundles have, nil for the others; it is nil where no bundle of the sheet has any.
	special []*special
	// shown holds what answers carry of a bundle, nil until it is quoted.
	shown []atomic.Pointer[shown]
}

// entry is what a sheet keeps of one bundle.
type entry struct {
	digest
	traits
	kind BundleType
	// slot is the bundle's place in the snapshot, the same for every version of it.
	slot uint32
	// number is where a snapshot has the row, see sheets.
	number uint32
	// begin is where the bundle's texts begin among those of the sheet, ends where each of them ends.
	begin uint32
	ends  [textCount]uint32
}

// row is a bundle prepared for matching: names as numbers, the lowest fee, the condition's program. Rows are never
// changed, as their readers see them; snapshots share their sheets. The zero row is none.
type row struct {
	*entry
	sheet *sheet
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

// The texts of a bundle, in the order of sheet.texts. Those that are compared on the way of a quote come first.
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

// newSheet prepares up to sheetRows bundles, but for their names and places, which rowChange.put does. It refuses what
// no check lets through and no answer could be right with.
func newSheet(bundles []*Bundle, deps *Deps) (*sheet, error) {
	s := &sheet{entries: make([]entry, len(bundles)), shown: make([]atomic.Pointer[shown], len(bundles))}
	size := 0
	for _, b := range bundles {
		for _, text := range textsOf(b) {
			size += len(*text)
		}
	}
	var texts strings.Builder
	texts.Grow(size)
	for i, b := range bundles {
		e := &s.entries[i]
		if err := e.read(b); err != nil {
			return nil, err
		}
		e.number, e.begin = uint32(i), uint32(texts.Len())
		for n, text := range textsOf(b) {
			texts.WriteString(*text)
			e.ends[n] = uint32(texts.Len())
		}
	}
	s.texts = texts.String()
	for i, b := range bundles {
		if e := &s.entries[i]; e.plainFee(&b.Fee) && b.TransferCategories == nil && !e.conditional {
			continue
		}
		if s.special == nil {
			s.special = make([]*special, len(bundles))
		}
		s.special[i] = &special{transferCategories: b.TransferCategories, schedule: b.Schedule, fee: b.Fee}
		if b.When != "" {
			s.special[i].when = deps.Programs.Handle(s.row(i).text(textWhen))
		}
	}
	return s, nil
}

// read takes over what the bundle is matched by, but its names.
func (e *entry) read(b *Bundle) error {
	switch {
	case b.ID == "" || b.PSP == "":
		return fmt.Errorf("bundle %q of PSP %q: id and PSP are mandatory", b.ID, b.PSP)
	case b.Band.MinCents < 0 || b.Band.MaxCents <= b.Band.MinCents:
		return fmt.Errorf("bundle %q: band %d to %d is empty", b.ID, b.Band.MinCents, b.Band.MaxCents)
	}
	if faults := b.Fee.Check(); len(faults) > 0 {
		return fmt.Errorf("bundle %q: fee %s %s", b.ID, faults[0].Path, faults[0].Reason)
	}
	e.kind = b.Type
	e.traits = traits{
		band: b.Band, touchpoint: none, paymentType: none,
		cart: b.Cart, stamp: b.DigitalStamp, stampOnly: b.DigitalStampOnly, categorised: len(b.TransferCategories) > 0,
	}
	e.digest = digest{
		chance: chanceID(fold(b.PSP)), name: nameKey(b.PSPBusinessName),
		validity: b.Validity, onUs: b.OnUs, card: sameName(b.PaymentType, CardPaymentType),
		conditional: b.Schedule != nil || b.When != "",
	}
	e.lowest, e.flat = b.Fee.Flat()
	if !e.flat {
		e.lowest, _ = b.Fee.Range(b.Band, b.Cart)
	}
	return nil
}

// plainFee reports whether the digest says all of the fee.
func (e *entry) plainFee(f *Fee) bool {
	return e.flat && e.lowest == f.FlatCents && f.MinCents == nil && f.MaxCents == nil && f.Steps == nil
}

// row returns the i-th row of the sheet.
func (s *sheet) row(i int) row { return row{&s.entries[i], s} }

// there reports whether the row is one.
func (r row) there() bool { return r.entry != nil }

// text returns one of the bundle's texts.
func (r row) text(n int) string {
	if n == 0 {
		return r.id()
	}
	return r.sheet.texts[r.ends[n-1]:r.ends[n]]
}

// id returns the bundle's id.
func (r row) id() string { return r.sheet.texts[r.begin:r.ends[textID]] }

// special returns what the bundle has that few have, nil without.
func (r row) special() *special {
	if r.sheet.special == nil {
		return nil
	}
	return r.sheet.special[r.number%sheetRows]
}

// schedule returns the bundle's, nil for one that is always offered (Q13).
func (r row) schedule() Schedule {
	if s := r.special(); s != nil {
		return s.schedule
	}
	return nil
}

// when returns the bundle's condition, nil without one (Q14).
func (r row) when() *condition.Handle {
	if s := r.special(); s != nil {
		return s.when
	}
	return nil
}

// feeCents returns the bundle's fee for a payment (Q15). Errors: those of Fee.Cents.
func (r row) feeCents(amountCents, notices int64) (int64, error) {
	if s := r.special(); s != nil {
		return s.fee.Cents(amountCents, notices)
	}
	return r.lowest, nil
}

// kept returns where the sheet keeps what answers carry of the bundle.
func (r row) kept() *atomic.Pointer[shown] { return &r.sheet.shown[r.number%sheetRows] }

// bundle returns the bundle of the row, which shares the sheet's texts.
func (r row) bundle() *Bundle {
	if s := r.kept().Load(); s != nil {
		return &s.bundle
	}
	b := new(Bundle)
	r.unpack(b)
	return b
}

// made returns what answers carry of the bundle.
func (r row) made(d *Deps) *shown {
	if s := r.kept().Load(); s != nil {
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
func (r row) show(d *Deps) *shown {
	s := r.made(d)
	if r.kept().CompareAndSwap(nil, s) {
		return s
	}
	return r.kept().Load()
}

// unpack fills in an empty bundle.
func (r row) unpack(b *Bundle) {
	for n, text := range textsOf(b) {
		*text = r.text(n)
	}
	b.Type, b.Band, b.Validity, b.OnUs = r.kind, r.band, r.validity, r.onUs
	b.Cart, b.DigitalStamp, b.DigitalStampOnly = r.cart, r.stamp, r.stampOnly
	if s := r.special(); s != nil {
		b.TransferCategories, b.Schedule, b.Fee = s.transferCategories, s.schedule, s.fee
	} else {
		b.Fee.FlatCents = r.lowest
	}
}

// sheets are those of a snapshot. A row's number is its sheet's place among them times sheetRows, and its own place on
// the sheet: blocks and slots hold numbers where they would hold pointers. A sheet none of whose bundles is left in a
// snapshot leaves its place, nil, to another one in the snapshots that are derived from it.
type sheets []*sheet

// at returns the row of a number that the snapshot has.
func (s sheets) at(number uint32) row {
	sheet := s[number/sheetRows]
	return row{&sheet.entries[number%sheetRows], sheet}
}
