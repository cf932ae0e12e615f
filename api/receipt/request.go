package receipt

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"gec/engine"
)

// Request is a request for quotes as it was understood. Two requests are the same when they ask the same by the
// rules of quotes, however they are written: white space, the order of JSON members, fields that mean nothing,
// defaults left out or stated, case where names are compared ignoring case (Q2 to Q4), either form of a taxonomy
// code (Q5), the order of the PSP filter. What can change a byte of the answer makes another request: the order
// of notices and of transfers (seed, Q17), the BIN as it is written and the reference (seed).
type Request struct {
	Contract Contract
	// ID is what a caller of gec.v1 named the request, which its answer repeats; empty elsewhere.
	ID      string
	Payment *engine.Payment
	Options engine.Options
	// At and Revision are those that a request of gec.v1 states, nil where it leaves them out. Payment.At is
	// not read.
	At       *time.Time
	Revision *int64
}

// stated returns what a receipt says of the request in the clear.
func (r *Request) stated() Stated {
	o := Stated{
		View: r.Options.View, Order: r.Options.Order, OnUsFirst: r.Options.OnUsFirst,
		WithoutPoste: r.Payment.WithoutPoste, SeedGiven: r.Options.SeedGiven, Limit: r.Options.Limit,
	}
	if o.Limit == 0 {
		o.Limit = engine.DefaultLimit
	}
	return o
}

// Hash returns the SHA-256 of the canonical request.
func (r *Request) Hash() [sha256.Size]byte { return sha256.Sum256(r.canonical()) }

// canonicalName opens the canonical form; it changes when the form does.
const canonicalName = "gec request 1"

// canonical returns the canonical form: netstrings, each the length of a text in bytes, ":", the text, ",". They
// are, in this order:
//
//	"gec request 1", contract, id, the byte of the receipt's options as a number, limit,
//	seed, at as seconds "." nanoseconds, revision: each empty where the request leaves it out,
//	touchpoint and payment type in capitals, empty for any; BIN; reference,
//	number of notices, of each: amount in cents, EC, number of transfers, of each:
//	    EC, bare taxonomy code, "1" for a digital stamp or "0",
//	number of PSP filters, in order and each once, of each: PSP, channel, broker, in capitals
func (r *Request) canonical() []byte {
	o, p := r.stated(), r.Payment
	w := canon(make([]byte, 0, 512))
	w.text(canonicalName)
	w.text(r.Contract.String())
	w.text(r.ID)
	w.number(int64(o.bits()))
	w.number(int64(o.Limit))
	w.optional(r.Options.SeedGiven, func() string { return strconv.FormatUint(r.Options.Seed, 10) })
	w.optional(r.At != nil, func() string {
		return strconv.FormatInt(r.At.Unix(), 10) + "." + strconv.Itoa(r.At.Nanosecond())
	})
	w.optional(r.Revision != nil, func() string { return strconv.FormatInt(*r.Revision, 10) })
	w.text(filterName(p.Touchpoint))
	w.text(filterName(p.PaymentType))
	w.text(p.BIN)
	w.text(p.Reference)
	w.number(int64(len(p.Notices)))
	for i := range p.Notices {
		notice := &p.Notices[i]
		w.number(notice.AmountCents)
		w.text(notice.CreditorInstitution)
		w.number(int64(len(notice.Transfers)))
		for j := range notice.Transfers {
			transfer := &notice.Transfers[j]
			w.text(transfer.CreditorInstitution)
			w.text(engine.BareCategory(transfer.TransferCategory))
			if transfer.DigitalStamp {
				w.number(1)
			} else {
				w.number(0)
			}
		}
	}
	filters := filters(p.PSPs)
	w.number(int64(len(filters)))
	for _, f := range filters {
		w.text(f.PSP)
		w.text(f.Channel)
		w.text(f.Broker)
	}
	return w
}

// filterName is a touchpoint or payment type as it filters: empty where it does not (Q2, Q3).
func filterName(name string) string {
	if name = strings.ToUpper(name); name == engine.Any {
		return ""
	}
	return name
}

// filters returns the PSP filter as the set that it is (Q4).
func filters(psps []engine.PSPFilter) []engine.PSPFilter {
	set := make([]engine.PSPFilter, len(psps))
	for i, f := range psps {
		set[i] = engine.PSPFilter{PSP: strings.ToUpper(f.PSP), Channel: strings.ToUpper(f.Channel), Broker: strings.ToUpper(f.Broker)}
	}
	slices.SortFunc(set, func(a, b engine.PSPFilter) int {
		return cmp.Or(strings.Compare(a.PSP, b.PSP), strings.Compare(a.Channel, b.Channel), strings.Compare(a.Broker, b.Broker))
	})
	return slices.Compact(set)
}

// canon is a canonical form that is being written.
type canon []byte

func (c *canon) text(text string) {
	b := strconv.AppendInt(*c, int64(len(text)), 10)
	b = append(b, ':')
	b = append(b, text...)
	*c = append(b, ',')
}

func (c *canon) number(n int64) { c.text(strconv.FormatInt(n, 10)) }

// optional writes what a request may leave out, as an empty text where it does.
func (c *canon) optional(there bool, text func() string) {
	if !there {
		c.text("")
		return
	}
	c.text(text())
}

// differences names what a request states otherwise than the receipt's did, in the words of its contract. It is
// empty where the difference is in what the receipt has as a hash only.
func (r *Request) differences(of *Receipt) (names []string) {
	if r.Contract != of.Contract {
		return []string{"the contract, which was " + of.Contract.String()}
	}
	was, is := of.Stated, r.stated()
	for _, field := range []struct {
		differs      bool
		name, native string
		was          string
	}{
		{was.Limit != is.Limit, "maxOccurrences", "max_occurrences", strconv.Itoa(int(was.Limit))},
		{was.Order != is.Order, "orderBy", "order", OrderName(was.Order)},
		{was.OnUsFirst != is.OnUsFirst, "onUsFirst", "on_us_first", strconv.FormatBool(was.OnUsFirst)},
		{was.WithoutPoste != is.WithoutPoste, "allCcp", "payment.all_ccp", strconv.FormatBool(!was.WithoutPoste)},
		{was.View != is.View, "view", "view", ViewName(was.View)},
		{was.SeedGiven != is.SeedGiven, "seed", "seed", map[bool]string{true: "given", false: "left out"}[was.SeedGiven]},
		{was.SeedGiven && is.SeedGiven && of.Seed != r.Options.Seed, "seed", "seed", strconv.FormatUint(of.Seed, 10)},
	} {
		if field.differs {
			name := field.name
			if r.Contract == Native {
				name = field.native
			}
			names = append(names, name+", which was "+field.was)
		}
	}
	return names
}

// OrderName returns the order as the wire contract spells it.
func OrderName(o engine.Order) string {
	switch o {
	case engine.OrderFee:
		return "fee"
	case engine.OrderPSPName:
		return "pspname"
	case engine.OrderFeeRandom:
		return "feerandom"
	}
	return "random"
}

// ViewName says which bundles were rows.
func ViewName(v engine.View) string {
	if v == engine.EveryBundle {
		return "every bundle"
	}
	return "one per PSP"
}
