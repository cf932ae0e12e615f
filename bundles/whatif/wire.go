package whatif

import (
	"fmt"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// AttributeWire is a share of the fee with the names of the wire contract (A17).
type AttributeWire struct {
	MaxPaymentAmount int64  `json:"maxPaymentAmount"`
	TransferCategory string `json:"transferCategory,omitempty"`
	// TransferCategoryRelation is EQUAL, also when empty, or NOT_EQUAL.
	TransferCategoryRelation string `json:"transferCategoryRelation,omitempty"`
}

// Attributes returns the shares as the engine knows them. Errors: bundles.Faults for a relation that is none.
func Attributes(all []AttributeWire) ([]engine.Attribute, error) {
	attributes := make([]engine.Attribute, len(all))
	var faults bundles.Faults
	for n, a := range all {
		attributes[n] = engine.Attribute{MaxPaymentAmountCents: a.MaxPaymentAmount, TransferCategory: engine.BareCategory(a.TransferCategory)}
		switch a.TransferCategoryRelation {
		case "", "EQUAL":
		case "NOT_EQUAL":
			attributes[n].NotEqual = true
		default:
			faults = append(faults, bundles.Fault{
				Path: fmt.Sprintf("attributes[%d].transferCategoryRelation", n), Reason: bundles.Excerpt(a.TransferCategoryRelation) + " is no relation", Fix: "use EQUAL or NOT_EQUAL",
			})
		}
	}
	return attributes, faults.Err()
}

// OfQuestion reports whether the path of a fault is that of a part of a [Question] and not of its drafts.
func OfQuestion(path string) bool {
	for _, own := range []string{"sample", "mix.count", "day", "drafts"} {
		if path == own || strings.HasPrefix(path, own+"[") {
			return true
		}
	}
	return false
}
