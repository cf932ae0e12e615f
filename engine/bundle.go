package engine

import "fmt"

// Any is the touchpoint of a bundle that is offered at every touchpoint, the payment type shown for
// a bundle of any type, and in a request the word for "no filter" (Q2, Q3).
const Any = "ANY"

// CardPaymentType is the payment type of cards, the only one that on-us bundles are for (A2, Q24).
const CardPaymentType = "CP"

// BundleType says whom a bundle reaches (Q6).
type BundleType uint8

// The reach of a bundle. Global applies to every payment; Public and Private only where every
// creditor institution of the cart has a valid subscription.
const (
	Global BundleType = iota
	Public
	Private
)

// String returns the name on the wire: GLOBAL, PUBLIC or PRIVATE.
func (t BundleType) String() string {
	switch t {
	case Global:
		return "GLOBAL"
	case Public:
		return "PUBLIC"
	case Private:
		return "PRIVATE"
	}
	return fmt.Sprintf("BundleType(%d)", uint8(t))
}

// ParseBundleType reads the name on the wire, exactly as written there.
func ParseBundleType(s string) (BundleType, error) {
	for _, t := range []BundleType{Global, Public, Private} {
		if s == t.String() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("bundle type %q is unknown: use GLOBAL, PUBLIC or PRIVATE", s)
}

// Bundle is one fee of one PSP for a combination of conditions, all of which must hold. A Bundle is
// never changed once it is part of a [Snapshot].
type Bundle struct {
	// ID is unique in the catalogue. It is the last tie-breaker of every order.
	ID string
	// PSP, Channel, Broker and ABI identify who asks the fee. They are compared ignoring case.
	PSP, Channel, Broker, ABI string
	// PSPBusinessName is the name of the PSP that a payer reads and that rows are sorted by;
	// empty sorts last (Q20).
	PSPBusinessName string
	// Name and Description are texts for the payer.
	Name, Description string

	Type BundleType
	// PaymentType is empty for a bundle of any payment type (Q3).
	PaymentType string
	// Touchpoint is Any for a bundle of every touchpoint (Q2). It is never empty.
	Touchpoint string
	Band       Band
	// TransferCategories are taxonomy codes in the bare form (see [BareCategory]); none means
	// every category (Q5).
	TransferCategories []string
	// Cart says that the bundle is usable for payments of more than one notice (Q7).
	Cart bool
	// DigitalStamp says that digital stamps may be bought with it, DigitalStampOnly that
	// nothing else may (Q8).
	DigitalStamp, DigitalStampOnly bool
	// OnUs bundles are for cards issued by the bank of the bundle's ABI (Q10).
	OnUs     bool
	Validity Period
	// Schedule is nil for a bundle that is always offered (Q13).
	Schedule Schedule
	// When is the source of the optional condition (Q14); empty always holds.
	When string
	Fee  Fee
}

// Band is the range of payment amounts (MinCents, MaxCents] that a bundle is for, in euro cents:
// the minimum is exclusive and the maximum inclusive, so that 50.00 € falls in 0–50 and not in
// 50–1000 (Q1).
type Band struct{ MinCents, MaxCents int64 }

// Holds reports whether the amount, in cents, falls in the band.
func (b Band) Holds(amountCents int64) bool {
	return b.MinCents < amountCents && amountCents <= b.MaxCents
}

// Period is a range of civil dates in Europe/Rome, both ends included. The zero Date at either end
// leaves that end open (Q12).
type Period struct{ From, To Date }

// Holds reports whether the date falls in the period.
func (p Period) Holds(d Date) bool {
	return p.From <= d && (p.To == 0 || d <= p.To)
}
