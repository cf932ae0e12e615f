package bundles

import (
	"fmt"
	"strings"

	"gec/engine"
)

// Ids of rows are made of parts between slashes. A slash, a percent sign or a NUL within a part is
// written as %2F, %25 or %00, so that no part can be taken for two and no EC for the beginning of
// another one.

// escapePart and unescapePart are made per call: Replacers hold tables, which are state.
func escapePart(part string) string {
	if !strings.ContainsAny(part, "/%\x00") {
		return part
	}
	return strings.NewReplacer("%", "%25", "/", "%2F", "\x00", "%00").Replace(part)
}

func unescapePart(part string) string {
	if !strings.Contains(part, "%") {
		return part
	}
	return strings.NewReplacer("%25", "%", "%2F", "/", "%00", "\x00").Replace(part)
}

// subscriptionPrefix is the beginning of the row ids of an EC's subscriptions, and of no other's.
func subscriptionPrefix(ec string) string { return escapePart(ec) + "/" }

func subscriptionRowID(s *engine.Subscription) string {
	return subscriptionPrefix(s.CreditorInstitution) + escapePart(s.BundleID) + "/" + escapePart(s.ID)
}

// splitSubscriptionRowID returns the EC and the bundle of a subscription's row id. Errors: ErrCorrupt.
func splitSubscriptionRowID(id string) (ec, bundle string, err error) {
	ec, rest, found := strings.Cut(id, "/")
	bundle, _, foundToo := strings.Cut(rest, "/")
	if !found || !foundToo {
		return "", "", corrupt("subscription", fmt.Errorf("its row id is %s", Excerpt(id)))
	}
	return unescapePart(ec), unescapePart(bundle), nil
}

// issuerRowID names a range by all that it says: equal ranges are one row.
func issuerRowID(r engine.IssuerRange) string {
	return fmt.Sprintf("%019d/%019d/%s", r.Low, r.High, escapePart(r.ABI))
}

// settingsRowID is the id of the one row of KindSettings.
const settingsRowID = ""

// The indexes: what rows are found by besides their id. A row that is found is named by its whole id.
const (
	// indexSubscribers finds the subscriptions of a bundle.
	indexSubscribers = "subscribers"
	// The others find offers and requests by their PSP, their EC and their bundle.
	indexOffersOfPSP      = "offers-psp"
	indexOffersOfEC       = "offers-ec"
	indexOffersOfBundle   = "offers-bundle"
	indexRequestsOfPSP    = "requests-psp"
	indexRequestsOfEC     = "requests-ec"
	indexRequestsOfBundle = "requests-bundle"
)

// indexPrefix is the beginning of the ids of the index rows under a key, and of no others.
func indexPrefix(index, key string) string { return index + "/" + escapePart(key) + "/" }

// indexRow says that the row of an id is found under a key.
func indexRow(index, key, id string) Row {
	return Row{Kind: KindIndex, ID: indexPrefix(index, key) + id}
}

// subscriberRow is the index row of a subscription, given by its row id: what follows the bundle's id is
// that of the EC and the subscription's own. Errors: ErrCorrupt.
func subscriberRow(id string) (Row, error) {
	_, bundle, err := splitSubscriptionRowID(id)
	parts := strings.SplitN(id, "/", 3)
	if err != nil {
		return Row{}, err
	}
	return indexRow(indexSubscribers, bundle, parts[0]+"/"+parts[2]), nil
}

// subscriberOf is the row id of the subscription that such an index row is for.
func subscriberOf(bundle, rest string) string {
	ec, own, _ := strings.Cut(rest, "/")
	return ec + "/" + escapePart(bundle) + "/" + own
}
