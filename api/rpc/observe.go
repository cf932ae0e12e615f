package rpc

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/observe"
)

// observer is Options.Observe; nil observes nothing.
type observer observe.Func

// call tells of a call that is over.
func (o observer) call(ctx context.Context, transport string, l *logged) {
	if o != nil {
		o(ctx, observe.Call{
			Transport: transport, Operation: l.method, Status: statusOf(l.code), Revision: l.revision, Rows: l.rows, Took: time.Since(l.started),
		})
	}
}

// statusOf returns a status of HTTP for a gRPC code: whether it went well, and whose fault it is otherwise.
func statusOf(code codes.Code) int {
	switch code {
	case codes.OK:
		return http.StatusOK
	case codes.Unavailable, codes.DeadlineExceeded:
		return http.StatusServiceUnavailable
	case codes.Unknown, codes.Internal, codes.DataLoss:
		return http.StatusInternalServerError
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}
