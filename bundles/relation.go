package bundles

import (
	"fmt"
	"time"

	"gec/engine"
)

// State is how far an offer or a request has come. It leaves StateOpen once and never changes again.
type State uint8

// The states of offers and requests. StateClosed: the bundle was retired before anybody answered (A5).
const (
	StateOpen State = iota
	StateAccepted
	StateRejected
	StateWithdrawn
	StateClosed
)

var stateNames = [...]string{"OPEN", "ACCEPTED", "REJECTED", "WITHDRAWN", "CLOSED"}

// String returns the name in capitals, such as OPEN.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// ParseState reads the name of a state, as String writes it.
func ParseState(name string) (State, error) {
	for s, known := range stateNames {
		if name == known {
			return State(s), nil
		}
	}
	return 0, fmt.Errorf("state %s is unknown: use OPEN, ACCEPTED, REJECTED, WITHDRAWN or CLOSED", Excerpt(name))
}

// Relation is what offers and requests have in common: a PSP and an EC that come to terms on a bundle.
type Relation struct {
	// ID is unique among all offers, or among all requests.
	ID       string
	BundleID string
	// PSP is that of the bundle, CreditorInstitution the tax code of the EC.
	PSP, CreditorInstitution string
	State                    State
	// Answered is the instant at which the state left StateOpen, in UTC; zero before.
	Answered time.Time
	// SubscriptionID is that of the subscription which an acceptance made or changed; else empty.
	SubscriptionID string
	// Inserted and Updated are the instants of the first and the last change, in UTC.
	Inserted, Updated time.Time
	// Revision of the catalogue that last changed it.
	Revision int64
}

// Offer is the offer of a PRIVATE bundle to an EC (A13, A14).
type Offer struct{ Relation }

// Request is the wish of an EC to subscribe to a PUBLIC bundle (A11, A12).
type Request struct {
	Relation
	// Attributes are what the EC wants to bear, Validity when: its beginning is never open.
	Attributes []engine.Attribute
	Validity   engine.Period
}

// answer moves an open relation on. Errors: *AnsweredError.
func (r *Relation) answer(what string, state State, now time.Time) error {
	if r.State != StateOpen {
		return &AnsweredError{What: what, ID: r.ID, State: r.State, At: r.Answered}
	}
	r.State, r.Answered = state, now
	return nil
}

// AnsweredError is returned when an offer or a request that is no longer open is answered or withdrawn
// (A15).
type AnsweredError struct {
	// What is "offer" or "request".
	What, ID string
	State    State
	At       time.Time
}

// Error says what was answered and when.
func (e *AnsweredError) Error() string {
	var how string
	switch e.State {
	case StateClosed:
		how = "closed, as its bundle was retired,"
	case StateAccepted:
		how = "accepted"
	case StateRejected:
		how = "rejected"
	default:
		how = "withdrawn"
	}
	return fmt.Sprintf("%s %s was %s on %s: it can be answered once", e.What, Excerpt(e.ID), how, e.At.UTC().Format(time.RFC3339))
}

// StateError is returned when what is stored does not allow a change that is well formed.
type StateError struct {
	// What and ID name the thing at fault, such as "bundle"; Reason reads on from them. Fix says what
	// would be right.
	What, ID, Reason, Fix string
}

// Error says it in one line.
func (e *StateError) Error() string {
	return fmt.Sprintf("%s %s %s; %s", e.What, Excerpt(e.ID), e.Reason, e.Fix)
}
