package rpc

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/engine"
)

// answer is a response in one piece of memory, with room for the rows that a caller gets by default.
type answer struct {
	response gecv1.QuoteResponse
	at       timestamppb.Timestamp
	rows     [engine.DefaultLimit]gecv1.Quote
	quotes   [engine.DefaultLimit]*gecv1.Quote
}

// quoteResponse returns an answer of the engine as a message that shares nothing with the Quoter.
func quoteResponse(id string, at time.Time, a *engine.Answer) *gecv1.QuoteResponse {
	out := &answer{}
	setTime(&out.at, at)
	r := &out.response
	r.Id, r.Revision, r.Seed, r.At, r.BelowThreshold = id, a.Revision, a.Seed, &out.at, a.BelowThreshold
	rows, quotes := out.rows[:], out.quotes[:]
	if len(a.Quotes) > len(rows) {
		rows, quotes = make([]gecv1.Quote, len(a.Quotes)), make([]*gecv1.Quote, len(a.Quotes))
	}
	for i := range a.Quotes {
		setQuote(&rows[i], &a.Quotes[i])
		quotes[i] = &rows[i]
	}
	r.Quotes = quotes[:len(a.Quotes)]
	r.Failed = failures(a.Failed)
	return r
}

// setQuote writes one row. Its bytes over gRPC are those that appendQuote writes.
func setQuote(out *gecv1.Quote, q *engine.Quote) {
	b := q.Bundle
	out.BundleId, out.Name, out.Description = b.ID, b.Name, b.Description
	out.Psp, out.Channel, out.Broker, out.Abi = b.PSP, b.Channel, b.Broker, b.ABI
	out.PspBusinessName, out.Touchpoint, out.PaymentType = b.PSPBusinessName, b.Touchpoint, b.PaymentType
	if b.PaymentType == "" {
		out.PaymentType = engine.Any
	}
	out.OnUs, out.GrossCents, out.NetCents = q.OnUs, q.GrossCents, q.NetCents
	if len(q.Contributions) == 0 {
		return
	}
	shares := make([]gecv1.Contribution, len(q.Contributions))
	out.Contributions = make([]*gecv1.Contribution, len(shares))
	for i := range q.Contributions {
		c, share := &q.Contributions[i], &shares[i]
		share.CreditorInstitution, share.SubscriptionId = c.CreditorInstitution, c.SubscriptionID
		share.DeclaredCents, share.ActualCents = c.DeclaredCents, c.ActualCents
		out.Contributions[i] = share
	}
}

// failures returns them in order of bundle id: the engine's order may differ from one copy of a revision
// to another, an answer may not (P7).
func failures(failed []engine.Failure) []*gecv1.Failure {
	if len(failed) == 0 {
		return nil
	}
	out := make([]*gecv1.Failure, len(failed))
	for i, f := range failed {
		out[i] = &gecv1.Failure{BundleId: validText(f.Bundle.ID), Psp: validText(f.Bundle.PSP), Reason: validText(f.Err.Error())}
	}
	slices.SortFunc(out, func(a, b *gecv1.Failure) int { return strings.Compare(a.BundleId, b.BundleId) })
	return out
}

func setTime(out *timestamppb.Timestamp, t time.Time) {
	out.Seconds, out.Nanos = t.Unix(), int32(t.Nanosecond())
}
