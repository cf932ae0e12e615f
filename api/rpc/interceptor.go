package rpc

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"gec/api/observe"
)

// interceptor is around every gRPC call: it echoes the request id, turns panics and errors of the
// domain into statuses that tell no internals, and writes one line to the log.
type interceptor struct {
	log     *slog.Logger
	observe observer
}

func (i *interceptor) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (out any, err error) {
	id := incomingRequestID(ctx)
	// It fails only once headers were sent, which no handler did yet.
	_ = grpc.SetHeader(ctx, metadata.MD{requestIDMetadata: []string{id}})
	call := logged{started: time.Now(), id: id, method: info.FullMethod}
	defer func() {
		err = call.shown(err, recover())
		if err == nil {
			call.answered(out)
		}
		call.write(ctx, i.log)
		i.observe.call(ctx, observe.GRPC, &call)
	}()
	return handle(ctx, in)
}

func (i *interceptor) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	id := incomingRequestID(stream.Context())
	// It fails only once headers were sent, which no handler did yet.
	_ = stream.SetHeader(metadata.MD{requestIDMetadata: []string{id}})
	call := logged{started: time.Now(), id: id, method: info.FullMethod}
	defer func() {
		err = call.shown(err, recover())
		call.write(stream.Context(), i.log)
		i.observe.call(stream.Context(), observe.GRPC, &call)
	}()
	return handle(server, stream)
}
