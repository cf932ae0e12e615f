package rpc

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"gec/api/gecv1"
	"gec/api/problem"
)

// quoteServer is QuoteService over gRPC. Explain goes by messages; Quote and BatchQuote from bytes to bytes,
// see quoteService.
type quoteServer struct {
	gecv1.UnimplementedQuoteServiceServer
	*quoting
	requests sync.Pool
}

func newQuoteServer(q *quoting) *quoteServer {
	return &quoteServer{quoting: q, requests: sync.Pool{New: func() any { return &incoming{} }}}
}

// quoteService is the generated description of QuoteService, of which Quote is decoded and encoded here.
func quoteService() *grpc.ServiceDesc {
	desc := gecv1.QuoteService_ServiceDesc
	desc.Methods = slices.Clone(desc.Methods)
	for i := range desc.Methods {
		if desc.Methods[i].MethodName == "Quote" {
			desc.Methods[i].Handler = handleQuote
		}
	}
	return &desc
}

// handleQuote takes the place of the generated handler. Interceptors see the request as the message that it
// is, which they must not keep, and the answer as a *reply.
//
//nolint:revive // the order of the arguments is grpc-go's
func handleQuote(server any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
	s := server.(*quoteServer)
	in := s.requests.Get().(*incoming)
	defer func() {
		in.release()
		s.requests.Put(in)
	}()
	if err := decode(in); err != nil {
		return nil, err
	}
	out := &reply{}
	if intercept == nil {
		return out, s.reply(ctx, in.message, out)
	}
	body := in.raw()
	info := &grpc.UnaryServerInfo{Server: server, FullMethod: gecv1.QuoteService_Quote_FullMethodName}
	return intercept(ctx, in.message, info, func(ctx context.Context, in any) (any, error) {
		if err := s.reply(ctx, in.(*gecv1.QuoteRequest), out); err != nil {
			return nil, err
		}
		out.body = body
		return out, nil
	})
}

// reply answers one request in bytes, into a reply without any.
func (s *quoteServer) reply(ctx context.Context, in *gecv1.QuoteRequest, out *reply) error {
	c := s.calls.Get().(*call)
	defer s.release(c)
	answer, err := s.answer(ctx, c, in)
	if err != nil {
		return err
	}
	*out = reply{bytes: replyBytes.Get(0), revision: answer.Revision, rows: len(answer.Quotes), seed: answer.Seed}
	for i := range min(len(answer.Quotes), len(out.bundles)) {
		out.bundles[i] = answer.Quotes[i].Bundle.ID
	}
	*out.bytes = appendResponse(*out.bytes, in.GetId(), c.request.payment.At, answer)
	*out.bytes = appendText(*out.bytes, 9, c.receipt)
	return nil
}

// Explain implements QuoteService.Explain.
func (s *quoteServer) Explain(ctx context.Context, in *gecv1.ExplainRequest) (*gecv1.ExplainResponse, error) {
	return s.explain(ctx, in)
}

// newError returns a problem as the error of one request of a batch.
func newError(p *problem.Problem) *gecv1.Error {
	status := p.GRPCStatus()
	out := &gecv1.Error{Code: int32(status.Code()), Message: validText(status.Message())}
	for _, f := range p.Fields {
		out.Violations = append(out.Violations, &gecv1.FieldViolation{Field: validText(f.Path), Description: validText(f.Message)})
	}
	return out
}
