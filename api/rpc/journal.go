package rpc

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"gec/api/gecv1"
	"gec/api/journal"
)

// operationBatch is the operation of a batch, each request of which is an event of the journal, and the batch none.
const operationBatch = "batchQuote"

// The metadata and headers of identificativoUnivocoVersamento and codiceContestoPagamento.
const (
	iuvMetadata     = "x-iuv"
	contextMetadata = "x-ccp"
	iuvHeader       = "X-Iuv"
	contextHeader   = "X-Ccp"
)

// methodUnknown stands for every method and path that nobody serves.
const methodUnknown = "unknown"

// ours reports whether a method is of the native contract, or nobody's; health and reflection are not, and not journaled.
func ours(method string) bool {
	return strings.HasPrefix(method, "/gec.v1.") || method == methodUnknown
}

// operationOf returns the name of a method in the journal: quote for /gec.v1.QuoteService/Quote, none for one that
// nobody serves.
func operationOf(method string) string {
	switch method {
	case methodUnknown:
		return ""
	case gecv1.QuoteService_Quote_FullMethodName:
		return "quote" // at no cost
	case gecv1.QuoteService_BatchQuote_FullMethodName:
		return operationBatch
	}
	name := method[strings.LastIndexByte(method, '/')+1:]
	if name == "" {
		return method
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// loggedOf returns what the log says of the stream of a context.
func loggedOf(ctx context.Context) *logged {
	if l, ok := ctx.Value(loggedKey{}).(*logged); ok {
		return l
	}
	l := newLogged(ctx, incomingRequestID(ctx), gecv1.QuoteService_BatchQuote_FullMethodName)
	return &l
}

// httpStatus is the status of the answer, or the one that its code corresponds to.
func (l *logged) httpStatus() int {
	if l.status != 0 {
		return l.status
	}
	return statusOf(l.code)
}

// enter fills in what the journal keeps of a gRPC call, valid while the request is.
func (l *logged) enter(e *journal.Entry, in, out any) {
	e.Started, e.Took, e.Operation, e.Caller = l.started, time.Since(l.started), operationOf(l.method), l.caller
	e.RequestID, e.Status = l.id, l.httpStatus()
	e.IUV, e.Context = l.iuv, l.paymentContext
	asked(&e.Facts, in)
	told(&e.Facts, out)
	if answer, ok := out.(*reply); ok {
		e.Body = answer.body
	} else if message, ok := in.(proto.Message); ok {
		// The bytes that came are gone: those of the message as proto writes it deterministically stand for them.
		if body, err := (proto.MarshalOptions{Deterministic: true}).Marshal(message); err == nil && len(body) > 0 {
			e.BodyBytes, e.BodySHA256 = int64(len(body)), sha256.Sum256(body)
		}
	}
}

// enter journals a call of the JSON form.
func (h *jsonHandler) enter(l *logged, x *exchange, e *journal.Entry) {
	if h.journal == nil {
		return
	}
	e.Started, e.Took, e.Operation, e.Caller, e.RequestID = l.started, time.Since(l.started), x.operation, l.caller, l.id
	e.IUV, e.Context, e.Status = x.r.Header.Get(iuvHeader), x.r.Header.Get(contextHeader), l.httpStatus()
	h.journal.Add(e)
}

func firstOf(ctx context.Context, name string) string {
	if given := metadata.ValueFromIncomingContext(ctx, name); len(given) > 0 {
		return given[0]
	}
	return ""
}

// asked takes over what a request says, in its strings.
func asked(f *journal.Facts, in any) {
	switch in := in.(type) {
	case *gecv1.QuoteRequest:
		askedFor(f, in.GetPayment())
	case *gecv1.ExplainRequest:
		askedFor(f, in.GetQuote().GetPayment())
	default:
		if of, ok := in.(interface{ GetPsp() string }); ok {
			f.PSP = of.GetPsp()
		}
		if of, ok := in.(interface{ GetCreditorInstitution() string }); ok {
			f.CreditorInstitution = of.GetCreditorInstitution()
		}
	}
}

func askedFor(f *journal.Facts, p *gecv1.Payment) {
	f.PaymentType, f.Channel = p.GetPaymentType(), p.GetTouchpoint()
	for _, notice := range p.GetNotices() {
		if sum := f.AmountCents + notice.GetAmountCents(); sum > f.AmountCents { // no overflow
			f.AmountCents = sum
		}
	}
	if notices := p.GetNotices(); len(notices) > 0 {
		f.CreditorInstitution = notices[0].GetCreditorInstitution()
	}
	if psps := p.GetPsps(); len(psps) == 1 {
		f.PSP = psps[0].GetPsp()
		if f.Channel == "" {
			f.Channel = psps[0].GetChannel()
		}
	}
}

// told takes over what an answer says, in its strings.
func told(f *journal.Facts, out any) {
	switch out := out.(type) {
	case *reply:
		if out != nil {
			f.Revision, f.Seed, f.Rows, f.Bundles = out.revision, out.seed, out.rows, out.bundles
		}
	case *gecv1.QuoteResponse:
		f.Revision, f.Seed, f.Rows = out.GetRevision(), out.GetSeed(), len(out.GetQuotes())
		for i := range min(f.Rows, len(f.Bundles)) {
			f.Bundles[i] = out.GetQuotes()[i].GetBundleId()
		}
	case interface{ GetRevision() int64 }:
		f.Revision = out.GetRevision()
	}
}
