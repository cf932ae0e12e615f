package overload

import (
	"context"
	"strings"

	"google.golang.org/grpc"
)

// healthPrefix opens the methods of the gRPC health service, which always answers.
const healthPrefix = "/grpc.health.v1."

// Unary is Handler for single calls of gRPC.
func (m *Monitor) Unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if !strings.HasPrefix(info.FullMethod, healthPrefix) {
		if err := m.Enter(ctx); err != nil {
			return nil, err
		}
	}
	return handle(ctx, in)
}

// Stream is Handler for streams of gRPC, which are admitted or refused when they begin.
func (m *Monitor) Stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if !strings.HasPrefix(info.FullMethod, healthPrefix) {
		if err := m.Enter(stream.Context()); err != nil {
			return err
		}
	}
	return handle(server, stream)
}
