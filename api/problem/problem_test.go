package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gec/api/receipt"
	"gec/bundles"
	"gec/engine"
)

// TestTable has a row for every row of the table, each also wrapped.
func TestTable(t *testing.T) {
	for _, c := range []struct {
		err           error
		status        int
		code          codes.Code
		title, detail string
	}{
		{&engine.UnknownNameError{Kind: "touchpoint", Name: "x"}, 404, codes.NotFound, "Touchpoint not found", "Cannot find touchpoint with name: 'x'"},
		{&engine.UnknownNameError{Kind: "payment type", Name: "x"}, 404, codes.NotFound, "PaymentType not found", "Cannot find payment type with name: 'x'"},
		{&engine.InvalidPaymentError{Field: "notices[0].amount", Reason: "is 0"}, 400, codes.InvalidArgument, "BAD REQUEST", "notices[0].amount: is 0"},
		{bundles.Faults{{Path: "a", Reason: "is wrong", Fix: "mend it"}, {Reason: "is empty"}}, 400, codes.InvalidArgument, "BAD REQUEST", "a: is wrong; mend it, is empty"},
		{bundles.Fault{Path: "a", Reason: "is wrong"}, 400, codes.InvalidArgument, "BAD REQUEST", "a: is wrong"},
		{bundles.Faults{{Reason: "breaks off", Line: 1, Column: 9}}, 400, codes.InvalidArgument, "BAD REQUEST", "Invalid input format"},
		{&receipt.Refusal{Reason: receipt.ReasonMalformed, Detail: "is none"}, 422, codes.InvalidArgument, "Receipt malformed", "The receipt is none"},
		{&receipt.Refusal{Reason: receipt.ReasonUnknownKey}, 422, codes.InvalidArgument, "Receipt key unknown", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonWrongSignature}, 422, codes.InvalidArgument, "Receipt signature wrong", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonEndedKey}, 422, codes.InvalidArgument, "Receipt key ended", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonOtherRequest}, 409, codes.FailedPrecondition, "Receipt of another request", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonTooOld}, 410, codes.FailedPrecondition, "Receipt too old", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonRevisionGone}, 410, codes.FailedPrecondition, "Receipt revision gone", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonOtherCatalogue}, 410, codes.FailedPrecondition, "Receipt of another catalogue", "The receipt "},
		{&receipt.Refusal{Reason: receipt.ReasonOtherAnswer}, 410, codes.FailedPrecondition, "Receipt of another answer", "The receipt "},
		{bundles.ErrNotFound, 404, codes.NotFound, "NOT FOUND", bundles.ErrNotFound.Error()},
		{bundles.ErrConflict, 409, codes.Aborted, "CONFLICT", bundles.ErrConflict.Error()},
		{bundles.ErrDuplicateKey, 409, codes.AlreadyExists, "CONFLICT", bundles.ErrDuplicateKey.Error()},
		{bundles.ErrStorageFull, 507, codes.ResourceExhausted, "INSUFFICIENT STORAGE", bundles.ErrStorageFull.Error()},
		{fmt.Errorf("%w, %w", bundles.ErrStorageFull, bundles.ErrSharedFull), 507, codes.ResourceExhausted, "INSUFFICIENT STORAGE", bundles.ErrSharedFull.Error()},
		{context.DeadlineExceeded, 504, codes.DeadlineExceeded, "GATEWAY TIMEOUT", "The request took longer than the caller allowed: repeat it"},
		{context.Canceled, 503, codes.Canceled, "SERVICE UNAVAILABLE", "The request was abandoned before it was answered: repeat it"},
		{Malformed("why"), 400, codes.InvalidArgument, "BAD REQUEST", "Invalid input format"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("while secretly doing: %w", c.err)} {
			p := Of(err)
			if p.Status != c.status || p.Code != c.code || p.Title != c.title || p.Detail != c.detail {
				t.Errorf("%v: %d %v %q %q", err, p.Status, p.Code, p.Title, p.Detail)
			}
			if !errors.Is(p, c.err) && !errors.As(p, new(bundles.Faults)) && !errors.As(p, new(*Problem)) {
				t.Errorf("%v: the cause is lost", err)
			}
			if p.Instance != "" || strings.Contains(string(p.Append(nil)), "secret") {
				t.Errorf("%v: %s", err, p.Append(nil))
			}
		}
	}
}

