package engine

// Subscription is an EC's relation to a bundle: it makes a PUBLIC or PRIVATE bundle reach the EC's
// payments (Q6), and its attributes say what the EC bears of the fee (Q16).
type Subscription struct {
	// ID is idCiBundle on the wire.
	ID       string
	BundleID string
	// CreditorInstitution is the EC's tax code.
	CreditorInstitution string
	Validity            Period
	Attributes          []Attribute
}

// Attribute is how much of the fee the EC bears for some of its services (A17).
type Attribute struct {
	ID string
	// MaxPaymentAmountCents is the share at most, in cents, 0 or more.
	MaxPaymentAmountCents int64
	// TransferCategory is a bare taxonomy code; empty: the attribute always matches.
	TransferCategory string
	// NotEqual makes the attribute match every notice that does NOT carry the category.
	NotEqual bool
}
