package engine

import (
	"fmt"
	"time"
)

// Payment is what a touchpoint asks fees for: a cart of notices, where the payer is and how they
// want to pay, at one instant.
type Payment struct {
	// Notices is the cart; at least one.
	Notices []Notice
	// Touchpoint and PaymentType filter bundles; empty or Any does not (Q2, Q3). They are
	// compared ignoring case.
	Touchpoint, PaymentType string
	// BIN is the leading digits of the payer's card, from which its issuer is found (Q10).
	// Empty or not a number: the issuer is unknown.
	BIN string
	// PSPs restricts the answer to bundles that match one of the entries; empty does not (Q4).
	PSPs []PSPFilter
	// WithoutPoste leaves out the bundles of the PSP configured as Poste (Q9, allCcp=false).
	WithoutPoste bool
	// At is the instant of the payment. Dates and hours are taken from it in Europe/Rome.
	At time.Time
	// Reference tells apart payments that are otherwise alike (the IUV where the caller sends
	// it). It takes part in the seed of chance and in nothing else (Q22). May be empty.
	Reference string
}

// Notice is one amount due to one primary creditor institution.
type Notice struct {
	// AmountCents is 0 or more; the sum of a cart is above 0 (Q1).
	AmountCents int64
	// CreditorInstitution is the tax code of the primary EC. It may be empty: then no
	// subscription matches.
	CreditorInstitution string
	// Transfers is empty for a search of payment methods, which has no taxonomy filter (Q5).
	Transfers []Transfer
}

// Transfer is a share of a notice.
type Transfer struct {
	// CreditorInstitution is the tax code of the EC that gets the share; may be empty.
	CreditorInstitution string
	// TransferCategory is the taxonomy code in either form; empty when the transfer has none.
	TransferCategory string
	// DigitalStamp says that the transfer buys a digital stamp.
	DigitalStamp bool
}

// PSPFilter admits the bundles of one PSP, and only those of a channel and a broker where these are
// not empty. All are compared ignoring case (Q4).
type PSPFilter struct{ PSP, Channel, Broker string }

// Order is the order of the rows within each part of an answer (Q20).
type Order uint8

// The orders of Q20. OrderRandom is the default of the wire contract.
const (
	// OrderRandom shuffles the rows fairly and repeatably (Q22).
	OrderRandom Order = iota
	// OrderFee sorts by net fee, then PSP business name, then bundle id.
	OrderFee
	// OrderPSPName sorts by PSP business name, missing ones last, then net fee, then bundle id.
	OrderPSPName
	// OrderFeeRandom sorts by net fee and shuffles equal ones fairly and repeatably (Q22).
	OrderFeeRandom
)

// View selects the contract that an answer is for (spec 4).
type View uint8

const (
	// OnePerPSP is the v2 contract: of a PSP's bundles only the best one is a row (Q19).
	OnePerPSP View = iota
	// EveryBundle is the v1 contract: every applicable bundle is a row, the rows of one PSP
	// together by net fee and the PSPs in fair random order, whatever Options.Order says; the
	// contribution of the EC is 0 unless it is among the transfers and never exceeds the
	// payment's amount.
	EveryBundle
)

// DefaultLimit is the number of rows of an answer when the caller names none (Q23).
const DefaultLimit = 10

// Options says how an answer is made. Its zero value asks for [DefaultLimit] rows of the v2 contract
// in random order, on-us rows not put first.
type Options struct {
	View  View
	Order Order
	// OnUsFirst puts on-us rows before all others (Q21).
	OnUsFirst bool
	// Limit is the number of rows at most, above 0; 0 means DefaultLimit, below 0 is an error (Q23).
	// The edge of the system refuses a 0 that a caller wrote.
	Limit int32
	// Seed replaces the seed derived from the payment when SeedGiven is set (Q22).
	Seed      uint64
	SeedGiven bool
}

// Answer is the ranked list of quotes of one payment on one revision of the catalogue. It is valid
// until the next call of the [Quoter] that made it.
type Answer struct {
	// Revision of the catalogue that all of the answer was computed on (P6).
	Revision int64
	// Seed of the chance in the order of rows, given or derived (Q22).
	Seed uint64
	// BelowThreshold says that the payment's amount is below the operator's threshold (Q24).
	BelowThreshold bool
	// Quotes are the rows, best first; empty when no bundle applies (Q25).
	Quotes []Quote
	// Failed are the bundles left out because their condition or fee failed while running (Q14,
	// Q15), of those that had to be looked at for this answer.
	Failed []Failure
}

// Quote is one row of an answer: the fee of one bundle for one payment.
type Quote struct {
	Bundle *Bundle
	// GrossCents is the bundle's fee (Q15), NetCents what of it the payer pays (Q18).
	GrossCents, NetCents int64
	// OnUs is the flag of the row, which is not quite that of the bundle (Q24).
	OnUs bool
	// Contributions are those of the cart's ECs, in cart order; empty when nobody contributes.
	Contributions []Contribution
	// Note is what Deps.Annotate made of the bundle.
	Note any
}

// Contribution is the part of a fee that one EC bears.
type Contribution struct {
	CreditorInstitution string
	// SubscriptionID names the subscription whose attributes matched.
	SubscriptionID string
	// DeclaredCents is what the EC's attributes promise, ActualCents what it bears after the
	// split (Q17); 0 <= ActualCents <= DeclaredCents.
	DeclaredCents, ActualCents int64
}

// Failure is a bundle whose condition or fee could not be computed.
type Failure struct {
	Bundle *Bundle
	Err    error
}

// UnknownNameError is returned when a payment names a touchpoint or a payment type that the operator
// has not registered (Q2, Q3).
type UnknownNameError struct {
	// Kind is "touchpoint" or "payment type".
	Kind string
	// Name as the payment has it.
	Name string
}

func (e *UnknownNameError) Error() string {
	return fmt.Sprintf("%s %q is not registered", e.Kind, e.Name)
}

// InvalidPaymentError is returned when a payment cannot be quoted as it stands.
type InvalidPaymentError struct {
	// Field is the path of the field at fault, such as "notices[0].amount".
	Field string
	// Reason says what is wrong and what would be right.
	Reason string
}

func (e *InvalidPaymentError) Error() string { return e.Field + ": " + e.Reason }