func TestNothingIsNoProblem(t *testing.T) {
	if p := Of(nil); p != nil {
		t.Errorf("%v", p)
	}
}

func TestUnknownErrorsTellNothing(t *testing.T) {
	cause := errors.New("badger: /var/lib/gec/000001.vlog: permission denied")
	p, other := Of(cause), Of(cause)
	if p.Status != 500 || p.Title != "INTERNAL SERVER ERROR" || p.Code != codes.Internal || !errors.Is(p, cause) {
		t.Errorf("%+v", p)
	}
	for _, shown := range []string{string(p.Append(nil)), p.Error(), p.GRPCStatus().Message()} {
		if strings.Contains(shown, "badger") || strings.Contains(shown, "/var") {
			t.Errorf("tells the cause: %s", shown)
		}
	}
	if !strings.HasPrefix(p.Instance, "urn:uuid:") || p.Instance == other.Instance {
		t.Errorf("instances %q and %q", p.Instance, other.Instance)
	}
	if !strings.Contains(string(p.Append(nil)), p.Instance) || !strings.Contains(p.GRPCStatus().Message(), p.Instance) {
		t.Error("the instance is not shown")
	}
}

func TestDocument(t *testing.T) {
	p := Invalid([]Field{{Path: "a\"b", Message: "is \xff wrong"}, {Path: "c", Message: "too", Line: 3, Column: 14}})
	p.Hint = "look"
	text := p.Append([]byte("x"))
	if text[0] != 'x' || !utf8.Valid(text) {
		t.Fatalf("%q", text)
	}
	var got map[string]any
	if err := json.Unmarshal(text[1:], &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"title": "BAD REQUEST", "status": 400.0, "detail": "a\"b: is \uFFFD wrong, c: too", "hint": "look",
		"errors": []any{
			map[string]any{"field": "a\"b", "message": "is \uFFFD wrong"},
			map[string]any{"field": "c", "message": "too", "line": 3.0, "column": 14.0},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if bare := string(New(404, codes.NotFound, "gone").Append(nil)); bare != `{"title":"NOT FOUND","status":404,"detail":"gone"}` {
		t.Error(bare)
	}
}

func TestDetailIsBounded(t *testing.T) {
	fields := make([]Field, 5000)
	for i := range fields {
		fields[i] = Field{Path: fmt.Sprintf("bundles[%d].name", i), Message: "is missing"}
	}
	p := Invalid(fields)
	if !strings.HasSuffix(p.Detail, "bundles[19].name: is missing, and 4980 more") || len(p.Fields) != 5000 {
		t.Error(p.Detail)
	}
}

func TestGRPCStatusCarriesTheFields(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", Invalid([]Field{{Path: "a", Message: "is wrong\xff"}}))
	s, ok := status.FromError(err) // as grpc-go does with what a handler returns
	if !ok || s.Code() != codes.InvalidArgument || !strings.Contains(s.Message(), "a: is wrong") {
		t.Fatalf("%v", s)
	}
	bad, ok := s.Details()[0].(*errdetails.BadRequest)
	if !ok || len(bad.FieldViolations) != 1 || bad.FieldViolations[0].Field != "a" || bad.FieldViolations[0].Description != "is wrong\uFFFD" {
		t.Errorf("%v", s.Details())
	}
	if s := Malformed("line 1").GRPCStatus(); s.Message() != "Invalid input format: line 1" || len(s.Details()) != 0 {
		t.Errorf("%v", s)
	}
}
