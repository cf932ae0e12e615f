package problem

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// Of returns the problem that an error is shown as, nil for nil. It looks through wrapped errors. An error
// that the table does not know becomes a 500 that tells nothing but a fresh instance id; the error is its
// Cause, to be logged beside that id.
func Of(err error) *Problem {
	if err == nil {
		return nil
	}
	var made *Problem
	if errors.As(err, &made) {
		return made
	}
	for _, row := range []func(error) *Problem{ofName, ofPayment, ofFaults, ofState, ofReceipt, ofSentinel} {
		if p := row(err); p != nil {
			p.Cause = err
			return p
		}
	}
	p := New(http.StatusInternalServerError, codes.Internal, "The request could not be processed: quote the instance when you report this")
	p.Instance = "urn:uuid:" + uuid.NewString()
	p.Cause = err
	return p
}

// ofName is the contract's 404 of a touchpoint or payment type that is not registered (Q2, Q3).
func ofName(err error) *Problem {
	var unknown *engine.UnknownNameError
	if !errors.As(err, &unknown) {
		return nil
	}
	p := New(http.StatusNotFound, codes.NotFound, fmt.Sprintf("Cannot find %s with name: '%s'", unknown.Kind, unknown.Name))
	p.Title = "Touchpoint not found"
	if unknown.Kind == "payment type" {
		p.Title = "PaymentType not found"
	}
	return p
}

func ofPayment(err error) *Problem {
	var invalid *engine.InvalidPaymentError
	if !errors.As(err, &invalid) {
		return nil
	}
	return Invalid([]Field{{Path: invalid.Field, Message: invalid.Reason}})
}

func ofFaults(err error) *Problem {
	var faults bundles.Faults
	if !errors.As(err, &faults) {
		var one bundles.Fault
		if !errors.As(err, &one) {
			return nil
		}
		faults = bundles.Faults{one}
	}
	fields := make([]Field, len(faults))
	for i, f := range faults {
		fields[i] = Field{Path: f.Path, Message: f.Reason, Line: f.Line, Column: f.Column}
		if f.Fix != "" {
			fields[i].Message += "; " + f.Fix
		}
	}
	if only := &fields[0]; len(fields) == 1 && only.Path == "" && only.Line > 0 { // the text as a whole
		p := Malformed(only.Message)
		p.Fields = fields
		return p
	}
	return Invalid(fields)
}

// ofState maps what is stored and in the way of a change. Several at once are told one after the other.
func ofState(err error) *Problem {
	var (
		answered *bundles.AnsweredError
		lost     *bundles.LostUpdateError
		state    *bundles.StateError
	)
	switch {
	case errors.As(err, &answered):
		return New(http.StatusConflict, codes.FailedPrecondition, answered.Error())
	case errors.As(err, &lost):
		return New(http.StatusConflict, codes.Aborted, lost.Error())
	case errors.As(err, &state):
		return New(http.StatusConflict, codes.FailedPrecondition, strings.Join(statesOf(err), ", "))
	}
	return nil
}

// statesOf returns the texts of all StateErrors that an error holds, at most detailFieldsMax of them.
func statesOf(err error) (texts []string) {
	if state, is := err.(*bundles.StateError); is { //nolint:errorlint // the tree is walked here, node by node
		return []string{state.Error()}
	}
	switch wrapper := err.(type) { //nolint:errorlint // likewise
	case interface{ Unwrap() []error }:
		for _, part := range wrapper.Unwrap() {
			texts = append(texts, statesOf(part)...)
		}
	case interface{ Unwrap() error }:
		texts = statesOf(wrapper.Unwrap())
	}
	return texts[:min(len(texts), detailFieldsMax)]
}

// ofReceipt maps what keeps a receipt from being redeemed: 422 for one that is not to be believed, 409 for one of
// another request, 410 for one whose answer can no longer be given. The title says which of them it is.
func ofReceipt(err error) *Problem {
	var refusal *receipt.Refusal
	if !errors.As(err, &refusal) {
		return nil
	}
	title, status, code := "Receipt malformed", http.StatusUnprocessableEntity, codes.InvalidArgument
	switch refusal.Reason {
	case receipt.ReasonMalformed:
	case receipt.ReasonUnknownKey:
		title = "Receipt key unknown"
	case receipt.ReasonWrongSignature:
		title = "Receipt signature wrong"
	case receipt.ReasonEndedKey:
		title = "Receipt key ended"
	case receipt.ReasonOtherRequest:
		title, status, code = "Receipt of another request", http.StatusConflict, codes.FailedPrecondition
	case receipt.ReasonTooOld:
		title, status, code = "Receipt too old", http.StatusGone, codes.FailedPrecondition
	case receipt.ReasonRevisionGone:
		title, status, code = "Receipt revision gone", http.StatusGone, codes.FailedPrecondition
	case receipt.ReasonOtherCatalogue:
		title, status, code = "Receipt of another catalogue", http.StatusGone, codes.FailedPrecondition
	case receipt.ReasonOtherAnswer:
		title, status, code = "Receipt of another answer", http.StatusGone, codes.FailedPrecondition
	}
	p := New(status, code, refusal.Error())
	p.Title = title
	return p
}

// ofSentinel maps the errors that carry nothing but their kind.
func ofSentinel(err error) *Problem {
	for _, row := range []struct {
		is     error
		status int
		code   codes.Code
	}{
		{bundles.ErrNotFound, http.StatusNotFound, codes.NotFound},
		{bundles.ErrForbidden, http.StatusForbidden, codes.PermissionDenied},
		{bundles.ErrConflict, http.StatusConflict, codes.Aborted},
		{bundles.ErrKeyReused, http.StatusConflict, codes.AlreadyExists},
		{bundles.ErrDuplicateKey, http.StatusConflict, codes.AlreadyExists},
		{bundles.ErrUnavailable, http.StatusServiceUnavailable, codes.Unavailable},
		{bundles.ErrOutcomeUnknown, http.StatusServiceUnavailable, codes.Unavailable},
		{bundles.ErrNotYet, http.StatusServiceUnavailable, codes.Unavailable},
		{bundles.ErrSharedFull, http.StatusInsufficientStorage, codes.ResourceExhausted},
		{bundles.ErrStorageFull, http.StatusInsufficientStorage, codes.ResourceExhausted},
	} {
		if errors.Is(err, row.is) {
			return New(row.status, row.code, row.is.Error())
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return New(http.StatusGatewayTimeout, codes.DeadlineExceeded, "The request took longer than the caller allowed: repeat it")
	case errors.Is(err, context.Canceled):
		return New(http.StatusServiceUnavailable, codes.Canceled, "The request was abandoned before it was answered: repeat it")
	}
	return nil
}
