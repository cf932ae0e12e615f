package receipt

import "fmt"

// Reason is the kind of thing that keeps a receipt from being redeemed.
type Reason uint8

// The reasons, in the order in which they are looked for. Of those before ReasonOtherRequest the receipt itself
// is not to be believed; of those after it the receipt is good and the answer can no longer be given.
const (
	// ReasonMalformed: the text is no receipt.
	ReasonMalformed Reason = iota + 1
	// ReasonUnknownKey: the catalogue knows no key of that name.
	ReasonUnknownKey
	// ReasonWrongSignature: the receipt was changed, or was never given.
	ReasonWrongSignature
	// ReasonEndedKey: the receipt says that it was issued when its key was no longer in use.
	ReasonEndedKey
	// ReasonOtherRequest: the receipt is of another request.
	ReasonOtherRequest
	// ReasonTooOld: it was issued longer ago than receipts are valid.
	ReasonTooOld
	// ReasonRevisionGone: the catalogue no longer has that revision.
	ReasonRevisionGone
	// ReasonOtherCatalogue: the catalogue has a revision of that number, with another history.
	ReasonOtherCatalogue
	// ReasonOtherAnswer: this release computes another answer than was given then.
	ReasonOtherAnswer
)

// Refusal is returned when a receipt cannot be redeemed.
type Refusal struct {
	Reason Reason
	// Detail says what is wrong with this one and, where something can be done, what; it goes on from "The
	// receipt ".
	Detail string
}

// Error returns the detail as a sentence.
func (r *Refusal) Error() string { return "The receipt " + r.Detail }

func refuse(reason Reason, format string, values ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, values...)}
}
