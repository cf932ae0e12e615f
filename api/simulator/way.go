package simulator

import (
	"slices"
	"strings"

	"gec/engine"
)

// The groups of payment types as a payer thinks of them.
const (
	groupCards    = "cards"
	groupAccounts = "accounts"
	groupApps     = "apps"
	groupOthers   = "others"
)

var groups = []string{groupCards, groupAccounts, groupApps, groupOthers}

// groupOf returns the group of a payment type.
func groupOf(paymentType string) string {
	switch strings.ToUpper(paymentType) {
	case engine.CardPaymentType:
		return groupCards
	case "MYBK", "RPIC", "RICO", "RBPR", "RBPP", "RBPB", "RBPS", "RFPB", "BBT", "AD", "OBEP", "JIF":
		return groupAccounts
	case "PPAL", "BPAY", "SATY", "APPL", "GOOG", "KLRN":
		return groupApps
	}
	return groupOthers
}

// brand returns the name of a payment type that is a trade mark and so the same in every language; empty for
// the others, whose names the texts have.
func brand(paymentType string) string {
	switch strings.ToUpper(paymentType) {
	case "PPAL":
		return "PayPal"
	case "BPAY":
		return "Bancomat Pay"
	case "SATY":
		return "Satispay"
	case "APPL":
		return "Apple Pay"
	case "GOOG":
		return "Google Pay"
	case "KLRN":
		return "Klarna"
	case "MYBK":
		return "MyBank"
	case "RBPP":
		return "Paga con Postepay"
	case "RBPR":
		return "Conto BancoPosta"
	case "RBPB":
		return "Conto BancoPosta Impresa"
	case "RICO":
		return "IConto"
	case "RPIC":
		return "Conto Intesa Sanpaolo"
	case "RFPB":
		return "Fabrick Pay by Bank"
	case "JIF":
		return "Jiffy"
	}
	return ""
}

// typesOf returns the payment types that a way stands for, each of which has rows of its own. All ways of a
// catalogue whose bundles name none is the one empty type.
func (d *directory) typesOf(way string) []string {
	if way != "" && !slices.Contains(groups, way) {
		return []string{way}
	}
	var types []string
	for _, t := range d.types {
		if way == "" || groupOf(t) == way {
			types = append(types, t)
		}
	}
	if len(types) > 0 {
		return types
	}
	if way == "" {
		return []string{""}
	}
	for _, t := range d.snapshot.Settings().PaymentTypes { // bundles for any type are offered for these, too
		if groupOf(t) == way {
			types = append(types, t)
		}
	}
	return types
}

// knownServices are the services that the page has names for, in texts under "service." and the code.
var knownServices = []string{"0101100IM", "0101101TS", "0202100TS", "0503100TS", "0701101SA"}
