package bundles

import (
	"time"

	"gec/engine"
)

// Bundle is a fee bundle as it is authored and kept: what the engine matches and what people need
// besides.
type Bundle struct {
	engine.Bundle
	// PolicyURL is the PSP's page about the fee (urlPolicyPsp); may be empty.
	PolicyURL string
	// CDI is the id of the CDI that the bundle came from (idCdi); may be empty.
	CDI string
	// Descriptions holds the description in languages other than Italian, by language code in
	// upper case (EN, DE, FR, SL); may be nil.
	Descriptions map[string]string
	// Origin names the kind of document that made the bundle, so that the next one of the same
	// kind can replace it; see the Origin constants. Empty: authored by hand.
	Origin string
	// LanguageVersion is the version of the condition language that When was checked with (E5);
	// 0 without a condition.
	LanguageVersion int
	// Inserted and Updated are the instants of the first and the last change, in UTC.
	Inserted, Updated time.Time
	// Revision of the catalogue that last changed the bundle; the optimistic lock of A4.
	Revision int64
}

// The origins of bundles that are replaced as a whole by the next document of their kind.
const (
	OriginFeeList  = "feelist"
	OriginSnapshot = "snapshot"
)

// Subscription is an EC's relation to a bundle with the instants of its changes.
type Subscription struct {
	engine.Subscription
	Inserted, Updated time.Time
	Revision          int64
}

// Document is a catalogue, or a part of one, as a file states it.
type Document struct {
	// Export says of which catalogue the document is the export; nil when it is none. Its bundles were
	// checked when they were authored: taken in again, they keep the dates that they have, also past
	// and open ones.
	Export *Export
	// Settings replaces the operator's settings; nil leaves them as they are.
	Settings *engine.Settings
	Bundles  []Bundle
	// Subscriptions of the document's bundles, and possibly of stored ones.
	Subscriptions []Subscription
	// PaymentMethods are added, or replace those of the same id; where all is replaced and the document
	// has any, the others go.
	PaymentMethods []PaymentMethod
}

// Export is where a document was exported from.
type Export struct {
	Revision int64
	// At is the instant of that revision, in UTC.
	At time.Time
}
