package engine

// Settings are what the operator keeps for the whole platform. They are versioned with the catalogue.
type Settings struct {
	// ThresholdCents is the amount below which an answer is flagged belowThreshold (Q24); 0: never.
	ThresholdCents int64
	// PostePSP is the PSP left out with allCcp=false (Q9); empty: none.
	PostePSP string
	// AmexABI is the ABI whose cards are only served on-us (Q11); empty: none.
	AmexABI string
	// BlockedPSPs never appear in an answer (Q4).
	BlockedPSPs []string
	// Touchpoints and PaymentTypes are the registered names, in their registered spelling.
	Touchpoints, PaymentTypes []string
	// Issuers are the ranges of card numbers (Q10). They may overlap.
	Issuers []IssuerRange
}

// IssuerRange says which bank issued the cards whose number, padded right with 0 to 19 digits, lies
// in [Low, High].
type IssuerRange struct {
	Low, High int64
	ABI       string
}
