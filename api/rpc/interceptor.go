package rpc

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"gec/api/access"
	"gec/api/gecv1"
	"gec/api/journal"
	"gec/api/observe"
)

// interceptor is around every gRPC call: it echoes the request id, lets nobody pass who may not, turns panics and
// errors of the domain into statuses that tell no internals, and writes one line to the log.
type interceptor struct {
	log     *slog.Logger
	observe observer
	// gate is Options.Gate, which may be nil.
	gate access.Gate
	// journal is Options.Journal, which may be nil.
	journal *journal.Journal
	// methods are those that are served.
	methods map[string]bool
}

// loggedKey is the key of the context's value that a batch finds what the log says of it by.
type loggedKey struct{}

// grantKey is the key of the context's value that says who calls.
type grantKey struct{}

// admit returns a context that knows who calls.
func (i *interceptor) admit(ctx context.Context, call *logged) (context.Context, error) {
	if i.gate == nil {
		return ctx, nil
	}
	grant, err := i.gate.GRPC(ctx, call.method)
	call.caller = grant.Name()
	if err != nil {
		return ctx, err
	}
	if call.method == gecv1.QuoteService_Quote_FullMethodName {
		return ctx, nil // which asks no more, and has no time to lose
	}
	return context.WithValue(ctx, grantKey{}, grant), nil
}

func (i *interceptor) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	id := incomingRequestID(ctx)
	// It fails only once headers were sent, which no handler did yet.
	_ = grpc.SetHeader(ctx, metadata.MD{requestIDMetadata: []string{id}})
	call := newLogged(ctx, id, info.FullMethod)
	defer func() {
		err = call.shown(err, recover())
		if err == nil {
			call.answered(out)
		}
		call.write(ctx, i.log)
		i.observe.call(ctx, observe.GRPC, &call)
		if i.journal != nil && ours(call.method) {
			var e journal.Entry
			call.enter(&e, in, out)
			i.journal.Add(&e)
		}
	}()
	if ctx, err = i.admit(ctx, &call); err != nil {
		return nil, err
	}
	return handle(ctx, in)
}

func (i *interceptor) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	id := incomingRequestID(stream.Context())
	// It fails only once headers were sent, which no handler did yet.
	_ = stream.SetHeader(metadata.MD{requestIDMetadata: []string{id}})
	call := newLogged(stream.Context(), id, info.FullMethod)
	if !i.methods[call.method] {
		call.method = methodUnknown // whatever a caller writes is no name in metrics and journal
	}
	begun := false
	defer func() {
		err = call.shown(err, recover())
		call.write(stream.Context(), i.log)
		i.observe.call(stream.Context(), observe.GRPC, &call)
		if i.journal != nil && ours(call.method) && !(begun && call.method == gecv1.QuoteService_BatchQuote_FullMethodName) {
			var e journal.Entry
			call.enter(&e, nil, nil)
			i.journal.Add(&e)
		}
	}()
	if call.method == methodUnknown {
		return handle(server, stream)
	}
	ctx, err := i.admit(stream.Context(), &call)
	if err != nil {
		return err
	}
	begun = true // whatever a batch asks is journaled by itself
	ctx = context.WithValue(ctx, loggedKey{}, &call)
	if i.gate != nil {
		call.stay = i.gate.Stay(ctx, info.FullMethod)
		stream = &admitted{ServerStream: stream, ctx: ctx, stay: call.stay, method: info.FullMethod}
	}
	return handle(server, stream)
}

// admitted is a stream whose caller is asked for its key again at every message, so that a key that is revoked
// ends what it began. A batch asks by itself, for each quote of it counts as a call.
type admitted struct {
	grpc.ServerStream
	ctx    context.Context //nolint:containedctx // it is the stream's
	stay   access.Stay
	method string
	// begun says that a message was taken.
	begun bool
}

// Context returns the context of the stream, which knows who calls.
func (s *admitted) Context() context.Context { return s.ctx }

// RecvMsg takes a message of the caller.
func (s *admitted) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if !s.begun || s.method == gecv1.QuoteService_BatchQuote_FullMethodName { // the call as such was let in
		s.begun = true
		return nil
	}
	return s.stay.Still()
}

// SendMsg sends a message to the caller.
func (s *admitted) SendMsg(m any) error {
	if s.method == gecv1.CatalogueService_WatchRevisions_FullMethodName {
		if err := s.stay.Still(); err != nil {
			return err
		}
	}
	return s.ServerStream.SendMsg(m)
}
